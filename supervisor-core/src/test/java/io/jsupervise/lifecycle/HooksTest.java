package io.jsupervise.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.spec.Backoff;
import io.jsupervise.spec.Command;
import io.jsupervise.spec.Heartbeat;
import io.jsupervise.spec.HookKind;
import io.jsupervise.spec.Hooks;
import io.jsupervise.spec.Hooks.Hook;
import io.jsupervise.spec.RestartPolicy;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What runs around a service, in which order, and what follows where it fails or hangs. */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class HooksTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(20);

    private static Optional<Hook> hook(boolean has, String program) {
        return has ? Optional.of(new Hook(Command.of(program), TIMEOUT)) : Optional.empty();
    }

    private static ServiceSpec.Builder service(HookKind... kinds) {
        List<HookKind> all = List.of(kinds);
        return ServiceSpec.of("web", "x")
                .hooks(new Hooks(
                        hook(all.contains(HookKind.PRE_START), "pre"),
                        hook(all.contains(HookKind.POST_START), "post"),
                        hook(all.contains(HookKind.STOP_COMMAND), "stop"),
                        hook(all.contains(HookKind.POST_STOP), "after")));
    }

    private static Bench bench(HookKind... kinds) {
        return new Bench(service(kinds));
    }

    /** What the hook that was ordered last is told. */
    private static Map<String, String> variables(Bench bench) {
        for (Effect effect : bench.orders()) {
            if (effect instanceof Effect.Spawn spawn && spawn.hook().isPresent()) {
                return spawn.hook().get().variables();
            }
        }
        throw new AssertionError("no hook is ordered: " + bench.words());
    }

    // ---- pre_start ----

    @Test
    void pre_start_comes_before_the_process() {
        Bench bench = bench(HookKind.PRE_START).begin();
        assertEquals("record, spawn pre_start, arm HOOK 20000ms", bench.words());
        assertEquals(Map.of("JSUPERVISE_HOOK", "pre_start"), variables(bench));
        assertEquals("record, tell hook-started", bench.hookSpawned().words());
        assertEquals(ServiceState.STARTING, bench.state());
        assertEquals("record, cancel HOOK, clear group", bench.hookExits(0).words());
        assertEquals("record, tell hook-done, spawn", bench.hookGroupEmpty().words());
        bench.spawned().fires(TimerKind.READY);
        assertEquals(ServiceState.RUNNING, bench.state());
    }

    @Test
    void a_pre_start_that_fails_is_a_start_that_failed() {
        Bench bench =
                bench(HookKind.PRE_START).begin().hookSpawned().hookExits(3).hookGroupEmpty();
        assertEquals("record, tell hook-failed, tell start-failed, arm RESTART 500ms", jitterless(bench));
        assertEquals(ServiceState.BACKOFF, bench.state());
        End end = bench.service().history().lastEnd().orElseThrow();
        assertEquals(Cause.PRE_START, end.cause());
        assertEquals("pre_start: exit 3", end.reason());
        assertEquals(
                "record, spawn pre_start, arm HOOK 20000ms",
                bench.fires(TimerKind.RESTART).words());
    }

    private static String jitterless(Bench bench) {
        return bench.words().replaceAll("RESTART \\d+ms", "RESTART 500ms");
    }

    @Test
    void a_pre_start_that_cannot_be_spawned_fails() {
        Bench bench = new Bench(service(HookKind.PRE_START).restart(RestartPolicy.NEVER)).begin();
        bench.on(new Event.SpawnFailed(bench.hook().id(), "/bin/pre: ENOENT"));
        assertEquals(ServiceState.FATAL, bench.state());
        assertEquals(
                "cannot start: pre_start: /bin/pre: ENOENT",
                bench.service().fatalReason().orElseThrow());
    }

    @Test
    void a_pre_start_that_cannot_be_spawned_is_not_tried_again_at_once_whatever_the_backoff() {
        Backoff none = new Backoff(Duration.ZERO, 1, Duration.ZERO, 0, Duration.ofMinutes(1));
        Bench bench = new Bench(service(HookKind.PRE_START).backoff(none)).begin();
        bench.on(new Event.SpawnFailed(bench.hook().id(), "/bin/pre: ENOENT"));
        assertEquals(ServiceState.BACKOFF, bench.state());
        assertEquals(
                Optional.of(Duration.ofMillis(10)),
                bench.service().history().lastEnd().orElseThrow().delay());
    }

    @Test
    void a_pre_start_that_hangs_is_killed_with_its_group() {
        Bench bench = bench(HookKind.PRE_START).begin().hookSpawned();
        assertEquals(
                "record, SIGKILL to group, arm HOOK 5000ms",
                bench.fires(TimerKind.HOOK).words());
        assertEquals(
                "SIGKILL to group, arm HOOK 5000ms", bench.fires(TimerKind.HOOK).words());
        bench.hookKilled().hookGroupEmpty();
        assertEquals(ServiceState.BACKOFF, bench.state());
        assertEquals(
                "pre_start: not done within 20s, so it was killed",
                bench.service().history().lastEnd().orElseThrow().reason());
    }

    @Test
    void the_time_of_a_hook_begins_with_its_process() {
        Bench bench =
                bench(HookKind.PRE_START).begin().later(Duration.ofSeconds(15)).hookSpawned();
        assertEquals("record, tell hook-started, arm HOOK 20000ms", bench.words());
        assertEquals(
                "record, SIGKILL to group, arm HOOK 5000ms",
                bench.fires(TimerKind.HOOK).words());
    }

    @Test
    void a_hook_whose_process_is_not_made_in_its_time_is_killed_when_it_is() {
        Bench bench = bench(HookKind.PRE_START).begin().fires(TimerKind.HOOK);
        assertEquals("record, arm HOOK 5000ms", bench.words());
        assertEquals(
                "record, tell hook-started, SIGKILL to group, arm HOOK 5000ms",
                bench.hookSpawned().words());
    }

    @Test
    void what_a_hook_leaves_behind_is_killed_before_anything_else() {
        Bench bench =
                bench(HookKind.PRE_START).begin().hookSpawned().hookExits(0).hookGroupRemains();
        assertEquals("record, arm HOOK 1ms", bench.words());
        assertEquals("clear group", bench.fires(TimerKind.HOOK).words());
        assertEquals("record, tell hook-done, spawn", bench.hookGroupEmpty().words());
    }

    @Test
    void a_stop_ends_a_pre_start_and_nothing_is_spawned() {
        Bench bench = bench(HookKind.PRE_START, HookKind.POST_STOP)
                .begin()
                .hookSpawned()
                .stop();
        assertEquals("record, tell stopping, SIGKILL to group, arm HOOK 5000ms", bench.words());
        bench.hookKilled().hookGroupEmpty();
        assertTrue(bench.words().contains("spawn post_stop"), bench.words());
        assertEquals(ServiceState.STOPPING, bench.state());
        bench.hookSpawned().hookExits(0).hookGroupEmpty();
        assertEquals(ServiceState.STOPPED, bench.state());
    }

    @Test
    void a_stop_before_the_hook_is_spawned_kills_it_when_it_is() {
        Bench bench = bench(HookKind.PRE_START).begin().stop();
        assertEquals("record, tell stopping, arm HOOK 5000ms", bench.words());
        assertEquals(
                "record, tell hook-started, SIGKILL to group, arm HOOK 5000ms",
                bench.hookSpawned().words());
        bench.hookKilled().hookGroupEmpty();
        assertEquals(ServiceState.STOPPED, bench.state());
    }

    // ---- post_start ----

    @Test
    void a_service_is_ready_after_its_post_start() {
        Bench bench = bench(HookKind.POST_START).begin().spawned();
        assertEquals("record, tell started, spawn post_start, arm HOOK 20000ms", bench.words());
        assertEquals("post_start", variables(bench).get("JSUPERVISE_HOOK"));
        assertEquals("101", variables(bench).get("JSUPERVISE_PID"));
        assertFalse(bench.isArmed(TimerKind.READY));
        bench.hookSpawned().hookExits(0);
        assertEquals(
                "record, tell hook-done, arm READY 1000ms",
                bench.hookGroupEmpty().words());
        assertEquals(ServiceState.RUNNING, bench.fires(TimerKind.READY).state());
        assertTrue(bench.service().hooks().isIdle());
    }

    @Test
    void a_post_start_that_fails_ends_the_run_as_failed() {
        Bench bench = bench(HookKind.POST_START)
                .begin()
                .spawned()
                .hookSpawned()
                .hookExits(1)
                .hookGroupEmpty();
        assertEquals(ServiceState.STOPPING, bench.state());
        assertTrue(bench.words().contains("SIGTERM to group"), bench.words());
        bench.exits(0);
        assertEquals(ServiceState.BACKOFF, bench.state());
        assertEquals(
                Cause.POST_START,
                bench.service().history().lastEnd().orElseThrow().cause());
        assertEquals(1, bench.service().history().restarts());
    }

    @Test
    void a_process_that_ends_takes_its_post_start_along() {
        Bench bench = bench(HookKind.POST_START).begin().spawned().hookSpawned().exits(1);
        assertEquals(ServiceState.BACKOFF, bench.state());
        assertTrue(bench.words().contains("SIGKILL to group"), bench.words());
        bench.groupEmpty();
        assertFalse(bench.isArmed(TimerKind.RESTART), "it waits for the end of its hook");
        bench.hookKilled().hookGroupEmpty();
        assertTrue(bench.isArmed(TimerKind.RESTART));
    }

    // ---- stop_command ----

    @Test
    void stop_command_takes_the_place_of_the_signal() {
        Bench bench = bench(HookKind.STOP_COMMAND).running().stop();
        assertEquals("record, tell stopping, look at tree, spawn stop_command, arm HOOK 20000ms", bench.words());
        assertEquals("101", variables(bench).get("JSUPERVISE_PID"));
        bench.hookSpawned().exits(0).groupEmpty();
        assertEquals(ServiceState.STOPPING, bench.state());
        bench.hookExits(0).hookGroupEmpty();
        assertEquals(ServiceState.STOPPED, bench.state());
    }

    @Test
    void after_a_stop_command_that_succeeded_the_service_has_the_rest_of_its_time() {
        Bench bench = bench(HookKind.STOP_COMMAND).running().stop().hookSpawned();
        bench.later(Duration.ofSeconds(5)).hookExits(0);
        assertEquals(
                "record, tell hook-done, arm HOOK 15000ms",
                bench.hookGroupEmpty().words());
        assertEquals(
                "SIGTERM to group, SIGCONT to group, arm STOP 10000ms",
                bench.fires(TimerKind.HOOK).words());
        assertEquals(
                "tell killing, SIGKILL to group, arm STOP 5000ms",
                bench.fires(TimerKind.STOP).words());
    }

    @Test
    void after_a_stop_command_that_failed_the_signal_follows_at_once() {
        Bench bench =
                bench(HookKind.STOP_COMMAND).running().stop().hookSpawned().hookExits(1);
        assertEquals(
                "record, tell hook-failed, SIGTERM to group, SIGCONT to group, arm STOP 10000ms",
                bench.hookGroupEmpty().words());
    }

    @Test
    void after_a_stop_command_that_hangs_the_signal_follows() {
        Bench bench = bench(HookKind.STOP_COMMAND).running().stop().hookSpawned();
        bench.fires(TimerKind.HOOK).hookKilled();
        assertTrue(bench.hookGroupEmpty().words().contains("SIGTERM to group"), bench.words());
    }

    @Test
    void a_hang_is_ended_without_stop_command() {
        Heartbeat heartbeat = new Heartbeat(Bench.beat(), Duration.ofSeconds(5), Duration.ofSeconds(5));
        Bench bench = new Bench(service(HookKind.STOP_COMMAND).heartbeat(heartbeat)).running();
        bench.beaten().fires(TimerKind.HEARTBEAT).looked(Optional.empty());
        assertEquals(ServiceState.STOPPING, bench.state());
        assertTrue(bench.words().contains("SIGTERM to group"), bench.words());
    }

    @Test
    void a_stop_during_post_start_ends_that_first() {
        Bench bench = bench(HookKind.POST_START, HookKind.STOP_COMMAND)
                .begin()
                .spawned()
                .hookSpawned()
                .stop();
        assertEquals("record, tell stopping, SIGKILL to group, arm HOOK 5000ms", bench.words());
        bench.hookKilled().hookGroupEmpty();
        assertTrue(bench.words().contains("spawn stop_command"), bench.words());
        bench.hookSpawned().exits(0).groupEmpty().hookExits(0).hookGroupEmpty();
        assertEquals(ServiceState.STOPPED, bench.state());
    }

    @Test
    void a_hurry_kills_hook_and_process() {
        Bench bench =
                bench(HookKind.STOP_COMMAND).running().shutdown().hookSpawned().hurry();
        assertEquals("record, SIGKILL to group, arm HOOK 5000ms, SIGKILL to group, arm STOP 5000ms", bench.words());
        bench.exits(0).groupEmpty().hookKilled().hookGroupEmpty();
        assertEquals(ServiceState.STOPPED, bench.state());
    }

    // ---- post_stop ----

    @Test
    void post_stop_comes_when_nothing_is_left_and_before_the_next_start() {
        Bench bench = bench(HookKind.POST_STOP).running().exits(7);
        assertEquals(ServiceState.BACKOFF, bench.state());
        assertEquals(
                "record, spawn post_stop, arm HOOK 20000ms", bench.groupEmpty().words());
        assertEquals(
                Map.of("JSUPERVISE_HOOK", "post_stop", "JSUPERVISE_CAUSE", "exit", "JSUPERVISE_EXIT_CODE", "7"),
                variables(bench));
        assertFalse(bench.isArmed(TimerKind.RESTART));
        bench.hookSpawned().hookExits(0).hookGroupEmpty();
        assertTrue(bench.isArmed(TimerKind.RESTART));
        assertTrue(bench.service().hooks().isIdle());
    }

    @Test
    void a_post_stop_that_fails_is_told_and_changes_nothing() {
        Bench bench = bench(HookKind.POST_STOP).running().killedBy(Signal.SEGV).groupEmpty();
        assertEquals("SIGSEGV", variables(bench).get("JSUPERVISE_EXIT_SIGNAL"));
        bench.hookSpawned().hookExits(1).hookGroupEmpty();
        assertTrue(bench.words().contains("tell hook-failed"), bench.words());
        assertTrue(bench.isArmed(TimerKind.RESTART));
    }

    @Test
    void a_stop_is_done_when_post_stop_is() {
        Bench bench = bench(HookKind.POST_STOP).running().stop().exits(0).groupEmpty();
        assertEquals(ServiceState.STOPPING, bench.state());
        bench.hookSpawned().hookExits(0).hookGroupEmpty();
        assertEquals(ServiceState.STOPPED, bench.state());
    }

    @Test
    void a_start_waits_for_post_stop() {
        Bench bench = new Bench(service(HookKind.POST_STOP).restart(RestartPolicy.NEVER)).running();
        bench.exits(0).groupEmpty().hookSpawned();
        assertEquals(ServiceState.EXITED, bench.state());
        assertFalse(bench.service().isCleared());
        bench.start();
        assertEquals(ServiceState.WAITING, bench.state());
        assertEquals(List.of("its post_stop hook"), bench.service().waitingFor());
        bench.hookExits(0);
        assertTrue(bench.hookGroupEmpty().words().contains("spawn"), bench.words());
        assertEquals(ServiceState.STARTING, bench.state());
    }

    @Test
    void a_process_that_cannot_be_spawned_is_followed_by_post_stop_too() {
        Bench bench = bench(HookKind.POST_STOP).begin().spawnFails();
        assertTrue(bench.words().contains("spawn post_stop"), bench.words());
        assertEquals("start-failed", variables(bench).get("JSUPERVISE_CAUSE"));
        bench.hookSpawned().hookExits(0).hookGroupEmpty();
        assertTrue(bench.isArmed(TimerKind.RESTART));
    }

    // ---- after a crash of the supervisor ----

    @Test
    void a_post_stop_that_was_due_when_the_supervisor_died_runs_first() {
        Service stopped = Bench.fresh(service(HookKind.POST_STOP).build())
                .with(new HookState(
                        Optional.empty(), Optional.of(new HookState.Due(HookKind.POST_STOP, new RunId("old-1")))));
        Bench bench = new Bench(stopped).begin();
        assertTrue(bench.words().contains("spawn post_stop"), bench.words());
        assertEquals(ServiceState.WAITING, bench.state());
        bench.hookSpawned().hookExits(0).hookGroupEmpty();
        assertEquals(ServiceState.STARTING, bench.state());
    }

    @Test
    void a_stop_command_that_an_earlier_supervisor_left_is_gone_before_it_runs_again() {
        RunId hook = new RunId("old-1").ofHook(HookKind.STOP_COMMAND);
        Service left = Bench.recorded(
                        service(HookKind.STOP_COMMAND).build(),
                        ServiceState.STOPPING,
                        Optional.of(new Service.Ending(Cause.OPERATOR, "stopped by an operator")),
                        Wanted.DOWN)
                .with(new Service.Grave(hook, Bench.BEGIN.mono(), 0));
        Bench bench = new Bench(left).begin().on(new Event.GroupLookedAt(hook, false));
        bench.on(new Event.LeftoverFound(new RunId("old-1"), Bench.process(99)));
        assertFalse(bench.words().contains("spawn"), bench.words());
        bench.fires(TimerKind.GROUP).on(new Event.GroupLookedAt(hook, true));
        assertTrue(bench.words().contains("spawn stop_command"), bench.words());
    }

    @Test
    void a_post_start_that_an_earlier_supervisor_left_is_gone_before_it_runs_again() {
        RunId run = new RunId("old-1");
        RunId hook = run.ofHook(HookKind.POST_START);
        Service left = Bench.recorded(
                        service(HookKind.POST_START).build(), ServiceState.STARTING, Optional.empty(), Wanted.UP)
                .with(new HookState(Optional.empty(), Optional.of(new HookState.Due(HookKind.POST_START, run))))
                .with(new Service.Grave(hook, Bench.BEGIN.mono(), 0));
        Bench bench = new Bench(left).begin().on(new Event.GroupLookedAt(hook, false));
        bench.on(new Event.LeftoverFound(run, Bench.process(99)));
        assertFalse(bench.words().contains("spawn"), bench.words());
        bench.fires(TimerKind.GROUP).on(new Event.GroupLookedAt(hook, true));
        assertTrue(bench.words().contains("spawn post_start"), bench.words());
    }

    @Test
    void a_process_that_ends_beside_a_hook_of_an_earlier_supervisor_is_buried_after_that() {
        RunId run = new RunId("old-1");
        RunId hook = run.ofHook(HookKind.POST_START);
        Service left = Bench.recorded(
                        service(HookKind.POST_START, HookKind.POST_STOP).build(),
                        ServiceState.STARTING,
                        Optional.empty(),
                        Wanted.UP)
                .with(new Service.Grave(hook, Bench.BEGIN.mono(), 0));
        Bench bench = new Bench(left).begin().on(new Event.GroupLookedAt(hook, false));
        bench.on(new Event.ChildExited(run, new ExitStatus.Exited(1)));
        assertFalse(bench.words().contains("spawn"), bench.words());
        bench.fires(TimerKind.GROUP).on(new Event.GroupLookedAt(hook, true));
        assertTrue(bench.words().contains("clear group"), bench.words());
        bench.on(new Event.GroupLookedAt(run, true));
        assertTrue(bench.words().contains("spawn post_stop"), bench.words());
    }

    @Test
    void a_post_start_that_was_due_when_the_supervisor_died_runs_again() {
        Service left = Bench.recorded(
                        service(HookKind.POST_START).build(), ServiceState.STARTING, Optional.empty(), Wanted.UP)
                .with(new HookState(
                        Optional.empty(), Optional.of(new HookState.Due(HookKind.POST_START, new RunId("old-1")))));
        Bench bench = new Bench(left).begin().on(new Event.LeftoverFound(new RunId("old-1"), Bench.process(99)));
        assertTrue(bench.words().contains("spawn post_start"), bench.words());
        bench.hookSpawned().hookExits(0).hookGroupEmpty().fires(TimerKind.READY);
        assertEquals(ServiceState.RUNNING, bench.state());
    }
}
