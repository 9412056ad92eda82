package io.jsupervise.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.spec.Backoff;
import io.jsupervise.spec.Check;
import io.jsupervise.spec.Command;
import io.jsupervise.spec.Escalation;
import io.jsupervise.spec.HealthSpec;
import io.jsupervise.spec.Heartbeat;
import io.jsupervise.spec.HookKind;
import io.jsupervise.spec.Hooks;
import io.jsupervise.spec.Probe;
import io.jsupervise.spec.Readiness;
import io.jsupervise.spec.RestartIntensity;
import io.jsupervise.spec.Rung;
import io.jsupervise.spec.ServiceSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** When a restart counts as one in vain, and what follows when too many were. */
@Timeout(60)
class LadderTest {
    private static final Duration STABLE = Duration.ofSeconds(10);
    private static final Hooks.Hook FIX = new Hooks.Hook(Command.of("/bin/fix", "it"), Duration.ofSeconds(20));
    private static final Rung DEPENDENTS = new Rung.RestartDependents();
    private static final Rung RUN = new Rung.Run(FIX);
    private static final Rung SHUTDOWN = new Rung.Shutdown();
    private static final Rung REBOOT = new Rung.Reboot();

    private static ServiceSpec.Builder service(int count, Rung... ladder) {
        return ServiceSpec.of("web", "/bin/web")
                .backoff(new Backoff(Duration.ofMillis(100), 2, Duration.ofSeconds(5), 0, Duration.ofHours(1)))
                .startLimit(new RestartIntensity(count, Duration.ofHours(1)))
                .escalation(new Escalation(STABLE, List.of(ladder)));
    }

    /** Through BACKOFF, whatever is done there, to the next run. */
    private static Bench again(Bench bench) {
        bench.groupEmpty();
        if (bench.service().history().climb().due().isPresent()) {
            act(bench);
        }
        bench.fires(TimerKind.RESTART).spawned();
        return bench.state() == ServiceState.RUNNING ? bench : bench.fires(TimerKind.READY);
    }

    private static void act(Bench bench) {
        if (bench.service().hooks().runs(HookKind.ESCALATE)) {
            bench.hookSpawned().hookExits(0).hookGroupEmpty();
        } else {
            bench.on(new Event.RungTaken(bench.service().history().climb().due().orElseThrow()));
        }
    }

    /** What is told of the ladder, and states that it leads to. */
    private static String walk(Bench bench, int ends) {
        List<String> way = new ArrayList<>();
        for (int i = 0; i < ends && bench.state() == ServiceState.RUNNING; i++) {
            bench.exits(1);
            if (bench.state() == ServiceState.FATAL) {
                way.add("FATAL");
                break;
            }
            bench.groupEmpty();
            String action = told(bench, "escalating").map(Map::toString).orElse("");
            if (!action.isEmpty()) {
                way.add((String) told(bench, "escalating").orElseThrow().get("action"));
                if (way.get(way.size() - 1).equals("shutdown")) {
                    break;
                }
                act(bench);
            } else {
                way.add("again");
            }
            bench.fires(TimerKind.RESTART).spawned().fires(TimerKind.READY);
        }
        return String.join(" ", way);
    }

    private static Optional<Map<String, Object>> told(Bench bench, String event) {
        for (Effect effect : bench.orders()) {
            if (effect instanceof Effect.Announce announce && announce.event().equals(event)) {
                return Optional.of(announce.details());
            }
        }
        return Optional.empty();
    }

    // ---- what counts ----

    @ParameterizedTest(name = "each run ready for {0} s: given up after {1} restarts")
    @CsvSource({"0, 2", "9, 2", "10, -1", "11, -1", "100, -1"})
    void only_restarts_in_vain_count(long seconds, int restarts) {
        Bench bench = new Bench(service(2)).running();
        for (int i = 0; i < 10 && bench.state() == ServiceState.RUNNING; i++) {
            bench.later(Duration.ofSeconds(seconds)).exits(1);
            if (bench.state() == ServiceState.BACKOFF) {
                again(bench);
            }
        }
        assertEquals(restarts < 0 ? ServiceState.RUNNING : ServiceState.FATAL, bench.state());
        assertEquals(restarts < 0 ? 10 : restarts, bench.service().history().restarts());
    }

