package io.jsupervise.os;

/**
 * A child could not be started. The message names what is at fault and why: {@code /opt/web/run: ENOENT (no such
 * file or directory)}, {@code working directory /srv/x: ENOTDIR (not a directory)}, {@code interpreter /bin/foo of
 * /opt/run: ENOENT (...)}.
 */
public final class SpawnException extends Exception {
    private static final long serialVersionUID = 1;

    private final Errno errno;

    /** @param what the path at fault, with its role where that is not plain */
    public SpawnException(Errno errno, String what) {
        super(what + ": " + errno.name() + " (" + errno.text() + ")");
        this.errno = errno;
    }

    public Errno errno() {
        return errno;
    }
}
