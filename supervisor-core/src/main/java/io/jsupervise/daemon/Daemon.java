package io.jsupervise.daemon;

import io.jsupervise.control.EventLine;
import io.jsupervise.io.Actor;
import io.jsupervise.io.Console;
import io.jsupervise.io.ControlServer;
import io.jsupervise.io.Keeper;
import io.jsupervise.io.LogCompressor;
import io.jsupervise.io.LogRelay;
import io.jsupervise.io.NamedServices;
import io.jsupervise.io.Probes;
import io.jsupervise.io.RuntimeFile;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.Signals;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import io.jsupervise.spec.SupervisorSpec;
import io.jsupervise.supervision.SupervisorEvent;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * A supervisor from its start to its end: the directories, the lock, the parts, their threads, and the loop on the
 * thread that called. Ending in order is only the last transition of the core; whatever is killed before that is picked
 * up from the journal by the next one.
 */
public final class Daemon {
    private static final Duration LAST_WORDS = Duration.ofSeconds(2);
    private static final Duration LAST_ANSWERS = Duration.ofMillis(500);
    /** Events can wait: what they tell of, a restart perhaps, needs the processor first. */
    private static final Duration EVENTS_WAIT = Duration.ofMillis(2);

    /** Until several children make one message; and nothing else does the next supervisor more good than this one's work. */
    private static final Duration KEEPER_WAITS = Duration.ofMillis(5);

    private static final long STACK_BYTES = 256 * 1024;

    private static final long READING_STACK_BYTES = 8 << 20;

    private final Os os;
    private final Configuration configuration;
    private final SupervisorSpec spec;
    private final Assembly assembly;
    private final Keeper keeper;
    private final LogRelay relay;
    private final RelayThread relayThread;
    private final ActorThread journal;
    private final ActorThread spawner;
    private final ActorThread events;
    private final ActorThread keeping;
    private final Probes probes;
    private final ActorThread compressor;
    private final ActorThread console;
    private final Consumer<EventLine> log;
    private final NamedServices named;
    private boolean consoleRuns;
    private boolean compressorRuns;

    /**
     * What the command line adds.
     *
     * @param version of jsupervise
     * @param stay    whether it stays when there are only oneshots and all have ended
     * @param log     gets one line for each event; called on a thread of its own
     * @param file    is read at each reload
     */
    public record Options(String version, boolean stay, Consumer<EventLine> log, ServicesFile file) {}

    /** How a supervisor ended in order. */
    public enum Ending {
        /** Everything is down. */
        DONE,
        /** There were only oneshots, and some of them failed. */
        FAILED,
        /** Services run on, for the next supervisor. */
        HANDED_OVER
    }

    /**
     * Runs until everything was stopped, or left to the next supervisor, as asked; or until all is done where there are
     * only oneshots.
     *
     * @return how it came to its end
     * @throws DaemonException where it cannot begin; nothing has been started then
     */
    public static Ending run(Os os, Signals signals, Configuration configuration, Options options)
            throws DaemonException {
        Directories directories = new Directories(os, configuration.supervisor());
        directories.prepare();
        SplittableRandom random = new SplittableRandom(
                os.wallClock().toEpochMilli() * 31 + os.self().pid().value());
        Directories.State state = directories.lock(random);
        return new Daemon(os, configuration, options, state, random.nextLong()).run(signals);
    }

    private Daemon(Os os, Configuration configuration, Options options, Directories.State state, long seed)
            throws DaemonException {
        this.os = os;
        this.configuration = configuration;
        this.spec = configuration.supervisor();
        this.log = options.log();
        this.named = new NamedServices(configuration);
        Console consoleActor = new Console(new FileOutputStream(FileDescriptor.out), this::wakeConsole);
        LogCompressor compressing = new LogCompressor(this::trouble);
        this.keeper = new Keeper(os, childEnvironment(), state.id(), this::trouble);
        try {
            this.relay = new LogRelay(
                    os,
                    spec.stateDir().resolve("fifo"),
                    Optional.of(consoleActor),
                    longestName(configuration),
                    notice -> assembly().notice(notice),
                    rotation -> {
                        compressing.compress(rotation);
                        compressor().wake();
                    },
                    keeper);
        } catch (OsException e) {
            throw Directories.failure("cannot wait for output", e);
        }
        Lookers lookers = new Lookers(os);
        this.probes = new Probes(os, lookers, this::startProbes);
        Assembly.Surroundings around = new Assembly.Surroundings(
                childEnvironment(),
                System.getProperty("user.name", "unknown"),
                options.version(),
                state.id(),
                state.firstUse(),
                seed,
                EventLoop.SLICE,
                lookers,
                probes::ask,
                relay,
                Optional.of(keeper),
                log,
                options.file(),
                reading -> readingThread(reading).start(),
                this::configured);
        this.assembly = new Assembly(os, configuration, around);
        if (!options.stay()) {
            assembly.endsWithOneshots();
        }
        this.relayThread = new RelayThread(relay, this::failed);
        this.journal = thread("journal", assembly.journal());
        this.spawner = thread("spawner", assembly.spawnerActor());
        this.events = new ActorThread(os, "events", assembly.events(), EVENTS_WAIT, this::failed);
        this.keeping = new ActorThread(os, "keeper", keeper, KEEPER_WAITS, this::failed);
        this.compressor = thread("compressor", compressing);
        this.console = thread("console", consoleActor);
    }

