package io.jsupervise.sim;

import io.jsupervise.daemon.Outlets;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.Signal;
import io.jsupervise.supervision.Ask;
import io.jsupervise.supervision.Ask.Act.Verb;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;

/**
 * One simulation that a seed gives, from beginning to end: a stormy time in which programs fail, operators interfere,
 * clocks jump and (for every second seed) the machine lets the daemon down; then calm, in which everything has to get
 * where it should and nothing may be restarted any more; then the end.
 */
final class RandomRun {
    /** That are kept; {@code -Dsim.lines=N} for more of a story that begins long before its end. */
    private static final int LINES = Integer.getInteger("sim.lines", 60);

    private static final Duration LONGEST_TIMEOUT = Duration.ofSeconds(35);

    private final long seed;
    private final SplittableRandom random;
    private final Scenario scenario;
    private final Simulation simulation;
    private Faults faults;
    private long lastLittleStep;

    private final Scenario.Kind kind;
    private Read read = Read.AS_IT_IS;

    /** What whoever reads the file finds. */
    private enum Read {
        AS_IT_IS,
        /** It cannot be understood. */
        SPOILT,
        /** It can, and not be taken over. */
        REFUSED
    }

    RandomRun(long seed) {
        this(seed, Scenario.Kind.PLAIN);
    }

    RandomRun(long seed, Scenario.Kind kind) {
        this(seed, kind, UnaryOperator.identity(), LINES);
    }

    /** @param lines of transcript that are kept */
    RandomRun(long seed, Scenario.Kind kind, UnaryOperator<Outlets> saboteur, int lines) {
        this.seed = seed;
        this.kind = kind;
        this.random = new SplittableRandom(seed);
        this.scenario = new Scenario(random.split(), kind);
        this.simulation = new Simulation(
                new Simulation.Setup(
                        scenario.configuration(), this::file, scenario::program, this::faults, saboteur, lines, kind),
                random.nextLong());
        if (scenario.hasOnlyOneshots()) {
            simulation.endsWithOneshots();
        }
    }

    private Configuration file() {
        return switch (read) {
            case AS_IT_IS -> scenario.configuration();
            case SPOILT -> throw new IllegalStateException("services.yml:1:1: this is no YAML");
            case REFUSED -> scenario.refused();
        };
    }

    private Faults faults(World world) {
        faults = chance(0.5)
                ? Faults.none(world)
                : new Faults(world, random.split(), some(0.1), some(0.01), some(0.001), some(0.003));
        return faults;
    }

    /** A probability of at most {@code most}; often none at all. */
    private double some(double most) {
        return chance(0.5) ? 0 : most * random.nextDouble();
    }

    /** Plays it to its end; returns how many automatic restarts there were. */
    long play() {
        try {
            storm();
            if (simulation.isOver()) {
                simulation.end();
                simulation.invariants.exitCode(simulation.failed());
                return simulation.invariants.restarts();
            }
            if (chance(0.3)) {
                simulation.terminate();
                if (chance(0.6)) {
                    simulation.run(upToMs(300));
                    simulation.terminate();
                }
            } else {
                calm();
                if (!simulation.isOver()) {
                    simulation.terminate();
                }
            }
            simulation.run(kind == Scenario.Kind.PLAIN ? Duration.ofMinutes(5) : Duration.ofHours(1));
            simulation.end();
            simulation.invariants.exitCode(simulation.failed());
            return simulation.invariants.restarts();
        } catch (DaemonKilled e) {
            if (simulation.feed().filter(FeedWatch::wasReset).isEmpty()) {
                throw e;
            }
            simulation.feed().get().isExplained();
            return simulation.invariants.restarts();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError(
                    "seed " + seed + ": " + e.getMessage() + "\nto see it again: mvn -q -pl supervisor-core test"
                            + " -Dtest=" + Scenario.testOf("SimulationTest", kind)
                            + " -Dsim.seed=" + seed + "\nhow it came about:\n"
                            + simulation.transcript.text(),
                    e);
        }
    }

    Simulation simulation() {
        return simulation;
    }

    private void storm() {
        int most = chance(0.5) ? 2_000 : 10_000;
        int rounds = 20 + random.nextInt(40);
        for (int i = 0; i < rounds && !simulation.isOver(); i++) {
            simulation.run(upToMs(most));
            if (!simulation.isOver()) {
                disturb();
            }
        }
    }

