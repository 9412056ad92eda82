package io.jsupervise.sim;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.sim.Scenario.Kind;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Services that are restarted together, at random, in one life and over many. {@code -Dsim.seed=N} plays one seed and
 * shows what happened, {@code -Dsim.seeds=FROM..TO} plays others than the usual ones.
 */
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class GroupsSimulationTest {
    private static final long LAST = 30;
    private static final int FRESH = 20;

    private final Tally tally = new Tally(Kind.GROUPED);

    @Test
    void random_groups_keep_every_promise() {
        Seeds.askedOr(1, LAST).play(tally::run);
        if (!Seeds.areAsked()) {
            assertTrue(tally.told("restarting-others") >= 10, "too rare: " + tally.told);
        }
        Seeds.fresh("groups", FRESH).play(tally::run);
    }

    @Test
    void random_lives_of_groups_keep_every_promise() {
        Seeds.askedOr(1, LAST).play(tally::live);
    }
}
