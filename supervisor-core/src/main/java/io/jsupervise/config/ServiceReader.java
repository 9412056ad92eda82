package io.jsupervise.config;

import io.jsupervise.config.Value.Mapping;
import io.jsupervise.config.Value.Place;
import io.jsupervise.config.Value.Sequence;
import io.jsupervise.config.Value.Text;
import io.jsupervise.spec.Backoff;
import io.jsupervise.spec.Command;
import io.jsupervise.spec.Heartbeat;
import io.jsupervise.spec.HookKind;
import io.jsupervise.spec.Hooks;
import io.jsupervise.spec.KillMode;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.Privileges;
import io.jsupervise.spec.RestartIntensity;
import io.jsupervise.spec.RestartPolicy;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import io.jsupervise.spec.StopSequence;
import io.jsupervise.spec.SupervisorSpec;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One service: its map, defaults already below it, to its spec. */
final class ServiceReader {
    private static final Duration STANDARD_LIMIT = Duration.ofMinutes(5);

    private static final int GRACE_FACTOR = 3;
    private static final Duration STANDARD_HOOK = Duration.ofSeconds(90);

    /** At most one of a service runs at a time, and a shutdown waits for it. */
    private static final Duration STANDARD_ALERT = Duration.ofSeconds(30);

    private final SupervisorSpec supervisor;
    private final ConfigFiles files;
    private final Problems problems;
    private final Dependencies dependencies;
    private final Groups groups;
    private final PrivilegesReader privileges;
    private final Optional<Programs> programs;
    private final HealthReader health;
    private final Map<Path, Map<String, String>> envFiles = new HashMap<>();

    /** Paths and environments are shared by the services that have the same: there may be thousands. */
    private final Map<Object, Object> shared = new HashMap<>();

    /**
     * @param dependencies gets what each service depends on
     * @param groups       those of services, all of them known
     * @param programs     looks at commands and hooks; empty where nobody wants to know
     */
    ServiceReader(
            SupervisorSpec supervisor,
            ConfigFiles files,
            Machine machine,
            Problems problems,
            Dependencies dependencies,
            Groups groups,
            Optional<Programs> programs) {
        this.supervisor = supervisor;
        this.files = files;
        this.problems = problems;
        this.privileges = new PrivilegesReader(machine);
        this.dependencies = dependencies;
        this.groups = groups;
        this.programs = programs;
        this.health = new HealthReader(supervisor, this::command);
    }

    /** Empty where something is wrong that leaves nothing to run; all problems are told. */
    Optional<ServiceSpec> read(ServiceName name, Place at, Mapping map) {
        Section section = new Section("", map, problems).knows(Keys.SERVICE);
        Path directory = map.place().directory();
        Optional<Command> command = command(name, at, section);
        boolean oneshot = section.word("type", List.of("service", "oneshot"))
                .orElse("service")
                .equals("oneshot");
        Optional<Path> workingDir = section.path("working_dir", directoryOf(section, "working_dir", directory));
        ServiceSpec.Builder spec = ServiceSpec.of(name, command.orElse(Command.of("missing")))
                .workingDir(share(workingDir.orElse(directory)))
                .environment(share(environment(section)))
                .inheritEnv(section.bool("inherit_env", true))
                .umask(umask(section))
                .privileges(privileges(groups.isOurs(section) ? section.without("group") : section))
                .autostart(section.bool("autostart", true))
                .dependsOn(dependencies.read(name, section))
                .startJitter(section.duration("start_jitter", Duration.ZERO))
                .startTimeout(section.duration("start_timeout", ServiceSpec.DEFAULT_START_TIMEOUT))
                .health(health.health(section))
                .successExitCodes(section.exitCodes("success_exit_codes", List.of(0)))
                .giveUpExitCodes(section.exitCodes("give_up_exit_codes", List.of()))
                .backoff(backoff(section))
                .stop(stop(section))
                .hooks(hooks(section, oneshot))
                .log(log(name, section));
        if (oneshot) {
            spec.oneshot();
            refuseForOneshot(section);
        }
        restart(section, oneshot).ifPresent(spec::restart);
        groups.of(name, section).ifPresent(spec::group);
        section.string("description", "a text").ifPresent(spec::description);
        startLimit(section).ifPresent(limit -> spec.startLimit(limit));
        boolean critical = section.bool("critical", false);
        if (critical) {
            spec.critical();
        }
        Optional<Heartbeat> heartbeat = heartbeat(name, section, workingDir.orElse(directory));
        heartbeat.ifPresent(spec::heartbeat);
        if (!oneshot) {
            spec.ready(health.ready(section, heartbeat, workingDir.orElse(directory)));
        }
        if (command.isEmpty()) {
            return Optional.empty();
        }
        if (critical || section.has("verify") || section.has("escalate")) {
            escalation(section, spec);
        }
        ServiceSpec built = spec.build();
        if (programs.isPresent() && problems.isEmpty()) {
            programs.get().look(section, built);
        }
        HealthReader.checkLog(section, built);
        if (built.isHeard()) {
            health.checkSocket(name, section);
        }
        return Optional.of(built);
    }

