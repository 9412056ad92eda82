package io.jsupervise.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * When a heartbeat is due, by what two looks saw. Times are seconds: the run was ordered at 0 on both clocks, the
 * timeout is 30, the grace 90.
 */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class PulseTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final Now ORDERED = at(0, 0);

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                // what                                   | 1st look: mono wall mtime | 2nd: mono wall mtime | deadline,
                // next
                "nothing yet                              |  0 |    0 |    - | 30 |   30 |    - |  90 |  60",
                "a file that an earlier run left          |  0 |    0 |   -5 | 30 |   30 |   -5 |  90 |  60",
                "a file from the future                   |  0 |    0 | 9999 | 30 |   30 | 9999 |  90 |  60",
                "the first beat of a new file             |  0 |    0 |    - | 30 |   30 |    7 |  37 |  37",
                "the first beat of an old file            |  0 |    0 |   -5 | 30 |   30 |    7 |  37 |  37",
                "a beat into the future                   |  0 |    0 |   -5 | 30 |   30 | 9999 |  60 |  60",
                "a beat dated back                        |  0 |    0 |   -5 | 30 |   30 |  -99 |  60 |  60",
                "a beat, then the clock went forward      |  0 |    0 |   -5 | 30 | 3630 |    7 |  60 |  60",
                "a beat after the clock went forward      |  0 |    0 |   -5 | 30 | 3630 | 3625 |  60 |  60",
                "a beat, then the clock went back         |  0 |    0 |   -5 | 30 |-3570 |    7 |  60 |  60",
                "a beat after the clock went back         |  0 |    0 |   -5 | 30 |-3570 |-3580 |  60 |  60",
                "no beat, and the clock went forward      |  0 |    0 |   -5 | 30 | 3630 |   -5 |  90 |  60",
                "no beat, and the machine was suspended   |  0 |    0 |   -5 | 30 | 9999 |   -5 |  90 |  60",
                "the file vanished                        |  0 |    0 |   -5 | 30 |   30 |    - |  90 |  60",
                "a first look that comes late, with a beat|  5 |    5 |    3 |  6 |    6 |    3 |  33 |  33",
                "a first look right after a clock step    |  5 | 3605 |    3 |  6 | 3606 |    3 |  90 |  36",
            })
    void a_deadline_is_the_last_change_plus_the_timeout(
            String what,
            long mono1,
            long wall1,
            Long mtime1,
            long mono2,
            long wall2,
            Long mtime2,
            long due,
            long next) {
        Pulse pulse = Pulse.armed(at(90, 0).mono())
                .after(look(mono1, wall1, mtime1, 1), ORDERED)
                .after(look(mono2, wall2, mtime2, 1), ORDERED);
        assertEquals(due, pulse.deadline(TIMEOUT).nanos() / 1_000_000_000L, "deadline");
        assertEquals(next, pulse.nextLook(TIMEOUT).nanos() / 1_000_000_000L, "next look");
    }

    @Test
    void a_file_that_was_replaced_has_changed() {
        Pulse pulse =
                Pulse.armed(at(90, 0).mono()).after(look(0, 0, -5L, 1), ORDERED).after(look(30, 30, -5L, 2), ORDERED);
        assertEquals(Optional.of(at(30, 0).mono()), pulse.lastBeat());
    }

    /** Its mtime is that of the tick before. It was taken for a beat at the next look, a whole timeout too late. */
    @Test
    void a_beat_right_after_a_look_bears_a_time_before_it() {
        Instant tick = Instant.ofEpochSecond(10).minusMillis(4);
        Look seen = new Look(at(40, 40), Optional.of(new Look.Stamp(1, tick)), Optional.empty());
        Pulse pulse = Pulse.armed(at(90, 0).mono())
                .after(look(10, 10, -5L, 1), ORDERED)
                .after(seen, ORDERED);
        assertEquals(at(40, 0).mono().minus(Duration.ofMillis(4)), pulse.deadline(TIMEOUT));
    }

    /** The clock went back by 20 s, and a beat 20 s after the last one got the same time as that: it must not kill. */
    @Test
    void a_beat_that_bears_the_time_of_the_last_one_because_the_clock_went_back_is_not_missed() {
        Pulse pulse = Pulse.armed(at(90, 0).mono())
                .after(look(0, 0, -5L, 1), ORDERED)
                .after(look(20, 20, 10L, 1), ORDERED)
                .after(look(40, 20, 10L, 1), ORDERED);
        assertEquals(at(70, 0).mono(), pulse.deadline(TIMEOUT));
    }

    @Test
    void a_step_of_the_clock_hides_a_hang_for_one_timeout_only() {
        Pulse pulse = Pulse.armed(at(90, 0).mono())
                .after(look(0, 0, -5L, 1), ORDERED)
                .after(look(20, 20, 10L, 1), ORDERED)
                .after(look(40, -3560, 10L, 1), ORDERED)
                .after(look(70, -3530, 10L, 1), ORDERED);
        assertEquals(at(70, 0).mono(), pulse.deadline(TIMEOUT));
    }

    @Test
    void a_beat_stays_known_while_the_file_is_gone() {
        Pulse pulse = Pulse.armed(at(90, 0).mono())
                .after(look(0, 0, -5L, 1), ORDERED)
                .after(look(30, 30, 10L, 1), ORDERED)
                .after(look(40, 40, null, 1), ORDERED);
        assertEquals(at(40, 0).mono(), pulse.deadline(TIMEOUT));
    }

    @Test
    void before_the_first_look_only_the_grace_counts() {
        Pulse pulse = Pulse.armed(at(90, 0).mono());
        assertEquals(at(90, 0).mono(), pulse.nextLook(TIMEOUT));
        assertEquals(at(120, 0).mono(), pulse.graceUntil(at(120, 0).mono()).deadline(TIMEOUT));
    }

    @Test
    void a_grace_shorter_than_the_timeout_is_looked_at_in_time() {
        Pulse pulse = Pulse.armed(at(10, 0).mono()).after(look(0, 0, null, 1), ORDERED);
        assertEquals(at(10, 0).mono(), pulse.nextLook(TIMEOUT));
    }

    private static Look look(long mono, long wall, Long mtime, long inode) {
        Optional<Look.Stamp> stamp =
                Optional.ofNullable(mtime).map(at -> new Look.Stamp(inode, Instant.ofEpochSecond(at)));
        return new Look(at(mono, wall), stamp, Optional.empty());
    }

    private static Now at(long mono, long wall) {
        return new Now(new MonotonicTime(mono * 1_000_000_000L), Instant.ofEpochSecond(wall));
    }
}
