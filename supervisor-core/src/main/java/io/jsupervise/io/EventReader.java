package io.jsupervise.io;

import io.jsupervise.control.EventCodec;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.util.Optional;

/**
 * Reads the event files of a state directory, oldest first, each line once, also across a rotation. It reads what is on
 * the disk and nothing else: it works beside a living supervisor and without one, and a slow reader holds up nobody.
 * One thread.
 */
public final class EventReader implements Closeable {
    private final Path stateDir;
    private final Optional<Long> afterSeq;
    private final Optional<Instant> notBefore;
    private final byte[] buffer = new byte[16 << 10];
    private final ByteArrayOutputStream line = new ByteArrayOutputStream(512);
    private int at;
    private int end;
    private Optional<InputStream> open = Optional.empty();

    /** Identity of the file that is, or was last, open: its number changes with each rotation. */
    private Object openKey = "";

    private long lastSeq;

    /**
     * @param afterSeq  only events of a higher number
     * @param notBefore only events of this time or later
     */
    public EventReader(Path stateDir, Optional<Long> afterSeq, Optional<Instant> notBefore) {
        this.stateDir = stateDir;
        this.afterSeq = afterSeq;
        this.notBefore = notBefore;
        this.lastSeq = afterSeq.orElse(0L);
    }

    /** The next line with its end; empty where there is none now. */
    public Optional<byte[]> next() throws IOException {
        while (true) {
            Optional<byte[]> whole = nextLine();
            if (whole.isEmpty()) {
                return Optional.empty();
            }
            byte[] text = whole.get();
            int length = text.length - 1;
            Optional<Long> seq = length > 0 ? EventCodec.seqOf(text, length) : Optional.empty();
            // A file that was removed may lead back to an older one; its lines are not told twice.
            if (seq.isPresent() && seq.get() > lastSeq) {
                lastSeq = seq.get();
                if (isWanted(text, length)) {
                    return whole;
                }
            }
        }
    }

    private boolean isWanted(byte[] text, int length) {
        if (afterSeq.isPresent() || notBefore.isEmpty()) {
            return true;
        }
        return EventCodec.timeOf(text, length)
                .map(time -> !time.isBefore(notBefore.get()))
                .orElse(false);
    }

    private Optional<byte[]> nextLine() throws IOException {
        while (true) {
            while (at < end) {
                byte one = buffer[at++];
                line.write(one);
                if (one == '\n') {
                    byte[] whole = line.toByteArray();
                    line.reset();
                    return Optional.of(whole);
                }
            }
            if (!fill()) {
                return Optional.empty();
            }
        }
    }

    private boolean fill() throws IOException {
        while (true) {
            if (readOpen()) {
                return true;
            }
            int number = numberOf(openKey);
            if (number == 0) {
                return false;
            }
            // It may have grown between the end that was read and its rotation; from now on it does not.
            if (readOpen()) {
                return true;
            }
            if (!openBehind(number)) {
                return false;
            }
        }
    }

    private boolean readOpen() throws IOException {
        int count = open.isPresent() ? open.get().read(buffer, 0, buffer.length) : 0;
        at = 0;
        end = Math.max(0, count);
        return count > 0;
    }

    /**
     * Opens the oldest file that is younger than number {@code number}; false where there is none yet. What was open
     * stays so until then, so that no other file can get its identity, and a rotation meanwhile, which gives all files
     * other numbers, is seen by it.
     */
    private boolean openBehind(int number) throws IOException {
        for (int next = number - 1; next >= 0; next--) {
            Optional<Object> key = keyOf(file(next));
            if (key.isPresent()) {
                InputStream in;
                try {
                    in = Files.newInputStream(file(next));
                } catch (NoSuchFileException e) {
                    return true;
                }
                if (numberOf(openKey) == number && numberOf(key.get()) == next && nothingBetween(next, number)) {
                    close();
                    open = Optional.of(in);
                    openKey = key.get();
                    line.reset();
                } else {
                    in.close();
                }
                return true;
            }
        }
        return false;
    }

    private boolean nothingBetween(int younger, int older) throws IOException {
        for (int number = younger + 1; number < older; number++) {
            if (keyOf(file(number)).isPresent()) {
                return false;
            }
        }
        return true;
    }

    /** Where rotations have moved a file; behind the oldest where it is none of them, so that all come after it. */
    private int numberOf(Object fileKey) throws IOException {
        for (int number = 0; number <= EventLog.MAX_FILES; number++) {
            Optional<Object> key = keyOf(file(number));
            if (key.isPresent() && key.get().equals(fileKey)) {
                return number;
            }
        }
        return EventLog.MAX_FILES + 1;
    }

    private Path file(int number) {
        return stateDir.resolve(number == 0 ? EventLog.FILE : EventLog.FILE + "." + number);
    }

    private static Optional<Object> keyOf(Path file) throws IOException {
        try {
            return Optional.of(
                    Files.readAttributes(file, BasicFileAttributes.class).fileKey());
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    @Override
    public void close() throws IOException {
        if (open.isPresent()) {
            open.get().close();
            open = Optional.empty();
        }
    }
}
