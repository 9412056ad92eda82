package io.jsupervise.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.spec.Backoff;
import io.jsupervise.spec.Readiness;
import io.jsupervise.spec.RestartIntensity;
import io.jsupervise.spec.RestartPolicy;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whether, when and how often a service that ended is started again, and what operators change about that. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class RestartRulesTest {
    /** Success codes are 0 and 7; the codes to give up on are 3 and, to see which is stronger, 7. */
    @ParameterizedTest(name = "{0}: {1} -> {2}")
    @CsvSource(
            delimiter = '|',
            value = {
                "always     | exit 0  | BACKOFF",
                "always     | exit 1  | BACKOFF",
                "always     | exit 3  | FATAL",
                "always     | exit 7  | FATAL",
                "always     | SIGSEGV | BACKOFF",
                "always     | unknown | BACKOFF",
                "always     | spawn   | BACKOFF",
                "on-failure | exit 0  | EXITED",
                "on-failure | exit 1  | BACKOFF",
                "on-failure | exit 3  | FATAL",
                "on-failure | exit 7  | FATAL",
                "on-failure | SIGTERM | BACKOFF",
                "on-failure | unknown | BACKOFF",
                "on-failure | spawn   | BACKOFF",
                "never      | exit 0  | EXITED",
                "never      | exit 1  | EXITED",
                "never      | exit 3  | FATAL",
                "never      | SIGSEGV | EXITED",
                "never      | unknown | EXITED",
                "never      | spawn   | FATAL",
            })
    void the_policy_and_the_exit_decide(String policy, String end, ServiceState then) {
        RestartPolicy restart = RestartPolicy.valueOf(policy.replace('-', '_').toUpperCase(Locale.ROOT));
        ServiceSpec.Builder spec =
                spec().restart(restart).successExitCodes(Set.of(0, 7)).giveUpExitCodes(Set.of(3, 7));
        for (boolean wasReady : new boolean[] {true, false}) {
            Bench bench = new Bench(spec).begin();
            if (!end.equals("spawn")) {
                bench.spawned();
                if (wasReady) {
                    bench.fires(TimerKind.READY);
                }
            }
            ends(bench, end);
            assertEquals(then, bench.state(), "ready: " + wasReady);
            assertEquals(
                    then == ServiceState.FATAL, bench.service().fatalReason().isPresent());
        }
    }

    @Test
    void a_success_code_of_its_own_replaces_zero() {
        ServiceSpec.Builder spec = spec().restart(RestartPolicy.ON_FAILURE).successExitCodes(Set.of(7));
        assertEquals(ServiceState.BACKOFF, new Bench(spec).running().exits(0).state());
        assertEquals(ServiceState.EXITED, new Bench(spec).running().exits(7).state());
    }

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource(
            delimiter = '|',
            value = {
                "exit 3  | exit 3 is one of its give_up_exit_codes",
                "spawn   | cannot start: /bin/web: ENOENT (no such file or directory)",
            })
    void giving_up_says_why(String end, String reason) {
        Bench bench = new Bench(spec().restart(RestartPolicy.NEVER).giveUpExitCodes(Set.of(3))).begin();
        if (!end.equals("spawn")) {
            bench.spawned();
        }
        ends(bench, end);
        assertEquals(Optional.of(reason), bench.service().fatalReason());
    }

    @ParameterizedTest(name = "{0} within {1} s: {2}")
    @CsvSource(
            delimiter = '|',
            value = {
                "2 |    10 | 2 restarts within 10s did not help; last: exit 1",
                "1 |    60 | 1 restart within 1m did not help; last: exit 1",
                "3 |  7200 | 3 restarts within 2h did not help; last: exit 1",
                "0 |    90 | start_limit allows no restart; last: exit 1",
            })
    void beyond_its_start_limit_a_service_is_given_up(int count, long seconds, String reason) {
        Bench bench = new Bench(
                spec().backoff(atOnce()).startLimit(new RestartIntensity(count, Duration.ofSeconds(seconds))));
        bench.running();
        for (int i = 0; i < count; i++) {
            assertEquals(ServiceState.BACKOFF, bench.exits(1).state(), "restart " + i);
            bench.groupEmpty().spawned().fires(TimerKind.READY);
        }
        assertEquals(ServiceState.FATAL, bench.exits(1).state());
        assertEquals(Optional.of(reason), bench.service().fatalReason());
        assertEquals(count, bench.service().history().restarts());
        bench.groupEmpty();
        assertEquals(ServiceState.FATAL, bench.state());
        assertEquals("", bench.words());
    }

    @Test
    void restarts_that_left_the_window_do_not_count() {
        Bench bench = new Bench(spec().backoff(atOnce()).startLimit(new RestartIntensity(2, Duration.ofSeconds(10))));
        bench.running();
        for (int i = 0; i < 20; i++) {
            bench.later(Duration.ofSeconds(5)).exits(1).groupEmpty().spawned().fires(TimerKind.READY);
            assertEquals(ServiceState.RUNNING, bench.state(), "round " + i);
        }
        assertEquals(20, bench.service().history().restarts());
    }

    @Test
    void a_restart_that_had_to_wait_counts_when_it_is_made() {
        Bench bench = new Bench(spec().startLimit(new RestartIntensity(1, Duration.ofSeconds(10))));
        bench.running().exits(1).groupEmpty();
        bench.slotFree = false;
        bench.fires(TimerKind.RESTART);
        assertEquals(ServiceState.WAITING, bench.state());
        bench.later(Duration.ofSeconds(20)).permitted().spawned().fires(TimerKind.READY);
        bench.later(Duration.ofSeconds(5)).exits(1);
        assertEquals(ServiceState.FATAL, bench.state(), "due 26 s ago, but made 6 s ago");
    }

    @Test
    void failed_starts_count_against_the_limit_too() {
        Bench bench = new Bench(spec().startLimit(new RestartIntensity(1, Duration.ofHours(1))));
        bench.begin().spawnFails();
        assertEquals(ServiceState.BACKOFF, bench.state());
        bench.fires(TimerKind.RESTART).spawnFails();
        assertEquals(
                Optional.of("1 restart within 1h did not help; last: /bin/web: ENOENT (no such file or directory)"),
                bench.service().fatalReason());
    }

    @Test
    void the_wait_grows_with_each_failure_and_starts_afresh_after_the_service_was_well() {
        Backoff backoff = new Backoff(Duration.ofSeconds(1), 2, Duration.ofSeconds(6), 0, Duration.ofSeconds(60));
        Bench bench = new Bench(spec().backoff(backoff)).running();
        List<Long> waits = new ArrayList<>();
        for (long well : new long[] {0, 59, 0, 0, 60, 0, 1000, 0}) {
            bench.later(Duration.ofSeconds(well)).exits(1).groupEmpty();
            waits.add(bench.until(TimerKind.RESTART).toSeconds());
            bench.fires(TimerKind.RESTART).spawned().fires(TimerKind.READY);
        }
        assertEquals(List.of(1L, 2L, 4L, 6L, 1L, 2L, 1L, 2L), waits);
    }

    @Test
    void time_before_it_was_ready_does_not_make_it_well() {
        Backoff backoff = new Backoff(Duration.ofSeconds(1), 2, Duration.ofSeconds(6), 0, Duration.ofSeconds(60));
        Bench bench = new Bench(spec().backoff(backoff).ready(new Readiness.Delay(Duration.ofMinutes(10))));
        bench.begin().spawned().exits(1).groupEmpty().fires(TimerKind.RESTART);
        bench.spawned().later(Duration.ofSeconds(599)).exits(1).groupEmpty();
        assertEquals(Duration.ofSeconds(2), bench.until(TimerKind.RESTART));
    }

    @Test
    void the_wait_is_spread_differently_each_time_and_the_same_in_a_replay() {
        assertEquals(tenWaits(1), tenWaits(1));
        assertEquals(10, new HashSet<>(tenWaits(1)).size(), () -> tenWaits(1).toString());
        assertTrue(!tenWaits(1).equals(tenWaits(2)));
        for (long ns : tenWaits(1)) {
            assertTrue(ns >= 500_000_000L && ns <= 1_500_000_000L, ns + " ns");
        }
    }

    private static List<Long> tenWaits(long seed) {
        Backoff backoff = new Backoff(Duration.ofSeconds(1), 1, Duration.ofSeconds(1), 0.5, Duration.ofSeconds(60));
        Service fresh = Bench.fresh(spec().backoff(backoff).build());
        Bench bench = new Bench(Bench.seeded(fresh, seed));
        bench.running();
        List<Long> waits = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            bench.exits(1);
            waits.add(bench.service().next().orElseThrow().delay().toNanos());
            bench.runsAgain();
        }
        return waits;
    }

    @Test
    void start_jitter_spreads_first_starts_and_is_added_to_each_wait() {
        Duration jitter = Duration.ofSeconds(10);
        Bench bench = new Bench(spec().startJitter(jitter)).begin();
        assertEquals(List.of("its start jitter"), bench.service().waitingFor());
        assertTrue(bench.until(TimerKind.START_JITTER).compareTo(jitter) < 0);
        bench.fires(TimerKind.START_JITTER)
                .spawned()
                .fires(TimerKind.READY)
                .exits(1)
                .groupEmpty();
        Duration wait = bench.until(TimerKind.RESTART);
        assertTrue(wait.toMillis() >= 1000 && wait.toMillis() < 11_000, wait.toString());
        assertEquals(ServiceState.STARTING, bench.start().state());
    }

    @Test
    void what_an_operator_does_counts_for_nothing_and_clears_the_backoff() {
        Backoff backoff = new Backoff(Duration.ofSeconds(1), 2, Duration.ofSeconds(60), 0, Duration.ofSeconds(60));
        ServiceSpec.Builder spec = spec().backoff(backoff).startLimit(new RestartIntensity(3, Duration.ofHours(1)));
        Bench bench = new Bench(spec).running().exits(1);
        bench.runsAgain().exits(1);
        bench.runsAgain().exits(1).groupEmpty();
        assertEquals(Duration.ofSeconds(4), bench.until(TimerKind.RESTART));
        assertEquals(3, bench.service().history().restarts());
        bench.start().spawned().fires(TimerKind.READY);
        assertEquals(2, bench.service().history().restarts(), "the restart that was due was not made");
        for (int i = 0; i < 20; i++) {
            bench.restart().exits(0).groupEmpty().spawned().fires(TimerKind.READY);
        }
        assertEquals(2, bench.service().history().restarts());
        bench.exits(1).groupEmpty();
        assertEquals(Duration.ofSeconds(1), bench.until(TimerKind.RESTART));
        assertEquals(3, bench.service().history().restarts());
    }

    @Test
    void an_operator_brings_back_what_was_given_up_with_a_clean_sheet() {
        ServiceSpec.Builder spec = spec().startLimit(new RestartIntensity(1, Duration.ofHours(1)));
        Bench bench = new Bench(spec).running().exits(1);
        bench.runsAgain().exits(1).groupEmpty();
        assertEquals(ServiceState.FATAL, bench.state());
        bench.start().spawned().fires(TimerKind.READY);
        assertEquals(Optional.empty(), bench.service().fatalReason());
        assertEquals(ServiceState.BACKOFF, bench.exits(1).state());
    }

    @Test
    void each_end_is_remembered_with_its_cause_its_exit_and_what_followed() {
        Bench bench = new Bench(spec()).running().later(Duration.ofSeconds(41)).exits(1);
        End end = bench.service().history().lastEnd().orElseThrow();
        assertEquals(
                new End(
                        Bench.BEGIN.wall().plusSeconds(42),
                        Optional.of(new ExitStatus.Exited(1)),
                        Cause.EXIT,
                        "exit 1",
                        Duration.ofSeconds(42),
                        Optional.of(Duration.ofSeconds(1))),
                end);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "exit 1  | exit         | exit 1",
                "SIGSEGV | signal       | SIGSEGV",
                "unknown | unsupervised | unknown exit",
                "spawn   | start-failed | /bin/web: ENOENT (no such file or directory)",
                "stop    | operator     | stopped by an operator",
                "restart | operator     | restarted by an operator",
                "shutdown| shutdown     | the supervisor ends",
            })
    void the_cause_of_an_end_is_told_apart(String end, String cause, String reason) {
        Bench bench = new Bench(spec()).begin();
        if (!end.equals("spawn")) {
            bench.spawned();
        }
        ends(bench, end);
        End last = bench.service().history().lastEnd().orElseThrow();
        assertEquals(cause, last.cause().word());
        assertEquals(reason, last.reason());
    }

    private static Bench ends(Bench bench, String how) {
        return switch (how) {
            case "exit 0", "exit 1", "exit 3", "exit 7" -> bench.exits(how.charAt(5) - '0');
            case "SIGSEGV", "SIGTERM" -> bench.killedBy(Signal.parse(how).orElseThrow());
            case "unknown" -> bench.ended(new ExitStatus.Unknown());
            case "spawn" -> bench.spawnFails();
            case "stop" -> bench.stop().exits(0);
            case "restart" -> bench.restart().exits(0);
            case "shutdown" -> bench.shutdown().exits(0);
            default -> throw new AssertionError(how);
        };
    }

    private static ServiceSpec.Builder spec() {
        return ServiceSpec.of("web", "x")
                .ready(new Readiness.Delay(Duration.ofSeconds(1)))
                .backoff(new Backoff(Duration.ofSeconds(1), 1, Duration.ofSeconds(1), 0, Duration.ofMinutes(1)));
    }

    private static Backoff atOnce() {
        return new Backoff(Duration.ZERO, 1, Duration.ZERO, 0, Duration.ofMinutes(1));
    }
}