    @Test
    void one_that_works_now_and_then_is_found_out_all_the_same() {
        Bench bench = new Bench(service(3)).running();
        for (long seconds : new long[] {0, 60, 0, 60, 60, 0}) {
            assertEquals(
                    ServiceState.BACKOFF,
                    bench.later(Duration.ofSeconds(seconds)).exits(1).state());
            again(bench);
        }
        assertEquals(ServiceState.FATAL, bench.exits(1).state(), "the third restart in vain, within the hour");
    }

    @Test
    void a_start_that_never_becomes_ready_is_in_vain_however_long_it_takes() {
        Bench bench = new Bench(service(1).ready(new Readiness.Notified()).startTimeout(Duration.ofMinutes(5)));
        bench.begin().spawned().fires(TimerKind.START_TIMEOUT);
        bench.on(new Event.HeardOut(bench.run(), bench.now().mono(), Optional.empty()));
        bench.exits(0).groupEmpty().fires(TimerKind.RESTART).spawned().fires(TimerKind.START_TIMEOUT);
        bench.on(new Event.HeardOut(bench.run(), bench.now().mono(), Optional.empty()));
        assertEquals(ServiceState.FATAL, bench.exits(0).state());
    }

    static Stream<Arguments> hangs() {
        Heartbeat beat = new Heartbeat(Bench.beat(), Duration.ofSeconds(30), Duration.ofSeconds(90));
        Check check = new Check(
                "c",
                new Probe.Tcp("localhost", 1),
                Duration.ofSeconds(10),
                Duration.ofSeconds(5),
                3,
                Duration.ofSeconds(20));
        return Stream.of(
                Arguments.of(service(1), Duration.ZERO),
                Arguments.of(service(1).heartbeat(beat), Duration.ofSeconds(90)),
                Arguments.of(
                        service(1).health(new HealthSpec(Optional.of(Duration.ofSeconds(40)), List.of())),
                        Duration.ofSeconds(40)),
                Arguments.of(
                        service(1).health(new HealthSpec(Optional.empty(), List.of(check))), Duration.ofSeconds(65)));
    }

    /** A hang that takes longer to be noticed than a service has to be stable would otherwise look like health. */
    @ParameterizedTest
    @MethodSource("hangs")
    void what_can_hang_unnoticed_for_long_has_to_be_stable_for_longer(ServiceSpec.Builder spec, Duration longest) {
        assertEquals(longest, spec.build().longestHang());
    }

    @Test
    void one_that_hangs_from_its_start_on_is_restarted_in_vain() {
        Heartbeat beat = new Heartbeat(Bench.beat(), Duration.ofSeconds(30), Duration.ofSeconds(90));
        Bench bench = new Bench(service(1).heartbeat(beat));
        bench.begin().spawned().looked(Optional.empty()).fires(TimerKind.READY);
        for (int i = 0; i < 2; i++) {
            assertEquals(ServiceState.RUNNING, bench.state(), "run " + i);
            while (bench.state() == ServiceState.RUNNING) {
                bench.fires(TimerKind.HEARTBEAT).looked(Optional.empty());
            }
            assertEquals(ServiceState.STOPPING, bench.state());
            bench.exits(0);
            if (i == 0) {
                bench.groupEmpty()
                        .fires(TimerKind.RESTART)
                        .spawned()
                        .looked(Optional.empty())
                        .fires(TimerKind.READY);
            }
        }
        assertEquals(ServiceState.FATAL, bench.state());
    }

    // ---- the way up ----

