package io.jsupervise.os;

/** The ways in which files are opened; all add O_CLOEXEC. See open(2). */
public enum OpenMode {
    /** O_RDONLY. */
    READ,
    /** O_WRONLY|O_CREAT|O_TRUNC: a new file, or an old one emptied. */
    REPLACE,
    /** O_WRONLY: a file that is there, written over from its beginning. */
    OVERWRITE,
    /** O_WRONLY|O_CREAT, no O_APPEND (splice(2) refuses that): written at a given offset. */
    WRITE,
    /** O_WRONLY|O_CREAT|O_APPEND. */
    APPEND,
    /** O_RDWR|O_NONBLOCK: a FIFO whose content outlives its other ends. */
    FIFO,
    /** O_WRONLY|O_NONBLOCK: a device that is there, or a FIFO that somebody reads; never makes a file. */
    DEVICE,
    /** O_RDONLY|O_DIRECTORY, to be synced. */
    DIRECTORY
}
