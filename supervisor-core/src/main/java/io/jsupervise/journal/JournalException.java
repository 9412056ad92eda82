package io.jsupervise.journal;

/** A record cannot be read. The message says where and why. */
public final class JournalException extends Exception {
    private static final long serialVersionUID = 1;

    private final boolean newer;

    JournalException(String message, boolean newer) {
        super(message);
        this.newer = newer;
    }

    /** Whether a later version wrote it, so that it is not damaged but must not be touched. */
    public boolean isNewer() {
        return newer;
    }
}