    static Stream<Arguments> ladders() {
        return Stream.of(
                Arguments.of(2, List.of(), "again again FATAL"),
                Arguments.of(0, List.of(), "FATAL"),
                Arguments.of(2, List.of(DEPENDENTS), "again again restart-dependents again FATAL"),
                Arguments.of(1, List.of(RUN), "again run FATAL"),
                Arguments.of(0, List.of(RUN, RUN), "run run FATAL"),
                Arguments.of(
                        3,
                        List.of(DEPENDENTS, RUN, SHUTDOWN),
                        "again again again restart-dependents again again run again again shutdown"),
                Arguments.of(1, List.of(RUN, REBOOT), "again run FATAL"),
                Arguments.of(1, List.of(REBOOT), "again FATAL"));
    }

    @ParameterizedTest(name = "{0} restarts, then {1}: {2}")
    @MethodSource("ladders")
    void each_rung_grants_a_fresh_start_limit_and_beyond_the_last_it_is_given_up(
            int count, List<Rung> ladder, String way) {
        Bench bench = new Bench(service(count, ladder.toArray(new Rung[0]))).running();
        assertEquals(way, walk(bench, 100));
    }

    @Test
    void the_rung_is_recorded_with_the_end_that_it_follows_and_done_when_nothing_is_left_of_the_run() {
        Bench bench = new Bench(service(0, DEPENDENTS)).running();
        RunId run = bench.run();
        bench.exits(1);
        assertEquals(
                new Climb(1, "start_limit allows no restart; last: exit 1", Optional.of(run)),
                ((Effect.Persist) bench.orders().get(0)).record().history().climb());
        assertFalse(bench.words().contains("escalate"), bench.words());
        bench.groupEmpty();
        assertEquals(
                "tell escalating, escalate restart-dependents", bench.words().replace("record, ", ""));
        assertEquals(
                "{rung=1, rungs=1, action=restart-dependents, reason=start_limit allows no restart; last: exit 1}",
                told(bench, "escalating").orElseThrow().toString());
        assertFalse(bench.isArmed(TimerKind.RESTART), "not before it is done");
        bench.on(new Event.RungTaken(run));
        assertTrue(bench.words().startsWith("record, arm RESTART"), bench.words());
        assertEquals(Optional.empty(), bench.service().history().climb().due());
    }

    @Test
    void the_command_of_a_rung_runs_after_post_stop_and_is_told_why() {
        Hooks hooks = new Hooks(Optional.empty(), Optional.empty(), Optional.empty(), Optional.of(FIX));
        Bench bench = new Bench(service(0, RUN).hooks(hooks)).running();
        bench.exits(3).groupEmpty();
        assertEquals(HookKind.POST_STOP, bench.hook().kind());
        bench.hookSpawned().hookExits(0).hookGroupEmpty();
        assertEquals(HookKind.ESCALATE, bench.hook().kind());
        Effect.Spawn spawn = (Effect.Spawn) bench.orders().stream()
                .filter(Effect.Spawn.class::isInstance)
                .findFirst()
                .orElseThrow();
        HookCall call = spawn.hook().orElseThrow();
        assertEquals(FIX.command(), call.command());
        assertEquals(
                "{JSUPERVISE_HOOK=escalate, JSUPERVISE_RUNG=1,"
                        + " JSUPERVISE_REASON=start_limit allows no restart; last: exit 3, JSUPERVISE_CAUSE=exit,"
                        + " JSUPERVISE_EXIT_CODE=3}",
                call.variables().toString());
        bench.hookSpawned().hookExits(0);
        assertFalse(bench.isArmed(TimerKind.RESTART));
        assertTrue(bench.hookGroupEmpty().isArmed(TimerKind.RESTART));
    }

    @Test
    void a_command_that_fails_or_takes_too_long_keeps_nobody_from_the_next_start() {
        Bench failing =
                new Bench(service(0, RUN)).running().exits(1).groupEmpty().hookSpawned();
        assertTrue(failing.hookExits(1).hookGroupEmpty().isArmed(TimerKind.RESTART));
        Bench slow = new Bench(service(0, RUN)).running().exits(1).groupEmpty().hookSpawned();
        slow.fires(TimerKind.HOOK);
        assertTrue(slow.words().contains("SIGKILL to group"), slow.words());
        assertEquals(ServiceState.STARTING, slow.hookKilled().hookGroupEmpty().state());
        Bench missing = new Bench(service(0, RUN)).running().exits(1).groupEmpty();
        missing.on(new Event.SpawnFailed(missing.hook().id(), "ENOENT"));
        assertTrue(missing.isArmed(TimerKind.RESTART));
    }

