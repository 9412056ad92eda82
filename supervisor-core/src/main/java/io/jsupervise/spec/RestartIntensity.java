package io.jsupervise.spec;

import java.time.Duration;

/**
 * At most {@code count} automatic restarts within any window of length {@code within}; the one that would be too
 * many is not made and the service is given up (as MaxR and MaxT of an OTP supervisor).
 */
public record RestartIntensity(int count, Duration within) {
    public RestartIntensity {
        if (count < 0) {
            throw new IllegalArgumentException("start_limit count must not be negative");
        }
        if (within.isZero() || within.isNegative()) {
            throw new IllegalArgumentException("start_limit within must be longer than zero");
        }
    }
}
