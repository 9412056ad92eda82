package io.jsupervise.io;

import io.jsupervise.os.FileStat;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The rotated files of one log: {@code NAME.log.1} is the youngest, {@code NAME.log.5} the oldest of five, each with
 * {@code .gz} behind it once it is compressed. Renames only, the oldest file first, so that a kill between any two of
 * them leaves a gap in the numbers and nothing overwritten; the next rotation shifts only up to the gap. The relay's
 * thread rotates while another compresses: whichever changes names holds the lock.
 */
public final class LogRotation {
    private static final String COMPRESSED = ".gz";

    private final Os os;
    private final Path log;
    private final int maxFiles;
    private final boolean compress;

    /** A rotated file, and what stat(2) says of it. */
    record Rotated(Path path, FileStat stat) {
        /** Whether that is this file, and not a younger one to which the kernel gave its inode. Rotated files do not change. */
        boolean is(FileStat there) {
            return stat.sameFile(there)
                    && stat.size() == there.size()
                    && stat.mtime().equals(there.mtime());
        }
    }

    LogRotation(Os os, Path log, int maxFiles, boolean compress) {
        this.os = os;
        this.log = log;
        this.maxFiles = maxFiles;
        this.compress = compress;
    }

    /** Whether rotated files are to be compressed. */
    boolean compresses() {
        return compress && maxFiles > 0;
    }

    /** Renames the current file to number 1 and the others on; with no files to keep it is removed. */
    synchronized void rotate() throws OsException {
        removeBeyond(maxFiles);
        if (maxFiles == 0) {
            os.unlink(log);
            return;
        }
        int free = 1;
        while (free < maxFiles && exists(free)) {
            free++;
        }
        if (free == maxFiles) {
            remove(free);
        }
        for (int number = free - 1; number >= 1; number--) {
            shift(number);
        }
        os.rename(log, plain(1));
    }

    /** From the oldest on, so that after a kill no number is missing before one that has to go. */
    private void removeBeyond(int kept) throws OsException {
        int number = kept + 1;
        while (exists(number)) {
            number++;
        }
        while (--number > kept) {
            remove(number);
        }
    }

    private boolean exists(int number) throws OsException {
        return os.stat(plain(number)).isPresent() || os.stat(compressed(number)).isPresent();
    }

    private void remove(int number) throws OsException {
        os.unlink(plain(number));
        os.unlink(compressed(number));
    }

    private void shift(int number) throws OsException {
        if (os.stat(compressed(number)).isPresent()) {
            // Both are there where a kill came between the last two steps of install: they hold the same.
            os.unlink(plain(number));
            os.rename(compressed(number), compressed(number + 1));
        } else {
            os.rename(plain(number), plain(number + 1));
        }
    }

    /** The rotated file with the highest number. */
    synchronized Optional<Rotated> oldest() throws OsException {
        for (int number = maxFiles; number >= 1; number--) {
            for (Path path : new Path[] {compressed(number), plain(number)}) {
                Optional<FileStat> stat = os.stat(path);
                if (stat.isPresent()) {
                    return Optional.of(new Rotated(path, stat.get()));
                }
            }
        }
        return Optional.empty();
    }

    /** Removes {@code file}, unless it has got another name meanwhile. */
    synchronized boolean remove(Rotated file) throws OsException {
        Optional<FileStat> there = os.stat(file.path);
        if (there.isEmpty() || !file.is(there.get())) {
            return false;
        }
        os.unlink(file.path);
        return true;
    }

    /**
     * Compresses what is not compressed yet, the oldest file first. Slow; never on the relay's thread. Killed anywhere,
     * each file is there as it was or whole in its compressed form, and the next rotation takes up what was left over.
     */
    void compress() throws OsException {
        LogPacker packer = new LogPacker(os);
        Path fresh = log.resolveSibling(log.getFileName() + COMPRESSED + ".new");
        for (Optional<Rotated> next = oldestPlain(); next.isPresent(); next = oldestPlain()) {
            boolean installed = false;
            try {
                installed = packer.pack(next.get(), fresh) && install(next.get(), fresh);
            } finally {
                if (!installed) {
                    os.unlink(fresh);
                }
            }
        }
    }

    private synchronized Optional<Rotated> oldestPlain() throws OsException {
        for (int number = maxFiles; number >= 1; number--) {
            Optional<FileStat> stat = os.stat(plain(number));
            if (stat.isPresent() && os.stat(compressed(number)).isEmpty()) {
                return Optional.of(new Rotated(plain(number), stat.get()));
            }
        }
        return Optional.empty();
    }

    /**
     * Puts the compressed form of {@code original} in its place, which may have another number by now; false where it
     * is no longer kept. The content of {@code fresh} must be on the disk; that the removal of the plain file reaches
     * it after the renaming is what journaling file systems do by themselves.
     */
    private synchronized boolean install(Rotated original, Path fresh) throws OsException {
        for (int number = 1; number <= maxFiles; number++) {
            Optional<FileStat> stat = os.stat(plain(number));
            if (stat.isPresent() && original.is(stat.get())) {
                os.rename(fresh, compressed(number));
                os.unlink(plain(number));
                return true;
            }
        }
        return false;
    }

    private Path plain(int number) {
        return log.resolveSibling(log.getFileName() + "." + number);
    }

    private Path compressed(int number) {
        return log.resolveSibling(log.getFileName() + "." + number + COMPRESSED);
    }
}
