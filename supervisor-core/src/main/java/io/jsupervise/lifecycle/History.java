package io.jsupervise.lifecycle;

import io.jsupervise.spec.RestartIntensity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a service has been through.
 *
 * @param restarts     automatic restarts ever
 * @param failures     consecutive ends that count for the backoff
 * @param restartTimes when the automatic restarts that may still count against the intensity are or were due,
 *                     oldest first; of this boot only
 * @param ends         the last {@value #MAX_ENDS} ends, oldest first
 * @param onTrial      whether the last of {@code restartTimes} is of the present or the next run: should that work, it
 *                     does not count
 * @param climb        where it stands on its ladder
 */
public record History(
        long restarts, int failures, List<MonotonicTime> restartTimes, List<End> ends, boolean onTrial, Climb climb) {
    public static final int MAX_ENDS = 20;
    public static final History EMPTY = new History(0, 0, List.of(), List.of());

    /** One that is neither on trial nor on a ladder. */
    public History(long restarts, int failures, List<MonotonicTime> restartTimes, List<End> ends) {
        this(restarts, failures, restartTimes, ends, false, Climb.FOOT);
    }

    public History {
        restartTimes = List.copyOf(restartTimes);
        ends = List.copyOf(ends);
    }

    public Optional<End> lastEnd() {
        return ends.isEmpty() ? Optional.empty() : Optional.of(ends.get(ends.size() - 1));
    }

    public History ended(End end) {
        List<End> all = new ArrayList<>(ends.subList(Math.max(0, ends.size() - MAX_ENDS + 1), ends.size()));
        all.add(end);
        return new History(restarts, failures, restartTimes, all, onTrial, climb);
    }

    /** An automatic restart is due at {@code at}; times that left the window of {@code limit} are forgotten. */
    public History restarting(MonotonicTime at, Optional<RestartIntensity> limit) {
        List<MonotonicTime> times = new ArrayList<>();
        if (limit.isPresent()) {
            times.addAll(within(at, limit.get().within()));
            times.add(at);
        }
        return new History(restarts + 1, failures + 1, times, ends, limit.isPresent(), climb);
    }

    /** The restart that was counted last will not be made: an operator took over, or everything stops. */
    public History restartCancelled() {
        return new History(restarts - 1, failures, withoutLastTime(), ends, false, climb);
    }

    /**
     * The restart that was counted last is made at {@code at}, which is later than it was due where it had to wait
     * for a slot or for the rest of its group: the intensity counts when restarts happened.
     */
    public History restartMade(MonotonicTime at) {
        if (restartTimes.isEmpty()) {
            return this;
        }
        List<MonotonicTime> times = withoutLastTime();
        times.add(at);
        return new History(restarts, failures, times, ends, onTrial, climb);
    }

    /** It is started for another reason than that it had ended: however that goes, it tells nothing of restarts. */
    History startedOtherwise() {
        return onTrial ? new History(restarts, failures, restartTimes, ends, false, climb) : this;
    }

    /** The present run has worked: a restart that led to it was none in vain, and the ladder begins at its first rung. */
    History worked() {
        if (!onTrial && climb.equals(Climb.FOOT)) {
            return this;
        }
        return new History(restarts, failures, onTrial ? withoutLastTime() : restartTimes, ends, false, Climb.FOOT);
    }

    /** The next rung is taken, after the end of {@code run}; what was before counts for nothing. */
    History climbed(String why, Optional<RunId> run) {
        return new History(restarts, 0, List.of(), ends, false, climb.next(why, run));
    }

    /** The same on another place of the ladder. */
    History at(Climb other) {
        return climb == other || climb.equals(other)
                ? this
                : new History(restarts, failures, restartTimes, ends, onTrial, other);
    }

    /**
     * A supervisor ended in order because this service asked for it, and the next one begins afresh: only the ladder goes on
     * behind that rung, or one that is started again each time would end for ever.
     */
    public History outlivingItsShutdown() {
        return forgiven().at(climb.done());
    }

    private List<MonotonicTime> withoutLastTime() {
        return new ArrayList<>(restartTimes.subList(0, Math.max(0, restartTimes.size() - 1)));
    }

    /**
     * Whether {@code other} says something new. The moment at which a counted restart is made is not worth a record
     * of its own: the record of the process follows at once.
     */
    boolean differsForTheRecord(History other) {
        return restarts != other.restarts
                || failures != other.failures
                || restartTimes.size() != other.restartTimes.size()
                || climb != other.climb && !climb.equals(other.climb)
                || ends != other.ends && !ends.equals(other.ends);
    }

    /** Whether one more restart at {@code at} stays within {@code limit}. */
    public boolean allows(MonotonicTime at, RestartIntensity limit) {
        return within(at, limit.within()).size() < limit.count();
    }

    /** The service was well for a while: the backoff starts afresh. */
    public History recovered() {
        return new History(restarts, 0, restartTimes, ends, onTrial, climb);
    }

    /** An operator took over: neither backoff nor intensity nor ladder remember what was before. */
    public History forgiven() {
        return new History(restarts, 0, List.of(), ends);
    }

    private List<MonotonicTime> within(MonotonicTime at, Duration window) {
        MonotonicTime start = at.minus(window);
        List<MonotonicTime> recent = new ArrayList<>();
        for (MonotonicTime time : restartTimes) {
            if (start.isBefore(time)) {
                recent.add(time);
            }
        }
        return recent;
    }
}
