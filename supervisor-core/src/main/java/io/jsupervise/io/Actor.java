package io.jsupervise.io;

import io.jsupervise.lifecycle.MonotonicTime;
import java.util.Optional;

/**
 * A part of the shell that may have to wait for a disk or a slow file system, and so never runs on the event loop. It
 * has an inbox that other threads put work into, and does it in {@link #step}s. It has no thread of its own: the
 * daemon gives it one, the simulator calls its steps in an order of its own. What comes of the work goes to a callback
 * that was given to it, called from within {@code step}.
 */
public interface Actor {
    /** Does what is due now, in one portion, and returns; never waits for work to come. One thread only. */
    void step();

    /**
     * When the next step is due if no more work comes: in the past where there is work now, empty where there is
     * none. Asked after each step, by the same thread.
     */
    Optional<MonotonicTime> nextStep();
}
