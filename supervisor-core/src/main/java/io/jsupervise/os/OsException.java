package io.jsupervise.os;

import java.io.IOException;

/**
 * A system call failed. The message names call, object and errno: {@code rename /s/web.json: ENOSPC (no space left
 * on device)}. An operating error: callers turn it into an event or a retry, it never ends the loop.
 */
public final class OsException extends IOException {
    private static final long serialVersionUID = 1;

    private final Errno errno;

    /** @param what the call and what it was made on, such as {@code "open /run/x"} */
    public OsException(Errno errno, String what) {
        super(what + ": " + errno.name() + " (" + errno.text() + ")");
        this.errno = errno;
    }

    /** From the raw number, which the message keeps where it has no name. */
    public OsException(int number, String what) {
        super(what + ": "
                + (Errno.of(number) == Errno.EUNKNOWN
                        ? "errno " + number
                        : Errno.of(number).name() + " (" + Errno.of(number).text() + ")"));
        this.errno = Errno.of(number);
    }

    public Errno errno() {
        return errno;
    }
}
