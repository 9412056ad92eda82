package io.jsupervise.os;

import io.jsupervise.lifecycle.MonotonicTime;
import java.io.Closeable;
import java.util.Optional;
import java.util.function.LongConsumer;

/**
 * Waits until descriptors are readable (epoll(7), level-triggered). One thread polls; any thread may add, remove and
 * wake.
 */
public interface Poller extends Closeable {
    /** Watches {@code fd}; {@code token}, not negative, is what {@link #poll} reports. */
    void add(Fd fd, long token) throws OsException;

    /**
     * Of {@code pidfd}, which is watched, reports from now on only that its process was reaped, and no more that it has
     * ended: that would be reported without end while the parent takes its time. Kernel 6.9; an older one reports nothing.
     */
    void awaitReap(Fd pidfd, long token) throws OsException;

    /** No longer watches {@code fd}. Must be called before it is closed. */
    void remove(Fd fd) throws OsException;

    /**
     * Waits until a descriptor is readable, {@link #wakeup} was called, or {@code deadline} has passed, whichever is
     * first, and reports the tokens of readable descriptors. Without a deadline it waits for ever; a deadline in the
     * past only looks.
     */
    void poll(Optional<MonotonicTime> deadline, LongConsumer ready) throws OsException;

    /** Ends the present or the next {@link #poll}. Any thread. */
    void wakeup();

    @Override
    void close();
}
