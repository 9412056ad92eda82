package io.jsupervise.sim;

import io.jsupervise.journal.ServiceRecord;
import io.jsupervise.lifecycle.End;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.Dependency;
import io.jsupervise.spec.HookKind;
import io.jsupervise.spec.KillMode;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import io.jsupervise.supervision.Happening;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * What comes before what, looked after from outside, in one life or over many:
 *
 * <ul>
 *   <li>a start that somebody asked for begins only when what the service depends on has come as far as it asks for;
 *   <li>of services that stop together, one that others depend on is asked to end only when these are down;
 *   <li>the main process is made when its {@code pre_start} has succeeded, the next run begins when the {@code post_stop}
 *       of the last one has run, and at most one hook of a service is there at a time;
 *   <li>a hook that takes too long is killed when its time is over, one that an earlier supervisor left at once;
 *   <li>no signal but for a main process where {@code kill_mode} says so.
 * </ul>
 *
 * It keeps books of its own of what was told and of the processes that there are. Where a moment cannot be seen from
 * outside, such as that at which a start is permitted, it is enough that things were right at some moment at which it can
 * have been.
 */
final class OrderWatch {
    private static final long NEVER = Long.MIN_VALUE / 2;

    private final SimulatedOs os;
    private final Invariants.Excuses excuses;
    private final GroupWatch groups;
    private final LadderWatch ladders;
    private final Map<String, One> services = new LinkedHashMap<>();
    private final Set<SimulatedProcess> killed = new HashSet<>();
    /** Nothing ends them; that was told, and nobody waits for them any more. */
    private final Set<SimulatedProcess> givenUp = new HashSet<>();

    private final List<SimulatedProcess> hooks = new ArrayList<>();

    private final AlertWatch alerts;
    private long lifeBegan;

    /** A supervisor that hands over lets hooks come to their end for a while, and only then goes on with everything. */
    private boolean handsOver;

    private long stayedAt = NEVER;
    private boolean recordsMayBeLost;
    private long seen;

    /** One service. */
    private static final class One {
        ServiceSpec spec;
        ServiceState state = ServiceState.STOPPED;

        /** It was told that there is a process, and not that it is gone. */
        boolean isUp;

        /** It was told that it ended with success. */
        boolean saidToHaveSucceeded;

        /** Its last main process. */
        SimulatedProcess main;

        /** Since when it may have been permitted to start. */
        long since;

        /** Of that start nobody was asked for: it follows a crash. */
        boolean isRestart;

        /** Somebody has asked since it backed off; the restart may have been on its way by then. */
        boolean isAsked;

        /** Its start was on its way when it was stopped: it is begun, and ended at once. */
        boolean mayBeOnItsWay;

        /** When everything that it depends on was there last, and when something was not. */
        long metAt = NEVER;

        long unmetAt = NEVER;

        /** The run that its last pre_start belongs to, and that hook. */
        String prepared = "";

        SimulatedProcess preparing;

        /** Whether a post_stop was tried since its last main process was made. */
        boolean isUndone;

        /** Whether the last main process was known to its supervisor, or a later one. */
        boolean mainIsKnown;

        /** What was started is noted; what was adopted is known to a later supervisor only by its record. */
        boolean mainIsNoted;

        long hooksChangedAt = NEVER;

        /** By what this supervisor has read: of anything else it knows not on what it depends. */
        boolean hasBeenNamed;

        /** Who has to be down before it is asked to end. */
        Set<String> first = Set.of();

        boolean isDown() {
            return state == ServiceState.STOPPED || state == ServiceState.EXITED || state == ServiceState.FATAL;
        }
    }

    OrderWatch(SimulatedOs os, Invariants.Excuses excuses) {
        this.os = os;
        this.excuses = excuses;
        this.groups = new GroupWatch(os);
        this.ladders = new LadderWatch(os, excuses);
        this.alerts = new AlertWatch(os);
    }

