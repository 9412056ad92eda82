package io.jsupervise.sim;

import io.jsupervise.lifecycle.Bearer;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.os.Child;
import io.jsupervise.os.Datagram;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.Listener;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.Parcel;
import io.jsupervise.os.Poller;
import io.jsupervise.os.ProcessStat;
import io.jsupervise.os.SpawnException;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.os.WatchdogCall;
import io.jsupervise.os.WatchdogSupport;
import io.jsupervise.spec.Signal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * A machine in memory: one daemon, its children, a disk, two clocks. Behaves as the real one does where the daemon
 * could tell the difference (a contract test that the real one passes is passed by this one), and is strict where the
 * real one is lenient: a descriptor that is used after it was closed ends the test.
 *
 * <p>Which {@link Faults} it produces, and why they can be survived, is written there. At any call the daemon may be
 * killed; then its descriptors are closed, its children belong to init, and whatever it calls while it unwinds does
 * nothing but throw again.
 */
final class SimulatedOs implements Os {
    static final int UID = 1000;

    /** Where a process writes to, in its environment. */
    static final String STDOUT = "SIMULATED_STDOUT";

    /** What makes a process a keeper, in its environment. */
    static final String KEEPER = "JSUPERVISE_KEEPER";

    /** What a process executed last, in its environment. */
    static final String PROGRAM = "SIMULATED_PROGRAM";

    /** How a chain of loaders ends that cannot execute the last program. */
    static final ExitStatus NOT_LOADED = new ExitStatus.Exited(126);

    /** The clock of the file system ticks like this (CONFIG_HZ=250), so an mtime may lie a little in the past. */
    private int looksAtAllProcesses;

    private static final long FILE_TICK_NANOS = 4_000_000;

    final World world;
    final CrashDisk disk;
    final ProcessTable processes;
    private Faults faults;
    private final Map<Integer, OpenFile> files = new TreeMap<>();

    /** What processes were given, by number. */
    private final Map<SimulatedProcess, Map<Integer, OpenFile>> inherited = new HashMap<>();

    private final List<SimulatedPoller> pollers = new ArrayList<>();
    private Programs programs = request -> Program.steady();
    private Observer observer = new Observer() {};
    private boolean pollsWait;
    private boolean pidFdsTell = true;
    private boolean zombiesTell = true;
    private boolean mayTakeFds = true;

    /** The FIFOs that there are, each of which has a name. */
    private final Set<Path> fifos = new TreeSet<>();

    private Optional<SimulatedWatchdog> watchdog = Optional.empty();
    private Optional<Consumer<String>> manager = Optional.empty();
    private Optional<Consumer<Duration>> waiting = Optional.empty();
    private long boot = 1;
    private String bootId = bootId(1);
    private int daemonPid = 200;
    private long killIn = Long.MAX_VALUE;
    private boolean dead;
    private boolean killedNow;
    private boolean wasReset;
    private long calls;

    /** Says what a process does that is about to be spawned. */
    interface Programs {
        Program of(SpawnRequest request) throws SpawnException;

        /** Whether there is a program for this; to be asked any number of times. */
        default void check(SpawnRequest request) throws SpawnException {}
    }

    /** Sees what really happens, whatever the daemon thinks of it. */
    interface Observer {
        /** The daemon asks for a process; it may be refused. */
        default void attempted(SpawnRequest request) {}

        /** It was refused. */
        default void refused(SpawnRequest request) {}

        /** A message with descriptors was refused. */
        default void sendRefused() {}

        /** Somebody who is none of the daemon's kills its keeper. */
        default void keeperKilled(SimulatedProcess keeper) {}

        /** Before the daemon knows. */
        default void spawned(SimulatedProcess process) {}

        /** A main process, or one of its group. */
        default void died(SimulatedProcess process) {}

        /** So many bytes of what {@code process} wrote went into its FIFO. */
        default void wrote(SimulatedProcess process, Path fifo, byte[] bytes, int count) {}

        /** Nobody has the FIFO open any more: the last bytes that were written into it are gone. */
        default void contentLost(Path fifo, int count) {}

        /** The daemon signals {@code process}, or the group that it leads. */
        default void signalled(SimulatedProcess process, Signal signal, boolean wholeGroup) {}
    }

    private static final class OpenFile {
        final Path path;
        final Optional<CrashDisk.Node> node;
        final Optional<SimulatedProcess> process;
        final Optional<Pipe> pipe;
        final boolean append;
        int position;
        boolean locked;
        boolean isWriteEnd;
        Mailbox<OpenFile> sendsTo;
        Mailbox<OpenFile> receivesFrom;
        Deque<Datagram> datagrams;

        private OpenFile(
                Path path,
                Optional<CrashDisk.Node> node,
                Optional<SimulatedProcess> process,
                Optional<Pipe> pipe,
                boolean append) {
            this.path = path;
            this.node = node;
            this.process = process;
            this.pipe = pipe;
            this.append = append;
        }

        boolean isReadable() {
            if (process.isPresent()) {
                return !process.get().isAlive();
            }
            if (datagrams != null) {
                return !datagrams.isEmpty();
            }
            return pipe.isEmpty() || pipe.get().size() > 0 || pipe.get().isAtEnd();
        }

        boolean isReaped() {
            return process.isPresent() && process.get().reaped;
        }

        CrashDisk.Node regular(String call) throws OsException {
            if (node.isEmpty() || pipe.isPresent()) {
                throw new OsException(Errno.EINVAL, call + " " + path);
            }
            if (node.get().kind == FileStat.Kind.DIRECTORY) {
                throw new OsException(Errno.EISDIR, call + " " + path);
            }
            return node.get();
        }
    }

