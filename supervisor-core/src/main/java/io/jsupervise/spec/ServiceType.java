package io.jsupervise.spec;

/** Whether a service is meant to run on or to come to an end. */
public enum ServiceType {
    /** Runs until it is stopped. */
    SERVICE,
    /** Does one piece of work and ends; it has succeeded when its exit code is one of its success codes. */
    ONESHOT;

    /** As written in services.yml: {@code oneshot}. */
    public String word() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }
}
