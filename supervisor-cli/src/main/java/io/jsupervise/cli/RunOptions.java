package io.jsupervise.cli;

import java.nio.file.Path;
import java.util.Optional;

/** What {@code run} was told. */
record RunOptions(
        Optional<Path> file,
        Optional<Path> stateDir,
        Optional<Path> runtimeDir,
        Optional<Path> watchdog,
        boolean stay) {
    /** Without {@code --watchdog}. */
    RunOptions(Optional<Path> file, Optional<Path> stateDir, Optional<Path> runtimeDir, boolean stay) {
        this(file, stateDir, runtimeDir, Optional.empty(), stay);
    }

    /**
     * Reads {@code run [FILE] [--state-dir DIR] [--runtime-dir DIR] [--watchdog DEV] [--stay]}; empty for anything else, help and mistakes
     * included, which picocli then reads alike and explains.
     */
    static Optional<RunOptions> plain(String[] args) {
        if (args.length == 0 || !args[0].equals("run")) {
            return Optional.empty();
        }
        Path file = null;
        Path stateDir = null;
        Path runtimeDir = null;
        Path watchdog = null;
        boolean stay = false;
        for (int i = 1; i < args.length; i++) {
            boolean option = args[i].startsWith("-");
            if (!option && file == null && !args[i].isEmpty()) {
                file = Path.of(args[i]);
            } else if (i + 1 < args.length && args[i].equals("--state-dir") && stateDir == null) {
                stateDir = Path.of(args[++i]);
            } else if (i + 1 < args.length && args[i].equals("--runtime-dir") && runtimeDir == null) {
                runtimeDir = Path.of(args[++i]);
            } else if (i + 1 < args.length && args[i].equals("--watchdog") && watchdog == null) {
                watchdog = Path.of(args[++i]);
            } else if (args[i].equals("--stay")) {
                stay = true;
            } else {
                return Optional.empty();
            }
        }
        return Optional.of(new RunOptions(
                Optional.ofNullable(file),
                Optional.ofNullable(stateDir),
                Optional.ofNullable(runtimeDir),
                Optional.ofNullable(watchdog),
                stay));
    }
}