    // ---- for whoever drives ----

    /**
     * A supervisor begins.
     *
     * @param file  what it reads
     * @param found what will be found in the journal of this boot, of a supervisor that did not end in order
     */
    void lifeBegins(Configuration file, Function<String, Optional<ServiceRecord>> found) {
        lifeBegan = os.world.nanos();
        alerts.lifeBegins();
        handsOver = false;
        Set<String> named = take(file);
        Set<String> backsOff = new HashSet<>();
        for (One one : services.values()) {
            // What runs of one that is not named is told when it is adopted; nothing else of it is due.
            Optional<ServiceRecord> record = Optional.of(one.spec.name().value())
                    .filter(named::contains)
                    .flatMap(found)
                    .filter(known -> known.state() != ServiceState.BACKOFF || isWanted(known, one.spec));
            one.isUp = false;
            one.hasBeenNamed = named.contains(one.spec.name().value());
            one.mainIsKnown &= one.mainIsNoted
                    || isRecorded(one.main, found.apply(one.spec.name().value()));
            // A life that has left nothing at all may have had the number of this one.
            one.prepared = "";
            one.preparing = null;
            one.first = Set.of();
            one.since = os.world.nanos();
            one.metAt = NEVER;
            one.unmetAt = os.world.nanos();
            one.state = record.map(ServiceRecord::state)
                    .filter(OrderWatch::outlivesUs)
                    .orElse(ServiceState.STOPPED);
            one.isRestart = one.state == ServiceState.BACKOFF;
            if (one.isRestart) {
                backsOff.add(one.spec.name().value());
            }
            one.isAsked = false;
            one.saidToHaveSucceeded = record.isPresent()
                    && one.state == ServiceState.EXITED
                    && isSuccess(one.spec, record.get().history().lastEnd().flatMap(End::status));
        }
        groups.lifeBegins(file, backsOff);
        ladders.lifeBegins(file);
        look();
    }

    private static boolean isRecorded(SimulatedProcess main, Optional<ServiceRecord> record) {
        return record.flatMap(ServiceRecord::lastRun)
                .filter(last -> main != null && last.process().equals(main.identity))
                .isPresent();
    }

    private static boolean isWanted(ServiceRecord record, ServiceSpec spec) {
        return record.commanded() ? record.wanted() == Wanted.UP : spec.autostart();
    }

    private static boolean outlivesUs(ServiceState state) {
        return state == ServiceState.EXITED || state == ServiceState.FATAL || state == ServiceState.BACKOFF;
    }

    /** The machine boots: nothing that was due is due any more. */
    void powerGoes() {
        killed.clear();
        hooks.clear();
        groups.powerGoes();
        for (One one : services.values()) {
            one.main = null;
            one.preparing = null;
        }
    }

    /** What should have been recorded may not be: who does not know what was due cannot do it. */
    void recordsMayBeLost() {
        recordsMayBeLost = true;
        groups.recordsMayBeLost();
    }

    /** What is known of ladders. */
    LadderWatch ladders() {
        return ladders;
    }

    void recorded(Service service) {
        if (ladders.recorded(service)) {
            alerts.restartsAreGivenUp(service.spec());
        }
    }

    /** Returns who is named. */
    private Set<String> take(Configuration file) {
        Set<String> named = new HashSet<>();
        for (ServiceSpec spec : file.services()) {
            named.add(spec.name().value());
            One one = services.get(spec.name().value());
            if (one == null) {
                one = new One();
                one.since = os.world.nanos();
                one.hooksChangedAt = os.world.nanos();
                services.put(spec.name().value(), one);
            } else {
                if (!one.spec.hooks().equals(spec.hooks())) {
                    alerts.forget(spec.name().value());
                    one.hooksChangedAt = os.world.nanos();
                }
                if (!one.spec.dependsOn().equals(spec.dependsOn()) && one.metAt >= one.since) {
                    // The start was permitted by what was asked for then.
                    one.metAt = os.world.nanos();
                }
            }
            one.spec = spec;
            one.hasBeenNamed = true;
        }
        for (Map.Entry<String, One> entry : services.entrySet()) {
            if (!named.contains(entry.getKey())) {
                // Without its entry nobody knows its hooks.
                alerts.forget(entry.getKey());
                entry.getValue().hooksChangedAt = os.world.nanos();
            }
        }
        return named;
    }

