package io.jsupervise.daemon;

/** The daemon cannot start, or cannot go on. The message is for people: cannot what, where, why, what to do. */
public final class DaemonException extends Exception {
    private static final long serialVersionUID = 1;

    /** Exit codes, after sysexits.h. */
    public static final int SOFTWARE = 70;

    public static final int IO = 74;
    public static final int ALREADY_RUNNING = 75;
    public static final int NOT_PERMITTED = 77;
    public static final int CONFIG = 78;

    private final int exitCode;

    DaemonException(int exitCode, String message) {
        super(message);
        this.exitCode = exitCode;
    }

    public int exitCode() {
        return exitCode;
    }
}
