package io.jsupervise.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.spec.Backoff;
import io.jsupervise.spec.RestartIntensity;
import io.jsupervise.spec.ServiceSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the keeper costs over many restarts, and over many lives of the supervisor; {@link KeeperWatch} looks on. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class KeeperLivesTest {
    private static final long NEVER = Long.MAX_VALUE / 2;
    private static final Duration ALMOST_NO_TIME = Duration.ofMillis(1);

    private int spawned;

    private Lives lives(int services) {
        List<ServiceSpec> specs = new ArrayList<>();
        for (int i = 0; i < services; i++) {
            specs.add(ServiceSpec.of("s" + i, "/bin/s" + i)
                    .backoff(new Backoff(ALMOST_NO_TIME, 1, ALMOST_NO_TIME, 0, Duration.ofHours(1)))
                    .startLimit(new RestartIntensity(1_000_000, Duration.ofHours(1)))
                    .build());
        }
        SimulatedOs.Programs programs = request -> {
            spawned++;
            return request.environment().get("JSUPERVISE_SERVICE").equals("s0")
                    ? Program.steady()
                    : Program.steady().exits(Duration.ofMillis(7 + spawned % 13), spawned % 3);
        };
        return new Lives(Scenario.configuration(0, specs), programs, new SplittableRandom(services), 80);
    }

    private static int open(Lives lives) {
        return lives.os.openFiles().size();
    }

    @Test
    void thousands_of_restarts_leave_its_queue_short_and_no_descriptor_open() {
        Lives lives = lives(6);
        List<Integer> queue = new ArrayList<>();
        lives.live(NEVER, life -> {
            life.run(Duration.ofSeconds(1));
            int begin = open(lives);
            for (int i = 0; i < 20; i++) {
                life.run(Duration.ofMillis(500));
                queue.addAll(lives.os.kept().lengths());
                assertTrue(open(lives) <= begin + 12, open(lives) + " files are open after " + begin);
            }
        });
        assertTrue(spawned > 3_000, "there were only " + spawned);
        assertEquals(20, queue.size(), "always one keeper");
        for (int length : queue) {
            assertTrue(length <= 70, queue.toString());
        }
    }

    @Test
    void hundreds_of_lives_leave_one_keeper_and_its_queue_short() {
        Lives lives = lives(4);
        SplittableRandom random = new SplittableRandom(7);
        for (int i = 0; i < 300; i++) {
            if (lives.live(1 + random.nextInt(400), life -> life.run(Duration.ofSeconds(1)))) {
                lives.dies();
            }
            assertTrue(lives.os.keepers().size() <= 1, lives.os.keepers().toString());
            lives.unsupervised(Duration.ofMillis(random.nextInt(1, 40)));
        }
        lives.live(NEVER, life -> {
            life.run(Duration.ofSeconds(5));
            assertEquals(1, lives.os.keepers().size());
            Optional<Integer> longest = lives.os.kept().lengths().stream().max(Integer::compare);
            assertTrue(longest.orElseThrow() <= 70, longest.toString());
            life.terminate();
            life.run(Duration.ofSeconds(30));
            life.end();
        });
        assertEquals(List.of(), lives.os.keepers());
    }
}
