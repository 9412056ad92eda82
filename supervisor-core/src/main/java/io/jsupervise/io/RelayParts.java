package io.jsupervise.io;

import java.util.function.Consumer;

/** What all logs of a relay share. Everything but the notices is for the relay's thread only. */
final class RelayParts {
    private final RelayBuffers buffers;
    private final RelayReceipt receipt;
    private final LineStamp stamp = new LineStamp();
    private final Consumer<LogRotation> compressor;
    private final Consumer<LogNotice> notices;

    RelayParts(
            RelayBuffers buffers, RelayReceipt receipt, Consumer<LogRotation> compressor, Consumer<LogNotice> notices) {
        this.buffers = buffers;
        this.receipt = receipt;
        this.compressor = compressor;
        this.notices = notices;
    }

    RelayBuffers buffers() {
        return buffers;
    }

    RelayReceipt receipt() {
        return receipt;
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
