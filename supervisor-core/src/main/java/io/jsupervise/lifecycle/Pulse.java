package io.jsupervise.lifecycle;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * What is known of the heartbeat of one run. A deadline is the last change plus the timeout, or the end of the grace
 * while there was no change. The moment of a change is the file's mtime where that lies between two looks and the
 * wall clock was not stepped between them; otherwise it is the later look, which can only be too kind, never too
 * strict. So one look at each deadline is enough, and neither a step of the clock nor a suspended machine (the
 * monotonic clock stands still then, the wall clock jumps) is taken for silence.
 *
 * @param graceEnd until when the first beat is awaited
 * @param lastBeat the moment of the last change; empty before the first
 * @param lastLook empty before the first look, which only sees what an earlier run may have left
 */
public record Pulse(MonotonicTime graceEnd, Optional<MonotonicTime> lastBeat, Optional<Look> lastLook) {
    /** Clocks that differ by more than this between two looks were stepped; slewing moves 0.05 % at most. */
    private static final Duration STEP = Duration.ofMillis(50);

    /**
     * An mtime is that of the last tick of the kernel's clock, 1 to 10 ms (CONFIG_HZ), so a beat right after a look may
     * bear a time before it.
     */
    private static final Duration TICK = Duration.ofMillis(20);

    public static Pulse armed(MonotonicTime graceEnd) {
        return new Pulse(graceEnd, Optional.empty(), Optional.empty());
    }

    /** The same, with a grace that does not end before that. */
    public Pulse graceUntil(MonotonicTime end) {
        return graceEnd.isBefore(end) ? new Pulse(end, lastBeat, lastLook) : this;
    }

    /** The same, with a grace that ends so much later, or earlier. */
    public Pulse graceMoved(Duration by) {
        return new Pulse(graceEnd.plus(by), lastBeat, lastLook);
    }

    /**
     * When a beat was made that a first look saw and that may as well be the last one of an earlier run: it bears a time
     * within a tick before the order. Whoever takes it for neither waits for its timeout at least.
     */
    public Optional<MonotonicTime> doubtfulBeat(Look firstLook, Now orderedAt) {
        return lastBeat.isEmpty() && firstLook.stamp().isPresent()
                ? momentBetween(aTickBefore(orderedAt), firstLook)
                : Optional.empty();
    }

    /**
     * What is known after one more look.
     *
     * @param orderedAt when the run was ordered: a first look that comes late may find a beat of this run already,
     *                  which is known by its mtime alone
     */
    public Pulse after(Look look, Now orderedAt) {
        Optional<MonotonicTime> beat = Optional.empty();
        if (look.stamp().isPresent()) {
            beat = lastLook.isEmpty() ? momentBetween(orderedAt, look) : beatSince(lastLook.get(), look);
        }
        return new Pulse(graceEnd, beat.isPresent() ? beat : lastBeat, Optional.of(look));
    }

    private Optional<MonotonicTime> beatSince(Look before, Look look) {
        Optional<MonotonicTime> latest = Optional.of(look.at().mono());
        if (!look.stamp().equals(before.stamp())) {
            return momentBetween(aTickBefore(before.at()), look).or(() -> latest);
        }
        // A beat after the step may bear the very time, to the tick, of the last one before it.
        return lastBeat.isPresent() && wentBack(before.at(), look.at()) ? latest : Optional.empty();
    }

    /** When silence becomes staleness. */
    public MonotonicTime deadline(Duration timeout) {
        return lastBeat.map(beat -> beat.plus(timeout)).orElse(graceEnd);
    }

    /**
     * When to look next. Before the first beat a look is due once per timeout, since a beat that came just after the
     * last look would end the grace.
     */
    public MonotonicTime nextLook(Duration timeout) {
        MonotonicTime deadline = deadline(timeout);
        if (lastBeat.isPresent() || lastLook.isEmpty()) {
            return deadline;
        }
        return MonotonicTime.min(deadline, lastLook.get().at().mono().plus(timeout));
    }

    private static Now aTickBefore(Now now) {
        return new Now(now.mono().minus(TICK), now.wall().minus(TICK));
    }

    /** How much further the wall clock went than the monotonic one. */
    private static Duration gained(Now before, Now now) {
        return Duration.between(before.wall(), now.wall()).minus(now.mono().since(before.mono()));
    }

    /** What may be slewing. */
    private static Duration drift(Now before, Now now) {
        return STEP.plus(now.mono().since(before.mono()).dividedBy(1000));
    }

    private static boolean wentBack(Now before, Now now) {
        return gained(before, now).compareTo(drift(before, now).negated()) < 0;
    }

    /** The mtime on the monotonic clock; empty where it is not between the two, or the wall clock was stepped. */
    private static Optional<MonotonicTime> momentBetween(Now before, Look look) {
        Now now = look.at();
        boolean stepped = gained(before, now).abs().compareTo(drift(before, now)) > 0;
        Instant mtime = look.stamp().orElseThrow().mtime();
        boolean between = !mtime.isBefore(before.wall()) && !mtime.isAfter(now.wall());
        if (stepped || !between) {
            return Optional.empty();
        }
        return Optional.of(now.mono().minus(Duration.between(mtime, now.wall())));
    }
}
