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

    public MonotonicTime plus(Duration duration) {
        return new MonotonicTime(Math.addExact(nanos, duration.toNanos()));
    }

    public MonotonicTime minus(Duration duration) {
        return new MonotonicTime(nanos - duration.toNanos());
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
