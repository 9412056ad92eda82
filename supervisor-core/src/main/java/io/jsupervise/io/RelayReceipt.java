package io.jsupervise.io;

import io.jsupervise.os.Fd;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * Makes "write something else, then consume" survive a kill at any instruction, which splice(2) does by itself only for
 * bytes that are not changed. A file says what is about to be done: from which FIFO how many bytes, to which file at
 * which size. Then the log is written, and then the bytes are consumed by splicing them into this file: its length
 * tells how far that came. After a kill:
 *
 * <pre>
 * nothing consumed      the log, which may have a part, is cut back to its size of before; the bytes come again
 * a part consumed       the log has all, so the rest is consumed
 * all consumed          it was done
 * </pre>
 *
 * <p>The next relay does that before it touches any FIFO or log. Another boot, another log file, or a FIFO that has lost
 * its content make what is told here void: then the log is left as it is. One file serves all services, since the relay
 * does one portion after another. The relay's thread only, {@link #finish} before that begins.
 */
final class RelayReceipt {
    /** A path has at most 4096 bytes (PATH_MAX), what stands before it far fewer than 512. */
    private static final int LONGEST_HEADER = 4096 + 512;

    private static final int LENGTH_DIGITS = 5;

    private final Os os;
    private final Path path;
    private Optional<Fd> file = Optional.empty();
    private String bootId = "";
    private int headerLength;

    /** Of the present portion. */
    private int consumed;

    /** Whether the file tells of something that is not done. */
    private boolean pending;

    /**
     * What a killed relay was about to do.
     *
     * @param fifo     name of the FIFO
     * @param log      device and inode of the log
     * @param size     size of the log before
     * @param count    bytes that were to be consumed
     * @param consumed how many of them were
     */
    private record Begun(String fifo, String log, long size, int count, Path logPath, int consumed) {}

    RelayReceipt(Os os, Path path) {
        this.os = os;
        this.path = path;
    }

    private static String identity(FileStat log) {
        return Long.toHexString(log.device()) + ":" + Long.toHexString(log.inode());
    }

    // ---- after a kill ----

    /**
     * Finishes or takes back what the relay before us was killed over. Killed itself, it can be done again.
     *
     * @throws OsException where that cannot be done: then a portion may come twice, and is not lost
     */
    void finish() throws OsException {
        Optional<Begun> begun = read();
        if (begun.isEmpty()) {
            return;
        }
        pending = true;
        if (begun.get().consumed > 0) {
            consumeRest(begun.get());
        } else {
            takeBack(begun.get());
        }
        clear();
    }

    private Optional<Begun> read() throws OsException {
        Optional<FileStat> there = os.stat(path);
        if (there.isEmpty()) {
            return Optional.empty();
        }
        byte[] bytes = readWhole(there.get().size());
        int length = bytes.length;
        if (length < LENGTH_DIGITS) {
            return Optional.empty();
        }
        try {
            int header = Integer.parseInt(new String(bytes, 0, LENGTH_DIGITS, StandardCharsets.US_ASCII));
            if (header < LENGTH_DIGITS || length < header) {
                return Optional.empty();
            }
            String text = new String(bytes, 0, header, StandardCharsets.UTF_8);
            return begun(text, header, length - header);
        } catch (IllegalArgumentException e) {
            // Another version's, or nobody's.
            return Optional.empty();
        }
    }

    private Optional<Begun> begun(String text, int header, int consumed) {
        String[] words = text.split(" ", 7);
        if (words.length < 7 || !words[1].equals(os.bootId())) {
            return Optional.empty();
        }
        int count = Integer.parseInt(words[5]);
        if (consumed >= count) {
            return Optional.empty();
        }
        headerLength = header;
        return Optional.of(new Begun(words[2], words[3], Long.parseLong(words[4]), count, Path.of(words[6]), consumed));
    }

