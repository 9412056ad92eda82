package io.jsupervise.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.jsupervise.spec.Backoff;
import io.jsupervise.spec.Heartbeat;
import io.jsupervise.spec.Readiness;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import io.jsupervise.spec.StopSequence;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What one event does in one situation: the state that follows and the orders, in their order. The service restarts
 * always after exactly 1 s, is ready after 1 s, dumps with QUIT, and has 5 s to stop.
 */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class TransitionsTest {
    @ParameterizedTest(name = "{0}: {1} -> {2}")
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                // situation              | event        | then     | orders
                // (a start from EXITED or FATAL is two steps, and each records: the wish, then that the state is left)
                "never started             | begin        | STARTING | spawn",
                "never started             | start        | STARTING | record, spawn",
                "never started             | stop         | STOPPED  | record",
                "never started             | restart      | STARTING | record, spawn",
                "never started             | shutdown     | STOPPED  | -",
                "stopped by an operator    | begin        | STOPPED  | -",
                "stopped by an operator    | start        | STARTING | record, spawn",
                "stopped by an operator    | stop         | STOPPED  | -",
                "stopped by an operator    | shutdown     | STOPPED  | -",
                "waiting for a slot        | permit       | STARTING | spawn",
                "waiting for a slot        | start        | WAITING  | record",
                "waiting for a slot        | stop         | STOPPED  | record, tell stopped",
                "waiting for a slot        | shutdown     | STOPPED  | record, tell stopped",
                "waiting for its jitter    | START_JITTER | STARTING | spawn",
                "waiting for its jitter    | start        | STARTING | record, cancel START_JITTER, spawn",
                "waiting for its jitter    | stop         | STOPPED  | record, cancel START_JITTER, tell stopped",
                "waiting for its jitter    | shutdown     | STOPPED  | record, cancel START_JITTER, tell stopped",
                "being spawned             | spawned      | STARTING | record, tell started, arm READY 1000ms",
                "being spawned             | cannot spawn | BACKOFF  | record, tell start-failed, arm RESTART 1000ms",
                "being spawned             | start        | STARTING | record",
                "being spawned             | stop         | STOPPING | record, tell stopping",
                "being spawned             | restart      | STOPPING | record, tell stopping",
                "being spawned             | shutdown     | STOPPING | record, tell stopping",
                "stopping while spawning   | cannot spawn | STOPPED  | record, tell stopped",
                "stopping while spawning   | spawned      | STOPPING "
                        + "| record, tell started, SIGTERM to group, SIGCONT to group, arm STOP 5000ms",
                "restarting while spawning | cannot spawn | STARTING | spawn",
                "not ready yet             | READY        | RUNNING  | record, tell ready",
                "not ready yet             | exit 1       | BACKOFF  | record, clear group, cancel READY, tell exited",
                "not ready yet             | stop         | STOPPING "
                        + "| record, cancel READY, tell stopping, SIGTERM to group, SIGCONT to group, arm STOP 5000ms",
                "running                   | start        | RUNNING  | record",
                "running                   | exit 1       | BACKOFF  | record, clear group, tell exited",
                "running                   | stop         | STOPPING "
                        + "| record, tell stopping, SIGTERM to group, SIGCONT to group, arm STOP 5000ms",
                "running                   | restart      | STOPPING "
                        + "| record, tell stopping, SIGTERM to group, SIGCONT to group, arm STOP 5000ms",
                "running                   | shutdown     | STOPPING "
                        + "| record, tell stopping, SIGTERM to group, SIGCONT to group, arm STOP 5000ms",
                "its group remains         | group gone   | BACKOFF  | arm RESTART 1000ms",
                "its group remains         | group stays  | BACKOFF  | arm GROUP 1ms",
                "its group remains         | start        | WAITING  | record, tell waiting",
                "its group remains         | stop         | STOPPING | record, tell stopping",
                "its group remains         | shutdown     | STOPPING | record, tell stopping",
                "backing off               | RESTART      | STARTING | spawn",
                "backing off               | start        | STARTING | record, cancel RESTART, spawn",
                "backing off               | restart      | STARTING | record, cancel RESTART, spawn",
                "backing off               | stop         | STOPPED  | record, cancel RESTART, tell stopped",
                "backing off               | shutdown     | STOPPED  | record, cancel RESTART, tell stopped",
                "stopping                  | stop         | STOPPING | -",
                "stopping                  | start        | STOPPING | record",
                "stopping                  | exit 0       | STOPPING | record, clear group, cancel STOP, tell exited",
                "stopping                  | STOP         | STOPPING "
                        + "| tell killing, SIGKILL to group, arm STOP 5000ms",
                "stopping                  | shutdown     | STOPPING | -",
                "stopping                  | hurry        | STOPPING | SIGKILL to group, arm STOP 5000ms",
                "killed, but still there   | STOP         | STOPPING "
                        + "| tell killing, SIGKILL to group, arm STOP 5000ms",
                "stopped but for its group | group gone   | STOPPED  | record, tell stopped",
                "stopped but for its group | group stays  | STOPPING | arm GROUP 1ms",
                "stopped but for its group | start        | STOPPING | record",
                "stopped but for its group | hurry        | STOPPING | -",
                "restarting                | exit 0       | STOPPING | record, clear group, cancel STOP, tell exited",
                "restarting                | stop         | STOPPING | record",
                "restarting                | shutdown     | STOPPING | -",
                "restarted but for group   | group gone   | STARTING | spawn",
                "restarted but for group   | stop         | STOPPING | record",
                "hanging, asked to dump    | DUMP         | STOPPING "
                        + "| SIGTERM to group, SIGCONT to group, arm STOP 5000ms",
                "hanging, asked to dump    | exit 0       | BACKOFF  | record, clear group, cancel DUMP, tell exited",
                "hanging, asked to dump    | stop         | STOPPING | record",
                "hanging, asked to dump    | hurry        | STOPPING | cancel DUMP, SIGKILL to group, arm STOP 5000ms",
                "exited for good           | begin        | EXITED   | -",
                "exited for good           | start        | STARTING | record, record, spawn",
                "exited for good           | restart      | STARTING | record, record, spawn",
                "exited for good           | stop         | STOPPED  | record, tell stopped",
                "exited for good           | shutdown     | EXITED   | -",
                "given up                  | begin        | FATAL    | -",
                "given up                  | start        | STARTING | record, record, spawn",
                "given up                  | stop         | STOPPED  | record, tell stopped",
                "given up                  | shutdown     | FATAL    | -",
            })
    void one_event_does_this(String situation, String event, ServiceState then, String orders) {
        Bench bench = happens(in(situation), event);
        assertEquals(then, bench.state());
        assertEquals(orders == null ? "" : orders, bench.words());
        assertEquals(Optional.empty(), bench.complaint());
    }

    /** What cannot happen changes nothing and is told. */
    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource(
            delimiter = '|',
            value = {
                "stopped by an operator    | permit",
                "stopped by an operator    | postpone",
                "running                   | permit",
                "running                   | postpone",
                "running                   | spawned",
                "running                   | cannot spawn",
                "being spawned             | exit 1",
                "being spawned             | permit",
                "its group remains         | permit",
                "stopping                  | permit",
                "stopped but for its group | permit",
            })
    void what_cannot_happen_changes_nothing(String situation, String event) {
        Bench bench = in(situation);
        Service before = bench.service();
        happens(bench, event);
        assertEquals(before, bench.service());
        assertEquals("", bench.words());
        String told = bench.complaint().orElseThrow();
        assertEquals(true, told.endsWith(" in " + before.state()), told);
    }

    @Test
    void a_start_during_a_stop_brings_it_up_again_when_it_is_down() {
        Bench bench = in("stopping").start().exits(0).groupEmpty();
        assertEquals(ServiceState.STARTING, bench.state());
        assertEquals(
                Cause.OPERATOR,
                bench.service().history().lastEnd().orElseThrow().cause());
    }

    @Test
    void the_last_word_of_an_operator_counts() {
        Bench bench = in("running").restart().stop().start().stop().exits(0).groupEmpty();
        assertEquals(ServiceState.STOPPED, bench.state());
        assertEquals(Wanted.DOWN, bench.service().wanted());
    }

    @Test
    void stop_during_backoff_never_spawns() {
        Bench bench = in("backing off").stop();
        Service stopped = bench.service();
        for (long generation = 0; generation < 10; generation++) {
            bench.on(new Event.TimerFired(TimerKind.RESTART, generation));
            assertEquals("", bench.words());
            assertEquals(stopped, bench.service());
        }
    }

    @Test
    void a_shutdown_during_a_restart_leads_down_but_keeps_the_wish() {
        Bench bench = in("restarting").shutdown().exits(0).groupEmpty();
        assertEquals(ServiceState.STOPPED, bench.state());
        assertEquals(Wanted.UP, bench.service().wanted());
        assertEquals(
                Cause.SHUTDOWN,
                bench.service().history().lastEnd().orElseThrow().cause());
    }

    @Test
    void a_slot_that_is_taken_is_waited_for_and_then_used() {
        Bench bench = in("waiting for a slot");
        assertEquals(List.of("a start slot"), bench.service().waitingFor());
        bench.permitted();
        assertEquals(List.of(), bench.service().waitingFor());
        assertEquals(ServiceState.STARTING, bench.state());
    }

    // ---- situations, each reached by driving ----

    private static Bench in(String situation) {
        Bench bench = new Bench(spec());
        return switch (situation) {
            case "never started" -> bench;
            case "stopped by an operator" -> bench.stop();
            case "waiting for a slot" -> waitingForSlot(bench);
            case "waiting for its jitter" -> new Bench(spec().startJitter(Duration.ofSeconds(3))).begin();
            case "being spawned" -> bench.begin();
            case "stopping while spawning" -> bench.begin().stop();
            case "restarting while spawning" -> bench.begin().restart();
            case "not ready yet" -> bench.begin().spawned();
            case "running" -> bench.running();
            case "its group remains" -> bench.running().exits(1);
            case "backing off" -> bench.running().exits(1).groupEmpty();
            case "stopping" -> bench.running().stop();
            case "killed, but still there" -> bench.running().stop().fires(TimerKind.STOP);
            case "stopped but for its group" -> bench.running().stop().exits(0);
            case "restarting" -> bench.running().restart();
            case "restarted but for group" -> bench.running().restart().exits(0);
            case "hanging, asked to dump" -> hanging();
            case "exited for good" -> exited();
            case "given up" -> givenUp();
            default -> throw new AssertionError(situation);
        };
    }

    private static ServiceSpec.Builder spec() {
        return ServiceSpec.of("web", "x")
                .ready(new Readiness.Delay(Duration.ofSeconds(1)))
                .backoff(new Backoff(Duration.ofSeconds(1), 1, Duration.ofSeconds(1), 0, Duration.ofMinutes(1)))
                .stop(new StopSequence(Signal.TERM, Duration.ofSeconds(5), Optional.of(Signal.QUIT)));
    }

    private static Bench waitingForSlot(Bench bench) {
        bench.slotFree = false;
        return bench.begin();
    }

    private static Bench hanging() {
        Heartbeat heartbeat = new Heartbeat(Bench.beat(), Duration.ofSeconds(10), Duration.ofSeconds(10));
        Bench bench = new Bench(spec().heartbeat(heartbeat))
                .begin()
                .looked(Optional.empty())
                .spawned();
        return bench.fires(TimerKind.READY).later(Duration.ofSeconds(9)).looked(Optional.empty());
    }

    private static Bench exited() {
        return new Bench(spec().restart(io.jsupervise.spec.RestartPolicy.NEVER))
                .running()
                .exits(0)
                .groupEmpty();
    }

    private static Bench givenUp() {
        return new Bench(spec().giveUpExitCodes(java.util.Set.of(3)))
                .running()
                .exits(3)
                .groupEmpty();
    }

    private static Bench happens(Bench bench, String event) {
        return switch (event) {
            case "begin" -> bench.begin();
            case "start" -> bench.start();
            case "stop" -> bench.stop();
            case "restart" -> bench.restart();
            case "shutdown" -> bench.shutdown();
            case "hurry" -> bench.hurry();
            case "permit" -> bench.permitted();
            case "postpone" -> bench.on(new Event.StartPostponed("a start slot"));
            case "spawned" -> bench.spawned();
            case "cannot spawn" -> bench.spawnFails();
            case "exit 0" -> bench.exits(0);
            case "exit 1" -> bench.exits(1);
            case "group gone" -> bench.groupEmpty();
            case "group stays" -> bench.groupRemains();
            default -> bench.fires(TimerKind.valueOf(event));
        };
    }
}
