package io.jsupervise.text;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;

/**
 * Times as ISO 8601 writes them, in UTC: exactly what {@link Instant#toString} and {@link Instant#parse} do, without
 * their formatter, which takes 20 ms of a start to load and is slow where a thousand services end at once.
 */
public final class InstantText {
    private static final int NANOS = 1_000_000_000;
    private static final int SECONDS_PER_DAY = 86_400;
    private static final int SECOND_END = 19;

    private InstantText() {}

    /** {@code 2026-01-31T12:00:00.123Z}; with 0, 3, 6 or 9 digits of a second, as many as it takes. */
    public static String of(Instant instant) {
        LocalDate date = LocalDate.ofEpochDay(Math.floorDiv(instant.getEpochSecond(), SECONDS_PER_DAY));
        int second = (int) Math.floorMod(instant.getEpochSecond(), (long) SECONDS_PER_DAY);
        int year = date.getYear();
        if (year < 0 || year > 9999) {
            return instant.toString();
        }
        StringBuilder text = new StringBuilder(30);
        digits(text, year, 1000);
        digits(text.append('-'), date.getMonthValue(), 10);
        digits(text.append('-'), date.getDayOfMonth(), 10);
        digits(text.append('T'), second / 3600, 10);
        digits(text.append(':'), second / 60 % 60, 10);
        digits(text.append(':'), second % 60, 10);
        fraction(text, instant.getNano());
        return text.append('Z').toString();
    }

    private static void fraction(StringBuilder text, int nanos) {
        if (nanos == 0) {
            return;
        }
        text.append('.');
        if (nanos % 1_000_000 == 0) {
            digits(text, nanos / 1_000_000, 100);
        } else if (nanos % 1000 == 0) {
            digits(text, nanos / 1000, 100_000);
        } else {
            digits(text, nanos, NANOS / 10);
        }
    }

    private static void digits(StringBuilder text, int number, int highest) {
        for (int place = highest; place > 0; place /= 10) {
            text.append((char) ('0' + number / place % 10));
        }
    }

    /** @throws DateTimeException where it is no time */
    public static Instant parse(String text) throws DateTimeException {
        int length = text.length();
        if (length <= SECOND_END
                || length > SECOND_END + 11
                || text.charAt(length - 1) != 'Z'
                || !hasShape(text, length)) {
            // Rare forms and faults: it knows all of the former, and says what is wrong with the latter.
            return Instant.parse(text);
        }
        int nanos = 0;
        if (length > SECOND_END + 1) {
            int highest = NANOS;
            for (int i = SECOND_END + 1; i < length - 1; i++) {
                highest /= 10;
                nanos += (text.charAt(i) - '0') * highest;
            }
        }
        int hour = number(text, 11, 13);
        int minute = number(text, 14, 16);
        int second = number(text, 17, 19);
        if (hour > 23 || minute > 59 || second > 59) {
            return Instant.parse(text);
        }
        long day = LocalDate.of(number(text, 0, 4), number(text, 5, 7), number(text, 8, 10))
                .toEpochDay();
        return Instant.ofEpochSecond(((day * 24 + hour) * 60 + minute) * 60 + second, nanos);
    }

    private static boolean hasShape(String text, int length) {
        for (int i = 0; i < length - 1; i++) {
            char expected =
                    switch (i) {
                        case 4, 7 -> '-';
                        case 10 -> 'T';
                        case 13, 16 -> ':';
                        case SECOND_END -> '.';
                        default -> '0';
                    };
            char is = text.charAt(i);
            if (expected == '0' ? is < '0' || is > '9' : is != expected) {
                return false;
            }
        }
        return length != SECOND_END + 2;
    }

    private static int number(String text, int from, int to) {
        int number = 0;
        for (int i = from; i < to; i++) {
            number = 10 * number + text.charAt(i) - '0';
        }
        return number;
    }
}
