package io.jsupervise.spec;

/**
 * What has to be true of another service before one is started.
 *
 * @param on        the other one
 * @param condition how far that one has to have come
 * @param restart   whether the one that depends is restarted whenever the other one is
 */
public record Dependency(ServiceName on, Condition condition, boolean restart) {
    /** One that is about starts only. */
    public Dependency(ServiceName on, Condition condition) {
        this(on, condition, false);
    }

    /** How far a service has come. Whoever has ended with success has come as far as can be, so each of these holds. */
    public enum Condition {
        /** Its process was spawned. */
        STARTED,
        /** It is ready; a oneshot is ready when it has completed. */
        READY,
        /** It has ended with success. */
        COMPLETED;

        /** As written in services.yml: {@code completed}. */
        public String word() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }
}