    SimulatedOs(World world) {
        this.world = world;
        this.disk = new CrashDisk();
        this.processes = new ProcessTable(world, this::died, this::ended, this::beat, this::writeLine, this::say);
        this.faults = Faults.none(world);
    }

    // ---- for whoever drives the simulation ----

    void faults(Faults newFaults) {
        faults = newFaults;
    }

    void programs(Programs newPrograms) {
        programs = newPrograms;
    }

    void observer(Observer newObserver) {
        observer = newObserver;
    }

    /** There is a hardware watchdog from now on. */
    void watchdog(SimulatedWatchdog device) throws OsException {
        watchdog = Optional.of(device);
        disk.make(Path.of("/dev"), FileStat.Kind.DIRECTORY, 0755, 0, "mkdir");
        disk.make(SimulatedWatchdog.PATH, FileStat.Kind.DEVICE, 0600, 0, "mknod");
        // Each boot has it.
        disk.fsync(disk.find(Path.of("/")).orElseThrow());
        disk.fsync(disk.find(Path.of("/dev")).orElseThrow());
    }

    /** From now on somebody listens at the address of the service manager, whichever that is. */
    void manager(Consumer<String> listener) {
        manager = Optional.of(listener);
    }

    /** From now on a poll waits as a real one does: it lets time pass. For callers that nobody drives. */
    void letPollsWait() {
        pollsWait = true;
    }

    /** The one that was made first. */
    SimulatedPoller firstPoller() {
        return pollers.get(0);
    }

    /**
     * What the kernel tells of the exit of processes that are not ours.
     *
     * @param ofReaped  whether a pidfd tells it after the reap (kernel 6.15)
     * @param ofZombies whether we may see it before
     */
    void tellForeignExits(boolean ofReaped, boolean ofZombies) {
        pidFdsTell = ofReaped;
        zombiesTell = ofZombies;
    }

    /** From now on descriptors cannot be taken from other processes (kernel.yama.ptrace_scope). */
    void forbidTakingFds() {
        mayTakeFds = false;
    }

    /** Whether somebody who has its pidfd learns how a process ended that was reaped. */
    boolean tellsWhatIsKept() {
        return mayTakeFds && pidFdsTell;
    }

    /** The keepers that live. */
    List<SimulatedProcess> keepers() {
        List<SimulatedProcess> keepers = new ArrayList<>();
        for (SimulatedProcess process : processes.all()) {
            if (process.isAlive() && process.environment.containsKey(KEEPER)) {
                keepers.add(process);
            }
        }
        return keepers;
    }

    /** Each keeper is killed, by nobody of ours. */
    void killKeepers() {
        for (SimulatedProcess keeper : keepers()) {
            observer.keeperKilled(keeper);
            processes.signal(keeper, Signal.KILL);
        }
    }

    /** What waits with keepers that live. */
    Kept kept() {
        Kept kept = new Kept(new HashSet<>(), new HashSet<>(), new ArrayList<>());
        for (SimulatedProcess keeper : keepers()) {
            OpenFile socket = inherited.getOrDefault(keeper, Map.of()).get(2);
            if (socket != null && socket.receivesFrom != null) {
                int letters = 0;
                for (Mailbox.Letter<OpenFile> letter : socket.receivesFrom.letters()) {
                    letters++;
                    for (OpenFile enclosed : letter.enclosed()) {
                        enclosed.process.ifPresent(kept.processes::add);
                        enclosed.node.ifPresent(node -> kept.fifos.add(enclosed.path));
                    }
                }
                kept.lengths.add(letters);
            }
        }
        return kept;
    }

    /** @param lengths how many messages wait in each queue */
    record Kept(Set<SimulatedProcess> processes, Set<Path> fifos, List<Integer> lengths) {}

    /** The FIFOs that the daemon has open. */
    Set<Path> openFifos() {
        Set<Path> open = new TreeSet<>();
        for (OpenFile file : files.values()) {
            if (file.node.isPresent() && file.pipe.isPresent()) {
                open.add(file.path);
            }
        }
        return open;
    }

    /** The one that was made as the {@code index}th; empty where there are not so many yet. */
    Optional<SimulatedPoller> poller(int index) {
        return index < pollers.size() ? Optional.of(pollers.get(index)) : Optional.empty();
    }

    /** From now on calls are made by somebody who may have to wait: {@code time} lets that pass. */
    void callerMayWait(Consumer<Duration> time) {
        waiting = Optional.of(time);
    }

    /** From now on calls are made by the loop, which never waits. */
    void callerNeverWaits() {
        waiting = Optional.empty();
    }

    Optional<Consumer<Duration>> waiting() {
        return waiting;
    }

    /** The daemon is killed at the {@code n}th call from now. */
    void killDaemonIn(long n) {
        killIn = calls + n;
    }

    long calls() {
        return calls;
    }

    /** Somebody comes who is none of the daemon's, under a number that is free. */
    SimulatedProcess stranger(ProcessIdentity identity, Map<String, String> environment) {
        return processes.stranger(identity, environment);
    }

    /** A stranger ends by itself. */
    void leaves(SimulatedProcess stranger) {
        processes.signal(stranger, Signal.KILL);
    }

    /** Closes what a dead daemon had open; another one may begin. */
    void daemonDied() {
        dead = false;
        killIn = Long.MAX_VALUE;
        files.clear();
        watchdog.ifPresent(SimulatedWatchdog::holderDied);
        pollers.clear();
        waiting = Optional.empty();
        daemonPid++;
        processes.orphanAll();
        loseWhatNobodyHas();
    }

    /** What is about to be done by {@link #powerCut} is done by the watchdog. */
    void resetByWatchdog() {
        wasReset = true;
    }

