package io.jsupervise.spec;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What the operator asked for of one service. Valid by construction: whoever holds one need not check again.
 *
 * @param dependsOn   what has to be true of others before it is started; one entry for each of them
 * @param group       those that are restarted together with it, by the strategy of the group
 * @param startJitter every automatic start is delayed by a random part of this, so that a herd is spread
 * @param startLimit  restarts allowed in a window; empty means no limit
 * @param escalation  when a restart has helped, and what is done when restarts do not
 * @param critical    whether the machine is of no use without it: given up, it withholds the feed of the hardware watchdog
 * @param startTimeout how long it may take to become ready where {@link Readiness} waits for something that may not come;
 *                    zero means for ever
 */
public record ServiceSpec(
        ServiceName name,
        Optional<String> description,
        ServiceType type,
        SpawnSpec spawn,
        boolean autostart,
        List<Dependency> dependsOn,
        Optional<ServiceGroup> group,
        Duration startJitter,
        Readiness ready,
        Duration startTimeout,
        RestartPolicy restart,
        Set<Integer> successExitCodes,
        Set<Integer> giveUpExitCodes,
        Backoff backoff,
        Optional<RestartIntensity> startLimit,
        boolean critical,
        Escalation escalation,
        Optional<Heartbeat> heartbeat,
        HealthSpec health,
        StopSequence stop,
        Hooks hooks,
        LogSpec log) {
    public static final Duration DEFAULT_START_TIMEOUT = Duration.ofSeconds(90);

    public ServiceSpec {
        dependsOn = List.copyOf(dependsOn);
        successExitCodes = java.util.Collections.unmodifiableSet(new TreeSet<>(successExitCodes));
        giveUpExitCodes = java.util.Collections.unmodifiableSet(new TreeSet<>(giveUpExitCodes));
        if (startJitter.isNegative()) {
            throw new IllegalArgumentException("start_jitter must not be negative");
        }
        if (startTimeout.isNegative()) {
            throw new IllegalArgumentException("start_timeout must not be negative");
        }
    }

    public boolean isOneshot() {
        return type == ServiceType.ONESHOT;
    }

    /** Whether it is told of a socket at which it may say how it is (sd_notify(3)). */
    public boolean isHeard() {
        return health.watchdogTimeout().isPresent() || ready instanceof Readiness.Notified;
    }

    /** Whether other programs are executed in front of its own. */
    public boolean isLoaded() {
        return !spawn.privileges().areOurs() || health.watchdogTimeout().isPresent();
    }

    /**
     * The names of all programs that may be executed in front of its own. A process that still has the name of one when it ends
     * never was the service.
     */
    public List<String> loaders() {
        List<String> loaders = spawn.privileges().loaders();
        if (health.watchdogTimeout().isEmpty()) {
            return loaders;
        }
        // A shell tells it its number, and env(1) mends what the shell does to the other variables.
        List<String> all = new ArrayList<>(loaders);
        all.add("sh");
        all.add("env");
        return all;
    }

    /** How long a hang may last before anything that watches it can tell; zero where nothing does. */
    public Duration longestHang() {
        Duration longest = health.watchdogTimeout().orElse(Duration.ZERO);
        if (heartbeat.isPresent()) {
            longest = longer(longest, heartbeat.get().timeout());
            longest = longer(longest, heartbeat.get().grace());
        }
        for (Check check : health.checks()) {
            Duration rounds = check.interval().plus(check.timeout()).multipliedBy(check.retries());
            longest = longer(longest, check.startPeriod().plus(rounds));
        }
        return longest;
    }

    private static Duration longer(Duration a, Duration b) {
        return a.compareTo(b) >= 0 ? a : b;
    }

    /** The same, but started with the supervisor. */
    public ServiceSpec autostarted() {
        return new ServiceSpec(
                name,
                description,
                type,
                spawn,
                true,
                dependsOn,
                group,
                startJitter,
                ready,
                startTimeout,
                restart,
                successExitCodes,
                giveUpExitCodes,
                backoff,
                startLimit,
                critical,
                escalation,
                heartbeat,
                health,
                stop,
                hooks,
                log);
    }

    /** Starts from the documented defaults: no log, working directory {@code /}, everything else as in services.yml. */
    public static Builder of(String name, String... argv) {
        return new Builder(new ServiceName(name), Command.of(argv));
    }

    public static Builder of(ServiceName name, Command command) {
        return new Builder(name, command);
    }

    /** Collects the parts of a service; each method replaces one default. */
    public static final class Builder {
        private final ServiceName name;
        private final Command command;
        private Optional<String> description = Optional.empty();
        private ServiceType type = ServiceType.SERVICE;
        private List<Dependency> dependsOn = List.of();
        private Optional<ServiceGroup> group = Optional.empty();
        private Path workingDir = Path.of("/");
        private Map<String, String> environment = Map.of();
        private boolean inheritEnv = true;
        private int umask = 022;
        private Privileges privileges = Privileges.NONE;
        private boolean autostart = true;
        private Duration startJitter = Duration.ZERO;
        private Readiness ready = Readiness.DEFAULT;
        private Duration startTimeout = DEFAULT_START_TIMEOUT;
        private RestartPolicy restart = RestartPolicy.ALWAYS;
        private Set<Integer> successExitCodes = Set.of(0);
        private Set<Integer> giveUpExitCodes = Set.of();
        private Backoff backoff = Backoff.DEFAULT;
        private Optional<RestartIntensity> startLimit = Optional.empty();
        private boolean critical;
        private Escalation escalation = Escalation.NONE;
        private Optional<Heartbeat> heartbeat = Optional.empty();
        private HealthSpec health = HealthSpec.NONE;
        private StopSequence stop = StopSequence.DEFAULT;
        private Hooks hooks = Hooks.NONE;
        private LogSpec log = new LogSpec.None();

        private Builder(ServiceName name, Command command) {
            this.name = name;
            this.command = command;
        }

        public Builder description(String text) {
            description = Optional.of(text);
            return this;
        }

        /** A oneshot is not restarted unless {@link #restart} says so. */
        public Builder oneshot() {
            type = ServiceType.ONESHOT;
            restart = RestartPolicy.NEVER;
            return this;
        }

        public Builder dependsOn(List<Dependency> dependencies) {
            dependsOn = dependencies;
            return this;
        }

        public Builder group(ServiceGroup value) {
            group = Optional.of(value);
            return this;
        }

        public Builder workingDir(Path dir) {
            workingDir = dir;
            return this;
        }

        public Builder environment(Map<String, String> variables) {
            environment = variables;
            return this;
        }

        public Builder inheritEnv(boolean inherit) {
            inheritEnv = inherit;
            return this;
        }

        public Builder umask(int mask) {
            umask = mask;
            return this;
        }

        public Builder privileges(Privileges value) {
            privileges = value;
            return this;
        }

        public Builder autostart(boolean start) {
            autostart = start;
            return this;
        }

        public Builder startJitter(Duration jitter) {
            startJitter = jitter;
            return this;
        }

        public Builder ready(Readiness readiness) {
            ready = readiness;
            return this;
        }

        public Builder startTimeout(Duration timeout) {
            startTimeout = timeout;
            return this;
        }

        public Builder restart(RestartPolicy policy) {
            restart = policy;
            return this;
        }

        public Builder successExitCodes(Set<Integer> codes) {
            successExitCodes = codes;
            return this;
        }

        public Builder giveUpExitCodes(Set<Integer> codes) {
            giveUpExitCodes = codes;
            return this;
        }

        public Builder backoff(Backoff value) {
            backoff = value;
            return this;
        }

        public Builder startLimit(RestartIntensity limit) {
            startLimit = Optional.of(limit);
            return this;
        }

        public Builder critical() {
            critical = true;
            return this;
        }

        public Builder escalation(Escalation value) {
            escalation = value;
            return this;
        }

        public Builder heartbeat(Heartbeat value) {
            heartbeat = Optional.of(value);
            return this;
        }

        public Builder health(HealthSpec value) {
            health = value;
            return this;
        }

        public Builder stop(StopSequence sequence) {
            stop = sequence;
            return this;
        }

        public Builder hooks(Hooks value) {
            hooks = value;
            return this;
        }

        public Builder log(LogSpec value) {
            log = value;
            return this;
        }

        public ServiceSpec build() {
            return new ServiceSpec(
                    name,
                    description,
                    type,
                    new SpawnSpec(command, workingDir, environment, inheritEnv, umask, privileges),
                    autostart,
                    dependsOn,
                    group,
                    startJitter,
                    ready,
                    startTimeout,
                    restart,
                    successExitCodes,
                    giveUpExitCodes,
                    backoff,
                    startLimit,
                    critical,
                    escalation,
                    heartbeat,
                    health,
                    stop,
                    hooks,
                    log);
        }
    }
}
