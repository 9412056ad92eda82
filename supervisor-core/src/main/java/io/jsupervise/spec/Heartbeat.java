package io.jsupervise.spec;

import java.nio.file.Path;
import java.time.Duration;

/**
 * A file whose modification time must move at least once per {@code timeout}.
 *
 * @param file    absolute path; the service touches it
 * @param timeout longest time between two changes, longer than zero
 * @param grace   time for the first change after each start, longer than zero
 */
public record Heartbeat(Path file, Duration timeout, Duration grace) {
    public Heartbeat {
        if (!file.isAbsolute()) {
            throw new IllegalArgumentException("heartbeat file must be absolute: " + file);
        }
        if (timeout.isZero() || timeout.isNegative() || grace.isZero() || grace.isNegative()) {
            throw new IllegalArgumentException("heartbeat timeout and grace must be longer than zero");
        }
    }
}
