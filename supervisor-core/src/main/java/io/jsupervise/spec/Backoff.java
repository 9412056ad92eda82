package io.jsupervise.spec;

import java.time.Duration;

/**
 * How long to wait before the next start: {@code initial * factor^failures}, at most {@code max}, then spread by
 * {@code jitter} so that services which fell together do not rise together.
 *
 * @param initial    wait after the first failure; zero restarts at once
 * @param factor     growth per consecutive failure, at least 1
 * @param max        upper bound before jitter, at least {@code initial}
 * @param jitter     0 to 1: the wait is multiplied by a number between {@code 1 - jitter} and {@code 1 + jitter}
 * @param resetAfter a service that was ready for this long starts again from {@code initial}
 */
public record Backoff(Duration initial, double factor, Duration max, double jitter, Duration resetAfter) {
    public static final Backoff DEFAULT =
            new Backoff(Duration.ofMillis(500), 2, Duration.ofSeconds(30), 0.1, Duration.ofSeconds(60));

    public Backoff {
        if (initial.isNegative() || max.isNegative() || resetAfter.isNegative()) {
            throw new IllegalArgumentException("backoff durations must not be negative");
        }
        if (max.compareTo(initial) < 0) {
            throw new IllegalArgumentException("backoff max is shorter than initial");
        }
        if (!(factor >= 1 && factor <= 1000)) {
            throw new IllegalArgumentException("backoff factor must be between 1 and 1000");
        }
        if (!(jitter >= 0 && jitter <= 1)) {
            throw new IllegalArgumentException("backoff jitter must be between 0 and 1");
        }
    }

    /**
     * The wait before the next start.
     *
     * @param failures consecutive failures before this one, 0 or more
     * @param unit     a random number in [0, 1); 0.5 gives the middle
     */
    public Duration delay(int failures, double unit) {
        double nanos = Math.min(max.toNanos(), initial.toNanos() * Math.pow(factor, failures));
        return Duration.ofNanos((long) (nanos * (1 + jitter * (2 * unit - 1))));
    }
}
