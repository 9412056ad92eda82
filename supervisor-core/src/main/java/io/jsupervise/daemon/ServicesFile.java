package io.jsupervise.daemon;

import io.jsupervise.config.ConfigException;
import io.jsupervise.spec.Configuration;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where a running supervisor gets its configuration from when it reads it again: with the same options, and checked in
 * the same way, as when it was started.
 */
public interface ServicesFile {
    /**
     * Reads it as it is now. Never on the loop: a disk may be slow.
     *
     * @param other instead of the file that is supervised
     * @throws ConfigException with everything that is wrong
     */
    Configuration read(Optional<Path> other) throws ConfigException;
}
