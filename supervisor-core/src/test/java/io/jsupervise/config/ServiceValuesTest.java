package io.jsupervise.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.spec.Backoff;
import io.jsupervise.spec.Check;
import io.jsupervise.spec.Command;
import io.jsupervise.spec.Credentials;
import io.jsupervise.spec.HealthSpec;
import io.jsupervise.spec.Heartbeat;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.Privileges;
import io.jsupervise.spec.Probe;
import io.jsupervise.spec.Readiness;
import io.jsupervise.spec.Resources;
import io.jsupervise.spec.RestartIntensity;
import io.jsupervise.spec.RestartPolicy;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import io.jsupervise.spec.StopSequence;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What each service key means, and what holds where it is not there. */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class ServiceValuesTest {
    private static final Path LOGS = Path.of("/home/ann/.local/state/jsupervise/logs");
    private static final LogSpec.ToFile LOG = LogSpec.ToFile.of(LOGS.resolve("web.log"));

    /** @param lines of the service, beside its command where they do not hold one */
    record Row(String lines, Function<ServiceSpec, Object> part, Object expected) {
        @Override
        public String toString() {
            return lines.isEmpty() ? "(nothing)" : lines.replace('\n', ' ');
        }
    }

    private static Row row(String lines, Function<ServiceSpec, Object> part, Object expected) {
        return new Row(lines, part, expected);
    }

    static List<Row> commands() {
        Function<ServiceSpec, Object> argv = spec -> spec.spawn().command().argv();
        return List.of(
                row("command: run", argv, List.of("run")),
                row(
                        "command: [run, --port, 8080, no, 027, 12:30, ~, null, '']",
                        argv,
                        words("run --port 8080 no 027 12:30 ~ null ")),
                row("command: run  --name 'a b' \"c d\" e\\ f", argv, List.of("run", "--name", "a b", "c d", "e f")),
                row("command: run $HOME *.txt | grep", argv, words("run $HOME *.txt | grep")),
                row("command: ' run  it '", argv, List.of("run", "it")),
                row("command: |\n  run\n  it", argv, List.of("run", "it")),
                row("command: run ''", argv, List.of("run", "")),
                row("command: 12:30", argv, List.of("12:30")),
                row("command: [only, \"$(x)\"]", argv, List.of("only", "$(x)")),
                row("shell: true\ncommand: echo \"$HOME\"", argv, List.of("/bin/sh", "-c", "echo \"$HOME\"")),
                row("shell: true\ncommand: |\n  a\n  b", argv, List.of("/bin/sh", "-c", "a\nb\n")),
                row("shell: false\ncommand: echo $A", argv, List.of("echo", "$A")));
    }

    private static List<String> words(String text) {
        return List.of(text.split(" ", -1));
    }

    static List<Row> spawning() {
        Function<ServiceSpec, Object> environment = spec -> spec.spawn().environment();
        return List.of(
                row("", ServiceSpec::description, Optional.empty()),
                row("description: no", ServiceSpec::description, Optional.of("no")),
                row("", ServiceSpec::autostart, true),
                row("autostart: false", ServiceSpec::autostart, false),
                row("autostart: 'false'", ServiceSpec::autostart, false),
                row("autostart:", ServiceSpec::autostart, true),
                row("", spec -> spec.spawn().workingDir(), Path.of("/app")),
                row("working_dir: data/..//x", spec -> spec.spawn().workingDir(), Path.of("/app/x")),
                row("working_dir: /srv", spec -> spec.spawn().workingDir(), Path.of("/srv")),
                row("working_dir: 12:30", spec -> spec.spawn().workingDir(), Path.of("/app/12:30")),
                row("", environment, Map.of()),
                row(
                        "environment: {A: no, B: 027, C: 12:30, D: , E: 'x y', F: $A, G: 1.0}",
                        environment,
                        Map.of("A", "no", "B", "027", "C", "12:30", "D", "", "E", "x y", "F", "$A", "G", "1.0")),
                row("env_file: web.env", environment, Map.of("A", "from file", "B", "2", "C", "x # y", "D", "$A")),
                row(
                        "env_file: [web.env, other.env]",
                        environment,
                        Map.of("A", "other", "B", "2", "C", "x # y", "D", "$A")),
                row(
                        "env_file: [other.env, web.env]\nenvironment: {B: mine}",
                        environment,
                        Map.of("A", "from file", "B", "mine", "C", "x # y", "D", "$A")),
                row("", spec -> spec.spawn().inheritEnv(), true),
                row("inherit_env: false", spec -> spec.spawn().inheritEnv(), false),
                row("", spec -> spec.spawn().umask(), 022),
                row("umask: 027", spec -> spec.spawn().umask(), 027),
                row("umask: \"077\"", spec -> spec.spawn().umask(), 077),
                row("umask: 0", spec -> spec.spawn().umask(), 0),
                row("umask: 0777", spec -> spec.spawn().umask(), 0777));
    }

    static List<Row> restarting() {
        return List.of(
                row("", ServiceSpec::startJitter, Duration.ZERO),
                row("start_jitter: 250ms", ServiceSpec::startJitter, Duration.ofMillis(250)),
                row("", ServiceSpec::ready, new Readiness.Delay(Duration.ofSeconds(1))),
                row("ready: {}", ServiceSpec::ready, new Readiness.Delay(Duration.ofSeconds(1))),
                row("ready: {delay: 0s}", ServiceSpec::ready, new Readiness.Delay(Duration.ZERO)),
                row("ready: {delay: 5m}", ServiceSpec::ready, new Readiness.Delay(Duration.ofMinutes(5))),
                row("", ServiceSpec::restart, RestartPolicy.ALWAYS),
                row("restart: always", ServiceSpec::restart, RestartPolicy.ALWAYS),
                row("restart: on-failure", ServiceSpec::restart, RestartPolicy.ON_FAILURE),
                row("restart: never", ServiceSpec::restart, RestartPolicy.NEVER),
                row("", ServiceSpec::successExitCodes, Set.of(0)),
                row("success_exit_codes: [0, 3, 143, 3]", ServiceSpec::successExitCodes, Set.of(0, 3, 143)),
                row("success_exit_codes: 255", ServiceSpec::successExitCodes, Set.of(255)),
                row("success_exit_codes: []", ServiceSpec::successExitCodes, Set.of()),
                row("", ServiceSpec::giveUpExitCodes, Set.of()),
                row("give_up_exit_codes: [78]", ServiceSpec::giveUpExitCodes, Set.of(78)),
                row("", ServiceSpec::backoff, backoff(500, 2, 30_000, 0.1, 60_000)),
                row("backoff: {initial: 0s, max: 0s}", ServiceSpec::backoff, backoff(0, 2, 0, 0.1, 60_000)),
                row("backoff: {initial: 1m}", ServiceSpec::backoff, backoff(60_000, 2, 60_000, 0.1, 60_000)),
                row(
                        "backoff: {initial: 1s, factor: 1.5, max: 1h, jitter: .5, reset_after: 1d}",
                        ServiceSpec::backoff,
                        backoff(1000, 1.5, 3_600_000, 0.5, 86_400_000)),
                row("", ServiceSpec::startLimit, Optional.empty()),
                row(
                        "start_limit: {count: 0}",
                        ServiceSpec::startLimit,
                        Optional.of(new RestartIntensity(0, Duration.ofMinutes(5)))),
                row(
                        "start_limit: {count: 5, within: 1h}",
                        ServiceSpec::startLimit,
                        Optional.of(new RestartIntensity(5, Duration.ofHours(1)))));
    }

    private static Backoff backoff(long initialMs, double factor, long maxMs, double jitter, long resetAfterMs) {
        return new Backoff(
                Duration.ofMillis(initialMs),
                factor,
                Duration.ofMillis(maxMs),
                jitter,
                Duration.ofMillis(resetAfterMs));
    }

    static List<Row> watching_and_stopping() {
        Path beats = Path.of("/tmp/jsupervise-1000/heartbeats/web");
        return List.of(
                row("", ServiceSpec::heartbeat, Optional.empty()),
                row("heartbeat:", ServiceSpec::heartbeat, Optional.empty()),
                row("heartbeat: {timeout: 30s}", ServiceSpec::heartbeat, beat(beats, 30, 90)),
                row(
                        "heartbeat: {timeout: 3650d}",
                        ServiceSpec::heartbeat,
                        beat(beats, 3650L * 86400, 3 * 3650L * 86400)),
                row(
                        "heartbeat: {timeout: 30s, grace: 1s, file: b}",
                        ServiceSpec::heartbeat,
                        beat(Path.of("/app/b"), 30, 1)),
                row(
                        "working_dir: /srv\nheartbeat: {timeout: 30s, file: b}",
                        ServiceSpec::heartbeat,
                        beat(Path.of("/srv/b"), 30, 90)),
                row("heartbeat: {timeout: 30s, file: /run/b}", ServiceSpec::heartbeat, beat(Path.of("/run/b"), 30, 90)),
                row("start_timeout: 2m", ServiceSpec::startTimeout, Duration.ofMinutes(2)),
                row("", ServiceSpec::startTimeout, Duration.ofSeconds(90)),
                row("ready: {notify: true}", ServiceSpec::ready, new Readiness.Notified()),
                row("ready: {notify: false}", ServiceSpec::ready, Readiness.DEFAULT),
                row("ready: {file: web.pid}", ServiceSpec::ready, new Readiness.Written(Path.of("/app/web.pid"))),
                row(
                        "ready: {heartbeat: true}\nheartbeat: {timeout: 1s}",
                        ServiceSpec::ready,
                        new Readiness.FirstBeat()),
                row("ready: {tcp: \"db:5432\"}", ServiceSpec::ready, answering(new Probe.Tcp("db", 5432))),
                row("ready: {tcp: \"[::1]:5432\"}", ServiceSpec::ready, answering(new Probe.Tcp("::1", 5432))),
                row("ready: {http: \"http://db\"}", ServiceSpec::ready, answering(new Probe.Http("db", 80, "/"))),
                row(
                        "ready: {http: \"http://db:81?x=/y\"}",
                        ServiceSpec::ready,
                        answering(new Probe.Http("db", 81, "/?x=/y"))),
                row(
                        "ready: {exec: [pg_isready, -q]}",
                        ServiceSpec::ready,
                        answering(new Probe.Exec(Command.of("pg_isready", "-q")))),
                row(
                        "shell: true\ncommand: run\nready: {exec: test -s x && y}",
                        ServiceSpec::ready,
                        answering(new Probe.Exec(Command.of("/bin/sh", "-c", "test -s x && y")))),
                row(
                        "checks: {a: {exec: \"look 'at it'\", retries: 1}}",
                        ServiceSpec::health,
                        new HealthSpec(
                                Optional.empty(),
                                List.of(new Check(
                                        "a",
                                        new Probe.Exec(Command.of("look", "at it")),
                                        Duration.ofSeconds(10),
                                        Duration.ofSeconds(3),
                                        1,
                                        Duration.ZERO)))),
                row("", ServiceSpec::health, HealthSpec.NONE),
                row(
                        "watchdog_timeout: 3s\nchecks: {a: {tcp: \"db:1\"}}",
                        ServiceSpec::health,
                        new HealthSpec(
                                Optional.of(Duration.ofSeconds(3)),
                                List.of(new Check(
                                        "a",
                                        new Probe.Tcp("db", 1),
                                        Duration.ofSeconds(10),
                                        Duration.ofSeconds(3),
                                        3,
                                        Duration.ZERO)))),
                row("", ServiceSpec::stop, stop(Signal.TERM, 10, Optional.empty())),
                row("stop_signal: QUIT", ServiceSpec::stop, stop(Signal.QUIT, 10, Optional.empty())),
                row("stop_signal: sigint\nstop_timeout: 0s", ServiceSpec::stop, stop(Signal.INT, 0, Optional.empty())),
                row(
                        "stop_signal: 15\ndump_signal: SIGABRT",
                        ServiceSpec::stop,
                        stop(Signal.TERM, 10, Optional.of(Signal.ABRT))),
                row("stop_signal: RTMIN+3", ServiceSpec::stop, stop(new Signal(37), 10, Optional.empty())));
    }

    private static Readiness answering(Probe probe) {
        return new Readiness.Answering(probe);
    }

    private static Optional<Heartbeat> beat(Path file, long timeoutSeconds, long graceSeconds) {
        return Optional.of(new Heartbeat(file, Duration.ofSeconds(timeoutSeconds), Duration.ofSeconds(graceSeconds)));
    }

    private static StopSequence stop(Signal signal, long timeoutSeconds, Optional<Signal> dump) {
        return new StopSequence(signal, Duration.ofSeconds(timeoutSeconds), dump);
    }

    static List<Row> logs() {
        LogSpec.Stderr merge = new LogSpec.Stderr.Merge();
        Path own = Path.of("/app/w.log");
        int pipe = 1 << 20;
        return List.of(
                row("", ServiceSpec::log, LOG),
                row("log: {}", ServiceSpec::log, LOG),
                row("log:", ServiceSpec::log, LOG),
                row("log: none", ServiceSpec::log, new LogSpec.None()),
                row("log: inherit", ServiceSpec::log, new LogSpec.Inherit()),
                row(
                        "log: {file: w.log, max_size: 4KiB, max_files: 0, compress: true, timestamps: true, console: true, pipe_size: 64KiB}",
                        ServiceSpec::log,
                        new LogSpec.ToFile(own, merge, 4096, 0, true, true, true, 65536)),
                row(
                        "log: {file: w.log, max_size: 1GB, max_files: 1000, pipe_size: 1GiB}",
                        ServiceSpec::log,
                        new LogSpec.ToFile(own, merge, 1_000_000_000, 1000, false, false, false, 1 << 30)),
                row("log: {stderr: merge}", ServiceSpec::log, LOG),
                row(
                        "log: {file: w.log, stderr: null}",
                        ServiceSpec::log,
                        new LogSpec.ToFile(own, new LogSpec.Stderr.Null(), 10 << 20, 5, false, false, false, pipe)),
                row(
                        "log: {file: w.log, stderr: 'null'}",
                        ServiceSpec::log,
                        new LogSpec.ToFile(own, new LogSpec.Stderr.Null(), 10 << 20, 5, false, false, false, pipe)),
                row("log: {file: w.log, stderr: }", ServiceSpec::log, LogSpec.ToFile.of(own)),
                row(
                        "log: {file: w.log, stderr: file}",
                        spec -> ((LogSpec.ToFile) spec.log()).stderrFile(),
                        Optional.of(Path.of("/app/w.err.log"))),
                row(
                        "log: {file: out, stderr: file}",
                        spec -> ((LogSpec.ToFile) spec.log()).stderrFile(),
                        Optional.of(Path.of("/app/out.err.log"))),
                row(
                        "log: {stderr: file}",
                        spec -> ((LogSpec.ToFile) spec.log()).stderrFile(),
                        Optional.of(LOGS.resolve("web.err.log"))));
    }

    static List<Row> asOthers() {
        Function<ServiceSpec, Object> who = spec -> spec.spawn().privileges().credentials();
        Function<ServiceSpec, Object> resources =
                spec -> spec.spawn().privileges().resources();
        Function<ServiceSpec, Object> limits = spec -> spec.spawn().privileges().limits().stream()
                .map(limit -> limit.what().word() + " " + limit.range())
                .toList();
        Map<String, String> www =
                Map.of("HOME", "/var/www", "USER", "www-data", "LOGNAME", "www-data", "SHELL", "/usr/sbin/nologin");
        Map<String, String> bare = Map.of("HOME", "/", "USER", "bare", "LOGNAME", "bare", "SHELL", "/bin/sh");
        Map<String, String> number = Map.of("HOME", "/", "USER", "4711", "LOGNAME", "4711", "SHELL", "/bin/sh");
        return List.of(
                row("", spec -> spec.spawn().privileges() == Privileges.NONE, true),
                row("no_new_privs: false", spec -> spec.spawn().privileges() == Privileges.NONE, true),
                row("user: www-data", who, credentials("www-data", 33, 33, List.of(33), www)),
                row("user: 33", who, credentials("www-data", 33, 33, List.of(33), www)),
                row("user: bare", who, credentials("bare", 70, 70, List.of(), bare)),
                row(
                        "user: www-data\ngroup: adm\nsupplementary_groups: [ssl-cert, 4, 7]",
                        who,
                        credentials("www-data", 33, 4, List.of(4, 7, 33, 111), www)),
                row("user: 4711\ngroup: 4712", who, credentials("4711", 4711, 4712, List.of(), number)),
                row(
                        "user: 4294967294\ngroup: 4294967294",
                        spec -> spec.spawn()
                                .privileges()
                                .credentials()
                                .orElseThrow()
                                .uid(),
                        -2),
                row("group: adm", who, credentials("0", 0, 4, List.of(), Map.of())),
                row("supplementary_groups: adm", who, credentials("0", 0, 0, List.of(4), Map.of())),
                row("rlimits: {}", limits, List.of()),
                row("rlimits: {nofile: 65536}", limits, List.of("nofile 65536")),
                row(
                        "rlimits: {nofile: {soft: 1024, hard: 65536}, core: unlimited, as: {soft: 64MiB, hard: unlimited}, cpu: 0}",
                        limits,
                        List.of("cpu 0", "core unlimited", "nofile 1024:65536", "as 67108864:unlimited")),
                row("rlimits: {memlock: 65536, nofile:}", limits, List.of("memlock 65536")),
                row("nice: -20", spec -> spec.spawn().privileges().nice(), OptionalInt.of(-20)),
                row("nice: 19", spec -> spec.spawn().privileges().nice(), OptionalInt.of(19)),
                row("nice: 0", spec -> spec.spawn().privileges().nice(), OptionalInt.of(0)),
                row("oom_score_adj: -1000", spec -> spec.spawn().privileges().oomScoreAdj(), OptionalInt.of(-1000)),
                row("resources: {}", resources, Optional.of(resources(-1, -1, -1, false))),
                row("resources: {memory_max: 512MiB}", resources, Optional.of(resources(512 << 20, -1, -1, false))),
                row("resources: {cpu_max: 50%}", resources, Optional.of(resources(-1, 50_000, -1, false))),
                row("resources: {cpu_max: 12.5%}", resources, Optional.of(resources(-1, 12_500, -1, false))),
                row("resources: {cpu_max: \"2\"}", resources, Optional.of(resources(-1, 200_000, -1, false))),
                row("resources: {cpu_max: 0.5}", resources, Optional.of(resources(-1, 50_000, -1, false))),
                row("resources: {cpu_max: 1%}", resources, Optional.of(resources(-1, 1_000, -1, false))),
                row("resources: {pids_max: 100, optional: true}", resources, Optional.of(resources(-1, -1, 100, true))),
                row("resources:", resources, Optional.empty()),
                row("no_new_privs: true", spec -> spec.spawn().privileges().noNewPrivs(), true));
    }

    /** -1 for no limit. */
    private static Resources resources(long memory, long quota, int pids, boolean optional) {
        return new Resources(
                memory < 0 ? OptionalLong.empty() : OptionalLong.of(memory),
                quota < 0 ? OptionalLong.empty() : OptionalLong.of(quota),
                pids < 0 ? OptionalInt.empty() : OptionalInt.of(pids),
                optional);
    }

    @ParameterizedTest
    @CsvSource({
        "cpu_max: 0.9%",
        "cpu_max: 0",
        "cpu_max: x",
        "cpu_max: 50 %",
        "cpu_max: -1",
        "cpu_max: 1.2345",
        "cpu_max: .5",
        "cpu_max: 5.",
        "cpu_max: 99999999%",
        "cpu_max: \"%\"",
        "memory_max: 1KiB",
        "memory_max: 5",
        "pids_max: 0",
        "pids_max: 1.5",
        "cpus: 3",
        "optional: maybe"
    })
    void what_is_no_limit_is_told(String line) {
        ConfigException e =
                assertThrows(ConfigException.class, () -> read("resources: {" + line + "}", new KnownMachine(0)));
        assertEquals(1, e.problems().size(), e.getMessage());
        assertFalse(e.lacksRightsOnly());
    }

    @Test
    void resources_that_cannot_be_had_are_told_unless_they_are_optional() throws ConfigException {
        KnownMachine ours = new KnownMachine(1000);
        ConfigException e = assertThrows(ConfigException.class, () -> read("resources: {pids_max: 3}", ours));
        assertTrue(e.lacksRightsOnly(), e.getMessage());
        assertTrue(e.getMessage().contains("EACCES"), e.getMessage());
        assertTrue(e.getMessage().contains("optional: true"), e.getMessage());
        ConfigException missing = assertThrows(
                ConfigException.class, () -> read("resources: {cpu_max: 50%}", new KnownMachine(0).without("cpu")));
        assertFalse(missing.lacksRightsOnly(), missing.getMessage());
        assertTrue(missing.getMessage().contains("there is no controller cpu"), missing.getMessage());
        assertEquals(
                Optional.of(resources(-1, -1, 3, true)),
                read("resources: {pids_max: 3, optional: true}", ours)
                        .spawn()
                        .privileges()
                        .resources());
    }

    private static Optional<Credentials> credentials(
            String name, int uid, int gid, List<Integer> groups, Map<String, String> environment) {
        return Optional.of(new Credentials(name, uid, gid, groups, environment));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("asOthers")
    void a_key_for_root_has_the_value_that_stands_there(Row row) throws ConfigException {
        assertEquals(row.expected, row.part.apply(read(row.lines, new KnownMachine(0))));
    }

    @Test
    void a_user_that_many_services_have_is_looked_up_once() throws ConfigException {
        KnownMachine machine = new KnownMachine(0);
        MemoryFiles files = MemoryFiles.of(
                "defaults: {user: www-data}\nservices:\n  a: {command: x}\n  b: {command: x}\n  c: {command: x}\n");
        List<ServiceSpec> services = ConfigReader.read(MemoryFiles.MAIN, files, MemoryFiles.surroundings(0), machine)
                .services();
        assertEquals(1, machine.lookups);
        assertSame(services.get(0).spawn().privileges(), services.get(2).spawn().privileges());
    }

    @ParameterizedTest
    @CsvSource({
        "setpriv, user: www-data, user",
        "setpriv, no_new_privs: true, no_new_privs",
        "env, group: adm, group",
        "prlimit, 'rlimits: {nofile: 3}', rlimits",
        "choom, oom_score_adj: 3, oom_score_adj",
        "nice, nice: 3, nice",
        "sh, resources: {}, resources"
    })
    void a_program_that_is_not_on_this_machine_is_told_by_the_key_that_needs_it(
            String loader, String line, String key) {
        ConfigException e = assertThrows(ConfigException.class, () -> read(line, new KnownMachine(0).without(loader)));
        assertTrue(e.getMessage().contains(key + " needs the program " + loader + "(1)"), e.getMessage());
        assertFalse(e.lacksRightsOnly());
    }

    @Test
    void what_only_root_may_is_told_apart_from_what_is_wrong() {
        KnownMachine ours = new KnownMachine(1000);
        assertTrue(assertThrows(ConfigException.class, () -> read("nice: -3\nuser: root", ours))
                .lacksRightsOnly());
        assertFalse(assertThrows(ConfigException.class, () -> read("nice: -3\nuser: nobody-here", ours))
                .lacksRightsOnly());
    }

    static List<Row> all() {
        List<Row> all = new ArrayList<>(commands());
        all.addAll(spawning());
        all.addAll(restarting());
        all.addAll(watching_and_stopping());
        all.addAll(logs());
        return all;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("all")
    void a_key_has_the_value_that_stands_there_or_its_default(Row row) throws ConfigException {
        assertEquals(row.expected, row.part.apply(read(row.lines)));
    }

    @Test
    void a_full_service_of_defaults_is_what_the_spec_calls_defaults() throws ConfigException {
        assertEquals(
                ServiceSpec.of("web", "run")
                        .workingDir(MemoryFiles.APP)
                        .log(LOG)
                        .build(),
                read(""));
    }

    private static ServiceSpec read(String lines) throws ConfigException {
        return read(lines, new KnownMachine(1000));
    }

    private static ServiceSpec read(String lines, KnownMachine machine) throws ConfigException {
        String all = lines.contains("command:") ? lines : "command: run\n" + lines;
        MemoryFiles files = MemoryFiles.of("services:\n  web:\n    " + all.replace("\n", "\n    ") + "\n")
                .with("web.env", "\ufeff# variables\n\nexport A='from file'\r\n B = 2\nC=x # y\nD=$A")
                .with("other.env", "A=\"other\"\n");
        return ConfigReader.read(MemoryFiles.MAIN, files, MemoryFiles.surroundings(1000), machine)
                .services()
                .get(0);
    }
}
