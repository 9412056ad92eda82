package io.jsupervise.sim;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.sim.Scenario.Kind;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Services that climb ladders of all rungs, at random, in one life and over many, on a machine with a hardware watchdog or without.
 * {@code -Dsim.seed=N} plays one seed and shows what happened, {@code -Dsim.seeds=FROM..TO} plays others than the usual ones.
 */
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class LaddersSimulationTest {
    private static final long LAST = 30;
    private static final int FRESH = 20;

    private final Tally tally = new Tally(Kind.LADDERED);

    @Test
    void random_ladders_keep_every_promise() {
        Seeds.askedOr(1, LAST).play(tally::run);
        if (!Seeds.areAsked()) {
            assertTrue(tally.told("escalating") >= 100, "too rare: " + tally.told);
        }
        Seeds.fresh("ladders", FRESH).play(tally::run);
    }

    @Test
    void random_lives_of_ladders_keep_every_promise() {
        Seeds.askedOr(1, LAST).play(tally::live);
    }
}
