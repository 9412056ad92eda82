package io.jsupervise.daemon;

import io.jsupervise.config.ConfigException;
import io.jsupervise.control.EventLine;
import io.jsupervise.io.Belongings;
import io.jsupervise.io.EventLog;
import io.jsupervise.io.HeartbeatFiles;
import io.jsupervise.io.JournalFile;
import io.jsupervise.io.Keeper;
import io.jsupervise.io.LogNotice;
import io.jsupervise.io.LogRelay;
import io.jsupervise.io.NotifySockets;
import io.jsupervise.io.ServiceGroups;
import io.jsupervise.io.Spawner;
import io.jsupervise.io.StartNotes;
import io.jsupervise.journal.Recovery;
import io.jsupervise.journal.SupervisorRecord;
import io.jsupervise.lifecycle.Bearer;
import io.jsupervise.lifecycle.Effect;
import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Now;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.os.Child;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.Poller;
import io.jsupervise.os.SpawnException;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.HookKind;
import io.jsupervise.spec.LinePattern;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.Readiness;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import io.jsupervise.spec.SupervisorSpec;
import io.jsupervise.supervision.Answer;
import io.jsupervise.supervision.Ask;
import io.jsupervise.supervision.Asker;
import io.jsupervise.supervision.Identity;
import io.jsupervise.supervision.Order;
import io.jsupervise.supervision.Status;
import io.jsupervise.supervision.Supervisor;
import io.jsupervise.supervision.SupervisorEvent;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * All parts of one supervisor, put together and connected, without a thread: the daemon gives the loop and each actor
 * one, the simulator turns and steps them itself.
 */
public final class Assembly implements Outlets {
    private final Os os;
    private final SupervisorSpec spec;
    private final List<ServiceSpec> services;
    private final Surroundings around;
    private final String version;
    private final Now startedAt;
    private final String bootId;
    private final Inbox inbox;
    private final boolean takesOver;
    private final Optional<MonotonicTime> freshSince;
    private final Recovery.Recovered recovered;
    private final JournalFile journal;
    private final EventLog events;
    private final Spawner spawner;
    private final ServiceGroups groups;
    private final Optional<Keeper> keeper;
    private final boolean firstUse;
    private final HeartbeatFiles heartbeats;
    private final NotifySockets notifySockets;
    private final EventLoop loop;
    private final Supervisor supervisor;
    private final Consumer<OsException> complaints;
    private final StartNotes notes;
    private final AtomicBoolean notesFailed = new AtomicBoolean();
    private final Map<Long, CompletableFuture<Answer>> asked = new ConcurrentHashMap<>();
    private final AtomicLong lastRequest = new AtomicLong();
    private final Optional<SupervisorRecord> before;
    private WatchedBy watchedBy = WatchedBy.nobody();
    private Optional<Wakes> wakes = Optional.empty();
    private boolean journalHasWork;
    private long lastRecord;
    private boolean spawnerHasWork;
    private boolean eventsHaveWork;

    /**
     * What surrounds the parts.
     *
     * @param environment what children inherit
     * @param user        the user that children run as, by name
     * @param stateId     identity of the state directory
     * @param firstUse    whether nobody used the state directory before
     * @param seed        of all random numbers
     * @param slice       how long a turn of the loop goes on with its work, if there is that much
     * @param lookers     runs looks at heartbeat files
     * @param probes      asks services from outside; gives each answer to what it is handed
     * @param outputs     prepares the output of children
     * @param keeper      keeps what the next supervisor needs, should this one be killed
     * @param console     gets a line for each event
     * @param file        where the configuration comes from when it is read again
     * @param readers     runs each reading of it at once, on a thread of its own
     * @param configured  is told on the loop of each configuration that is taken over
     */
    public record Surroundings(
            Map<String, String> environment,
            String user,
            String version,
            String stateId,
            boolean firstUse,
            long seed,
            Duration slice,
            Executor lookers,
            BiConsumer<Effect.AskProbe, Consumer<SupervisorEvent>> probes,
            Spawner.Outputs outputs,
            Optional<Keeper> keeper,
            Consumer<EventLine> console,
            ServicesFile file,
            Executor readers,
            Consumer<Configuration> configured) {}

