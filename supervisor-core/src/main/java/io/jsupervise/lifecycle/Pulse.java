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

    public static Pulse armed(MonotonicTime graceEnd) {
        return new Pulse(graceEnd, Optional.empty(), Optional.empty());
    }

    public Pulse after(Look look) {
        boolean changed = lastLook.isPresent()
                && look.stamp().isPresent()
                && !look.stamp().equals(lastLook.get().stamp());
        Optional<MonotonicTime> beat = changed ? Optional.of(moment(lastLook.get(), look)) : lastBeat;
        return new Pulse(graceEnd, beat, Optional.of(look));
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

    private static MonotonicTime moment(Look before, Look now) {
        Duration mono = now.at().mono().since(before.at().mono());
        Duration wall = Duration.between(before.at().wall(), now.at().wall());
        Duration drift = wall.minus(mono).abs();
        boolean stepped = drift.compareTo(STEP.plus(mono.dividedBy(1000))) > 0;
        Instant mtime = now.stamp().orElseThrow().mtime();
        boolean between =
                !mtime.isBefore(before.at().wall()) && !mtime.isAfter(now.at().wall());
        if (stepped || !between) {
            return now.at().mono();
        }
        return now.at().mono().minus(Duration.between(mtime, now.at().wall()));
    }
}
