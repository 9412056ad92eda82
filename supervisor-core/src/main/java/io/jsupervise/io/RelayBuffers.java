package io.jsupervise.io;

import io.jsupervise.os.Fd;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;

/**
 * What the relay looks at bytes with, one for all services: a pipe of our own that tee(2) copies into without consuming
 * anything, and memory to read that copy into. The relay's thread only.
 */
final class RelayBuffers {
    /** The most that is looked at in one go. */
    static final int WINDOW = 1 << 16;

    /** Pages of a pipe may be filled in part, so a window needs more of them than its bytes would fill. */
    private static final int SCRATCH_PIPE = 1 << 20;

    private final Os os;
    private Fd[] scratch = new Fd[0];
    private byte[] looked = new byte[0];
    private byte[] stamped = new byte[0];

    RelayBuffers(Os os) {
        this.os = os;
    }

    /**
     * Copies what {@code pipe} begins with into {@link #looked}, without consuming it.
     *
     * @return bytes copied, maybe fewer than {@code max} though there are more; 0 where the pipe is empty
     */
    int look(Fd pipe, int max) throws OsException {
        openScratch();
        allocate();
        int copied = (int) os.tee(pipe, scratch[1], Math.min(max, WINDOW));
        int got = 0;
        while (got < copied) {
            got += os.read(scratch[0], looked, got, copied - got);
        }
        return copied;
    }

    private void openScratch() throws OsException {
        if (scratch.length == 0) {
            scratch = os.pipe();
            os.setPipeSize(scratch[1], SCRATCH_PIPE);
        }
    }

    private void allocate() {
        if (looked.length == 0) {
            looked = new byte[WINDOW];
        }
    }

    /** What the last {@link #look} saw. */
    byte[] looked() {
        return looked;
    }

    /** Room for what was looked at with time stamps in it, as much of it as fits. */
    byte[] stamped() {
        if (stamped.length == 0) {
            stamped = new byte[2 * WINDOW];
        }
        return stamped;
    }

    /** Consumes up to {@code count} bytes of {@code pipe} into {@link #looked}: bytes consumed, 0 where it is empty. */
    int consume(Fd pipe, int count) throws OsException {
        allocate();
        int some = Math.min(Math.min(count, WINDOW), os.available(pipe));
        return some == 0 ? 0 : os.read(pipe, looked, 0, some);
    }

    void close() {
        for (Fd fd : scratch) {
            os.close(fd);
        }
        scratch = new Fd[0];
        looked = new byte[0];
    }
}