    /** The power fails and comes back; {@link #daemonDied} is part of that. */
    void powerCut(java.util.Random chance) {
        daemonDied();
        processes.clear();
        inherited.clear();
        world.boot();
        watchdog.ifPresent(device -> device.booted(wasReset));
        wasReset = false;
        disk.powerCut(chance);
        boot++;
        bootId = bootId(boot);
    }

    /** The names of open files, for the search for leaks. */
    List<String> openFiles() {
        List<String> open = new ArrayList<>();
        files.values().forEach(file -> open.add(file.path.toString()));
        return open;
    }

    /** Of which processes there is an open pidfd. */
    List<SimulatedProcess> watched() {
        List<SimulatedProcess> watched = new ArrayList<>();
        files.values().forEach(file -> file.process.ifPresent(watched::add));
        return watched;
    }

    /** Each call passes here. */
    private void enter() {
        calls++;
        killedNow = !dead && calls >= killIn;
        if (killedNow) {
            dead = true;
        }
        if (dead) {
            throw new DaemonKilled();
        }
        if (waiting.isPresent()) {
            Duration time = faults.ofWaiting();
            if (!time.isZero()) {
                waiting.get().accept(time);
            }
        }
    }

    private void enterDisk(String call, Object what) throws OsException {
        enter();
        Optional<Errno> fault = faults.ofDisk();
        if (fault.isPresent()) {
            throw new OsException(fault.get(), call + " " + what);
        }
    }

    private void enterReading(String call, Path path) throws OsException {
        enter();
        Optional<Errno> fault = faults.ofReading();
        if (fault.isPresent()) {
            throw new OsException(fault.get(), call + " " + path);
        }
    }

    private long fileNanos() {
        long wall = world.wallNanos();
        return wall - Math.floorMod(wall, FILE_TICK_NANOS);
    }

    private Fd open(OpenFile file) {
        int number = 3;
        while (files.containsKey(number)) {
            number++;
        }
        files.put(number, file);
        return new Fd(number);
    }

    private OpenFile file(Fd fd) {
        OpenFile file = files.get(fd.number());
        if (file == null) {
            throw new AssertionError(fd + " is used though it is not open");
        }
        return file;
    }

    private void changed(OpenFile file) {
        for (Map.Entry<Integer, OpenFile> entry : files.entrySet()) {
            if (entry.getValue() == file
                    || file.pipe.isPresent() && entry.getValue().pipe.equals(file.pipe)) {
                pollers.forEach(poller -> poller.changed(entry.getKey()));
            }
        }
    }

    // ---- what processes do ----

    private void died(SimulatedProcess process) {
        observer.died(process);
        String stdout = process.environment.getOrDefault(STDOUT, "");
        if (!stdout.isEmpty()) {
            loseContentOf(Path.of(stdout));
        }
        if (inherited.remove(process) != null) {
            loseWhatNobodyHas();
        }
        ended(process);
        if (process.isMain && process.hook().equals("stop_command")) {
            stopCommandDone(process);
        }
    }

    /** One that succeeds has asked the main process to end. */
    private void stopCommandDone(SimulatedProcess hook) {
        Optional<SimulatedProcess> main = processes.find(Integer.parseInt(hook.environment.get("JSUPERVISE_PID")));
        boolean succeeded = hook.ended.equals(Optional.of(new ExitStatus.Exited(0)));
        if (succeeded && main.isPresent() && main.get().service().equals(hook.service())) {
            processes.signal(main.get(), Signal.TERM);
        }
    }

    /** Or was reaped. */
    private void ended(SimulatedProcess process) {
        for (Map.Entry<Integer, OpenFile> entry : files.entrySet()) {
            if (entry.getValue().process.isPresent() && entry.getValue().process.get() == process) {
                pollers.forEach(poller -> poller.changed(entry.getKey()));
            }
        }
    }

    private void beat(SimulatedProcess process) {
        String file = process.environment.get("JSUPERVISE_HEARTBEAT");
        if (file != null) {
            try {
                touchNode(Path.of(file));
            } catch (OsException e) {
                throw new AssertionError("a heartbeat file needs its directory: " + e.getMessage(), e);
            }
        }
    }

    /** Without anybody who listens it is lost: a client of sd_notify(3) sends, and does not look back. */
    private void say(SimulatedProcess process, String message) {
        String socket = process.environment.get("NOTIFY_SOCKET");
        if (socket == null) {
            return;
        }
        Optional<CrashDisk.Node> node = disk.find(Path.of(socket));
        for (OpenFile file : List.copyOf(files.values())) {
            if (file.datagrams != null && file.node.equals(node)) {
                file.datagrams.add(new Datagram(
                        process.identity.pid().value(),
                        0,
                        message.getBytes(java.nio.charset.StandardCharsets.UTF_8),
                        List.of()));
                changed(file);
            }
        }
    }

    /** What does not fit is lost: a simulated program does not block on its output. */
    private void writeLine(SimulatedProcess process) {
        String fifo = process.environment.getOrDefault(STDOUT, "");
        if (!fifo.isEmpty()) {
            process.lines++;
            String text = process.program.writes().line().replace("#", Long.toString(process.lines));
            byte[] line = text.getBytes(StandardCharsets.UTF_8);
            Path path = Path.of(fifo);
            observer.wrote(process, path, line, writeInto(path, line, 0, line.length));
        }
    }

    /** A process that is not us writes into a FIFO: how many bytes there was room for. */
    int writeInto(Path fifo, byte[] bytes, int offset, int length) {
        Pipe pipe = disk.find(fifo).orElseThrow().fifo;
        int count = pipe.put(bytes, offset, length);
        for (Map.Entry<Integer, OpenFile> entry : files.entrySet()) {
            if (entry.getValue().pipe.isPresent() && entry.getValue().pipe.get() == pipe) {
                pollers.forEach(poller -> poller.changed(entry.getKey()));
            }
        }
        return count;
    }

