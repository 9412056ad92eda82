package io.jsupervise.lifecycle;

import java.time.Instant;
import java.util.Optional;

/**
 * One look at a heartbeat file.
 *
 * @param at      when
 * @param stamp   what identifies its last change; empty where there is no regular file
 * @param problem why there is no stamp, such as {@code is a directory} or {@code EIO (input/output error)}; empty
 *                where there is one, and where there is simply no file yet
 */
public record Look(Now at, Optional<Stamp> stamp, Optional<String> problem) {
    /** Inode and modification time: a file that was replaced has changed, too. */
    public record Stamp(long inode, Instant mtime) {}
}
