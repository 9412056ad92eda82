package io.jsupervise.lifecycle;

/** What the operator wants of a service. */
public enum Wanted {
    UP,
    DOWN;

    public String word() {
        return this == UP ? "up" : "down";
    }
}
