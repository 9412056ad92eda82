package io.jsupervise.journal;

import java.util.Optional;

/** A record cannot be read. The message says where and why. */
public final class JournalException extends Exception {
    private static final long serialVersionUID = 2;

    /** 0 for none. */
    private final long laterVersion;

    /** It is damaged. */
    public JournalException(String message) {
        this(message, 0);
    }

    /** @param laterVersion the version of a format that is not known yet */
    JournalException(String message, long laterVersion) {
        super(message);
        this.laterVersion = laterVersion;
    }

    /** The version of the format, where it is a later one than ours: then the record is not damaged. */
    public Optional<Long> laterVersion() {
        return laterVersion == 0 ? Optional.empty() : Optional.of(laterVersion);
    }
}
