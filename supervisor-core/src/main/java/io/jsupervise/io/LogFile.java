package io.jsupervise.io;

import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The current file of a log, written at its end. It is opened at the first output, without O_APPEND, which splice(2)
 * refuses; so the end is looked up before each portion with one stat(2) of the path, which also shows that somebody
 * removed or renamed the file (it is made anew), emptied it (writing goes on at 0), or appended to it. The relay's
 * thread only.
 */
final class LogFile {
    private static final int MODE = 0640;
    private static final int DIRECTORY_MODE = 0755;

    private final Os os;
    private final Path path;
    private Optional<Opened> opened = Optional.empty();
    private long size;

    /** A size at which the file is known to end with a newline. */
    private long lineEndedAt;

    private record Opened(Fd fd, FileStat stat) {}

    LogFile(Os os, Path path) {
        this.os = os;
        this.path = path;
    }

    Path path() {
        return path;
    }

    /** Makes sure that what is open is the file at the path, and finds its end. */
    void prepare() throws OsException {
        Optional<FileStat> there = os.stat(path);
        if (there.isPresent() && opened.isPresent() && opened.get().stat.sameFile(there.get())) {
            if (size != there.get().size()) {
                size = there.get().size();
                lineEndedAt = 0;
            }
            return;
        }
        close();
        if (there.isPresent() && there.get().kind() != FileStat.Kind.REGULAR) {
            // To open a FIFO would wait for its reader, to write to a device at an offset means nothing.
            throw new OsException(
                    Errno.EINVAL,
                    "open " + path + ", which is " + there.get().kind().words() + " and no file");
        }
        open();
    }

    private void open() throws OsException {
        Fd fd;
        try {
            fd = os.open(path, OpenMode.WRITE, MODE);
        } catch (OsException e) {
            if (e.errno() != Errno.ENOENT) {
                throw e;
            }
            makeDirectory(path.getParent());
            fd = os.open(path, OpenMode.WRITE, MODE);
        }
        try {
            FileStat stat = os.stat(fd);
            opened = Optional.of(new Opened(fd, stat));
            size = stat.size();
            lineEndedAt = 0;
        } catch (OsException e) {
            os.close(fd);
            throw e;
        }
    }

    private void makeDirectory(Path directory) throws OsException {
        if (directory == null || os.stat(directory).isPresent()) {
            return;
        }
        makeDirectory(directory.getParent());
        os.mkdir(directory, DIRECTORY_MODE);
    }

    long size() {
        return size;
    }

    /** Moves up to {@code max} bytes from a pipe to the end, consuming what was written; 0 where the pipe is empty. */
    long splice(Fd pipe, long max) throws OsException {
        long moved = os.splice(pipe, fd(), size, max);
        size += moved;
        return moved;
    }

    /** Moves exactly {@code count} bytes; fewer only where an error comes next, or the pipe has fewer. */
    int spliceExactly(Fd pipe, int count) throws OsException {
        int done = 0;
        while (done < count) {
            int moved = (int) splice(pipe, count - done);
            if (moved == 0) {
                break;
            }
            done += moved;
        }
        return done;
    }

    /** Writes all of it at the end, or nothing: what was written before an error is taken back. */
    void append(byte[] bytes, int length) throws OsException {
        int done = 0;
        try {
            while (done < length) {
                done += os.writeAt(fd(), size + done, bytes, done, length - done);
            }
        } catch (OsException e) {
            takeBack(e);
            throw e;
        }
        size += length;
        if (length > 0 && bytes[length - 1] == '\n') {
            lineEndedAt = size;
        }
    }

    private void takeBack(OsException why) {
        try {
            os.truncate(fd(), size);
        } catch (OsException e) {
            why.addSuppressed(e);
        }
    }

    /** What was last moved to the end is known to end with a newline. */
    void lineEnded() {
        lineEndedAt = size;
    }

    /** Whether the next byte begins a line; an empty file is one too. */
    boolean atLineStart() throws OsException {
        if (size == lineEndedAt) {
            return true;
        }
        Fd fd = os.open(path, OpenMode.READ, 0);
        try {
            byte[] last = new byte[1];
            if (os.readAt(fd, size - 1, last, 0, 1) == 1 && last[0] != '\n') {
                return false;
            }
            lineEndedAt = size;
            return true;
        } finally {
            os.close(fd);
        }
    }

    /** Which file it is. After {@link #prepare}. */
    FileStat identity() {
        return opened.orElseThrow().stat;
    }

    private Fd fd() {
        return opened.orElseThrow().fd;
    }

    /** Closes what is open; false where nothing is. */
    boolean close() {
        if (opened.isEmpty()) {
            return false;
        }
        os.close(opened.get().fd);
        opened = Optional.empty();
        return true;
    }
}