    /** The supervisor has ended, and leaves nothing. */
    void afterEnd() {
        if (!handsOver) {
            alerts.afterEnd();
        }
    }

    /** The loop has had a turn. */
    void afterTurn() {
        look();
        ladders.afterTurn();
        for (SimulatedProcess hook : hooks) {
            if (hook.isAlive() && !killed.contains(hook)) {
                endsInTime(hook);
            }
        }
        hooks.removeIf(hook -> !hook.isAlive());
    }

    private void endsInTime(SimulatedProcess hook) {
        long now = os.world.nanos();
        if (hook.bornAt < lifeBegan) {
            throw new Violation("a hook", hook + " was left by an earlier supervisor, and runs on");
        }
        long timeout = services.get(hook.service())
                .spec
                .hooks()
                .of(kindOf(hook))
                .map(one -> one.timeout().toNanos())
                .orElse(Long.MAX_VALUE / 4);
        long latest = Math.max(hook.bornAt + timeout, stayedAt) + ServiceWatch.SOON;
        if (!handsOver && now > latest && now - excuses.between(hook.bornAt, now) > latest) {
            throw new Violation(
                    "a hook", hook + " runs for " + (now - hook.bornAt) / 1_000_000 + " ms and is not killed");
        }
    }

    private static HookKind kindOf(SimulatedProcess hook) {
        return kindOf(hook.hook());
    }

    private static HookKind kindOf(String word) {
        return HookKind.valueOf(word.toUpperCase(java.util.Locale.ROOT));
    }

    /** When something was missing last that {@code service} depends on; long ago where it depends on nothing. */
    long unmetAt(String service) {
        return Math.max(services.get(service).unmetAt, groups.heldAt(service));
    }

