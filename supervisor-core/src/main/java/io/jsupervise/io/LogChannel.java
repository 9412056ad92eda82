package io.jsupervise.io;

import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.ServiceName;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * One stream of one service: from its FIFO into its log file. splice(2) consumes only what it has written, so whatever
 * moment we die at, what is not in the file is still in the FIFO. Where bytes have to be looked at (near the size
 * limit, to find the end of a line; for time stamps and for the console) they are copied by tee(2), which consumes
 * nothing; only lines with time stamps are written first and consumed after that, so those of the last moment may
 * come twice after a kill, but never less than once.
 *
 * <p>The relay's thread only, but for {@link #dropped}.
 */
final class LogChannel {
    /** Most bytes in one turn, so that one flood does not hold up the others. */
    private static final long PORTION = 1 << 20;

    /** Within this distance of the limit, files are ended at the end of a line. */
    private static final int ZONE = 64 << 10;

    /** How long output waits for a log that cannot be written before it is thrown away. */
    static final Duration PATIENCE = Duration.ofSeconds(10);

    private static final Duration RETRY = Duration.ofSeconds(1);

    private final Os os;
    private final ServiceName service;
    private final LogSpec.ToFile spec;
    private final Path file;
    private final Path fifoPath;
    private final Fd fifo;
    private final LogRotation rotation;
    private final Relay relay;
    private final Optional<LogLines> lines;
    private final AtomicLong dropped = new AtomicLong();

    private Optional<Fd> log = Optional.empty();
    private long offset;
    private boolean atLineStart;
    private MonotonicTime checkAt = MonotonicTime.BOOT;
    private Optional<MonotonicTime> failingSince = Optional.empty();
    private MonotonicTime retryAt = MonotonicTime.BOOT;
    private boolean dropping;
    private long droppedThisTime;

    /** What a channel needs of the relay. */
    interface Relay {
        /** Copies what stands first in {@code fifo}, at most 64 KiB, without consuming it; valid until the next call. */
        Peek peek(Fd fifo, long max) throws OsException;

        void rotated(LogRotation rotation);

        /** Removes some rotated file of any service; false where there is none. */
        boolean makeRoom(LogChannel first) throws OsException;

        Consumer<LogNotice> notices();
    }

    /** @param length how many of {@code bytes} are valid */
    record Peek(byte[] bytes, int length) {}

    LogChannel(
            Os os,
            ServiceName service,
            LogSpec.ToFile spec,
            Path file,
            Path fifoPath,
            Relay relay,
            Optional<LogLines> lines)
            throws OsException {
        this.os = os;
        this.service = service;
        this.spec = spec;
        this.file = file;
        this.fifoPath = fifoPath;
        this.relay = relay;
        this.lines = lines;
        this.rotation = new LogRotation(os, spec, file);
        os.mkfifo(fifoPath, 0600);
        this.fifo = os.open(fifoPath, OpenMode.FIFO, 0);
        os.setPipeSize(fifo, spec.pipeSize());
    }

    Fd fifo() {
        return fifo;
    }

    Path fifoPath() {
        return fifoPath;
    }

    ServiceName service() {
        return service;
    }

    LogRotation rotation() {
        return rotation;
    }

    boolean isFor(LogSpec.ToFile other) {
        return spec.equals(other);
    }

    /** Bytes that were thrown away. Any thread. */
    long dropped() {
        return dropped.get();
    }

    /** Until when nothing can be done: the log cannot be written and the time to give up is not come. */
    Optional<MonotonicTime> resting() {
        return failingSince.isPresent() && !dropping ? Optional.of(retryAt) : Optional.empty();
    }

    /** Moves what there is, up to a portion; how many bytes that were. */
    long move() {
        MonotonicTime now = os.now();
        if (dropping && now.isBefore(retryAt)) {
            return drop();
        }
        long moved = 0;
        try {
            boolean more = true;
            while (more && moved < PORTION) {
                long some = moveSome(now);
                more = some > 0;
                moved += some;
            }
            if (moved > 0) {
                succeeded();
            }
        } catch (OsException e) {
            failed(e, now);
        }
        return moved;
    }

    private long moveSome(MonotonicTime now) throws OsException {
        int available = os.available(fifo);
        if (available == 0 && (lines.isEmpty() || !lines.get().hasUnwritten())) {
            return 0;
        }
        Fd to = openLog(now);
        long room = spec.maxSize() - offset;
        if (lines.isPresent()) {
            return moveLines(to, room);
        }
        if (room - available >= ZONE) {
            return splice(to, Math.min(available, PORTION));
        }
        return moveNearLimit(to, room);
    }

    private long splice(Fd to, long count) throws OsException {
        long moved;
        try {
            moved = os.splice(fifo, to, offset, count);
        } catch (OsException e) {
            throw new OsException(e.errno(), "write " + file);
        }
        offset += moved;
        atLineStart = false;
        return moved;
    }

    /** Ends the file at the last end of a line that fits. */
    private long moveNearLimit(Fd to, long room) throws OsException {
        Peek peek = relay.peek(fifo, ZONE);
        int fits = (int) Math.max(0, Math.min(peek.length, room));
        int cut = afterLastLine(peek.bytes, fits);
        if (cut > 0) {
            long moved = splice(to, cut);
            atLineStart = moved == cut;
            if (atLineStart && peek.length > room) {
                rotate();
            }
            return moved;
        }
        if (peek.length <= room) {
            return splice(to, peek.length);
        }
        if (atLineStart && offset > 0) {
            rotate();
            return moveSome(os.now());
        }
        return finishLine(to, peek);
    }

