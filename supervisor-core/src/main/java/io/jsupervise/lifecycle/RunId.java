package io.jsupervise.lifecycle;

/**
 * Names one start of one service, for ever: the identity of the state directory, a dash, and a number that no other
 * start has. The child carries it as JSUPERVISE_RUN_ID, so that a later supervisor can find a child that was spawned
 * but not yet recorded.
 */
public record RunId(String value) {
    /** Written out, as is {@link #hashCode}: those of records are made at run time, when the first one is needed. */
    @Override
    public boolean equals(Object other) {
        return other instanceof RunId run && run.value.equals(value);
    }

    @Override
    public int hashCode() {
        return value.hashCode();
    }

    @Override
    public String toString() {
        return value;
    }
}