    // ---- time and identity ----

    @Override
    public MonotonicTime now() {
        enter();
        return world.now();
    }

    @Override
    public Instant wallClock() {
        enter();
        return world.wall();
    }

    private static String bootId(long boot) {
        return "00000000-0000-4000-8000-" + String.format("%012d", boot);
    }

    /** The boot id, for others than the daemon. */
    String bootNow() {
        return bootId;
    }

    @Override
    public String bootId() {
        enter();
        return bootNow();
    }

    @Override
    public ProcessIdentity self() {
        enter();
        return new ProcessIdentity(new Pid(daemonPid), 1700);
    }

    @Override
    public int uid() {
        return UID;
    }

    // ---- processes ----

    @Override
    public void checkProgram(SpawnRequest request) throws SpawnException {
        enter();
        programs.check(request);
    }

    @Override
    public Child spawn(SpawnRequest request) throws SpawnException {
        enter();
        observer.attempted(request);
        Optional<Errno> fault = faults.ofSpawn();
        if (fault.isPresent()) {
            observer.refused(request);
            throw new SpawnException(fault.get(), request.argv().get(0));
        }
        Program program = programs.of(request);
        Map<String, String> environment = new TreeMap<>(request.environment());
        if (request.stdout() instanceof SpawnRequest.Output.Fifo fifo) {
            environment.put(STDOUT, fifo.path().toString());
        }
        List<String> loaders = request.privileges().loaders();
        boolean ofLoader = !loaders.isEmpty() && program.end().equals(NOT_LOADED);
        String name = request.argv().get(0);
        environment.put(
                PROGRAM, ofLoader ? loaders.get(loaders.size() - 1) : name.substring(name.lastIndexOf('/') + 1));
        SimulatedProcess process = processes.spawn(environment, program);
        inherit(process, 1, request.stdout());
        inherit(process, 2, request.stderr());
        observer.spawned(process);
        return watch(process, true);
    }

    private void inherit(SimulatedProcess process, int number, SpawnRequest.Output output) {
        if (output instanceof SpawnRequest.Output.Descriptor descriptor) {
            inherited.computeIfAbsent(process, key -> new HashMap<>()).put(number, file(descriptor.fd()));
        }
    }

    private Child watch(SimulatedProcess process, boolean ours) {
        Fd pidfd =
                open(new OpenFile(Path.of("pidfd"), Optional.empty(), Optional.of(process), Optional.empty(), false));
        return new Child(process.identity, pidfd, ours);
    }

    private SimulatedProcess process(Child child) {
        return file(child.pidfd())
                .process
                .orElseThrow(() -> new AssertionError(child.pidfd() + " is no pidfd, but " + file(child.pidfd()).path));
    }

    @Override
    public Optional<Child> find(ProcessIdentity identity) {
        enter();
        return processes
                .find(identity.pid().value())
                .filter(process -> process.identity.equals(identity))
                .map(process -> watch(process, false));
    }

    @Override
    public boolean hasEnded(Child child) {
        enter();
        return !process(child).isAlive();
    }

    @Override
    public List<Bearer> bearers(Path fifos) throws OsException {
        enterDisk("list", "/proc");
        List<Bearer> bearers = new ArrayList<>();
        for (SimulatedProcess process : processes.all()) {
            if (process.isAlive() && !process.service().isEmpty()) {
                bearers.add(bearer(process));
            }
        }
        return bearers;
    }

    private Bearer bearer(SimulatedProcess process) {
        return new Bearer(
                process.identity,
                process.group,
                process.session(),
                Duration.ofNanos(world.nanos() - process.bornAt),
                Optional.of(new RunId(process.run())),
                process.service());
    }

    @Override
    public Optional<Bearer> bearer(Pid pid, Path fifos) {
        enter();
        return processes
                .find(pid.value())
                .filter(process -> process.isAlive() && !process.service().isEmpty())
                .map(this::bearer);
    }

    /** How often all processes were listed, which takes long on a machine that has many. */
    int looksAtAllProcesses() {
        return looksAtAllProcesses;
    }

    @Override
    public List<ProcessStat> processes() throws OsException {
        enterDisk("list", "/proc");
        looksAtAllProcesses++;
        List<ProcessStat> all = new ArrayList<>();
        processes.all().forEach(process -> all.add(stat(process)));
        return all;
    }

    @Override
    public Optional<ProcessStat> process(Pid pid) {
        enter();
        return processes.find(pid.value()).map(this::stat);
    }

    private ProcessStat stat(SimulatedProcess process) {
        boolean below = process.maker.isPresent() && process.maker.get().isAlive();
        int parent = below ? process.maker.get().pid() : process.ours ? daemonPid : 1;
        char state = process.isAlive() ? 'S' : 'Z';
        return new ProcessStat(process.identity, parent, process.group, process.session(), state, process.service());
    }

    // ---- orphans ----

    @Override
    public void becomeParentOfOrphans() {
        enter();
    }

    @Override
    public List<Pid> orphans() {
        enter();
        List<Pid> orphans = new ArrayList<>();
        for (SimulatedProcess process : processes.all()) {
            if (process.ours && !process.isMain) {
                orphans.add(process.identity.pid());
            }
        }
        return orphans;
    }

    private SimulatedProcess orphan(Pid pid) {
        return processes
                .find(pid.value())
                .filter(process -> process.ours && !process.isMain)
                .orElseThrow(() -> new AssertionError(pid + " is no orphan of ours"));
    }

