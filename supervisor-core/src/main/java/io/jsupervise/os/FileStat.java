package io.jsupervise.os;

import java.time.Instant;

/** What stat(2) tells of a file, symbolic links followed. */
public record FileStat(Kind kind, long device, long inode, long size, Instant mtime, int mode, int uid, int gid) {
    public enum Kind {
        REGULAR("a regular file"),
        DIRECTORY("a directory"),
        FIFO("a FIFO"),
        SOCKET("a socket"),
        DEVICE("a device");

        private final String words;

        Kind(String words) {
            this.words = words;
        }

        /** With its article, to stand after "is" in a message. */
        public String words() {
            return words;
        }
    }

    /** Whether both are the same file. */
    public boolean sameFile(FileStat other) {
        return device == other.device && inode == other.inode;
    }
}
