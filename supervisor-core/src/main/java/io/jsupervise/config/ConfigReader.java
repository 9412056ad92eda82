package io.jsupervise.config;

import io.jsupervise.config.Value.Mapping;
import io.jsupervise.config.Value.Member;
import io.jsupervise.config.Value.Place;
import io.jsupervise.config.Value.Text;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.SupervisorSpec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Reads services.yml with all that it includes. Strict: what is not known is an error, and all errors are told at once.
 */
public final class ConfigReader {
    /** Files within files: through symbolic links there could be ever more. */
    private static final int DEEPEST = 10;

    private static final int MOST_FILES = 1000;

    /** All files together: what fits into the daemon's heap as values, twice over. */
    private static final int MOST_BYTES = 2 * ConfigFiles.MOST_BYTES;

    /** An address of unix(7) takes 107 bytes; the socket is bound under a name that is four longer, then renamed. */
    private static final int LONGEST_SOCKET = 103;

    private static final Mapping NOTHING = new Mapping(new Place(Path.of("/"), 1, 1), Map.of());

    private final ConfigFiles files;
    private final Surroundings around;
    private final Machine machine;
    private final Optional<Programs> programs;
    private final Problems problems = new Problems();
    private final Groups groups = new Groups(problems);
    private final Map<String, Found> found = new LinkedHashMap<>();
    private final Set<Path> reading = new LinkedHashSet<>();
    private final Set<Path> read = new HashSet<>();
    private int bytesRead;

    /** @param map with the defaults of its file below it */
    private record Found(Place place, Mapping map) {}

    private ConfigReader(ConfigFiles files, Surroundings around, Machine machine, Optional<Programs> programs) {
        this.files = files;
        this.machine = machine;
        this.around = around;
        this.programs = programs;
    }

    /**
     * @param file    made absolute by the caller
     * @param machine is asked for what the file uses of it, which may take its time
     * @throws ConfigException with everything that is wrong
     */
    public static Configuration read(Path file, ConfigFiles files, Surroundings around, Machine machine)
            throws ConfigException {
        return new ConfigReader(files, around, machine, Optional.empty()).read(file);
    }

    /**
     * The same, and looks whether commands and hooks can be executed by now.
     *
     * @param warnings gets what does not keep the file from being used, where nothing else is wrong
     * @throws ConfigException also for a command that its user is not permitted to execute
     */
    public static Configuration read(
            Path file, ConfigFiles files, Surroundings around, Machine machine, Consumer<ConfigProblem> warnings)
            throws ConfigException {
        Programs programs = new Programs(machine);
        Configuration read = new ConfigReader(files, around, machine, Optional.of(programs)).read(file);
        programs.tell(warnings);
        return read;
    }

    private Configuration read(Path file) throws ConfigException {
        Optional<Mapping> top = open(file, new Place(file, 1, 1));
        if (top.isEmpty()) {
            throw new ConfigException(problems.inOrder());
        }
        Section section = new Section("", top.get(), problems).knows(Keys.TOP);
        SupervisorSpec supervisor = supervisor(section);
        reading.add(file);
        collect(section, NOTHING);
        reading.remove(file);
        List<ServiceSpec> services = services(supervisor);
        if (found.isEmpty() && problems.isEmpty()) {
            section.problem(
                    section.placeOf("services"), "there is no service", "add one below \"services:\", with a command");
        }
        if (!problems.isEmpty()) {
            throw new ConfigException(problems.inOrder());
        }
        return new Configuration(file, supervisor, services);
    }

    private Optional<Mapping> open(Path file, Place named) {
        problems.file(file);
        try {
            byte[] text = files.read(file);
            bytesRead += text.length;
            if (bytesRead > MOST_BYTES && text.length <= ConfigFiles.MOST_BYTES) {
                problems.add(
                        named,
                        "the files up to " + file + " have more than " + (MOST_BYTES >> 20) + " MiB together",
                        "supervise some of the services by another jsupervise");
                return Optional.empty();
            }
            return new YamlFile(file, problems).read(text);
        } catch (IOException e) {
            problems.add(
                    named,
                    (named.file().equals(file) ? "the file" : file) + " cannot be read: " + ServiceReader.reason(e),
                    "check the path and its permissions");
            return Optional.empty();
        }
    }

