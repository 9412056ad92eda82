package io.jsupervise.sim;

import io.jsupervise.spec.Command;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.Escalation;
import io.jsupervise.spec.Hooks;
import io.jsupervise.spec.RestartIntensity;
import io.jsupervise.spec.RestartPolicy;
import io.jsupervise.spec.Rung;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.WatchdogSpec;
import io.jsupervise.spec.WatchdogSpec.RebootLimit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * What is done in a scenario when restarts do not help, drawn from a random stream of its own: ladders of all rungs, critical
 * services, and a hardware watchdog, or none. Promises about times (the start limit, and when a restart has worked) stay the
 * same whoever edits the file; the rungs do not.
 */
final class Ladders {
    static final Duration TIMEOUT = Duration.ofSeconds(10);
    static final Duration INTERVAL = Duration.ofSeconds(2);
    static final RebootLimit REBOOT_LIMIT = new RebootLimit(2, Duration.ofHours(1));

    private final SplittableRandom random;
    private final Map<String, Part> parts = new HashMap<>();
    private final boolean isWatched;

    /** What is added to one service. */
    private static final class Part {
        Duration stableFor = Duration.ZERO;
        Optional<RestartIntensity> limit = Optional.empty();
        List<Rung> rungs = List.of();
        boolean critical;
    }

    Ladders(SplittableRandom random, Collection<ServiceSpec> plain) {
        this.random = random;
        this.isWatched = chance(0.7);
        for (ServiceSpec spec : plain) {
            Part part = new Part();
            part.limit = spec.startLimit();
            if (chance(0.7)) {
                part.stableFor = Duration.ofMillis(number(0, 100, 500, 3_000, 10_000));
                part.limit = Optional.of(
                        new RestartIntensity(number(0, 1, 1, 2, 3), Duration.ofMillis(number(3_000, 20_000, 300_000))));
                part.rungs = rungs();
                part.critical = chance(0.2);
            }
            parts.put(spec.name().value(), part);
        }
    }

    private List<Rung> rungs() {
        List<Rung> rungs = new ArrayList<>();
        int count = random.nextInt(5);
        for (int i = 0; i < count; i++) {
            rungs.add(rung());
        }
        if (chance(0.2)) {
            rungs.add(new Rung.Reboot());
        }
        return rungs;
    }

    private Rung rung() {
        int kind = random.nextInt(13);
        if (kind < 4) {
            return new Rung.RestartDependents();
        } else if (kind < 7) {
            return new Rung.RestartGroup();
        } else if (kind < 12) {
            Duration timeout = Duration.ofMillis(number(200, 1_000, (int) Choreography.LONGEST_HOOK.toMillis()));
            return new Rung.Run(new Hooks.Hook(Command.of("/bin/repair"), timeout));
        }
        return new Rung.Shutdown();
    }

    /** Somebody edits the file. */
    void edit() {
        for (Part part : parts.values()) {
            if (part.limit.isPresent() && chance(0.08)) {
                part.rungs = rungs();
            }
            part.critical ^= part.limit.isPresent() && chance(0.05);
        }
    }

    ServiceSpec dress(ServiceSpec plain) {
        Part part = parts.get(plain.name().value());
        ServiceSpec.Builder builder = Scenario.copy(plain);
        part.limit.ifPresent(builder::startLimit);
        if (part.critical) {
            builder.critical();
        }
        if (part.limit.isPresent() && plain.restart() != RestartPolicy.NEVER) {
            builder.escalation(new Escalation(part.stableFor, part.rungs));
        }
        return builder.build();
    }

    /** The same, and who supervises is watched by the machine, or not. */
    Configuration watched(Configuration plain) {
        WatchdogSpec watchdog =
                new WatchdogSpec(SimulatedWatchdog.PATH, TIMEOUT, INTERVAL, Duration.ZERO, REBOOT_LIMIT);
        return isWatched ? Scenario.watched(plain, watchdog) : plain;
    }

    private boolean chance(double probability) {
        return random.nextDouble() < probability;
    }

    private int number(int... of) {
        return of[random.nextInt(of.length)];
    }
}
