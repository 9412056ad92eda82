package io.jsupervise.io;

import io.jsupervise.config.ConfigFiles;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystems;
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
        Path whole = directory.resolve(pattern).normalize();
        Path root = whole;
        while (isPattern(root.toString())) {
            root = root.getParent();
        }
        List<Path> found = new ArrayList<>();
        if (!Files.isDirectory(root)) {
            return found;
        }
        PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:" + whole);
        try (Stream<Path> walk = Files.walk(root, DEEPEST)) {
            walk.filter(path -> matcher.matches(path) && Files.isRegularFile(path))
                    .forEach(found::add);
        }
        found.sort(null);
        return found;
    }

    private static boolean isPattern(String text) {
        return text.indexOf('*') >= 0 || text.indexOf('?') >= 0 || text.indexOf('[') >= 0;
    }
}
