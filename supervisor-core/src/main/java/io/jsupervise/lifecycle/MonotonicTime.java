package io.jsupervise.lifecycle;

import java.time.Duration;

/**
 * A moment of CLOCK_MONOTONIC in nanoseconds since boot: not moved by steps of the wall clock, and standing still
 * while the machine is suspended (clock_gettime(2)). Comparable across processes of one boot. The only time that a
 * deadline may be made of.
 */
public record MonotonicTime(long nanos) implements Comparable<MonotonicTime> {
    /** When the machine booted: before any moment that is ever read from the clock. */
    public static final MonotonicTime BOOT = new MonotonicTime(0);

    /** Durations longer than this (146 years) are taken for it, so that no wish of a user can overflow a deadline. */
    private static final long LONGEST_S = Long.MAX_VALUE / 2 / 1_000_000_000L;

    /** This much later; {@code duration} is not negative. */
    public MonotonicTime plus(Duration duration) {
        return new MonotonicTime(Math.addExact(nanos, nanos(duration)));
    }

    /** This much earlier, which may be before the boot; {@code duration} is not negative. */
    public MonotonicTime minus(Duration duration) {
        return new MonotonicTime(nanos - nanos(duration));
    }

    private static long nanos(Duration duration) {
        return duration.getSeconds() < LONGEST_S ? duration.toNanos() : LONGEST_S * 1_000_000_000L;
    }

    /** How long after {@code earlier} this is; negative when it is before. */
    public Duration since(MonotonicTime earlier) {
        return Duration.ofNanos(nanos - earlier.nanos);
    }

    public boolean isBefore(MonotonicTime other) {
        return nanos < other.nanos;
    }

    public static MonotonicTime min(MonotonicTime a, MonotonicTime b) {
        return a.isBefore(b) ? a : b;
    }

    @Override
    public int compareTo(MonotonicTime other) {
        return Long.compare(nanos, other.nanos);
    }
}
