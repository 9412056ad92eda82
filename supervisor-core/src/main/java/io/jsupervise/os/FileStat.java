package io.jsupervise.os;

import java.time.Instant;

/** What stat(2) tells of a file, symbolic links followed. */
public record FileStat(Kind kind, long device, long inode, long size, Instant mtime, int mode, int uid, int gid) {
    public enum Kind {
        REGULAR,
        DIRECTORY,
        FIFO,
        SOCKET,
        DEVICE
    }

    /** Whether both are the same file. */
    public boolean sameFile(FileStat other) {
        return device == other.device && inode == other.inode;
    }
}
