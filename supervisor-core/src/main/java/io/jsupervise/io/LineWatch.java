package io.jsupervise.io;

import io.jsupervise.spec.LinePattern;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Looks for a line in what one stream of a service carries, until it has been there. Of a line as much is looked at as {@link #LONGEST}
 * says, and an expression takes a time that its length bounds, so nobody can hold up the relay by what it writes. The relay's thread only.
 */
final class LineWatch {
    static final int LONGEST = 2048;

    private final LinePattern pattern;
    private final long from;
    private final Runnable seen;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private boolean over;

    /**
     * @param from counted in bytes of the stream: what came before was written by an earlier run
     * @param seen is called once
     */
    LineWatch(LinePattern pattern, long from, Runnable seen) {
        this.pattern = pattern;
        this.from = from;
        this.seen = seen;
    }

    /** Whether there is nothing more to look for. */
    boolean isOver() {
        return over;
    }

    /** @param position of the first of these bytes in the stream */
    void see(long position, byte[] bytes, int count) {
        long old = from - position;
        for (int i = (int) Math.max(0, Math.min(old, count)); i < count && !over; i++) {
            if (bytes[i] == '\n') {
                look();
                line.reset();
            } else if (line.size() < LONGEST) {
                line.write(bytes[i]);
            }
        }
    }

    private void look() {
        String text = line.toString(StandardCharsets.UTF_8);
        boolean carriageReturn = text.endsWith("\r");
        if (pattern.isIn(carriageReturn ? text.substring(0, text.length() - 1) : text)) {
            over = true;
            seen.run();
        }
    }
}
