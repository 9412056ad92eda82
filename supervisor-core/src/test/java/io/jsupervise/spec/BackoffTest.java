package io.jsupervise.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The waits between restarts, row by row. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class BackoffTest {
    @ParameterizedTest(name = "{0} ms x {1}, at most {2} ms, jitter {3}: after {4} failures, dice {5} -> {6} ms")
    @CsvSource({
        // initial factor max   jitter failures unit expected
        "500,  2,   30000, 0,   0,    0.5, 500",
        "500,  2,   30000, 0,   1,    0.5, 1000",
        "500,  2,   30000, 0,   5,    0.5, 16000",
        "500,  2,   30000, 0,   6,    0.5, 30000",
        "500,  2,   30000, 0,   5000, 0.5, 30000",
        "500,  1.5, 30000, 0,   2,    0.5, 1125",
        "500,  1,   30000, 0,   100,  0.5, 500",
        "500,  2,   30000, 0.1, 0,    0,   450",
        "500,  2,   30000, 0.1, 0,    0.5, 500",
        "500,  2,   30000, 0.1, 0,    0.75,525",
        "500,  2,   30000, 0.1, 100,  0,   27000",
        "1000, 2,   30000, 1,   0,    0,   0",
        "0,    2,   0,     0.1, 0,    0.9, 0",
        "0,    2,   0,     0.1, 5000, 0.9, 0",
        "0,    2,   30000, 0.1, 5000, 0.9, 0",
        "10,   1000,30000, 0,   5000, 0.5, 30000",
    })
    void the_wait_grows_with_failures_up_to_its_bound_and_is_spread(
            long initial, double factor, long max, double jitter, int failures, double unit, long expected) {
        Backoff backoff =
                new Backoff(Duration.ofMillis(initial), factor, Duration.ofMillis(max), jitter, Duration.ofMinutes(1));
        assertEquals(expected, backoff.delay(failures, unit).toMillis());
    }

    @Test
    void jitter_never_leaves_its_band() {
        Random random = new Random(1);
        for (int i = 0; i < 10_000; i++) {
            long ms = Backoff.DEFAULT.delay(0, random.nextDouble()).toMillis();
            assertTrue(ms >= 450 && ms <= 550, ms + " ms");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "-1,2,30,0.1,60",
        "1,2,30,0.1,-1",
        "31,2,30,0.1,60",
        "1,0.9,30,0.1,60",
        "1,1001,30,0.1,60",
        "1,NaN,30,0.1,60",
        "1,2,30,-0.1,60",
        "1,2,30,1.1,60",
        "1,2,30,NaN,60"
    })
    void what_makes_no_sense_cannot_be_made(long initial, double factor, long max, double jitter, long reset) {
        assertThrows(
                IllegalArgumentException.class,
                () -> new Backoff(
                        Duration.ofSeconds(initial),
                        factor,
                        Duration.ofSeconds(max),
                        jitter,
                        Duration.ofSeconds(reset)));
    }
}
