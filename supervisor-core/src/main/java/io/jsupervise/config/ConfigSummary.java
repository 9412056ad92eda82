package io.jsupervise.config;

import io.jsupervise.spec.Check;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.Credentials;
import io.jsupervise.spec.Dependency;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.Privileges;
import io.jsupervise.spec.Readiness;
import io.jsupervise.spec.ResourceLimit;
import io.jsupervise.spec.Resources;
import io.jsupervise.spec.RestartPolicy;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.text.DurationText;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What a configuration would run, for people: what {@code jsupervise check} prints. */
public final class ConfigSummary {
    private ConfigSummary() {}

    public static String of(Configuration configuration) {
        StringBuilder text = new StringBuilder();
        int services = configuration.services().size();
        text.append(configuration.source()).append(": ").append(services);
        text.append(services == 1 ? " service\n" : " services\n");
        text.append("  state   ").append(configuration.supervisor().stateDir()).append('\n');
        text.append("  socket  ").append(configuration.supervisor().socket()).append('\n');
        for (ServiceSpec service : configuration.services()) {
            text.append('\n').append(service.name());
            service.description().ifPresent(description -> text.append("  (")
                    .append(ConfigProblem.printable(description.strip()))
                    .append(')'));
            text.append('\n');
            line(text, "runs", commandLine(service.spawn().command().argv()));
            line(text, "in", service.spawn().workingDir().toString());
            privileges(text, service.spawn().privileges());
            line(text, "starts", service.autostart() ? "by itself" : "when told to");
            order(text, service);
            line(text, "restart", restart(service));
            service.group()
                    .ifPresent(group -> line(
                            text,
                            "together",
                            "as group " + group.name() + " says, "
                                    + group.strategy().word()));
            if (!service.escalation().ladder().isEmpty()) {
                line(text, "then", service.escalation().words());
            }
            service.heartbeat()
                    .ifPresent(heartbeat -> line(
                            text,
                            "heartbeat",
                            "every " + words(heartbeat.timeout()) + " at least, " + heartbeat.file() + ", grace "
                                    + words(heartbeat.grace())));
            health(text, service);
            line(
                    text,
                    "stop",
                    service.stop().signal() + ", SIGKILL after "
                            + words(service.stop().timeout()));
            line(text, "log", log(service.log()));
        }
        return text.toString();
    }

    private static void order(StringBuilder text, ServiceSpec service) {
        List<String> names = new ArrayList<>();
        for (Dependency dependency : service.dependsOn()) {
            names.add(dependency.on() + " is " + dependency.condition().word()
                    + (dependency.restart() ? " (restarted with it)" : ""));
        }
        if (!names.isEmpty()) {
            line(text, "after", String.join(", ", names));
        }
        if (service.isOneshot()) {
            line(text, "ready", "when it has completed");
        } else if (service.ready() instanceof Readiness.Delay delay) {
            if (!delay.equals(Readiness.DEFAULT)) {
                line(text, "ready", "after " + words(delay.after()));
            }
        } else {
            line(
                    text,
                    "ready",
                    "by " + service.ready().words()
                            + (service.startTimeout().isZero() ? "" : ", within " + words(service.startTimeout())));
        }
    }

    private static void health(StringBuilder text, ServiceSpec service) {
        service.health()
                .watchdogTimeout()
                .ifPresent(timeout -> line(text, "watchdog", "WATCHDOG=1 every " + words(timeout) + " at least"));
        for (Check check : service.health().checks()) {
            line(
                    text,
                    "check",
                    check.name() + ": " + check.probe() + ", every " + words(check.interval()) + ", hangs after "
                            + (check.retries() == 1 ? "1 failure" : check.retries() + " failures in a row"));
        }
        if (service.critical()) {
            line(text, "critical", "given up, it keeps the hardware watchdog from being fed");
        }
    }

