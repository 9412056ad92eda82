package io.jsupervise.sim;

import java.util.Map;
import java.util.TreeMap;

/** Random runs of one kind, and what happened in all of them together. */
final class Tally {
    private final Scenario.Kind kind;
    long restarts;
    long turns;

    /** How often each event was told. */
    final Map<String, Long> told = new TreeMap<>();

    Tally(Scenario.Kind kind) {
        this.kind = kind;
    }

    /** One life. */
    Transcript run(long seed) {
        RandomRun run = new RandomRun(seed, kind);
        restarts += run.play();
        turns += run.simulation().turns();
        run.simulation().invariants.told().forEach((event, times) -> told.merge(event, times, Long::sum));
        return run.simulation().transcript;
    }

    /** Many lives on one machine; what they tell is not counted. */
    Transcript live(long seed) {
        RandomLives lives = new RandomLives(seed, kind);
        lives.play();
        return lives.lives().transcript;
    }

    long told(String event) {
        return told.getOrDefault(event, 0L);
    }
}
