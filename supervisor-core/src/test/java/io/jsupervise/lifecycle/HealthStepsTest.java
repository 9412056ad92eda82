package io.jsupervise.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.control.NotifyCodec;
import io.jsupervise.os.Errno;
import io.jsupervise.spec.Backoff;
import io.jsupervise.spec.Check;
import io.jsupervise.spec.Command;
import io.jsupervise.spec.HealthSpec;
import io.jsupervise.spec.Heartbeat;
import io.jsupervise.spec.LinePattern;
import io.jsupervise.spec.Probe;
import io.jsupervise.spec.Readiness;
import io.jsupervise.spec.RestartPolicy;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import io.jsupervise.spec.StopSequence;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How a run becomes ready, and how it is found to hang, by what it says and what it answers. */
@Timeout(20)
class HealthStepsTest {
    private static final Duration TEN = Duration.ofSeconds(10);
    private static final Probe DOOR = new Probe.Tcp("127.0.0.1", 80);

    private static ServiceSpec.Builder spec() {
        return ServiceSpec.of("web", "x")
                .backoff(new Backoff(TEN, 2, TEN, 0, TEN))
                .stop(new StopSequence(Signal.TERM, TEN, Optional.empty()));
    }

    private static ServiceSpec.Builder notifying() {
        return spec().ready(new Readiness.Notified()).startTimeout(Duration.ofSeconds(90));
    }

    private static ServiceSpec.Builder watched() {
        return notifying().health(new HealthSpec(Optional.of(Duration.ofSeconds(30)), List.of()));
    }

    private static ServiceSpec.Builder checked(int retries, Duration startPeriod) {
        Check check = new Check("door", DOOR, TEN, Duration.ofSeconds(3), retries, startPeriod);
        return spec().ready(new Readiness.Delay(Duration.ZERO))
                .health(new HealthSpec(Optional.empty(), List.of(check)));
    }

    private static Bench says(Bench bench, String message) {
        return says(bench, bench.run(), message);
    }

    private static Bench says(Bench bench, RunId run, String message) {
        Notice notice = NotifyCodec.decode(message.getBytes(StandardCharsets.UTF_8), Errno::words)
                .notice();
        return bench.on(new Event.Notified(run, notice));
    }

    private static Bench heardOut(Bench bench) {
        return bench.on(new Event.HeardOut(bench.run(), bench.now().mono(), Optional.empty()));
    }

    private static Bench answers(Bench bench, String... problem) {
        return bench.on(new Event.Probed(
                bench.run(), Optional.empty(), problem.length == 0 ? Optional.empty() : Optional.of(problem[0])));
    }

    private static Bench check(Bench bench, String... problem) {
        bench.later(TEN).fires(TimerKind.CHECK);
        return bench.on(new Event.Probed(
                bench.run(), Optional.of("door"), problem.length == 0 ? Optional.empty() : Optional.of(problem[0])));
    }

    private static ServiceState state(Bench bench) {
        return bench.service().state();
    }

    private static String ending(Bench bench) {
        Service.Ending ending = bench.service().ending().orElseThrow();
        return ending.cause().word() + ": " + ending.reason();
    }

    private static Health health(Bench bench) {
        return bench.service().run().orElseThrow().health();
    }

    // ---- ready ----

    @Test
    void it_is_ready_when_it_says_so_and_not_before() {
        Bench bench = new Bench(notifying()).begin().spawned();
        says(bench, "STATUS=warming up");
        assertEquals(ServiceState.STARTING, state(bench));
        says(bench, "READY=1");
        assertEquals(ServiceState.RUNNING, state(bench));
        assertEquals(Optional.of("warming up"), health(bench).status());
    }

    @Test
    void what_an_earlier_run_says_changes_nothing() {
        Bench bench = new Bench(notifying()).begin().spawned();
        says(bench, new RunId("old"), "READY=1");
        assertEquals(ServiceState.STARTING, state(bench));
    }

