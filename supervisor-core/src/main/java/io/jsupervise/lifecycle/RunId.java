package io.jsupervise.lifecycle;

/**
 * Names one start of one service, for ever: the identity of the state directory, a dash, and a number that no other
 * start has. The child carries it as JSUPERVISE_RUN_ID, so that a later supervisor can find a child that was spawned
 * but not yet recorded.
 */
public record RunId(String value) {
    @Override
    public String toString() {
        return value;
    }
}
