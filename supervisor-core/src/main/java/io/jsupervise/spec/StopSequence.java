package io.jsupervise.spec;

import java.time.Duration;
import java.util.Optional;

/**
 * How a service is stopped: {@code signal} (then SIGCONT, so that a frozen process can act on it), and SIGKILL to what is
 * left after {@code timeout}.
 *
 * @param signal     the polite request
 * @param timeout    time to end before SIGKILL; zero kills at once after the signal
 * @param dumpSignal sent first to a process that hangs, so that it can leave a trace (SIGQUIT makes a JVM print its
 *                   threads); it has up to two seconds for that
 * @param killMode   whom the signals go to beside the main process
 */
public record StopSequence(Signal signal, Duration timeout, Optional<Signal> dumpSignal, KillMode killMode) {
    public static final StopSequence DEFAULT = new StopSequence(Signal.TERM, Duration.ofSeconds(10), Optional.empty());

    public StopSequence {
        if (timeout.isNegative()) {
            throw new IllegalArgumentException("stop_timeout must not be negative");
        }
    }

    /** For the whole tree. */
    public StopSequence(Signal signal, Duration timeout, Optional<Signal> dumpSignal) {
        this(signal, timeout, dumpSignal, KillMode.TREE);
    }

    public StopSequence with(KillMode mode) {
        return new StopSequence(signal, timeout, dumpSignal, mode);
    }
}