    @Test
    void one_that_is_not_ready_in_time_is_ended_and_that_is_a_failed_start() {
        Bench bench = new Bench(notifying()).begin().spawned();
        bench.later(Duration.ofSeconds(90)).fires(TimerKind.START_TIMEOUT);
        assertEquals(ServiceState.STARTING, state(bench), "what waits in the socket is read first");
        heardOut(bench);
        assertEquals("start-timeout: not ready within 90s: it waits for READY=1 at its notify socket", ending(bench));
        bench.killedBy(Signal.TERM);
        assertEquals(ServiceState.BACKOFF, state(bench));
        assertEquals(1, bench.service().history().failures());
    }

    @Test
    void a_word_that_was_waiting_in_the_socket_comes_before_the_judgement() {
        Bench bench = new Bench(notifying()).begin().spawned();
        bench.later(Duration.ofSeconds(95)).fires(TimerKind.START_TIMEOUT);
        says(bench, "READY=1");
        heardOut(bench);
        assertEquals(ServiceState.RUNNING, state(bench));
    }

    @Test
    void a_start_that_times_out_under_never_is_fatal() {
        Bench bench =
                new Bench(notifying().restart(RestartPolicy.NEVER)).begin().spawned();
        bench.later(Duration.ofSeconds(90)).fires(TimerKind.START_TIMEOUT);
        heardOut(bench).killedBy(Signal.TERM);
        assertEquals(ServiceState.FATAL, state(bench));
        assertTrue(bench.service().fatalReason().orElseThrow().startsWith("cannot start: not ready within"));
    }

    @Test
    void it_may_ask_for_more_time_to_start() {
        Bench bench = new Bench(notifying()).begin().spawned();
        bench.later(Duration.ofSeconds(80));
        says(bench, "EXTEND_TIMEOUT_USEC=60000000");
        bench.later(Duration.ofSeconds(20));
        heardOut(bench);
        assertEquals(ServiceState.STARTING, state(bench));
        bench.later(Duration.ofSeconds(40));
        heardOut(bench);
        assertEquals(ServiceState.STOPPING, state(bench));
    }

    @Test
    void without_a_start_timeout_it_may_take_for_ever() {
        Bench bench = new Bench(notifying().startTimeout(Duration.ZERO)).begin().spawned();
        assertFalse(bench.service().timers().isArmed(TimerKind.START_TIMEOUT));
    }

    @Test
    void one_that_was_taken_over_while_it_started_may_have_said_its_word_before() {
        Bench bench =
                new Bench(Bench.recorded(notifying().build(), ServiceState.STARTING, Optional.empty(), Wanted.UP));
        bench.on(new Event.LeftoverFound(new RunId("old-1"), Bench.process(99)));
        assertEquals(ServiceState.STARTING, state(bench));
        bench.later(Duration.ofSeconds(90)).fires(TimerKind.START_TIMEOUT);
        heardOut(bench);
        assertEquals(ServiceState.RUNNING, state(bench));
    }

    @Test
    void the_first_heartbeat_makes_it_ready() {
        Heartbeat heartbeat = new Heartbeat(Bench.beat(), TEN, TEN);
        Bench bench = new Bench(spec().heartbeat(heartbeat).ready(new Readiness.FirstBeat())).begin();
        bench.looked(Optional.empty()).spawned();
        bench.later(Duration.ofSeconds(1)).looked(Optional.empty());
        assertEquals(ServiceState.STARTING, state(bench));
        bench.later(Duration.ofMillis(200)).fires(TimerKind.READY);
        assertEquals("look at heartbeat", bench.words());
        bench.beaten();
        assertEquals(ServiceState.RUNNING, state(bench));
    }

    @Test
    void a_file_of_an_earlier_run_makes_nobody_ready() {
        Bench bench = new Bench(spec().ready(new Readiness.Written(Path.of("/run/web.pid")))).begin();
        Look.Stamp old = new Look.Stamp(7, bench.now().wall().minusSeconds(60));
        look(bench, old);
        bench.spawned();
        look(bench, old);
        assertEquals(ServiceState.STARTING, state(bench));
        bench.later(Duration.ofSeconds(1)).fires(TimerKind.READY);
        assertEquals("look at ready file", bench.words());
        look(bench, new Look.Stamp(8, bench.now().wall()));
        assertEquals(ServiceState.RUNNING, state(bench));
    }

