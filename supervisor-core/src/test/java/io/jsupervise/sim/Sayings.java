package io.jsupervise.sim;

import io.jsupervise.sim.Program.Says;
import io.jsupervise.spec.HealthSpec;
import io.jsupervise.spec.Readiness;
import io.jsupervise.spec.ServiceSpec;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * Services that say how they are (sd_notify(3)), and what is true of them: a hang is found, and whoever says its word in
 * time is never taken for hung, however long the daemon stands still. Programs say it in time, by {@link #MARGIN}, or not at
 * all.
 */
final class Sayings {
    static final Duration MARGIN = Duration.ofMillis(60);

    private Sayings() {}

    static void ask(ServiceSpec.Builder service, SplittableRandom random) {
        service.ready(new Readiness.Notified()).startTimeout(Duration.ofMillis(pick(random, 200, 1_000, 8_000)));
        if (random.nextInt(3) > 0) {
            Duration every = Duration.ofMillis(pick(random, 200, 1_000, 5_000));
            service.health(new HealthSpec(Optional.of(every), List.of()));
        }
    }

    /** @param calm whether it must not hang */
    static Program speaking(Program program, ServiceSpec spec, boolean calm, SplittableRandom random) {
        long start = spec.startTimeout().minus(MARGIN).toMillis();
        Duration first = Duration.ofMillis(1 + random.nextLong(start));
        Duration every = spec.health()
                .watchdogTimeout()
                .map(timeout -> Duration.ofMillis(
                        Math.max(1, timeout.minus(MARGIN).toMillis() * (20 + random.nextInt(80)) / 100)))
                .orElse(Program.FOREVER);
        Duration hangsAt = Program.FOREVER;
        if (!calm && random.nextInt(3) == 0) {
            hangsAt = Duration.ofMillis(random.nextInt(6_000));
        }
        return program.says(new Says(first, "READY=1\nSTATUS=ready", every, "WATCHDOG=1", hangsAt));
    }

    private static int pick(SplittableRandom random, int... all) {
        return all[random.nextInt(all.length)];
    }

    /** Promise 9: whoever is said to hang, or not to become ready, does. */
    static void condemned(ServiceSpec spec, SimulatedProcess main, String cause, long now) {
        boolean isStart = cause.equals("start-timeout");
        long limit =
                (isStart ? spec.startTimeout() : spec.health().watchdogTimeout().orElseThrow()).toNanos();
        long silent = now - (isStart ? main.bornAt : main.lastSaidAt);
        boolean speaksOn = now - main.bornAt < main.program.says().hangsAt().toNanos();
        boolean saidReady = isStart && main.said > 0;
        if (speaksOn || saidReady || silent < limit) {
            throw new Violation(
                    "promise 9",
                    "of " + main + " it is said: " + cause + "; it has said " + main.said + " words, the last "
                            + silent / 1_000_000 + " ms ago" + (speaksOn ? ", and speaks on" : ""));
        }
    }

    /**
     * Promise 9: silence is noticed at its deadline.
     *
     * @param excuse how long the daemon could not look
     */
    static void silenceIsFound(ServiceSpec spec, SimulatedProcess main, long now, long excuse) {
        Optional<Duration> watchdog = spec.health().watchdogTimeout();
        boolean hasBegun = main.said > 0;
        if (hasBegun && watchdog.isEmpty()) {
            return;
        }
        long limit = (hasBegun ? watchdog.get() : spec.startTimeout()).toNanos();
        long silent = now - (hasBegun ? main.lastSaidAt : main.bornAt);
        if (silent > limit + excuse + MARGIN.toNanos()) {
            throw new Violation(
                    "promise 9",
                    main + " is silent for " + silent / 1_000_000 + " ms after " + main.said + " words, may be for "
                            + limit / 1_000_000);
        }
    }
}