    @Override
    public boolean reapOrphan(Pid pid) {
        enter();
        SimulatedProcess process = orphan(pid);
        if (!process.isAlive()) {
            processes.reap(process);
        }
        return process.reaped;
    }

    @Override
    public void signalOrphan(Pid pid, Signal signal) {
        enter();
        SimulatedProcess process = orphan(pid);
        observer.signalled(process, signal, false);
        processes.signal(process, signal);
    }

    @Override
    public Optional<ExitStatus> peekExit(Child child) throws OsException {
        enter();
        SimulatedProcess process = process(child);
        if (!child.ours()) {
            return foreignExit(process);
        }
        if (process.reaped) {
            throw new OsException(Errno.ECHILD, "waitid " + child.pid());
        }
        return process.ended;
    }

    private Optional<ExitStatus> foreignExit(SimulatedProcess process) {
        boolean told = process.reaped ? pidFdsTell : zombiesTell;
        if (process.isAlive() || told) {
            return process.ended;
        }
        return pidFdsTell ? Optional.empty() : Optional.of(new ExitStatus.Unknown());
    }

    @Override
    public Optional<String> programName(Child child) {
        enter();
        SimulatedProcess process = process(child);
        return process.reaped ? Optional.empty() : Optional.ofNullable(process.environment.get(PROGRAM));
    }

    @Override
    public void reap(Child child) throws OsException {
        enter();
        SimulatedProcess process = process(child);
        if (!child.ours() || process.reaped) {
            throw new OsException(Errno.ECHILD, "waitid " + child.pid());
        }
        if (!process.isAlive()) {
            processes.reap(process);
        }
    }

    @Override
    public void release(Child child) {
        close(child.pidfd());
    }

    @Override
    public boolean signal(Child child, Signal signal) {
        enter();
        SimulatedProcess process = process(child);
        observer.signalled(process, signal, false);
        processes.signal(process, signal);
        return !process.reaped;
    }

    @Override
    public boolean signalGroup(Child child, Signal signal) {
        enter();
        List<SimulatedProcess> members = members(process(child));
        observer.signalled(process(child), signal, true);
        members.forEach(member -> processes.signal(member, signal));
        return !members.isEmpty();
    }

    @Override
    public boolean groupExists(Child child) {
        enter();
        return !members(process(child)).isEmpty();
    }

    /** A pidfd names its group for ever, also once the number belongs to somebody else. */
    private List<SimulatedProcess> members(SimulatedProcess leader) {
        List<SimulatedProcess> members = processes.groupOf(leader.pid());
        boolean numberIsOurs = members.isEmpty() || members.get(0).run().equals(leader.run());
        return numberIsOurs ? members : List.of();
    }

    @Override
    public Set<Integer> livingGroups() {
        enter();
        Set<Integer> groups = new HashSet<>();
        for (SimulatedProcess process : processes.all()) {
            if (process.isAlive()) {
                groups.add(process.group);
            }
        }
        return groups;
    }

    // ---- waiting ----

    @Override
    public Poller poller() {
        enter();
        SimulatedPoller poller = new SimulatedPoller(
                fd -> file(new Fd(fd)).isReadable(), fd -> file(new Fd(fd)).isReaped(), this::letTimePass);
        pollers.add(poller);
        return poller;
    }

    private void letTimePass(SimulatedPoller poller) {
        if (pollsWait) {
            long until = poller.deadline().map(MonotonicTime::nanos).orElse(Long.MAX_VALUE);
            while (!poller.hasWork() && world.nanos() < until) {
                world.advanceTo(Math.min(until, world.nextAt()));
            }
        }
    }

    // ---- files ----

    @Override
    public Fd open(Path path, OpenMode mode, int permissions) throws OsException {
        if (mode == OpenMode.READ || mode == OpenMode.DIRECTORY) {
            enterReading("open", path);
        } else {
            enterDisk("open", path);
        }
        Optional<CrashDisk.Node> found = disk.find(path);
        boolean makes = mode == OpenMode.REPLACE || mode == OpenMode.WRITE || mode == OpenMode.APPEND;
        if (found.isEmpty() && !makes) {
            throw new OsException(disk.whyMissing(path), "open " + path);
        }
        CrashDisk.Node node = found.isPresent()
                ? found.get()
                : disk.make(path, FileStat.Kind.REGULAR, permissions & ~022, fileNanos(), "open");
        boolean directory = node.kind == FileStat.Kind.DIRECTORY;
        if (mode == OpenMode.DIRECTORY && !directory) {
            throw new OsException(Errno.ENOTDIR, "open " + path);
        }
        if (directory && makes) {
            throw new OsException(Errno.EISDIR, "open " + path);
        }
        if (mode == OpenMode.REPLACE) {
            disk.truncate(node, 0, fileNanos());
        }
        if (mode == OpenMode.DEVICE && node.fifo != null && !isOpenSomewhere(path, node.fifo)) {
            throw new OsException(Errno.ENXIO, "open " + path);
        }
        if (node.kind == FileStat.Kind.DEVICE) {
            device().open();
        }
        OpenFile file = new OpenFile(
                path, Optional.of(node), Optional.empty(), Optional.ofNullable(node.fifo), mode == OpenMode.APPEND);
        return open(file);
    }

    @Override
    public void close(Fd fd) {
        enter();
        file(fd);
        for (SimulatedPoller poller : pollers) {
            if (poller.watches(fd.number())) {
                throw new AssertionError(fd + " is closed while a poller watches it");
            }
        }
        OpenFile closed = files.remove(fd.number());
        if (isDevice(closed)) {
            device().close();
        }
        if (closed.isWriteEnd && !files.containsValue(closed)) {
            closed.pipe.orElseThrow().closeWriteEnd();
            changed(closed);
        }
        loseContentOf(closed);
        if (closed.receivesFrom != null) {
            loseWhatNobodyHas();
        }
    }

