package io.jsupervise.sim;

/** A promise was broken. */
final class Violation extends AssertionError {
    private static final long serialVersionUID = 1;

    /** @param promise by its number in DESIGN, or what else should hold */
    Violation(String promise, String what) {
        super(promise + ": " + what);
    }
}