    private static void look(Bench bench, Look.Stamp stamp) {
        bench.on(new Event.ReadyFileLookedAt(bench.run(), new Look(bench.now(), Optional.of(stamp), Optional.empty())));
    }

    @Test
    void it_is_asked_until_it_answers_and_the_last_answer_is_told() {
        Bench bench = new Bench(spec().ready(new Readiness.Answering(DOOR)).startTimeout(TEN))
                .begin()
                .spawned();
        answers(bench, "connection refused");
        assertEquals("arm READY 200ms", bench.words());
        Bench late = new Bench(spec().ready(new Readiness.Answering(DOOR)).startTimeout(TEN))
                .begin()
                .spawned();
        answers(late, "connection refused");
        late.later(TEN).fires(TimerKind.START_TIMEOUT);
        assertEquals(
                "start-timeout: not ready within 10s: it waits for tcp 127.0.0.1:80, and got: connection refused",
                ending(late));
        bench.later(Duration.ofMillis(200)).fires(TimerKind.READY);
        answers(bench);
        assertEquals(ServiceState.RUNNING, state(bench));
    }

    // ---- alive ----

    private static Bench up() {
        return says(new Bench(watched()).begin().spawned(), "READY=1");
    }

    @Test
    void a_missed_ping_is_a_hang() {
        Bench bench = up();
        bench.later(Duration.ofSeconds(29));
        says(bench, "WATCHDOG=1");
        bench.later(Duration.ofSeconds(29));
        heardOut(bench);
        assertEquals(ServiceState.RUNNING, state(bench));
        bench.later(Duration.ofSeconds(1)).fires(TimerKind.WATCHDOG);
        assertTrue(bench.words().contains("hear out"));
        heardOut(bench);
        assertEquals("notify: no WATCHDOG=1 for 30s", ending(bench));
        bench.killedBy(Signal.TERM);
        assertEquals(ServiceState.BACKOFF, state(bench));
        assertEquals(
                Cause.NOTIFY, bench.service().history().lastEnd().orElseThrow().cause());
    }

    @Test
    void no_ping_is_awaited_before_it_is_ready() {
        Bench bench = new Bench(watched()).begin().spawned();
        assertFalse(bench.service().timers().isArmed(TimerKind.WATCHDOG));
        bench.later(Duration.ofSeconds(80));
        says(bench, "READY=1");
        assertTrue(bench.service().timers().isArmed(TimerKind.WATCHDOG));
        heardOut(bench);
        assertEquals(ServiceState.RUNNING, state(bench));
    }

    @Test
    void silence_while_nobody_could_hear_it_is_no_hang() {
        Bench bench = up();
        bench.later(Duration.ofSeconds(31));
        bench.on(new Event.HeardOut(bench.run(), bench.now().mono(), Optional.of("the socket was not there")));
        assertEquals(ServiceState.RUNNING, state(bench));
        bench.later(Duration.ofSeconds(30));
        heardOut(bench);
        assertEquals(ServiceState.STOPPING, state(bench));
    }

    @Test
    void it_may_choose_another_time_between_two_pings_or_none() {
        Bench bench = up();
        says(bench, "WATCHDOG_USEC=60000000");
        bench.later(Duration.ofSeconds(59));
        heardOut(bench);
        assertEquals(ServiceState.RUNNING, state(bench));
        says(bench, "WATCHDOG_USEC=0");
        assertFalse(bench.service().timers().isArmed(TimerKind.WATCHDOG));
        says(bench, "WATCHDOG_USEC=1000000");
        bench.later(Duration.ofSeconds(1));
        heardOut(bench);
        assertEquals("notify: no WATCHDOG=1 for 1s", ending(bench));
    }

    @Test
    void another_time_between_two_pings_is_recorded_for_the_next_supervisor() {
        Bench bench = up();
        assertTrue(says(bench, "WATCHDOG_USEC=60000000").words().startsWith("record"));
        assertFalse(says(bench, "WATCHDOG=1").words().contains("record"), "a ping costs no write");
    }

    @Test
    void a_trigger_is_a_hang_at_once() {
        Bench bench = says(up(), "WATCHDOG=trigger");
        assertEquals("notify: it said WATCHDOG=trigger", ending(bench));
    }