    private static void privileges(StringBuilder text, Privileges asked) {
        asked.credentials().ifPresent(who -> line(text, "as", who.user() + credentials(who)));
        for (ResourceLimit limit : asked.limits()) {
            line(text, "limit", limit.what().word() + " " + limit.range());
        }
        asked.resources().ifPresent(resources -> line(text, "group", resources(resources)));
        List<String> more = new ArrayList<>();
        asked.nice().ifPresent(nice -> more.add("nice " + nice));
        asked.oomScoreAdj().ifPresent(adj -> more.add("oom_score_adj " + adj));
        if (asked.noNewPrivs()) {
            more.add("no new privileges");
        }
        if (!more.isEmpty()) {
            line(text, "with", String.join(", ", more));
        }
    }

    private static String resources(Resources asked) {
        List<String> limits = new ArrayList<>();
        asked.memoryMax().ifPresent(bytes -> limits.add("memory " + SizeText.of(bytes)));
        asked.cpuQuota().ifPresent(quota -> limits.add("cpu " + quota / 1_000.0 + "%"));
        asked.pidsMax().ifPresent(most -> limits.add(most + " processes"));
        return (limits.isEmpty() ? "of its own" : String.join(", ", limits))
                + (asked.optional() ? ", if possible" : "");
    }

    private static String credentials(Credentials who) {
        StringBuilder groups = new StringBuilder();
        for (int group : who.groups()) {
            groups.append(groups.length() == 0 ? "" : ",").append(Integer.toUnsignedString(group));
        }
        return " (uid " + Integer.toUnsignedString(who.uid()) + ", gid " + Integer.toUnsignedString(who.gid())
                + ", groups " + (groups.length() == 0 ? "none" : groups) + ")";
    }

    private static void line(StringBuilder text, String key, String value) {
        text.append("  ").append(key);
        for (int i = key.length(); i < 11; i++) {
            text.append(' ');
        }
        text.append(value).append('\n');
    }

    private static String restart(ServiceSpec service) {
        StringBuilder text = new StringBuilder(service.restart().word());
        if (service.restart() == RestartPolicy.NEVER) {
            return text.toString();
        }
        text.append(", after ").append(words(service.backoff().initial()));
        text.append(" up to ").append(words(service.backoff().max()));
        service.startLimit().ifPresent(limit -> text.append(", at most ")
                .append(limit.count())
                .append(" within ")
                .append(words(limit.within())));
        return text.toString();
    }

    private static String log(LogSpec log) {
        if (log instanceof LogSpec.ToFile file) {
            List<String> more = new ArrayList<>();
            more.add(SizeText.of(file.maxSize()) + " x " + (file.maxFiles() + 1));
            file.stderrFile().ifPresent(errors -> more.add("errors in " + errors));
            if (file.stderr() instanceof LogSpec.Stderr.Null) {
                more.add("without errors");
            }
            if (file.compress()) {
                more.add("compressed");
            }
            if (file.timestamps()) {
                more.add("with times");
            }
            if (file.pipeSize() != LogSpec.ToFile.DEFAULT_PIPE_SIZE) {
                more.add("through a pipe of " + SizeText.of(file.pipeSize()));
            }
            if (file.console()) {
                more.add("and the console");
            }
            return file.file() + " (" + String.join(", ", more) + ")";
        }
        return log instanceof LogSpec.None ? "none" : "our own output";
    }

    /** As a shell would need it. */
    private static String commandLine(List<String> argv) {
        StringBuilder line = new StringBuilder();
        for (String argument : argv) {
            line.append(line.length() == 0 ? "" : " ").append(quoted(argument));
        }
        return line.toString();
    }

    private static String quoted(String argument) {
        boolean plain = !argument.isEmpty();
        for (int i = 0; i < argument.length(); i++) {
            char c = argument.charAt(i);
            plain &= c >= 'a' && c <= 'z'
                    || c >= 'A' && c <= 'Z'
                    || c >= '0' && c <= '9'
                    || "-_./:=,@%+".indexOf(c) >= 0;
        }
        return plain ? argument : "'" + argument.replace("'", "'\\''") + "'";
    }

    private static String words(Duration duration) {
        return DurationText.of(duration.toMillis());
    }
}