    private ActorThread thread(String name, Actor actor) {
        return new ActorThread(os, name, actor, Duration.ZERO, this::failed);
    }

    private Assembly assembly() {
        return assembly;
    }

    private ActorThread compressor() {
        return compressor;
    }

    private void wakeConsole() {
        console.wake();
    }

    /** What only our own JVM is meant to see stays with us. */
    private static Map<String, String> childEnvironment() {
        Map<String, String> environment = new HashMap<>(System.getenv());
        environment.remove("JSUPERVISE_JAVA");
        environment.remove("NOTIFY_SOCKET");
        environment.remove("WATCHDOG_USEC");
        environment.remove("WATCHDOG_PID");
        return environment;
    }

    private static boolean someCompress(Configuration configuration) {
        for (ServiceSpec service : configuration.services()) {
            if (service.log() instanceof LogSpec.ToFile file && file.compress()) {
                return true;
            }
        }
        return false;
    }

    /** Of those that are shown on the console; 0 where none is. */
    private static int longestName(Configuration configuration) {
        int longest = 0;
        for (ServiceSpec service : configuration.services()) {
            if (service.log() instanceof LogSpec.ToFile file && file.console()) {
                longest = Math.max(longest, service.name().value().length());
            }
        }
        return longest;
    }

    private Ending run(Signals signals) throws DaemonException {
        assembly.wakes(new Threads());
        handle(signals);
        journal.start();
        spawner.start();
        events.start();
        keeping.start();
        relayThread.start();
        startWhatIsNeeded(configuration);
        ControlServer control = listen();
        boolean inOrder = false;
        try {
            assembly.takeOverFromKeeper();
            assembly.openLogs(relay);
            assembly.findLeftovers();
            assembly.settleKeeper();
            new RuntimeFile(os, configuration).write(assembly.version());
            if (Rehearsal.isOfUse()) {
                thread("rehearsal", new Rehearsal(os, spec)).start();
            }
            assembly.beWatched(System.getenv());
            boolean more = true;
            while (more) {
                more = assembly.loop().turn();
            }
            inOrder = true;
            if (assembly.loop().leavesRunning()) {
                return Ending.HANDED_OVER;
            }
            return assembly.loop().failed() ? Ending.FAILED : Ending.DONE;
        } catch (OsException e) {
            throw Directories.failure("cannot write to runtime_dir " + spec.runtimeDir(), e);
        } finally {
            end(control, inOrder);
        }
    }

    /** Threads that only some services need begin when the first of those is there. */
    private void startWhatIsNeeded(Configuration present) {
        if (!consoleRuns && longestName(present) > 0) {
            consoleRuns = true;
            console.start();
        }
        if (!compressorRuns && someCompress(present)) {
            compressorRuns = true;
            compressor.start();
        }
    }

    /** On the loop's thread. */
    private void configured(Configuration present) {
        named.set(present);
        relay.nameWidth(longestName(present));
        startWhatIsNeeded(present);
    }

    /** As deep as the main thread's: what a file holds must not be refused at a reload that was taken at a start. */
    private static Thread readingThread(Runnable reading) {
        Thread thread = new Thread(null, reading, "reload", READING_STACK_BYTES);
        thread.setDaemon(true);
        return thread;
    }

