package io.jsupervise.sim;

import io.jsupervise.daemon.DaemonException;
import io.jsupervise.daemon.Outlets;
import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.spec.Configuration;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * A machine on which one supervisor lives after another, each until it is killed, ends or finds that it cannot begin.
 * After a kill its processes live on, and time passes; after a power cut nothing is left but what is on the disk. In
 * the time between, strangers get the numbers of processes that have ended.
 */
final class Lives {
    final World world = new World();
    final SimulatedOs os = new SimulatedOs(world);
    final Transcript transcript;
    final CrashInvariants invariants;
    private final Supplier<Configuration> atStart;
    private final Supplier<Configuration> atReload;
    private final SplittableRandom random;
    private final List<SimulatedProcess> strangers = new ArrayList<>();
    private UnaryOperator<Outlets> saboteur = UnaryOperator.identity();
    private Life life;
    private long kills;
    private long turns;
    private long mostCalls;

    /** @param lines of transcript that are kept */
    Lives(Configuration configuration, SimulatedOs.Programs programs, SplittableRandom random, int lines) {
        this(configuration, () -> configuration, () -> configuration, programs, random, lines);
    }

    /**
     * @param all      names each service that there will ever be
     * @param atStart  what a supervisor reads before it begins
     * @param atReload what one that lives reads
     */
    Lives(
            Configuration all,
            Supplier<Configuration> atStart,
            Supplier<Configuration> atReload,
            SimulatedOs.Programs programs,
            SplittableRandom random,
            int lines) {
        this.atStart = atStart;
        this.atReload = atReload;
        this.random = random;
        this.transcript = new Transcript(world, lines);
        this.invariants = new CrashInvariants(os, all, transcript);
        os.programs(request ->
                request.environment().containsKey(SimulatedOs.KEEPER) ? Program.steady() : programs.of(request));
        os.observer(invariants);
    }

    /** Sees what each supervisor from now on orders, or breaks it. */
    void outlets(UnaryOperator<Outlets> between) {
        saboteur = between;
    }

    /** Supervisors that were killed. */
    long kills() {
        return kills;
    }

    long turns() {
        return turns;
    }

    /** Of the life that made the most system calls. */
    long mostCalls() {
        return mostCalls;
    }

    /**
     * The next supervisor lives.
     *
     * @param killAt the number of the call at which it is killed
     * @param story  what happens in its life; where that comes to its end the supervisor lives on, or has ended
     * @return false where it was killed, or could not begin
     */
    boolean live(long killAt, Consumer<Life> story) {
        os.killDaemonIn(killAt);
        long before = os.calls();
        transcript.add("a supervisor begins");
        Configuration configuration = atStart.get();
        invariants.lifeBegins(configuration);
        try {
            life = new Life(os, transcript, invariants, configuration, atReload, saboteur, true, random.split());
            story.accept(life);
            turns += life.turns();
            mostCalls = Math.max(mostCalls, os.calls() - before);
            return true;
        } catch (DaemonKilled e) {
            transcript.add("the supervisor is killed");
            kills++;
        } catch (DaemonException e) {
            transcript.add("the supervisor does not begin: " + e.getMessage());
        }
        dies();
        return false;
    }

    /** Kills a supervisor that lives on, or clears up after one that has ended. */
    void dies() {
        os.daemonDied();
        invariants.lifeEnds();
    }

    /** Nobody supervises for a while. */
    void unsupervised(Duration time) {
        world.advanceTo(world.nanos() + time.toNanos() / 2);
        strangersCome(world.nanos() / ProcessTable.TICK_NANOS);
        world.advanceTo(world.nanos() + time.toNanos() / 2);
    }

    /** The machine boots anew. */
    void powerCut(long seed) {
        transcript.add("the power fails");
        invariants.powerGoes();
        os.powerCut(new Random(seed));
        strangers.clear();
        strangersCome(-1);
    }

    /**
     * Whoever is recorded and no longer lives leaves its number to somebody else.
     *
     * @param startTime of the strangers; -1 for that of those whose number they get, as in another boot
     */
    private void strangersCome(long startTime) {
        strangers.forEach(os::leaves);
        strangers.clear();
        for (ProcessIdentity recorded : invariants.recordedProcesses()) {
            boolean isOlder = startTime > recorded.startTime() || startTime < 0;
            if (isOlder && os.processes.isFree(recorded.pid().value())) {
                Pid pid = recorded.pid();
                Map<String, String> environment =
                        Map.of("JSUPERVISE_SERVICE", "s0", "JSUPERVISE_RUN_ID", "00000000-0-" + pid.value());
                SimulatedProcess stranger = os.stranger(
                        new ProcessIdentity(pid, startTime < 0 ? recorded.startTime() : startTime), environment);
                strangers.add(stranger);
                invariants.stranger(stranger);
            }
        }
    }
}