    @Test
    void one_that_says_that_it_ends_is_judged_by_its_exit() {
        Bench bench = says(up(), "STOPPING=1");
        assertEquals(ServiceState.RUNNING, state(bench));
        bench.exits(0);
        assertEquals("exit 0", bench.service().history().lastEnd().orElseThrow().reason());
        assertEquals(
                Cause.EXIT, bench.service().history().lastEnd().orElseThrow().cause());
    }

    @Test
    void one_that_says_that_it_ends_has_to_do_it() {
        Bench bench = says(up(), "STOPPING=1");
        bench.later(TEN);
        heardOut(bench);
        assertEquals("notify: it said STOPPING=1, and had not ended 10s later", ending(bench));
    }

    @Test
    void what_it_says_of_its_failure_joins_the_reason() {
        String[][] rows = {
            {"ERRNO=2\nSTATUS=no data", "exit 3, and it said: ENOENT (no such file or directory)"},
            {"ERRNO=4000", "exit 3, and it said: errno 4000"},
            {"EXIT_STATUS=7", "exit 3, and it said: exit status 7"},
            {"EXIT_STATUS=7\nERRNO=13", "exit 3, and it said: EACCES (permission denied), exit status 7"},
        };
        for (String[] row : rows) {
            Bench bench = says(up(), row[0]).exits(3);
            assertEquals(
                    row[1], bench.service().history().lastEnd().orElseThrow().reason());
        }
    }

    @Test
    void what_it_said_of_a_failure_does_not_join_an_end_that_is_none() {
        // As systemd-notify does it, which sends ERRNO when somebody misspells one of its options.
        Bench bench = says(up(), "ERRNO=22").exits(0);
        assertEquals("exit 0", bench.service().history().lastEnd().orElseThrow().reason());
    }

    @Test
    void it_may_ask_for_more_time_to_stop_but_not_after_the_kill() {
        Bench bench = up().stop();
        says(bench, "EXTEND_TIMEOUT_USEC=60000000");
        assertEquals("arm STOP 60000ms", bench.words());
        bench.later(Duration.ofSeconds(60)).fires(TimerKind.STOP);
        assertTrue(bench.words().contains("SIGKILL"));
        says(bench, "EXTEND_TIMEOUT_USEC=60000000");
        assertEquals("", bench.words());
    }

    @Test
    void after_a_crash_of_the_supervisor_its_time_begins_anew() {
        Bench bench = new Bench(Bench.recorded(watched().build(), ServiceState.RUNNING, Optional.empty(), Wanted.UP));
        bench.later(Duration.ofHours(1)).on(new Event.LeftoverFound(new RunId("old-1"), Bench.process(99)));
        bench.later(Duration.ofSeconds(29));
        heardOut(bench);
        assertEquals(ServiceState.RUNNING, state(bench));
        bench.later(Duration.ofSeconds(1));
        heardOut(bench);
        assertEquals(ServiceState.STOPPING, state(bench));
    }

    // ---- checks ----

    @Test
    void failures_in_a_row_are_a_hang_and_a_good_answer_ends_the_row() {
        Bench bench = new Bench(checked(3, Duration.ZERO)).begin().spawned();
        check(bench, "HTTP 500");
        check(bench, "HTTP 500");
        check(bench);
        assertEquals(0, health(bench).checks().get(0).failures());
        check(bench, "HTTP 500");
        check(bench, "HTTP 500");
        assertEquals(ServiceState.RUNNING, state(bench));
        check(bench, "no answer within 3s");
        assertEquals(
                "check: check door (tcp 127.0.0.1:80) failed 3 times in a row: no answer within 3s", ending(bench));
    }

    @Test
    void the_failure_counter_starts_afresh_at_each_start() {
        Bench bench = new Bench(checked(2, Duration.ZERO)).begin().spawned();
        check(bench, "HTTP 500");
        RunId before = bench.run();
        bench.exits(1).groupEmpty().later(TEN).fires(TimerKind.RESTART).spawned();
        assertEquals(ServiceState.RUNNING, state(bench));
        bench.on(new Event.Probed(before, Optional.of("door"), Optional.of("HTTP 500")));
        check(bench, "HTTP 500");
        assertEquals(ServiceState.RUNNING, state(bench));
        assertEquals(1, health(bench).checks().get(0).failures());
    }