    // ---- files and their services ----

    private void collect(Section section, Mapping outerDefaults) {
        Mapping defaults = defaults(section, outerDefaults);
        groups.collect(section);
        Optional<Section> services = section.section("services");
        if (services.isPresent()) {
            for (Map.Entry<String, Member> entry : services.get().members().entrySet()) {
                add(services.get(), entry.getKey(), entry.getValue(), defaults);
            }
        }
        for (Text pattern : section.texts("include", "a path or pattern, or a list of them")) {
            include(section, pattern, defaults);
        }
    }

    private Mapping defaults(Section section, Mapping outer) {
        Optional<Section> given = section.section("defaults");
        if (given.isEmpty()) {
            return outer;
        }
        Mapping own = (Mapping) section.value("defaults").orElseThrow();
        new Section("", own, problems).knows(Keys.SERVICE);
        return outer.overlaid(own);
    }

    private void add(Section services, String name, Member member, Mapping defaults) {
        if (!ServiceName.isValid(name)) {
            services.problem(member.key(), "service name " + Value.quoted(name) + " is not valid", ServiceName.RULE);
            return;
        }
        Found before = found.get(name);
        if (before != null) {
            services.problem(
                    member.key(),
                    "service \"" + name + "\" is there already, in " + before.place.file() + ":" + before.place.line(),
                    "rename or remove one");
            return;
        }
        Value value = member.value();
        if (value instanceof Text text && text.isNull()) {
            value = new Mapping(member.key(), Map.of());
        }
        if (value instanceof Mapping mapping) {
            found.put(name, new Found(member.key(), Defaults.under(defaults, mapping)));
        } else {
            services.problem(
                    value.place(),
                    "service \"" + name + "\" is " + value.kind(),
                    "write a map with its command below it");
            found.put(name, new Found(member.key(), NOTHING));
        }
    }

    private void include(Section section, Text pattern, Mapping defaults) {
        Path directory = pattern.place().directory();
        List<Path> included;
        if (isPattern(pattern.text())) {
            try {
                included = files.glob(directory, pattern.text());
            } catch (IOException | RuntimeException e) {
                section.problem(
                        pattern.place(),
                        "include " + pattern.kind() + " cannot be searched: " + firstLine(e),
                        "check the pattern");
                return;
            }
        } else {
            included = section.path("include", pattern, directory).map(List::of).orElse(List.of());
        }
        for (Path file : included) {
            includeOne(section, pattern, file, defaults);
        }
    }

    /** The further lines of a PatternSyntaxException draw an arrow. */
    private static String firstLine(Exception e) {
        String message = String.valueOf(e.getMessage());
        int end = message.indexOf('\n');
        return end < 0 ? message : message.substring(0, end);
    }

    private static boolean isPattern(String text) {
        return text.indexOf('*') >= 0 || text.indexOf('?') >= 0 || text.indexOf('[') >= 0;
    }

    private void includeOne(Section section, Text pattern, Path file, Mapping defaults) {
        Optional<String> refusal = refusal(file);
        if (refusal.isPresent()) {
            section.problem(pattern.place(), file + refusal.get(), "remove this include");
            return;
        }
        reading.add(file);
        read.add(file);
        Optional<Mapping> top = open(file, pattern.place());
        if (top.isPresent()) {
            collect(new Section("", top.get(), problems).knows(Keys.INCLUDED), defaults);
        }
        reading.remove(file);
    }

    private Optional<String> refusal(Path file) {
        if (reading.contains(file)) {
            return Optional.of(" includes itself");
        } else if (read.contains(file)) {
            return Optional.of(" is included already");
        } else if (reading.size() > DEEPEST) {
            return Optional.of(" is included more than " + DEEPEST + " files deep");
        }
        return read.size() >= MOST_FILES
                ? Optional.of(" is more than the " + MOST_FILES + "th file")
                : Optional.empty();
    }

