package io.jsupervise.sim;

import io.jsupervise.daemon.DaemonException;
import io.jsupervise.daemon.Outlets;
import io.jsupervise.spec.Configuration;
import io.jsupervise.supervision.Answer;
import io.jsupervise.supervision.Ask;
import java.time.Duration;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** One daemon on one simulated machine for its one {@link Life}, of which all {@link Invariants} are checked. */
final class Simulation {
    final World world = new World();
    final SimulatedOs os = new SimulatedOs(world);
    final Transcript transcript;
    final Invariants invariants;
    private final Optional<FeedWatch> feed;
    private final Life life;

    /**
     * What to simulate.
     *
     * @param file     what a reload reads
     * @param programs what processes do
     * @param faults   made for the world of this simulation
     * @param saboteur breaks what the daemon does, to see that it is noticed
     * @param lines    of transcript that are kept
     * @param kind     of services
     */
    record Setup(
            Configuration configuration,
            Supplier<Configuration> file,
            SimulatedOs.Programs programs,
            java.util.function.Function<World, Faults> faults,
            UnaryOperator<Outlets> saboteur,
            int lines,
            Scenario.Kind kind) {
        Setup(Configuration configuration, SimulatedOs.Programs programs) {
            this(
                    configuration,
                    () -> configuration,
                    programs,
                    Faults::none,
                    UnaryOperator.identity(),
                    10_000,
                    Scenario.Kind.PLAIN);
        }
    }

    /** The daemon has begun, and has not had a turn yet. */
    Simulation(Setup setup, long seed) {
        this.transcript = new Transcript(world, setup.lines());
        this.invariants =
                new Invariants(world, os, setup.configuration(), transcript, setup.kind() != Scenario.Kind.PLAIN);
        os.programs(setup.programs());
        os.observer(invariants);
        this.feed = setup.configuration().supervisor().watchdog().map(watchdog -> invariants.watchFeed());
        UnaryOperator<Outlets> saboteur = setup.saboteur();
        feed.ifPresent(FeedWatch::lifeBegins);
        try {
            this.life = new Life(
                    os,
                    transcript,
                    invariants,
                    setup.configuration(),
                    setup.file(),
                    outlets -> saboteur.apply(feed.isPresent() ? feed.get().see(outlets) : outlets),
                    false,
                    new SplittableRandom(seed));
        } catch (DaemonException e) {
            throw new AssertionError("the daemon does not begin: " + e.getMessage(), e);
        }
        os.faults(setup.faults().apply(world));
    }

    long turns() {
        return life.turns();
    }

    /** Everybody does what there is to do, for so long, or until the daemon ends. */
    void run(Duration time) {
        life.run(time);
    }

    /** The whole daemon stands still; the world does not. */
    void pause(Duration time) {
        life.pause(time);
    }

    /** The wall clock is set. */
    void stepWall(Duration by) {
        life.stepWall(by);
    }

    /** The machine sleeps: no monotonic time passes. */
    void suspend(Duration asleep) {
        life.suspend(asleep);
    }

    /** SIGHUP for the daemon. */
    void hangUp() {
        life.hangUp();
    }

    /** SIGTERM for the daemon. */
    void terminate() {
        life.terminate();
    }

    /** Somebody asks; the answer is checked when it comes. */
    CompletableFuture<Answer> ask(Ask ask) {
        return life.ask(ask);
    }

    /** Where there is a hardware watchdog. */
    Optional<FeedWatch> feed() {
        return feed;
    }

    /** Before anything else: it ends when there are only oneshots and all of them have ended. */
    void endsWithOneshots() {
        life.endsWithOneshots();
    }

    /** Whether the daemon has ended. */
    boolean isOver() {
        return life.isOver();
    }

    /** Once it has ended: whether its exit code tells of oneshots that failed. */
    boolean failed() {
        return life.failed();
    }

    /** The last words of a daemon whose loop has ended. */
    void end() {
        life.end();
    }
}