    @Test
    void failures_in_the_start_period_do_not_count() {
        Bench bench = new Bench(checked(1, Duration.ofSeconds(15))).begin().spawned();
        check(bench, "connection refused");
        assertEquals(ServiceState.RUNNING, state(bench));
        check(bench, "connection refused");
        assertEquals(ServiceState.STOPPING, state(bench));
    }

    @Test
    void one_question_at_a_time() {
        Bench bench = new Bench(checked(3, Duration.ZERO)).begin().spawned();
        bench.later(TEN).fires(TimerKind.CHECK);
        assertEquals("ask door", bench.words());
        assertFalse(bench.service().timers().isArmed(TimerKind.CHECK));
    }

    @Test
    void other_checks_hold_at_once_when_the_file_says_so() {
        Bench bench = new Bench(checked(3, Duration.ZERO)).begin().spawned();
        bench.on(new Event.SpecChanged(
                checked(3, Duration.ZERO).health(HealthSpec.NONE).build()));
        assertFalse(bench.service().timers().isArmed(TimerKind.CHECK));
        assertEquals(List.of(), health(bench).checks());
        assertEquals(ServiceState.RUNNING, state(bench));
    }

    @Test
    void a_program_is_asked_in_place_of_a_socket() {
        Probe look = new Probe.Exec(Command.of("look", "at-it"));
        Check check = new Check("door", look, TEN, Duration.ofSeconds(3), 1, Duration.ZERO);
        Bench bench = new Bench(
                spec().ready(new Readiness.Answering(look)).health(new HealthSpec(Optional.empty(), List.of(check))));
        bench.begin().spawned();
        assertTrue(bench.words().contains("run whether ready"), bench.words());
        answers(bench, "exit 2: not yet");
        assertEquals(ServiceState.STARTING, state(bench));
        answers(bench);
        assertEquals(ServiceState.RUNNING, state(bench));
        check(bench, "exit 1: gone");
        assertEquals("check: check door (exec look at-it) failed: exit 1: gone", ending(bench));
    }

    private static ServiceSpec.Builder writing() throws LinePattern.Malformed {
        return spec().ready(new Readiness.LogLine(LinePattern.of("up"))).startTimeout(Duration.ofSeconds(90));
    }

    @Test
    void it_is_ready_when_its_line_is_seen_and_that_is_looked_for_before_the_spawn() throws LinePattern.Malformed {
        Bench bench = new Bench(writing()).begin();
        assertTrue(bench.words().matches(".*await line.*spawn.*"), bench.words());
        bench.spawned();
        bench.on(new Event.LineSeen(new RunId("old")));
        assertEquals(ServiceState.STARTING, state(bench));
        bench.on(new Event.LineSeen(bench.run()));
        assertEquals(ServiceState.RUNNING, state(bench));
    }

    @Test
    void a_line_that_is_seen_before_the_spawn_is_known_counts_then() throws LinePattern.Malformed {
        Bench bench = new Bench(writing()).begin();
        bench.on(new Event.LineSeen(bench.run()));
        assertEquals(ServiceState.STARTING, state(bench));
        bench.spawned();
        assertEquals(ServiceState.RUNNING, state(bench));
    }

    @Test
    void one_whose_line_does_not_come_is_ended() throws LinePattern.Malformed {
        Bench bench = new Bench(writing()).begin().spawned();
        bench.later(Duration.ofSeconds(90)).fires(TimerKind.START_TIMEOUT);
        assertEquals("start-timeout: not ready within 90s: it waits for a line with up", ending(bench));
    }

    @Test
    void another_main_process_is_recorded_told_and_signalled() {
        Bench bench = new Bench(notifying()).begin().spawned();
        ProcessIdentity other = new ProcessIdentity(new Pid(4711), 17);
        bench.on(new Event.MainNamed(new RunId("old"), other));
        assertFalse(bench.service().process().equals(Optional.of(other)));
        bench.on(new Event.MainNamed(bench.run(), other));
        assertEquals("record, tell main-changed", bench.words());
        assertEquals(Optional.of(other), bench.service().process());
        assertEquals(other, bench.service().lastRun().orElseThrow().process());
    }
}
