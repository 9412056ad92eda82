package io.jsupervise.cli;

import io.jsupervise.config.ConfigException;
import io.jsupervise.config.ConfigReader;
import io.jsupervise.config.Surroundings;
import io.jsupervise.io.DiskConfigFiles;
import io.jsupervise.spec.Configuration;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Finds and reads the services file, as {@code run} and {@code check} do. */
final class ConfigLoading {
    private static final Path HERE = Path.of("services.yml");
    private static final Path SYSTEM = Path.of("/etc/jsupervise/services.yml");

    private ConfigLoading() {}

    static Configuration load(RunOptions options) throws ConfigException {
        Path file = options.file().orElse(Files.exists(HERE) ? HERE : SYSTEM);
        Path absolute = file.toAbsolutePath().normalize();
        return ConfigReader.read(
                absolute, new DiskConfigFiles(), surroundings(options.stateDir(), options.runtimeDir()));
    }

    static Surroundings surroundings(Optional<Path> stateDir, Optional<Path> runtimeDir) {
        return new Surroundings(
                uid(),
                Path.of(System.getProperty("user.home", "/")),
                System.getenv(),
                stateDir.map(dir -> dir.toAbsolutePath()),
                runtimeDir.map(dir -> dir.toAbsolutePath()));
    }

    /** The owner of our own entry in /proc is our effective user (proc(5)). */
    static int uid() {
        try {
            return (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        } catch (java.io.IOException e) {
            throw new IllegalStateException("cannot tell who we are, /proc must be mounted: " + e, e);
        }
    }
}
