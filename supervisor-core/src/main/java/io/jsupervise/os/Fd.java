package io.jsupervise.os;

/** An open file descriptor of ours; close-on-exec. Only {@link Os} makes and closes them. */
public record Fd(int number) {
    /** Written out, as is {@link #hashCode}: those of records are made at run time, when the first one is needed. */
    @Override
    public boolean equals(Object other) {
        return other instanceof Fd fd && fd.number == number;
    }

    @Override
    public int hashCode() {
        return number;
    }
}
