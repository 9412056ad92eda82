package io.jsupervise.io;

/**
 * Lines with a time put before each.
 *
 * @param taken  bytes of the original that are in it
 * @param length bytes of the result
 * @param full   whether the present file is full after that
 */
record StampedLines(int taken, int length, boolean full) {
    /**
     * @param bytes  the original, {@code count} bytes of it
     * @param stamp  what is put before each line
     * @param result takes the result; holds more than {@code count} and a stamp, so that at least one line fits
     * @param place  where the file stands that the result goes to
     */
    static StampedLines of(byte[] bytes, int count, byte[] stamp, byte[] result, LineCut.Place place) {
        boolean atLineStart = place.atLineStart();
        int taken = 0;
        int length = 0;
        while (taken < count) {
            int newline = LineCut.firstNewline(bytes, taken, count);
            int end = newline < 0 ? count : newline + 1;
            int stampLength = atLineStart ? stamp.length : 0;
            int more = stampLength + end - taken;
            if (length + more > result.length) {
                break;
            }
            if (length + more > place.room() && atLineStart && place.size() + length > 0) {
                return new StampedLines(taken, length, true);
            }
            System.arraycopy(stamp, 0, result, length, stampLength);
            System.arraycopy(bytes, taken, result, length + stampLength, end - taken);
            length += more;
            taken = end;
            atLineStart = newline >= 0;
            long beyond = length - place.room();
            if (beyond > 0 && (atLineStart || beyond > LineCut.OVERFLOW)) {
                return new StampedLines(taken, length, true);
            }
        }
        return new StampedLines(taken, length, false);
    }
}
