package io.jsupervise.io;

import io.jsupervise.control.EventCodec;
import io.jsupervise.control.EventLine;
import io.jsupervise.control.QuietLog;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.supervision.Happening;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The events, one line of JSON each, in a file that is rotated by size, and lines of text for the console. Not
 * synced: what must not be lost is in the journal. A disk that refuses costs events, never supervision: the file shows
 * them as a gap in the numbers, the console is told how many they were.
 */
public final class EventLog implements Actor {
    public static final String FILE = "events.ndjson";

    static final long MAX_SIZE = 10 << 20;
    static final int MAX_FILES = 5;
    private static final int MOST_WAITING = 20_000;
    private static final int PORTION = 64 << 10;
    private static final Duration RETRY = Duration.ofSeconds(1);

    /** Ends a line that was cut short. No event ends in a blank, so it is not taken for one, wherever it was cut. */
    private static final byte[] TORN_END = {' ', '\n'};

    private final Os os;
    private final Path file;
    private final Consumer<EventLine> console;
    private final QuietLog lines;
    private final EventCodec codec = new EventCodec();
    private final ByteArrayOutputStream portion = new ByteArrayOutputStream(PORTION);
    private final Object lock = new Object();
    private List<Happening> inbox = new ArrayList<>();
    private long overflowed;
    private long waiting;
    private long lost;
    private Optional<Fd> open = Optional.empty();
    private FileStat identity;
    private long size;
    private boolean torn;
    private Optional<MonotonicTime> retryAt = Optional.empty();

    /** @param console gets a line of text for each event, but see {@link QuietLog}; on the thread that steps */
    public EventLog(Os os, Path stateDir, Consumer<EventLine> console) {
        this.os = os;
        this.file = stateDir.resolve(FILE);
        this.console = console;
        this.lines = new QuietLog(console);
    }

    /** Any thread; never waits. */
    public void tell(Happening event) {
        synchronized (lock) {
            if (inbox.size() < MOST_WAITING) {
                inbox.add(event);
            } else {
                overflowed++;
            }
        }
    }

    @Override
    public void step() {
        List<Happening> events;
        synchronized (lock) {
            events = inbox;
            inbox = new ArrayList<>();
            lost += overflowed;
            overflowed = 0;
        }
        MonotonicTime now = os.now();
        lines.due(now);
        for (Happening event : events) {
            lines.tell(event, now);
            encode(event);
            waiting++;
            if (portion.size() >= PORTION) {
                flush();
            }
        }
        if (portion.size() > 0) {
            flush();
        }
    }

    @Override
    public Optional<MonotonicTime> nextStep() {
        synchronized (lock) {
            if (!inbox.isEmpty()) {
                return Optional.of(MonotonicTime.BOOT);
            }
        }
        return lines.next();
    }

    private void encode(Happening event) {
        try {
            codec.write(event, portion);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot happen: memory is no file", e);
        }
    }

    private void flush() {
        byte[] bytes = portion.toByteArray();
        long events = waiting;
        portion.reset();
        waiting = 0;
        if (retryAt.isPresent() && os.now().isBefore(retryAt.get())) {
            lost += events;
            return;
        }
        try {
            lookForAnother();
            Fd fd = fd();
            if (size >= MAX_SIZE) {
                rotate();
                fd = fd();
            }
            if (torn) {
                writeAll(fd, TORN_END);
                size += TORN_END.length;
                torn = false;
            }
            writeAll(fd, bytes);
            size += bytes.length;
            retryAt = Optional.empty();
            tellOfTheLost();
        } catch (OsException e) {
            if (retryAt.isEmpty()) {
                console.accept(new EventLine(
                        "supervisor: cannot write events: " + e.getMessage()
                                + "; tried again each second, what comes until then is lost",
                        true));
            }
            retryAt = Optional.of(os.now().plus(RETRY));
            torn = true;
            lost += events;
            close();
        }
    }

    private void tellOfTheLost() {
        if (lost > 0) {
            console.accept(new EventLine("supervisor: events are written; " + lost + " are missing in " + file, true));
            lost = 0;
        }
    }

    /** Somebody may have renamed or removed the file, or emptied it. */
    private void lookForAnother() throws OsException {
        if (open.isPresent()) {
            Optional<FileStat> there = os.stat(file);
            if (there.isEmpty() || !there.get().sameFile(identity)) {
                close();
            } else {
                size = there.get().size();
            }
        }
    }

    private Fd fd() throws OsException {
        if (open.isEmpty()) {
            Fd fd = os.open(file, OpenMode.APPEND, 0644);
            open = Optional.of(fd);
            identity = os.stat(fd);
            size = identity.size();
        }
        return open.get();
    }

    private void writeAll(Fd fd, byte[] bytes) throws OsException {
        int done = 0;
        while (done < bytes.length) {
            int count = os.write(fd, bytes, done, bytes.length - done);
            if (count == 0) {
                throw new OsException(Errno.ENOSPC, "write " + file);
            }
            done += count;
        }
    }

    private void rotate() throws OsException {
        close();
        for (int n = MAX_FILES - 1; n >= 1; n--) {
            if (os.stat(rotated(n)).isPresent()) {
                os.rename(rotated(n), rotated(n + 1));
            }
        }
        os.rename(file, rotated(1));
        size = 0;
    }

    private Path rotated(int n) {
        return file.resolveSibling(FILE + "." + n);
    }

    private void close() {
        open.ifPresent(os::close);
        open = Optional.empty();
    }

    /**
     * The number of the last event of earlier supervisors, 0 where there was none. A last line that a kill or a power cut
     * has torn will be ended before the next is written; it is not cut off, since somebody may be reading behind it.
     * Called before the first step.
     */
    public long lastSeq() throws OsException {
        Optional<EventTail> current = tail(file);
        torn = current.isPresent() && current.get().torn();
        Optional<Long> last = current.flatMap(EventTail::lastSeq);
        if (last.isEmpty()) {
            last = tail(rotated(1)).flatMap(EventTail::lastSeq);
        }
        return last.orElse(0L);
    }

    private Optional<EventTail> tail(Path path) throws OsException {
        return os.stat(path).isPresent() ? Optional.of(EventTail.read(os, path, PORTION)) : Optional.empty();
    }
}
