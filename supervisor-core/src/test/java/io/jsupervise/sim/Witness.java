package io.jsupervise.sim;

import io.jsupervise.daemon.SteppedDaemon;
import io.jsupervise.supervision.Answer;
import io.jsupervise.supervision.Ask;
import java.util.concurrent.CompletableFuture;

/** Sees all that there is to see of a daemon from outside, and throws a {@link Violation} where that must not be. */
interface Witness extends SteppedDaemon.Eyes, SimulatedOs.Observer {
    /** Somebody of the daemon is held up since then, and still is. */
    default void heldSince(long from) {}

    /** Somebody was held up. */
    default void held(long from, long to) {}

    /** The wall clock has moved against the monotonic one. */
    default void stepped() {}

    /** The daemon was told to end. */
    default void terminated() {}

    void asked(Ask ask, CompletableFuture<Answer> answer);

    /** The loop has had a turn. */
    void afterTurn();

    /** The loop has ended, and everybody has said their last words. */
    void afterEnd();

    /** The same, and what ran was left to the next daemon. */
    default void afterHandOver() {}
}
