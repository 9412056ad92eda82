package io.jsupervise.io;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDate;

/**
 * The time that is put before each line: {@code 2026-11-21T07:00:36.123Z } in UTC, always 25 bytes. Made by hand, since
 * a formatter would cost more than all the rest of relaying a line.
 */
final class LineStamp {
    static final int BYTES = 25;

    private static final int SECONDS_PER_DAY = 86_400;

    private final byte[] text = "0000-00-00T00:00:00.000Z ".getBytes(StandardCharsets.US_ASCII);
    private long day = Long.MIN_VALUE;

    /** The text for {@code now}; good until the next call. */
    byte[] at(Instant now) {
        long seconds = now.getEpochSecond();
        long today = Math.floorDiv(seconds, SECONDS_PER_DAY);
        if (today != day) {
            day = today;
            LocalDate date = LocalDate.ofEpochDay(today);
            digits(0, 4, date.getYear());
            digits(5, 2, date.getMonthValue());
            digits(8, 2, date.getDayOfMonth());
        }
        int second = (int) Math.floorMod(seconds, (long) SECONDS_PER_DAY);
        digits(11, 2, second / 3600);
        digits(14, 2, second / 60 % 60);
        digits(17, 2, second % 60);
        digits(20, 3, now.getNano() / 1_000_000);
        return text;
    }

    private void digits(int at, int count, int value) {
        int rest = value;
        for (int i = at + count - 1; i >= at; i--) {
            text[i] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
    }
}
