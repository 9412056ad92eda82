package io.jsupervise.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.sim.Scenario.Kind;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The supervisor in a machine of which a seed decides everything. {@code -Dsim.seed=N} plays one seed and shows what
 * happened, {@code -Dsim.seeds=FROM..TO} plays others than the usual ones.
 */
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class SimulationTest {
    private static final long LAST = 300;
    private static final long LAST_WITH_ORDER = 60;
    private static final int FRESH = 40;

    /** Without these the runs would prove little. */
    private static final List<String> RARE = List.of(
            "hang",
            "gave-up",
            "start-failed",
            "killing",
            "group-remains",
            "waiting",
            "shutdown-hurried",
            "journal-stale",
            "journal-recovered");

    private static final List<String> RARE_WITH_ORDER = List.of(
            "hook-started",
            "hook-done",
            "hook-failed",
            "running",
            "waiting",
            "reloaded",
            "reload-refused",
            "group-remains");

    @Test
    void a_hundred_thousand_restarts_keep_every_promise() {
        Seeds seeds = Seeds.askedOr(1, LAST);
        Tally tally = new Tally(Kind.PLAIN);
        long begin = cpuNanos();
        seeds.play(tally::run);
        if (Seeds.areAsked()) {
            System.out.println(tally.restarts + " simulated restarts in " + tally.turns + " turns of " + seeds + ", in "
                    + (cpuNanos() - begin) / 1_000_000 + " ms of a processor; told " + tally.told);
            return;
        }
        assertTrue(tally.restarts >= 100_000, "there were only " + tally.restarts);
        for (String event : RARE) {
            assertTrue(tally.told.getOrDefault(event, 0L) >= 10, event + " is too rare: " + tally.told);
        }
    }

    @Test
    void random_order_and_hooks_keep_every_promise() {
        Tally tally = new Tally(Kind.CHOREOGRAPHED);
        Seeds.askedOr(1, LAST_WITH_ORDER).play(tally::run);
        if (!Seeds.areAsked()) {
            for (String event : RARE_WITH_ORDER) {
                assertTrue(tally.told.getOrDefault(event, 0L) >= 10, event + " is too rare: " + tally.told);
            }
        }
        Seeds.fresh("order and hooks", FRESH).play(tally::run);
    }

    private static long cpuNanos() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    @Test
    void the_same_seed_gives_the_same_run() {
        for (long seed = 1; seed <= 5; seed++) {
            assertEquals(transcriptOf(seed), transcriptOf(seed));
        }
    }

    private static String transcriptOf(long seed) {
        RandomRun run = new RandomRun(seed);
        run.play();
        return run.simulation().transcript.text();
    }
}