    /** Wakes the threads of actors that were given work. */
    interface Wakes {
        void journal();

        void expectRecords();

        void spawner();

        void events();

        void keeper();

        /** The first service has asked for a notify socket. */
        void notifySockets();
    }

    /**
     * Reads the journal and connects everything. The directories exist, and the state directory is ours.
     *
     * @throws DaemonException where the journal cannot be read
     */
    public Assembly(Os os, Configuration configuration, Surroundings around) throws DaemonException {
        this(os, configuration, around, UnaryOperator.identity());
    }

    /** @param seen may stand between the loop and us, to see what the core orders */
    Assembly(Os os, Configuration configuration, Surroundings around, UnaryOperator<Outlets> seen)
            throws DaemonException {
        this.os = os;
        this.around = around;
        this.spec = configuration.supervisor();
        this.services = configuration.services();
        this.version = around.version();
        this.startedAt = new Now(os.now(), os.wallClock());
        this.bootId = os.bootId();
        try {
            this.notes = new StartNotes(os, notesFile(spec));
            Poller poller = os.poller();
            this.inbox = new Inbox(poller);
            this.complaints = this::complain;
            Path folder = spec.stateDir().resolve("journal");
            this.journal = new JournalFile(os, folder, bootId, new JournalResults());
            this.events = new EventLog(os, spec.stateDir(), around.console());
            this.keeper = around.keeper();
            this.groups = new ServiceGroups(os, around.stateId(), this::withoutResources);
            Belongings belongings = new Belongings(os, spec);
            this.notifySockets =
                    new NotifySockets(os, spec, belongings, this::said, () -> wakes.ifPresent(Wakes::notifySockets));
            this.spawner = new Spawner(
                    os,
                    around.environment(),
                    around.user(),
                    belongings,
                    notifySockets,
                    Optional.of(groups),
                    withKeeper(around.outputs()),
                    new SpawnResults());
            keeper.ifPresent(kept -> kept.connect(poller, this::keeperIsWanted, this::keeperHasWork));
            this.heartbeats = new HeartbeatFiles(os, spec.heartbeatFile(), around.lookers(), inbox::post, complaints);
            JournalFile.Found found = journal.load();
            this.before = found.supervisor();
            this.firstUse = around.firstUse();
            // Also where the one before us ended in order, or in another boot: one between may have been killed before
            // its first record was in place.
            List<Bearer> bearers = firstUse ? List.of() : bearers(found);
            long life = Recovery.nextLife(found.services(), found.supervisor(), bearers, around.stateId(), startedAt);
            this.recovered = Recovery.recover(
                    services,
                    new Recovery.Before(found.services(), found.supervisor(), bearers),
                    new Recovery.Here(around.stateId(), life, bootId, startedAt, around.seed()));
            boolean died = Recovery.maySomeRun(found.supervisor(), bootId);
            this.freshSince = Recovery.freshSince(found.supervisor(), bootId, startedAt);
            this.takesOver = !firstUse && (died || !recovered.toFind().isEmpty());
            long lastEvent = Math.max(
                    events.lastSeq(),
                    found.supervisor().map(SupervisorRecord::lastEvent).orElse(0L));
            Identity identity = new Identity(
                    os.self(),
                    version,
                    configuration.source(),
                    startedAt,
                    around.stateId(),
                    life,
                    Versions.of(os, version));
            Trees trees = new Trees(os, spec.stateDir().resolve("fifo"), around.stateId(), groups);
            trees.open();
            this.supervisor = new Supervisor(
                    spec, identity, recovered.services(), recovered.retired(), recovered.absent(), lastEvent);
            this.loop = new EventLoop(os, poller, around.slice(), supervisor, inbox, trees, seen.apply(this));
            List<Status.JournalHealth.SetAside> damaged = new ArrayList<>();
            for (JournalFile.SetAside one : found.setAside()) {
                damaged.add(new Status.JournalHealth.SetAside(one.service(), one.as(), one.what()));
            }
            inbox.post(new SupervisorEvent.Began(damaged));
        } catch (OsException e) {
            throw Directories.failure("cannot read the state in " + spec.stateDir(), e);
        }
    }

