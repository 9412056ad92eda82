package io.jsupervise.io;

import io.jsupervise.config.ConfigFiles;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystems;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The configuration as it lies on the disk. */
public final class DiskConfigFiles implements ConfigFiles {
    private static final int DEEPEST = 8;

    @Override
    public byte[] read(Path file) throws IOException {
        if (Files.isDirectory(file)) {
            throw new IOException("it is a directory");
        }
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(MOST_BYTES + 1);
        }
    }

    @Override
    public List<Path> glob(Path directory, String pattern) throws IOException {
        // The directory is no part of the pattern: it may hold a [ of its own.
        Path given = Path.of(pattern).normalize();
        int fixed = 0;
        while (!isPattern(given.getName(fixed).toString())) {
            fixed++;
        }
        Path root = given.isAbsolute() ? given.getRoot() : directory;
        root = fixed == 0 ? root : root.resolve(given.subpath(0, fixed)).normalize();
        Path rest = given.subpath(fixed, given.getNameCount());
        List<Path> found = new ArrayList<>();
        if (!Files.isDirectory(root)) {
            return found;
        }
        PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:" + rest);
        int depth = rest.toString().contains("**") ? DEEPEST : rest.getNameCount();
        try (Stream<Path> walk = Files.walk(root, depth, FileVisitOption.FOLLOW_LINKS)) {
            for (Path path : (Iterable<Path>) walk::iterator) {
                boolean hidden = path.getFileName() != null
                        && path.getFileName().toString().startsWith(".")
                        && !rest.getFileName().toString().startsWith(".");
                if (!hidden && matcher.matches(root.relativize(path)) && Files.isRegularFile(path)) {
                    found.add(path);
                }
            }
        }
        found.sort(null);
        return found;
    }

    private static boolean isPattern(String text) {
        return text.indexOf('*') >= 0 || text.indexOf('?') >= 0 || text.indexOf('[') >= 0;
    }
}