    private void disturb() {
        switch (random.nextInt(18)) {
            case 0 -> simulation.pause(upToMs(chance(0.1) ? 30_000 : 500));
            case 1 -> simulation.stepWall(Duration.ofMillis(random.nextLong(-86_400_000, 86_400_000)));
            case 2 -> stepALittle();
            case 3 -> simulation.suspend(upToMs(36_000_000));
            case 4, 5, 6, 7 -> simulation.ask(act(Verb.START));
            case 8, 9 -> simulation.ask(act(Verb.STOP));
            case 10, 11 -> simulation.ask(act(Verb.RESTART));
            case 16, 17 -> reload();
            case 12 -> simulation.ask(new Ask.SendSignal(someService(), pick(Signal.KILL, Signal.TERM, Signal.HUP)));
            default -> {}
        }
    }

    /** The file is edited, or not; it is read once or more often, at once or somewhat later, or only for show. */
    private void reload() {
        if (chance(0.8)) {
            scenario.edit();
        }
        if (kind != Scenario.Kind.PLAIN) {
            read = pick(Read.AS_IT_IS, Read.AS_IT_IS, Read.AS_IT_IS, Read.AS_IT_IS, Read.SPOILT, Read.REFUSED);
        }
        if (chance(0.3)) {
            simulation.run(upToMs(50));
        }
        if (chance(0.5)) {
            simulation.hangUp();
        }
        if (chance(0.6)) {
            simulation.ask(new Ask.Reload(chance(0.2), Optional.empty(), chance(0.5), upToMs(20_000)));
        }
    }

    /** Two of these may undo each other, so there is a look at every heartbeat in between. */
    private void stepALittle() {
        if (simulation.world.nanos() > lastLittleStep + LONGEST_TIMEOUT.toNanos()) {
            lastLittleStep = simulation.world.nanos();
            simulation.stepWall(Duration.ofMillis(random.nextLong(-200, 200)));
        }
    }

    private Ask act(Verb verb) {
        List<ServiceName> services = chance(0.3) ? List.of() : List.of(someService());
        return new Ask.Act(verb, services, chance(0.5), upToMs(20_000));
    }

    private ServiceName someService() {
        List<ServiceName> names = simulation.invariants.names();
        return names.get(random.nextInt(names.size()));
    }

    /** Good programs from now on: what is up stays up, and whatever the clocks do is no reason to restart it. */
    private void calm() {
        faults.cease();
        scenario.calm();
        scenario.nameAll();
        read = Read.AS_IT_IS;
        simulation.hangUp();
        simulation.run(Duration.ofSeconds(kind == Scenario.Kind.PLAIN ? 8 : 60));
        if (simulation.isOver()) {
            return;
        }
        simulation.ask(new Ask.Act(Verb.RESTART, List.of(), true, Duration.ofSeconds(90)));
        simulation.run(Duration.ofSeconds(kind == Scenario.Kind.PLAIN ? 60 : 300));
        if (kind == Scenario.Kind.LADDERED && simulation.isOver()) {
            // What came of the storm was too much for somebody's ladder.
            return;
        }
        simulation.invariants.allIsWell();
        if (scenario.hasOnlyOneshots() && simulation.invariants.shouldHaveEnded() && !simulation.isOver()) {
            throw new Violation("the end", "does not come, though all oneshots have ended");
        }
        if (simulation.isOver()) {
            return;
        }
        long before = simulation.invariants.attempts();
        for (int i = 0; i < 3; i++) {
            simulation.run(upToMs(20_000));
            simulation.stepWall(Duration.ofMillis(random.nextLong(-86_400_000, 86_400_000)));
            simulation.suspend(upToMs(100_000));
        }
        simulation.run(Duration.ofSeconds(35));
        simulation.invariants.allIsWell();
        if (simulation.invariants.attempts() != before) {
            throw new Violation("promise 9", "a clock was stepped, and something was restarted");
        }
    }

    private boolean chance(double probability) {
        return random.nextDouble() < probability;
    }

    private Duration upToMs(int most) {
        return Duration.ofNanos(1 + random.nextLong(most * 1_000_000L));
    }

    @SafeVarargs
    private <T> T pick(T... of) {
        return of[random.nextInt(of.length)];
    }
}
