package io.jsupervise.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Cause;
import io.jsupervise.lifecycle.Climb;
import io.jsupervise.lifecycle.End;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.Health;
import io.jsupervise.lifecycle.History;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Now;
import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.Pulse;
import io.jsupervise.lifecycle.Run;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.Timers;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.spec.Check;
import io.jsupervise.spec.Escalation;
import io.jsupervise.spec.HealthSpec;
import io.jsupervise.spec.Heartbeat;
import io.jsupervise.spec.Probe;
import io.jsupervise.spec.Rung;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import io.jsupervise.supervision.Answer;
import io.jsupervise.supervision.Status;
import io.jsupervise.supervision.WatchdogStatus;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The members by name and in order: programs rely on them. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class StatusCodecTest {
    private static final Instant NOON = Instant.parse("2026-01-31T12:00:00Z");
    private static final Now NOW = at(100);

    private static Now at(long seconds) {
        return new Now(new MonotonicTime(seconds * 1_000_000_000L), NOON.plusSeconds(seconds));
    }

    private static ServiceSpec.Builder web() {
        return ServiceSpec.of("web", "/bin/web");
    }

    private static Service service(
            ServiceSpec spec,
            ServiceState state,
            Optional<Run> run,
            Optional<Service.Ending> ending,
            History history,
            Optional<Service.NextStart> next,
            Optional<String> fatal,
            List<String> waitingFor) {
        boolean up = state != ServiceState.STOPPED;
        return new Service(
                spec,
                state,
                at(90),
                up ? Wanted.UP : Wanted.DOWN,
                false,
                run,
                Optional.empty(),
                ending,
                history,
                next,
                fatal,
                waitingFor,
                Optional.empty(),
                Timers.NONE,
                1);
    }

    private static Service plain(ServiceSpec spec, ServiceState state, Optional<Run> run, History history) {
        return service(spec, state, run, Optional.empty(), history, Optional.empty(), Optional.empty(), List.of());
    }

    private static Run run(Optional<Pulse> pulse) {
        return new Run(
                new RunId("abc-1"),
                Optional.of(new ProcessIdentity(new Pid(42), 7)),
                at(88),
                Optional.of(at(89).mono()),
                pulse,
                false,
                Optional.empty());
    }

    private static History ended(long restarts, Optional<ExitStatus> status, Cause cause, String reason) {
        return new History(
                restarts,
                1,
                List.of(),
                List.of(new End(NOON, status, cause, reason, Duration.ofSeconds(3), Optional.empty())));
    }

    private static String json(Service service) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        new StatusCodec(name -> 17).writeService(service, NOW, bytes);
        return bytes.toString(StandardCharsets.UTF_8);
    }

    /** {@code {"a":{"b":1},"c":2}} and {@code a} give the text of that member. */
    private static String member(String json, String name) {
        int from = json.indexOf("\"" + name + "\":") + name.length() + 3;
        int depth = 0;
        int at = from;
        while (depth > 0 || json.charAt(at) != ',' && json.charAt(at) != '}') {
            depth += "{[".indexOf(json.charAt(at)) >= 0 ? 1 : "}]".indexOf(json.charAt(at)) >= 0 ? -1 : 0;
            at++;
        }
        return json.substring(from, at);
    }

    @Test
    void a_running_service_has_these_members() throws IOException {
        Heartbeat heartbeat = new Heartbeat(Path.of("/run/web.beat"), Duration.ofSeconds(30), Duration.ofSeconds(90));
        Pulse pulse = new Pulse(at(178).mono(), Optional.of(at(99).mono()), Optional.empty());
        ServiceSpec spec = web().heartbeat(heartbeat).description("the \"web\"").build();
        History history = ended(3, Optional.of(new ExitStatus.Exited(1)), Cause.EXIT, "exit 1");
        assertEquals(
                "{\"name\":\"web\",\"type\":\"service\",\"state\":\"RUNNING\",\"wanted\":\"up\",\"ready\":true,\"pid\":42,"
                        + "\"since\":\"2026-01-31T12:01:30Z\",\"uptime_ms\":12000,\"restarts\":3,\"adopted\":false,"
                        + "\"next_start_at\":null,\"backoff_ms\":null,"
                        + "\"last_exit\":{\"at\":\"2026-01-31T12:00:00Z\",\"code\":1,\"signal\":null,\"core\":false,"
                        + "\"unknown\":false,\"cause\":\"exit\",\"reason\":\"exit 1\"},"
                        + "\"heartbeat\":{\"file\":\"/run/web.beat\",\"timeout_ms\":30000,\"age_ms\":1000,\"state\":\"ok\"},"
                        + "\"notify\":null,\"checks\":[],"
                        + "\"run_id\":\"abc-1\",\"spec_changed\":false,\"waiting_for\":[],\"hook\":null,\"fatal_reason\":null,"
                        + "\"log\":{\"dropped_bytes\":17},\"description\":\"the \\\"web\\\"\"}",
                json(plain(spec, ServiceState.RUNNING, Optional.of(run(Optional.of(pulse))), history)));
    }

    @Test
    void what_does_not_apply_to_a_stopped_service_is_null() throws IOException {
        assertEquals(
                "{\"name\":\"web\",\"type\":\"service\",\"state\":\"STOPPED\",\"wanted\":\"down\",\"ready\":false,\"pid\":null,"
                        + "\"since\":\"2026-01-31T12:01:30Z\",\"uptime_ms\":null,\"restarts\":0,\"adopted\":false,"
                        + "\"next_start_at\":null,\"backoff_ms\":null,\"last_exit\":null,\"heartbeat\":null,\"notify\":null,\"checks\":[],"
                        + "\"run_id\":null,\"spec_changed\":false,\"waiting_for\":[],\"hook\":null,\"fatal_reason\":null,"
                        + "\"log\":{\"dropped_bytes\":17},\"description\":null}",
                json(plain(web().build(), ServiceState.STOPPED, Optional.empty(), History.EMPTY)));
    }

    @Test
    void a_ladder_is_told_with_what_comes_next() throws IOException {
        Escalation ladder =
                new Escalation(Duration.ofSeconds(10), List.of(new Rung.RestartDependents(), new Rung.Reboot()));
        ServiceSpec spec = web().escalation(ladder).build();
        String[] next = {"\"restart-dependents\"", "\"reboot\"", "null"};
        for (int taken = 0; taken < next.length; taken++) {
            History history =
                    new History(0, 0, List.of(), List.of(), false, new Climb(taken, "in vain", Optional.empty()));
            String text = json(plain(spec, ServiceState.STOPPED, Optional.empty(), history));
            String told = "\"ladder\":{\"rungs\":2,\"rungs_taken\":" + taken + ",\"next\":" + next[taken] + "}";
            assertTrue(text.contains(told), text);
        }
    }

    @Test
    void every_kind_of_end_is_told_exactly() throws IOException {
        Object[][] rows = {
            {new ExitStatus.Exited(0), Cause.OPERATOR, "\"code\":0,\"signal\":null,\"core\":false,\"unknown\":false"},
            {
                new ExitStatus.Killed(Signal.KILL, false),
                Cause.SIGNAL,
                "\"code\":null,\"signal\":\"SIGKILL\",\"core\":false,\"unknown\":false"
            },
            {
                new ExitStatus.Killed(Signal.SEGV, true),
                Cause.SIGNAL,
                "\"code\":null,\"signal\":\"SIGSEGV\",\"core\":true,\"unknown\":false"
            },
            {
                new ExitStatus.Unknown(),
                Cause.UNSUPERVISED,
                "\"code\":null,\"signal\":null,\"core\":false,\"unknown\":true"
            },
            {null, Cause.START_FAILED, "\"code\":null,\"signal\":null,\"core\":false,\"unknown\":false"},
        };
        for (Object[] row : rows) {
            Cause cause = (Cause) row[1];
            History history = ended(1, Optional.ofNullable((ExitStatus) row[0]), cause, "why");
            String json = json(plain(web().build(), ServiceState.BACKOFF, Optional.empty(), history));
            assertEquals(
                    "{\"at\":\"2026-01-31T12:00:00Z\"," + row[2] + ",\"cause\":\"" + cause.word()
                            + "\",\"reason\":\"why\"}",
                    member(json, "last_exit"));
        }
    }

    @Test
    void backoff_tells_when_it_goes_on() throws IOException {
        Service.NextStart next = new Service.NextStart(at(101).mono(), at(101).wall(), Duration.ofMillis(1500));
        String json = json(service(
                web().build(),
                ServiceState.BACKOFF,
                Optional.empty(),
                Optional.empty(),
                History.EMPTY,
                Optional.of(next),
                Optional.empty(),
                List.of()));
        assertEquals("\"2026-01-31T12:01:41Z\"", member(json, "next_start_at"));
        assertEquals("1500", member(json, "backoff_ms"));
    }

    @Test
    void fatal_says_why_and_waiting_says_for_what() throws IOException {
        String fatal = json(service(
                web().build(),
                ServiceState.FATAL,
                Optional.empty(),
                Optional.empty(),
                History.EMPTY,
                Optional.empty(),
                Optional.of("it failed"),
                List.of()));
        assertEquals("\"it failed\"", member(fatal, "fatal_reason"));
        String waiting = json(service(
                web().build(),
                ServiceState.WAITING,
                Optional.empty(),
                Optional.empty(),
                History.EMPTY,
                Optional.empty(),
                Optional.empty(),
                List.of("a start slot", "db: ready")));
        assertEquals("[\"a start slot\",\"db: ready\"]", member(waiting, "waiting_for"));
    }

    @Test
    void a_heartbeat_is_waiting_ok_or_stale() throws IOException {
        Heartbeat heartbeat = new Heartbeat(Path.of("/b"), Duration.ofSeconds(1), Duration.ofSeconds(3));
        ServiceSpec spec = web().heartbeat(heartbeat).build();
        Pulse silent = Pulse.armed(at(178).mono());
        Pulse beaten = new Pulse(at(178).mono(), Optional.of(at(98).mono()), Optional.empty());
        assertEquals(
                "{\"file\":\"/b\",\"timeout_ms\":1000,\"age_ms\":null,\"state\":\"waiting\"}",
                member(
                        json(plain(spec, ServiceState.STARTING, Optional.of(run(Optional.of(silent))), History.EMPTY)),
                        "heartbeat"));
        assertEquals(
                "{\"file\":\"/b\",\"timeout_ms\":1000,\"age_ms\":2000,\"state\":\"ok\"}",
                member(
                        json(plain(spec, ServiceState.RUNNING, Optional.of(run(Optional.of(beaten))), History.EMPTY)),
                        "heartbeat"));
        Service stale = service(
                spec,
                ServiceState.STOPPING,
                Optional.of(run(Optional.of(beaten))),
                Optional.of(new Service.Ending(Cause.HEARTBEAT, "no heartbeat for 1s")),
                History.EMPTY,
                Optional.empty(),
                Optional.empty(),
                List.of());
        assertEquals(
                "{\"file\":\"/b\",\"timeout_ms\":1000,\"age_ms\":2000,\"state\":\"stale\"}",
                member(json(stale), "heartbeat"));
    }

    @Test
    void what_a_service_says_and_how_its_checks_go_is_told() throws IOException {
        Check door = new Check(
                "door", new Probe.Tcp("db", 1), Duration.ofSeconds(1), Duration.ofSeconds(1), 3, Duration.ZERO);
        ServiceSpec spec = web().health(new HealthSpec(Optional.of(Duration.ofSeconds(30)), List.of(door)))
                .build();
        Run silent = run(Optional.empty());
        assertEquals(
                "{\"state\":\"waiting\",\"status\":null,\"watchdog_timeout_ms\":30000,\"watchdog_left_ms\":null}",
                member(json(plain(spec, ServiceState.RUNNING, Optional.of(silent), History.EMPTY)), "notify"));
        Health health = new Health(
                Health.Said.RELOADING,
                Optional.of("3 jobs"),
                Optional.empty(),
                Optional.of(Duration.ofSeconds(5)),
                Optional.empty(),
                Optional.of(NOW.mono().plus(Duration.ofSeconds(2))),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                List.of(new Health.CheckState(
                        "door",
                        NOW.mono(),
                        false,
                        2,
                        Optional.of("connection refused"),
                        Optional.of(NOW.mono().minus(Duration.ofSeconds(1))))));
        String told = json(plain(spec, ServiceState.RUNNING, Optional.of(silent.with(health)), History.EMPTY));
        assertEquals(
                "{\"state\":\"reloading\",\"status\":\"3 jobs\",\"watchdog_timeout_ms\":5000,\"watchdog_left_ms\":2000}",
                member(told, "notify"));
        assertTrue(
                told.contains(
                        "\"checks\":[{\"name\":\"door\",\"what\":\"tcp db:1\",\"state\":\"failing\",\"failures\":2,"
                                + "\"retries\":3,\"age_ms\":1000,\"problem\":\"connection refused\"}]"),
                told);
    }

    private static String status(Status.JournalHealth journal) throws IOException {
        Status.SupervisorStatus us = new Status.SupervisorStatus(
                "default",
                new ProcessIdentity(new Pid(1), 5),
                "1.2",
                NOON,
                Duration.ofMillis(100_250),
                Path.of("/etc/services.yml"),
                Path.of("/var/lib/jsupervise"),
                journal,
                false,
                Duration.ofNanos(1_500_000),
                WatchdogStatus.OFF);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Service web = plain(web().build(), ServiceState.STOPPED, Optional.empty(), History.EMPTY);
        new StatusCodec(name -> 0).write(new Status(NOW, us, List.of(web, web)), bytes);
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void the_supervisor_comes_first_then_a_list_of_services() throws IOException {
        String json = status(Status.JournalHealth.OK);
        assertEquals(
                "{\"name\":\"default\",\"pid\":1,\"version\":\"1.2\",\"started_at\":\"2026-01-31T12:00:00Z\","
                        + "\"uptime_ms\":100250,\"config\":\"/etc/services.yml\",\"state_dir\":\"/var/lib/jsupervise\","
                        + "\"shutting_down\":false,\"journal\":{\"state\":\"ok\"},"
                        + "\"watchdog\":{\"state\":\"off\",\"device\":null},\"loop\":{\"longest_turn_ms\":1.5}}",
                member(json, "supervisor"));
        assertEquals(0, json.indexOf("{\"supervisor\":"));
        assertEquals(3, json.split("\\{\"name\":\"web\"", -1).length);
    }

    @Test
    void records_that_were_set_aside_are_named_with_their_service_as_long_as_this_supervisor_runs() throws IOException {
        Status.JournalHealth.SetAside web = new Status.JournalHealth.SetAside(
                Optional.of(new ServiceName("web")), Path.of("/s/journal/web.json.damaged"), "is not JSON");
        Status.JournalHealth.SetAside ours = new Status.JournalHealth.SetAside(
                Optional.empty(), Path.of("/s/journal/@supervisor.json.from-version-9"), "is later");
        assertEquals(
                "{\"state\":\"ok\",\"set_aside\":["
                        + "{\"service\":\"web\",\"file\":\"/s/journal/web.json.damaged\",\"what\":\"is not JSON\"},"
                        + "{\"service\":null,\"file\":\"/s/journal/@supervisor.json.from-version-9\",\"what\":\"is later\"}]}",
                member(status(Status.JournalHealth.OK.with(web).with(ours)), "journal"));
    }

    @Test
    void a_stale_journal_says_since_when_and_why() throws IOException {
        String json = status(Status.JournalHealth.OK.stale(new Status.JournalHealth.Stale(
                NOON, "write /s: ENOSPC (no space left on device)", Optional.of("ENOSPC"))));
        assertEquals(
                "{\"state\":\"stale\",\"since\":\"2026-01-31T12:00:00Z\","
                        + "\"reason\":\"write /s: ENOSPC (no space left on device)\",\"errno\":\"ENOSPC\"}",
                member(json, "journal"));
    }

    @Test
    void answers_and_errors_have_these_members() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Answer.Result result = new Answer.Result(web().build().name(), true, ServiceState.RUNNING, "running, pid 42");
        new AnswerCodec().write(new Answer.Acted(List.of(result), true), bytes);
        assertEquals(
                "{\"recorded\":true,\"results\":[{\"name\":\"web\",\"done\":true,\"state\":\"RUNNING\","
                        + "\"message\":\"running, pid 42\"}]}",
                bytes.toString(StandardCharsets.UTF_8));
        bytes.reset();
        new AnswerCodec().writeError("no-such-service", "no service \"wbe\"; did you mean \"web\"?", bytes);
        assertEquals(
                "{\"error\":{\"code\":\"no-such-service\","
                        + "\"message\":\"no service \\\"wbe\\\"; did you mean \\\"web\\\"?\"}}",
                bytes.toString(StandardCharsets.UTF_8));
    }
}
