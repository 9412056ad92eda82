package io.jsupervise.io;

import io.jsupervise.os.Fd;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Makes "write something else, then consume" survive a kill at any instruction, which splice(2) does by itself only for
 * bytes that are not changed. A file says what is about to be done: from which FIFO how many bytes, to which file at
 * which size. Then the log is written, and then the bytes are consumed by splicing them into this file: its length
 * tells how far that came. After a kill:
 *
 * <pre>
 * nothing consumed      the log is cut back to its size of before; the bytes are still in the FIFO and come again
 * a part consumed       the same, and that part is taken from this file
 * all consumed          it was done
 * </pre>
 *
 * <p>Another boot, another log file, or a FIFO that has lost its content make what is told here void: then the log is
 * left as it is. One file serves all services, since the relay does one portion after another. Its thread only.
 */
final class RelayReceipt {
    /** Fixed, so that the length of the file tells how much was consumed. */
    private static final int HEADER = 256;

    private final Os os;
    private final Path path;
    private final byte[] header = new byte[HEADER];
    private Optional<Fd> file = Optional.empty();
    private String bootId = "";

    /**
     * What a killed relay was about to do.
     *
     * @param log      device and inode of the log
     * @param size     size of the log before
     * @param count    bytes that were to be consumed
     * @param consumed those of them that were
     */
    record Unfinished(String fifo, String log, long size, int count, byte[] consumed) {
        int left() {
            return count - consumed.length;
        }

        boolean isAbout(FileStat stat) {
            return log.equals(identity(stat)) && stat.size() >= size;
        }
    }

    RelayReceipt(Os os, Path path) {
        this.os = os;
        this.path = path;
    }

    private static String identity(FileStat log) {
        return Long.toHexString(log.device()) + ":" + Long.toHexString(log.inode());
    }

    /** What the relay before us left unfinished in this boot. Nothing that was written is believed half. */
    Optional<Unfinished> unfinished() throws OsException {
        if (os.stat(path).isEmpty()) {
            return Optional.empty();
        }
        byte[] bytes = new byte[HEADER + RelayBuffers.WINDOW];
        int length = readWhole(bytes);
        if (length < HEADER) {
            return Optional.empty();
        }
        String[] words = new String(bytes, 0, HEADER, StandardCharsets.US_ASCII).split(" ", 7);
        if (words.length < 7 || !words[0].equals(os.bootId()) || !words[5].equals("end")) {
            return Optional.empty();
        }
        byte[] consumed = java.util.Arrays.copyOfRange(bytes, HEADER, length);
        int count = Integer.parseInt(words[4]);
        if (consumed.length >= count) {
            return Optional.empty();
        }
        return Optional.of(new Unfinished(words[1], words[2], Long.parseLong(words[3]), count, consumed));
    }

    private int readWhole(byte[] bytes) throws OsException {
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
            return length;
        } finally {
            os.close(fd);
        }
    }

    /**
     * Says what is about to be done. False where that cannot be said (a full disk): the work is done all the same, and
     * only a kill during it would repeat a portion.
     */
    boolean begin(String fifo, LogFile log, int count) {
        try {
            Fd fd = open();
            os.truncate(fd, 0);
            write(bootId + " " + fifo + " " + identity(log.identity()) + " " + log.size() + " " + count + " end ");
            int done = 0;
            while (done < HEADER) {
                done += os.writeAt(fd, done, header, done, HEADER - done);
            }
            return true;
        } catch (OsException e) {
            clear();
            return false;
        }
    }

    private Fd open() throws OsException {
        if (file.isEmpty()) {
            bootId = os.bootId();
            file = Optional.of(os.open(path, OpenMode.WRITE, 0600));
        }
        return file.get();
    }

    @SuppressWarnings("deprecation") // the only way to copy ASCII without making an array
    private void write(String text) {
        java.util.Arrays.fill(header, (byte) ' ');
        text.getBytes(0, text.length(), header, 0);
    }

    /** Consumes bytes of the FIFO into the file: as many as could be. After {@link #begin}. */
    int consume(Fd fifo, int count) {
        int done = 0;
        try {
            while (done < count) {
                int moved = (int) os.splice(fifo, open(), HEADER + done, count - done);
                if (moved == 0) {
                    break;
                }
                done += moved;
            }
        } catch (OsException e) {
            // The caller consumes the rest by reading; from here on a kill may repeat it, but must lose nothing.
            clear();
        }
        return done;
    }

    /** Nothing is about to be done. */
    void clear() {
        try {
            os.truncate(open(), 0);
        } catch (OsException e) {
            close();
        }
    }

    void close() {
        file.ifPresent(os::close);
        file = Optional.empty();
    }
}
