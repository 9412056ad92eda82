package io.jsupervise.io;

import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;

/** Writes a file again as gzip, through the {@link Os}, so that the simulator can fail and kill every call of it. */
final class LogPacker {
    private static final int CHUNK = 1 << 16;

    private final Os os;

    LogPacker(Os os) {
        this.os = os;
    }

    /**
     * Writes the compressed form of {@code original} to {@code fresh}, down to the disk. False where its name is that
     * of a younger file by the time it is opened, or of none; then nothing is in {@code fresh}.
     */
    boolean pack(LogRotation.Rotated original, Path fresh) throws OsException {
        Fd from;
        try {
            from = os.open(original.path(), OpenMode.READ, 0);
        } catch (OsException e) {
            if (e.errno() == Errno.ENOENT) {
                // The relay is just rotating: it has another number now.
                return false;
            }
            throw e;
        }
        try {
            Fd to = os.open(fresh, OpenMode.REPLACE, original.stat().mode());
            try {
                if (!original.is(os.stat(from))) {
                    return false;
                }
                pour(from, to);
                os.fsync(to);
                return true;
            } finally {
                os.close(to);
            }
        } finally {
            os.close(from);
        }
    }

    private void pour(Fd from, Fd to) throws OsException {
        try (InputStream in = new Input(from);
                OutputStream out = new GZIPOutputStream(new Output(to), CHUNK)) {
            in.transferTo(out);
        } catch (OsException e) {
            throw e;
        } catch (IOException e) {
            throw new AssertionError("neither memory nor the deflater fails", e);
        }
    }

    private final class Input extends InputStream {
        private final Fd fd;

        Input(Fd fd) {
            this.fd = fd;
        }

        @Override
        public int read() {
            throw new AssertionError("is read in chunks");
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws OsException {
            int got = os.read(fd, bytes, offset, length);
            return got == 0 ? -1 : got;
        }
    }

    private final class Output extends OutputStream {
        private final Fd fd;

        Output(Fd fd) {
            this.fd = fd;
        }

        @Override
        public void write(int b) throws OsException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws OsException {
            int done = 0;
            while (done < length) {
                done += os.write(fd, bytes, offset + done, length - done);
            }
        }
    }
}
