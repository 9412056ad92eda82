package io.jsupervise.lifecycle;

import java.time.Instant;

/** The present as the loop read it once for a turn: {@code mono} to decide by, {@code wall} to tell people. */
public record Now(MonotonicTime mono, Instant wall) {}
