package io.jsupervise.supervision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Bench;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.TimerKind;
import io.jsupervise.spec.Readiness;
import io.jsupervise.supervision.Ask.Act.Verb;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** max_parallel_starts and start_jitter: how a herd is staggered. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class StartSlotsTest {
    @Test
    void without_a_limit_all_start_at_once() {
        Herd herd = new Herd(0, "a", "b", "c").begin();
        assertEquals("record supervisor, touch, spawn a, spawn b, spawn c", herd.deeds());
    }

    @Test
    void at_most_the_limit_start_at_once_in_the_order_of_the_file() {
        Herd herd = new Herd(2, "a", "b", "c", "d", "e").begin();
        assertEquals("STARTING STARTING WAITING WAITING WAITING", herd.states());
        assertEquals(List.of("a start slot"), herd.serviceOf("c").waitingFor());
        assertEquals("record supervisor, touch, spawn a, spawn b", herd.deeds());
        herd.spawned("b").later(Duration.ofMillis(1)).spawned("a");
        assertEquals("record b, spawn c", herd.fires("b", TimerKind.READY).deeds());
    }

    @Test
    void a_service_that_ends_or_cannot_be_spawned_gives_its_slot_away() {
        Herd herd = new Herd(1, "a", "b", "c").begin();
        assertEquals("record a, spawn b", herd.spawnFails("a").deeds());
        herd.spawned("b");
        assertEquals("record b, clear group b, spawn c", herd.exits("b", 1).deeds());
    }

    @Test
    void a_slot_is_held_for_one_second_at_most() {
        Service[] slow = new Service[3];
        for (int i = 0; i < 3; i++) {
            slow[i] = Bench.fresh(Herd.service("s" + i)
                    .ready(new Readiness.Delay(Duration.ofHours(1)))
                    .build());
        }
        Herd herd = new Herd(1, Set.of(), slow).begin();
        assertEquals("spawn s1", herd.fires(SupervisorTimer.SLOT).deeds());
        assertEquals("spawn s2", herd.fires(SupervisorTimer.SLOT).deeds());
        assertEquals(Duration.ofSeconds(2), herd.status().now().mono().since(Bench.BEGIN.mono()));
    }

    @Test
    void restarts_count_too_and_go_behind_those_who_wait() {
        Herd herd = new Herd(1, "a", "b", "c").begin();
        herd.spawned("a").exits("a", 1).committed();
        assertEquals("BACKOFF STARTING WAITING", herd.states());
        herd.spawned("b").committed();
        herd.later(Duration.ofMillis(999));
        herd.fires("a", TimerKind.RESTART);
        assertEquals("WAITING STARTING STARTING", herd.states(), "b held its slot for its second");
        assertEquals("record c, spawn a", herd.spawnFails("c").deeds());
    }

    @Test
    void who_is_stopped_while_it_waits_leaves_the_queue() {
        Herd herd = new Herd(1, "a", "b", "c").begin();
        herd.actAndLeave(Verb.STOP, "b").committed();
        herd.spawned("a");
        assertEquals("record a, spawn c", herd.fires("a", TimerKind.READY).deeds());
        assertEquals("RUNNING STOPPED STARTING", herd.states());
    }

    @Test
    void an_operators_start_takes_its_turn_as_well() {
        Herd herd = new Herd(1, "a", "b").begin();
        herd.actAndLeave(Verb.START, "b");
        assertEquals("STARTING WAITING", herd.states());
        herd.spawned("a");
        herd.fires("a", TimerKind.READY).committed();
        assertEquals("RUNNING STARTING", herd.states());
    }

    @Test
    void every_one_of_a_large_herd_gets_its_turn_and_never_more_than_the_limit_at_once() {
        String[] names = new String[100];
        for (int i = 0; i < names.length; i++) {
            names[i] = "s" + i;
        }
        Herd herd = new Herd(7, names).begin();
        for (int i = 0; i < names.length; i++) {
            long starting = herd.status().services().stream()
                    .filter(service -> service.state().name().equals("STARTING"))
                    .count();
            assertTrue(starting <= 7, starting + " at once");
            if (i % 3 == 0) {
                herd.spawnFails(names[i]);
            } else {
                herd.spawned(names[i]);
                herd.exits(names[i], 1);
            }
        }
        assertTrue(!herd.states().contains("WAITING"), herd.states());
    }

    @Test
    void start_jitter_spreads_a_herd_over_its_whole_length() {
        Service[] services = new Service[200];
        for (int i = 0; i < services.length; i++) {
            Service fresh = Bench.fresh(
                    Herd.service("s" + i).startJitter(Duration.ofSeconds(10)).build());
            services[i] = Bench.seeded(fresh, i);
        }
        Herd herd = new Herd(0, Set.of(), services).begin();
        assertTrue(herd.states().matches("(WAITING ?)+"), herd.states());
        int[] tenths = new int[10];
        Set<Duration> waits = new HashSet<>();
        for (int i = 0; i < services.length; i++) {
            Duration wait = herd.untilJitterOf("s" + i);
            waits.add(wait);
            tenths[(int) wait.toSeconds()]++;
        }
        assertTrue(waits.size() > 190, waits.size() + " different waits");
        for (int count : tenths) {
            assertTrue(count >= 5, "each second sees some of 200 starts, not " + count);
        }
    }
}
