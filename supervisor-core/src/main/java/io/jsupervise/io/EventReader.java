package io.jsupervise.io;

import io.jsupervise.control.EventCodec;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
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
    private Object openKey = "";
    private long lastSeq;
    private int nextFile;

    /**
     * @param afterSeq  only events of a higher number
     * @param notBefore only events of this time or later
     */
    public EventReader(Path stateDir, Optional<Long> afterSeq, Optional<Instant> notBefore) {
        this.stateDir = stateDir;
        this.afterSeq = afterSeq;
        this.notBefore = notBefore;
        this.nextFile = EventLog.MAX_FILES;
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
            // A file that was rotated while we went through the folder is met twice; its lines are not told twice.
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
            if (open.isPresent()) {
                int count = open.get().read(buffer, 0, buffer.length);
                if (count > 0) {
                    at = 0;
                    end = count;
                    return true;
                }
                if (isCurrent()) {
                    return false;
                }
                close();
                line.reset();
            }
            if (!openNext()) {
                return false;
            }
        }
    }

    /** Whether what is open is the file that is written to. */
    private boolean isCurrent() throws IOException {
        try {
            return Files.readAttributes(current(), java.nio.file.attribute.BasicFileAttributes.class)
                    .fileKey()
                    .equals(openKey);
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    private Path current() {
        return stateDir.resolve(EventLog.FILE);
    }

    /** From the oldest file to the current one; after a rotation the newest rotated one and the current one again. */
    private boolean openNext() throws IOException {
        while (nextFile >= 0) {
            Path file = nextFile == 0 ? current() : stateDir.resolve(EventLog.FILE + "." + nextFile);
            nextFile--;
            try {
                InputStream in = Files.newInputStream(file);
                open = Optional.of(in);
                openKey = Files.readAttributes(file, java.nio.file.attribute.BasicFileAttributes.class)
                        .fileKey();
                return true;
            } catch (NoSuchFileException e) {
                // Not rotated that often yet.
            }
        }
        nextFile = 1;
        if (!Files.exists(current())) {
            return false;
        }
        return openNext();
    }

    @Override
    public void close() throws IOException {
        if (open.isPresent()) {
            open.get().close();
            open = Optional.empty();
        }
    }
}
