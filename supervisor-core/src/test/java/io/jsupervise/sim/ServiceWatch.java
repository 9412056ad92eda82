package io.jsupervise.sim;

import io.jsupervise.lifecycle.Cause;
import io.jsupervise.lifecycle.Climb;
import io.jsupervise.lifecycle.End;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.spec.Backoff;
import io.jsupervise.spec.Heartbeat;
import io.jsupervise.spec.Readiness;
import io.jsupervise.spec.RestartIntensity;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.supervision.Ask.Act.Verb;
import io.jsupervise.supervision.Happening;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What can be known of one service from outside, and the promises about it. It keeps books of its own, from what
 * really happened and what was told; nothing here asks the core. Where an order of things cannot be told apart from
 * outside (a start that is asked for while a restart is on its way), both are accepted.
 */
final class ServiceWatch {
    /** For what takes no time in the simulation: less than the shortest thing that does. */
    static final long SOON = 1_000_000;

    /** Those that something of the service may have to wait for. */
    private static final int HOOKS_AROUND = 4;

    private static final long MS = 1_000_000;
    private static final long S = 1_000_000_000;

    /** How long the rest of a group is waited for, and the longest wait between two looks at it. */
    private static final long GRAVE = 10 * S + 200 * MS;

    private final ServiceSpec spec;
    private final World world;
    private final Invariants.Excuses excuses;
    private final int services;
    private final boolean choreographed;

    private ServiceState state = ServiceState.STOPPED;
    private long since;
    private long lastBeatBefore = Long.MIN_VALUE / 2;
    private SimulatedProcess main;
    private long spawned;
    private long endsOfProcesses;
    private Optional<End> lastEnd = Optional.empty();
    private final Set<SimulatedProcess> givenUp = new HashSet<>();

    private boolean down;
    private int sparedStarts;
    private Verb lastAsked;
    private boolean stoppedByOperator;

    private boolean restartDue;
    private long notBefore;
    private int fewestFailures;
    private int mostFailures;
    private long readyAt = Long.MAX_VALUE;
    /** Automatic restarts; without those that may have worked, and without those that must have. */
    private final List<Long> restarts = new ArrayList<>();

    private final List<Long> notSurelyWorked = new ArrayList<>();
    private boolean onTrial;
    private boolean restartsAreKnown = true;

    /** How many rungs of its ladder were taken, as recorded; and what for the last one was, until that is told. */
    private int rungs;

    private Optional<String> climbs = Optional.empty();

    private Optional<RunId> climbedAfter = Optional.empty();

    /** By the services file as it is now; times stay the same, and with them most of what is promised. */
    private ServiceSpec present;

    /** The next restart follows a rung, which brings one whatever the limit says. */
    private boolean byRung;

    private boolean forgivenInItsTurn;
    private long slotSince = Long.MIN_VALUE;
    /** A start was on its way when the stop came: it is begun and ended at once, and holds no slot. */
    private boolean startMayBeOnItsWay;

    /**
     * @param services      how many there are in all: so many may wait for a slot
     * @param choreographed whether some may have hooks, or wait for others
     */
    ServiceWatch(ServiceSpec spec, World world, Invariants.Excuses excuses, int services, boolean choreographed) {
        this.choreographed = choreographed;
        this.spec = spec;
        this.present = spec;
        this.world = world;
        this.excuses = excuses;
        this.services = services;
        this.since = world.nanos();
        this.down = !spec.autostart();
    }

    String name() {
        return spec.name().value();
    }

    ServiceState state() {
        return state;
    }

    /** The main process that was spawned last. */
    SimulatedProcess main() {
        return main;
    }

    long spawned() {
        return spawned;
    }

    long endsOfProcesses() {
        return endsOfProcesses;
    }

    Optional<End> lastEnd() {
        return lastEnd;
    }

    Verb lastAsked() {
        return lastAsked;
    }

    boolean isGivenUp(SimulatedProcess process) {
        return givenUp.contains(process);
    }

    /** Whether a group was ever given up; its pidfd is kept until the service runs again. */
    boolean hasGivenUp() {
        return !givenUp.isEmpty();
    }

    /** Whoever still lives is no longer waited for. */
    void giveUp(Collection<SimulatedProcess> processes) {
        for (SimulatedProcess process : processes) {
            if (process.service().equals(name())) {
                givenUp.add(process);
            }
        }
    }

