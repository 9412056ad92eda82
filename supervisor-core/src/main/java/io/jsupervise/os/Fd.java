package io.jsupervise.os;

/** An open file descriptor of ours; close-on-exec. Only {@link Os} makes and closes them. */
public record Fd(int number) {}
