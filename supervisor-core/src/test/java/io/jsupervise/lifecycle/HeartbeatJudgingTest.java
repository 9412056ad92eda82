package io.jsupervise.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.spec.Backoff;
import io.jsupervise.spec.Heartbeat;
import io.jsupervise.spec.Readiness;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import io.jsupervise.spec.StopSequence;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * When a silent service is ended, and how. The timeout is 10 s, the grace 30 s. A file is only looked at when the core
 * asks for it, so each test says what the file is like and lets the core ask.
 */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class HeartbeatJudgingTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final Duration GRACE = Duration.ofSeconds(30);

    /** A heartbeat file; empty where there is none, or something that is no file. */
    private Optional<Instant> mtime = Optional.empty();

    private Optional<String> problem = Optional.empty();

    @Test
    void a_service_that_beats_runs_on() {
        Bench bench = starts();
        for (int second = 1; second < 600; second++) {
            bench.later(Duration.ofSeconds(1));
            mtime = Optional.of(bench.now().wall());
            looksWhenDue(bench);
            assertEquals(ServiceState.RUNNING, bench.state(), "second " + second);
        }
        assertEquals(0, bench.service().history().restarts());
    }

    @Test
    void one_look_per_deadline_is_enough() {
        Bench bench = starts();
        int looks = 0;
        for (int second = 1; second <= 100; second++) {
            bench.later(Duration.ofSeconds(1));
            mtime = Optional.of(bench.now().wall());
            looks += looksWhenDue(bench) ? 1 : 0;
        }
        assertTrue(looks <= 11, looks + " looks in 100 s at a timeout of 10 s");
    }

    /** Silence is noticed at the last beat plus the timeout, wherever the beat fell between two looks. */
    @ParameterizedTest(name = "last beat after {0} ms")
    @CsvSource({"1000", "9999", "10001", "14321", "25000"})
    void a_hang_is_noticed_at_its_deadline(long lastBeatMs) {
        Bench bench = starts();
        Instant begin = bench.now().wall();
        Instant lastBeat = begin.plusMillis(lastBeatMs);
        while (bench.state() == ServiceState.RUNNING) {
            Duration wait = bench.until(TimerKind.HEARTBEAT);
            Instant then = bench.now().wall().plus(wait);
            mtime = Optional.of(then.isBefore(lastBeat) ? then : lastBeat);
            bench.fires(TimerKind.HEARTBEAT);
            look(bench);
        }
        assertEquals(lastBeat.plus(TIMEOUT), bench.now().wall());
        assertEquals(
                "no heartbeat for 10s", bench.service().ending().orElseThrow().reason());
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "no file                       |     - | -                "
                        + "| no heartbeat within 30s of its start: /run/beat is not there, or a link that leads nowhere",
                "left by an earlier run        | -3600 | -                | no heartbeat within 30s of its start",
                "from the future               |  3600 | -                | no heartbeat within 30s of its start",
                "a directory                   |     - | is a directory   "
                        + "| no heartbeat within 30s of its start: /run/beat is a directory",
                "not permitted                 |     - | EACCES (no)      "
                        + "| no heartbeat within 30s of its start: /run/beat EACCES (no)",
            })
    void what_never_changes_is_no_beat(String what, Long age, String trouble, String reason) {
        mtime = Optional.ofNullable(age).map(Bench.BEGIN.wall()::plusSeconds);
        problem = Optional.ofNullable(trouble);
        Bench bench = starts();
        Instant ready = bench.now().wall();
        looksUntilItIsEnded(bench);
        assertEquals(Bench.BEGIN.wall().plus(GRACE), bench.now().wall(), "ready at " + ready);
        assertEquals(Cause.HEARTBEAT, bench.service().ending().orElseThrow().cause());
        assertEquals(reason, bench.service().ending().orElseThrow().reason());
    }

    @ParameterizedTest(name = "the wall clock goes by {0} s")
    @CsvSource({"3600", "-3600", "86400", "-31536000", "1", "-1"})
    void a_step_of_the_wall_clock_ends_no_service_that_beats(long seconds) {
        Bench bench = starts();
        for (int second = 1; second < 200; second++) {
            bench.later(Duration.ofSeconds(1));
            if (second % 37 == 0) {
                bench.wallClockSteps(Duration.ofSeconds(seconds));
            }
            if (second % 3 == 0) {
                mtime = Optional.of(bench.now().wall());
            }
            looksWhenDue(bench);
            assertEquals(ServiceState.RUNNING, bench.state(), "second " + second);
        }
    }

    @ParameterizedTest(name = "the wall clock goes by {0} s")
    @CsvSource({"3600", "-3600"})
    void a_hang_is_noticed_in_spite_of_a_step(long seconds) {
        Bench bench = starts();
        bench.later(Duration.ofSeconds(4));
        mtime = Optional.of(bench.now().wall());
        bench.wallClockSteps(Duration.ofSeconds(seconds));
        MonotonicTime lastBeat = bench.now().mono();
        looksUntilItIsEnded(bench);
        Duration silent = bench.now().mono().since(lastBeat);
        assertTrue(silent.compareTo(TIMEOUT) >= 0, silent.toString());
        assertTrue(silent.compareTo(TIMEOUT.multipliedBy(2)) <= 0, silent.toString());
    }

    /** While the machine sleeps nobody beats, the monotonic clock stands still and the wall clock goes on. */
    @Test
    void a_suspended_machine_ends_nothing() {
        Bench bench = starts();
        for (int second = 1; second < 200; second++) {
            bench.later(Duration.ofSeconds(1));
            if (second == 55) {
                bench.wallClockSteps(Duration.ofHours(9));
            }
            if (second % 4 == 0) {
                mtime = Optional.of(bench.now().wall());
            }
            looksWhenDue(bench);
            assertEquals(ServiceState.RUNNING, bench.state(), "second " + second);
        }
    }

    @Test
    void grace_is_armed_anew_at_each_start() {
        Bench bench = starts();
        bench.later(Duration.ofSeconds(5));
        mtime = Optional.of(bench.now().wall());
        for (int round = 0; round < 3; round++) {
            looksUntilItIsEnded(bench);
            bench.killedBy(Signal.TERM).groupEmpty().fires(TimerKind.RESTART);
            look(bench);
            bench.spawned();
            Now spawned = bench.now();
            bench.fires(TimerKind.READY);
            looksUntilItIsEnded(bench);
            assertEquals(GRACE, bench.now().mono().since(spawned.mono()), "the old file is no beat of the new run");
        }
        assertEquals(3, bench.service().history().restarts());
    }

    @Test
    void grace_begins_when_the_process_is_there_not_when_it_was_ordered() {
        Bench bench = new Bench(spec()).begin();
        look(bench);
        bench.later(Duration.ofSeconds(29)).spawned();
        bench.fires(TimerKind.READY);
        bench.later(Duration.ofSeconds(28));
        looksWhenDue(bench);
        assertEquals(ServiceState.RUNNING, bench.state());
        looksUntilItIsEnded(bench);
        assertEquals(Duration.ofSeconds(59), bench.now().mono().since(Bench.BEGIN.mono()));
    }

    @Test
    void the_first_beat_ends_the_grace() {
        Bench bench = starts();
        bench.later(Duration.ofSeconds(2));
        mtime = Optional.of(bench.now().wall());
        looksUntilItIsEnded(bench);
        assertEquals(Bench.BEGIN.wall().plusSeconds(13), bench.now().wall());
        assertEquals(
                "no heartbeat for 10s", bench.service().ending().orElseThrow().reason());
    }

    /** A slow disk delays the looks; that alone is no proof of silence. */
    @Test
    void a_first_look_that_comes_late_ends_nothing() {
        Bench bench = new Bench(spec()).begin().spawned().fires(TimerKind.READY);
        assertFalse(bench.isArmed(TimerKind.HEARTBEAT), "there is nothing to compare with yet");
        bench.later(Duration.ofMinutes(5));
        look(bench);
        assertEquals(ServiceState.RUNNING, bench.state());
        assertEquals(TIMEOUT, bench.until(TimerKind.HEARTBEAT));
    }

    /** The file was looked at in time; only the clock was read late, and beats went on meanwhile. */
    @Test
    void a_look_that_is_held_up_until_after_the_deadline_ends_nothing() {
        Bench bench = starts();
        Instant beatenAt = bench.now().wall();
        Look.Stamp beat = new Look.Stamp(1, beatenAt);
        bench.later(Duration.ofSeconds(1));
        bench.on(new Event.HeartbeatLookedAt(bench.run(), new Look(bench.now(), Optional.of(beat), Optional.empty())));
        MonotonicTime begun = bench.now().mono();
        bench.later(Duration.ofMinutes(5));
        Look late = new Look(begun, bench.now(), Optional.of(beat), Optional.empty());
        bench.on(new Event.HeartbeatLookedAt(bench.run(), late));
        assertEquals(ServiceState.RUNNING, bench.state());
        assertTrue(bench.until(TimerKind.HEARTBEAT).isNegative(), "it is looked at again at once");
        bench.fires(TimerKind.HEARTBEAT);
        bench.on(new Event.HeartbeatLookedAt(bench.run(), new Look(bench.now(), Optional.of(beat), Optional.empty())));
        assertEquals(ServiceState.STOPPING, bench.state());
    }

    @Test
    void a_look_that_is_answered_after_the_end_of_its_run_changes_nothing() {
        Bench bench = starts();
        RunId old = bench.run();
        bench.restart().exits(0).groupEmpty().spawned();
        Service before = bench.service();
        bench.on(new Event.HeartbeatLookedAt(old, new Look(bench.now(), Optional.empty(), Optional.empty())));
        assertEquals(before, bench.service());
        assertEquals("", bench.words());
    }

    @Test
    void a_hung_service_dumps_then_is_stopped_then_killed_then_started_again() {
        Bench bench = starts();
        looksUntilItIsEnded(bench);
        assertEquals("record, tell stopping, look at tree, SIGQUIT to main, arm DUMP 2000ms", bench.words());
        bench.fires(TimerKind.DUMP);
        assertEquals("SIGTERM to group, SIGCONT to group, arm STOP 5000ms", bench.words());
        bench.fires(TimerKind.STOP);
        assertEquals("tell killing, SIGKILL to group, arm STOP 5000ms", bench.words());
        bench.killedBy(Signal.KILL);
        assertEquals("record, clear group, cancel STOP, tell exited", bench.words());
        assertEquals(ServiceState.BACKOFF, bench.state());
        End end = bench.service().history().lastEnd().orElseThrow();
        assertEquals(Cause.HEARTBEAT, end.cause());
        assertEquals(
                "no heartbeat within 30s of its start: /run/beat is not there, or a link that leads nowhere",
                end.reason());
        assertEquals(Optional.of(new ExitStatus.Killed(Signal.KILL, false)), end.status());
        assertEquals(1, bench.service().history().restarts());
        bench.groupEmpty().fires(TimerKind.RESTART);
        assertEquals("look at heartbeat, spawn", bench.words());
    }

    @Test
    void without_a_dump_signal_a_hung_service_is_stopped_at_once() {
        Bench bench = new Bench(spec().stop(StopSequence.DEFAULT)).begin();
        look(bench);
        bench.spawned().fires(TimerKind.READY);
        looksUntilItIsEnded(bench);
        assertEquals("record, tell stopping, SIGTERM to group, SIGCONT to group, arm STOP 10000ms", bench.words());
    }

    @Test
    void the_exit_code_of_a_hung_process_has_no_say() {
        Bench bench = new Bench(spec().successExitCodes(java.util.Set.of(0))
                .giveUpExitCodes(java.util.Set.of(0))
                .restart(io.jsupervise.spec.RestartPolicy.ON_FAILURE));
        bench.begin();
        look(bench);
        bench.spawned();
        looksUntilItIsEnded(bench);
        assertEquals(ServiceState.BACKOFF, bench.exits(0).state(), "exit 0 merely answers our signal");
    }

    /**
     * The kernel dates a change with its last tick, so the first beat of a quick program may bear a time before the order
     * to start it. A first look that comes after that beat cannot tell it from the last one of an earlier run.
     */
    @Test
    void a_first_beat_that_is_dated_before_the_order_is_not_taken_for_silence() {
        Heartbeat seldom = new Heartbeat(Bench.beat(), Duration.ofSeconds(30), Duration.ofSeconds(1));
        Bench bench = new Bench(spec().heartbeat(seldom)).begin().spawned();
        mtime = Optional.of(bench.now().wall().minusMillis(3));
        bench.later(Duration.ofMillis(2));
        look(bench);
        bench.fires(TimerKind.READY);
        while (bench.state() == ServiceState.RUNNING) {
            bench.fires(TimerKind.HEARTBEAT);
            look(bench);
        }
        assertEquals(
                Duration.ofMillis(29_997),
                bench.now().mono().since(Bench.BEGIN.mono()),
                "its next beat was due then; the grace was over after a second");
    }

    // ---- what is driven ----

    private static ServiceSpec.Builder spec() {
        return ServiceSpec.of("web", "x")
                .ready(new Readiness.Delay(Duration.ofSeconds(1)))
                .backoff(new Backoff(Duration.ofSeconds(1), 1, Duration.ofSeconds(1), 0, Duration.ofMinutes(1)))
                .stop(new StopSequence(Signal.TERM, Duration.ofSeconds(5), Optional.of(Signal.QUIT)))
                .heartbeat(new Heartbeat(Bench.beat(), TIMEOUT, GRACE));
    }

    private Bench starts() {
        Bench bench = new Bench(spec()).begin();
        look(bench);
        return bench.spawned().fires(TimerKind.READY);
    }

    private void look(Bench bench) {
        Optional<Look.Stamp> stamp = mtime.map(at -> new Look.Stamp(1, at));
        bench.on(new Event.HeartbeatLookedAt(bench.run(), new Look(bench.now(), stamp, problem)));
    }

    /** Lets the timer fire and answers the look, where the deadline is reached. */
    private boolean looksWhenDue(Bench bench) {
        boolean due = bench.isArmed(TimerKind.HEARTBEAT)
                && bench.until(TimerKind.HEARTBEAT).compareTo(Duration.ZERO) <= 0;
        if (due) {
            bench.fires(TimerKind.HEARTBEAT);
            look(bench);
        }
        return due;
    }

    /** Nothing changes the file any more. */
    private void looksUntilItIsEnded(Bench bench) {
        for (int looks = 0; bench.state() != ServiceState.STOPPING; looks++) {
            assertTrue(looks < 10, "it is never ended");
            bench.fires(TimerKind.HEARTBEAT);
            assertEquals("look at heartbeat", bench.words());
            look(bench);
        }
    }
}
