package io.jsupervise.lifecycle;

import io.jsupervise.spec.ServiceSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * How one run of a service ended.
 *
 * @param at     when it was noticed
 * @param status how the process ended; empty where none was ever spawned
 * @param reason one line for people, such as {@code exit 1} or {@code no heartbeat for 30s}
 * @param ranFor from spawn to end; zero where nothing was spawned
 * @param delay  the wait before the next start; empty where none follows by itself
 */
public record End(
        Instant at,
        Optional<ExitStatus> status,
        Cause cause,
        String reason,
        Duration ranFor,
        Optional<Duration> delay) {
    /** Whether it ended by itself, and with an exit code that {@code spec} takes for a success. */
    public boolean isSuccessOf(ServiceSpec spec) {
        return cause == Cause.EXIT
                && status.orElse(null) instanceof ExitStatus.Exited exited
                && spec.successExitCodes().contains(exited.code());
    }
}