    /** A FIFO that nobody has open any more forgets what is in it. */
    private void loseContentOf(OpenFile closed) {
        if (closed.node.isPresent() && closed.pipe.isPresent()) {
            loseContentOf(closed.path);
        }
    }

    private void loseWhatNobodyHas() {
        fifos.forEach(this::loseContentOf);
    }

    private void loseContentOf(Path path) {
        Optional<CrashDisk.Node> fifo = disk.find(path);
        if (fifo.isPresent() && fifo.get().fifo.size() > 0 && !isOpenSomewhere(path, fifo.get().fifo)) {
            int count = fifo.get().fifo.size();
            fifo.get().fifo.consume(count);
            observer.contentLost(path, count);
        }
    }

    private boolean isOpenSomewhere(Path path, Pipe fifo) {
        for (OpenFile other : files.values()) {
            if (other.pipe.isPresent() && other.pipe.get() == fifo) {
                return true;
            }
        }
        if (isOnItsWay(fifo)) {
            return true;
        }
        for (SimulatedProcess process : processes.all()) {
            if (process.isAlive() && path.toString().equals(process.environment.get(STDOUT))) {
                return true;
            }
        }
        return false;
    }

    /** Whether it waits in a socket that somebody still has. */
    private boolean isOnItsWay(Pipe pipe) {
        for (OpenFile socket : files.values()) {
            if (waitsIn(socket, pipe)) {
                return true;
            }
        }
        for (Map.Entry<SimulatedProcess, Map<Integer, OpenFile>> given : inherited.entrySet()) {
            for (OpenFile socket : given.getValue().values()) {
                if (given.getKey().isAlive() && waitsIn(socket, pipe)) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean waitsIn(OpenFile socket, Pipe pipe) {
        if (socket.receivesFrom != null) {
            for (Mailbox.Letter<OpenFile> letter : socket.receivesFrom.letters()) {
                for (OpenFile enclosed : letter.enclosed()) {
                    if (enclosed.pipe.isPresent() && enclosed.pipe.get() == pipe) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    @Override
    public int read(Fd fd, byte[] buffer, int offset, int length) throws OsException {
        enter();
        OpenFile file = file(fd);
        if (file.pipe.isPresent()) {
            int count = file.pipe.get().peek(buffer, offset, length);
            if (count == 0 && length > 0 && !file.pipe.get().isAtEnd()) {
                throw new OsException(Errno.EAGAIN, "read " + file.path);
            }
            file.pipe.get().consume(count);
            return count;
        }
        int count = copy(file.regular("read"), file.position, buffer, offset, length);
        file.position += count;
        return count;
    }

    private static int copy(CrashDisk.Node node, long position, byte[] buffer, int offset, int length) {
        int count = (int) Math.max(0, Math.min(length, node.size - position));
        System.arraycopy(node.bytes, (int) Math.min(position, node.size), buffer, offset, count);
        return count;
    }

    @Override
    public int readAt(Fd fd, long position, byte[] buffer, int offset, int length) throws OsException {
        enter();
        return copy(file(fd).regular("read"), position, buffer, offset, length);
    }

    @Override
    public int write(Fd fd, byte[] buffer, int offset, int length) throws OsException {
        OpenFile file = file(fd);
        if (isDevice(file)) {
            enter();
            return device().write(buffer, offset, length);
        }
        if (file.pipe.isPresent()) {
            enter();
            int count = file.pipe.get().put(buffer, offset, length);
            if (count == 0 && length > 0) {
                throw new OsException(Errno.EAGAIN, "write " + file.path);
            }
            changed(file);
            return count;
        }
        CrashDisk.Node node = file.regular("write");
        if (file.append) {
            file.position = node.size;
        }
        try {
            enterDisk("write", file.path);
        } catch (DaemonKilled killed) {
            if (killedNow) {
                // A kill takes effect between any two pages; here between any two bytes.
                disk.write(node, file.position, buffer, offset, length / 2, fileNanos());
            }
            throw killed;
        }
        int count = faults.ofWrite(length);
        disk.write(node, file.position, buffer, offset, count, fileNanos());
        file.position += count;
        return count;
    }

    @Override
    public int writeAt(Fd fd, long position, byte[] buffer, int offset, int length) throws OsException {
        OpenFile file = file(fd);
        enterDisk("write", file.path);
        int count = faults.ofWrite(length);
        disk.write(file.regular("write"), (int) position, buffer, offset, count, fileNanos());
        return count;
    }

    @Override
    public void beginSync(Fd fd) {
        // Promises nothing, so it does nothing.
    }

    @Override
    public void fsync(Fd fd) throws OsException {
        OpenFile file = file(fd);
        enterDisk("fsync", file.path);
        disk.fsync(file.node.orElseThrow(() -> new OsException(Errno.EINVAL, "fsync " + file.path)));
    }

    /** Nothing is known here that reading does not take. */
    @Override
    public void fdatasync(Fd fd) throws OsException {
        fsync(fd);
    }

    @Override
    public void truncate(Fd fd, long size) throws OsException {
        OpenFile file = file(fd);
        enterDisk("truncate", file.path);
        disk.truncate(file.regular("truncate"), (int) size, fileNanos());
    }

    @Override
    public boolean lock(Fd fd) {
        enter();
        OpenFile file = file(fd);
        for (OpenFile other : files.values()) {
            if (other != file && other.locked && other.node.equals(file.node)) {
                return false;
            }
        }
        file.locked = true;
        return true;
    }

    @Override
    public FileStat stat(Fd fd) {
        enter();
        return file(fd).node.orElseThrow().stat();
    }

    @Override
    public Optional<FileStat> stat(Path path) {
        enter();
        return disk.find(path).map(CrashDisk.Node::stat);
    }

    /** There are no symbolic links here, and no /proc. */
    @Override
    public Optional<String> readLink(Path path) {
        enter();
        return Optional.empty();
    }

    @Override
    public void exchange(Path one, Path other) throws OsException {
        enterDisk("exchange", one);
        disk.exchange(one, other);
    }

    @Override
    public void rename(Path from, Path to) throws OsException {
        enterDisk("rename", from);
        disk.rename(from, to);
    }

    @Override
    public void unlink(Path path) throws OsException {
        enterDisk("unlink", path);
        disk.unlink(path);
    }

    @Override
    public void rmdir(Path path) throws OsException {
        enterDisk("rmdir", path);
        disk.rmdir(path);
    }

    @Override
    public void mkdir(Path path, int mode) throws OsException {
        enterDisk("mkdir", path);
        Optional<CrashDisk.Node> found = disk.find(path);
        if (found.isPresent() && found.get().kind == FileStat.Kind.DIRECTORY) {
            return;
        }
        disk.make(path, FileStat.Kind.DIRECTORY, mode, fileNanos(), "mkdir");
    }

    @Override
    public void chmod(Path path, int mode) throws OsException {
        enterDisk("chmod", path);
        disk.find(path).orElseThrow(() -> new OsException(Errno.ENOENT, "chmod " + path)).mode = mode;
    }

    @Override
    public void chgrp(Path path, String group) throws OsException {
        enterDisk("chgrp", path);
        throw new OsException(Errno.ENOENT, "group " + group);
    }

    /** The simulated user may do that, as root may. */
    @Override
    public void chown(Path path, int uid, int gid) throws OsException {
        enterDisk("chown", path);
        CrashDisk.Node node = disk.find(path).orElseThrow(() -> new OsException(Errno.ENOENT, "chown " + path));
        node.uid = uid;
        node.gid = gid;
    }

    @Override
    public void setModified(Path path, Instant time) throws OsException {
        enterDisk("touch", path);
        disk.find(path).orElseThrow(() -> new OsException(Errno.ENOENT, "touch " + path)).mtimeNanos =
                time.getEpochSecond() * 1_000_000_000L;
    }

    @Override
    public List<String> list(Path directory) throws OsException {
        enterReading("list", directory);
        CrashDisk.Node node =
                disk.find(directory).orElseThrow(() -> new OsException(Errno.ENOENT, "open " + directory));
        if (node.kind != FileStat.Kind.DIRECTORY) {
            throw new OsException(Errno.ENOTDIR, "open " + directory);
        }
        List<String> names = new ArrayList<>(node.entries.keySet());
        Collections.sort(names);
        return names;
    }

    @Override
    public void touch(Path path) throws OsException {
        enterDisk("touch", path);
        touchNode(path);
    }

    private void touchNode(Path path) throws OsException {
        Optional<CrashDisk.Node> found = disk.find(path);
        if (found.isPresent()) {
            found.get().mtimeNanos = fileNanos();
        } else {
            disk.make(path, FileStat.Kind.REGULAR, 0644, fileNanos(), "touch");
        }
    }

    // ---- pipes ----

    @Override
    public void mkfifo(Path path, int mode) throws OsException {
        enterDisk("mkfifo", path);
        Optional<CrashDisk.Node> found = disk.find(path);
        if (found.isPresent() && found.get().kind == FileStat.Kind.FIFO) {
            return;
        }
        disk.make(path, FileStat.Kind.FIFO, mode & ~022, fileNanos(), "mkfifo");
        fifos.add(path);
    }

    @Override
    public Fd[] pipe() {
        enter();
        Optional<Pipe> pipe = Optional.of(new Pipe(CrashDisk.FIFO_CAPACITY));
        Path name = Path.of("pipe");
        OpenFile writeEnd = new OpenFile(name, Optional.empty(), Optional.empty(), pipe, false);
        writeEnd.isWriteEnd = true;
        return new Fd[] {open(new OpenFile(name, Optional.empty(), Optional.empty(), pipe, false)), open(writeEnd)};
    }

    @Override
    public Fd[] outputPipe() {
        return pipe();
    }

    private Pipe pipeOf(Fd fd, String call) throws OsException {
        return file(fd).pipe.orElseThrow(() -> new OsException(Errno.EBADF, call + " " + fd));
    }

    @Override
    public int setPipeSize(Fd fd, int bytes) {
        enter();
        Optional<Pipe> pipe = file(fd).pipe;
        if (pipe.isEmpty()) {
            return 0;
        }
        pipe.get().resize(Math.max(4096, Integer.highestOneBit(bytes - 1) * 2));
        return pipe.get().capacity();
    }

    @Override
    public int available(Fd fd) throws OsException {
        enter();
        return pipeOf(fd, "ioctl").size();
    }

    @Override
    public long splice(Fd from, Fd to, long offset, long max) throws OsException {
        Pipe pipe = pipeOf(from, "splice");
        OpenFile file = file(to);
        if (pipe.size() == 0) {
            enter();
            return 0;
        }
        enterDisk("splice to", file.path);
        if (file.append) {
            throw new OsException(Errno.EINVAL, "splice to " + file.path);
        }
        CrashDisk.Node node = file.regular("splice to");
        byte[] some = new byte[faults.ofWrite((int) Math.min(max, pipe.size()))];
        int count = pipe.peek(some, 0, some.length);
        disk.write(node, (int) offset, some, 0, count, fileNanos());
        pipe.consume(count);
        return count;
    }

    @Override
    public long tee(Fd from, Fd to, long max) throws OsException {
        enter();
        Pipe source = pipeOf(from, "tee");
        Pipe target = pipeOf(to, "tee");
        byte[] some = new byte[(int) Math.min(max, Math.min(source.size(), target.room()))];
        int count = source.peek(some, 0, some.length);
        target.put(some, 0, count);
        changed(file(to));
        return count;
    }

    // ---- descriptors that are sent ----

    @Override
    public Fd[] socketPair() {
        enter();
        Path name = Path.of("socket");
        OpenFile in = new OpenFile(name, Optional.empty(), Optional.empty(), Optional.empty(), false);
        OpenFile out = new OpenFile(name, Optional.empty(), Optional.empty(), Optional.empty(), false);
        in.sendsTo = new Mailbox<>();
        out.receivesFrom = in.sendsTo;
        return new Fd[] {open(in), open(out)};
    }

    @Override
    public void send(Fd socket, Parcel message) throws OsException {
        enter();
        Mailbox<OpenFile> mailbox = file(socket).sendsTo;
        if (mailbox.isFull() || faults.refusesToSend()) {
            observer.sendRefused();
            throw new OsException(Errno.EAGAIN, "sendmsg " + socket);
        }
        List<OpenFile> enclosed = new ArrayList<>();
        message.descriptors().forEach(fd -> enclosed.add(file(fd)));
        mailbox.add(message.content(), enclosed);
    }

    @Override
    public Optional<Parcel> peek(Fd socket) {
        enter();
        Mailbox.Letter<OpenFile> first = file(socket).receivesFrom.first();
        if (first == null) {
            return Optional.empty();
        }
        List<Fd> descriptors = new ArrayList<>();
        first.enclosed().forEach(enclosed -> descriptors.add(open(enclosed)));
        return Optional.of(new Parcel(first.content(), descriptors));
    }

    @Override
    public boolean discard(Fd socket) {
        enter();
        boolean someWaited = file(socket).receivesFrom.removeFirst();
        loseWhatNobodyHas();
        return someWaited;
    }

    @Override
    public Fd bindDatagrams(Path path) throws OsException {
        enterDisk("bind", path);
        if (disk.find(path).isPresent()) {
            throw new OsException(Errno.EADDRINUSE, "bind " + path);
        }
        CrashDisk.Node node = disk.make(path, FileStat.Kind.SOCKET, 0755, fileNanos(), "bind");
        OpenFile file = new OpenFile(path, Optional.of(node), Optional.empty(), Optional.empty(), false);
        file.datagrams = new ArrayDeque<>();
        return open(file);
    }

    @Override
    public Optional<Datagram> receive(Fd socket, int most) {
        enter();
        Datagram first = file(socket).datagrams.poll();
        if (first == null) {
            return Optional.empty();
        }
        byte[] content = java.util.Arrays.copyOf(first.content(), Math.min(most, first.content().length));
        return Optional.of(new Datagram(first.sender(), first.uid(), content, first.descriptors()));
    }

    @Override
    public Fd takeFd(Child child, int number) throws OsException {
        enter();
        SimulatedProcess process = process(child);
        if (!mayTakeFds) {
            throw new OsException(Errno.EPERM, "pidfd_getfd " + child.pid());
        }
        OpenFile theirs = inherited.getOrDefault(process, Map.of()).get(number);
        if (theirs == null || !process.isAlive()) {
            throw new OsException(theirs == null ? Errno.EBADF : Errno.ESRCH, "pidfd_getfd " + child.pid());
        }
        return open(theirs);
    }

    @Override
    public List<ProcessIdentity> started(String program, String variable, String value) {
        enter();
        List<ProcessIdentity> started = new ArrayList<>();
        for (SimulatedProcess process : processes.all()) {
            if (process.isAlive() && value.equals(process.environment.get(variable))) {
                started.add(process.identity);
            }
        }
        return started;
    }

    // ---- watchdogs ----

    private SimulatedWatchdog device() {
        return watchdog.orElseThrow();
    }

    private static boolean isDevice(OpenFile file) {
        return file.node.isPresent() && file.node.get().kind == FileStat.Kind.DEVICE;
    }

    private SimulatedWatchdog device(Fd fd, String call) throws OsException {
        enter();
        if (!isDevice(file(fd))) {
            throw new OsException(Errno.ENOTTY, call + " " + file(fd).path);
        }
        return device();
    }

    @Override
    public int watchdog(Fd fd, WatchdogCall call, int argument) throws OsException {
        return device(fd, "ioctl WDIOC_" + call).call(call, argument);
    }

    @Override
    public WatchdogSupport watchdogSupport(Fd fd) throws OsException {
        return device(fd, "ioctl WDIOC_GETSUPPORT").support();
    }

    @Override
    public Optional<String> watchdogAttribute(Fd fd, String name) {
        enter();
        boolean known = isDevice(file(fd)) && name.equals("nowayout");
        return known ? Optional.of(device().nowayout()) : Optional.empty();
    }

    @Override
    public void sendTo(String address, byte[] message) throws OsException {
        enter();
        if (manager.isEmpty()) {
            throw new OsException(Errno.ENOENT, "send to " + address);
        }
        manager.get().accept(new String(message, StandardCharsets.UTF_8));
    }

    // ---- control ----

    /** No sockets here: what comes over them is tested where they are real. */
    @Override
    public Listener listen(Path socket, Optional<String> group) throws OsException {
        enter();
        throw new OsException(Errno.ENOSYS, "listen on " + socket);
    }

    @Override
    public boolean isAlive(Pid pid) {
        enter();
        return pid.value() == daemonPid
                || processes.find(pid.value()).filter(SimulatedProcess::isAlive).isPresent();
    }
}
