package io.jsupervise.spec;

/** What follows when a service ends without having been asked to. */
public enum RestartPolicy {
    /** Start it again, whatever its exit was. */
    ALWAYS,
    /** Start it again unless its exit code is one of its success codes. */
    ON_FAILURE,
    /** Leave it. */
    NEVER;

    /** As written in services.yml: {@code on-failure}. */
    public String word() {
        return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    }
}
