package io.jsupervise.text;

import java.time.Duration;
import java.util.Optional;

/** Durations for people: read as in services.yml, {@code 250ms} or {@code 5m}; told as {@code 1.5s}, {@code 5m20s}, {@code 3d4h}. */
public final class DurationText {
    private static final long SECOND = 1000;
    private static final long MINUTE = 60 * SECOND;
    private static final long HOUR = 60 * MINUTE;
    private static final long DAY = 24 * HOUR;

    private DurationText() {}

    /** At most two units; the rest is cut off. */
    public static String of(long ms) {
        if (ms < SECOND) {
            return ms + "ms";
        } else if (ms < MINUTE) {
            long tenth = ms % SECOND / 100;
            return tenth == 0 || ms >= 10 * SECOND ? ms / SECOND + "s" : ms / SECOND + "." + tenth + "s";
        } else if (ms < HOUR) {
            return two(ms / MINUTE, "m", ms % MINUTE / SECOND, "s");
        } else if (ms < DAY) {
            return two(ms / HOUR, "h", ms % HOUR / MINUTE, "m");
        }
        return two(ms / DAY, "d", ms % DAY / HOUR, "h");
    }

    /** Reads {@code 250ms}, {@code 30s}, {@code 5m}, {@code 1h}, {@code 2d}; empty where it is none of these. */
    public static Optional<Duration> parse(String text) {
        int digits = 0;
        while (digits < text.length() && text.charAt(digits) >= '0' && text.charAt(digits) <= '9') {
            digits++;
        }
        if (digits == 0 || digits > 12) {
            return Optional.empty();
        }
        long number = Long.parseLong(text.substring(0, digits));
        return switch (text.substring(digits)) {
            case "ms" -> Optional.of(Duration.ofMillis(number));
            case "s" -> Optional.of(Duration.ofSeconds(number));
            case "m" -> Optional.of(Duration.ofMinutes(number));
            case "h" -> Optional.of(Duration.ofHours(number));
            case "d" -> Optional.of(Duration.ofDays(number));
            default -> Optional.empty();
        };
    }

    private static String two(long large, String unit, long small, String smallUnit) {
        return small == 0 ? large + unit : large + unit + small + smallUnit;
    }
}
