package io.jsupervise.sim;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.sim.KilledRun.How;
import io.jsupervise.sim.KilledRun.Kill;
import io.jsupervise.sim.Scenario.Kind;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The supervisor is killed between any two of its system calls, and started again. Told in two ways: a set of
 * {@link KillScenario stories} with the kill at each call that is made in them; and {@link RandomLives} by seed.
 *
 * <pre>
 * -Dsim.kill=STORY:HOW@CALL[,HOW@CALL]   plays one story with these kills, and shows what happened
 * -Dsim.story=STORY                      tells only this one of the stories
 * -Dsim.seed=N                           plays one seed, and shows what happened
 * -Dsim.seeds=FROM..TO                   plays others than the usual ones
 * -Dsim.kills=N                          plays stories and then seeds until so many kills have come; says how long it took
 * </pre>
 */
@Timeout(value = 2, unit = TimeUnit.HOURS)
class KillTest {
    private static final int FIXED_SEEDS = 50;
    private static final int FRESH_SEEDS = 50;

    /** Of so many calls, one is tried in the usual run with what takes longer, and with a second kill. */
    private static final int STRIDE = 8;

    private static final long CLOCK = System.currentTimeMillis();

    @Test
    void a_kill_at_any_call_of_any_story_keeps_every_promise() {
        String one = System.getProperty("sim.kill", "");
        if (!one.isEmpty()) {
            show(one);
        } else if (isUsual()) {
            long kills = tellAll(CLOCK, STRIDE);
            boolean isWhole = System.getProperty("sim.story", "").isEmpty();
            assertTrue(kills > (isWhole ? 8_000 : 100), "there were only " + kills);
        }
    }

    private static boolean isUsual() {
        for (String property : List.of("sim.kill", "sim.seed", "sim.seeds", "sim.kills")) {
            if (System.getProperty(property) != null) {
                return false;
            }
        }
        return true;
    }

    private static void show(String one) {
        String[] parts = one.split(":", 2);
        List<Kill> kills = new ArrayList<>();
        for (String kill : parts[1].split(",")) {
            kills.add(Kill.of(kill));
        }
        KilledRun run = new KilledRun(KillScenario.named(parts[0]), kills);
        run.play();
        System.out.println(run.lives().transcript.text());
    }

    /**
     * Tells each story with a kill at each of its calls; returns how many kills came.
     *
     * @param every the slow ways to be killed, and a second kill, come at one of so many calls
     * @param which at which of them, and when the second one comes
     */
    private static long tellAll(long which, int every) {
        long kills = 0;
        String only = System.getProperty("sim.story", "");
        for (KillScenario scenario : only.isEmpty() ? KillScenario.all() : List.of(KillScenario.named(only))) {
            KilledRun whole = new KilledRun(scenario, List.of());
            whole.play();
            long calls = whole.lives().mostCalls();
            for (long call = 1; call <= calls; call++) {
                kills += tell(scenario, new Kill(call, How.SOON));
                if (Math.floorMod(call - which, every) == 0) {
                    long second = 1 + Math.floorMod(call * 7919 + which, calls);
                    kills += tell(scenario, new Kill(call, How.LATER));
                    kills += tell(scenario, new Kill(call, How.POWER_CUT));
                    kills += tell(scenario, new Kill(call, How.SOON), new Kill(second, How.LATER));
                    kills += tell(scenario, new Kill(call, How.LATER), new Kill(second, How.POWER_CUT));
                    kills += tell(scenario, new Kill(call, How.SOON), new Kill(1 + second % 200, How.SOON));
                }
            }
        }
        return kills;
    }

    private static int tell(KillScenario scenario, Kill... kills) {
        return new KilledRun(scenario, List.of(kills)).play();
    }

    @Test
    void many_random_lives_keep_every_promise() {
        String one = System.getProperty("sim.seed", "");
        String range = System.getProperty("sim.seeds", "");
        long begin = cpuNanos();
        if (!one.isEmpty()) {
            RandomLives run = new RandomLives(Long.parseLong(one));
            run.play();
            System.out.println(run.lives().transcript.text());
        } else if (!range.isEmpty()) {
            String[] ends = range.split("\\.\\.", 2);
            report(play(Long.parseLong(ends[0]), Long.parseLong(ends[1])), "of seeds " + range, begin);
        } else if (isUsual()) {
            play(1, FIXED_SEEDS);
            System.out.println("fresh seeds of random lives: " + CLOCK + ".." + (CLOCK + FRESH_SEEDS - 1));
            play(CLOCK, CLOCK + FRESH_SEEDS - 1);
        }
    }

    @Test
    void many_random_lives_with_order_and_hooks_keep_every_promise() {
        String one = System.getProperty("sim.seed", "");
        String range = System.getProperty("sim.seeds", "");
        long begin = cpuNanos();
        if (!one.isEmpty()) {
            RandomLives run = new RandomLives(Long.parseLong(one), Kind.CHOREOGRAPHED);
            run.play();
            System.out.println(run.lives().transcript.text());
        } else if (!range.isEmpty()) {
            String[] ends = range.split("\\.\\.", 2);
            report(
                    play(Long.parseLong(ends[0]), Long.parseLong(ends[1]), Kind.CHOREOGRAPHED),
                    "of seeds with order and hooks " + range,
                    begin);
        } else if (isUsual()) {
            play(1, FIXED_SEEDS, Kind.CHOREOGRAPHED);
        }
    }

    @Test
    void as_many_kills_as_are_asked_for_keep_every_promise() {
        long wanted = Long.getLong("sim.kills", 0);
        long begin = cpuNanos();
        long kills = 0;
        if (wanted > 0) {
            kills = tellAll(CLOCK, 1);
            report(kills, "in stories", begin);
        }
        long seed = CLOCK;
        while (kills < wanted) {
            kills += play(seed, seed + 49) + play(seed + 50, seed + 99, Kind.CHOREOGRAPHED);
            seed += 100;
        }
        if (wanted > 0) {
            report(kills, "in stories and of the seeds " + CLOCK + ".." + (seed - 1), begin);
        }
    }

    private static long play(long first, long last) {
        return play(first, last, Kind.PLAIN);
    }

    private static long play(long first, long last, Kind kind) {
        long kills = 0;
        for (long seed = first; seed <= last; seed++) {
            RandomLives run = new RandomLives(seed, kind);
            run.play();
            kills += run.lives().kills();
        }
        return kills;
    }

    private static void report(long kills, String where, long begin) {
        long ms = (cpuNanos() - begin) / 1_000_000;
        System.out.println(kills + " kills " + where + ", in " + ms + " ms of a processor: " + kills * 1000 / (ms + 1)
                + " a second");
    }

    private static long cpuNanos() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }
}
