package io.jsupervise.sim;

import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.Signal;
import io.jsupervise.supervision.Ask;
import io.jsupervise.supervision.Ask.Act.Verb;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * Many lives on one machine that a seed gives: supervisors are killed at any call or at any time, power fails, some end
 * in order, while programs fail, operators interfere, clocks jump and (for every second seed) the machine lets the
 * daemon down. Then calm, in which everything has to get where it should, and stay there over one more kill.
 */
final class RandomLives {
    /** That are kept; {@code -Dsim.lines=N} for more of a story that begins long before its end. */
    private static final int LINES = Integer.getInteger("sim.lines", 80);

    private static final long NEVER = Long.MAX_VALUE / 2;

    private final long seed;
    private final SplittableRandom random;
    private final Scenario scenario;
    private final Lives lives;
    private final Faults faults;
    private long lastLittleStep;
    private final boolean powerFails;
    private final boolean keeperIsKilled;

    private final Scenario.Kind kind;
    private final Optional<FeedWatch> feed;
    private boolean isSpoilt;

    RandomLives(long seed) {
        this(seed, Scenario.Kind.PLAIN);
    }

    RandomLives(long seed, Scenario.Kind kind) {
        this.seed = seed;
        this.kind = kind;
        this.random = new SplittableRandom(seed);
        this.scenario = new Scenario(random.split(), kind);
        this.lives = new Lives(
                scenario.configuration(),
                scenario::configuration,
                this::file,
                scenario::program,
                random.split(),
                LINES);
        this.faults = chance(0.5)
                ? Faults.none(lives.world)
                : new Faults(lives.world, random.split(), some(0.1), some(0.01), some(0.001), some(0.003));
        lives.os.faults(faults);
        this.feed = scenario.configuration().supervisor().watchdog().map(watchdog -> lives.invariants.watchFeed());
        feed.ifPresent(watch -> lives.outlets(watch::see));
        if (faults.ofDiskMayCome()) {
            lives.invariants.diskMayFail();
        }
        this.powerFails = chance(0.5);
        this.keeperIsKilled = chance(0.3);
        if (chance(0.2)) {
            faults.refuseToSend(some(0.1));
        }
        if (chance(0.15)) {
            lives.os.forbidTakingFds();
        }
    }

    private Configuration file() {
        return isSpoilt ? scenario.refused() : scenario.configuration();
    }

    /** A probability of at most {@code most}; often none at all. */
    private double some(double most) {
        return chance(0.5) ? 0 : most * random.nextDouble();
    }

    Lives lives() {
        return lives;
    }

    void play() {
        try {
            int count = 5 + random.nextInt(60);
            for (int i = 0; i < count; i++) {
                if (lives.live(chance(0.8) ? soon() : NEVER, this::storm)) {
                    // Killed while it waits, or at its end.
                    lives.dies();
                }
                between();
            }
            faults.cease();
            scenario.calm();
            scenario.nameAll();
            isSpoilt = false;
            if (kind == Scenario.Kind.LADDERED) {
                comesToCalm();
            } else {
                oneMore(this::calm);
            }
            between();
            oneMore(this::staysCalm);
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError(
                    "seed " + seed + ": " + e.getMessage() + "\nto see it again: mvn -q -pl supervisor-core test"
                            + " -Dtest=" + Scenario.testOf("KillTest", kind) + " -Dsim.seed="
                            + seed + "\nhow it came about:\n"
                            + lives.transcript.text(),
                    e);
        }
    }

    /** Half of the kills come during the start. */
    private long soon() {
        return 1 + random.nextInt(chance(0.5) ? 150 : chance(0.7) ? 1_000 : 10_000);
    }

    private void oneMore(java.util.function.Consumer<Life> story) {
        if (!lives.live(NEVER, story)) {
            throw new Violation("promise 12", "a supervisor does not begin though no fault is left");
        }
        lives.dies();
    }

    /** Ladders that were begun are walked to their ends, which may be that of the supervisor or of the boot. */
    private void comesToCalm() {
        for (int i = 0; i < 20; i++) {
            boolean[] isOver = new boolean[1];
            boolean survived = lives.live(NEVER, life -> {
                life.run(Duration.ofMinutes(3));
                isOver[0] = life.isOver();
                if (life.isOver()) {
                    life.end();
                } else {
                    calm(life);
                }
            });
            if (survived) {
                lives.dies();
                feed.ifPresent(FeedWatch::lifeEnds);
            } else if (feed.filter(FeedWatch::wasReset).isEmpty()) {
                throw new Violation("promise 12", "a supervisor does not begin though no fault is left");
            }
            if (survived && !isOver[0]) {
                return;
            }
            between();
        }
        throw new Violation("promise 12", "ladders are walked for ever");
    }

