package io.jsupervise.lifecycle;

/** A process id, at least 1. It may be used again by the kernel; {@link ProcessIdentity} is never ambiguous. */
public record Pid(int value) {
    public Pid {
        if (value < 1) {
            throw new IllegalArgumentException("pid " + value + " is not positive");
        }
    }

    @Override
    public String toString() {
        return Integer.toString(value);
    }
}
