package io.jsupervise.config;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * What defaults depend on.
 *
 * @param uid         of the supervisor
 * @param home        its user's home directory
 * @param environment of the supervisor, for XDG_STATE_HOME and XDG_RUNTIME_DIR
 * @param stateDir    from the command line; beats the file
 * @param runtimeDir  from the command line; beats the file
 * @param watchdog    a device from the command line; beats the one of the file
 */
public record Surroundings(
        int uid,
        Path home,
        Map<String, String> environment,
        Optional<Path> stateDir,
        Optional<Path> runtimeDir,
        Optional<Path> watchdog) {

    /** Nothing is said of a watchdog. */
    public Surroundings(
            int uid, Path home, Map<String, String> environment, Optional<Path> stateDir, Optional<Path> runtimeDir) {
        this(uid, home, environment, stateDir, runtimeDir, Optional.empty());
    }

    /** Where state goes that nobody named a place for: {@code supervisor.state_dir} in docs/configuration.md. */
    public Path defaultStateDir() {
        if (uid == 0) {
            return Path.of("/var/lib/jsupervise");
        }
        return xdg("XDG_STATE_HOME").orElse(home.resolve(".local/state")).resolve("jsupervise");
    }

    public Path defaultRuntimeDir() {
        if (uid == 0) {
            return Path.of("/run/jsupervise");
        }
        return xdg("XDG_RUNTIME_DIR").map(dir -> dir.resolve("jsupervise")).orElse(Path.of("/tmp/jsupervise-" + uid));
    }

    /** Relative ones are to be ignored, says the XDG Base Directory Specification. */
    private Optional<Path> xdg(String name) {
        String value = environment.getOrDefault(name, "");
        return value.startsWith("/") ? Optional.of(Path.of(value)) : Optional.empty();
    }
}
