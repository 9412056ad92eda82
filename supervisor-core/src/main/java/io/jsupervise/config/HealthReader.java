package io.jsupervise.config;

import io.jsupervise.config.Value.Mapping;
import io.jsupervise.config.Value.Text;
import io.jsupervise.spec.Check;
import io.jsupervise.spec.Command;
import io.jsupervise.spec.HealthSpec;
import io.jsupervise.spec.Heartbeat;
import io.jsupervise.spec.LinePattern;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.Probe;
import io.jsupervise.spec.Readiness;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.SupervisorSpec;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** How a service is known to be ready, and to be alive beside its heartbeat: {@code ready}, {@code watchdog_timeout}, {@code checks}. */
final class HealthReader {
    /** Of a socket's path (unix(7)), less what its name is longer while it is being made. */
    private static final int LONGEST_SOCKET = 102;

    private static final String TCP_EXAMPLE = "host:port such as 127.0.0.1:5432";
    private static final String HTTP_EXAMPLE = "a URL such as http://127.0.0.1:8080/health";
    private static final int HTTP_PORT = 80;

    private final SupervisorSpec supervisor;
    private final Commands commands;

    /** Reads a command, and tells what is wrong with it. */
    interface Commands {
        /** @param shell whether a line of text is for a shell */
        Optional<Command> read(Section section, String key, boolean shell);
    }

    HealthReader(SupervisorSpec supervisor, Commands commands) {
        this.supervisor = supervisor;
        this.commands = commands;
    }

    // ---- ready ----

    /** @param workingDir what a relative path is relative to */
    Readiness ready(Section section, Optional<Heartbeat> heartbeat, Path workingDir) {
        Optional<Section> given = section.section("ready");
        if (given.isEmpty()) {
            return Readiness.DEFAULT;
        }
        Section ready = given.get().knows(Keys.READY);
        List<Readiness> all = new ArrayList<>();
        if (ready.has("delay")) {
            Duration standard = ((Readiness.Delay) Readiness.DEFAULT).after();
            all.add(new Readiness.Delay(ready.duration("delay", standard)));
        }
        if (ready.bool("heartbeat", false)) {
            all.add(new Readiness.FirstBeat());
            if (heartbeat.isEmpty()) {
                ready.problem(
                        ready.placeOf("heartbeat"),
                        "ready waits for a heartbeat, and the service has none",
                        "add heartbeat: {timeout: 30s} to the service");
            }
        }
        if (ready.bool("notify", false)) {
            all.add(new Readiness.Notified());
        }
        tcp(ready).ifPresent(probe -> all.add(new Readiness.Answering(probe)));
        http(ready).ifPresent(probe -> all.add(new Readiness.Answering(probe)));
        if (ready.has("exec")) {
            exec(ready, isShell(section)).ifPresent(probe -> all.add(new Readiness.Answering(probe)));
        }
        ready.path("file", workingDir).ifPresent(file -> all.add(new Readiness.Written(file)));
        line(ready).ifPresent(all::add);
        if (all.size() > 1) {
            ready.problem(
                    ready.place(),
                    "ready asks for several things",
                    "keep one of them; where another comes from defaults, write it with nothing behind it");
        }
        return all.isEmpty() ? Readiness.DEFAULT : all.get(0);
    }

    private static Optional<Readiness> line(Section ready) {
        Optional<Text> text = ready.text("log_line", "a regular expression");
        if (text.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(new Readiness.LogLine(LinePattern.of(text.get().text())));
        } catch (LinePattern.Malformed e) {
            Text given = text.get();
            ready.problem(
                    given.literal() ? given.place().plus(e.index()) : given.place(),
                    "log_line " + e.getMessage(),
                    "write a regular expression such as \"ready to accept connections\"");
            return Optional.empty();
        }
    }

    /** Lines are looked at on their way into a log. */
    static void checkLog(Section section, ServiceSpec built) {
        if (built.ready() instanceof Readiness.LogLine && !(built.log() instanceof LogSpec.ToFile)) {
            Section ready = section.section("ready").orElseThrow();
            ready.problem(
                    ready.placeOf("log_line"),
                    "ready waits for a line, and the service has no log",
                    "let log be a map, or remove it");
        }
    }

    // ---- alive ----

    HealthSpec health(Section section) {
        if (!section.has("watchdog_timeout") && !section.has("checks")) {
            return HealthSpec.NONE;
        }
        Optional<Duration> watchdog =
                section.has("watchdog_timeout") ? section.positive("watchdog_timeout") : Optional.empty();
        return new HealthSpec(watchdog, checks(section, isShell(section)));
    }

    /** A path that is too long for a socket would only be found when the service starts. */
    void checkSocket(ServiceName name, Section section) {
        Path socket = supervisor.runtimeDir().resolve("notify").resolve(name.value());
        int length = socket.toString().getBytes(StandardCharsets.UTF_8).length;
        if (length > LONGEST_SOCKET) {
            section.problem(
                    section.placeOf(section.has("watchdog_timeout") ? "watchdog_timeout" : "ready"),
                    "the notify socket " + socket + " has a path of " + length + " bytes, too long for a socket",
                    "choose a runtime_dir or a name with at most " + LONGEST_SOCKET + " in all");
        }
    }

    /** As for its command: a line of text is for a shell. */
    private static boolean isShell(Section section) {
        return section.has("shell") && section.bool("shell", false);
    }

