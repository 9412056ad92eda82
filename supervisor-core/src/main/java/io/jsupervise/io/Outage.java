package io.jsupervise.io;

import io.jsupervise.lifecycle.MonotonicTime;
import java.time.Duration;

/**
 * The time during which a log cannot be written. A full disk must not hang a service: its output waits in the pipe for
 * {@link #PATIENCE}, and is read and dropped from then on. The log is tried again each second all the while.
 */
final class Outage {
    static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Duration RETRY = Duration.ofSeconds(1);

    private final MonotonicTime patienceEnds;
    private MonotonicTime retryAt;
    private String why;
    private boolean dropping;
    private long droppedBytes;
    private long saidBytes;
    private boolean droppedMidLine;

    Outage(MonotonicTime now, String why) {
        this.patienceEnds = now.plus(PATIENCE);
        this.retryAt = now.plus(RETRY);
        this.why = why;
    }

    boolean retryIsDue(MonotonicTime now) {
        return !now.isBefore(retryAt);
    }

    MonotonicTime retryAt() {
        return retryAt;
    }

    /** Why the last attempt failed. */
    String why() {
        return why;
    }

    /** The retry failed as well. True where that ends the patience. */
    boolean failedAgain(MonotonicTime now, String reason) {
        retryAt = now.plus(RETRY);
        why = reason;
        if (dropping || now.isBefore(patienceEnds)) {
            return false;
        }
        dropping = true;
        return true;
    }

    boolean isDropping() {
        return dropping;
    }

    /** @param wholeLine whether the last byte of them was a newline */
    void dropped(long bytes, boolean wholeLine) {
        droppedBytes += bytes;
        droppedMidLine = !wholeLine;
    }

    long droppedBytes() {
        return droppedBytes;
    }

    /** Whether the pipe begins with the end of a line whose beginning was dropped. */
    boolean droppedMidLine() {
        return droppedMidLine;
    }

    /** Bytes dropped that the log itself does not tell of yet. */
    long droppedUnsaid() {
        return droppedBytes - saidBytes;
    }

    /** The log tells of all that was dropped. */
    void said() {
        saidBytes = droppedBytes;
    }
}