    // ---- what really happens ----

    void spawned(SimulatedProcess process) {
        lastBeatBefore = main != null && main.beats > 0 ? main.lastBeatAt : Long.MIN_VALUE / 2;
        main = process;
        spawned++;
    }

    private boolean isAlive() {
        return main != null && main.isAlive();
    }

    /**
     * Promise 6: stopped, EXITED and FATAL stay so. One start may have been on its way when the stop came.
     *
     * @param isWaitedFor by another one that was asked for, and takes along what nobody has stopped
     */
    void mayStart(boolean isWaitedFor) {
        mayPrepare(isWaitedFor);
        if (down) {
            sparedStarts--;
        }
    }

    /** Its start begins. */
    void mayPrepare(boolean isWaitedFor) {
        takenAlong(isWaitedFor);
        if (down && sparedStarts <= 0) {
            throw new Violation("promise 6", name() + " is started, though it is " + state + " and nobody asked");
        }
    }

    /** It waits by now, or starts, because another one waits for it. */
    void takenAlong(boolean isWaitedFor) {
        if (down && isWaitedFor && state == ServiceState.STOPPED && !stoppedByOperator) {
            down = false;
        }
    }

    /** Whether {@code process} is left alone when its main process has ended. */
    boolean spares(SimulatedProcess process) {
        return !spec.stop().killMode().endsTree() && !process.isMain && !process.isHook();
    }

    /** Promise 7. Returns whether it was an automatic restart. */
    boolean startAttempted() {
        long now = world.nanos();
        slotSince = startMayBeOnItsWay ? Long.MIN_VALUE : now;
        onTrial = restartDue;
        if (!restartDue) {
            return false;
        }
        restartDue = false;
        if (now < notBefore) {
            throw new Violation("promise 7", name() + " restarts " + (notBefore - now) / MS + " ms too soon");
        }
        restarts.add(now);
        notSurelyWorked.add(now);
        if (spec.startLimit().isPresent()) {
            RestartIntensity limit = spec.startLimit().get();
            long window = limit.within().toNanos();
            restarts.removeIf(at -> at + window <= now);
            long counted = restarts.stream()
                    .filter(at -> at + window - heldBefore(at) > now)
                    .count();
            if (counted > Math.max(limit.count(), byRung ? 1 : 0)) {
                throw new Violation("promise 7", name() + " has " + counted + " restarts within " + limit.within());
            }
        }
        return true;
    }

    /**
     * A run that was ready comes to its end: did it last long enough, the restart that led to it was none in vain. How long that is depends
     * on how it ended, and is only known within bounds here.
     */
    private void judgeTrial() {
        long lasted = world.nanos() - readyAt;
        if (!onTrial || state != ServiceState.RUNNING || present.isOneshot() || restarts.isEmpty()) {
            return;
        }
        long enough = spec.escalation().stableFor().toNanos();
        long unsure = excuses.between(readyAt - 60 * S, world.nanos()) + SOON;
        if (lasted >= enough - unsure) {
            restarts.remove(restarts.size() - 1);
        }
        if (lasted >= enough + spec.longestHang().toNanos() + unsure && !notSurelyWorked.isEmpty()) {
            notSurelyWorked.remove(notSurelyWorked.size() - 1);
        }
        onTrial = false;
    }

    /** A start may have been ordered as much earlier as somebody was held up by then. */
    private long heldBefore(long at) {
        return excuses.between(at - 60 * S, at);
    }

    /** Whether a start is under way: not ready, not ended, and not older than a slot is held. */
    boolean holdsSlot(long longest) {
        long age = world.nanos() - slotSince;
        return slotSince != Long.MIN_VALUE
                && age < longest
                && age + excuses.between(slotSince - 60 * S, world.nanos()) < longest;
    }

    // ---- what is asked and told ----

    void asked(Verb verb) {
        lastAsked = verb;
        stoppedByOperator = verb == Verb.STOP;
        restartDue = false;
        switch (verb) {
            case START -> {
                // Whether this forgave anything depends on whether it ran, which is not always told yet.
                fewestFailures = 0;
                restarts.clear();
                notSurelyWorked.clear();
                restartsAreKnown = false;
                down = false;
            }
            case RESTART -> {
                forgiven();
                down = false;
            }
            case STOP -> {
                forgiven();
                goDown();
            }
        }
    }

