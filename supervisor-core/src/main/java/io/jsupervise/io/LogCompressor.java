package io.jsupervise.io;

import io.jsupervise.lifecycle.MonotonicTime;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** Compresses rotated logs, one after another, where nobody waits for it. */
public final class LogCompressor implements Actor {
    private final Set<LogRotation> waiting = new LinkedHashSet<>();
    private final Consumer<String> failures;

    /** @param failures is told what could not be compressed and why; it is tried again after the next rotation */
    public LogCompressor(Consumer<String> failures) {
        this.failures = failures;
    }

    /** Any thread; never waits. */
    public void compress(LogRotation rotation) {
        synchronized (waiting) {
            waiting.add(rotation);
        }
    }

    @Override
    public void step() {
        LogRotation rotation;
        synchronized (waiting) {
            if (waiting.isEmpty()) {
                return;
            }
            rotation = waiting.iterator().next();
            waiting.remove(rotation);
        }
        try {
            rotation.compress();
        } catch (IOException e) {
            failures.accept("cannot compress a rotated log: " + e.getMessage() + "; tried again at its next rotation");
        }
    }

    @Override
    public Optional<MonotonicTime> nextStep() {
        synchronized (waiting) {
            return waiting.isEmpty() ? Optional.empty() : Optional.of(MonotonicTime.BOOT);
        }
    }
}
