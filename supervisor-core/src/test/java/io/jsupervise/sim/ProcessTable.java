package io.jsupervise.sim;

import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.spec.Signal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * All processes of the simulated machine. Numbers are few, so that they are used again soon: one is free when neither a
 * process nor a group has it (fork(2), setpgid(2)). A process that has ended stays a zombie until its parent reaps it;
 * the daemon that is above an orphan adopts it, or else init, which reaps in time.
 */
final class ProcessTable {
    private static final int FIRST_PID = 300;
    private static final int PIDS = 400;
    static final long TICK_NANOS = 10_000_000;

    private final World world;
    private final Map<Integer, SimulatedProcess> byPid = new TreeMap<>();
    private final Map<Integer, Integer> groupSizes = new HashMap<>();
    private final Map<Integer, Long> freedAt = new HashMap<>();
    private final Consumer<SimulatedProcess> died;
    private final Consumer<SimulatedProcess> wasReaped;
    private final Consumer<SimulatedProcess> beat;
    private final Consumer<SimulatedProcess> write;
    private final BiConsumer<SimulatedProcess, String> say;
    private Duration initTakes = Duration.ZERO;
    private int lastPid = FIRST_PID;

    /**
     * @param died  is told of each death
     * @param wasReaped is told of each reap
     * @param beat  touches the heartbeat file of a process
     * @param write writes the line of a process
     * @param say   sends something to the notify socket of a process
     */
    ProcessTable(
            World world,
            Consumer<SimulatedProcess> died,
            Consumer<SimulatedProcess> wasReaped,
            Consumer<SimulatedProcess> beat,
            Consumer<SimulatedProcess> write,
            BiConsumer<SimulatedProcess, String> say) {
        this.world = world;
        this.died = died;
        this.wasReaped = wasReaped;
        this.beat = beat;
        this.write = write;
        this.say = say;
    }

    Optional<SimulatedProcess> find(int pid) {
        return Optional.ofNullable(byPid.get(pid));
    }

    Collection<SimulatedProcess> all() {
        return byPid.values();
    }

    /** A child of the daemon, leader of its own session and group. */
    SimulatedProcess spawn(Map<String, String> environment, Program program) {
        SimulatedProcess process = add(0, true, environment, program);
        process.ours = true;
        for (int i = 0; i < program.workers().count(); i++) {
            add(process.pid(), false, environment, program).maker = Optional.of(process);
        }
        if (program.strays().count() > 0) {
            world.plan(program.strays().after(), () -> makeStrays(process));
        }
        planLife(process);
        return process;
    }

    private void makeStrays(SimulatedProcess main) {
        for (int i = 0; i < main.program.strays().count() && main.isAlive(); i++) {
            SimulatedProcess stray = add(0, false, main.environment, main.program);
            stray.maker = Optional.of(main);
            stray.isStray = true;
        }
    }

    /** Leads a session of its own, belongs to nobody, and lives for ever. */
    SimulatedProcess stranger(ProcessIdentity identity, Map<String, String> environment) {
        SimulatedProcess stranger = add(identity, 0, true, environment, Program.steady());
        stranger.isStranger = true;
        return stranger;
    }

    /** Whether neither a process nor a group has this number. */
    boolean isFree(int pid) {
        return !byPid.containsKey(pid) && !groupSizes.containsKey(pid);
    }

    private SimulatedProcess add(int group, boolean isMain, Map<String, String> environment, Program program) {
        // Two processes of one number within one tick could not be told apart, on a real machine either.
        ProcessIdentity identity = new ProcessIdentity(new Pid(freePid()), world.nanos() / TICK_NANOS);
        return add(identity, group, isMain, environment, program);
    }

    private SimulatedProcess add(
            ProcessIdentity identity, int group, boolean isMain, Map<String, String> environment, Program program) {
        int pid = identity.pid().value();
        SimulatedProcess process =
                new SimulatedProcess(identity, group == 0 ? pid : group, isMain, environment, program, world.nanos());
        byPid.put(pid, process);
        groupSizes.merge(process.group, 1, Integer::sum);
        return process;
    }

    private int freePid() {
        for (int tried = 0; tried < PIDS; tried++) {
            lastPid = lastPid + 1 == FIRST_PID + PIDS ? FIRST_PID : lastPid + 1;
            long freed = freedAt.getOrDefault(lastPid, Long.MIN_VALUE / 2);
            if (!byPid.containsKey(lastPid)
                    && !groupSizes.containsKey(lastPid)
                    && freed / TICK_NANOS < world.nanos() / TICK_NANOS) {
                return lastPid;
            }
        }
        throw new AssertionError("all " + PIDS + " pids are in use: something does not reap");
    }

    private void planLife(SimulatedProcess process) {
        Program program = process.program;
        if (!program.lives().equals(Program.FOREVER)) {
            world.plan(program.lives(), () -> die(process, program.end()));
        }
        if (!program.beats().first().equals(Program.FOREVER)) {
            world.plan(program.beats().first(), () -> beat(process));
        }
        if (!program.writes().every().equals(Program.FOREVER)) {
            world.plan(program.writes().every(), () -> write(process));
        }
        if (!program.says().first().equals(Program.FOREVER)) {
            world.plan(program.says().first(), () -> say(process, program.says().word()));
        }
    }

