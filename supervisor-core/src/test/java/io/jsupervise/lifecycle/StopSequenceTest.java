package io.jsupervise.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Service.Ending;
import io.jsupervise.spec.Backoff;
import io.jsupervise.spec.KillMode;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import io.jsupervise.spec.StopSequence;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How a process is ended, what happens to the rest of its group, and to what an earlier supervisor left. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class StopSequenceTest {
    @ParameterizedTest(name = "{0} with {1} ms: {2}")
    @CsvSource(
            delimiter = '|',
            value = {
                "TERM | 10000 | record, tell stopping, SIGTERM to group, SIGCONT to group, arm STOP 10000ms",
                "INT  |   250 | record, tell stopping, SIGINT to group, SIGCONT to group, arm STOP 250ms",
                "TERM |     0 | record, tell stopping, SIGTERM to group, SIGCONT to group, arm STOP 0ms",
                "KILL |  1000 | record, tell stopping, SIGKILL to group, arm STOP 1000ms",
            })
    void a_stop_asks_politely_and_wakes_what_is_frozen(String signal, long timeoutMs, String orders) {
        StopSequence stop = new StopSequence(
                Signal.parse(signal).orElseThrow(), Duration.ofMillis(timeoutMs), Optional.of(Signal.QUIT));
        assertEquals(orders, new Bench(spec().stop(stop)).running().stop().words());
    }

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource(
            delimiter = '|',
            value = {
                "TREE    | SIGTERM to group, SIGCONT to group",
                "MIXED   | look at tree, SIGTERM to main, SIGCONT to main",
                "PROCESS | SIGTERM to main, SIGCONT to main",
            })
    void who_is_not_asked_but_will_be_killed_is_looked_at_before_the_main_process_is_asked(
            KillMode mode, String orders) {
        Bench bench = new Bench(spec().stop(StopSequence.DEFAULT.with(mode)))
                .running()
                .stop();
        assertEquals("record, tell stopping, " + orders + ", arm STOP 10000ms", bench.words());
    }

    @Test
    void what_does_not_end_in_time_is_killed_again_and_again() {
        Bench bench = new Bench(spec()).running().stop();
        for (int i = 0; i < 20; i++) {
            bench.fires(TimerKind.STOP);
            assertEquals("tell killing, SIGKILL to group, arm STOP 5000ms", bench.words());
        }
        assertEquals(
                ServiceState.STOPPED, bench.killedBy(Signal.KILL).groupEmpty().state());
    }

    @Test
    void a_second_stop_does_not_begin_the_patience_anew() {
        Bench bench =
                new Bench(spec()).running().stop().later(Duration.ofSeconds(6)).stop();
        assertEquals("", bench.words());
        assertEquals(Duration.ofSeconds(4), bench.until(TimerKind.STOP));
    }

    @Test
    void nothing_starts_before_the_group_is_gone() {
        Bench bench = new Bench(spec()).running().exits(1);
        List<Long> waits = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            bench.groupRemains();
            waits.add(bench.until(TimerKind.GROUP).toMillis());
            bench.fires(TimerKind.GROUP);
            assertEquals("clear group", bench.words());
        }
        assertEquals(List.of(1L, 2L, 4L, 8L, 16L, 32L, 64L, 128L, 128L, 128L), waits);
        bench.later(Duration.ofSeconds(1)).groupEmpty();
        assertEquals(ServiceState.STARTING, bench.state(), "its backoff is over by now");
    }

    @Test
    void an_operators_start_waits_for_the_group_too() {
        Bench bench = new Bench(spec()).running().exits(1).start();
        assertEquals(ServiceState.WAITING, bench.state());
        assertEquals(
                List.of("the rest of its process group to end"), bench.service().waitingFor());
        assertEquals("spawn", bench.groupEmpty().words());
    }

    @Test
    void a_group_that_survives_every_kill_is_told_of_and_no_longer_waited_for() {
        Bench bench = new Bench(spec()).running().exits(1);
        bench.groupRemains().later(Lifecycle.GROUP_PATIENCE).groupRemains();
        assertEquals("tell group-remains, cancel GROUP, spawn", bench.words());
        assertEquals(ServiceState.STARTING, bench.state());
    }

    @Test
    void a_stop_is_complete_only_when_the_group_is_gone() {
        Bench bench = new Bench(spec()).running().stop().exits(0);
        assertEquals(ServiceState.STOPPING, bench.state());
        bench.groupRemains().fires(TimerKind.GROUP);
        assertEquals(ServiceState.STOPPING, bench.state());
        assertEquals(ServiceState.STOPPED, bench.groupEmpty().state());
    }

    @Test
    void the_group_of_a_service_that_is_given_up_is_cleared_as_well() {
        Bench bench =
                new Bench(spec().giveUpExitCodes(java.util.Set.of(3))).running().exits(3);
        assertEquals(ServiceState.FATAL, bench.state());
        assertTrue(bench.service().grave().isPresent());
        bench.groupRemains().fires(TimerKind.GROUP);
        assertEquals("clear group", bench.words());
        bench.groupEmpty();
        assertTrue(bench.service().grave().isEmpty());
    }

    // ---- what an earlier supervisor left ----

    @ParameterizedTest(name = "recorded as {0}, {1}, wanted {2}: {3}, cause {4}")
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                // state  | ending    | wanted | in the end | cause     | restarts
                "STOPPING | OPERATOR  | DOWN   | STOPPED    | OPERATOR  | 0",
                "STOPPING | OPERATOR  | UP     | STARTING   | OPERATOR  | 0",
                "STOPPING | HEARTBEAT | UP     | BACKOFF    | HEARTBEAT | 1",
                "STOPPING | HEARTBEAT | DOWN   | STOPPED    | HEARTBEAT | 0",
                "STOPPING | TAKEOVER  | UP     | STARTING   | TAKEOVER  | 0",
                "STOPPING | TAKEOVER  | DOWN   | STOPPED    | TAKEOVER  | 0",
            })
    void a_stop_that_a_supervisor_had_begun_is_brought_to_its_end_by_the_next(
            ServiceState state, Cause ending, Wanted wanted, ServiceState then, Cause cause, long restarts) {
        Bench bench = left(state, ending, wanted).begin();
        assertEquals("", bench.words());
        bench.on(new Event.LeftoverFound(new RunId("old-1"), Bench.process(99)));
        assertEquals(ServiceState.STOPPING, bench.state());
        assertTrue(bench.words().contains("SIGTERM to group, SIGCONT to group, arm STOP"), bench.words());
        assertTrue(!bench.words().contains("spawn"), bench.words());
        bench.exits(0).groupEmpty();
        assertEquals(then, bench.state());
        assertEquals(cause, bench.service().history().lastEnd().orElseThrow().cause());
        assertEquals(restarts, bench.service().history().restarts());
    }

    @ParameterizedTest(name = "recorded as {0}, wanted {2}: {3}")
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "STARTING | -         | UP   | BACKOFF  | UNSUPERVISED | 1",
                "RUNNING  | -         | UP   | BACKOFF  | UNSUPERVISED | 1",
                "STOPPING | OPERATOR  | DOWN | STOPPED  | OPERATOR     | 0",
                "STOPPING | OPERATOR  | UP   | STARTING | OPERATOR     | 0",
                "STOPPING | HEARTBEAT | UP   | BACKOFF  | HEARTBEAT    | 1",
                "STOPPING | TAKEOVER  | UP   | STARTING | TAKEOVER     | 0",
            })
    void a_process_that_ended_while_nobody_watched_is_judged_by_what_is_known(
            ServiceState state, Cause ending, Wanted wanted, ServiceState then, Cause cause, long restarts) {
        Bench bench = left(state, ending, wanted)
                .begin()
                .ended(new ExitStatus.Unknown())
                .groupEmpty();
        assertEquals(then, bench.state());
        assertEquals(cause, bench.service().history().lastEnd().orElseThrow().cause());
        assertEquals(restarts, bench.service().history().restarts());
    }

    @Test
    void only_the_recorded_process_is_taken_for_a_leftover() {
        Bench bench = left(ServiceState.RUNNING, null, Wanted.UP).begin();
        Service before = bench.service();
        bench.on(new Event.LeftoverFound(new RunId("old-1"), Bench.process(100)));
        assertTrue(bench.complaint().isPresent());
        bench.on(new Event.LeftoverFound(new RunId("old-2"), Bench.process(99)));
        assertTrue(bench.complaint().isPresent());
        assertEquals(before, bench.service());
    }

    @Test
    void a_leftover_that_ignores_the_polite_request_is_killed() {
        Bench bench = left(ServiceState.STOPPING, Cause.OPERATOR, Wanted.DOWN).begin();
        bench.on(new Event.LeftoverFound(new RunId("old-1"), Bench.process(99))).fires(TimerKind.STOP);
        assertEquals("tell killing, SIGKILL to group, arm STOP 5000ms", bench.words());
    }

    @Test
    void a_takeover_of_a_herd_is_spread_by_the_start_jitter() {
        ServiceSpec spec = spec().startJitter(Duration.ofSeconds(10)).build();
        Optional<Ending> takeover = Optional.of(new Ending(Cause.TAKEOVER, "a shutdown was not finished"));
        Bench bench = new Bench(Bench.recorded(spec, ServiceState.STOPPING, takeover, Wanted.UP)).begin();
        bench.on(new Event.LeftoverFound(new RunId("old-1"), Bench.process(99)))
                .exits(0)
                .groupEmpty();
        assertEquals(ServiceState.WAITING, bench.state());
        assertTrue(bench.isArmed(TimerKind.START_JITTER));
    }

    private static Bench left(ServiceState state, Cause cause, Wanted wanted) {
        Optional<Ending> ending = Optional.ofNullable(cause).map(why -> new Ending(why, "an earlier supervisor's"));
        return new Bench(Bench.recorded(spec().build(), state, ending, wanted));
    }

    private static ServiceSpec.Builder spec() {
        return ServiceSpec.of("web", "x")
                .backoff(new Backoff(Duration.ofSeconds(1), 1, Duration.ofSeconds(1), 0, Duration.ofMinutes(1)));
    }
}
