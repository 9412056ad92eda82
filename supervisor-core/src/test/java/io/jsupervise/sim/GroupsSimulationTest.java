package io.jsupervise.sim;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.sim.Scenario.Kind;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Services that are restarted together, at random, in one life and over many. {@code -Dsim.seed=N} plays one seed and
 * shows what happened, {@code -Dsim.seeds=FROM..TO} plays others than the usual ones.
 */
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class GroupsSimulationTest {
    private static final long FIRST = 1;
    private static final long LAST = 30;

    @Test
    void random_groups_keep_every_promise() {
        long[] seeds = seeds();
        Map<String, Long> told = new TreeMap<>();
        for (long seed = seeds[0]; seed <= seeds[1]; seed++) {
            run(seed, told);
        }
        if (seeds[1] > seeds[0]) {
            assertTrue(told.getOrDefault("restarting-others", 0L) >= 10, "too rare: " + told);
        }
    }

    private static void run(long seed, Map<String, Long> told) {
        RandomRun run = new RandomRun(seed, Kind.GROUPED);
        run.play();
        run.simulation().invariants.told().forEach((event, times) -> told.merge(event, times, Long::sum));
        if (isOne()) {
            System.out.println(run.simulation().transcript.text());
        }
    }

    @Test
    void random_lives_of_groups_keep_every_promise() {
        long[] seeds = seeds();
        for (long seed = seeds[0]; seed <= seeds[1]; seed++) {
            RandomLives lives = new RandomLives(seed, Kind.GROUPED);
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
