package io.jsupervise.io;

import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.os.Fd;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.spec.LinePattern;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.ServiceName;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * The way from one FIFO into one log. Bytes are consumed only once they are written, so that a kill at any instruction
 * loses and repeats none: splice(2) does both at once. Far from the size limit nothing is looked at; where what waits
 * would cross it, tee(2) shows where the last line ends that fits, exactly that much is moved, and the file is rotated.
 *
 * <p>With time stamps the bytes that are written are others than those that are consumed: they are looked at by tee(2),
 * written, and consumed, and {@link RelayReceipt} tells after a kill how far that came. The relay's thread only.
 */
final class RelayedLog {
    /** After a failed renaming the file grows on for a while before the next attempt. */
    private static final Duration ROTATE_AGAIN = Duration.ofSeconds(1);

    private static final int WRITTEN_TRIES = 1_000;

    private final Os os;
    private final RelayParts parts;
    private final RelayBuffers buffers;
    private final ServiceName service;
    private final String fifoName;
    private final Fd fifo;
    private final LogSpec.ToFile spec;
    private final Optional<ConsoleEcho> console;
    private final LogFile file;
    private final LogRotation rotation;
    private Optional<MonotonicTime> rotateAgainAt = Optional.empty();
    private long rotations;
    private volatile Optional<LineWatch> watch = Optional.empty();

    /** Bytes of the stream that have left the FIFO, and whether that is just being changed. */
    private volatile long passed;

    private volatile boolean passing;

    /** How far an order to rotate has come. */
    enum Asked {
        ROTATED,
        /** There is nothing in the file. */
        EMPTY,
        /** The file ends in the middle of a line, and the rest of it has not been written yet. */
        MID_LINE
    }

    /**
     * @param path    of the log; that of {@code spec}, or the one that standard error has to itself
     * @param console where lines are shown as well
     */
    RelayedLog(
            Os os,
            RelayParts parts,
            ServiceName service,
            String fifoName,
            Fd fifo,
            LogSpec.ToFile spec,
            Path path,
            Optional<ConsoleEcho> console) {
        this.os = os;
        this.parts = parts;
        this.buffers = parts.buffers();
        this.service = service;
        this.fifoName = fifoName;
        this.fifo = fifo;
        this.spec = spec;
        this.console = console;
        this.file = new LogFile(os, path);
        this.rotation = new LogRotation(os, path, spec.maxFiles(), spec.compress());
    }

    Path path() {
        return file.path();
    }

    LogRotation rotation() {
        return rotation;
    }

    /**
     * Looks for a line in what is written from now on. Any thread.
     *
     * @param all whether also in what waits already
     */
    void await(LinePattern pattern, boolean all, Runnable seen) throws OsException {
        watch = Optional.of(new LineWatch(pattern, all ? passed : written(), seen));
    }

    /**
     * Bytes that were ever written. Who holds the relay up for longer (a disk that hangs) has what waits looked at too: better a line of
     * before than none.
     */
    private long written() throws OsException {
        for (int i = 0; i < WRITTEN_TRIES; i++) {
            long before = passed;
            if (!passing) {
                int waiting = os.available(fifo);
                if (!passing && passed == before) {
                    return before + waiting;
                }
            }
            Thread.onSpinWait();
        }
        return passed;
    }

    private void passed(long count) {
        passed = passed + count;
    }

    /**
     * Moves what waits, about {@code budget} bytes at the most, and maybe not the last of it. Where it throws, some may have been moved; nothing was
     * consumed that is not written.
     *
     * @return bytes consumed, 0 where none waited
     */
    long move(long budget) throws OsException {
        file.prepare();
        passing = true;
        try {
            // What is looked for takes its time; the others have their turn the sooner.
            return moveSome(watch.isPresent() ? Math.min(budget, RelayBuffers.WINDOW) : budget);
        } finally {
            passing = false;
        }
    }

    private long moveSome(long budget) throws OsException {
        long moved = 0;
        while (moved < budget) {
            long some = spec.timestamps() ? stamped() : plain(budget - moved);
            moved += some;
            if (some < RelayBuffers.WINDOW) {
                // The pipe is empty, or nearly: to take each line as it comes would keep its writer waiting.
                break;
            }
        }
        return moved;
    }

    private long plain(long budget) throws OsException {
        if (console.isPresent() || watch.isPresent()) {
            return looked(os.available(fifo));
        }
        long room = limit() - file.size();
        if (room >= budget) {
            return splice(budget);
        }
        int waiting = os.available(fifo);
        if (waiting == 0) {
            return 0;
        }
        if (waiting <= room) {
            return splice(waiting);
        }
        if (room > RelayBuffers.WINDOW) {
            return splice(room - RelayBuffers.WINDOW);
        }
        return looked(waiting);
    }

    private long splice(long most) throws OsException {
        long spliced = file.splice(fifo, most);
        passed(spliced);
        return spliced;
    }

    /** The size at which the file is rotated; none while that cannot be done. */
    private long limit() {
        if (rotateAgainAt.isPresent() && os.now().isBefore(rotateAgainAt.get())) {
            return Long.MAX_VALUE;
        }
        return spec.maxSize();
    }

    private long looked(int waiting) throws OsException {
        int length = buffers.look(fifo, waiting);
        if (length == 0) {
            return 0;
        }
        long limit = limit();
        boolean atLineStart = length >= limit - file.size() && file.atLineStart();
        LineCut cut = LineCut.of(
                buffers.looked(), length, waiting > length, new LineCut.Place(file.size(), limit, atLineStart));
        int taken = file.spliceExactly(fifo, cut.take());
        if (taken > 0) {
            if (buffers.looked()[taken - 1] == '\n') {
                file.lineEnded();
            }
            echo(taken);
        }
        if (cut.rotate() && taken == cut.take()) {
            rotate();
            // Where no line fitted any more, the next file takes what was looked at.
            return taken > 0 ? taken : looked(waiting);
        }
        return taken;
    }