    private void between() {
        feed.ifPresent(FeedWatch::lifeEnds);
        if (feed.filter(FeedWatch::wasReset).isPresent()) {
            feed.get().boots(lives, random.nextLong());
        } else if (powerFails && chance(0.2)) {
            lives.powerCut(random.nextLong());
            feed.ifPresent(FeedWatch::powerFailed);
        } else {
            if (keeperIsKilled && chance(0.2)) {
                lives.world.plan(upToMs(200), lives.os::killKeepers);
            }
            lives.unsupervised(upToMs(chance(0.7) ? 200 : 20_000).plusMillis(50));
        }
        if (feed.filter(FeedWatch::wasReset).isPresent()) {
            // Nobody was there to feed it.
            feed.get().boots(lives, random.nextLong());
        }
        if (chance(0.1)) {
            lives.world.stepWall(Duration.ofMillis(random.nextLong(-86_400_000, 86_400_000)));
        }
    }

    private void storm(Life life) {
        int most = chance(0.5) ? 500 : 5_000;
        int rounds = 1 + random.nextInt(12);
        for (int i = 0; i < rounds && !life.isOver(); i++) {
            life.run(upToMs(most));
            if (!life.isOver()) {
                disturb(life);
            }
        }
        if (life.isOver()) {
            life.end();
        }
    }

    private void disturb(Life life) {
        switch (random.nextInt(20)) {
            case 0 -> life.pause(upToMs(chance(0.1) ? 30_000 : 500));
            case 1 -> life.stepWall(Duration.ofMillis(random.nextLong(-86_400_000, 86_400_000)));
            case 2 -> stepALittle(life);
            case 3 -> life.suspend(upToMs(36_000_000));
            case 4, 5, 6 -> life.ask(act(Verb.START));
            case 7, 8 -> life.ask(act(Verb.STOP));
            case 9, 10 -> life.ask(act(Verb.RESTART));
            case 11 -> life.ask(new Ask.SendSignal(someService(), pick(Signal.KILL, Signal.TERM, Signal.HUP)));
            case 12 -> {
                if (chance(0.3)) {
                    life.terminate();
                    life.run(upToMs(60_000));
                }
            }
            case 13 -> {
                if (chance(0.3)) {
                    life.ask(new Ask.HandOver());
                    life.run(upToMs(10_000));
                }
            }
            case 14, 15 -> {
                if (keeperIsKilled) {
                    lives.world.plan(upToMs(500), lives.os::killKeepers);
                }
            }
            case 16, 17, 18 -> {
                if (kind != Scenario.Kind.PLAIN) {
                    reload(life);
                }
            }
            default -> {}
        }
    }

    /** The file is edited, or not, and read once or more often; the supervisor may be killed before it is. */
    private void reload(Life life) {
        if (chance(0.8)) {
            scenario.edit();
        }
        isSpoilt = chance(0.2);
        if (chance(0.5)) {
            life.hangUp();
        }
        if (chance(0.6)) {
            life.ask(new Ask.Reload(chance(0.2), Optional.empty(), chance(0.5), upToMs(20_000)));
        }
    }

    /** Two of these may undo each other, so there is a look at every heartbeat in between. */
    private void stepALittle(Life life) {
        if (Math.abs(lives.world.nanos() - lastLittleStep) > 35_000_000_000L) {
            lastLittleStep = lives.world.nanos();
            life.stepWall(Duration.ofMillis(random.nextLong(-200, 200)));
        }
    }

    private Ask act(Verb verb) {
        List<ServiceName> services = chance(0.3) ? List.of() : List.of(someService());
        return new Ask.Act(verb, services, chance(0.5), upToMs(20_000));
    }

    private ServiceName someService() {
        List<ServiceName> names = lives.invariants.names();
        return names.get(random.nextInt(names.size()));
    }

    /** What was begun by the storm comes to its end, and then everything is made to run. */
    private void calm(Life life) {
        boolean isPlain = kind == Scenario.Kind.PLAIN;
        life.run(Duration.ofSeconds(isPlain ? 8 : 60));
        life.ask(new Ask.Act(Verb.RESTART, List.of(), true, Duration.ofSeconds(90)));
        life.run(Duration.ofSeconds(isPlain ? 60 : 300));
        lives.invariants.allIsWell();
        lives.invariants.settled();
    }

    /** Whatever runs is adopted and left alone. */
    private void staysCalm(Life life) {
        life.run(Duration.ofSeconds(60));
        lives.invariants.allIsWell();
        life.terminate();
        life.run(kind == Scenario.Kind.PLAIN ? Duration.ofMinutes(5) : Duration.ofHours(1));
        life.end();
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
