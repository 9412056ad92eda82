package io.jsupervise.io;

/**
 * How much of what is waiting goes into the present file when it cannot take all of it, so that every file ends with a
 * line. A line that is longer than what is left begins in the next file; one that has begun in this file ends in it,
 * past the limit, unless it goes on for more than {@link #OVERFLOW} bytes.
 *
 * @param take   bytes that go into the present file
 * @param rotate whether the file is full after that
 */
record LineCut(int take, boolean rotate) {
    /** How far a line may carry a file past its limit before the line is cut. */
    static final int OVERFLOW = 1 << 20;

    /** Where the file stands: its size, its limit, and whether its last byte was a newline (or it is empty). */
    record Place(long size, long maxSize, boolean atLineStart) {
        long room() {
            return maxSize - size;
        }
    }

    /**
     * @param bytes  what waits, the first {@code length} bytes of it
     * @param more   whether more waits behind that
     * @param place  where the file stands
     */
    static LineCut of(byte[] bytes, int length, boolean more, Place place) {
        long room = place.room();
        if (length <= room && !more) {
            return new LineCut(length, false);
        }
        if (length < room) {
            int lines = lastNewline(bytes, length) + 1;
            return new LineCut(lines > 0 ? lines : length, false);
        }
        int lines = lastNewline(bytes, (int) Math.max(0, room)) + 1;
        if (lines > 0 || place.atLineStart() && place.size() > 0) {
            return new LineCut(lines, true);
        }
        int end = firstNewline(bytes, 0, length) + 1;
        if (end > 0) {
            return new LineCut(end, true);
        }
        return new LineCut(length, place.size() + length - place.maxSize() > OVERFLOW);
    }

    /** Index of the last newline before {@code end}, or -1 like {@link String#lastIndexOf(int)}. */
    static int lastNewline(byte[] bytes, int end) {
        int at = end - 1;
        while (at >= 0 && bytes[at] != '\n') {
            at--;
        }
        return at;
    }

    /** Index of the first newline from {@code from} to before {@code end}, or -1. */
    static int firstNewline(byte[] bytes, int from, int end) {
        for (int at = from; at < end; at++) {
            if (bytes[at] == '\n') {
                return at;
            }
        }
        return -1;
    }
}
