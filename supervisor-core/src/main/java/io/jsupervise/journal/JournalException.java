package io.jsupervise.journal;

/** A record cannot be read. The message says where and why. */
public final class JournalException extends Exception {
    private static final long serialVersionUID = 1;

    private final boolean newer;

    /** It is damaged. */
    public JournalException(String message) {
        this(message, false);
    }

    JournalException(String message, boolean newer) {
        super(message);
        this.newer = newer;
    }

    /** The same of {@code file}, for whoever is told of it without the place. */
    public JournalException in(String file) {
        return new JournalException(file + " " + getMessage(), newer);
    }

    /** Whether a later version wrote it, so that it is not damaged but must not be touched. */
    public boolean isNewer() {
        return newer;
    }
}
