package io.jsupervise.spec;

import java.nio.file.Path;
import java.util.Optional;

/** Where the output of a service goes. */
public sealed interface LogSpec {
    /** To /dev/null. */
    record None() implements LogSpec {}

    /** To the supervisor's own standard output and error. */
    record Inherit() implements LogSpec {}

    /**
     * Through a FIFO and the relay into a file that is rotated by size at line boundaries.
     *
     * @param file       absolute path of the log
     * @param stderr     what becomes of standard error
     * @param maxSize    bytes after which the file is rotated, at least 4096
     * @param maxFiles   rotated files kept beside the current one, 0 or more
     * @param compress   whether rotated files are compressed with gzip
     * @param timestamps whether each line is prefixed with the time at which it was relayed
     * @param console    whether lines are echoed to the supervisor's standard output with the service's name
     * @param pipeSize   capacity of the FIFO in bytes: what a child can write while nobody reads
     */
    record ToFile(
            Path file,
            Stderr stderr,
            long maxSize,
            int maxFiles,
            boolean compress,
            boolean timestamps,
            boolean console,
            int pipeSize)
            implements LogSpec {
        public static final long DEFAULT_MAX_SIZE = 10L << 20;
        public static final int DEFAULT_MAX_FILES = 5;
        /** The most that may be asked for. */
        public static final int MOST_FILES = 1000;

        public static final int DEFAULT_PIPE_SIZE = 1 << 20;

        public ToFile {
            if (!file.isAbsolute()) {
                throw new IllegalArgumentException("log file must be absolute: " + file);
            }
            if (maxSize < 4096) {
                throw new IllegalArgumentException("log max_size must be at least 4KiB");
            }
            if (maxFiles < 0) {
                throw new IllegalArgumentException("log max_files must not be negative");
            }
            if (pipeSize < 4096 || pipeSize > 1 << 30) {
                throw new IllegalArgumentException("log pipe_size must be between 4KiB and 1GiB");
            }
        }

        /** The default log of a service: {@code <stateDir>/logs/NAME.log}, everything merged. */
        public static ToFile of(Path file) {
            return new ToFile(
                    file,
                    new Stderr.Merge(),
                    DEFAULT_MAX_SIZE,
                    DEFAULT_MAX_FILES,
                    false,
                    false,
                    false,
                    DEFAULT_PIPE_SIZE);
        }

        /** A log of which nothing is known but where it is: of its rotated files as many are kept as there may be. */
        public static ToFile keepingAll(Path file) {
            return new ToFile(
                    file, new Stderr.Merge(), DEFAULT_MAX_SIZE, MOST_FILES, false, false, false, DEFAULT_PIPE_SIZE);
        }

        /** Where standard error goes that has a file of its own beside {@code file}: {@code web.log}, {@code web.err.log}. */
        public static Path errorFile(Path file) {
            String name = file.getFileName().toString();
            String stem = name.endsWith(".log") ? name.substring(0, name.length() - 4) : name;
            return file.resolveSibling(stem + ".err.log");
        }

        /** The file that standard error has to itself, if it has one. */
        public Optional<Path> stderrFile() {
            return stderr instanceof Stderr.ToFile own ? Optional.of(own.file()) : Optional.empty();
        }
    }

    /** What becomes of standard error beside a log file. */
    sealed interface Stderr {
        /** Into the same file as standard output. */
        record Merge() implements Stderr {}

        /** Into a file of its own, rotated alike. */
        record ToFile(Path file) implements Stderr {}

        /** To /dev/null. */
        record Null() implements Stderr {}
    }
}