    /** Another services file is taken over. */
    void configured(ServiceSpec named) {
        present = named;
    }

    /** The services file no longer names it. */
    void removed() {
        lastAsked = null;
        restartDue = false;
        forgiven();
        goDown();
    }

    /** The services file names it, for the first time or again. */
    void added(boolean autostart) {
        lastAsked = null;
        restartDue = false;
        forgiven();
        if (autostart && !stoppedByOperator) {
            down = false;
        }
    }

    /** Its process is no longer what the services file asks for, or it shall start by now. */
    void restartedByReload() {
        lastAsked = null;
        restartDue = false;
        forgiven();
        down = false;
    }

    /** Where others must stop first it is forgiven once its turn comes, and may fail until then. */
    private void forgiven() {
        byRung = false;
        fewestFailures = 0;
        restarts.clear();
        notSurelyWorked.clear();
        forgivenInItsTurn = choreographed;
        restartsAreKnown = !choreographed;
        mostFailures = choreographed ? mostFailures : 0;
    }

    private void itsTurnHasCome() {
        if (forgivenInItsTurn) {
            forgivenInItsTurn = false;
            fewestFailures = 0;
            mostFailures = 0;
        }
    }

    void shutdownBegun() {
        goDown();
    }

    private void goDown() {
        if (!down) {
            sparedStarts = isAlive() ? 0 : 1;
        }
        down = true;
    }

    void recorded(Service service) {
        Climb climb = service.history().climb();
        boolean isAfterAnother = climb.due().isPresent() && !climb.due().equals(climbedAfter);
        if (climb.taken() > rungs || isAfterAnother) {
            climbs = Optional.of(climb.why());
            climbedAfter = climb.due();
        }
        rungs = climb.taken();
        Optional<End> end = service.history().lastEnd();
        if (end.isPresent() && (lastEnd.isEmpty() || end.get() != lastEnd.get())) {
            lastEnd = end;
            endsOfProcesses += end.get().status().isPresent() ? 1 : 0;
            isTheProgramsOwn(end.get());
        }
    }

    /** An end as a loader is never told as that of the program, nor the other way round. */
    private void isTheProgramsOwn(End end) {
        if (end.status().isEmpty()) {
            return;
        }
        boolean wasLoader = spec.loaders().contains(main().environment.get(SimulatedOs.PROGRAM));
        boolean judged = end.cause() == Cause.EXIT || end.cause() == Cause.SIGNAL || end.cause() == Cause.START_FAILED;
        if (judged && wasLoader != (end.cause() == Cause.START_FAILED)) {
            throw new Violation("exec in a chain", main() + " ended as " + end + (wasLoader ? " as a loader" : ""));
        }
    }

    /** Returns whether it tells of a hang. */
    boolean told(Happening happening) {
        if (happening.to().isPresent() && happening.to().get() != ServiceState.RUNNING) {
            judgeTrial();
        }
        boolean hang = happening.event().equals("stopping")
                && "heartbeat".equals(happening.details().get("cause"));
        if (hang) {
            condemned();
        }
        String cause = String.valueOf(happening.details().get("cause"));
        if (happening.event().equals("stopping") && (cause.equals("notify") || cause.equals("start-timeout"))) {
            Sayings.condemned(spec, main, cause, world.nanos());
        }
        if (String.valueOf(happening.details().get("reason")).startsWith("its notify socket: ")) {
            // It failed before there was a spawn to be seen.
            startAttempted();
        }
        if (restartDue && isFailureToStart(happening)) {
            restarts.add(world.nanos());
            notSurelyWorked.add(world.nanos());
        }
        if (climbs.isPresent() && happening.to().isPresent()) {
            climbed(climbs.get());
        } else if (happening.event().equals("gave-up")) {
            gaveUp((String) happening.details().get("gave_up"));
        }
        boolean hookFailed = happening.event().equals("hook-failed") && !AlertWatch.isOfAlert(happening);
        if (happening.event().equals("exited") || hookFailed) {
            startMayBeOnItsWay = false;
        }
        if (happening.to().isPresent()) {
            ServiceState to = happening.to().get();
            if (to == ServiceState.BACKOFF) {
                // A start that failed is not tried again at once, whatever the backoff.
                long atLeast = happening.event().equals("start-failed") ? 10 * MS : 0;
                backsOff((Long) happening.details().get("delay_ms") * MS, atLeast);
            }
            if (to != state || happening.event().equals("start-failed")) {
                since = world.nanos();
            }
            if (isOrdered(happening)) {
                itsTurnHasCome();
            }
            if (to == ServiceState.STOPPING && (cause.equals("group") || cause.equals("dependency"))) {
                forgetFailuresIfWell();
                readyAt = Long.MAX_VALUE;
            }
            arrived(to);
        }
        return hang;
    }

