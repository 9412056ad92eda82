package io.jsupervise.config;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystems;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Files that exist in memory, below {@code /app}; what nobody put there is not there, and a directory is no file. */
final class MemoryFiles implements ConfigFiles {
    static final Path APP = Path.of("/app");
    static final Path MAIN = APP.resolve("services.yml");

    private final Map<Path, byte[]> files = new TreeMap<>();
    private Path closed = Path.of("/closed");

    static MemoryFiles of(String main) {
        return new MemoryFiles().with("services.yml", main);
    }

    MemoryFiles with(String file, String text) {
        return with(file, text.getBytes(StandardCharsets.UTF_8));
    }

    MemoryFiles with(String file, byte[] bytes) {
        files.put(APP.resolve(file), bytes);
        return this;
    }

    /** A file that is there, but not for us. */
    MemoryFiles closed(String file) {
        closed = APP.resolve(file);
        return this;
    }

    /** As an ordinary user sees it, or root. */
    static Surroundings surroundings(int uid) {
        return new Surroundings(uid, Path.of("/home/ann"), Map.of(), Optional.empty(), Optional.empty());
    }

    @Override
    public byte[] read(Path file) throws IOException {
        if (file.equals(closed)) {
            throw new AccessDeniedException(file.toString());
        }
        for (Path other : files.keySet()) {
            if (!other.equals(file) && other.startsWith(file)) {
                throw new IOException("it is a directory");
            }
        }
        byte[] bytes = files.get(file);
        if (bytes == null) {
            throw new NoSuchFileException(file.toString());
        }
        return bytes;
    }

    @Override
    public List<Path> glob(Path directory, String pattern) {
        PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:" + directory.resolve(pattern));
        List<Path> found = new ArrayList<>();
        for (Path file : files.keySet()) {
            if (matcher.matches(file)) {
                found.add(file);
            }
        }
        return found;
    }
}
