package io.jsupervise.spec;

import java.nio.file.Path;
import java.time.Duration;

/**
 * How a service is known to be ready. One that ends before that is judged by its exit alone. All kinds but a delay may
 * never come about, so {@link ServiceSpec#startTimeout} bounds them.
 */
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

    /** Ready with the first beat of its heartbeat. */
    record FirstBeat() implements Readiness {}

    /** Ready when it says READY=1 (sd_notify(3)). */
    record Notified() implements Readiness {}

    /**
     * Ready when this file has changed since the start was ordered; one that an earlier run has left does not count.
     *
     * @param file absolute
     */
    record Written(Path file) implements Readiness {
        public Written {
            if (!file.isAbsolute()) {
                throw new IllegalArgumentException("ready file must be absolute: " + file);
            }
        }
    }

    /** Ready when it has written a line in which this is. */
    record LogLine(LinePattern pattern) implements Readiness {}

    /** Ready when it answers. */
    record Answering(Probe probe) implements Readiness {}

    /** What is waited for, in words. */
    default String words() {
        if (this instanceof FirstBeat) {
            return "its first heartbeat";
        } else if (this instanceof Notified) {
            return "READY=1 at its notify socket";
        } else if (this instanceof Written written) {
            return "a change of " + written.file();
        } else if (this instanceof Answering answering) {
            return answering.probe().toString();
        }
        if (this instanceof LogLine line) {
            return "a line with " + line.pattern();
        }
        return "its delay";
    }
}