    private void escalation(Section section, ServiceSpec.Builder spec) {
        boolean shell = section.has("shell") && section.bool("shell", false);
        EscalationReader reader =
                new EscalationReader(section, problems, (rung, key) -> hook(rung, key, STANDARD_HOOK, shell));
        spec.escalation(reader.read());
        reader.limit(spec.build()).ifPresent(spec::startLimit);
    }

    /** Relative paths are relative to the file in which they stand, which may be another for defaults. */
    private static Path directoryOf(Section section, String key, Path otherwise) {
        return section.has(key) ? section.placeOf(key).directory() : otherwise;
    }

    @SuppressWarnings("unchecked")
    private <T> T share(T value) {
        Object known = shared.putIfAbsent(value, value);
        return known == null ? value : (T) known;
    }

    // ---- what to run ----

    private Optional<Command> command(ServiceName name, Place at, Section section) {
        boolean shell = section.bool("shell", false);
        Optional<Value> value = section.value("command");
        if (value.isEmpty()) {
            section.problem(
                    at, "service \"" + name + "\" has no command", "add command: [/usr/bin/program, --option, value]");
            return Optional.empty();
        }
        if (shell && !(value.get() instanceof Text)) {
            section.problem(
                    value.get().place(), "command is " + value.get().kind() + " for a shell", "write one line of text");
            return Optional.empty();
        }
        return command(section, "command", shell);
    }

    /** A list, or a text that is split into words or given to a shell; what is wrong with it is told. */
    private Optional<Command> command(Section section, String key, boolean shell) {
        int toldBefore = problems.added();
        Value value = section.value(key).orElseThrow();
        List<String> argv = new ArrayList<>();
        if (value instanceof Text line) {
            argv.addAll(words(section, key, line, shell));
        } else {
            for (Text argument : section.texts(key, "a list of texts, or one line")) {
                argv.add(argument.text());
            }
        }
        if (problems.added() > toldBefore) {
            return Optional.empty();
        }
        if (argv.isEmpty() || argv.get(0).isEmpty()) {
            section.problem(value.place(), key + " is empty", "name a program");
            return Optional.empty();
        }
        return Optional.of(new Command(argv));
    }

    private static List<String> words(Section section, String key, Text given, boolean shell) {
        Optional<Text> line = section.text(key, "a line of text");
        if (line.isEmpty()) {
            return List.of();
        } else if (!shell) {
            return split(section, key, given);
        }
        return given.text().isBlank() ? List.of() : List.of("/bin/sh", "-c", given.text());
    }

    private static List<String> split(Section section, String key, Text line) {
        try {
            return ShellWords.split(line.text());
        } catch (ShellWords.Unclosed e) {
            Place place = line.literal() ? line.place().plus(e.index()) : line.place();
            section.problem(
                    place,
                    key + " has an unclosed " + (line.text().charAt(e.index()) == '\\' ? "backslash" : "quote"),
                    "close it, or write the command as a list");
            return List.of();
        }
    }