    private void say(SimulatedProcess process, String message) {
        Program.Says says = process.program.says();
        boolean hangs = world.nanos() - process.bornAt >= says.hangsAt().toNanos();
        if (process.isAlive() && !hangs) {
            process.lastSaidAt = world.nanos();
            process.said++;
            say.accept(process, message);
            if (!says.every().equals(Program.FOREVER)) {
                world.plan(says.every(), () -> say(process, says.ping()));
            }
        }
    }

    private void beat(SimulatedProcess process) {
        if (process.isAlive() && process.beatsUntil(world.nanos())) {
            process.lastBeatAt = world.nanos();
            process.beats++;
            beat.accept(process);
            world.plan(process.program.beats().every(), () -> beat(process));
        }
    }

    private void write(SimulatedProcess process) {
        if (process.isAlive()) {
            write.accept(process);
            world.plan(process.program.writes().every(), () -> write(process));
        }
    }

    /** Sends a signal; nothing happens to a zombie. */
    void signal(SimulatedProcess process, Signal signal) {
        if (!process.isAlive()) {
            return;
        }
        if (signal.equals(Signal.KILL)) {
            end(process, signal, takesToDie(process));
        } else if (isPolite(signal)) {
            Optional<Duration> takes = process.isMain ? process.program.onTerm() : Optional.empty();
            takes.ifPresent(time -> end(process, signal, time));
        }
    }

    private static Duration takesToDie(SimulatedProcess process) {
        if (process.isMain) {
            return process.program.onKill();
        }
        return process.isStray
                ? process.program.strays().clings()
                : process.program.workers().clings();
    }

    private static boolean isPolite(Signal signal) {
        return signal.equals(Signal.TERM) || signal.equals(Signal.INT) || signal.equals(Signal.QUIT);
    }

    private void end(SimulatedProcess process, Signal signal, Duration takes) {
        if (takes.isZero()) {
            die(process, new ExitStatus.Killed(signal, false));
        } else if (process.fatal.isEmpty()
                || signal.equals(Signal.KILL) && !process.fatal.get().equals(signal)) {
            process.fatal = Optional.of(signal);
            world.plan(takes, () -> die(process, new ExitStatus.Killed(signal, false)));
        }
    }

    private void die(SimulatedProcess process, ExitStatus status) {
        if (!process.isAlive()) {
            return;
        }
        process.ended = Optional.of(status);
        if (process.isMain) {
            orphan(process);
            if (!process.ours) {
                reapAsInitDoes(process);
            }
        } else if (!process.ours) {
            world.plan(process.program.workers().zombieFor(), () -> reap(process));
        }
        died.accept(process);
    }

    /** Their parent is now the daemon, if that was above them, or init. */
    private void orphan(SimulatedProcess main) {
        for (SimulatedProcess process : byPid.values()) {
            if (process.maker.equals(Optional.of(main))) {
                process.ours = main.ours;
            }
        }
        Duration leaves = main.program.workers().leaves();
        if (main.program.workers().count() > 0 && !leaves.equals(Program.FOREVER)) {
            for (SimulatedProcess worker : groupOf(main.pid())) {
                if (!worker.isMain) {
                    world.plan(leaves, () -> die(worker, new ExitStatus.Exited(0)));
                }
            }
        }
    }

    private void reapAsInitDoes(SimulatedProcess process) {
        if (initTakes.isZero()) {
            reap(process);
        } else {
            world.plan(initTakes, () -> reap(process));
        }
    }

    /** How long init takes to reap. */
    void initTakes(Duration time) {
        initTakes = time;
    }

    /** Frees the number. */
    void reap(SimulatedProcess process) {
        if (process.reaped) {
            return;
        }
        process.reaped = true;
        byPid.remove(process.pid());
        freedAt.put(process.pid(), world.nanos());
        if (groupSizes.merge(process.group, -1, Integer::sum) == 0) {
            groupSizes.remove(process.group);
            freedAt.put(process.group, world.nanos());
        }
        wasReaped.accept(process);
    }

    /** Zombies included. */
    List<SimulatedProcess> groupOf(int group) {
        List<SimulatedProcess> members = new ArrayList<>();
        if (groupSizes.containsKey(group)) {
            for (SimulatedProcess process : byPid.values()) {
                if (process.group == group) {
                    members.add(process);
                }
            }
        }
        return members;
    }

    /** The daemon has died: init is the parent now. */
    void orphanAll() {
        for (SimulatedProcess process : List.copyOf(byPid.values())) {
            process.ours = false;
            boolean waits = process.isMain
                    || process.maker.isPresent() && !process.maker.get().isAlive();
            if (waits && !process.isAlive()) {
                reapAsInitDoes(process);
            }
        }
    }

    /** The machine boots. */
    void clear() {
        byPid.clear();
        groupSizes.clear();
        freedAt.clear();
        lastPid = FIRST_PID;
    }
}
