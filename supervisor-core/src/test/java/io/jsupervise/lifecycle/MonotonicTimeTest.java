package io.jsupervise.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Deadlines are made of what users write, so no duration may overflow them. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class MonotonicTimeTest {
    @Test
    void a_deadline_is_a_moment_plus_a_duration() {
        MonotonicTime boot = new MonotonicTime(5);
        assertEquals(new MonotonicTime(1_000_000_005L), boot.plus(Duration.ofSeconds(1)));
        assertEquals(new MonotonicTime(4), boot.minus(Duration.ofNanos(1)));
        assertEquals(Duration.ofSeconds(1), boot.plus(Duration.ofSeconds(1)).since(boot));
    }

    @Test
    void an_absurd_duration_is_merely_very_long() {
        MonotonicTime now = new MonotonicTime(Duration.ofDays(10_000).toNanos());
        Duration absurd = Duration.ofSeconds(Long.MAX_VALUE);
        assertTrue(now.isBefore(now.plus(absurd)));
        assertTrue(now.minus(absurd).isBefore(now));
        assertTrue(now.plus(absurd).since(now).toDays() > 100 * 365);
    }
}
