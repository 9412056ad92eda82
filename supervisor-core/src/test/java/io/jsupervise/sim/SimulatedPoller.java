package io.jsupervise.sim;

import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.OsException;
import io.jsupervise.os.Poller;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntPredicate;
import java.util.function.LongConsumer;

/**
 * Level-triggered like epoll(7), but it never waits: where nothing is ready it notes until when it was meant to wait
 * and comes back with nothing, as a wait does that was interrupted. Whoever drives the simulation lets time pass until
 * there is {@link #hasWork work} or that deadline has come, and lets it poll again.
 */
final class SimulatedPoller implements Poller {
    private final Map<Integer, Long> tokens = new HashMap<>();
    private final Set<Integer> hot = new LinkedHashSet<>();
    private final Set<Integer> reapOnly = new HashSet<>();
    private final IntPredicate isReadable;
    private final IntPredicate isReaped;
    private final Consumer<SimulatedPoller> waiting;
    private boolean woken;
    private boolean waits;
    private Optional<MonotonicTime> deadline = Optional.empty();

    /**
     * @param isReadable whether a descriptor is readable now
     * @param isReaped   whether a descriptor is a pidfd of a process that was reaped
     * @param waiting    is called where a poll would wait; it may let time pass
     */
    SimulatedPoller(IntPredicate isReadable, IntPredicate isReaped, Consumer<SimulatedPoller> waiting) {
        this.isReadable = isReadable;
        this.isReaped = isReaped;
        this.waiting = waiting;
    }

    @Override
    public void add(Fd fd, long token) throws OsException {
        if (tokens.containsKey(fd.number())) {
            throw new OsException(Errno.EEXIST, "epoll_ctl " + fd);
        }
        tokens.put(fd.number(), token);
        changed(fd.number());
    }

    @Override
    public void awaitReap(Fd pidfd, long token) throws OsException {
        if (!tokens.containsKey(pidfd.number())) {
            throw new OsException(Errno.ENOENT, "epoll_ctl " + pidfd);
        }
        tokens.put(pidfd.number(), token);
        reapOnly.add(pidfd.number());
        hot.remove(pidfd.number());
        changed(pidfd.number());
    }

    private boolean isReady(int fd) {
        return reapOnly.contains(fd) ? isReaped.test(fd) : isReadable.test(fd);
    }

    @Override
    public void remove(Fd fd) throws OsException {
        if (tokens.remove(fd.number()) == null) {
            throw new OsException(Errno.ENOENT, "epoll_ctl " + fd);
        }
        hot.remove(fd.number());
        reapOnly.remove(fd.number());
    }

    /** A descriptor may have become readable. */
    void changed(int fd) {
        if (tokens.containsKey(fd) && isReady(fd)) {
            hot.add(fd);
        }
    }

    boolean watches(int fd) {
        return tokens.containsKey(fd);
    }

    @Override
    public void poll(Optional<MonotonicTime> until, LongConsumer ready) {
        hot.removeIf(fd -> !isReady(fd));
        waits = hot.isEmpty() && !woken;
        deadline = until;
        if (waits) {
            waiting.accept(this);
        }
        woken = false;
        if (!hot.isEmpty()) {
            List<Integer> now = new ArrayList<>(hot);
            now.forEach(fd -> ready.accept(tokens.get(fd)));
        }
    }

    @Override
    public void wakeup() {
        woken = true;
    }

    /** Whether the next poll would not wait. */
    boolean hasWork() {
        return woken || !hot.isEmpty();
    }

    /** Whether the last poll would have waited, so that its {@link #deadline} still holds. */
    boolean waits() {
        return waits;
    }

    /** Until when the last poll would have waited. */
    Optional<MonotonicTime> deadline() {
        return deadline;
    }

    @Override
    public void close() {
        tokens.clear();
        reapOnly.clear();
        hot.clear();
    }
}