    private List<Bearer> bearers(JournalFile.Found found) throws OsException {
        List<Bearer> marked = os.bearers(spec.stateDir().resolve("fifo"));
        try {
            return Recovery.withNoted(marked, notes.takeOver(), found.services(), found.supervisor(), bootId);
        } catch (OsException e) {
            notesFailed(e);
            return marked;
        }
    }

    /** Told once: what follows is the same each time. */
    private void notesFailed(OsException why) {
        if (!notesFailed.getAndSet(true)) {
            complain(
                    "cannot note starts in " + notesFile(spec)
                            + "; should this supervisor be killed, a restart in its last moment may stay uncounted",
                    why);
        }
    }

    private static Path notesFile(SupervisorSpec spec) {
        return spec.runtimeDir().resolve("starts");
    }

    /** There is a keeper, and what is written is kept, from before the first start on. */
    private Spawner.Outputs withKeeper(Spawner.Outputs outputs) {
        if (keeper.isEmpty()) {
            return outputs;
        }
        Keeper keeping = keeper.get();
        return new Spawner.Outputs() {
            @Override
            public Spawner.Streams prepare(ServiceName service, LogSpec log) throws OsException {
                keeping.begin();
                return outputs.prepare(service, log);
            }

            @Override
            public void awaitLine(ServiceName service, RunId run, LinePattern pattern) {
                outputs.awaitLine(service, run, pattern);
            }

            @Override
            public void remove(ServiceName service) {
                outputs.remove(service);
            }
        };
    }

    private void keeperIsWanted() {
        spawner.alsoDo(keeper.orElseThrow()::begin);
        wakes.ifPresent(Wakes::spawner);
    }

    private void keeperHasWork() {
        wakes.ifPresent(Wakes::keeper);
    }

    /** Before {@link #findLeftovers} and before logs are opened: goes on with what the supervisor before us kept. */
    public void takeOverFromKeeper() {
        if (keeper.isEmpty() || firstUse) {
            return;
        }
        if (!takesOver) {
            keeper.get().lookLater();
            return;
        }
        try {
            keeper.get().takeOver();
        } catch (OsException e) {
            complain("cannot look for the keeper of the supervisor before", e);
        }
    }

