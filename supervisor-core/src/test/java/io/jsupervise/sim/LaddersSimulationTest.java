package io.jsupervise.sim;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.sim.Scenario.Kind;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Services that climb ladders of all rungs, at random, in one life and over many, on a machine with a hardware watchdog or without.
 * {@code -Dsim.seed=N} plays one seed and shows what happened, {@code -Dsim.seeds=FROM..TO} plays others than the usual ones.
 */
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class LaddersSimulationTest {
    private static final long FIRST = 1;
    private static final long LAST = 30;

    @Test
    void random_ladders_keep_every_promise() {
        long[] seeds = seeds();
        Map<String, Long> told = new TreeMap<>();
        for (long seed = seeds[0]; seed <= seeds[1]; seed++) {
            RandomRun run = new RandomRun(seed, Kind.LADDERED);
            run.play();
            run.simulation().invariants.told().forEach((event, times) -> told.merge(event, times, Long::sum));
            if (isOne()) {
                System.out.println(run.simulation().transcript.text());
            }
        }
        if (seeds[1] > seeds[0]) {
            assertTrue(told.getOrDefault("escalating", 0L) >= 100, "too rare: " + told);
        }
    }

    @Test
    void random_lives_of_ladders_keep_every_promise() {
        long[] seeds = seeds();
        for (long seed = seeds[0]; seed <= seeds[1]; seed++) {
            RandomLives lives = new RandomLives(seed, Kind.LADDERED);
            lives.play();
            if (isOne()) {
                System.out.println(lives.lives().transcript.text());
            }
        }
    }

    private static boolean isOne() {
        return !System.getProperty("sim.seed", "").isEmpty();
    }

    private static long[] seeds() {
        String one = System.getProperty("sim.seed", "");
        String range = System.getProperty("sim.seeds", "");
        if (!one.isEmpty()) {
            return new long[] {Long.parseLong(one), Long.parseLong(one)};
        }
        if (!range.isEmpty()) {
            String[] ends = range.split("\\.\\.", 2);
            return new long[] {Long.parseLong(ends[0]), Long.parseLong(ends[1])};
        }
        return new long[] {FIRST, LAST};
    }
}
