package io.jsupervise.lifecycle;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What one run has said of itself, and what was found when it was asked. Part of the run, so that everything begins
 * afresh with each start; of a run that is taken over from a dead supervisor nothing is known.
 *
 * @param said       the last thing that it said of its state
 * @param status     the last STATUS
 * @param failure    what it said of why it fails, in words
 * @param watchdog   the time between two pings that it asked for itself; empty where it did not, zero for none
 * @param startBy    when it has to be ready; present while it is awaited and there is a limit
 * @param watchBy    when the next WATCHDOG=1 is overdue; present while one is awaited
 * @param stopBy     when its time to stop is over; present while it has been asked to end and may extend that
 * @param readyFile  of {@link io.jsupervise.spec.Readiness.Written}: what is known of the file
 * @param answer     what came back last when it was asked whether it is ready
 * @param checks     one for each check, in their order; empty before it is ready
 */
public record Health(
        Said said,
        Optional<String> status,
        Optional<String> failure,
        Optional<Duration> watchdog,
        Optional<MonotonicTime> startBy,
        Optional<MonotonicTime> watchBy,
        Optional<MonotonicTime> stopBy,
        Optional<Pulse> readyFile,
        Optional<String> answer,
        List<CheckState> checks) {
    public static final Health UNKNOWN = new Health(
            Said.NOTHING,
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            List.of());

    /** Of its state. */
    public enum Said {
        NOTHING,
        READY,
        RELOADING,
        STOPPING
    }

    /**
     * How it stands with one check.
     *
     * @param name     of the check
     * @param due      when it is to be asked next; meaningless while it is
     * @param asked    whether an answer is awaited
     * @param failures in a row
     * @param problem  what came back last; empty where that was good, or nothing came back yet
     * @param lastAt   when the last answer came; empty before the first
     */
    public record CheckState(
            String name,
            MonotonicTime due,
            boolean asked,
            int failures,
            Optional<String> problem,
            Optional<MonotonicTime> lastAt) {}

    Health said(Said what) {
        return new Health(what, status, failure, watchdog, startBy, watchBy, stopBy, readyFile, answer, checks);
    }

    Health status(String text) {
        Optional<String> shown = text.isEmpty() ? Optional.empty() : Optional.of(text);
        return new Health(said, shown, failure, watchdog, startBy, watchBy, stopBy, readyFile, answer, checks);
    }

    Health failure(String words) {
        return new Health(
                said, status, Optional.of(words), watchdog, startBy, watchBy, stopBy, readyFile, answer, checks);
    }

    public Health watchdog(Duration every) {
        return new Health(
                said, status, failure, Optional.of(every), startBy, watchBy, stopBy, readyFile, answer, checks);
    }

    Health startBy(Optional<MonotonicTime> deadline) {
        return new Health(said, status, failure, watchdog, deadline, watchBy, stopBy, readyFile, answer, checks);
    }

    Health watchBy(Optional<MonotonicTime> deadline) {
        return new Health(said, status, failure, watchdog, startBy, deadline, stopBy, readyFile, answer, checks);
    }

    Health stopBy(Optional<MonotonicTime> deadline) {
        return new Health(said, status, failure, watchdog, startBy, watchBy, deadline, readyFile, answer, checks);
    }

    Health readyFile(Pulse pulse) {
        return new Health(
                said, status, failure, watchdog, startBy, watchBy, stopBy, Optional.of(pulse), answer, checks);
    }

    Health checks(List<CheckState> states) {
        return new Health(
                said, status, failure, watchdog, startBy, watchBy, stopBy, readyFile, answer, List.copyOf(states));
    }

    Health answer(Optional<String> problem) {
        return new Health(said, status, failure, watchdog, startBy, watchBy, stopBy, readyFile, problem, checks);
    }
}