    private void echo(int length) {
        if (console.isPresent()) {
            console.get().write(buffers.looked(), length);
        }
        see(length);
    }

    private void see(int length) {
        Optional<LineWatch> present = watch;
        if (present.isPresent() && length > 0) {
            present.get().see(passed, buffers.looked(), length);
            if (present.get().isOver() && watch == present) {
                watch = Optional.empty();
            }
        }
        passed(length);
    }

    private long stamped() throws OsException {
        int length = buffers.look(fifo, RelayBuffers.WINDOW);
        if (length == 0) {
            return 0;
        }
        StampedLines lines = stampLooked(length);
        return lines.taken() > 0 || !lines.full() ? lines.taken() : stamped();
    }

    private StampedLines stampLooked(int length) throws OsException {
        StampedLines lines = stamp(buffers.looked(), length);
        if (lines.taken() > 0) {
            boolean noted = parts.receipt().begin(fifoName, file, lines.taken());
            append(lines, noted);
            echo(lines.taken());
            consume(lines.taken(), noted);
        }
        if (lines.full()) {
            rotate();
        }
        return lines;
    }

    private StampedLines stamp(byte[] bytes, int length) throws OsException {
        LineCut.Place place = new LineCut.Place(file.size(), limit(), file.atLineStart());
        byte[] stamp = parts.stamp().at(os.wallClock());
        return StampedLines.of(bytes, length, stamp, buffers.stamped(), place);
    }

    private void append(StampedLines lines, boolean noted) throws OsException {
        try {
            file.append(buffers.stamped(), lines.length());
        } catch (OsException e) {
            if (noted) {
                clearReceipt(e);
            }
            throw e;
        }
    }

    private void clearReceipt(OsException why) {
        try {
            parts.receipt().clear();
        } catch (OsException e) {
            why.addSuppressed(e);
        }
    }

    private void consume(int count, boolean noted) throws OsException {
        int done = noted ? parts.receipt().consume(fifo, count) : 0;
        while (done < count) {
            int some = buffers.consume(fifo, count - done);
            if (some == 0) {
                break;
            }
            done += some;
        }
    }

    /**
     * Rotates though the file is not full: what waits of its last line still goes into it.
     *
     * @param cut whether also in the middle of a line, should it have no end by now
     */
    Asked rotateNow(boolean cut) throws OsException {
        file.prepare();
        long before = rotations;
        boolean ended = file.atLineStart();
        while (!ended) {
            int length = buffers.look(fifo, RelayBuffers.WINDOW);
            int end = LineCut.firstNewline(buffers.looked(), 0, length) + 1;
            if (end == 0) {
                break;
            }
            ended = takeLooked(end);
        }
        if (rotations != before) {
            return Asked.ROTATED;
        } else if (file.size() == 0) {
            return Asked.EMPTY;
        } else if (!ended && !cut) {
            return Asked.MID_LINE;
        }
        rotation.rotate();
        rotations++;
        rotateAgainAt = Optional.empty();
        file.prepare();
        compress();
        return Asked.ROTATED;
    }

    /** Moves that many bytes that were looked at, the last of which ends a line; whether all of them. */
    private boolean takeLooked(int end) throws OsException {
        if (spec.timestamps()) {
            return stampLooked(end).taken() == end;
        }
        int taken = file.spliceExactly(fifo, end);
        echo(taken);
        if (taken == end) {
            file.lineEnded();
        }
        return taken == end;
    }

    private void rotate() throws OsException {
        FileStat ours = file.identity();
        file.prepare();
        if (!ours.sameFile(file.identity())) {
            // Somebody else has just rotated it.
            return;
        }
        try {
            rotation.rotate();
            rotations++;
            rotateAgainAt = Optional.empty();
        } catch (OsException e) {
            if (rotateAgainAt.isEmpty()) {
                parts.notices().accept(new LogNotice.CannotRotate(service, path(), e.getMessage()));
            }
            rotateAgainAt = Optional.of(os.now().plus(ROTATE_AGAIN));
            return;
        }
        file.prepare();
        compress();
    }

    private void compress() {
        if (rotation.compresses()) {
            parts.compressor().accept(rotation);
        }
    }

    /** Reads and forgets what waits, one buffer at the most: bytes dropped. */
    int drop() throws OsException {
        int dropped = buffers.consume(fifo, RelayBuffers.WINDOW);
        see(dropped);
        return dropped;
    }

    /** Whether the {@code count} bytes that were dropped last end with a newline. */
    boolean droppedWholeLine(int count) {
        return buffers.looked()[count - 1] == '\n';
    }

    /** Drops the rest of a line whose beginning is gone: bytes dropped. */
    int dropToLineEnd() throws OsException {
        int length = buffers.look(fifo, RelayBuffers.WINDOW);
        int end = LineCut.firstNewline(buffers.looked(), 0, length) + 1;
        int dropped = buffers.consume(fifo, end > 0 ? end : length);
        see(dropped);
        return dropped;
    }

    /** Says in the log itself that output is missing there. */
    void markGap(long bytes, String why) throws OsException {
        file.prepare();
        String text = (file.atLineStart() ? "" : "\n") + "jsupervise: " + bytes
                + " bytes of output are missing here, the log could not be written: " + why + "\n";
        byte[] line = text.getBytes(StandardCharsets.UTF_8);
        file.append(line, line.length);
    }

    /** Closes the file, to be opened again when it is needed: whether it was open. */
    boolean closeFile() {
        return file.close();
    }
}