    private List<Check> checks(Section section, boolean shell) {
        List<Check> checks = new ArrayList<>();
        Optional<Section> all = section.section("checks");
        if (all.isEmpty()) {
            return checks;
        }
        for (Map.Entry<String, Value.Member> member : all.get().members().entrySet()) {
            if (!ServiceName.isValid(member.getKey())) {
                section.problem(
                        member.getValue().key(),
                        "the check has the name " + Value.quoted(member.getKey()),
                        "use letters, digits and _ . -, at most 64, the first a letter or a digit");
            } else if (member.getValue().value() instanceof Mapping) {
                check(member.getKey(), all.get().section(member.getKey()).orElseThrow(), shell)
                        .ifPresent(checks::add);
            } else {
                section.problem(
                        member.getValue().value().place(),
                        "check " + member.getKey() + " is "
                                + member.getValue().value().kind(),
                        "write a map such as {http: \"http://127.0.0.1:8080/health\"}");
            }
        }
        return checks;
    }

    private Optional<Check> check(String name, Section given, boolean shell) {
        Section check = given.knows(Keys.CHECK);
        List<String> asked = new ArrayList<>();
        for (String kind : List.of("http", "tcp", "exec")) {
            if (check.has(kind)) {
                asked.add(kind);
            }
        }
        if (asked.size() != 1) {
            boolean none = asked.isEmpty();
            check.problem(
                    check.place(),
                    "check " + name
                            + (none ? " has none of http, tcp and exec" : " has " + String.join(" and ", asked)),
                    none
                            ? "add http: \"http://127.0.0.1:8080/health\", tcp: \"127.0.0.1:5432\", or exec: [program]"
                            : "make " + (asked.size() == 2 ? "two" : "three") + " checks of it");
            return Optional.empty();
        }
        Optional<Probe> probe = check.has("tcp") ? tcp(check) : check.has("http") ? http(check) : exec(check, shell);
        Duration interval = positive(check, "interval", Check.DEFAULT_INTERVAL);
        Duration timeout = positive(check, "timeout", Check.DEFAULT_TIMEOUT);
        int retries = check.number("retries", Check.DEFAULT_RETRIES, 1, 1000);
        Duration startPeriod = check.duration("start_period", Duration.ZERO);
        return probe.map(what -> new Check(name, what, interval, timeout, retries, startPeriod));
    }

    private static Duration positive(Section section, String key, Duration otherwise) {
        return section.has(key) ? section.positive(key).orElse(otherwise) : otherwise;
    }

    private Optional<Probe> exec(Section section, boolean shell) {
        return commands.read(section, "exec", shell).map(Probe.Exec::new);
    }

    // ---- places ----

    private static Optional<Probe> tcp(Section section) {
        Optional<Text> text = section.text("tcp", TCP_EXAMPLE);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        Optional<Place> place = place(text.get().text(), -1);
        if (place.isEmpty()) {
            wrong(section, text.get(), "tcp", TCP_EXAMPLE);
            return Optional.empty();
        }
        return Optional.of(new Probe.Tcp(place.get().host(), place.get().port()));
    }

    private static Optional<Probe> http(Section section) {
        Optional<Text> text = section.text("http", HTTP_EXAMPLE);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        String url = text.get().text();
        if (url.startsWith("https://")) {
            section.problem(
                    text.get().place(),
                    "http asks for https, which is not spoken",
                    "name a plain http address of the service, or use tcp");
            return Optional.empty();
        }
        String rest = url.startsWith("http://") ? url.substring("http://".length()) : "";
        int slash = rest.indexOf('/');
        int question = rest.indexOf('?');
        int end = slash < 0 ? question : question < 0 ? slash : Math.min(slash, question);
        String target = end < 0 ? "/" : rest.substring(end);
        target = target.startsWith("/") ? target : "/" + target;
        boolean plain = target.indexOf('#') < 0;
        for (int i = 0; i < target.length(); i++) {
            plain &= target.charAt(i) > ' ' && target.charAt(i) < 127;
        }
        Optional<Place> place = place(end < 0 ? rest : rest.substring(0, end), HTTP_PORT);
        if (place.isEmpty() || !plain) {
            wrong(section, text.get(), "http", HTTP_EXAMPLE);
            return Optional.empty();
        }
        return Optional.of(new Probe.Http(place.get().host(), place.get().port(), target));
    }

    private record Place(String host, int port) {}

    /** @param otherwise the port where none is named; negative where one has to be */
    private static Optional<Place> place(String text, int otherwise) {
        boolean bracketed = text.startsWith("[");
        int hostEnd = bracketed ? text.indexOf(']') : text.indexOf(':') < 0 ? text.length() : text.indexOf(':');
        if (hostEnd < 0) {
            return Optional.empty();
        }
        String host = bracketed ? text.substring(1, hostEnd) : text.substring(0, hostEnd);
        String rest = text.substring(bracketed ? hostEnd + 1 : hostEnd);
        int port = rest.isEmpty() ? otherwise : rest.startsWith(":") ? port(rest.substring(1)) : -1;
        return isHost(host, bracketed) && port > 0 ? Optional.of(new Place(host, port)) : Optional.empty();
    }

    private static boolean isHost(String host, boolean bracketed) {
        boolean fits = !host.isEmpty() && host.length() <= 253;
        for (int i = 0; i < host.length(); i++) {
            char c = host.charAt(i);
            boolean letter = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9';
            fits &= letter || c == '.' || (bracketed ? c == ':' : c == '-' || c == '_');
        }
        return fits && (!bracketed || host.indexOf(':') >= 0);
    }

    private static int port(String digits) {
        boolean number = !digits.isEmpty() && digits.length() <= 5;
        for (int i = 0; i < digits.length(); i++) {
            number &= digits.charAt(i) >= '0' && digits.charAt(i) <= '9';
        }
        int port = number ? Integer.parseInt(digits) : -1;
        return port >= 1 && port <= 65535 ? port : -1;
    }

    private static void wrong(Section section, Text text, String key, String example) {
        section.problem(text.place(), key + " is " + text.kind(), "write " + example);
    }
}
