package io.jsupervise.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.spec.Backoff;
import io.jsupervise.spec.Credentials;
import io.jsupervise.spec.HealthSpec;
import io.jsupervise.spec.Limit;
import io.jsupervise.spec.Privileges;
import io.jsupervise.spec.ResourceLimit;
import io.jsupervise.spec.Resources;
import io.jsupervise.spec.RestartPolicy;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An end under the name of a loader is a start that failed; an end under any other name is the program's own. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class LoadingTest {
    private static final Privileges NOBODY = new Privileges(
            Optional.of(new Credentials("nobody", 65534, 65534, List.of(), Map.of())),
            List.of(new ResourceLimit(Limit.NOFILE, OptionalLong.of(64), OptionalLong.of(64))),
            OptionalInt.empty(),
            OptionalInt.empty(),
            false);

    private static Bench started(ServiceSpec.Builder spec) {
        Bench bench = new Bench(spec.backoff(Backoff.DEFAULT));
        bench.on(new Event.SupervisorStarted());
        return bench.permitted().spawned();
    }

    private static ServiceSpec.Builder service(String program, Privileges privileges) {
        return ServiceSpec.of("web", program).privileges(privileges);
    }

    private static End end(Bench bench, ExitStatus status, String last) {
        bench.on(new Event.ChildExited(bench.run(), status, Optional.ofNullable(last)));
        return bench.service().history().lastEnd().orElseThrow();
    }

    @ParameterizedTest
    @CsvSource({
        "/opt/web, setpriv, START_FAILED",
        "/opt/web, prlimit, START_FAILED",
        "/opt/web, env, START_FAILED",
        // Not a part of this chain.
        "/opt/web, choom, EXIT",
        "/opt/web, web, EXIT",
        // What the program executed in its place.
        "/opt/web, java, EXIT",
        "/opt/web, , EXIT",
        // The program is called like a loader.
        "/usr/bin/setpriv, setpriv, EXIT",
        "setpriv, setpriv, EXIT",
        "/usr/bin/setpriv, prlimit, START_FAILED"
    })
    void an_end_is_that_of_what_was_executed_last(String program, String last, Cause cause) {
        assertEquals(
                cause,
                end(started(service(program, NOBODY)), new ExitStatus.Exited(127), last)
                        .cause());
    }

    /** A script may end as a shell, or as what env(1) could not find. */
    @ParameterizedTest
    @CsvSource({
        "sh, 0, EXIT",
        "sh, 1, EXIT",
        "sh, 4, EXIT",
        "sh, 125, START_FAILED",
        "sh, 127, START_FAILED",
        "env, 1, EXIT",
        "env, 125, START_FAILED",
        "setpriv, 1, START_FAILED",
        "setpriv, 3, EXIT",
        "prlimit, 1, START_FAILED",
    })
    void an_end_to_which_no_loader_comes_is_that_of_a_program_of_its_name(String last, int code, Cause cause) {
        Privileges grouped = new Privileges(
                NOBODY.credentials(),
                NOBODY.limits(),
                OptionalInt.empty(),
                OptionalInt.empty(),
                false,
                Optional.of(new Resources(OptionalLong.empty(), OptionalLong.empty(), OptionalInt.empty(), false)));
        assertEquals(
                cause,
                end(started(service("/opt/web", grouped)), new ExitStatus.Exited(code), last)
                        .cause());
    }

    @Test
    void the_reason_names_the_program_the_loader_and_how_that_ended() {
        End end = end(started(service("/opt/web", NOBODY)), new ExitStatus.Killed(Signal.SEGV, false), "setpriv");
        assertEquals(
                "cannot execute /opt/web: setpriv(1), executed in front of it, ended with SIGSEGV; its output says why",
                end.reason());
        assertEquals(Optional.of(new ExitStatus.Killed(Signal.SEGV, false)), end.status());
    }

    @Test
    void without_loaders_a_name_means_nothing() {
        End end = end(started(service("/opt/web", Privileges.NONE)), new ExitStatus.Exited(127), "setpriv");
        assertEquals(Cause.EXIT, end.cause());
    }

    /** A shell has told it its number. */
    @ParameterizedTest
    @CsvSource({"sh, START_FAILED", "env, START_FAILED", "setpriv, EXIT"})
    void who_is_watched_is_loaded(String last, Cause cause) {
        HealthSpec watched = new HealthSpec(Optional.of(Duration.ofSeconds(10)), List.of());
        Bench bench = started(service("/opt/web", Privileges.NONE).health(watched));
        assertEquals(cause, end(bench, new ExitStatus.Exited(127), last).cause());
    }

    @Test
    void the_exit_code_of_a_loader_is_none_of_the_program() {
        Bench bench = started(service("/opt/web", NOBODY)
                .restart(RestartPolicy.ON_FAILURE)
                .successExitCodes(Set.of(127))
                .giveUpExitCodes(Set.of(126)));
        assertEquals(
                Cause.START_FAILED,
                end(bench, new ExitStatus.Exited(127), "setpriv").cause());
        assertEquals(ServiceState.BACKOFF, bench.service().state());
    }

    @Test
    void what_never_ran_and_is_not_restarted_is_fatal_like_any_failed_start() {
        Bench bench = started(service("/opt/web", NOBODY).restart(RestartPolicy.NEVER));
        end(bench, new ExitStatus.Exited(126), "setpriv");
        assertEquals(ServiceState.FATAL, bench.service().state());
        assertTrue(bench.service().fatalReason().orElseThrow().startsWith("cannot start: cannot execute /opt/web"));
    }

    @Test
    void who_stops_it_meanwhile_has_stopped_it() {
        Bench bench = started(service("/opt/web", NOBODY));
        bench.stop();
        assertEquals(
                Cause.OPERATOR,
                end(bench, new ExitStatus.Killed(Signal.TERM, false), "setpriv").cause());
    }
}
