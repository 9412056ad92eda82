package io.jsupervise.io;

import io.jsupervise.os.Fd;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;

/** Keeps FIFOs open beyond our own end, so that what is in them is not lost with it. Any thread. */
public interface Keeping {
    /** From its return on {@code fifo} stays open, also when we die. */
    void hold(Fd fifo) throws OsException;

    /** Closes {@code fifo}, before long, and keeps it no more. */
    void release(Fd fifo);

    /** We end, and whoever writes into {@code fifo} does not: it goes on being kept, and is open until we have ended. */
    void leave(Fd fifo);

    /** Keeps nothing. */
    static Keeping nothing(Os os) {
        return new Keeping() {
            @Override
            public void hold(Fd fifo) {}

            @Override
            public void release(Fd fifo) {
                os.close(fifo);
            }

            @Override
            public void leave(Fd fifo) {
                os.close(fifo);
            }
        };
    }
}
