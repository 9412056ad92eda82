package io.jsupervise.cli;

import io.jsupervise.config.ConfigException;
import io.jsupervise.config.ConfigProblem;
import io.jsupervise.config.ConfigReader;
import io.jsupervise.config.Surroundings;
import io.jsupervise.io.DiskConfigFiles;
import io.jsupervise.os.linux.LinuxOs;
import io.jsupervise.spec.Configuration;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Finds and reads the services file, as {@code run} and {@code check} do. */
final class ConfigLoading {
    private static final Path HERE = Path.of("services.yml");
    private static final Path SYSTEM = Path.of("/etc/jsupervise/services.yml");

    private ConfigLoading() {}

    /** @param kernel is asked for only where the file asks something of this machine */
    static Configuration load(RunOptions options, Supplier<LinuxOs> kernel) throws ConfigException {
        return ConfigReader.read(
                file(options.file()),
                new DiskConfigFiles(),
                surroundings(options.stateDir(), options.runtimeDir(), options.watchdog()),
                new ThisMachine(kernel));
    }

    /** The same, and looks whether commands and hooks can be executed by now. */
    static Configuration check(RunOptions options, Supplier<LinuxOs> kernel, Consumer<ConfigProblem> warnings)
            throws ConfigException {
        return ConfigReader.read(
                file(options.file()),
                new DiskConfigFiles(),
                surroundings(options.stateDir(), options.runtimeDir()),
                new ThisMachine(kernel),
                warnings);
    }

    /** The one that is read where {@code named} is, or none. */
    static Path file(Optional<Path> named) {
        return choose(named, HERE, SYSTEM).toAbsolutePath().normalize();
    }

    /** Where none is named and none is found, the one here is missed, for that is what somebody who tries it out forgot. */
    static Path choose(Optional<Path> named, Path here, Path system) {
        return named.orElse(Files.exists(here) || !Files.exists(system) ? here : system);
    }

    static Surroundings surroundings(Optional<Path> stateDir, Optional<Path> runtimeDir) {
        return surroundings(stateDir, runtimeDir, Optional.empty());
    }

    private static Surroundings surroundings(
            Optional<Path> stateDir, Optional<Path> runtimeDir, Optional<Path> watchdog) {
        return new Surroundings(
                uid(),
                home(System.getenv(), System.getProperty("user.home", "")),
                System.getenv(),
                stateDir.map(dir -> dir.toAbsolutePath()),
                runtimeDir.map(dir -> dir.toAbsolutePath()),
                watchdog.map(device -> device.toAbsolutePath()));
    }

    /** What {@code ~} means in a shell: HOME, else what the user database says, which Java tells as "?" where it says nothing. */
    static Path home(Map<String, String> environment, String known) {
        String home = environment.getOrDefault("HOME", "");
        return Path.of(home.startsWith("/") ? home : known.startsWith("/") ? known : "/");
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