    // ---- hooks ----

    private Hooks hooks(Section section, boolean oneshot) {
        Duration stopTimeout = section.has("stop_timeout") || section.has("stop_command")
                ? section.duration("stop_timeout", StopSequence.DEFAULT.timeout())
                : StopSequence.DEFAULT.timeout();
        if (oneshot && section.has("post_start")) {
            section.problem(
                    section.placeOf("post_start"),
                    "post_start is set for a oneshot, which has nothing to be done beside it",
                    "use post_stop, or another oneshot that depends on this one");
        }
        if (!hasSome(section)) {
            return Hooks.NONE;
        }
        return new Hooks(
                hook(section, "pre_start", STANDARD_HOOK),
                hook(section, "post_start", STANDARD_HOOK),
                hook(section, "stop_command", stopTimeout.isZero() ? StopSequence.DEFAULT.timeout() : stopTimeout),
                hook(section, "post_stop", STANDARD_HOOK),
                hook(section, "on_failure", STANDARD_ALERT),
                hook(section, "on_give_up", STANDARD_ALERT),
                hook(section, "on_recovered", STANDARD_ALERT));
    }

    private static boolean hasSome(Section section) {
        for (HookKind kind : HookKind.values()) {
            if (section.has(kind.word())) {
                return true;
            }
        }
        return false;
    }

    private Optional<Hooks.Hook> hook(Section section, String key, Duration standard) {
        return hook(section, key, standard, section.has("shell") && section.bool("shell", false));
    }

    private Optional<Hooks.Hook> hook(Section section, String key, Duration standard, boolean shell) {
        Optional<Value> value = section.value(key);
        if (value.isEmpty()) {
            return Optional.empty();
        }
        if (!(value.get() instanceof Mapping)) {
            return command(section, key, shell).map(command -> new Hooks.Hook(command, standard));
        }
        Section map = section.section(key).orElseThrow().knows(Keys.HOOK);
        Duration timeout = map.has("timeout") ? map.positive("timeout").orElse(standard) : standard;
        if (!map.has("command")) {
            map.problem(map.place(), key + " has no command", "add command: [/usr/bin/program, --option, value]");
            return Optional.empty();
        }
        return command(map, "command", shell).map(command -> new Hooks.Hook(command, timeout));
    }

    private Map<String, String> environment(Section section) {
        Map<String, String> all = new LinkedHashMap<>();
        for (Text file : section.texts("env_file", "a path, or a list of paths")) {
            section.path("env_file", file, file.place().directory())
                    .ifPresent(path -> all.putAll(envFile(section, file, path)));
        }
        for (Map.Entry<String, Text> variable : section.textMap("environment").entrySet()) {
            if (Environment.isName(variable.getKey())) {
                all.put(variable.getKey(), variable.getValue().text());
            } else {
                section.problem(
                        variable.getValue().place(),
                        "environment has the name " + Value.quoted(variable.getKey()),
                        "use letters, digits and _");
            }
        }
        return all;
    }

    private Map<String, String> envFile(Section section, Text place, Path path) {
        Map<String, String> known = envFiles.get(path);
        if (known == null) {
            try {
                known = EnvFile.read(path, files.read(path), problems);
            } catch (IOException e) {
                section.problem(
                        place.place(),
                        "env_file " + path + " cannot be read: " + reason(e),
                        "create it, or remove the key");
                known = Map.of();
            }
            envFiles.put(path, known);
        }
        return known;
    }

    static String reason(IOException e) {
        if (e instanceof java.nio.file.NoSuchFileException) {
            return "there is no such file";
        } else if (e instanceof java.nio.file.AccessDeniedException) {
            return "permission denied";
        }
        return String.valueOf(e.getMessage());
    }

