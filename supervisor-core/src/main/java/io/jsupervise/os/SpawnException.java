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

    private SpawnException(String message, Errno errno) {
        super(message);
        this.errno = errno;
    }

    /** The same, of what plays this part: {@code its post_start: /opt/warm-up: ENOENT (no such file or directory)}. */
    public SpawnException of(String part) {
        return new SpawnException(part + ": " + getMessage(), errno);
    }

    public Errno errno() {
        return errno;
    }
}
