package io.jsupervise.spec;

import java.time.Duration;

/** How a service is known to be ready. One that ends before that is judged by its exit alone. */
public sealed interface Readiness {
    Readiness DEFAULT = new Delay(Duration.ofSeconds(1));

    /** Ready when it has lived for this long; zero means ready as soon as it was spawned. */
    record Delay(Duration after) implements Readiness {
        public Delay {
            if (after.isNegative()) {
                throw new IllegalArgumentException("ready delay must not be negative");
            }
        }
    }
}
