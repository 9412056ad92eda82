package io.jsupervise.io;

import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.os.Fd;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.Poller;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.ServiceName;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * One output stream of a service, with its FIFO and what becomes of it: it flows into its log; or the log cannot be
 * written, and it waits, then is dropped (see {@link Outage}). While it waits, the poller does not watch the FIFO, which
 * would be readable all the time. The relay's thread only, except for the final fields.
 */
final class RelayedStream {
    private static final long SHORTEST_REST_NANOS = 50_000;
    private static final long LONGEST_REST_NANOS = 2_000_000;

    final ServiceName service;
    final LogSpec.ToFile spec;
    final long token;
    final FileStat fifoStat;

    private final Os os;
    private final Poller poller;
    private final Keeping keeping;
    private final Fd fifo;
    private final int pipeSize;
    private final RelayedLog log;
    private final AtomicLong droppedBytes;
    private final Consumer<LogNotice> notices;
    private final Remedy remedy;
    private Optional<Outage> outage = Optional.empty();
    private boolean watched;
    private long restNanos = LONGEST_REST_NANOS / 4;
    private MonotonicTime movedAt = MonotonicTime.BOOT;

    /** Tries to do something about a log that cannot be written. */
    interface Remedy {
        /** True where another attempt may succeed now. */
        boolean apply(RelayedStream stream, OsException failure) throws OsException;
    }

    RelayedStream(
            Os os,
            Poller poller,
            Keeping keeping,
            ServiceName service,
            LogSpec.ToFile spec,
            long token,
            Fd fifo,
            FileStat fifoStat,
            int pipeSize,
            RelayedLog log,
            AtomicLong droppedBytes,
            Consumer<LogNotice> notices,
            Remedy remedy) {
        this.os = os;
        this.poller = poller;
        this.keeping = keeping;
        this.service = service;
        this.spec = spec;
        this.token = token;
        this.fifo = fifo;
        this.fifoStat = fifoStat;
        this.pipeSize = pipeSize;
        this.log = log;
        this.droppedBytes = droppedBytes;
        this.notices = notices;
        this.remedy = remedy;
    }

    RelayedLog log() {
        return log;
    }

    AtomicLong droppedBytes() {
        return droppedBytes;
    }

    /** Any thread, once, before the stream can be reported readable. */
    void watch() throws OsException {
        watched = true;
        poller.add(fifo, token);
    }

    /** The poller reports the stream no more. */
    void unwatch() throws OsException {
        if (watched) {
            watched = false;
            poller.remove(fifo);
        }
    }

    /** Bytes were moved; true where they went into the log, and that was so less than {@code rest} ago as well. */
    boolean moved(MonotonicTime now, Duration rest) {
        boolean again = outage.isEmpty() && !isSilentFor(rest, now);
        movedAt = now;
        return again;
    }

    /**
     * How long to leave a busy stream alone: its writer is the faster the less often we take the pipe from it, as long
     * as that does not get full. The time is found by trying: half of it where the pipe was nearly full, twice where
     * it was nearly empty.
     *
     * @param moved what it had this time
     */
    Duration rest(long moved) {
        if (moved >= pipeSize / 4 * 3) {
            restNanos = Math.max(SHORTEST_REST_NANOS, restNanos / 2);
        } else if (moved < pipeSize / 4) {
            restNanos = Math.min(LONGEST_REST_NANOS, restNanos * 2);
        }
        return Duration.ofNanos(restNanos);
    }

    boolean isSilentFor(Duration rest, MonotonicTime now) {
        return now.since(movedAt).compareTo(rest) >= 0;
    }

    /** When the log is tried again though nothing is reported; empty while it can be written. */
    Optional<MonotonicTime> retryAt() {
        return outage.map(Outage::retryAt);
    }