    private List<ServiceSpec> services(SupervisorSpec supervisor) {
        Dependencies dependencies = new Dependencies(problems);
        ServiceReader reader = new ServiceReader(supervisor, files, machine, problems, dependencies, groups, programs);
        List<ServiceSpec> specs = new ArrayList<>();
        Map<Path, ServiceSpec> logs = new HashMap<>();
        for (Map.Entry<String, Found> entry : found.entrySet()) {
            Found one = entry.getValue();
            if (one.map != NOTHING) {
                Optional<ServiceSpec> spec = reader.read(new ServiceName(entry.getKey()), one.place, one.map);
                if (spec.isPresent()) {
                    specs.add(spec.get());
                    oneLogEach(spec.get(), one.place, logs);
                }
            }
        }
        dependencies.check(found.keySet(), specs);
        groups.check(found.keySet());
        return dependencies.startedAlong(specs);
    }

    /** Two that rotate the same file would lose each other's lines. */
    private void oneLogEach(ServiceSpec spec, Place place, Map<Path, ServiceSpec> logs) {
        if (spec.log() instanceof LogSpec.ToFile log) {
            logIsOwn(log.file(), spec, place, logs);
            log.stderrFile().ifPresent(file -> logIsOwn(file, spec, place, logs));
        }
    }

    private void logIsOwn(Path file, ServiceSpec spec, Place place, Map<Path, ServiceSpec> logs) {
        ServiceSpec other = logs.putIfAbsent(file, spec);
        if (other != null) {
            problems.add(
                    place,
                    "service \"" + spec.name() + "\" logs to " + file + ", as \"" + other.name() + "\" does",
                    "give each a log of its own");
        }
    }

    // ---- the supervisor ----

    private SupervisorSpec supervisor(Section top) {
        Section section = top.section("supervisor")
                .orElse(new Section("supervisor", new Mapping(top.place(), Map.of()), problems))
                .knows(Keys.SUPERVISOR);
        String name = name(section);
        Path directory = top.place().directory();
        Path stateDir = named(
                around.stateDir().or(() -> section.path("state_dir", directory)).orElse(around.defaultStateDir()),
                name);
        Path runtimeDir = named(
                around.runtimeDir()
                        .or(() -> section.path("runtime_dir", directory))
                        .orElse(around.defaultRuntimeDir()),
                name);
        Path socket = section.path("socket", runtimeDir).orElse(runtimeDir.resolve("control.sock"));
        socketFits(section, socket);
        Section heartbeat = section.section("heartbeat")
                .orElse(new Section("heartbeat", new Mapping(section.place(), Map.of()), problems))
                .knows(Keys.SUPERVISOR_HEARTBEAT);
        Duration interval = heartbeat.has("interval")
                ? heartbeat.positive("interval").orElse(Duration.ofSeconds(5))
                : Duration.ofSeconds(5);
        return new SupervisorSpec(
                name,
                stateDir,
                runtimeDir,
                socket,
                socketGroup(section),
                section.number("max_parallel_starts", 0, 0, Integer.MAX_VALUE),
                heartbeat.path("file", runtimeDir).orElse(runtimeDir.resolve("heartbeat")),
                interval,
                WatchdogReader.read(section, around.watchdog()));
    }

    private static void socketFits(Section section, Path socket) {
        int length = socket.toString().getBytes(StandardCharsets.UTF_8).length;
        if (length > LONGEST_SOCKET) {
            section.problem(
                    section.placeOf(section.has("socket") ? "socket" : "runtime_dir"),
                    "the path of the socket, " + Value.quoted(socket.toString()) + ", has " + length + " bytes",
                    "choose a runtime_dir or socket with at most " + LONGEST_SOCKET + " in all");
        }
    }

    private static Optional<String> socketGroup(Section section) {
        Optional<Text> group = section.text("socket_group", "the name of a group");
        if (group.isPresent() && group.get().text().isBlank()) {
            section.problem(group.get().place(), "socket_group is blank", "write the name of a group");
            return Optional.empty();
        }
        return group.map(Text::text);
    }

    private static String name(Section section) {
        Optional<Text> name = section.text("name", "a name");
        if (name.isEmpty()) {
            return SupervisorSpec.DEFAULT_NAME;
        }
        if (!ServiceName.isValid(name.get().text())) {
            section.problem(name.get().place(), "name is " + name.get().kind(), ServiceName.RULE);
            return SupervisorSpec.DEFAULT_NAME;
        }
        return name.get().text();
    }

    private static Path named(Path directory, String name) {
        Path absolute = directory.normalize();
        return name.equals(SupervisorSpec.DEFAULT_NAME) ? absolute : absolute.resolve(name);
    }
}
