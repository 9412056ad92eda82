package io.jsupervise.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.MonotonicTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 10, unit = TimeUnit.SECONDS)
class TimerQueueTest {
    private final TimerQueue timers = new TimerQueue();

    private static MonotonicTime at(long nanos) {
        return new MonotonicTime(nanos);
    }

    private List<String> due(long now) {
        List<String> fired = new ArrayList<>();
        for (Optional<TimerQueue.Timer> timer = timers.takeDue(at(now));
                timer.isPresent();
                timer = timers.takeDue(at(now))) {
            fired.add(timer.get().key() + ":" + timer.get().generation());
        }
        return fired;
    }

    @Test
    void timers_fire_at_their_deadline_in_order_and_once() {
        timers.arm("late", 1, at(30));
        timers.arm("early", 2, at(10));
        assertEquals(Optional.of(at(10)), timers.next());
        assertEquals(List.of(), due(9));
        assertEquals(List.of("early:2"), due(10));
        assertEquals(Optional.of(at(30)), timers.next());
        assertEquals(List.of("late:1"), due(1000));
        assertEquals(List.of(), due(1000));
        assertEquals(Optional.empty(), timers.next());
    }

    @Test
    void of_the_same_deadline_the_one_armed_first_is_first() {
        for (String key : new String[] {"c", "a", "b"}) {
            timers.arm(key, 1, at(10));
        }
        assertEquals(List.of("c:1", "a:1", "b:1"), due(10));
    }

    @Test
    void arming_again_replaces_and_cancelling_removes() {
        timers.arm("a", 1, at(10));
        timers.arm("a", 2, at(20));
        timers.arm("b", 3, at(15));
        timers.cancel("b");
        timers.cancel("never armed");
        assertEquals(Optional.of(at(20)), timers.next());
        assertEquals(List.of("a:2"), due(1000));
    }

    /** Against a plain map, over many random orders; what was replaced must not gather. */
    @Test
    void it_does_what_a_plain_map_would_do() {
        Random random = new Random(11);
        Map<String, Long> armed = new HashMap<>();
        long now = 0;
        for (int i = 0; i < 50_000; i++) {
            String key = "k" + random.nextInt(20);
            switch (random.nextInt(4)) {
                case 0, 1 -> {
                    long deadline = now + 1 + random.nextInt(100);
                    timers.arm(key, i, at(deadline));
                    armed.put(key, deadline);
                }
                case 2 -> {
                    timers.cancel(key);
                    armed.remove(key);
                }
                default -> {
                    now += random.nextInt(10);
                    long present = now;
                    int expected = (int) armed.values().stream()
                            .filter(time -> time <= present)
                            .count();
                    assertEquals(expected, due(now).size());
                    armed.values().removeIf(time -> time <= present);
                }
            }
            Optional<MonotonicTime> next =
                    armed.values().stream().min(Long::compare).map(MonotonicTime::new);
            assertEquals(next, timers.next());
        }
        assertTrue(now > 0, "time went by");
    }
}