    private ControlServer listen() throws DaemonException {
        try {
            ControlServer server = ControlServer.listen(
                    os,
                    spec,
                    assembly::ask,
                    named,
                    relay::droppedBytes,
                    (event, text) -> assembly.notice(Optional.empty(), event, "what", text),
                    client -> thread("control-client", client).start(),
                    new RuntimeDirectory(os, configuration, named, assembly.version(), assembly.notifySockets()));
            thread("control", server).start();
            return server;
        } catch (OsException e) {
            if (e.errno() == Errno.EADDRINUSE) {
                throw new DaemonException(DaemonException.ALREADY_RUNNING, "cannot supervise: " + e.getMessage());
            }
            throw Directories.failure("cannot open the control socket", e);
        }
    }

    private static Thread thread(String name, Runnable work) {
        Thread thread = new Thread(null, work, name, STACK_BYTES);
        thread.setDaemon(true);
        return thread;
    }

    /** When the first service has a socket, or is asked for the first time: most supervisors need neither. */
    private void startNotifySockets() {
        thread("notify", () -> turnForEver(() -> assembly.notifySockets().turn(Optional.empty())))
                .start();
    }

    private void startProbes() {
        thread("probes", () -> turnForEver(probes::turn)).start();
    }

    /** Something that waits in the kernel for its work. */
    private interface Turn {
        void once() throws IOException;
    }

    private void turnForEver(Turn turn) {
        while (true) {
            try {
                turn.once();
            } catch (IOException | RuntimeException e) {
                failed(e);
                LockSupport.parkNanos(1_000_000_000L);
            }
        }
    }

    private void handle(Signals signals) {
        for (Signal signal : new Signal[] {Signal.TERM, Signal.INT}) {
            signals.handle(signal, () -> assembly.inbox().post(new SupervisorEvent.EndRequested(signal.fullName())));
        }
        signals.handle(Signal.HUP, () -> assembly.inbox().post(new SupervisorEvent.ReloadRequested()));
    }

    /** @param inOrder false where services may still run, though the order was not to leave them */
    private void end(ControlServer control, boolean inOrder) {
        assembly.refuseTheRest();
        relayThread.end(LAST_WORDS, assembly.loop().leavesRunning());
        keeping.end(LAST_WORDS);
        if (inOrder && assembly.loop().leavesRunning()) {
            keeper.leave();
        } else if (inOrder) {
            keeper.end();
            assembly.removeGroups();
        }
        if (inOrder) {
            assembly.endWatch(assembly.loop().leavesRunning());
        }
        compressor.end(Duration.ZERO);
        events.end(LAST_WORDS);
        // After the last events are written: whoever follows them hears how it ended.
        control.close(LAST_ANSWERS);
        console.end(LAST_WORDS);
    }

    private void failed(Throwable failure) {
        trouble("a part failed and goes on: " + failure);
    }

    private void trouble(String what) {
        assembly.notice(Optional.empty(), "trouble", "what", what);
    }

    private final class Threads implements Assembly.Wakes {
        /** On a single one, who looks out for work keeps from working who brings it. */
        private final boolean severalProcessors = Runtime.getRuntime().availableProcessors() > 1;

        @Override
        public void journal() {
            journal.wake();
        }

        @Override
        public void expectRecords() {
            if (severalProcessors) {
                journal.expectWork();
            }
        }

        @Override
        public void spawner() {
            spawner.wake();
        }

        @Override
        public void events() {
            events.wake();
        }

        @Override
        public void keeper() {
            keeping.wake();
        }

        @Override
        public void notifySockets() {
            startNotifySockets();
        }
    }

    /** The relay waits in the kernel, not in a park. */
    private static final class RelayThread {
        private final LogRelay relay;
        private final Consumer<Throwable> failures;
        private final Thread thread = new Thread(null, this::run, "relay", 256 * 1024);
        private volatile boolean ending;
        private volatile boolean leavesRunning;

        RelayThread(LogRelay relay, Consumer<Throwable> failures) {
            this.relay = relay;
            this.failures = failures;
            thread.setDaemon(true);
        }

        void start() {
            thread.start();
        }

        void end(Duration patience, boolean leaveRunning) {
            leavesRunning = leaveRunning;
            ending = true;
            relay.wakeup();
            try {
                thread.join(patience.toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        private void run() {
            while (!ending) {
                try {
                    relay.turn(Optional.<MonotonicTime>empty());
                } catch (RuntimeException e) {
                    failures.accept(e);
                    LockSupport.parkNanos(1_000_000_000L);
                }
            }
            if (leavesRunning) {
                relay.leave();
            } else {
                relay.drain();
            }
        }
    }
}