    /**
     * Moves or drops what waits, about {@code budget} bytes at the most: bytes moved. To be called when the FIFO is
     * readable, or a retry is due.
     */
    long turn(MonotonicTime now, long budget) throws OsException {
        if (outage.isEmpty()) {
            try {
                return flow(budget);
            } catch (OsException e) {
                begin(now, e);
                return 0;
            }
        }
        Outage present = outage.get();
        if (present.retryIsDue(now)) {
            return retry(present, now, budget);
        }
        return present.isDropping() ? drop(present, budget) : 0;
    }

    private long flow(long budget) throws OsException {
        while (true) {
            try {
                return log.move(budget);
            } catch (OsException e) {
                if (!remedy.apply(this, e)) {
                    throw e;
                }
            }
        }
    }

    private void begin(MonotonicTime now, OsException e) throws OsException {
        outage = Optional.of(new Outage(now, e.getMessage()));
        unwatch();
        notices.accept(new LogNotice.CannotWrite(service, log.path(), e.getMessage()));
    }

    private long retry(Outage present, MonotonicTime now, long budget) throws OsException {
        try {
            if (present.isDropping()) {
                resume(present);
            }
            long moved = flow(budget);
            outage = Optional.empty();
            if (!watched) {
                watch();
            }
            notices.accept(new LogNotice.WritesAgain(service, log.path(), present.droppedBytes()));
            return moved;
        } catch (OsException e) {
            if (present.failedAgain(now, e.getMessage())) {
                watch();
                notices.accept(new LogNotice.Dropping(service, log.path()));
            }
            return present.isDropping() ? drop(present, budget) : 0;
        }
    }

    /** Writing may be possible again: the log says what it lacks, and goes on with a whole line. */
    private void resume(Outage present) throws OsException {
        if (present.droppedMidLine()) {
            countDropped(present, log.dropToLineEnd());
        }
        if (present.droppedUnsaid() > 0) {
            log.markGap(present.droppedUnsaid(), present.why());
            present.said();
        }
    }

    private long drop(Outage present, long budget) throws OsException {
        long dropped = 0;
        while (dropped < budget) {
            int some = log.drop();
            if (some == 0) {
                break;
            }
            countDropped(present, some);
            dropped += some;
        }
        return dropped;
    }

    private void countDropped(Outage present, int bytes) {
        if (bytes > 0) {
            present.dropped(bytes, log.droppedWholeLine(bytes));
            droppedBytes.addAndGet(bytes);
        }
    }

    /**
     * The end of this stream.
     *
     * @param drain whether what waits still goes into the log; what then cannot be written is dropped
     */
    void retire(MonotonicTime now, boolean drain) {
        try {
            if (drain) {
                long moved;
                do {
                    moved = turn(now, Math.max(1, os.available(fifo)));
                } while (moved > 0 && outage.isEmpty());
                loseTheRest();
            }
            unwatch();
        } catch (OsException e) {
            notices.accept(new LogNotice.CannotWrite(service, log.path(), e.getMessage()));
        }
        log.closeFile();
        keeping.release(fifo);
    }

    /**
     * Ends this stream for us, not for its writer: what has been written by now is moved, since it may be the last that
     * a service said, and whatever comes later, or cannot be moved, waits in the pipe.
     */
    void leave(MonotonicTime now) {
        try {
            long left = os.available(fifo);
            long moved = left;
            while (left > 0 && moved > 0 && outage.isEmpty()) {
                moved = turn(now, left);
                left -= moved;
            }
        } catch (OsException e) {
            notices.accept(new LogNotice.CannotWrite(service, log.path(), e.getMessage()));
        }
        log.closeFile();
        keeping.leave(fifo);
    }

    private void loseTheRest() throws OsException {
        if (outage.isPresent()) {
            Outage last = outage.get();
            drop(last, os.available(fifo));
            if (last.droppedBytes() > 0) {
                notices.accept(new LogNotice.Lost(service, log.path(), last.droppedBytes(), last.why()));
            }
        }
    }
}
