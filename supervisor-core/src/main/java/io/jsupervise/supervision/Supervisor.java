package io.jsupervise.supervision;

import io.jsupervise.lifecycle.Effect;
import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.HookState;
import io.jsupervise.lifecycle.Lifecycle;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Now;
import io.jsupervise.lifecycle.Run;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.SpecChange;
import io.jsupervise.lifecycle.Step;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.Dependency;
import io.jsupervise.spec.Rung;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.SupervisorSpec;
import io.jsupervise.supervision.PendingAnswers.Pending;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The core: all services together. {@link #step} takes what has happened and gives the orders that follow; the same
 * events at the same times always give the same orders. It works on its own state in place (a copy of the whole for
 * each of a thousand deaths would cost more than the deaths), so one thread at a time may call it, and there is no
 * way to look at it from outside but to ask.
 */
public final class Supervisor implements SupervisorEvent.Handler<Void> {
    /** How many services are begun with in one step: in a cold JVM it takes about 0.1 ms for each. */
    static final int BEGUN_AT_ONCE = 16;

    private SupervisorSpec spec;
    private final Identity identity;
    private final Map<ServiceName, Service> services = new LinkedHashMap<>();
    private final Set<ServiceName> retired;

    /** What the services file named once: should it come back, so does its history. */
    private final Map<ServiceName, Service> absent = new HashMap<>();

    private final Reloads reloads = new Reloads();
    private final StartSlots slots;
    private StartOrder order;
    private final StopOrder stops = new StopOrder();
    private final GroupRestarts restarts = new GroupRestarts(new Restarting());

    /** Services that have changed in this step and that others may wait for. */
    private final ArrayDeque<ServiceName> changed = new ArrayDeque<>();

    /** Services that have not been begun with, in their order. */
    private final ArrayDeque<ServiceName> toBegin = new ArrayDeque<>();

    /** Those that nothing of the restarts of several services keeps from starting any more. */
    private final ArrayDeque<ServiceName> free = new ArrayDeque<>();

    /** Services that an earlier supervisor left running, as far as we know: nobody has looked yet. */
    private final Set<ServiceName> unseen = new HashSet<>();

    private final JournalGate gate = new JournalGate();
    private final PendingAnswers answers = new PendingAnswers();
    private final long[] timers = new long[SupervisorTimer.values().length];
    private final MonotonicTime[] deadlines = new MonotonicTime[SupervisorTimer.values().length];
    private Status.JournalHealth journal = Status.JournalHealth.OK;
    private Duration longestTurn = Duration.ZERO;
    private long lastTimer;
    private long lastEvent;
    private long lastRun;
    private boolean shuttingDown;
    private boolean hurried;
    private boolean exiting;
    private boolean endsWithOneshots;
    private boolean failed;
    private Optional<HandOver> handOver = Optional.empty();
    private final Escalations escalations = new Escalations(new Escalating());
    private Watchers watchers;

    /** How many services are not down; counted along, since a shutdown asks after each of its many events. */
    private int up;

    private Now now;
    private List<Order> orders = new ArrayList<>();

    /**
     * @param services  in the order of the file
     * @param retired   those of them that the file no longer names: they are forgotten once they are down
     * @param absent    those that were recorded once and neither run nor are named
     * @param lastEvent the number of the last event that an earlier supervisor told of
     */
    public Supervisor(
            SupervisorSpec spec,
            Identity identity,
            Collection<Service> services,
            Set<ServiceName> retired,
            Collection<Service> absent,
            long lastEvent) {
        this.spec = spec;
        this.identity = identity;
        this.slots = new StartSlots(spec.maxParallelStarts());
        this.retired = new HashSet<>(retired);
        absent.forEach(service -> this.absent.put(service.name(), service));
        this.lastEvent = lastEvent;
        this.now = identity.startedAt();
        for (Service service : services) {
            this.services.put(service.name(), service);
            up += isDown(service) ? 0 : 1;
            if (service.run().isPresent()) {
                unseen.add(service.name());
            }
        }
        this.order = new StartOrder(this.services.values());
        watchedBy(Watchers.nobody());
    }

    /**
     * What follows from {@code event}. Events that are impossible in the present state change nothing and are told. Where it
     * is {@link #isUnfinished} then, the rest has to be fetched before the next event.
     */
    public List<Order> step(SupervisorEvent event, Now time) {
        if (isUnfinished()) {
            throw new IllegalStateException("there is more to come of the event before " + event);
        }
        now = time;
        orders = new ArrayList<>();
        if (exiting && handOver.isPresent()) {
            // Handed over: what happens from now on is the next supervisor's to find.
            return orders;
        }
        event.to(this);
        return isUnfinished() ? orders : finish();
    }

    /** Whether more follows from the last event than what was ordered so far: it is too much for one turn of the loop. */
    public boolean isUnfinished() {
        return !toBegin.isEmpty();
    }

    /** More of what follows from the last event. */
    public List<Order> goOn(Now time) {
        now = time;
        orders = new ArrayList<>();
        beginWithSome();
        return isUnfinished() ? orders : finish();
    }

    /** What follows once nothing of one moment is missing. */
    private List<Order> finish() {
        escalations.step();
        followOrder();
        grantSlots();
        endWithOneshots();
        exitWhenDown();
        exitWhenHandedOver();
        watchJournal();
        return orders;
    }

    /**
     * There is nothing to stay for when all that was to be done are oneshots and all have ended. To be called before the
     * first step, where that is not to be so.
     */
    public void endsWithOneshots() {
        endsWithOneshots = true;
    }

    /** Who watches us; to be called before the first step. */
    public void watchedBy(Watchers who) {
        watchers = who;
        watchers.connect(new Watched());
    }

    /** The longest time that one turn of the loop has taken so far, to be shown in the status. */
    public void longestTurn(Duration turn) {
        longestTurn = turn;
    }

    /** Whether loaders are executed in front of the program of this service. */
    public boolean isLoaded(ServiceName name) {
        Service service = services.get(name);
        return service != null && service.spec().isLoaded();
    }

    /** Whether it has a notify socket. */
    public boolean isHeard(ServiceName name) {
        Service service = services.get(name);
        return service != null && service.spec().isHeard();
    }

    // ---- services ----

    @Override
    public Void on(SupervisorEvent.OfService event) {
        boolean deferred = handOver.isPresent() && handOver.get().defer(event);
        if (!deferred && services.containsKey(event.service())) {
            if (tellsOfMain(event.event())) {
                unseen.remove(event.service());
            }
            advance(event.service(), event.event());
            if (hurried && bringsProcess(event.event())) {
                advance(event.service(), new Event.ShutdownHurried());
            }
        }
        return null;
    }

    /** What a hook has left may be looked at before its main process is. */
    private static boolean tellsOfMain(Event event) {
        return event instanceof Event.LeftoverFound
                || event instanceof Event.ChildExited exited && !exited.run().isOfHook();
    }

    /** A process that comes to be known after the hurry is not asked politely either. */
    private static boolean bringsProcess(Event event) {
        return event instanceof Event.Spawned || event instanceof Event.LeftoverFound;
    }

    /** One event of one service, and whatever follows from it within the core. */
    private void advance(ServiceName name, Event event) {
        Service service = stepOnce(name, event);
        Optional<RunId> unwanted = findUnwanted(service);
        if (unwanted.isPresent() && gate.withdrawSpawn(name)) {
            RunId run = unwanted.get();
            service = stepOnce(name, new Event.SpawnFailed(run, "it was stopped before it was spawned"));
        }
        if (service.state() != ServiceState.WAITING) {
            slots.leaveQueue(name);
        }
        if (!isGettingReady(service)) {
            slots.leave(name);
        }
        if (order.knows(name)) {
            if (service.state() != ServiceState.WAITING) {
                order.waitsNoMore(name);
            }
            changed.add(name);
        } else if (restarts.knows(service)) {
            changed.add(name);
        }
        if (!answers.isEmpty()) {
            answers.changed(service).forEach(this::answer);
        }
        if (!retired.isEmpty() && isDown(service) && !service.hooks().alerts().areUnderWay() && retired.remove(name)) {
            absent.put(name, services.remove(name));
            orders.add(new Order.ForService(new Effect.Forget(name)));
            stops.gone(name, order).forEach(this::stopNow);
            restarts.gone(name);
        }
    }

    private static boolean isGettingReady(Service service) {
        return service.state() == ServiceState.STARTING
                || service.state() == ServiceState.RUNNING && service.spec().isOneshot();
    }

    /** Whoever waited for one that has changed may start by now, or has to know that it waits in vain. */
    private void followOrder() {
        while (!changed.isEmpty() || !free.isEmpty()) {
            if (changed.isEmpty()) {
                startIfItWaits(free.poll());
            } else {
                follow(changed.poll());
            }
        }
    }

    private void follow(ServiceName name) {
        Service service = services.get(name);
        if (service == null || unseen.contains(name)) {
            return;
        }
        if (!stops.isEmpty()) {
            followStops(service);
        }
        restarts.changed(service);
        StartOrder.Changed others = order.changed(service);
        for (ServiceName dependent : others.nearer()) {
            List<String> rest = order.waitsFor(dependent);
            Service waiting = services.get(dependent);
            advance(dependent, rest.isEmpty() ? mayStart(waiting) : new Event.StartPostponed(rest));
        }
        for (ServiceName dependent : others.farther()) {
            List<String> rest = order.waitsFor(dependent);
            advance(dependent, new Event.StartPostponed(rest));
            tell(Optional.of(dependent), "waiting", Map.of("for", String.join(", ", rest)));
        }
        startWhatIsNeededBy(name);
    }

    private void startIfItWaits(ServiceName name) {
        Service service = services.get(name);
        boolean may = service != null
                && service.state() == ServiceState.WAITING
                && service.run().isEmpty()
                && service.isCleared();
        if (may) {
            advance(name, mayStart(service));
        }
    }

    /** Whoever waited with its end for one that is down may end by now; one that ended before its turn need not wait. */
    private void followStops(Service service) {
        if (!stops.holds(service.name())) {
            if (isDown(service)) {
                stops.gone(service.name(), order).forEach(this::stopNow);
            }
        } else if (!hasToBeAsked(service) && !isDown(service)) {
            stops.release(service.name());
            stopNow(service.name());
        }
    }

    private void stopNow(ServiceName name) {
        if (shuttingDown) {
            advance(name, new Event.ShutdownBegun());
        } else {
            advance(name, retired.contains(name) ? new Event.Removed() : new Event.StopAsked());
        }
    }

    /** Only what has a process to be asked can wait with its end; all else must not get one. */
    private static boolean hasToBeAsked(Service service) {
        return service.process().isPresent()
                && (service.state() == ServiceState.STARTING || service.state() == ServiceState.RUNNING);
    }

    /** All of {@code names} are to stop, those that depend on others of them first. */
    private void stopInOrder(List<ServiceName> names) {
        List<ServiceName> known = new ArrayList<>();
        for (ServiceName name : names) {
            // One that is removed may be gone by now.
            if (order.knows(name) && services.containsKey(name)) {
                known.add(name);
            }
        }
        stops.add(known, order);
        for (ServiceName name : names) {
            if (!services.containsKey(name)) {
                // Removed, and gone with the end of one before it.
                continue;
            }
            // One that is down already, a migration perhaps, still links those before it to those behind it.
            if (stops.holds(name) && (hasToBeAsked(services.get(name)) || isDown(services.get(name)))) {
                // Of what is removed the file tells it as well.
                if (!shuttingDown && !retired.contains(name)) {
                    advance(name, new Event.StopQueued());
                }
            } else {
                stops.release(name);
                stopNow(name);
            }
        }
    }

    /** None of these is to stop any more; others that have waited with their ends for these alone end now. */
    private void noLongerStops(List<ServiceName> names) {
        if (stops.isEmpty()) {
            return;
        }
        Set<ServiceName> stay = new HashSet<>(names);
        for (ServiceName name : names) {
            for (ServiceName free : stops.gone(name, order)) {
                if (!stay.contains(free)) {
                    stopNow(free);
                }
            }
        }
    }

    /** Whoever waits has those started that nobody wanted by now; what an operator stopped stays stopped. */
    private void startWhatIsNeededBy(ServiceName name) {
        if (order.waitsFor(name).isEmpty()) {
            return;
        }
        for (ServiceName needed : order.neededBy(name)) {
            Service service = services.get(needed);
            if (service != null
                    && service.state() == ServiceState.STOPPED
                    && service.wanted() == Wanted.DOWN
                    && !service.commanded()) {
                advance(needed, new Event.StartAsked());
            }
        }
    }

    private Optional<Service> seen(ServiceName name) {
        return unseen.contains(name) ? Optional.empty() : Optional.ofNullable(services.get(name));
    }

    /** A process that was ordered, is not known to be there, and is not wanted any more: a hook, or the main process. */
    private static Optional<RunId> findUnwanted(Service service) {
        if (service.hooks().running().isPresent()) {
            HookState.Hook hook = service.hooks().running().get();
            boolean unwanted = hook.process().isEmpty() && hook.doomed().isPresent();
            return unwanted ? Optional.of(hook.id()) : Optional.empty();
        }
        boolean unwanted = isAboutToSpawn(service) && service.state() == ServiceState.STOPPING;
        return unwanted ? service.run().map(Run::id) : Optional.empty();
    }

    private static boolean isAboutToSpawn(Service service) {
        return service.run().isPresent()
                && service.process().isEmpty()
                && service.hooks().running().isEmpty();
    }

    /** Asks the lifecycle, and answers at once where it asks back whether the service may start. */
    private Service stepOnce(ServiceName name, Event first) {
        Service service = services.get(name);
        boolean wasDown = isDown(service);
        Optional<Event> next = Optional.of(first);
        while (next.isPresent()) {
            Step step = Lifecycle.step(service, next.get(), now);
            next = Optional.empty();
            service = step.service();
            if (step.complaint().isPresent()) {
                tell(
                        Optional.of(name),
                        "ignored",
                        Map.of("what", step.complaint().get()));
            }
            for (Effect effect : step.effects()) {
                if (effect instanceof Effect.AskToStart) {
                    next = Optional.of(mayStart(service));
                } else {
                    carryOut(effect);
                }
            }
        }
        services.put(name, service);
        up += (wasDown ? 1 : 0) - (isDown(service) ? 1 : 0);
        return service;
    }

    private Event mayStart(Service service) {
        ServiceName name = service.name();
        if (handOver.isPresent()) {
            handOver.get().postpone(name);
            return new Event.StartPostponed("the next supervisor");
        }
        List<String> waitsFor = restarts.isEmpty() ? waitsFor(service) : waitsForOthers(service);
        if (!waitsFor.isEmpty()) {
            slots.leaveQueue(name);
            return new Event.StartPostponed(waitsFor);
        }
        if (slots.take(name, now.mono())) {
            return new Event.StartPermitted(nextRun());
        }
        return new Event.StartPostponed("a start slot");
    }

    private List<String> waitsFor(Service service) {
        boolean isRestart = service.next().isPresent();
        return isRestart || !order.knows(service.name()) ? List.of() : order.wait(service.name(), this::seen);
    }

    /** Where some are restarted together, maybe this one. */
    private List<String> waitsForOthers(Service service) {
        ServiceName name = service.name();
        List<String> waitsFor = restarts.wait(name);
        if (!waitsFor.isEmpty()) {
            order.waitsNoMore(name);
            return waitsFor;
        }
        Optional<Set<ServiceName>> company = restarts.companyOf(name);
        return company.isPresent() ? order.wait(name, this::seen, company) : waitsFor(service);
    }

    /** What restarts of several services need of the core. */
    private final class Restarting implements GroupRestarts.Core {
        @Override
        public Optional<Service> find(ServiceName name) {
            return Optional.ofNullable(services.get(name));
        }

        @Override
        public Collection<Service> services() {
            return services.values();
        }

        @Override
        public boolean isSeen(ServiceName name) {
            return !unseen.contains(name);
        }

        @Override
        public StartOrder order() {
            return order;
        }

        @Override
        public void advance(ServiceName name, Event event) {
            Supervisor.this.advance(name, event);
        }

        @Override
        public void tryToStart(ServiceName name) {
            free.add(name);
        }

        @Override
        public boolean isLeaving() {
            return shuttingDown || handOver.isPresent();
        }

        @Override
        public void told(Optional<ServiceName> root, String event, Map<String, Object> details) {
            Supervisor.this.tell(root, event, details);
        }
    }

    private RunId nextRun() {
        return RunId.of(identity.stateId(), identity.life(), ++lastRun);
    }

    private void carryOut(Effect effect) {
        if (effect instanceof Effect.Persist persist) {
            orders.add(new Order.Record(gate.next(persist.service(), now.mono()), persist.record()));
        } else if (effect instanceof Effect.Announce announce) {
            tell(new Happening(
                    ++lastEvent,
                    now.wall(),
                    Optional.of(announce.service()),
                    announce.event(),
                    announce.from(),
                    announce.to(),
                    announce.details()));
        } else if (effect instanceof Effect.Escalate escalate) {
            escalations.ordered(escalate);
        } else if (effect instanceof Effect.Spawn
                || effect instanceof Effect.LookAtTree
                || effect instanceof Effect.SendSignal) {
            gate.pass(gate.needs(effect.service()), new Order.ForService(effect), orders);
        } else {
            orders.add(new Order.ForService(effect));
        }
    }

    /**
     * After everything else of a step: who was told to stop by then shall not get a slot first. What one depends on may have
     * gone while it stood in the queue; then it waits for that again, and the next one gets the slot.
     */
    private void grantSlots() {
        if (slots.areUnlimited() || shuttingDown || handOver.isPresent()) {
            return;
        }
        slots.expire(now.mono());
        List<ServiceName> turn = slots.next();
        while (!turn.isEmpty()) {
            for (ServiceName name : turn) {
                advance(name, mayStart(services.get(name)));
            }
            turn = slots.next();
        }
        followOrder();
        armAt(SupervisorTimer.SLOT, slots.deadline());
    }

    // ---- the supervisor itself ----

    @Override
    public Void on(SupervisorEvent.Began event) {
        Map<String, Object> details = new LinkedHashMap<>(identity.details());
        details.put("services", (long) services.size());
        tell(Optional.empty(), "supervisor-started", details);
        event.damaged().forEach(this::isDamaged);
        watchers.begin(now);
        orders.add(new Order.RecordSupervisor(gate.next(now.mono()), false, lastEvent, watchers.memory()));
        touchHeartbeat();
        endsWithOneshots &= hasOnlyOneshots();
        restarts.begin();
        toBegin.addAll(services.keySet());
        beginWithSome();
        return null;
    }

    private void beginWithSome() {
        for (int i = 0; i < BEGUN_AT_ONCE && !toBegin.isEmpty(); i++) {
            advance(toBegin.poll(), new Event.SupervisorStarted());
        }
        if (toBegin.isEmpty()) {
            watchers.ready(identity.process());
        }
    }

    private void touchHeartbeat() {
        orders.add(new Order.TouchHeartbeat());
        armAt(SupervisorTimer.HEARTBEAT, Optional.of(now.mono().plus(spec.heartbeatInterval())));
        watchers.showStatus();
    }

    /** What those who watch us need of the core. */
    private final class Watched implements Watchers.Core {
        @Override
        public void order(Order order) {
            orders.add(order);
        }

        @Override
        public void tell(String event, Map<String, Object> details) {
            Supervisor.this.tell(new Happening(
                    ++lastEvent, now.wall(), Optional.empty(), event, Optional.empty(), Optional.empty(), details));
        }

        @Override
        public void wakeAt(MonotonicTime time) {
            armAt(SupervisorTimer.WATCHDOG, Optional.of(time));
        }

        @Override
        public long record() {
            long seq = gate.next(now.mono());
            orders.add(new Order.RecordSupervisor(seq, false, lastEvent, watchers.memory()));
            return seq;
        }

        @Override
        public boolean isSettled(long record) {
            return gate.isStale() || gate.has(record);
        }

        @Override
        public Collection<Service> services() {
            return services.values();
        }

        @Override
        public boolean isLeaving() {
            return shuttingDown || handOver.isPresent();
        }
    }

    /** What it takes to do what ladders ask for. */
    private final class Escalating implements Escalations.Core {
        @Override
        public Optional<Service> find(ServiceName name) {
            return Optional.ofNullable(services.get(name));
        }

        @Override
        public boolean isRecorded(ServiceName name) {
            return gate.isStale() || gate.has(gate.needs(name));
        }

        @Override
        public boolean isLeaving() {
            return shuttingDown || handOver.isPresent();
        }

        @Override
        public Collection<ServiceName> restartOthers(Service service, Rung rung) {
            String why = "the ladder of \"" + service.name() + "\": "
                    + service.history().climb().why();
            MonotonicTime since = service.since().mono();
            if (rung instanceof Rung.RestartGroup) {
                return restarts.restartGroup(service, since, why);
            }
            return restarts.restartDependents(service.name(), since, why);
        }

        @Override
        public void shutDown(ServiceName name) {
            failed = true;
            Supervisor.this.shutDown("the ladder of \"" + name + "\"");
        }

        @Override
        public boolean mayReset() {
            return watchers.mayReset();
        }

        @Override
        public void done(ServiceName name, RunId after) {
            advance(name, new Event.RungTaken(after));
        }

        @Override
        public void tell(ServiceName name, String event, Map<String, Object> details) {
            Supervisor.this.tell(Optional.of(name), event, details);
        }
    }

    @Override
    public Void on(SupervisorEvent.WatchdogReported event) {
        watchers.reported(event.report());
        return null;
    }

    @Override
    public Void on(SupervisorEvent.EndRequested event) {
        if (handOver.isPresent()) {
            stay(event.signal() + " came, so everything is stopped");
        }
        if (shuttingDown) {
            tell(Optional.empty(), "shutdown-hurried", Map.of("by", event.signal()));
            hurried = true;
            stops.releaseAll().forEach(this::stopNow);
            everyService(new Event.ShutdownHurried());
        } else {
            shutDown(event.signal());
        }
        return null;
    }

    private void shutDown(String by) {
        shuttingDown = true;
        watchers.stopping();
        restarts.clear();
        tell(Optional.empty(), "shutdown-begun", Map.of("by", by));
        stopInOrder(List.copyOf(services.keySet()));
    }

    private void everyService(Event event) {
        for (ServiceName name : List.copyOf(services.keySet())) {
            advance(name, event);
        }
    }

    // ---- another services file ----

    @Override
    public Void on(SupervisorEvent.ReloadRequested event) {
        if (shuttingDown || handOver.isPresent()) {
            reloadRefused("SIGHUP", List.of(leaving()));
        } else {
            reloads.signalled("SIGHUP").ifPresent(this::beginReading);
        }
        return null;
    }

    private void reload(SupervisorEvent.Asked event, Ask.Reload ask) {
        if (!ask.dryRun()) {
            told(event, "reload", List.of());
        }
        String asker = "uid " + event.asker().uid();
        reloads.asked(new Reloads.Waiter(event.request(), ask, asker)).ifPresent(this::beginReading);
    }

    private void beginReading(Reloads.Reading reading) {
        Optional<String> obstacle = reloads.obstacle();
        if (obstacle.isPresent()) {
            refuseReload(reading, Answer.Refused.Reason.FAILED, List.of(unread(reading, obstacle.get())));
            readNext(reading);
        } else {
            if (!reading.dry) {
                watchers.reloading(now.mono());
            }
            orders.add(reloads.begin(reading, now.mono()));
            armAt(SupervisorTimer.READING, reloads.deadline());
        }
    }

    private void giveUpReadings() {
        for (Reloads.Reading reading : reloads.overdue(now.mono())) {
            String why = "nothing has come of it, or of what it includes, within " + Reloads.PATIENCE.toSeconds()
                    + " s, as of a FIFO that nobody writes to or a file system that does not answer";
            refuseReload(reading, Answer.Refused.Reason.FAILED, List.of(unread(reading, why)));
            readNext(reading);
        }
        armAt(SupervisorTimer.READING, reloads.deadline());
    }

    private String unread(Reloads.Reading reading, String why) {
        return "cannot read " + reading.file.orElse(identity.config()) + ": " + why
                + "; nothing was changed, reload again when it can be read";
    }

    private String leaving() {
        return shuttingDown ? "the supervisor is shutting down" : "the supervisor hands over to the next one";
    }

    @Override
    public Void on(SupervisorEvent.ConfigurationRead event) {
        reloads.done(event.reading()).ifPresent(reading -> read(reading, event.configuration()));
        return null;
    }

    private void read(Reloads.Reading reading, Configuration next) {
        Optional<String> obstacle = ReloadDiff.obstacle(spec, next.supervisor());
        if (shuttingDown || handOver.isPresent()) {
            refuseReload(reading, Answer.Refused.Reason.SHUTTING_DOWN, List.of(leaving()));
        } else if (obstacle.isPresent()) {
            refuseReload(
                    reading, Answer.Refused.Reason.BAD_CONFIGURATION, List.of(next.source() + ": " + obstacle.get()));
        } else {
            ReloadDiff diff = ReloadDiff.of(named(), spec, next);
            if (reading.dry) {
                for (Reloads.Waiter waiter : reading.waiters) {
                    Answer answer = new Answer.Reloaded(diff, true, List.of(), true);
                    orders.add(new Order.Reply(waiter.request(), answer));
                }
            } else {
                apply(next, diff, reading);
            }
        }
        readNext(reading);
    }

    @Override
    public Void on(SupervisorEvent.ConfigurationRefused event) {
        Optional<Reloads.Reading> reading = reloads.done(event.reading());
        if (reading.isPresent()) {
            refuseReload(reading.get(), Answer.Refused.Reason.BAD_CONFIGURATION, event.problems());
            readNext(reading.get());
        }
        return null;
    }

    private void readNext(Reloads.Reading last) {
        if (!last.dry) {
            watchers.reloaded(identity.process());
            reloads.next().ifPresent(this::beginReading);
        }
    }

    /** Nothing has changed. */
    private void refuseReload(Reloads.Reading reading, Answer.Refused.Reason reason, List<String> problems) {
        if (!reading.dry) {
            reloadRefused(reading.askers(), problems);
        }
        for (Reloads.Waiter waiter : reading.waiters) {
            refuse(waiter.request(), reason, String.join("\n", problems));
        }
    }

    private void reloadRefused(String by, List<String> problems) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("by", by);
        details.put("problems", problems);
        tell(Optional.empty(), "reload-refused", details);
    }

    /** What the services file named until now. */
    private List<Service> named() {
        List<Service> named = new ArrayList<>();
        for (ServiceName name : present()) {
            named.add(services.get(name));
        }
        return named;
    }

    /**
     * In one turn: what is removed first, since it may hold what others want, then what is there, then what is new. Each
     * of them goes on by itself from there. Nothing of this needs a record of its own: were we killed in the middle, the
     * next supervisor reads the same file.
     */
    private void apply(Configuration next, ReloadDiff diff, Reloads.Reading reading) {
        tell(Optional.empty(), "reloaded", ReloadText.details(diff, reading.askers()));
        boolean sooner = next.supervisor().heartbeatInterval().compareTo(spec.heartbeatInterval()) < 0;
        spec = ReloadDiff.taken(spec, next.supervisor());
        slots.limit(spec.maxParallelStarts());
        orders.add(new Order.Configured(next));
        if (sooner || diff.supervisor().contains("heartbeat.file")) {
            touchHeartbeat();
        }
        Map<ServiceName, Optional<RunId>> before = new HashMap<>();
        for (Service service : services.values()) {
            before.put(service.name(), service.run().map(Run::id));
        }
        retired.addAll(diff.removed());
        List<ServiceName> waiting = followFile(next);
        stopInOrder(diff.removed());
        for (ServiceSpec one : next.services()) {
            if (services.containsKey(one.name()) && !retired.contains(one.name())) {
                change(one);
            }
        }
        Set<ServiceName> added = new HashSet<>(diff.added());
        for (ServiceSpec one : next.services()) {
            if (added.contains(one.name())) {
                add(one);
            }
        }
        sortAs(next);
        endsWithOneshots &= hasOnlyOneshots();
        for (ServiceName name : waiting) {
            Service service = services.get(name);
            if (service != null && service.state() == ServiceState.WAITING) {
                advance(name, mayStart(service));
            }
        }
        reading.waiters.forEach(waiter -> answerReload(waiter, diff, before));
    }

    /**
     * Who waits for whom is another matter now, if it is: then whoever waited with its end ends, and those that wait with
     * their start are to be asked again.
     */
    private List<ServiceName> followFile(Configuration next) {
        boolean differs = false;
        Set<ServiceName> named = new HashSet<>();
        List<ServiceSpec> specs = new ArrayList<>(next.services());
        for (ServiceSpec spec : specs) {
            named.add(spec.name());
            Service present = services.get(spec.name());
            List<Dependency> before =
                    present == null ? List.of() : present.spec().dependsOn();
            differs |= !before.equals(spec.dependsOn());
        }
        List<ServiceName> waiting = new ArrayList<>();
        for (Service service : services.values()) {
            if (!named.contains(service.name())) {
                specs.add(service.spec());
            }
            if (!order.waitsFor(service.name()).isEmpty()) {
                waiting.add(service.name());
            }
        }
        order = new StartOrder(specs);
        if (differs) {
            stops.releaseAll().forEach(this::stopNow);
            restarts.reordered();
        }
        return waiting;
    }

    private void change(ServiceSpec next) {
        ServiceName name = next.name();
        SpecChange change = SpecChange.of(services.get(name), next);
        if (change == SpecChange.NONE) {
            return;
        }
        if (change == SpecChange.RESTART) {
            restarts.restartAlong(name, now.mono(), "the services file has changed");
        }
        advance(name, new Event.SpecChanged(next));
        Service service = services.get(name);
        if (isAboutToSpawn(service)) {
            RunId run = service.run().orElseThrow().id();
            gate.replaceSpawn(name, new Order.ForService(new Effect.Spawn(service.spec(), run)));
        }
    }

    private void add(ServiceSpec next) {
        ServiceName name = next.name();
        if (retired.remove(name)) {
            // It is still on its way down.
            stops.gone(name, order).forEach(this::stopNow);
            advance(name, new Event.SpecChanged(next));
        } else if (absent.containsKey(name)) {
            services.put(name, absent.remove(name));
            advance(name, new Event.SpecChanged(next));
        } else {
            services.put(name, Service.fresh(next, now, Service.seedOf(name, identity.life())));
            advance(name, new Event.SupervisorStarted());
        }
    }

    /** The order of the file is that of the status; what is on its way out comes last. */
    private void sortAs(Configuration next) {
        Map<ServiceName, Service> unsorted = new LinkedHashMap<>(services);
        services.clear();
        for (ServiceSpec one : next.services()) {
            services.put(one.name(), unsorted.remove(one.name()));
        }
        services.putAll(unsorted);
    }

    private void answerReload(Reloads.Waiter waiter, ReloadDiff diff, Map<ServiceName, Optional<RunId>> before) {
        Duration timeout = waiter.ask().timeout();
        Pending pending = new Pending(waiter.request(), timeout, now.mono().plus(timeout), Optional.of(diff));
        List<ServiceName> awaited = new ArrayList<>();
        if (waiter.ask().await()) {
            for (ServiceName name : diff.removed()) {
                if (services.containsKey(name)) {
                    pending.await(name, Ask.Act.Verb.STOP, Optional.empty());
                    awaited.add(name);
                }
            }
            List<ServiceName> up = new ArrayList<>(diff.added());
            diff.restarted().forEach(change -> up.add(change.service()));
            for (ServiceName name : up) {
                if (services.get(name).wanted() == Wanted.UP) {
                    pending.await(name, Ask.Act.Verb.RESTART, before.getOrDefault(name, Optional.empty()));
                    awaited.add(name);
                }
            }
        }
        awaitAll(pending, awaited);
    }

    /** Answers when all of these are decided, which may be now. */
    private void awaitAll(Pending pending, List<ServiceName> names) {
        if (names.isEmpty()) {
            answer(pending);
            return;
        }
        answers.add(pending);
        names.forEach(name -> answers.changed(services.get(name)).forEach(this::answer));
        armAnswerTimer();
    }

    // ---- the end ----

    private boolean hasOnlyOneshots() {
        boolean someWanted = false;
        for (Service service : services.values()) {
            if (!service.spec().isOneshot()) {
                return false;
            }
            someWanted |= service.wanted() == Wanted.UP;
        }
        return someWanted;
    }

    /**
     * Nobody is up any more but those who wait for others, as a dependency or because they are restarted with them; and nobody of
     * these others will come any nearer by itself.
     * What an operator has stopped is not wanted, so it neither succeeds nor fails.
     */
    private void endWithOneshots() {
        if (!endsWithOneshots || shuttingDown || handOver.isPresent() || up > order.waiting() + restarts.waiting()) {
            return;
        }
        for (Service service : services.values()) {
            failed |= service.wanted() == Wanted.UP && !service.hasSucceeded();
        }
        shutDown("the end of all oneshots");
        followOrder();
    }

    /** The last record says that the end was orderly; only when it is in place may the process end. */
    private void exitWhenDown() {
        if (!shuttingDown || exiting || up > 0 || someAlertsAreUnderWay()) {
            return;
        }
        exiting = true;
        watchers.end();
        tell(Optional.empty(), "supervisor-ended", Map.of());
        long seq = gate.next(now.mono());
        orders.add(new Order.RecordSupervisor(seq, true, lastEvent, watchers.memory()));
        gate.pass(seq, new Order.Exit(false, failed), orders);
    }

    private boolean someAlertsAreUnderWay() {
        for (Service service : services.values()) {
            if (service.hooks().alerts().areUnderWay()) {
                return true;
            }
        }
        return false;
    }

    // ---- leaving everything to the next supervisor ----

    private void handOver(SupervisorEvent.Asked event) {
        if (gate.isStale()) {
            String why = journal.stale().map(Status.JournalHealth.Stale::reason).orElse("");
            refuse(
                    event.request(),
                    Answer.Refused.Reason.FAILED,
                    "cannot hand over: the journal is stale, so the next supervisor would not know what runs: " + why
                            + "; supervision goes on");
            return;
        }
        told(event, "hand-over", List.of());
        tell(
                Optional.empty(),
                "hand-over-begun",
                Map.of("by", "uid " + event.asker().uid()));
        HandOver begun = new HandOver(event.request(), now.mono());
        handOver = Optional.of(begun);
        armAt(SupervisorTimer.HAND_OVER, Optional.of(begun.deadline()));
    }

    /** Only when nothing is under way any more, and every record is in place, are the services anybody else's. */
    private void exitWhenHandedOver() {
        if (handOver.isEmpty()) {
            return;
        }
        HandOver leaving = handOver.get();
        leaving.withhold(orders);
        if (findUnderWay(leaving).isPresent()) {
            return;
        }
        if (!leaving.record()) {
            orders.add(new Order.RecordSupervisor(gate.next(now.mono()), false, lastEvent, watchers.memory()));
        }
        if (gate.isBehind()) {
            return;
        }
        exiting = true;
        watchers.handingOver();
        List<Answer.Result> left = leftRunning();
        tell(Optional.empty(), "supervisor-ended", Map.of("left_running", (long) left.size()));
        for (Pending pending : answers.takeAll()) {
            refuse(
                    pending.request,
                    Answer.Refused.Reason.SHUTTING_DOWN,
                    "the supervisor hands over; what was begun goes on with the next one");
        }
        orders.add(new Order.Reply(leaving.request(), new Answer.Acted(left, true)));
        orders.add(new Order.Exit(true, false));
    }

    private Optional<ServiceName> findUnderWay(HandOver leaving) {
        for (Service service : services.values()) {
            if (leaving.waitsFor(service)) {
                return Optional.of(service.name());
            }
        }
        return Optional.empty();
    }

    private List<Answer.Result> leftRunning() {
        List<Answer.Result> left = new ArrayList<>();
        for (Service service : services.values()) {
            if (service.process().isPresent()) {
                String message = "left running, pid " + service.process().get().pid();
                left.add(new Answer.Result(service.name(), true, service.state(), message));
            }
        }
        return left;
    }

    private void handOverIsLate(HandOver leaving) {
        if (now.mono().isBefore(leaving.deadline())) {
            armAt(SupervisorTimer.HAND_OVER, Optional.of(leaving.deadline()));
            return;
        }
        String what = findUnderWay(leaving)
                .map(name -> "a start or an end of \"" + name + "\"")
                .orElse("the journal");
        stay(what + " takes longer than " + HandOver.PATIENCE.toSeconds() + " s");
    }

    /** The hand-over is off: everything that was kept from happening happens now. */
    private void stay(String reason) {
        HandOver leaving = handOver.orElseThrow();
        handOver = Optional.empty();
        tell(Optional.empty(), "hand-over-given-up", Map.of("reason", reason));
        refuse(leaving.request(), Answer.Refused.Reason.FAILED, "cannot hand over: " + reason);
        for (Order.ForService order : leaving.withheld()) {
            gate.pass(gate.needs(order.effect().service()), order, orders);
        }
        for (ServiceName name : leaving.postponed()) {
            Service service = services.get(name);
            if (service != null && service.state() == ServiceState.WAITING) {
                advance(name, mayStart(service));
            }
        }
        leaving.deferred().forEach(this::on);
        restarts.again();
    }

    private static boolean isDown(Service service) {
        return service.isCleared()
                && switch (service.state()) {
                    case STOPPED, EXITED, FATAL -> true;
                    case WAITING, STARTING, RUNNING, BACKOFF, STOPPING -> false;
                };
    }

    // ---- the journal ----

    @Override
    public Void on(SupervisorEvent.JournalCommitted event) {
        gate.committed(event.seq(), now.mono(), orders);
        if (gate.isStale() && !gate.isBehind()) {
            gate.declareWell();
            journal = journal.recovered();
            tell(Optional.empty(), "journal-recovered", Map.of());
        }
        return null;
    }

    @Override
    public Void on(SupervisorEvent.JournalFailed event) {
        journalIsStale(event.reason(), Optional.of(event.errno()));
        return null;
    }

    private void journalIsStale(String reason, Optional<String> errno) {
        if (!gate.isStale()) {
            journal = journal.stale(new Status.JournalHealth.Stale(now.wall(), reason, errno));
            Map<String, Object> details = new LinkedHashMap<>();
            details.put("reason", reason);
            errno.ifPresent(name -> details.put("errno", name));
            tell(Optional.empty(), "journal-stale", details);
            gate.declareStale(orders);
            if (handOver.isPresent()) {
                stay("the journal is stale, so the next supervisor would not know what runs: " + reason);
            }
        } else if (journal.stale().isPresent()) {
            Instant since = journal.stale().get().since();
            journal = journal.stale(new Status.JournalHealth.Stale(since, reason, errno));
        }
    }

    private void watchJournal() {
        boolean watched = gate.isBehind() && !gate.isStale();
        armAt(SupervisorTimer.JOURNAL, watched ? Optional.of(gate.deadline()) : Optional.empty());
    }

    private void isDamaged(Status.JournalHealth.SetAside one) {
        journal = journal.with(one);
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("file", one.file().toString());
        details.put("what", one.what());
        tell(one.service(), "journal-damaged", details);
    }

    @Override
    public Void on(SupervisorEvent.Noticed event) {
        tell(event.service(), event.event(), event.details());
        return null;
    }

    // ---- requests ----

    @Override
    public Void on(SupervisorEvent.Asked event) {
        Ask ask = event.ask();
        if (ask instanceof Ask.ShowStatus show) {
            show(event.request(), show);
        } else if (shuttingDown || handOver.isPresent()) {
            refuse(event.request(), Answer.Refused.Reason.SHUTTING_DOWN, leaving());
        } else if (ask instanceof Ask.Act act) {
            act(event, act);
        } else if (ask instanceof Ask.SendSignal send) {
            signal(event, send);
        } else if (ask instanceof Ask.HandOver) {
            handOver(event);
        } else if (ask instanceof Ask.RotateLogs rotate) {
            rotate(event, rotate);
        } else if (ask instanceof Ask.Reload reload) {
            reload(event, reload);
        } else {
            told(event, "shutdown", List.of());
            orders.add(new Order.Reply(event.request(), new Answer.Acted(List.of(), true)));
            shutDown("uid " + event.asker().uid());
        }
        return null;
    }

    private void show(long request, Ask.ShowStatus show) {
        if (show.service().isPresent() && !services.containsKey(show.service().get())) {
            unknown(request, show.service().get());
            return;
        }
        List<Service> shown = show.service().isPresent()
                ? List.of(services.get(show.service().get()))
                : List.copyOf(services.values());
        Status.SupervisorStatus us = new Status.SupervisorStatus(
                spec.name(),
                identity.process(),
                identity.version(),
                identity.startedAt().wall(),
                now.mono().since(identity.startedAt().mono()),
                identity.config(),
                spec.stateDir(),
                journal,
                shuttingDown || handOver.isPresent(),
                longestTurn,
                watchers.status());
        orders.add(new Order.Reply(request, new Answer.Shown(new Status(now, us, shown))));
    }

    private void act(SupervisorEvent.Asked event, Ask.Act act) {
        List<ServiceName> names =
                act.services().isEmpty() ? present() : List.copyOf(new LinkedHashSet<>(act.services()));
        for (ServiceName name : names) {
            if (!services.containsKey(name) || retired.contains(name)) {
                unknown(event.request(), name);
                return;
            }
        }
        told(event, act.verb().word(), names);
        Pending pending = new Pending(event.request(), act.timeout(), now.mono().plus(act.timeout()), Optional.empty());
        names.forEach(
                name -> pending.await(name, act.verb(), services.get(name).run().map(Run::id)));
        if (act.verb() == Ask.Act.Verb.STOP) {
            stopInOrder(names);
        } else {
            noLongerStops(names);
            // What is needed begins first: a migration that had ended before is run again before its server starts.
            for (ServiceName name : order.dependenciesFirst(names)) {
                boolean keepsItsProcess = act.verb() == Ask.Act.Verb.START
                        && services.get(name).run().isPresent();
                if (!keepsItsProcess) {
                    restarts.restartAlong(name, now.mono(), "asked for by an operator");
                }
                advance(name, eventOf(act.verb()));
            }
        }
        followOrder();
        if (act.await()) {
            awaitAll(pending, names);
        } else {
            names.forEach(name -> pending.results.put(
                    name,
                    new Answer.Result(
                            name,
                            true,
                            services.get(name).state(),
                            "asked to " + act.verb().word())));
            answer(pending);
        }
    }

    /** What the services file names; of the retired only the end is awaited. */
    private List<ServiceName> present() {
        List<ServiceName> names = new ArrayList<>(services.keySet());
        names.removeAll(retired);
        return names;
    }

    private static Event eventOf(Ask.Act.Verb verb) {
        return verb == Ask.Act.Verb.START ? new Event.StartAsked() : new Event.RestartAsked();
    }

    private void answer(Pending pending) {
        long needs = 0;
        for (ServiceName name : pending.results.keySet()) {
            needs = Math.max(needs, gate.needs(name));
        }
        gate.pass(needs, new Order.Reply(pending.request, pending.answer()), orders);
    }

    private void signal(SupervisorEvent.Asked event, Ask.SendSignal send) {
        Service service = services.get(send.service());
        if (service == null) {
            unknown(event.request(), send.service());
        } else if (service.process().isEmpty()) {
            String message =
                    "cannot signal \"" + send.service() + "\": it is " + service.state() + " and has no process";
            refuse(event.request(), Answer.Refused.Reason.NOT_RUNNING, message);
        } else {
            told(event, "signal " + send.signal().fullName(), List.of(send.service()));
            RunId run = service.run().orElseThrow().id();
            carryOut(new Effect.SendSignal(send.service(), run, send.signal(), false));
            String message = send.signal().fullName() + " sent to pid "
                    + service.process().get().pid();
            Answer.Result result = new Answer.Result(send.service(), true, service.state(), message);
            Order reply = new Order.Reply(event.request(), new Answer.Acted(List.of(result), true));
            gate.pass(gate.needs(send.service()), reply, orders);
        }
    }

    private void rotate(SupervisorEvent.Asked event, Ask.RotateLogs ask) {
        List<ServiceName> names = ask.services().isEmpty() ? present() : ask.services();
        List<ServiceSpec> specs = new ArrayList<>();
        for (ServiceName name : names) {
            if (!services.containsKey(name)) {
                unknown(event.request(), name);
                return;
            }
            specs.add(services.get(name).spec());
        }
        told(event, "rotate", ask.services());
        orders.add(new Order.RotateLogs(event.request(), specs));
    }

    private void unknown(long request, ServiceName name) {
        refuse(request, Answer.Refused.Reason.NO_SUCH_SERVICE, "no service \"" + name + "\"");
    }

    private void refuse(long request, Answer.Refused.Reason reason, String message) {
        orders.add(new Order.Reply(request, new Answer.Refused(reason, message)));
    }

    /** Every action is recorded with who asked for it. */
    private void told(SupervisorEvent.Asked event, String what, List<ServiceName> names) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("what", what);
        List<String> words = new ArrayList<>();
        names.forEach(name -> words.add(name.value()));
        details.put("services", words);
        event.asker().pid().ifPresent(pid -> details.put("by_pid", (long) pid));
        details.put("by_uid", (long) event.asker().uid());
        tell(Optional.empty(), "asked", details);
    }

    // ---- timers ----

    @Override
    public Void on(SupervisorEvent.TimerFired event) {
        int index = event.timer().ordinal();
        if (timers[index] != event.generation()) {
            return null;
        }
        timers[index] = 0;
        deadlines[index] = null;
        switch (event.timer()) {
            case HEARTBEAT -> touchHeartbeat();
            case SLOT -> {}
            case JOURNAL -> {
                if (gate.isBehind() && !now.mono().isBefore(gate.deadline())) {
                    journalIsStale(
                            "a commit takes longer than " + JournalGate.PATIENCE.toSeconds() + " s", Optional.empty());
                }
            }
            case ANSWER -> {
                answers.expired(now.mono(), services).forEach(this::answer);
                armAnswerTimer();
            }
            case HAND_OVER -> handOver.ifPresent(this::handOverIsLate);
            case READING -> giveUpReadings();
            case WATCHDOG -> watchers.due(now);
        }
        return null;
    }

    private void armAnswerTimer() {
        armAt(SupervisorTimer.ANSWER, answers.deadline());
    }

    /**
     * The timer shall fire at {@code deadline}. One that is armed for an earlier time is left to fire and look again:
     * moving it at each event would cost more than one idle turn.
     */
    private void armAt(SupervisorTimer timer, Optional<MonotonicTime> deadline) {
        int index = timer.ordinal();
        if (deadline.isEmpty()) {
            return;
        }
        boolean soonEnough = timers[index] != 0 && !deadline.get().isBefore(deadlines[index]);
        if (!soonEnough) {
            timers[index] = ++lastTimer;
            deadlines[index] = deadline.get();
            orders.add(new Order.ArmTimer(timer, lastTimer, deadline.get()));
        }
    }

    private void tell(Optional<ServiceName> service, String event, Map<String, Object> details) {
        tell(new Happening(++lastEvent, now.wall(), service, event, Optional.empty(), Optional.empty(), details));
    }

    private void tell(Happening happening) {
        orders.add(new Order.Tell(happening));
    }
}
