package io.jsupervise.sim;

import io.jsupervise.lifecycle.MonotonicTime;
import java.time.Duration;
import java.time.Instant;
import java.util.PriorityQueue;

/**
 * Time, and what happens by itself in it. Two clocks, as on a real machine: the monotonic one only moves forward, and
 * everything that is planned hangs on it; the wall clock runs along with it, and can be stepped without anything else
 * moving. A suspended machine is the same seen from the other side: the wall clock has gone on, the monotonic clock has
 * not (clock_gettime(2)).
 */
final class World {
    /** Not a round number, so that nothing passes by accident; 2026-11-21. */
    private static final long BIRTH_WALL_NANOS = 1_795_219_200_123_456_789L;

    private static final long NANOS = 1_000_000_000;

    private final PriorityQueue<Planned> planned = new PriorityQueue<>();
    private long mono = 17 * NANOS;
    private long wallMinusMono = BIRTH_WALL_NANOS - mono;
    private long lastOrder;

    private record Planned(long at, long order, Runnable what) implements Comparable<Planned> {
        @Override
        public int compareTo(Planned other) {
            int byTime = Long.compare(at, other.at);
            return byTime != 0 ? byTime : Long.compare(order, other.order);
        }
    }

    MonotonicTime now() {
        return new MonotonicTime(mono);
    }

    long nanos() {
        return mono;
    }

    long wallNanos() {
        return mono + wallMinusMono;
    }

    Instant wall() {
        return Instant.ofEpochSecond(0, wallNanos());
    }

    /** {@code what} happens {@code delay} from now. */
    void plan(Duration delay, Runnable what) {
        planned.add(new Planned(mono + delay.toNanos(), ++lastOrder, what));
    }

    /** When something happens next; Long.MAX_VALUE where nothing will. */
    long nextAt() {
        return planned.isEmpty() ? Long.MAX_VALUE : planned.peek().at;
    }

    /** Time passes until {@code at}, and what was planned happens on the way. */
    void advanceTo(long at) {
        while (!planned.isEmpty() && planned.peek().at <= at) {
            Planned next = planned.poll();
            mono = Math.max(mono, next.at);
            next.what.run();
        }
        mono = Math.max(mono, at);
    }

    void stepWall(Duration by) {
        wallMinusMono += by.toNanos();
    }

    void suspend(Duration asleep) {
        wallMinusMono += asleep.toNanos();
    }

    /** The machine boots: what was planned will not happen, and the monotonic clock begins anew. */
    void boot() {
        planned.clear();
        long wall = wallNanos();
        mono = 17 * NANOS;
        wallMinusMono = wall + 20 * NANOS - mono;
    }
}