    private static int umask(Section section) {
        Optional<Text> text = section.text("umask", "an octal number such as \"022\"");
        if (text.isEmpty()) {
            return 022;
        }
        String digits = text.get().text();
        boolean octal = !digits.isEmpty() && digits.length() <= 4;
        for (int i = 0; i < digits.length(); i++) {
            octal &= digits.charAt(i) >= '0' && digits.charAt(i) <= '7';
        }
        int umask = octal ? Integer.parseInt(digits, 8) : -1;
        if (umask < 0 || umask > 0777) {
            section.problem(
                    text.get().place(), "umask is " + text.get().kind(), "write an octal number from 000 to 777");
            return 022;
        }
        return umask;
    }

    /** Mostly nothing is asked, and then nothing is compared: the equality of records is made at run time. */
    private Privileges privileges(Section section) {
        Privileges asked = privileges.read(section);
        return asked == Privileges.NONE ? asked : share(asked);
    }

    // ---- when ----

    /** What means nothing where a process is to end by itself is no key of a oneshot. */
    private static void refuseForOneshot(Section section) {
        if (section.has("ready")) {
            section.problem(
                    section.placeOf("ready"),
                    "ready is set for a oneshot, which is ready when it has completed",
                    "remove it");
        }
        if (section.has("checks")) {
            section.problem(
                    section.placeOf("checks"), "checks are set for a oneshot, which serves nobody", "remove them");
        }
    }

    private static Optional<RestartPolicy> restart(Section section, boolean oneshot) {
        Optional<String> word = section.word("restart", List.of("always", "on-failure", "never"));
        if (oneshot && word.equals(Optional.of(RestartPolicy.ALWAYS.word()))) {
            section.problem(
                    section.placeOf("restart"),
                    "restart is always for a oneshot, which would never complete",
                    "write on-failure or never");
            return Optional.empty();
        }
        for (RestartPolicy policy : RestartPolicy.values()) {
            if (word.isPresent() && policy.word().equals(word.get())) {
                return Optional.of(policy);
            }
        }
        return Optional.empty();
    }

    private static Backoff backoff(Section section) {
        Backoff standard = Backoff.DEFAULT;
        Optional<Section> given = section.section("backoff");
        if (given.isEmpty()) {
            return standard;
        }
        Section backoff = given.get().knows(Keys.BACKOFF);
        Duration initial = backoff.duration("initial", standard.initial());
        Duration max = backoff.duration("max", longer(standard.max(), initial));
        if (max.compareTo(initial) < 0) {
            backoff.problem(backoff.placeOf("max"), "max is shorter than initial", "make it at least as long");
            max = initial;
        }
        return new Backoff(
                initial,
                backoff.decimal("factor", standard.factor(), 1, 1000),
                max,
                backoff.decimal("jitter", standard.jitter(), 0, 1),
                backoff.duration("reset_after", standard.resetAfter()));
    }

    private static Duration longer(Duration a, Duration b) {
        return a.compareTo(b) >= 0 ? a : b;
    }

    private static Optional<RestartIntensity> startLimit(Section section) {
        Optional<Section> given = section.section("start_limit");
        if (given.isEmpty()) {
            return Optional.empty();
        }
        Section limit = given.get().knows(Keys.START_LIMIT);
        if (!limit.has("count")) {
            limit.problem(limit.place(), "start_limit has no count", "add count: 5");
            return Optional.empty();
        }
        int count = limit.number("count", 5, 0, 10_000);
        Duration within = limit.has("within") ? limit.positive("within").orElse(STANDARD_LIMIT) : STANDARD_LIMIT;
        return Optional.of(new RestartIntensity(count, within));
    }

    // ---- alive, stop, logs ----

