package io.jsupervise.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.os.SpawnRequest;
import io.jsupervise.sim.Program.Strays;
import io.jsupervise.sim.Program.Workers;
import io.jsupervise.spec.Backoff;
import io.jsupervise.spec.Check;
import io.jsupervise.spec.Command;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.HealthSpec;
import io.jsupervise.spec.Probe;
import io.jsupervise.spec.Readiness;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import io.jsupervise.spec.StopSequence;
import io.jsupervise.supervision.Ask;
import io.jsupervise.supervision.Ask.Act.Verb;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Services that are asked by programs, played at random: checks that answer, fail, hang, cling to life and leave something behind, beside services that
 * die and operators that interfere. Whoever is well is left alone, whoever is not is ended, and of no check anything is left.
 */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class CheckedServicesTest {
    private static final int SEEDS = Integer.getInteger("sim.checks", 150);
    private static final Probe LOOK = new Probe.Exec(Command.of("/bin/look"));

    /** One story. */
    private static final class Story {
        final SplittableRandom random;
        final Simulation simulation;
        final boolean faulty;
        boolean well;

        Story(long seed) {
            random = new SplittableRandom(seed);
            faulty = random.nextInt(3) == 0;
            List<ServiceSpec> services = new ArrayList<>();
            int count = 1 + random.nextInt(3);
            for (int i = 0; i < count; i++) {
                services.add(service("s" + i));
            }
            Configuration configuration = Scenario.configuration(0, services);
            SplittableRandom chance = random.split();
            simulation = new Simulation(
                    new Simulation.Setup(
                            configuration,
                            () -> configuration,
                            this::program,
                            world -> faulty ? new Faults(world, chance, 0.05, 0, 0.001, 0) : Faults.none(world),
                            UnaryOperator.identity(),
                            80,
                            Scenario.Kind.PLAIN),
                    random.nextLong());
        }

        private ServiceSpec service(String name) {
            List<Check> checks = new ArrayList<>();
            int count = 1 + random.nextInt(2);
            for (int i = 0; i < count; i++) {
                checks.add(new Check(
                        "c" + i, LOOK, upTo(2_000), ms(150 + random.nextInt(800)), 1 + random.nextInt(3), upTo(500)));
            }
            return ServiceSpec.of(name, "/bin/" + name)
                    .ready(random.nextBoolean() ? new Readiness.Answering(LOOK) : new Readiness.Delay(upTo(100)))
                    .startTimeout(Duration.ofSeconds(60))
                    .backoff(new Backoff(ms(100), 2, ms(1_000), 0.1, Duration.ofSeconds(5)))
                    .stop(new StopSequence(Signal.TERM, upTo(1_000), Optional.empty()))
                    .health(new HealthSpec(Optional.empty(), checks))
                    .build();
        }

        private Program program(SpawnRequest request) {
            boolean isCheck = request.environment().containsKey(CheckWatch.NAME);
            if (well) {
                return isCheck ? Program.steady().exits(upTo(100), 0) : Program.steady();
            } else if (!isCheck) {
                return random.nextInt(3) == 0 ? Program.steady().exits(upTo(8_000), 1) : Program.steady();
            }
            Program program = random.nextInt(4) == 0
                    ? Program.steady().onTerm(Optional.empty())
                    : Program.steady().exits(upTo(1_200), random.nextInt(3) == 0 ? 1 : 0);
            if (random.nextInt(6) == 0) {
                program = program.onKill(upTo(3_000));
            }
            if (random.nextInt(6) == 0) {
                program = program.leaves(new Workers(1, upTo(300), Program.FOREVER, upTo(50)));
            }
            return random.nextInt(8) == 0 ? program.strays(new Strays(1, ms(40), upTo(300))) : program;
        }

        void play() {
            for (int i = 0; i < 40; i++) {
                simulation.run(upTo(1_500));
                if (random.nextInt(4) == 0) {
                    Verb verb = List.of(Verb.STOP, Verb.START, Verb.START, Verb.RESTART)
                            .get(random.nextInt(4));
                    ServiceName service = new ServiceName(
                            "s" + random.nextInt(simulation.invariants.names().size()));
                    simulation.ask(new Ask.Act(verb, List.of(service), false, Duration.ofSeconds(5)));
                }
            }
            well = true;
            simulation.ask(new Ask.Act(Verb.RESTART, List.of(), false, Duration.ofSeconds(5)));
            simulation.run(Duration.ofSeconds(40));
            if (!faulty) {
                whoIsWellIsLeftAlone();
            }
            simulation.terminate();
            simulation.run(Duration.ofMinutes(2));
            simulation.end();
            for (SimulatedProcess process : simulation.os.processes.all()) {
                if (process.isAlive() && !process.check().isEmpty()) {
                    throw new Violation("checks", process + " outlives its supervisor");
                }
            }
            for (String file : simulation.os.openFiles()) {
                if (file.contains("pipe")) {
                    throw new Violation("no leak", file + " is still open");
                }
            }
        }

        private void whoIsWellIsLeftAlone() {
            simulation.invariants.allIsWell();
            long before = simulation.invariants.attempts();
            simulation.run(Duration.ofSeconds(60));
            assertEquals(before, simulation.invariants.attempts(), "somebody was restarted who is well");
        }

        private Duration upTo(int mostMs) {
            return Duration.ofNanos(1 + random.nextLong(mostMs * 1_000_000L));
        }
    }

    private static Duration ms(int ms) {
        return Duration.ofMillis(ms);
    }

    @Test
    void checks_at_random_keep_every_promise() {
        for (long seed = 1; seed <= SEEDS; seed++) {
            Story story = new Story(seed);
            try {
                story.play();
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError(
                        "seed " + seed + ": " + e.getMessage() + "\n" + story.simulation.transcript.text(), e);
            }
        }
    }

    /** A service that is asked by {@code check} each second, which has 400 ms, and so many tries. */
    private static Simulation checkedBy(Program check, int retries) {
        ServiceSpec spec = ServiceSpec.of("web", "/bin/web")
                .ready(new Readiness.Delay(Duration.ZERO))
                .backoff(new Backoff(ms(100), 1, ms(100), 0, Duration.ofSeconds(5)))
                .health(new HealthSpec(
                        Optional.empty(), List.of(new Check("door", LOOK, ms(1_000), ms(400), retries, Duration.ZERO))))
                .build();
        return new Simulation(
                new Simulation.Setup(
                        Scenario.configuration(0, List.of(spec)),
                        request -> request.environment().containsKey(CheckWatch.NAME) ? check : Program.steady()),
                1);
    }

    @Test
    void a_check_that_hangs_ends_its_service_at_its_time_and_is_gone_with_it() {
        Workers workers = new Workers(2, ms(20), Program.FOREVER, ms(5));
        Simulation simulation =
                checkedBy(Program.steady().onTerm(Optional.empty()).leaves(workers), 2);
        simulation.run(ms(2_600));
        String story = simulation.transcript.text();
        assertTrue(
                story.contains("check door (exec /bin/look) failed 2 times in a row: no answer within 400ms"), story);
        simulation.terminate();
        simulation.run(Duration.ofSeconds(30));
        simulation.end();
    }

    @Test
    void a_check_that_takes_too_long_is_killed_with_all_it_has_started_and_without_a_look_at_all_processes() {
        Workers workers = new Workers(2, ms(20), Program.FOREVER, ms(5));
        Simulation simulation =
                checkedBy(Program.steady().leaves(workers).strays(new Strays(1, ms(40), ms(20))), 1_000);
        simulation.run(ms(1_100));
        int before = simulation.os.looksAtAllProcesses();
        simulation.run(ms(9_000));
        int living = 0;
        for (SimulatedProcess process : simulation.os.processes.all()) {
            living += process.check().isEmpty() || !process.isAlive() ? 0 : 1;
        }
        assertTrue(living <= 4, living + " live, and the check before the present one is to be gone");
        assertEquals(before, simulation.os.looksAtAllProcesses());
        simulation.terminate();
        simulation.run(Duration.ofSeconds(30));
        simulation.end();
    }
}
