package io.jsupervise.spec;

import java.util.OptionalLong;

/**
 * How much a process may have of something. The soft limit holds; the process may raise it up to the hard one.
 *
 * @param soft empty where it is unlimited
 * @param hard empty where it is unlimited
 */
public record ResourceLimit(Limit what, OptionalLong soft, OptionalLong hard) {
    public ResourceLimit {
        if (soft.isPresent() && soft.getAsLong() < 0 || hard.isPresent() && hard.getAsLong() < 0) {
            throw new IllegalArgumentException("a limit must not be negative");
        }
        if (isAbove(soft, hard)) {
            throw new IllegalArgumentException("the soft limit of " + what.word() + " is above the hard one");
        }
    }

    /** Whether {@code a} allows more than {@code b}. */
    public static boolean isAbove(OptionalLong a, OptionalLong b) {
        return b.isPresent() && (a.isEmpty() || a.getAsLong() > b.getAsLong());
    }

    /** {@code 1024}, {@code 1024:4096} or {@code unlimited}, as prlimit(1) reads it. */
    public String range() {
        return soft.equals(hard) ? word(soft) : word(soft) + ":" + word(hard);
    }

    private static String word(OptionalLong bound) {
        return bound.isPresent() ? Long.toString(bound.getAsLong()) : "unlimited";
    }
}