    /** Whether somebody waits for {@code service}, who has it started with that. */
    boolean isWaitedFor(String service) {
        for (One one : services.values()) {
            for (Dependency dependency : one.spec.dependsOn()) {
                if (dependency.on().value().equals(service) && one.state == ServiceState.WAITING) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Whether {@code service} has ended, and its last process did so with success. */
    boolean hasSucceeded(String service) {
        One one = services.get(service);
        return one.state == ServiceState.EXITED && reallySucceeded(one);
    }

    /** How many happenings and processes were looked at. */
    long seen() {
        return seen;
    }

    // ---- how far they have come ----

    private void look() {
        seen++;
        for (One one : services.values()) {
            boolean met = true;
            boolean surely = true;
            for (Dependency dependency : one.spec.dependsOn()) {
                One on = services.get(dependency.on().value());
                met &= on != null && mayHold(dependency.condition(), on);
                surely &= on != null && holds(dependency.condition(), on);
            }
            if (met) {
                one.metAt = os.world.nanos();
            }
            if (!surely) {
                one.unmetAt = os.world.nanos();
            }
        }
    }

    /** By what really happened; where a later run could not be recorded, nobody knows of it. */
    private boolean mayHold(Dependency.Condition condition, One on) {
        boolean succeeded = reallySucceeded(on) || recordsMayBeLost && on.saidToHaveSucceeded;
        return on.state == ServiceState.EXITED && succeeded && nothingLives(on) || isFarEnough(condition, on);
    }

    /** By what the supervisor must know. */
    private boolean holds(Dependency.Condition condition, One on) {
        return on.state == ServiceState.EXITED && on.saidToHaveSucceeded && nothingLives(on)
                || isFarEnough(condition, on);
    }

    private static boolean isFarEnough(Dependency.Condition condition, One on) {
        return switch (condition) {
            case STARTED -> on.isUp && (on.state == ServiceState.STARTING || on.state == ServiceState.RUNNING);
            case READY -> on.state == ServiceState.RUNNING && !on.spec.isOneshot();
            case COMPLETED -> false;
        };
    }

    private static boolean reallySucceeded(One one) {
        return one.main != null && isSuccess(one.spec, one.main.ended);
    }

    private static boolean isSuccess(ServiceSpec spec, Optional<ExitStatus> status) {
        return status.isPresent()
                && status.get() instanceof ExitStatus.Exited exited
                && spec.successExitCodes().contains(exited.code());
    }

    private boolean nothingLives(One one) {
        for (SimulatedProcess process : os.processes.all()) {
            boolean counts = process.isMain
                    || process.isHook()
                    || one.spec.stop().killMode().endsTree();
            counts &= !process.isAlert();
            if (process.isAlive() && counts && !givenUp.contains(process) && isOf(one, process)) {
                return false;
            }
        }
        return true;
    }

    // ---- what really happens ----

    /** A process is about to be made; returns whether with it a start begins. */
    boolean attempted(SpawnRequest request) {
        One one = services.get(request.environment().get("JSUPERVISE_SERVICE"));
        String run = request.environment().get("JSUPERVISE_RUN_ID");
        String hook = request.environment().getOrDefault("JSUPERVISE_HOOK", "");
        if (AlertWatch.isAlert(request)) {
            alerts.attempted(one.spec.name().value(), hook, runOf(run), givenUp);
            return false;
        }
        for (SimulatedProcess process : os.processes.all()) {
            boolean isHook = process.isMain && process.isHook() && !process.isAlert() && !givenUp.contains(process);
            if (process.isAlive() && isHook && isOf(one, process)) {
                throw new Violation("hooks", process + " still runs, and " + what(hook) + " is being started");
            }
        }
        look();
        boolean begins = false;
        switch (hook) {
            case "" -> {
                begins = !one.prepared.equals(run);
                if (begins) {
                    begins(one);
                } else if (one.preparing == null
                        || !one.preparing.ended.equals(Optional.of(new ExitStatus.Exited(0)))
                        || killed.contains(one.preparing) && one.preparing.ended.isEmpty()) {
                    throw new Violation("pre_start", one.preparing + " has not succeeded, and its service is started");
                }
                boolean needsHook = one.spec.hooks().has(HookKind.PRE_START) && one.hooksChangedAt < one.since;
                if (begins && needsHook) {
                    throw new Violation("pre_start", one.spec.name() + " is started without");
                }
            }
            case "pre_start" -> {
                begins = true;
                begins(one);
                one.prepared = runOf(run);
                one.preparing = null;
            }
            case "post_stop" -> one.isUndone = true;
            case "escalate" -> ladders.attempted(request);
            default -> {
                String pid = request.environment().get("JSUPERVISE_PID");
                if (one.main == null || !pid.equals(String.valueOf(one.main.pid())) && !isTakenFor(one.main, pid)) {
                    throw new Violation("hooks", hook + " is told of pid " + pid + ", and there is " + one.main);
                }
            }
        }
        return begins;
    }

    /** What a main process left that ended before it was noted or recorded: see {@link CrashWatch}. */
    private boolean isTakenFor(SimulatedProcess main, String pid) {
        return !main.isAlive()
                && os.processes
                        .find(Integer.parseInt(pid))
                        .filter(process -> process.isStray && process.run().equals(main.run()))
                        .isPresent();
    }

    private static String what(String hook) {
        return hook.isEmpty() ? "its service" : "its " + hook;
    }

    private static boolean isOf(One one, SimulatedProcess process) {
        return !process.isStranger && process.service().equals(one.spec.name().value());
    }

    /** The id of a hook is that of its run, and the kind of hook. */
    private static String runOf(String hook) {
        return hook.substring(0, hook.lastIndexOf('.'));
    }

    private void begins(One one) {
        boolean isJudged = !one.isRestart
                && !one.mayBeOnItsWay
                && !one.spec.dependsOn().isEmpty()
                && !groups.isConcerned(one.spec.name().value());
        groups.begins(one.spec.name().value());
        ladders.begins(one.spec.name().value());
        if (isJudged && one.metAt < one.since) {
            throw new Violation(
                    "depends_on",
                    one.spec.name() + " is started, and at no time since "
                            + (os.world.nanos() - one.since) / 1_000_000 + " ms was there all that it depends on: "
                            + one.spec.dependsOn());
        }
        boolean owes = one.main != null
                && one.mainIsKnown
                && one.spec.hooks().has(HookKind.POST_STOP)
                && one.hooksChangedAt < one.main.bornAt;
        if (owes && !one.isUndone && !recordsMayBeLost) {
            throw new Violation(
                    "post_stop", one.spec.name() + " is started, and no post_stop has followed " + one.main);
        }
    }

    void spawned(SimulatedProcess process) {
        One one = services.get(process.service());
        if (!process.check().isEmpty()) {
            // Has no order: CheckWatch knows what holds of it.
            return;
        }
        ladders.spawned(process);
        if (process.isHook()) {
            hooks.add(process);
            if (process.hook().equals("pre_start")) {
                one.preparing = process;
            }
        } else {
            one.main = process;
            one.mainIsKnown = false;
            one.mainIsNoted = false;
            one.isUndone = false;
        }
        look();
    }

    void signalled(SimulatedProcess process, Signal signal, boolean wholeGroup) {
        if (process.isHook()) {
            if (signal.equals(Signal.KILL)) {
                killed.add(process);
            }
            return;
        }
        One one = services.get(process.service());
        KillMode mode = one == null ? KillMode.TREE : one.spec.stop().killMode();
        boolean others = wholeGroup || !process.isMain;
        // What is left when the main process has ended is frozen before it is killed.
        boolean asks = process.maker.orElse(process).isAlive() && !signal.equals(Signal.KILL);
        if (others && process.isAlive() && (mode == KillMode.PROCESS || mode == KillMode.MIXED && asks)) {
            throw new Violation(
                    "kill_mode",
                    mode.word() + ", and " + signal + " goes to " + (wholeGroup ? "all of " : "") + process);
        }
    }

    // ---- what the supervisor says ----

    void told(Happening happening) {
        groups.told(happening);
        ladders.told(happening);
        if (happening.service().isPresent()) {
            One one = services.get(happening.service().get().value());
            if (one != null) {
                told(one, happening);
            }
        } else {
            switch (happening.event()) {
                case "asked" -> asked(happening);
                case "shutdown-begun" -> stopTogether(services.keySet());
                case "hand-over-begun" -> handsOver = true;
                case "hand-over-given-up" -> {
                    handsOver = false;
                    stayedAt = os.world.nanos();
                }
                case "shutdown-hurried" -> services.values().forEach(one -> one.first = Set.of());
                case "journal-stale", "journal-damaged" -> recordsMayBeLost = true;
                default -> {}
            }
        }
        look();
    }

    private void told(One one, Happening happening) {
        if (alerts.told(one.spec, happening, givenUp)) {
            return;
        }
        boolean isAsked = happening.event().equals("stopping") && ServiceWatch.isOrdered(happening);
        if (isAsked && one.mainIsKnown && one.main != null && one.main.isAlive()) {
            for (String other : one.first) {
                One dependent = services.get(other);
                if (!dependent.isDown() || !nothingLives(dependent)) {
                    throw new Violation(
                            "stop order",
                            one.spec.name() + " is asked to end, and " + other + ", which depends on it, is "
                                    + dependent.state);
                }
            }
        }
        boolean isOver =
                happening.event().equals("hook-failed") || happening.event().equals("hook-done");
        if (isOver && "post_stop".equals(happening.details().get("hook"))) {
            // It may have failed without a process: its time was over before one could be made.
            one.isUndone = true;
        }
        if (happening.event().equals("exited") || happening.event().equals("hook-failed")) {
            one.mayBeOnItsWay = false;
        }
        if (happening.event().equals("group-remains")) {
            for (SimulatedProcess process : os.processes.all()) {
                if (process.isAlive() && isOf(one, process)) {
                    givenUp.add(process);
                }
            }
        }
        if (happening.to().isEmpty()) {
            return;
        }
        one.mainIsNoted |= happening.event().equals("started");
        if (happening.event().equals("started") || happening.event().equals("adopted")) {
            one.mainIsKnown = true;
        }
        one.state = happening.to().get();
        one.mayBeOnItsWay = one.state == ServiceState.STOPPING && (one.main == null || !one.main.isAlive());
        switch (one.state) {
            case STARTING, RUNNING -> {
                one.isUp = true;
                one.isRestart = false;
                one.saidToHaveSucceeded = false;
            }
            case WAITING -> {
                one.isUp = false;
                one.isRestart &= !one.isAsked;
                one.since = os.world.nanos();
            }
            case BACKOFF -> {
                one.isUp = false;
                one.mainIsKnown = true;
                one.isRestart = true;
                one.isAsked = false;
                one.since = os.world.nanos();
            }
            case STOPPING, STOPPED, EXITED, FATAL -> {
                one.isUp = false;
                one.isRestart = false;
                one.mainIsKnown |= happening.event().equals("exited");
                one.since = os.world.nanos();
                Object code = happening.details().get("code");
                one.saidToHaveSucceeded = one.state == ServiceState.EXITED
                        && code instanceof Long number
                        && one.spec.successExitCodes().contains(number.intValue());
            }
        }
        if (one.isDown()) {
            one.first = Set.of();
        }
    }

    private void asked(Happening asked) {
        Object what = asked.details().get("what");
        if (!"start".equals(what) && !"restart".equals(what) && !"stop".equals(what)) {
            return;
        }
        Set<String> names = new HashSet<>();
        ((List<?>) asked.details().get("services")).forEach(name -> names.add((String) name));
        for (String name : names) {
            One one = services.get(name);
            one.isAsked = true;
            if (!"start".equals(what) || one.state != ServiceState.WAITING) {
                // One that waits goes on waiting, and its start may be on its way by now.
                one.since = os.world.nanos();
            }
            one.first = Set.of();
        }
        for (One one : services.values()) {
            if (!one.first.isEmpty()) {
                one.first = new HashSet<>(one.first);
                one.first.removeAll(names);
            }
        }
        if ("stop".equals(what)) {
            stopTogether(names);
        }
    }

    /** Of these, and of what they depend on, whatever is up. */
    private void stopTogether(Set<String> names) {
        for (String name : names) {
            Set<String> first = new HashSet<>();
            for (String other : names) {
                One dependent = services.get(other);
                if (!dependent.hasBeenNamed) {
                    continue;
                }
                for (Dependency dependency : dependent.spec.dependsOn()) {
                    boolean isUp = !dependent.isDown() || !nothingLives(dependent);
                    if (dependency.on().value().equals(name) && isUp) {
                        first.add(other);
                    }
                }
            }
            services.get(name).first = first;
        }
    }

    /** Another file is taken over. */
    void configured(Configuration next, Set<String> removed, Set<String> afresh) {
        look();
        take(next);
        groups.configured(next);
        ladders.configured(next);
        services.values().forEach(one -> one.first = Set.of());
        stopTogether(removed);
        for (String name : afresh) {
            services.get(name).isAsked = true;
            services.get(name).since = os.world.nanos();
        }
        look();
    }
}