    /** Where nothing was spawned before, a hook's time was over by then, or a file could not be made. */
    private static boolean isFailureToStart(Happening happening) {
        return happening.event().equals("start-failed") || happening.event().equals("gave-up");
    }

    /** Whether it ends because somebody said so, and not for a failure of its own. */
    static boolean isOrdered(Happening happening) {
        Object cause = happening.details().get("cause");
        return "operator".equals(cause) || "shutdown".equals(cause) || "reload".equals(cause);
    }

    private void arrived(ServiceState to) {
        state = to;
        startMayBeOnItsWay = to == ServiceState.STOPPING && !isAlive();
        switch (to) {
            case RUNNING -> {
                readyAt = world.nanos();
                slotSince = Long.MIN_VALUE;
            }
            case STARTING -> readyAt = Long.MAX_VALUE;
            case STOPPED, EXITED, FATAL -> {
                itsTurnHasCome();
                down = true;
                sparedStarts = 0;
                slotSince = Long.MIN_VALUE;
            }
            case BACKOFF, STOPPING -> slotSince = Long.MIN_VALUE;
            case WAITING -> {}
        }
    }

    /** Promise 7: the delay is one that the backoff gives after so many failures. */
    private void backsOff(long delay, long atLeast) {
        long now = world.nanos();
        Backoff backoff = spec.backoff();
        forgetFailuresIfWell();
        long shortest = Math.max(atLeast, backoff.delay(fewestFailures, 0).toNanos());
        long longest = Math.max(
                atLeast, backoff.delay(mostFailures, 1).plus(spec.startJitter()).toNanos());
        if (delay < shortest - MS || delay > longest) {
            throw new Violation(
                    "promise 7",
                    name() + " backs off for " + delay / MS + " ms after " + fewestFailures + " to " + mostFailures
                            + " failures; its backoff gives " + shortest / MS + " to " + longest / MS);
        }
        fewestFailures++;
        mostFailures++;
        readyAt = Long.MAX_VALUE;
        restartDue = true;
        notBefore = now + delay;
    }

    private void forgetFailuresIfWell() {
        boolean wasWell = readyAt != Long.MAX_VALUE
                && world.nanos() - readyAt >= spec.backoff().resetAfter().toNanos();
        if (wasWell) {
            fewestFailures = 0;
            mostFailures = 0;
        }
    }

    /** Promise 6: who is given up for too many restarts has had them, and not from operators. */
    void gaveUp(String reason) {
        if (!reason.contains("restarts within") || !restartsAreKnown) {
            return;
        }
        RestartIntensity limit = spec.startLimit().orElseThrow();
        long counted = notSurelyWorked.stream()
                .filter(at -> at > world.nanos() - limit.within().toNanos())
                .count();
        if (counted < limit.count()) {
            throw new Violation(
                    "promise 6", name() + " is given up after " + counted + " restarts, its limit is " + limit);
        }
    }

    /** A rung is taken when its restarts have come to nothing, as it is given up without; what was before counts for nothing. */
    private void climbed(String why) {
        climbs = Optional.empty();
        gaveUp(why);
        restarts.clear();
        notSurelyWorked.clear();
        restartsAreKnown = true;
        fewestFailures = 0;
        mostFailures = 0;
        readyAt = Long.MAX_VALUE;
        byRung = true;
    }

    // ---- hangs ----

    /** Promise 9: whoever is said to hang does. Programs beat in time or not at all. */
    void condemned() {
        Heartbeat heartbeat = spec.heartbeat().orElseThrow();
        Duration limit = main.beats > 0 ? heartbeat.timeout() : heartbeat.grace();
        long silent = world.nanos() - (main.beats > 0 ? main.lastBeatAt : main.bornAt);
        boolean beatsOn = main.beatsUntil(world.nanos());
        if (beatsOn || silent < limit.minus(Scenario.margin(heartbeat)).toNanos()) {
            throw new Violation(
                    "promise 9",
                    "of " + main + " it is said that it hangs, silent for " + silent / MS + " ms of " + limit.toMillis()
                            + (beatsOn ? ", and it beats on" : ""));
        }
    }

