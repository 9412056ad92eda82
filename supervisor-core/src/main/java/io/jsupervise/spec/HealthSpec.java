package io.jsupervise.spec;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * How it is known, beside a heartbeat file, that a service does not hang.
 *
 * @param watchdogTimeout longest time between two WATCHDOG=1 (sd_notify(3)), longer than zero; empty where none are awaited
 * @param checks          in the order of the file, each with a name of its own
 */
public record HealthSpec(Optional<Duration> watchdogTimeout, List<Check> checks) {
    public static final HealthSpec NONE = new HealthSpec(Optional.empty(), List.of());

    public HealthSpec {
        checks = List.copyOf(checks);
        if (watchdogTimeout.isPresent()
                && (watchdogTimeout.get().isZero() || watchdogTimeout.get().isNegative())) {
            throw new IllegalArgumentException("watchdog_timeout must be longer than zero");
        }
    }
}
