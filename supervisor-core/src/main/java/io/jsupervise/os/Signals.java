package io.jsupervise.os;

import io.jsupervise.spec.Signal;

/** Signals to the process that we are. */
public interface Signals {
    /**
     * From now on {@code handler} is run for each arrival of {@code signal}, on a thread of its own, instead of what
     * the JVM would do, also where whoever started us had it ignored. A burst of the same signal may be one arrival (signal(7)).
     */
    void handle(Signal signal, Runnable handler);
}