    /**
     * Looks for the processes that an earlier supervisor left; to be called before the first turn.
     *
     * @throws DaemonException where one cannot be looked at
     */
    public void findLeftovers() throws DaemonException {
        for (Recovery.LeftHook left : recovered.hooks()) {
            endHook(left);
        }
        Set<RunId> living = new HashSet<>();
        if (!firstUse) {
            groups.takeOver();
        }
        for (Recovery.Left left : recovered.toFind()) {
            try {
                for (ProcessIdentity ended : left.ended()) {
                    loop.endLeftover(ended);
                }
                Optional<Child> child = left.buried() ? Optional.empty() : os.find(left.process());
                if (child.isEmpty() && keeper.isPresent() && !left.buried()) {
                    child = keeper.get().ended(left.process());
                }
                Optional<ExitStatus> status =
                        child.isPresent() ? os.peekExit(child.get()) : Optional.of(new ExitStatus.Unknown());
                if (status.isPresent()) {
                    // Also where its group can be signalled: some may be of runs after it, which nobody recorded.
                    watchRemains(left);
                }
                if (child.isPresent() && status.isPresent()) {
                    inbox.post(
                            new SupervisorEvent.OfService(
                                    left.service(),
                                    new Event.ChildExited(
                                            left.run(),
                                            status.get(),
                                            os.programName(child.get()),
                                            loop.killedForMemory(left.run(), status.get()))),
                            child.get());
                } else if (child.isPresent()) {
                    living.add(left.run());
                    if (keeper.isPresent()) {
                        keeper.get().hold(child.get());
                    }
                    inbox.post(
                            new SupervisorEvent.OfService(
                                    left.service(), new Event.LeftoverFound(left.run(), left.process())),
                            child.get());
                    hear(left);
                } else {
                    Event known = left.buried()
                            ? new Event.GroupLookedAt(left.run(), false)
                            : new Event.ChildExited(
                                    left.run(),
                                    status.get(),
                                    Optional.empty(),
                                    loop.killedForMemory(left.run(), status.get()));
                    inbox.post(new SupervisorEvent.OfService(left.service(), known));
                }
            } catch (OsException e) {
                // Mostly too few descriptors. Not to know whether it runs would be to start it twice, or never again.
                throw Directories.failure(
                        "cannot take over pid " + left.process().pid() + " of \"" + left.service()
                                + "\", it runs on and nothing was started or stopped",
                        e);
            }
        }
        List<ServiceSpec> known = new ArrayList<>();
        // Also those that the file no longer names: their records remember how they end.
        recovered.services().forEach(service -> known.add(service.spec()));
        groups.endDead(living, known);
    }

    /** Whoever lives says from now on to us how it is. */
    private void hear(Recovery.Left left) {
        for (Service service : recovered.services()) {
            if (service.name().equals(left.service()) && service.spec().isHeard()) {
                try {
                    notifySockets.adopt(service.spec(), left.run(), left.process());
                } catch (OsException e) {
                    complain("cannot hear what \"" + left.service() + "\" says", e);
                }
            }
        }
    }

    /** What is said at notify sockets; a process that is named there is kept as one that was spawned. */
    private void said(SupervisorEvent event, Optional<Child> named) {
        if (named.isPresent() && keeper.isPresent()) {
            keeper.get().hold(named.get());
            keeperHasWork();
        }
        post(event, named);
    }

    /** Services that ask for resources, and are started without. */
    private void withoutResources(ServiceName service, String why) {
        inbox.post(new SupervisorEvent.Noticed(Optional.of(service), "resources-missing", Map.of("reason", why)));
    }

    /**
     * Arms the hardware watchdog and finds the service manager that started us; to be called last before the first turn,
     * since whatever fails between the two would leave a machine to be reset that was doing well.
     *
     * @param environment of this process
     * @throws DaemonException where a hardware watchdog is asked for and cannot be had
     */
    public void beWatched(Map<String, String> environment) throws DaemonException {
        WatchedBy.Begun begun = WatchedBy.begin(
                os,
                spec,
                new WatchedBy.Around(
                        environment,
                        before,
                        bootId,
                        // Whoever lacks a record was refused as we may be, and left nothing behind.
                        before.isPresent() && takesOver || !recovered.toFind().isEmpty(),
                        inbox::post,
                        why -> complain("cannot tell the service manager", why)));
        watchedBy = begun.who();
        supervisor.watchedBy(begun.watchers());
    }

    /** At the end: the device is disarmed, or left to the next supervisor. */
    void endWatch(boolean leavesRunning) {
        if (leavesRunning) {
            watchedBy.leave();
        } else {
            watchedBy.disarm();
        }
    }

    /** Of services; once all has ended and nothing is to run on. */
    void removeGroups() {
        groups.removeAll();
    }

    private void watchRemains(Recovery.Left left) {
        for (ProcessIdentity other : left.others()) {
            loop.watchRemains(left.service(), left.run(), other);
        }
    }

