package io.jsupervise.io;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.Optional;

/**
 * The lines of one stream that are looked at on their way: each gets the time at which it was relayed, or goes to the
 * console too, or both. Bytes that were taken wait here until they are in the file.
 */
final class LogLines {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z '").withZone(ZoneOffset.UTC);

    private final boolean timestamps;
    private final Optional<ConsoleEcho> console;
    private byte[] bytes = new byte[0];
    private int length;
    private int written;
    private int source;
    private boolean atLineStart = true;
    private boolean beganAtLineStart = true;

    LogLines(boolean timestamps, Optional<ConsoleEcho> console) {
        this.timestamps = timestamps;
        this.console = console;
    }

    /** Takes {@code count} bytes as they stand in the FIFO. */
    void take(byte[] from, int count, Instant now) {
        console.ifPresent(echo -> echo.write(from, count));
        beganAtLineStart = atLineStart;
        written = 0;
        source = count;
        length = 0;
        byte[] stamp = timestamps ? TIME.format(now).getBytes(java.nio.charset.StandardCharsets.US_ASCII) : new byte[0];
        for (int start = 0; start < count; ) {
            int end = start;
            while (end < count && from[end] != '\n') {
                end++;
            }
            boolean whole = end < count;
            int next = whole ? end + 1 : count;
            if (atLineStart) {
                append(stamp, 0, stamp.length);
            }
            append(from, start, next - start);
            atLineStart = whole;
            start = next;
        }
    }

    private void append(byte[] from, int start, int count) {
        if (length + count > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, length + count));
        }
        System.arraycopy(from, start, bytes, length, count);
        length += count;
    }

    boolean hasUnwritten() {
        return source > 0;
    }

    /** Whether what was taken begins a line, so that a file may end before it. */
    boolean beginsLine() {
        return beganAtLineStart && written == 0;
    }

    byte[] bytes() {
        return bytes;
    }

    int written() {
        return written;
    }

    int unwritten() {
        return length - written;
    }

    void wrote(int count) {
        written += count;
    }

    /** How many bytes of the FIFO these are. */
    int source() {
        return source;
    }

    /** All is written and consumed, or given up; a flood's large buffer is not kept. */
    void done() {
        source = 0;
        length = 0;
        written = 0;
        if (bytes.length > 1 << 16) {
            bytes = new byte[0];
        }
    }
}