    /**
     * Promise 9: a hang is noticed at its deadline. Where a clock was stepped, the last beat is taken to have come when
     * it was looked at, which is at most one timeout later.
     */
    void hungIsFound() {
        boolean isUp = state == ServiceState.STARTING || state == ServiceState.RUNNING;
        if (spec.isHeard() && isUp && isAlive()) {
            long from = main.said > 0 ? main.lastSaidAt : main.bornAt;
            Sayings.silenceIsFound(spec, main, world.nanos(), excuses.between(from, world.nanos()));
        }
        if (spec.heartbeat().isEmpty() || !isUp || !isAlive()) {
            return;
        }
        Heartbeat heartbeat = spec.heartbeat().get();
        long timeout = heartbeat.timeout().toNanos();
        long silentSince = main.beats > 0 ? main.lastBeatAt : main.bornAt;
        long grace = heartbeat.grace().toNanos();
        // The last beat of the run before may be taken for the first of this one, and is waited for then.
        boolean doubtful =
                main.bornAt - lastBeatBefore < Scenario.margin(heartbeat).toNanos();
        long limit = main.beats > 0 ? timeout : doubtful ? Math.max(timeout, grace) : grace;
        long now = world.nanos();
        if (now <= silentSince + limit + Scenario.margin(heartbeat).toNanos()) {
            return;
        }
        long before = silentSince - timeout;
        long excuse = excuses.between(before, now);
        boolean unsure = excuse > 0 || excuses.stepped.lastEnd() >= before;
        long latest = Math.max(
                silentSince + limit + (unsure ? timeout : 0),
                // The next look after a step is at most a timeout later, and may begin another one.
                excuses.stepped.lastEnd() + 2 * timeout);
        latest += excuse;
        if (now > latest + Scenario.margin(heartbeat).toNanos()) {
            throw new Violation(
                    "promise 9",
                    main + " has been silent for " + (now - silentSince) / MS + " ms after " + main.beats
                            + " beats, the last " + (main.lastBeatAt - main.bornAt) / MS
                            + " ms after it was born, may be for " + limit / MS + ", and is still " + state);
        }
    }

    // ---- moving on ----

    /** Promise 12, step by step: whatever is on its way arrives. */
    void movesOn(long unmetAt) {
        long latest = latest(unmetAt);
        long now = world.nanos();
        if (now > latest + SOON && now - excuses.between(since, now) > latest + SOON) {
            throw new Violation("promise 12", name() + " is " + state + " for " + (now - since) / MS + " ms");
        }
    }

    /**
     * Until when it may be in this state. That its pre_start has begun is not told, so it takes its time in the state
     * before.
     *
     * @param unmetAt when something was missing last that it depends on
     */
    private long latest(long unmetAt) {
        return switch (state) {
            case STOPPED, EXITED, FATAL, RUNNING -> Long.MAX_VALUE / 2;
            case STARTING ->
                since
                        + (spec.ready() instanceof Readiness.Delay delay ? delay.after() : spec.startTimeout())
                                .toNanos()
                        + longestHooks();
            case BACKOFF -> {
                // What its ladder has restarted has to end first.
                long begun = present.escalation().ladder().isEmpty() ? since : Math.max(since, unmetAt);
                yield Math.max(notBefore, begun + GRAVE) + longestHooks();
            }
            case WAITING ->
                Math.max(since, unmetAt)
                        + GRAVE
                        + services * S
                        + spec.startJitter().toNanos()
                        + longestHooks();
            case STOPPING -> since + longestStop();
        };
    }

    private long longestStop() {
        return 2 * S + spec.stop().timeout().toNanos() + Scenario.LONGEST_KILL.toNanos() + GRAVE + longestHooks();
    }

    /** How much longer it may take until all are down because others wait for it, or it for them; zero if none do. */
    long longestStopAfterOthers() {
        return choreographed ? longestStop() : 0;
    }

    /** All of its hooks one after another, each as long as one may take, with what it leaves behind. */
    private long longestHooks() {
        return choreographed
                ? HOOKS_AROUND * (Choreography.LONGEST_HOOK.toNanos() + Scenario.LONGEST_KILL.toNanos() + GRAVE)
                : 0;
    }
}