    /** Killed at once, and looked at until nothing of it is there: what it was to do can only then be begun again. */
    private void endHook(Recovery.LeftHook left) throws DaemonException {
        try {
            for (ProcessIdentity process : left.processes()) {
                Optional<Child> child = os.find(process);
                if (child.isPresent()) {
                    os.signal(child.get(), Signal.KILL);
                    os.release(child.get());
                    loop.watchRemains(left.service(), left.run(), process);
                }
            }
        } catch (OsException e) {
            throw Directories.failure(
                    "cannot end a hook of \"" + left.service()
                            + "\" that an earlier supervisor left, nothing was started",
                    e);
        }
        inbox.post(new SupervisorEvent.OfService(left.service(), new Event.GroupLookedAt(left.run(), false)));
    }

    /**
     * What the children of a dead supervisor have written meanwhile is read from where that one had come to; so are the
     * last words of those that ended. To be called before {@link #findLeftovers}.
     */
    public void openLogs(LogRelay relay) {
        awaitLines(relay);
        for (Recovery.Left left : recovered.toFind()) {
            try {
                relay.adopt(left.service(), left.process().pid(), left.log(), left.logBefore());
            } catch (OsException e) {
                cannotOpenLog(left.service(), e);
            }
        }
        for (Service absent : recovered.absent()) {
            try {
                relay.finish(absent.name(), absent.spec().log());
            } catch (OsException e) {
                cannotOpenLog(absent.name(), e);
            }
        }
        if (!takesOver) {
            return;
        }
        for (ServiceSpec service : services) {
            try {
                relay.goOn(service.name(), service.log());
            } catch (OsException e) {
                cannotOpenLog(service.name(), e);
            }
        }
    }

    /** What makes them ready may have been written while nobody was there. */
    private void awaitLines(LogRelay relay) {
        for (Service service : recovered.services()) {
            if (service.state() == ServiceState.STARTING
                    && service.run().isPresent()
                    && service.spec().ready() instanceof Readiness.LogLine line) {
                relay.willAwaitLine(service.name(), service.run().get().id(), line.pattern());
            }
        }
    }

    private void cannotOpenLog(ServiceName service, OsException why) {
        complain("cannot open the log of \"" + service + "\"", why);
    }

    public String version() {
        return version;
    }

    /** It ends by itself when there are only oneshots and all have ended; to be called before the first turn. */
    public void endsWithOneshots() {
        supervisor.endsWithOneshots();
    }

    public EventLoop loop() {
        return loop;
    }

    public Inbox inbox() {
        return inbox;
    }

    public JournalFile journal() {
        return journal;
    }

    public EventLog events() {
        return events;
    }

    void wakes(Wakes threads) {
        wakes = Optional.of(threads);
    }

    /** Asks the core. Any thread; the answer comes on the loop's. */
    public CompletableFuture<Answer> ask(Ask ask, Asker asker) {
        long request = lastRequest.incrementAndGet();
        CompletableFuture<Answer> answer = new CompletableFuture<>();
        asked.put(request, answer);
        inbox.post(new SupervisorEvent.Asked(request, ask, asker));
        return answer;
    }

    /** Something to tell that changes nothing. Any thread. */
    void notice(Optional<ServiceName> service, String event, String name, String text) {
        inbox.post(new SupervisorEvent.Noticed(service, event, Map.of(name, text)));
    }

