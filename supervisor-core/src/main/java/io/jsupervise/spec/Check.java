package io.jsupervise.spec;

import java.time.Duration;

/**
 * A probe that is made again and again while the service is ready.
 *
 * @param interval    from one probe to the next
 * @param timeout     for one answer; longer than zero
 * @param retries     so many failures in a row are a hang; at least 1
 * @param startPeriod failures within this time after it became ready do not count
 */
public record Check(String name, Probe probe, Duration interval, Duration timeout, int retries, Duration startPeriod) {
    public static final Duration DEFAULT_INTERVAL = Duration.ofSeconds(10);
    public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(3);
    public static final int DEFAULT_RETRIES = 3;

    public Check {
        boolean tooShort = interval.isZero() || interval.isNegative() || timeout.isZero() || timeout.isNegative();
        if (name.isEmpty() || tooShort || retries < 1 || startPeriod.isNegative()) {
            throw new IllegalArgumentException("check " + name + " makes no sense");
        }
    }
}