    private byte[] readWhole(long size) throws OsException {
        byte[] bytes = new byte[(int) Math.min(size, LONGEST_HEADER + RelayBuffers.WINDOW)];
        Fd fd = os.open(path, OpenMode.READ, 0);
        try {
            int length = 0;
            while (length < bytes.length) {
                int got = os.read(fd, bytes, length, bytes.length - length);
                if (got == 0) {
                    break;
                }
                length += got;
            }
            return length == bytes.length ? bytes : Arrays.copyOf(bytes, length);
        } finally {
            os.close(fd);
        }
    }

    private void consumeRest(Begun begun) throws OsException {
        Path fifo = path.resolveSibling(begun.fifo);
        Optional<FileStat> there = os.stat(fifo);
        if (there.isEmpty() || there.get().kind() != FileStat.Kind.FIFO) {
            return;
        }
        Fd fd = os.open(fifo, OpenMode.FIFO, 0);
        try {
            // Where it has fewer, nobody held it open, and it has forgotten what was in it.
            if (os.available(fd) >= begun.count - begun.consumed) {
                consumed = begun.consumed;
                splice(fd, begun.count);
            }
        } finally {
            os.close(fd);
        }
    }

    private void takeBack(Begun begun) throws OsException {
        Optional<FileStat> log = os.stat(begun.logPath);
        if (log.isEmpty()
                || log.get().kind() != FileStat.Kind.REGULAR
                || !begun.log.equals(identity(log.get()))
                || log.get().size() <= begun.size) {
            return;
        }
        Fd fd = os.open(begun.logPath, OpenMode.WRITE, 0);
        try {
            os.truncate(fd, begun.size);
        } finally {
            os.close(fd);
        }
    }

    // ---- before and during a portion ----

    /**
     * Says what is about to be done. False where that cannot be said (a full disk): the work is done all the same, and
     * only a kill during it would repeat a portion.
     *
     * @throws OsException where the file still tells of something older that is not true any more: the next relay would
     *     believe it
     */
    boolean begin(String fifo, LogFile log, int count) throws OsException {
        try {
            Fd fd = open();
            os.truncate(fd, 0);
            pending = false;
            String what = " " + bootId + " " + fifo + " " + identity(log.identity()) + " " + log.size() + " " + count
                    + " " + log.path();
            byte[] header = ("00000" + what).getBytes(StandardCharsets.UTF_8);
            headerLength = header.length;
            putLength(header);
            int done = 0;
            while (done < header.length) {
                done += os.writeAt(fd, done, header, done, header.length - done);
            }
            pending = true;
            return true;
        } catch (OsException e) {
            if (pending) {
                throw e;
            }
            return false;
        }
    }

    private static void putLength(byte[] header) {
        int rest = header.length;
        for (int i = LENGTH_DIGITS - 1; i >= 0; i--) {
            header[i] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
    }

    private Fd open() throws OsException {
        if (file.isEmpty()) {
            bootId = os.bootId();
            file = Optional.of(os.open(path, OpenMode.WRITE, 0600));
        }
        return file.get();
    }

    /**
     * Consumes bytes of the FIFO into the file: as many as could be; the rest may be consumed in another way then. After
     * a {@link #begin} that was noted.
     *
     * @throws OsException where the next relay would believe that fewer were consumed than the caller may go on to
     */
    int consume(Fd fifo, int count) throws OsException {
        consumed = 0;
        try {
            splice(fifo, count);
        } catch (OsException e) {
            // A full disk, perhaps. What was consumed is.
        }
        if (consumed < count) {
            clear();
        }
        pending = false;
        return consumed;
    }

    /** Consumes until {@code count} bytes of the portion are, or the FIFO is empty. */
    private void splice(Fd fifo, int count) throws OsException {
        int moved = 1;
        while (consumed < count && moved > 0) {
            moved = (int) os.splice(fifo, open(), headerLength + consumed, count - consumed);
            consumed += moved;
        }
    }

    /** Nothing is about to be done. */
    void clear() throws OsException {
        os.truncate(open(), 0);
        pending = false;
    }

    void close() {
        file.ifPresent(os::close);
        file = Optional.empty();
    }
}