    /** Any thread. */
    void notice(LogNotice notice) {
        if (notice instanceof LogNotice.LineSeen seen) {
            inbox.post(new SupervisorEvent.OfService(seen.service(), new Event.LineSeen(seen.run())));
            return;
        }
        Map<String, Object> details = new LinkedHashMap<>();
        String event;
        if (notice instanceof LogNotice.CannotWrite cannot) {
            event = "log-failed";
            details.put("file", cannot.file().toString());
            details.put("reason", cannot.reason());
        } else if (notice instanceof LogNotice.Dropping dropping) {
            event = "log-dropping";
            details.put("file", dropping.file().toString());
        } else if (notice instanceof LogNotice.WritesAgain again) {
            event = "log-recovered";
            details.put("file", again.file().toString());
            details.put("dropped_bytes", again.droppedBytes());
        } else if (notice instanceof LogNotice.RemovedToMakeRoom removed) {
            event = "log-removed";
            details.put("file", removed.file().toString());
        } else if (notice instanceof LogNotice.Lost lost) {
            event = "log-lost";
            details.put("file", lost.file().toString());
            details.put("dropped_bytes", lost.droppedBytes());
            details.put("reason", lost.reason());
        } else if (notice instanceof LogNotice.CannotRotate cannot) {
            event = "log-not-rotated";
            details.put("file", cannot.file().toString());
            details.put("reason", cannot.reason());
        } else if (notice instanceof LogNotice.FifoRemains remains) {
            event = "trouble";
            details.put(
                    "what",
                    "cannot remove the FIFO of \"" + remains.service() + "\": " + remains.reason()
                            + "; it is empty, and the next supervisor tries again");
        } else {
            throw new AssertionError(notice);
        }
        inbox.post(new SupervisorEvent.Noticed(Optional.of(notice.service()), event, details));
    }

    // ---- Outlets ----

    @Override
    public Spawner spawner() {
        spawnerHasWork = true;
        return spawner;
    }

    /** The spawner, to be stepped. */
    public Spawner spawnerActor() {
        return spawner;
    }

    @Override
    public HeartbeatFiles heartbeats() {
        return heartbeats;
    }

    @Override
    public NotifySockets notifySockets() {
        return notifySockets;
    }

    @Override
    public void probe(Effect.AskProbe order) {
        around.probes().accept(order, inbox::post);
    }

    @Override
    public void post(SupervisorEvent event, Optional<Child> child) {
        if (child.isPresent()) {
            inbox.post(event, child.get());
        } else {
            inbox.post(event);
        }
    }

    @Override
    public void readConfiguration(Order.ReadConfiguration order) {
        try {
            around.readers().execute(() -> inbox.post(read(order)));
        } catch (RuntimeException | Error e) {
            // No thread could be made (EAGAIN).
            inbox.post(refused(order, "the services file cannot be read: " + e));
        }
    }

    private SupervisorEvent read(Order.ReadConfiguration order) {
        try {
            return new SupervisorEvent.ConfigurationRead(
                    order.reading(), around.file().read(order.file()));
        } catch (ConfigException e) {
            List<String> problems = new ArrayList<>();
            e.problems().forEach(problem -> problems.add(problem.toString()));
            return new SupervisorEvent.ConfigurationRefused(order.reading(), problems);
        } catch (RuntimeException | Error e) {
            // Whatever a file can bring about must not cost more than this reading of it.
            return refused(order, "the services file cannot be read, which is a bug of ours: " + e);
        }
    }

    private static SupervisorEvent refused(Order.ReadConfiguration order, String why) {
        return new SupervisorEvent.ConfigurationRefused(order.reading(), List.of(why));
    }

    @Override
    public void rotateLogs(Order.RotateLogs order) {
        around.outputs().rotate(order.services(), results -> {
            CompletableFuture<Answer> answer = asked.remove(order.request());
            if (answer != null) {
                answer.complete(new Answer.Rotated(results));
            }
        });
    }

    @Override
    public void configured(Configuration configuration) {
        heartbeats.ours(configuration.supervisor().heartbeatFile());
        around.configured().accept(configuration);
    }

    @Override
    public void feedWatchdog() {
        watchedBy.feed();
    }

    @Override
    public void tellManager(String assignments) {
        watchedBy.tell(assignments);
    }

    @Override
    public void expectRecords() {
        wakes.ifPresent(Wakes::expectRecords);
    }

    @Override
    public void record(Order.Record order) {
        journalHasWork = true;
        lastRecord = order.seq();
        journal.submit(order.seq(), order.service());
    }

