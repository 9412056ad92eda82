package io.jsupervise.lifecycle;

import java.time.Instant;
import java.util.Optional;

/**
 * One look at a heartbeat file.
 *
 * @param begun   a moment before the file was looked at: a beat before it has been seen
 * @param at      a moment after that: no beat that was seen came later
 * @param stamp   what identifies its last change; empty where there is no regular file
 * @param problem why there is no stamp, such as {@code is a directory} or {@code EIO (input/output error)}; empty
 *                where there is one, and where there is simply no file yet
 */
public record Look(MonotonicTime begun, Now at, Optional<Stamp> stamp, Optional<String> problem) {
    /** A look that took no time. */
    public Look(Now at, Optional<Stamp> stamp, Optional<String> problem) {
        this(at.mono(), at, stamp, problem);
    }

    /** Inode and modification time: a file that was replaced has changed, too. */
    public record Stamp(long inode, Instant mtime) {}
}
