package io.jsupervise.io;

import java.util.Optional;
import java.util.function.Consumer;

/** What all logs of a relay share. Everything but the notices is for the relay's thread only. */
final class RelayParts {
    private final RelayBuffers buffers;
    private final RelayReceipt receipt;
    private final LineStamp stamp = new LineStamp();
    private final Consumer<LogRotation> compressor;
    private final Consumer<LogNotice> notices;
    private Optional<RelayReceipt.Unfinished> unfinished;

    RelayParts(
            RelayBuffers buffers,
            RelayReceipt receipt,
            Optional<RelayReceipt.Unfinished> unfinished,
            Consumer<LogRotation> compressor,
            Consumer<LogNotice> notices) {
        this.buffers = buffers;
        this.receipt = receipt;
        this.unfinished = unfinished;
        this.compressor = compressor;
        this.notices = notices;
    }

    RelayBuffers buffers() {
        return buffers;
    }

    RelayReceipt receipt() {
        return receipt;
    }

    /** What the relay before us was killed over, until the log that it is about has taken it up. */
    Optional<RelayReceipt.Unfinished> unfinished() {
        return unfinished;
    }

    void forgetUnfinished() {
        unfinished = Optional.empty();
    }

    LineStamp stamp() {
        return stamp;
    }

    /** Gets rotations whose files are to be compressed. */
    Consumer<LogRotation> compressor() {
        return compressor;
    }

    Consumer<LogNotice> notices() {
        return notices;
    }
}
