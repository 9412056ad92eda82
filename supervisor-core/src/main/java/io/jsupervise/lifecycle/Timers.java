package io.jsupervise.lifecycle;

/**
 * The armed timers of one service by generation: a timer that fires counts only if it is the one that was armed last
 * and was not cancelled since. Immutable.
 *
 * @param last  the generation given last
 * @param armed index = {@link TimerKind#ordinal()}; 0 where not armed
 */
public record Timers(long last, Armed armed) {
    public static final Timers NONE = new Timers(0, new Armed(new long[TimerKind.values().length]));

    public Timers arm(TimerKind kind) {
        return new Timers(last + 1, armed.with(kind, last + 1));
    }

    public Timers cancel(TimerKind kind) {
        return isArmed(kind) ? new Timers(last, armed.with(kind, 0)) : this;
    }

    public boolean isArmed(TimerKind kind) {
        return generation(kind) != 0;
    }

    /** The generation of an armed timer; 0 where it is not armed. */
    public long generation(TimerKind kind) {
        return armed.generations[kind.ordinal()];
    }

    /** A fixed row of generations with the equality of a value. */
    static final class Armed {
        private final long[] generations;

        private Armed(long[] generations) {
            this.generations = generations;
        }

        private Armed with(TimerKind kind, long generation) {
            long[] copy = generations.clone();
            copy[kind.ordinal()] = generation;
            return new Armed(copy);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Armed armed && java.util.Arrays.equals(generations, armed.generations);
        }

        @Override
        public int hashCode() {
            return java.util.Arrays.hashCode(generations);
        }

        @Override
        public String toString() {
            return java.util.Arrays.toString(generations);
        }
    }
}