    private Optional<Heartbeat> heartbeat(ServiceName name, Section section, Path workingDir) {
        Optional<Section> given = section.section("heartbeat");
        if (given.isEmpty()) {
            return Optional.empty();
        }
        Section heartbeat = given.get().knows(Keys.HEARTBEAT);
        if (!heartbeat.has("timeout")) {
            heartbeat.problem(heartbeat.place(), "heartbeat has no timeout", "add timeout: 30s");
            return Optional.empty();
        }
        Optional<Duration> timeout = heartbeat.positive("timeout");
        Optional<Path> file = heartbeat.path("file", workingDir);
        Optional<Duration> grace = heartbeat.has("grace")
                ? heartbeat.positive("grace")
                : timeout.map(time -> time.multipliedBy(GRACE_FACTOR));
        if (timeout.isEmpty() || grace.isEmpty()) {
            return Optional.empty();
        }
        Path standard = supervisor.runtimeDir().resolve("heartbeats").resolve(name.value());
        return Optional.of(new Heartbeat(file.orElse(standard), timeout.get(), grace.get()));
    }

    private static StopSequence stop(Section section) {
        StopSequence standard = StopSequence.DEFAULT;
        Optional<Signal> dump = section.signal("dump_signal");
        return new StopSequence(
                section.signal("stop_signal", standard.signal()),
                section.duration("stop_timeout", standard.timeout()),
                dump,
                killMode(section));
    }

    private static KillMode killMode(Section section) {
        Optional<String> word = section.word("kill_mode", List.of("tree", "mixed", "process"));
        for (KillMode mode : KillMode.values()) {
            if (word.isPresent() && mode.word().equals(word.get())) {
                return mode;
            }
        }
        return KillMode.TREE;
    }

    private LogSpec log(ServiceName name, Section section) {
        Path standard = supervisor.stateDir().resolve("logs").resolve(name.value() + ".log");
        Optional<Value> value = section.value("log");
        if (value.isEmpty()) {
            return LogSpec.ToFile.of(standard);
        }
        if (value.get() instanceof Mapping) {
            return logFile(name, section.section("log").orElseThrow().knows(Keys.LOG), standard);
        }
        if (value.get() instanceof Sequence) {
            section.problem(
                    value.get().place(), "log is a list", "write none, inherit or a map such as {max_size: 10MiB}");
            return LogSpec.ToFile.of(standard);
        }
        Optional<String> word = section.word("log", List.of("none", "inherit"));
        return word.isPresent() && word.get().equals("none") ? new LogSpec.None() : new LogSpec.Inherit();
    }

    private static LogSpec logFile(ServiceName name, Section log, Path standard) {
        Path file = log.path("file", directoryOf(log, "file", log.place().directory()))
                .orElse(standard);
        if (file.getFileName() == null) {
            log.problem(log.placeOf("file"), "log file / is a directory", "name a file");
            file = standard;
        }
        return new LogSpec.ToFile(
                file,
                stderr(log, file),
                log.size("max_size", LogSpec.ToFile.DEFAULT_MAX_SIZE, 4096, 1L << 40),
                log.number("max_files", LogSpec.ToFile.DEFAULT_MAX_FILES, 0, LogSpec.ToFile.MOST_FILES),
                log.bool("compress", false),
                log.bool("timestamps", false),
                log.bool("console", false),
                (int) log.size("pipe_size", LogSpec.ToFile.DEFAULT_PIPE_SIZE, 4096, 1 << 30));
    }

    private static LogSpec.Stderr stderr(Section log, Path file) {
        Optional<Value> value = log.value("stderr");
        // "null" is a word here, not the absence of one.
        boolean plainNull = value.isEmpty()
                && log.members().containsKey("stderr")
                && log.members().get("stderr").value() instanceof Text text
                && text.text().equals("null");
        if (plainNull) {
            return new LogSpec.Stderr.Null();
        }
        return switch (log.word("stderr", List.of("merge", "file", "null")).orElse("merge")) {
            case "file" -> new LogSpec.Stderr.ToFile(LogSpec.ToFile.errorFile(file));
            case "null" -> new LogSpec.Stderr.Null();
            default -> new LogSpec.Stderr.Merge();
        };
    }
}
