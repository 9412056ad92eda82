package io.jsupervise.os.linux;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Where the loaders lie on this machine: in our own PATH, never in that of a service, and else where systems have them.
 * What was found is remembered; a machine does not move them while we run. Any thread.
 */
final class LoaderPath {
    private static final String USUAL = "/usr/bin:/bin:/usr/sbin:/sbin";

    private final LinuxFiles files;
    private final String path;
    private final Map<String, Path> found = new HashMap<>();

    LoaderPath(LinuxFiles files, Map<String, String> ourEnvironment) {
        this.files = files;
        this.path = ourEnvironment.getOrDefault("PATH", "") + ":" + USUAL;
    }

    synchronized Optional<Path> find(String loader) {
        Path known = found.get(loader);
        if (known != null) {
            return Optional.of(known);
        }
        for (String directory : path.split(":")) {
            Optional<Path> here = directory.startsWith("/") ? in(directory, loader) : Optional.empty();
            if (here.isPresent()) {
                found.put(loader, here.get());
                return here;
            }
        }
        return Optional.empty();
    }

    private Optional<Path> in(String directory, String loader) {
        try {
            Path candidate = Path.of(directory, loader);
            return files.isExecutable(candidate) ? Optional.of(candidate) : Optional.empty();
        } catch (java.io.IOException | InvalidPathException e) {
            return Optional.empty();
        }
    }

    @Override
    public String toString() {
        return path;
    }
}
