package io.jsupervise.io;

import io.jsupervise.os.FileStat;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.spec.LogSpec;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;

/**
 * The rotated files of one log: {@code web.log.1} is the newest, {@code web.log.5} the oldest; {@code .gz} is added to
 * those that were compressed. The relay rotates, another thread compresses; whoever renames holds the lock.
 */
public final class LogRotation {
    private static final String GZ = ".gz";
    private static final String NEW = ".gz.new";

    private final Os os;
    private final LogSpec.ToFile spec;
    private final Path file;

    LogRotation(Os os, LogSpec.ToFile spec, Path file) {
        this.os = os;
        this.spec = spec;
        this.file = file;
    }

    /** Every file becomes one older, the oldest is removed; nothing is left under the name of the log itself. */
    synchronized void rotate() throws OsException {
        if (spec.maxFiles() == 0) {
            os.unlink(file);
            return;
        }
        remove(spec.maxFiles());
        for (int n = spec.maxFiles() - 1; n >= 1; n--) {
            shift(n);
        }
        os.rename(file, plain(1));
    }

    private void shift(int n) throws OsException {
        if (os.stat(packed(n)).isPresent()) {
            os.rename(packed(n), packed(n + 1));
            // Both exist only where we died between the last two steps of compressing: the packed one is whole.
            os.unlink(plain(n));
        } else if (os.stat(plain(n)).isPresent()) {
            os.rename(plain(n), plain(n + 1));
        }
    }

    private void remove(int n) throws OsException {
        os.unlink(plain(n));
        os.unlink(packed(n));
    }

    private Path plain(int n) {
        return file.resolveSibling(file.getFileName() + "." + n);
    }

    private Path packed(int n) {
        return file.resolveSibling(file.getFileName() + "." + n + GZ);
    }

    /** Removes the oldest rotated file, to make room; empty where there is none. */
    synchronized Optional<Path> removeOldest() throws OsException {
        for (int n = spec.maxFiles(); n >= 1; n--) {
            for (Path candidate : new Path[] {packed(n), plain(n)}) {
                if (os.stat(candidate).isPresent()) {
                    os.unlink(candidate);
                    return Optional.of(candidate);
                }
            }
        }
        return Optional.empty();
    }

    boolean compresses() {
        return spec.compress() && spec.maxFiles() > 0;
    }

    /**
     * Compresses whatever is not compressed yet, newest last, each into a new file that takes the old one's place at
     * one instant. A rotation meanwhile is noticed by where the file is by then. Slow; never on the relay's thread.
     */
    void compress() throws IOException {
        for (int n = spec.maxFiles(); n >= 1; n--) {
            Optional<FileStat> stat;
            InputStream in;
            synchronized (this) {
                stat = os.stat(plain(n));
                if (stat.isEmpty()) {
                    continue;
                }
                in = Files.newInputStream(plain(n));
            }
            Path fresh = file.resolveSibling(file.getFileName() + NEW);
            pack(in, fresh);
            putInPlace(fresh, stat.get());
        }
    }

    private static void pack(InputStream from, Path to) throws IOException {
        try (InputStream in = from;
                FileChannel channel = FileChannel.open(
                        to, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE);
                OutputStream out = new GZIPOutputStream(java.nio.channels.Channels.newOutputStream(channel), 1 << 16)) {
            in.transferTo(out);
            out.flush();
            ((GZIPOutputStream) out).finish();
            channel.force(true);
        }
    }

    private synchronized void putInPlace(Path fresh, FileStat packedFile) throws OsException {
        for (int n = 1; n <= spec.maxFiles(); n++) {
            Optional<FileStat> there = os.stat(plain(n));
            if (there.isPresent() && there.get().sameFile(packedFile)) {
                os.rename(fresh, packed(n));
                os.unlink(plain(n));
                return;
            }
        }
        os.unlink(fresh);
    }
}
