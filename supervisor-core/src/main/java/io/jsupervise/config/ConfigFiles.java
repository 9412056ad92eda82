package io.jsupervise.config;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The files that a configuration consists of. */
public interface ConfigFiles {
    /**
     * More than this is read of no file: some four thousand services with many keys, and what a mistake may cost. The time that
     * snakeyaml takes for one word grows with the square of its length: half a second for a word of this size.
     */
    int MOST_BYTES = 1 << 20;

    /** The whole file, or its first {@link #MOST_BYTES} + 1 bytes where it is larger. */
    byte[] read(Path file) throws IOException;

    /**
     * The files that match {@code pattern} (with {@code *}, {@code ?}, {@code [..]}, {@code **}) below {@code directory}, sorted; those
     * whose name begins with a dot only where the pattern begins with one too.
     */
    List<Path> glob(Path directory, String pattern) throws IOException;
}
