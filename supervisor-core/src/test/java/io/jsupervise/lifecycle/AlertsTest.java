package io.jsupervise.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.spec.Backoff;
import io.jsupervise.spec.Command;
import io.jsupervise.spec.Escalation;
import io.jsupervise.spec.HookKind;
import io.jsupervise.spec.Hooks;
import io.jsupervise.spec.Hooks.Hook;
import io.jsupervise.spec.RestartIntensity;
import io.jsupervise.spec.RestartPolicy;
import io.jsupervise.spec.Rung;
import io.jsupervise.spec.ServiceSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who is told of a service that fails, that is given up, and that is well again; how often; and that nothing waits for it. */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class AlertsTest {
    private static final Backoff BACKOFF =
            new Backoff(Duration.ofSeconds(1), 1, Duration.ofSeconds(1), 0, Duration.ofMinutes(1));

    /** Of the alerts that were run, in order: which, and how many failures each told of. */
    private final List<String> told = new ArrayList<>();

    private static ServiceSpec.Builder service() {
        Optional<Hook> hook = Optional.of(new Hook(Command.of("x"), Duration.ofSeconds(20)));
        return ServiceSpec.of("web", "x").backoff(BACKOFF).hooks(Hooks.NONE.telling(hook, hook, hook));
    }

    private static Bench bench() {
        return new Bench(service());
    }

    private static Alerts alerts(Bench bench) {
        return bench.service().hooks().alerts();
    }

    private static HookState.Hook running(Bench bench) {
        return alerts(bench).running().orElseThrow();
    }

    private static Map<String, String> variables(Bench bench) {
        for (Effect effect : bench.orders()) {
            if (effect instanceof Effect.Spawn spawn && spawn.hook().isPresent()) {
                return spawn.hook().get().variables();
            }
        }
        throw new AssertionError("no hook is ordered: " + bench.words());
    }

    /** All that is due runs, and succeeds at once. */
    private Bench tell(Bench bench) {
        while (alerts(bench).running().isPresent()) {
            HookState.Hook hook = running(bench);
            told.add(hook.kind().word() + " " + alerts(bench).due().get(0).failures());
            bench.on(new Event.Spawned(hook.id(), Bench.process(500), "root", List.of()));
            bench.on(new Event.ChildExited(hook.id(), new ExitStatus.Exited(0)));
            bench.on(new Event.GroupLookedAt(hook.id(), true));
        }
        return bench;
    }

    /** It fails, is started again, and is ready. */
    private Bench fails(Bench bench) {
        tell(bench.exits(1).groupEmpty());
        return tell(bench.fires(TimerKind.RESTART).spawned().fires(TimerKind.READY));
    }

    /** One that has failed as often as is told at once. */
    private Bench flaps() {
        Bench bench = bench().running();
        for (int i = 0; i < AlertSteps.AT_ONCE; i++) {
            fails(bench);
        }
        assertEquals(AlertSteps.AT_ONCE, told.size());
        told.clear();
        return bench;
    }

    @Test
    void a_first_failure_is_told_at_once_and_the_restart_does_not_wait() {
        Bench bench = bench().running().exits(3);
        assertFalse(bench.words().contains("spawn on_failure"), "its tree is not gone: " + bench.words());
        assertEquals(
                "arm RESTART 1000ms, spawn on_failure, arm ALERT 20000ms",
                bench.groupEmpty().words());
        assertEquals(
                Map.of(
                        "JSUPERVISE_HOOK", "on_failure",
                        "JSUPERVISE_STATE", "BACKOFF",
                        "JSUPERVISE_REASON", "exit 3",
                        "JSUPERVISE_FAILURES", "1",
                        "JSUPERVISE_RESTARTS", "1",
                        "JSUPERVISE_CAUSE", "exit",
                        "JSUPERVISE_EXIT_CODE", "3"),
                variables(bench));
        HookState.Hook hook = running(bench);
        bench.on(new Event.Spawned(hook.id(), Bench.process(500), "root", List.of()));
        assertEquals("tell hook-started", bench.words(), "found by its mark, so it needs no record");
        assertEquals("spawn", bench.fires(TimerKind.RESTART).words().replaceAll("look at heartbeat, ", ""));
        bench.spawned().fires(TimerKind.READY);
        assertEquals(ServiceState.RUNNING, bench.state(), "beside a hook that still runs");
        bench.on(new Event.ChildExited(hook.id(), new ExitStatus.Exited(0)));
        assertEquals("cancel ALERT, clear group", bench.words());
        bench.on(new Event.GroupLookedAt(hook.id(), true));
        assertEquals("record, tell hook-done", bench.words());
        assertEquals(List.of(), alerts(bench).due());
    }

    @Test
    void what_ends_as_it_should_is_no_failure() {
        Bench bench = bench().running().exits(0).groupEmpty();
        assertEquals(Alerts.NONE, alerts(bench));
        bench = bench().running().stop().exits(1).groupEmpty();
        assertEquals(Alerts.NONE, alerts(bench));
        bench = bench().running().shutdown().exits(1).groupEmpty();
        assertEquals(Alerts.NONE, alerts(bench));
    }

    @Test
    void a_service_that_flaps_is_told_of_in_summaries_that_become_rarer() {
        Bench bench = bench().running();
        Duration begun = bench.now().mono().since(Bench.BEGIN.mono());
        List<Long> seconds = new ArrayList<>();
        int before = 0;
        int failures = 0;
        while (bench.now().mono().since(Bench.BEGIN.mono()).minus(begun).compareTo(Duration.ofHours(3)) < 0) {
            fails(bench);
            failures++;
            if (bench.isArmed(TimerKind.ALERT_QUIET)
                    && bench.until(TimerKind.ALERT_QUIET).toMillis() <= 2_000) {
                tell(bench.fires(TimerKind.ALERT_QUIET));
            }
            if (told.size() > before) {
                before = told.size();
                seconds.add(bench.now()
                        .mono()
                        .since(Bench.BEGIN.mono())
                        .minus(begun)
                        .toSeconds());
            }
        }
        assertTrue(failures > 5000, "about one each two seconds: " + failures);
        assertTrue(told.size() < 12 + AlertSteps.AT_ONCE, told.toString());
        assertTrue(told.stream().allMatch(one -> one.startsWith("on_failure ")), told.toString());
        for (int i = 0; i < AlertSteps.AT_ONCE; i++) {
            assertEquals("on_failure 1", told.get(i), "the first ones by themselves");
        }
        assertNotEquals("on_failure 1", told.get(AlertSteps.AT_ONCE));
        int sum = told.stream()
                .mapToInt(one -> Integer.parseInt(one.substring(11)))
                .sum();
        assertEquals(
                failures,
                sum + alerts(bench).untold().map(Alerts.Alert::failures).orElse(0),
                "none is lost");
        for (int i = AlertSteps.AT_ONCE + 1; i < seconds.size(); i++) {
            long now = seconds.get(i) - seconds.get(i - 1);
            long earlier = seconds.get(i - 1) - seconds.get(i - 2);
            assertTrue(now + 4 >= earlier && now <= 3_604, seconds.toString());
        }
    }

    @Test
    void after_a_long_silence_a_failure_is_a_first_one_again() {
        Bench bench = flaps();
        fails(bench);
        assertEquals(List.of(), told, "more than a few in a minute");
        tell(bench.fires(TimerKind.ALERT_QUIET));
        assertEquals(List.of("on_failure 1"), told);
        assertEquals(Duration.ofMinutes(2), alerts(bench).quiet().orElseThrow().length());
        fails(bench.later(Duration.ofMinutes(4)));
        assertEquals(List.of("on_failure 1", "on_failure 1"), told);
        assertEquals(AlertSteps.FIRST_QUIET, alerts(bench).quiet().orElseThrow().length());
    }

    @Test
    void being_given_up_is_told_once_with_the_failures_before_it() {
        Bench bench = new Bench(service().startLimit(new RestartIntensity(2, Duration.ofMinutes(5)))).running();
        fails(bench);
        fails(bench);
        bench.exits(1).groupEmpty();
        assertEquals(ServiceState.FATAL, bench.state());
        tell(bench);
        assertEquals(List.of("on_failure 1", "on_failure 1", "on_failure 1", "on_give_up 3"), told);
        assertEquals(List.of(), alerts(bench).due());
        assertFalse(bench.isArmed(TimerKind.ALERT_QUIET));
    }

    @Test
    void the_first_rung_is_told_with_the_failures_before_it() {
        for (Rung rung : List.of(new Rung.RestartGroup(), new Rung.Reboot())) {
            told.clear();
            Bench bench = new Bench(service()
                            .startLimit(new RestartIntensity(2, Duration.ofMinutes(5)))
                            .escalation(new Escalation(Duration.ofSeconds(10), List.of(rung))))
                    .running();
            fails(bench);
            fails(bench);
            tell(bench.exits(1).groupEmpty());
            assertTrue(told.contains("on_give_up 3"), told.toString());
        }
    }

    @Test
    void a_ladder_is_told_of_once() {
        for (List<Rung> ladder : List.of(
                List.<Rung>of(new Rung.RestartDependents(), new Rung.RestartGroup()),
                List.<Rung>of(new Rung.Reboot()))) {
            told.clear();
            Bench bench = new Bench(service()
                            .startLimit(new RestartIntensity(0, Duration.ofMinutes(5)))
                            .escalation(new Escalation(Duration.ofSeconds(10), ladder)))
                    .running();
            while (bench.state() != ServiceState.FATAL) {
                tell(bench.exits(1).groupEmpty());
                if (bench.state() == ServiceState.BACKOFF) {
                    bench.on(new Event.RungTaken(
                            bench.service().history().climb().due().orElseThrow()));
                    bench.fires(TimerKind.RESTART).spawned().fires(TimerKind.READY);
                }
            }
            long giveUps =
                    told.stream().filter(one -> one.startsWith("on_give_up")).count();
            assertEquals(1, giveUps, told.toString());
            assertTrue(
                    told.get(told.size() - 1).startsWith(ladder.size() == 1 ? "on_give_up" : "on_failure"),
                    told.toString());
        }
    }

    @Test
    void being_given_up_for_too_many_good_ends_is_told_as_well() {
        Bench bench = new Bench(service().startLimit(new RestartIntensity(0, Duration.ofMinutes(5)))).running();
        tell(bench.exits(0).groupEmpty());
        assertEquals(ServiceState.FATAL, bench.state());
        assertEquals(List.of("on_give_up 1"), told);
        tell(bench.start().spawned().fires(TimerKind.READY).fires(TimerKind.STABLE));
        assertEquals(List.of("on_give_up 1", "on_recovered 0"), told);
    }

    @Test
    void what_is_told_of_a_give_up_says_why() {
        Bench bench = new Bench(service().giveUpExitCodes(java.util.Set.of(78))).running();
        bench.exits(78).groupEmpty();
        bench.on(new Event.SpawnFailed(running(bench).id(), "/bin/x: ENOENT"));
        assertEquals("on_give_up", variables(bench).get("JSUPERVISE_HOOK"), "a hook that fails is told, and no more");
        assertEquals(
                "exit 78 is one of its give_up_exit_codes", variables(bench).get("JSUPERVISE_REASON"));
        assertEquals("FATAL", variables(bench).get("JSUPERVISE_STATE"));
    }

    @Test
    void a_start_that_fails_is_told_beside_the_wait_for_the_next() {
        Bench bench = bench().begin().spawnFails();
        assertTrue(bench.words().contains("spawn on_failure"), bench.words());
        assertEquals("start-failed", variables(bench).get("JSUPERVISE_CAUSE"));
        bench.fires(TimerKind.RESTART).spawned();
        assertEquals(ServiceState.STARTING, bench.state());
    }

    @Test
    void recovery_is_told_once_when_it_has_been_ready_for_a_while() {
        Bench bench = fails(bench().running());
        assertTrue(bench.isArmed(TimerKind.STABLE));
        bench.fires(TimerKind.STABLE);
        assertEquals("ready for 10s", variables(bench).get("JSUPERVISE_REASON"));
        tell(bench);
        assertEquals(List.of("on_failure 1", "on_recovered 0"), told);
        tell(bench.stop().exits(0).groupEmpty().start().spawned().fires(TimerKind.READY));
        assertFalse(bench.isArmed(TimerKind.STABLE), "it is well already");
    }

    @Test
    void one_that_does_not_stay_ready_has_not_recovered() {
        Bench bench = fails(bench().running()).later(Duration.ofSeconds(9));
        fails(bench);
        assertEquals(List.of("on_failure 1", "on_failure 1"), told);
        assertEquals(Duration.ofSeconds(10), bench.until(TimerKind.STABLE));
    }

    @Test
    void recovery_is_not_told_before_the_failures_are() {
        Bench bench = flaps();
        fails(bench);
        tell(bench.fires(TimerKind.STABLE));
        assertEquals(List.of(), told);
        tell(bench.fires(TimerKind.ALERT_QUIET));
        assertEquals(List.of("on_failure 1", "on_recovered 0"), told);
    }

    @Test
    void a_oneshot_has_recovered_when_it_succeeds() {
        Bench bench = new Bench(service().oneshot().restart(RestartPolicy.ON_FAILURE))
                .begin()
                .spawned();
        tell(bench.exits(1).groupEmpty());
        tell(bench.fires(TimerKind.RESTART).spawned().exits(0).groupEmpty());
        assertEquals(ServiceState.EXITED, bench.state());
        assertEquals(List.of("on_failure 1", "on_recovered 0"), told);
    }

    @Test
    void a_hook_that_hangs_is_killed_and_the_next_one_runs() {
        Bench bench = new Bench(service().giveUpExitCodes(java.util.Set.of(1)))
                .running()
                .exits(1)
                .groupEmpty();
        HookState.Hook first = running(bench);
        bench.on(new Event.Spawned(first.id(), Bench.process(500), "root", List.of()));
        assertEquals(
                "SIGKILL to group, arm ALERT 5000ms",
                bench.fires(TimerKind.ALERT).words());
        bench.on(new Event.ChildExited(first.id(), new ExitStatus.Killed(io.jsupervise.spec.Signal.KILL, false)));
        bench.on(new Event.GroupLookedAt(first.id(), true));
        assertTrue(bench.words().contains("tell hook-failed, spawn on_give_up"), bench.words());
    }

    @Test
    void what_was_not_told_is_told_by_the_next_supervisor() {
        Bench bench = new Bench(service().giveUpExitCodes(java.util.Set.of(1)))
                .running()
                .exits(1);
        Service left = bench.service();
        Alerts recorded = left.hooks().alerts().withoutProcess();
        assertEquals(2, recorded.due().size(), "from the record of the end on");
        Service next = Bench.fresh(left.spec()).with(left.hooks().with(recorded));
        Bench after = new Bench(next).begin();
        assertTrue(after.words().contains("spawn on_failure"), after.words());
        tell(after);
        assertEquals(List.of("on_failure 1", "on_give_up 1"), told);
    }

    @Test
    void failures_that_were_counted_are_told_by_the_next_supervisor_in_their_time_or_at_once_in_another_boot() {
        Bench bench = flaps();
        fails(bench);
        Alerts counted = alerts(bench).withoutProcess();
        Bench after = new Bench(Bench.fresh(bench.service().spec()).with(HookState.NONE.with(counted))).begin();
        assertTrue(after.isArmed(TimerKind.ALERT_QUIET));
        Alerts elsewhere = counted.ofAnotherBoot();
        after = new Bench(Bench.fresh(bench.service().spec()).with(HookState.NONE.with(elsewhere))).begin();
        assertTrue(after.words().contains("spawn on_failure"), after.words());
    }

    @Test
    void a_hook_that_the_file_names_no_more_is_not_run() {
        Bench bench = new Bench(service().giveUpExitCodes(java.util.Set.of(1)))
                .running()
                .exits(1);
        bench.on(new Event.SpecChanged(service().hooks(Hooks.NONE).build())).groupEmpty();
        assertFalse(alerts(bench).areUnderWay());
    }

    @Test
    void the_end_of_the_supervisor_waits_for_no_silence_and_a_hurry_kills_what_runs() {
        Bench bench = flaps();
        bench.exits(1).groupEmpty();
        assertTrue(alerts(bench).untold().isPresent());
        bench.shutdown();
        assertTrue(alerts(bench).untold().isEmpty());
        assertFalse(alerts(bench).areUnderWay());
        bench = bench().running().exits(1).groupEmpty();
        bench.on(new Event.Spawned(running(bench).id(), Bench.process(500), "root", List.of()));
        bench.shutdown();
        assertTrue(alerts(bench).areUnderWay());
        assertEquals("SIGKILL to group, arm ALERT 5000ms", bench.hurry().words());
    }

    @Test
    void a_service_without_such_hooks_knows_of_nothing() {
        Bench bench = new Bench(ServiceSpec.of("web", "x").backoff(BACKOFF)).running();
        bench.exits(1).runsAgain();
        assertTrue(bench.service().hooks() == HookState.NONE);
        assertFalse(bench.isArmed(TimerKind.STABLE));
        assertEquals(8, HookKind.values().length, "each has a place in Hooks.of");
    }
}
