package io.jsupervise.lifecycle;

/** A process id, at least 1. It may be used again by the kernel; {@link ProcessIdentity} is never ambiguous. */
public record Pid(int value) {
    public Pid {
        if (value < 1) {
            throw new IllegalArgumentException("pid " + value + " is not positive");
        }
    }

    /** Written out, as is {@link #hashCode}: those of records are made at run time, when the first one is needed. */
    @Override
    public boolean equals(Object other) {
        return other instanceof Pid pid && pid.value == value;
    }

    @Override
    public int hashCode() {
        return value;
    }

    @Override
    public String toString() {
        return Integer.toString(value);
    }
}