    @Override
    public void record(Order.RecordSupervisor order) {
        journalHasWork = true;
        journal.submit(
                order.seq(),
                new SupervisorRecord(
                        bootId,
                        version,
                        startedAt.wall(),
                        order.endedInOrder(),
                        order.eventSeq(),
                        freshSince,
                        order.resets()));
    }

    @Override
    public void tell(Order.Tell order) {
        eventsHaveWork = true;
        events.tell(order.happening());
    }

    @Override
    public void reply(Order.Reply order) {
        CompletableFuture<Answer> answer = asked.remove(order.request());
        if (answer != null) {
            answer.complete(order.answer());
        }
    }

    @Override
    public void complain(String what, OsException why) {
        notice(Optional.empty(), "trouble", "what", what + ": " + why.getMessage());
    }

    private void complain(OsException why) {
        complain("cannot touch our heartbeat", why);
    }

    @Override
    public void recordsAreGiven() {
        if (wakes.isPresent() && journalHasWork) {
            journalHasWork = false;
            wakes.get().journal();
        }
    }

    @Override
    public void release(Child child) {
        if (keeper.isPresent()) {
            keeper.get().release(child, lastRecord);
        } else {
            os.release(child);
        }
    }

    @Override
    public void keeperEnded() {
        keeper.orElseThrow().hasEnded();
    }

    /** What was taken over and is of no use goes; to be called when {@link #findLeftovers} is done. */
    public void settleKeeper() {
        keeper.ifPresent(Keeper::settle);
    }

    @Override
    public void endOfTurn() {
        if (wakes.isEmpty()) {
            return;
        }
        recordsAreGiven();
        if (spawnerHasWork) {
            spawnerHasWork = false;
            wakes.get().spawner();
        }
        if (eventsHaveWork) {
            eventsHaveWork = false;
            wakes.get().events();
        }
    }

    /** Whoever still waits for an answer when the loop has ended hears that there will be none. */
    void refuseTheRest() {
        for (CompletableFuture<Answer> answer : asked.values()) {
            answer.complete(new Answer.Refused(Answer.Refused.Reason.SHUTTING_DOWN, "the supervisor has ended"));
        }
    }

    private final class JournalResults implements JournalFile.Results {
        @Override
        public void committed(long seq) {
            keeper.ifPresent(kept -> kept.committed(seq));
            inbox.post(new SupervisorEvent.JournalCommitted(seq));
        }

        @Override
        public void failed(OsException why) {
            inbox.post(new SupervisorEvent.JournalFailed(
                    why.getMessage(), why.errno().name()));
        }
    }

    private final class SpawnResults implements Spawner.Results {
        @Override
        public void spawned(ServiceName service, Event.Spawned event, Child child) {
            if (event.run().isOfHook()) {
                // The next supervisor ends it, and begins anew what it was to do.
                inbox.post(new SupervisorEvent.OfService(service, event), child);
                return;
            }
            try {
                notes.started(service, event.run(), event.process());
            } catch (OsException e) {
                notesFailed(e);
            }
            // Before the loop can release it; the keeper's thread is woken when the restart is done.
            if (keeper.isPresent()) {
                keeper.get().hold(child);
            }
            inbox.post(new SupervisorEvent.OfService(service, event), child);
            keeperHasWork();
        }

        @Override
        public void hookMissing(ServiceName service, HookKind hook, SpawnException why) {
            Map<String, Object> details = new LinkedHashMap<>();
            details.put("hook", hook.word());
            details.put("reason", why.getMessage());
            inbox.post(new SupervisorEvent.Noticed(Optional.of(service), "hook-missing", details));
        }

        @Override
        public void trouble(String what, OsException why) {
            complain(what, why);
        }

        @Override
        public void failed(ServiceName service, Event.SpawnFailed event) {
            inbox.post(new SupervisorEvent.OfService(service, event));
        }
    }
}
