package io.jsupervise.spec;

import java.time.Duration;
import java.util.Optional;

/**
 * How a service is stopped: {@code signal} (then SIGCONT, so that a frozen process can act on it) to its process
 * group, and SIGKILL to what is left after {@code timeout}.
 *
 * @param signal     the polite request
 * @param timeout    time to end before SIGKILL; zero kills at once after the signal
 * @param dumpSignal sent first to a process that hangs, so that it can leave a trace (SIGQUIT makes a JVM print its
 *                   threads); it has up to two seconds for that
 */
public record StopSequence(Signal signal, Duration timeout, Optional<Signal> dumpSignal) {
    public static final StopSequence DEFAULT = new StopSequence(Signal.TERM, Duration.ofSeconds(10), Optional.empty());

    public StopSequence {
        if (timeout.isNegative()) {
            throw new IllegalArgumentException("stop_timeout must not be negative");
        }
    }
}