    @Test
    void what_has_shown_that_it_works_begins_at_the_first_rung_again() {
        Bench bench = new Bench(service(0, DEPENDENTS, RUN)).running().exits(1);
        again(bench);
        assertEquals(1, bench.service().history().climb().taken());
        assertEquals(STABLE, bench.until(TimerKind.VERIFY));
        bench.fires(TimerKind.VERIFY);
        assertEquals("record, tell verified", bench.words());
        assertEquals(Climb.FOOT, bench.service().history().climb());
        bench.exits(1).groupEmpty();
        assertEquals(
                "restart-dependents", told(bench, "escalating").orElseThrow().get("action"));
    }

    @Test
    void what_ends_before_it_has_shown_that_it_works_goes_on_with_the_next_rung() {
        Bench bench = new Bench(service(0, DEPENDENTS, RUN)).running().exits(1);
        again(bench).later(STABLE.minusMillis(1)).exits(1).groupEmpty();
        assertFalse(bench.isArmed(TimerKind.VERIFY));
        assertEquals("run", told(bench, "escalating").orElseThrow().get("action"));
    }

    @Test
    void one_that_a_supervisor_takes_over_goes_on_showing_that_it_works() {
        Draft draft = new Draft(
                Bench.recorded(service(0, DEPENDENTS).build(), ServiceState.RUNNING, Optional.empty(), Wanted.UP));
        draft.history = History.EMPTY.climbed("in vain", Optional.empty());
        draft.run = Optional.of(draft.run.orElseThrow().ready(Bench.BEGIN.mono()));
        Bench bench = new Bench(draft.toService()).later(Duration.ofSeconds(4));
        bench.on(new Event.LeftoverFound(bench.run(), Bench.process(99)));
        assertEquals(Duration.ofSeconds(6), bench.until(TimerKind.VERIFY));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0 | start_limit allows no restart; last: exit 1",
                "1 | start_limit allows no restart; last: exit 1; nor did the rung of its ladder",
                "2 | start_limit allows no restart; last: exit 1; nor did the 2 rungs of its ladder",
            })
    void the_reason_tells_how_far_it_went(int rungs, String reason) {
        Rung[] ladder = new Rung[rungs];
        java.util.Arrays.fill(ladder, DEPENDENTS);
        Bench bench = new Bench(service(0, ladder)).running();
        walk(bench, 10);
        // Of the restart that each rung brings with it, the last one counts as well.
        String told = bench.service().fatalReason().orElseThrow();
        assertEquals(reason, told);
    }

    @Test
    void a_reboot_is_asked_for_by_giving_up() {
        Bench bench = new Bench(service(0, REBOOT)).running().exits(1);
        assertEquals(ServiceState.FATAL, bench.state());
        assertEquals(
                Optional.of("start_limit allows no restart; last: exit 1; its ladder ends with a reboot"),
                bench.service().fatalReason());
        assertTrue(bench.words().endsWith("tell gave-up, tell escalating, escalate reboot"), bench.words());
        assertEquals(1, bench.service().history().climb().taken());
    }

    @Test
    void an_exit_code_to_give_up_on_takes_the_next_rung_at_once() {
        Bench bench = new Bench(service(5, DEPENDENTS).giveUpExitCodes(Set.of(9)))
                .running()
                .exits(9);
        assertEquals(ServiceState.BACKOFF, bench.state());
        assertEquals(1, bench.service().history().climb().taken());
        assertEquals(ServiceState.FATAL, again(bench).exits(9).state());
    }

    // ---- who has a say ----

    @Test
    void an_operator_who_takes_over_ends_the_climb() {
        Bench bench = new Bench(service(0, RUN)).running().exits(1).groupEmpty().hookSpawned();
        bench.start();
        assertTrue(bench.words().contains("SIGKILL to group"), bench.words());
        assertEquals(ServiceState.WAITING, bench.state());
        assertEquals(
                List.of("the command of its ladder to end"), bench.service().waitingFor());
        assertEquals(Climb.FOOT, bench.service().history().climb());
        assertEquals(ServiceState.STARTING, bench.hookKilled().hookGroupEmpty().state());
        Bench other = new Bench(service(0, DEPENDENTS)).running().exits(1).groupEmpty();
        RunId due = other.service().history().climb().due().orElseThrow();
        other.stop();
        assertEquals(ServiceState.STOPPED, other.state());
        other.on(new Event.RungTaken(due));
        assertEquals(ServiceState.STOPPED, other.state());
        assertEquals("", other.words());
    }

    @Test
    void what_a_shutdown_keeps_from_being_done_is_taken_back() {
        Bench bench = new Bench(service(0, DEPENDENTS, RUN)).running().exits(1).groupEmpty();
        assertEquals(1, bench.service().history().climb().taken());
        bench.shutdown();
        assertEquals(Climb.FOOT, bench.service().history().climb());
        assertEquals(0, bench.service().history().restarts());
    }

    @Test
    void the_shutdown_that_its_ladder_asked_for_is_remembered_as_such() {
        Bench bench = new Bench(service(0, SHUTDOWN)).running().exits(1).groupEmpty();
        assertEquals("tell escalating, escalate shutdown", bench.words());
        bench.shutdown();
        assertEquals(ServiceState.STOPPED, bench.state());
        assertEquals(1, bench.service().history().climb().taken());
        assertTrue(bench.service().history().climb().due().isPresent());
    }

    // ---- over a crash of the supervisor ----

    private static Service climbing(Rung rung, ServiceState state) {
        Draft draft = new Draft(Bench.fresh(service(0, rung).build()));
        draft.history =
                new History(1, 1, List.of(), List.of(), true, new Climb(1, "why", Optional.of(new RunId("old"))));
        draft.state = state;
        if (state == ServiceState.BACKOFF) {
            draft.next = Optional.of(new Service.NextStart(
                    Bench.BEGIN.mono().plus(Duration.ofSeconds(1)), Bench.BEGIN.wall(), Duration.ofSeconds(1)));
        }
        return draft.toService();
    }

    @Test
    void what_was_due_when_a_supervisor_died_is_done_by_the_next_which_says_so() {
        for (Rung rung : List.of(DEPENDENTS, RUN, SHUTDOWN)) {
            Bench bench = new Bench(climbing(rung, ServiceState.BACKOFF)).begin();
            assertEquals(true, told(bench, "escalating").orElseThrow().get("again"), rung.word());
            assertFalse(bench.isArmed(TimerKind.RESTART), rung.word());
        }
    }

    @Test
    void a_shutdown_that_was_cut_short_is_brought_to_its_end_before_anything_starts() {
        Bench bench = new Bench(climbing(SHUTDOWN, ServiceState.STOPPED)).begin();
        assertEquals(ServiceState.STOPPED, bench.state());
        assertTrue(bench.words().endsWith("escalate shutdown"), bench.words());
    }

    @Test
    void a_shutdown_that_the_services_file_no_longer_knows_is_due_no_more_when_its_service_starts() {
        Draft draft = new Draft(climbing(SHUTDOWN, ServiceState.STOPPED));
        draft.spec = service(3, RUN).build();
        Bench bench = new Bench(draft.toService()).begin();
        assertEquals(Optional.empty(), bench.service().history().climb().due());
        assertEquals(Optional.empty(), told(bench, "escalating"));
    }

    @Test
    void a_rung_that_the_services_file_no_longer_knows_is_left_out() {
        Draft draft = new Draft(climbing(RUN, ServiceState.BACKOFF));
        draft.spec = service(0).build();
        Bench bench = new Bench(draft.toService()).begin();
        assertTrue(bench.isArmed(TimerKind.RESTART));
        assertEquals(Optional.empty(), told(bench, "escalating"));
    }
}
