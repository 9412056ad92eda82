package io.jsupervise.lifecycle;

import java.util.Optional;

/**
 * Where a service stands on its ladder.
 *
 * @param taken how many rungs were taken since it last worked; those that do it are the first of the ladder
 * @param why   what the last of them was taken for; for people, empty where none was taken
 * @param due   the run after whose end that one was taken, until what it asks for is done: whoever dies before that leaves
 *              it to the next supervisor
 * @param found whether that is such a one, for which what is due may have been done before, or some of it
 */
public record Climb(int taken, String why, Optional<RunId> due, boolean found) {
    /** One that no earlier supervisor has had a hand in. */
    public Climb(int taken, String why, Optional<RunId> due) {
        this(taken, why, due, false);
    }

    /** Before the first rung. */
    public static final Climb FOOT = new Climb(0, "", Optional.empty());

    public Climb {
        if (taken < 0) {
            throw new IllegalArgumentException("rungs taken must not be negative");
        }
    }

    Climb next(String reason, Optional<RunId> after) {
        return new Climb(taken + 1, reason, after);
    }

    /** By a supervisor that takes over. */
    Climb byAnother() {
        return due.isEmpty() ? this : new Climb(taken, why, due, true);
    }

    /** What the last rung asks for is done. */
    Climb done() {
        return due.isEmpty() ? this : new Climb(taken, why, Optional.empty());
    }

    /** It will not be done. */
    Climb takenBack() {
        return taken <= 1 ? FOOT : new Climb(taken - 1, why, Optional.empty());
    }
}
