package io.jsupervise.io;

import io.jsupervise.lifecycle.MonotonicTime;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;

/**
 * Our own standard output, for the lines of services. A terminal that was stopped, or a pipe that nobody reads, holds up
 * the thread of this actor and nobody else: what does not fit into its inbox is left out, and how much that was is
 * said in its place.
 */
public final class Console implements Actor {
    private static final int MOST_WAITING = 1 << 20;

    private final OutputStream out;
    private final Queue<byte[]> inbox = new ArrayDeque<>();
    private final Runnable wake;
    private int waiting;
    private long leftOut;
    private boolean broken;

    /** @param wake called when there is work */
    public Console(OutputStream out, Runnable wake) {
        this.out = out;
        this.wake = wake;
    }

    /** Any thread; never waits. */
    void write(byte[] lines) {
        synchronized (inbox) {
            if (waiting + lines.length > MOST_WAITING) {
                leftOut += lines.length;
                return;
            }
            markGap();
            inbox.add(lines);
            waiting += lines.length;
        }
        wake.run();
    }

    /** What was left out stood behind all that waits now. */
    private void markGap() {
        if (leftOut > 0) {
            byte[] mark = ("... " + leftOut + " bytes were left out here, the console is too slow\n")
                    .getBytes(StandardCharsets.UTF_8);
            leftOut = 0;
            inbox.add(mark);
            waiting += mark.length;
        }
    }

    @Override
    public void step() {
        byte[] lines;
        synchronized (inbox) {
            lines = inbox.poll();
            if (lines == null) {
                return;
            }
            waiting -= lines.length;
            if (inbox.isEmpty()) {
                markGap();
            }
        }
        if (broken) {
            return;
        }
        try {
            out.write(lines);
            out.flush();
        } catch (IOException e) {
            broken = true;
        }
    }

    @Override
    public Optional<MonotonicTime> nextStep() {
        synchronized (inbox) {
            return inbox.isEmpty() ? Optional.empty() : Optional.of(MonotonicTime.BOOT);
        }
    }
}