    /** A line began in this file and does not fit: it ends here all the same, unless it is as long as a whole file. */
    private long finishLine(Fd to, Peek peek) throws OsException {
        int end = afterFirstLine(peek.bytes, peek.length);
        long moved = splice(to, end > 0 ? end : peek.length);
        if (end > 0 && moved == end || offset >= 2 * spec.maxSize()) {
            rotate();
        }
        return moved;
    }

    private static int afterLastLine(byte[] bytes, int length) {
        int at = length;
        while (at > 0 && bytes[at - 1] != '\n') {
            at--;
        }
        return at;
    }

    private static int afterFirstLine(byte[] bytes, int length) {
        for (int i = 0; i < length; i++) {
            if (bytes[i] == '\n') {
                return i + 1;
            }
        }
        return 0;
    }

    /** Bytes that have to be looked at or changed: written from memory, and only then taken out of the FIFO. */
    private long moveLines(Fd to, long room) throws OsException {
        LogLines transform = lines.orElseThrow();
        if (!transform.hasUnwritten()) {
            Peek peek = relay.peek(fifo, ZONE);
            transform.take(peek.bytes, peek.length, os.wallClock());
        }
        if (room < transform.unwritten() && offset > 0 && transform.beginsLine()) {
            rotate();
            to = openLog(os.now());
        }
        while (transform.unwritten() > 0) {
            int count;
            try {
                count = os.write(to, transform.bytes(), transform.written(), transform.unwritten());
            } catch (OsException e) {
                throw new OsException(e.errno(), "write " + file);
            }
            transform.wrote(count);
            offset += count;
        }
        int consumed = transform.source();
        consume(consumed);
        transform.done();
        return consumed;
    }

    private void consume(int count) throws OsException {
        byte[] sink = new byte[Math.min(count, ZONE)];
        int left = count;
        while (left > 0) {
            left -= os.read(fifo, sink, 0, Math.min(left, sink.length));
        }
    }

    /** The log, at its end. Someone may have removed, replaced or emptied it: looked at once a second. */
    private Fd openLog(MonotonicTime now) throws OsException {
        if (log.isPresent() && !now.isBefore(checkAt)) {
            checkAt = now.plus(RETRY);
            FileStat ours = os.stat(log.get());
            Optional<FileStat> there = os.stat(file);
            if (there.isEmpty() || !there.get().sameFile(ours)) {
                closeLog();
            } else if (ours.size() < offset) {
                offset = ours.size();
                seekable(now);
            }
        }
        if (log.isEmpty()) {
            open(now);
        }
        return log.get();
    }

    private void seekable(MonotonicTime now) throws OsException {
        if (lines.isPresent()) {
            closeLog();
            open(now);
        }
    }

    /** With time stamps the file is appended to by write(2); splice(2) refuses O_APPEND and gets an offset instead. */
    private void open(MonotonicTime now) throws OsException {
        Fd fd = os.open(file, lines.isPresent() ? OpenMode.APPEND : OpenMode.WRITE, 0644);
        log = Optional.of(fd);
        offset = os.stat(fd).size();
        atLineStart = offset == 0;
        checkAt = now.plus(RETRY);
    }

    private void closeLog() {
        log.ifPresent(os::close);
        log = Optional.empty();
    }

    private void rotate() throws OsException {
        closeLog();
        rotation.rotate();
        relay.rotated(rotation);
    }

    // ---- a log that cannot be written ----

    private void succeeded() {
        if (failingSince.isPresent()) {
            relay.notices().accept(new LogNotice.WritesAgain(service, file, droppedThisTime));
            failingSince = Optional.empty();
            dropping = false;
            droppedThisTime = 0;
        }
    }

    private void failed(OsException e, MonotonicTime now) {
        closeLog();
        boolean full = e.errno() == Errno.ENOSPC || e.errno() == Errno.EDQUOT;
        if (full && madeRoom()) {
            return;
        }
        retryAt = now.plus(RETRY);
        if (failingSince.isEmpty()) {
            failingSince = Optional.of(now);
            relay.notices().accept(new LogNotice.CannotWrite(service, file, e.getMessage()));
        } else if (!dropping && now.since(failingSince.get()).compareTo(PATIENCE) >= 0) {
            dropping = true;
            relay.notices().accept(new LogNotice.Dropping(service, file));
        }
    }

    private boolean madeRoom() {
        try {
            return relay.makeRoom(this);
        } catch (OsException e) {
            return false;
        }
    }

    private long drop() {
        long total = 0;
        try {
            byte[] sink = new byte[ZONE];
            int available = os.available(fifo);
            while (available > 0 && total < PORTION) {
                int count = os.read(fifo, sink, 0, Math.min(available, sink.length));
                total += count;
                available -= count;
            }
        } catch (OsException e) {
            // EAGAIN: somebody else has read it.
        }
        lines.ifPresent(LogLines::done);
        dropped.addAndGet(total);
        droppedThisTime += total;
        return total;
    }

    void close() {
        closeLog();
        os.close(fifo);
    }
}
