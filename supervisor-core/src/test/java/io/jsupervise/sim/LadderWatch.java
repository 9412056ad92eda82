package io.jsupervise.sim;

import io.jsupervise.journal.JournalCodec;
import io.jsupervise.journal.JournalException;
import io.jsupervise.journal.ServiceRecord;
import io.jsupervise.journal.SupervisorRecord;
import io.jsupervise.lifecycle.Cause;
import io.jsupervise.lifecycle.Climb;
import io.jsupervise.lifecycle.End;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.Dependency;
import io.jsupervise.spec.RestartIntensity;
import io.jsupervise.spec.RestartPolicy;
import io.jsupervise.spec.Rung;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.supervision.Happening;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Ladders, looked after from outside, in one life or over many:
 *
 * <ul>
 *   <li>the rungs are taken one after another, none is left out, and none is taken before the service was restarted as often as
 *       its start limit says since the one before;
 *   <li>that one is taken stands on the disk before anything of it is done;
 *   <li>it is done once, unless a supervisor dies over it, and then it is told to be done again;
 *   <li>nothing starts while it is still to be done;
 *   <li>whoever works leaves the ladder, whoever does not stays on it;
 *   <li>FATAL comes behind the last rung and not before.
 * </ul>
 *
 * What an operator or a reload says is a new beginning.
 */
final class LadderWatch {
    private static final long MS = 1_000_000;
    private static final long S = 1_000_000_000;
    private static final long NEVER = Long.MAX_VALUE / 4;

    private final SimulatedOs os;
    private final Invariants.Excuses excuses;
    private final JournalCodec codec = new JournalCodec();
    private final Map<String, One> services = new HashMap<>();
    private Optional<FeedWatch> feed = Optional.empty();
    private boolean journalIsStale;

    /** Whatever is decided now is taken back. */
    private boolean isEnding;

    private boolean handsOver;

    /** When somebody was FATAL last who is so no longer. */
    private long recoveredAt = Long.MIN_VALUE / 2;

    /** One service. */
    private static final class One {
        ServiceSpec spec;
        ServiceState state = ServiceState.STOPPED;

        /** As recorded last. */
        Climb climb = Climb.FOOT;

        /** Nobody knows what the supervisor knows of it. */
        boolean isUnknown;

        /** Somebody wanted something of it, or of all, since the last rung was taken. */
        boolean mayBeForgiven;

        /** When a start began, or could not even be tried, since the last rung was taken, or ever. */
        final List<Long> starts = new ArrayList<>();

        /**
         * All of these since before the first rung of this life was taken, and the last that was: who is killed before that is
         * recorded has it taken again.
         */
        final List<Long> startsOfLife = new ArrayList<>();

        Optional<Climb> tookInThisLife = Optional.empty();

        SimulatedProcess main;

        /** When it was told to be ready; the first and the last time for one process. */
        long readyFirst = NEVER;

        long readyLast = NEVER;

        /** When it was no longer ready. */
        long stoppingAt = NEVER;

        long climbedAt;

        /** How often the present rung was told; of that as done again; and how often its command was run. */
        int told;

        int again;
        int commands;
        boolean toldInThisLife;

        /** The rung is no longer the one that was taken, or may not be. */
        boolean isEdited;

        /** What its record says of rungs that are due is void, and it has not been recorded since. */
        boolean beginsAfresh;

        /** This life began with that rung still to be done. */
        boolean wasFoundDue;

        /** Who is to be restarted for the present rung. */
        Set<SimulatedProcess> old = Set.of();

        /** Since when it is FATAL and nobody has said anything since, in this life. */
        long fatalSince = NEVER;

        Optional<Rung> rung() {
            return spec.escalation().rung(climb.taken());
        }

        boolean climbs() {
            return !spec.escalation().ladder().isEmpty() && spec.restart() != RestartPolicy.NEVER;
        }

        String name() {
            return spec.name().value();
        }
    }

    LadderWatch(SimulatedOs os, Invariants.Excuses excuses) {
        this.os = os;
        this.excuses = excuses;
    }

    /** Has the hardware watchdog looked after as well. */
    void watch(FeedWatch watch) {
        feed = Optional.of(watch);
    }

    // ---- for whoever drives ----

    void lifeBegins(Configuration file) {
        journalIsStale = false;
        isEnding = false;
        handsOver = false;
        configured(file);
        Optional<SupervisorRecord> supervisor = supervisorRecord();
        for (One one : services.values()) {
            Optional<ServiceRecord> found = record(one.name(), false);
            one.isUnknown = isDamaged(one.name()) || isDamaged("@supervisor");
            one.climb = found.map(record -> foundClimb(one, record, supervisor)).orElse(Climb.FOOT);
            if (one.tookInThisLife.isPresent() && !isOf(one.tookInThisLife.get(), one.climb)) {
                one.starts.clear();
                one.starts.addAll(one.startsOfLife);
            }
            boolean isUnrecorded = one.main != null
                    && found.flatMap(ServiceRecord::lastRun)
                            .filter(last -> last.process().equals(one.main.identity))
                            .isEmpty();
            if (isUnrecorded && !one.starts.isEmpty()) {
                // Whoever finds it by its mark or its note takes its start for one that is made now.
                one.starts.add(os.world.nanos());
            }
            one.startsOfLife.clear();
            one.startsOfLife.addAll(one.starts);
            one.tookInThisLife = Optional.empty();
            one.beginsAfresh = found.isPresent() && !holds(found.get(), supervisor);
            one.wasFoundDue = one.climb.due().isPresent();
            one.toldInThisLife = false;
            one.mayBeForgiven = isUnrecorded;
            one.stoppingAt = NEVER;
            one.fatalSince = NEVER;
            boolean knowsReady = found.flatMap(ServiceRecord::living)
                    .filter(living -> one.main != null && living.process().equals(one.main.identity))
                    .flatMap(ServiceRecord.Living::readyAt)
                    .isPresent();
            one.readyLast = knowsReady ? one.readyLast : NEVER;
            boolean holds = found.isPresent() && holds(found.get(), supervisor);
            // Whatever else it was is told when it is taken over.
            boolean isFatal = holds && found.get().state() == ServiceState.FATAL;
            one.state = isFatal ? ServiceState.FATAL : ServiceState.STOPPED;
            if (isFatal && file.services().contains(one.spec) && isWanted(found.get(), one.spec)) {
                one.fatalSince = os.world.nanos();
            }
        }
        feed.ifPresent(FeedWatch::lifeBegins);
    }

    private static boolean isOf(Climb one, Climb other) {
        return one.taken() == other.taken() && one.why().equals(other.why());
    }

    private static boolean isWanted(ServiceRecord record, ServiceSpec spec) {
        return record.commanded() ? record.wanted() == Wanted.UP : spec.autostart();
    }

    /** An end in order makes everything begin anew but for the ladder that has asked for it; so does another boot. */
    private Climb foundClimb(One one, ServiceRecord record, Optional<SupervisorRecord> supervisor) {
        Climb climb = record.history().climb();
        if (!record.bootId().equals(os.bootNow())) {
            return Climb.FOOT;
        }
        if (holds(record, supervisor)) {
            return climb;
        }
        boolean hasEndedIt = climb.due().isPresent()
                && one.spec.escalation().rung(climb.taken()).orElse(null) instanceof Rung.Shutdown;
        return hasEndedIt ? new Climb(climb.taken(), climb.why(), Optional.empty()) : Climb.FOOT;
    }

    private boolean holds(ServiceRecord record, Optional<SupervisorRecord> supervisor) {
        if (!record.bootId().equals(os.bootNow())) {
            return false;
        }
        if (supervisor.isEmpty()) {
            return true;
        }
        SupervisorRecord ours = supervisor.get();
        boolean isOlder = ours.freshSince().isPresent()
                && record.since().isPresent()
                && record.since().get().mono().isBefore(ours.freshSince().get());
        return !ours.endedInOrder() && !isOlder;
    }

    void configured(Configuration file) {
        for (ServiceSpec spec : file.services()) {
            One one = services.computeIfAbsent(spec.name().value(), name -> new One());
            one.isEdited |= one.spec != null && !one.spec.escalation().equals(spec.escalation());
            one.spec = spec;
        }
        for (One one : services.values()) {
            one.mayBeForgiven = true;
            one.old = Set.of();
            one.fatalSince = NEVER;
        }
        recoveredAt = os.world.nanos();
    }

    /** The loop has had a turn. */
    void afterTurn() {
        for (One one : services.values()) {
            // Who hands over does nothing any more that may as well be done by the next one.
            if (!handsOver && one.climb.taken() > 0 && one.state == ServiceState.RUNNING && hasSurelyWorked(one)) {
                throw new Violation("promise 8", one.name() + " works, and is still on its ladder: " + one.climb);
            }
        }
        feed.ifPresent(FeedWatch::afterTurn);
    }

    // ---- what is on the disk ----

    private Path journal(String name) {
        return Scenario.STATE.resolve("journal").resolve(name + ".json");
    }

    private boolean isDamaged(String name) {
        return os.disk
                .find(Scenario.STATE.resolve("journal").resolve(name + ".json.damaged"))
                .isPresent();
    }

    /** @param durable what a power cut would leave, and not what everybody sees */
    private Optional<ServiceRecord> record(String name, boolean durable) {
        Optional<byte[]> content = durable
                ? os.disk.durableContent(journal(name))
                : os.disk.find(journal(name)).map(os.disk::content);
        try {
            return content.isPresent() ? Optional.of(codec.decodeService(content.get())) : Optional.empty();
        } catch (JournalException e) {
            throw new Violation("promise 3", "the record of " + name + " does not decode: " + e.getMessage());
        }
    }

    /** Decoding takes long, and there is hardly ever one. */
    private boolean saysDue(String name) {
        Optional<byte[]> content = os.disk.durableContent(journal(name));
        return content.isPresent()
                && new String(content.get(), StandardCharsets.ISO_8859_1).contains("\"due_after_run_id\"");
    }

    private Optional<SupervisorRecord> supervisorRecord() {
        Optional<byte[]> content = os.disk.find(journal("@supervisor")).map(os.disk::content);
        try {
            return content.isPresent() ? Optional.of(codec.decodeSupervisor(content.get())) : Optional.empty();
        } catch (JournalException e) {
            throw new Violation("promise 3", "the supervisor's record does not decode: " + e.getMessage());
        }
    }

    private void isRecorded(One one, String what) {
        if (journalIsStale) {
            return;
        }
        Climb recorded =
                record(one.name(), true).map(record -> record.history().climb()).orElse(Climb.FOOT);
        if (recorded.taken() != one.climb.taken() || recorded.due().isEmpty()) {
            throw new Violation(
                    "promise 8", what + " for the ladder of " + one.name() + ", and on the disk there is " + recorded);
        }
    }

    // ---- what is recorded ----

    /** Returns whether its first rung is taken, and more than a reboot follows. */
    boolean recorded(Service service) {
        One one = services.get(service.name().value());
        Climb next = service.history().climb();
        if (one != null) {
            one.beginsAfresh = false;
        }
        if (one == null || one.climb.equals(next)) {
            return false;
        }
        boolean isFirst =
                next.taken() == 1 && next.due().isPresent() && !next.due().equals(one.climb.due());
        moved(one, next, service);
        return isFirst;
    }

    private void moved(One one, Climb next, Service service) {
        Climb before = one.climb;
        one.climb = next;
        if (one.isUnknown) {
            one.isUnknown = false;
            beginsRung(one);
            one.mayBeForgiven = true;
            one.wasFoundDue = next.found();
            return;
        }
        boolean isSame = next.taken() == before.taken();
        boolean isNew = next.taken() == 1
                && (next.due().isPresent()
                        ? !next.due().equals(before.due())
                        : !isSame && service.state() == ServiceState.FATAL);
        if (isNew && before.taken() > 0) {
            // It left the ladder and came back to it with one and the same end.
            if (!one.mayBeForgiven && !mayHaveWorked(one)) {
                throw new Violation("promise 8", one.name() + " has not worked, and begins anew: " + next);
            }
            one.mayBeForgiven = true;
            takes(one, next, service);
        } else if (next.taken() == before.taken() + 1) {
            takes(one, next, service);
        } else if (isSame && next.due().equals(before.due())) {
            // By another supervisor.
            return;
        } else if (isSame && next.due().isEmpty()) {
            isDone(one, next);
        } else if (next.equals(Climb.FOOT) && (one.mayBeForgiven || mayHaveWorked(one))) {
            one.old = Set.of();
        } else if (next.taken() == before.taken() - 1 && before.due().isPresent() && one.mayBeForgiven) {
            one.old = Set.of();
        } else {
            throw new Violation("promise 8", "the ladder of " + one.name() + " stands at " + next + " after " + before);
        }
    }

    private void takes(One one, Climb next, Service service) {
        ServiceSpec spec = service.spec();
        Optional<Rung> rung = spec.escalation().rung(next.taken());
        boolean isReboot = rung.orElse(null) instanceof Rung.Reboot;
        if (rung.isEmpty() || next.due().isPresent() == isReboot || next.why().isEmpty()) {
            throw new Violation("promise 8", one.name() + " takes a rung that it has not: " + next);
        }
        if (service.state() != (isReboot ? ServiceState.FATAL : ServiceState.BACKOFF)) {
            throw new Violation("promise 8", one.name() + " takes a rung and is " + service.state());
        }
        if (next.taken() > 1 && hasSurelyWorked(one)) {
            throw new Violation("promise 8", one.name() + " had worked, and takes the next rung: " + next);
        }
        wereEnough(one, next, service);
        one.tookInThisLife = Optional.of(next);
        beginsRung(one);
    }

    private void beginsRung(One one) {
        one.mayBeForgiven = isEnding;
        one.starts.clear();
        one.climbedAt = os.world.nanos();
        one.isEdited = false;
        one.told = 0;
        one.again = 0;
        one.commands = 0;
        one.toldInThisLife = false;
        one.wasFoundDue = false;
        one.old = Set.of();
    }

    /** Each rung gives it as many restarts as its limit says, and at least one. */
    private void wereEnough(One one, Climb next, Service service) {
        if (one.mayBeForgiven && next.taken() == 1) {
            return;
        }
        boolean isSpent = next.why().contains(" did not help");
        RestartIntensity limit =
                service.spec().startLimit().orElse(new RestartIntensity(0, java.time.Duration.ofDays(1)));
        int least = Math.max(isSpent ? limit.count() : 0, next.taken() > 1 ? 1 : 0);
        long since = isSpent ? os.world.nanos() - limit.within().toNanos() - S : Long.MIN_VALUE;
        Cause cause = service.history().lastEnd().map(End::cause).orElse(Cause.EXIT);
        long counted = one.starts.stream().filter(at -> at >= since).count();
        // One that could not even be tried is told after it is recorded.
        counted += cause == Cause.START_FAILED || cause == Cause.PRE_START ? 1 : 0;
        if (counted < least) {
            throw new Violation(
                    "promise 8",
                    one.name() + " takes rung " + next.taken() + " after " + counted + " starts, may have " + least
                            + ": " + next.why());
        }
    }

    private void isDone(One one, Climb next) {
        if (one.rung().isPresent() && one.told == 0 && !one.mayBeForgiven) {
            throw new Violation("promise 8", one.name() + " has done what it never told: " + next);
        }
        for (SimulatedProcess process : one.old) {
            if (process.isAlive()) {
                throw new Violation(
                        "promise 8",
                        "the ladder of " + one.name() + " has restarted others, and " + process + " lives");
            }
        }
        one.old = Set.of();
    }

    // ---- whether it works ----

    private boolean mayHaveWorked(One one) {
        if (one.main == null || one.spec.isOneshot()) {
            return false;
        }
        long ready = one.readyFirst == NEVER ? one.main.bornAt : one.readyFirst;
        long enough = one.spec.escalation().stableFor().toNanos();
        return os.world.nanos() - ready + unsure(one) >= enough;
    }

    private boolean hasSurelyWorked(One one) {
        if (one.readyLast == NEVER || one.spec.isOneshot()) {
            return false;
        }
        long until = Math.min(os.world.nanos(), one.stoppingAt);
        long enough =
                one.spec.escalation().stableFor().plus(one.spec.longestHang()).toNanos();
        return until - one.readyLast - unsure(one) > enough;
    }

    private long unsure(One one) {
        return excuses.between(os.world.nanos() - 120 * S, os.world.nanos()) + ServiceWatch.SOON;
    }

    // ---- what really happens ----

    void spawned(SimulatedProcess process) {
        One one = services.get(process.service());
        if (one != null && !process.isHook()) {
            one.main = process;
            one.readyFirst = NEVER;
            one.readyLast = NEVER;
            one.stoppingAt = NEVER;
        }
    }

    private void tries(One one) {
        one.starts.add(os.world.nanos());
        one.startsOfLife.add(os.world.nanos());
    }

    /** A start of {@code service} begins. */
    void begins(String service) {
        One one = services.get(service);
        tries(one);
        one.main = null;
        one.readyFirst = NEVER;
        one.readyLast = NEVER;
        one.stoppingAt = NEVER;
        if (!one.climbs() || journalIsStale || one.isUnknown) {
            return;
        }
        Optional<ServiceRecord> record = saysDue(service) ? record(service, true) : Optional.empty();
        if (record.isPresent()
                && record.get().bootId().equals(os.bootNow())
                && record.get().history().climb().due().isPresent()
                && !one.beginsAfresh) {
            throw new Violation(
                    "promise 8",
                    service + " is started, and a rung is still to be taken: "
                            + record.get().history().climb());
        }
    }

    /** A process is about to be made. */
    void attempted(SpawnRequest request) {
        if (!request.environment().getOrDefault("JSUPERVISE_HOOK", "").equals("escalate")) {
            return;
        }
        One one = services.get(request.environment().get("JSUPERVISE_SERVICE"));
        int rung = Integer.parseInt(request.environment().get("JSUPERVISE_RUNG"));
        if (one.isUnknown || one.mayBeForgiven) {
            // Its spawn may have been on its way when somebody ended the climb: it is killed at once then.
            return;
        }
        if (rung != one.climb.taken() || !one.toldInThisLife || ++one.commands > 1 + one.again) {
            throw new Violation(
                    "promise 8",
                    "the command of rung " + rung + " of " + one.name() + " is run, told " + one.told + " times, "
                            + one.again + " of them as done again: " + one.climb);
        }
        isRecorded(one, "a command is run");
    }

    // ---- what the supervisor says ----

    void told(Happening happening) {
        if (happening.service().isEmpty()) {
            toldOfAll(happening);
            feed.ifPresent(watch -> watch.told(happening));
            return;
        }
        One one = services.get(happening.service().get().value());
        if (one == null) {
            return;
        }
        switch (happening.event()) {
            case "escalating" -> escalates(one, happening);
            case "gave-up" -> isGivenUp(one, happening);
            case "start-failed" -> tries(one);
            case "restarting-others" -> {
                if (isOfItsLadder(happening.details().get("reason"), one)) {
                    isRecorded(one, "others are restarted");
                }
            }
            case "journal-damaged" -> one.isUnknown = true;
            case "group-remains" -> services.values().forEach(other -> other.old = Set.of());
            default -> {}
        }
        if (happening.to().isPresent()) {
            arrives(one, happening.to().get());
        }
    }

    private void arrives(One one, ServiceState to) {
        if (to == ServiceState.RUNNING) {
            one.readyFirst = Math.min(one.readyFirst, os.world.nanos());
            // A oneshot that is made a service while it runs is judged at its end.
            one.readyLast = one.spec.isOneshot() ? NEVER : os.world.nanos();
        } else if (one.state == ServiceState.RUNNING) {
            one.stoppingAt = Math.min(one.stoppingAt, os.world.nanos());
        }
        if (one.state == ServiceState.FATAL) {
            recoveredAt = os.world.nanos();
        }
        one.fatalSince = to == ServiceState.FATAL ? os.world.nanos() : NEVER;
        one.state = to;
    }

    private static boolean isOfItsLadder(Object reason, One one) {
        return String.valueOf(reason).startsWith("the ladder of \"" + one.name() + "\"");
    }

    private void escalates(One one, Happening happening) {
        long rung = (Long) happening.details().get("rung");
        boolean again = happening.details().containsKey("again");
        boolean isIt = rung == one.climb.taken()
                && one.rung().isPresent()
                && one.rung().get().word().equals(happening.details().get("action"))
                && happening.details().get("rungs").equals((long)
                        one.spec.escalation().ladder().size());
        boolean isEditedReboot = one.isEdited && one.rung().orElse(null) instanceof Rung.Reboot;
        boolean isKnown = !one.isUnknown && !isEditedReboot;
        if (isKnown && (!isIt || one.toldInThisLife || again != one.wasFoundDue)) {
            throw new Violation(
                    "promise 8",
                    "what is told of the ladder of " + one.name() + " is not so: " + happening + ", but " + one.climb
                            + (one.toldInThisLife ? ", told before" : "") + (one.wasFoundDue ? ", found due" : ""));
        }
        one.told++;
        one.again += again ? 1 : 0;
        one.toldInThisLife = true;
        one.wasFoundDue = false;
        if (one.rung().orElse(null) instanceof Rung.RestartDependents) {
            one.old = restartable(one);
        }
    }

    /** What runs of those that depend on it, and was made before the rung was taken. */
    private Set<SimulatedProcess> restartable(One root) {
        Set<String> names = dependents(root.name());
        Set<SimulatedProcess> found = new HashSet<>();
        for (SimulatedProcess process : os.processes.all()) {
            boolean counts = process.isMainOfService() && process.isAlive() && !process.isStranger;
            One other = counts && names.contains(process.service()) ? services.get(process.service()) : null;
            boolean isUp = other != null
                    && other.main == process
                    && (other.state == ServiceState.STARTING || other.state == ServiceState.RUNNING);
            if (isUp && !other.mayBeForgiven && process.bornAt < root.climbedAt) {
                found.add(process);
            }
        }
        return found;
    }

    private Set<String> dependents(String root) {
        Set<String> all = new HashSet<>();
        boolean grows = true;
        while (grows) {
            grows = false;
            for (One one : services.values()) {
                for (Dependency dependency : one.spec.dependsOn()) {
                    String on = dependency.on().value();
                    grows |=
                            (on.equals(root) || all.contains(on)) && !one.name().equals(root) && all.add(one.name());
                }
            }
        }
        return all;
    }

    private void isGivenUp(One one, Happening happening) {
        tries(one);
        boolean isBehind = one.spec.escalation().rung(one.climb.taken() + 1).isEmpty();
        if (one.climbs() && !isBehind && !one.isUnknown) {
            throw new Violation("promise 8", one.name() + " is given up before its last rung: " + happening);
        }
    }

    private void toldOfAll(Happening happening) {
        switch (happening.event()) {
            case "asked" -> {
                for (Object name : (List<?>) happening.details().get("services")) {
                    forgive(services.get((String) name));
                }
                services.values().forEach(one -> one.old = Set.of());
            }
            case "shutdown-begun" -> {
                isEnding = true;
                for (One one : services.values()) {
                    if (isOfItsLadder(happening.details().get("by"), one)) {
                        asksForTheEnd(one);
                    }
                }
                services.values().forEach(this::forgive);
            }
            case "hand-over-begun" -> {
                handsOver = true;
                services.values().forEach(one -> one.old = Set.of());
            }
            case "hand-over-given-up" -> handsOver = false;
            case "journal-stale" -> journalIsStale = true;
            case "journal-recovered" -> journalIsStale = false;
            case "journal-damaged" -> services.values().forEach(one -> one.isUnknown = true);
            default -> {}
        }
    }

    private void forgive(One one) {
        if (one != null) {
            one.mayBeForgiven = true;
            one.old = Set.of();
            one.fatalSince = NEVER;
            recoveredAt = os.world.nanos();
        }
    }

    private void asksForTheEnd(One one) {
        boolean isIt = one.rung().orElse(null) instanceof Rung.Shutdown && one.toldInThisLife;
        if (!isIt && !one.isUnknown) {
            throw new Violation(
                    "promise 8", "the supervisor ends for " + one.name() + ", whose ladder is at " + one.climb);
        }
        isRecorded(one, "the supervisor ends");
    }

    // ---- who is beyond its ladder ----

    private static boolean asksForReset(One one) {
        return one.spec.critical() || one.rung().orElse(null) instanceof Rung.Reboot;
    }

    /** Whether {@code service} may withhold the feed. */
    boolean mayBeBroken(String service) {
        One one = services.get(service);
        return one != null && one.state == ServiceState.FATAL && (asksForReset(one) || one.isUnknown);
    }

    long recoveredAt() {
        return recoveredAt;
    }

    /** Who withholds the feed for sure, and since when that is so. */
    Map<String, Long> broken() {
        Map<String, Long> broken = new HashMap<>();
        for (One one : services.values()) {
            if (one.fatalSince != NEVER && !one.isUnknown && asksForReset(one)) {
                broken.put(one.name(), one.fatalSince);
            }
        }
        return broken;
    }

    /** Whether {@code service} may be restarted for the ladder of another one, or have others restarted for its own. */
    static boolean mayRestart(String service, Map<String, ServiceSpec> file) {
        for (ServiceSpec root : file.values()) {
            for (Rung rung : root.escalation().ladder()) {
                boolean restarts = rung instanceof Rung.RestartDependents || rung instanceof Rung.RestartGroup;
                if (restarts && (root.name().value().equals(service) || needs(service, root, file))) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean needs(String service, ServiceSpec root, Map<String, ServiceSpec> file) {
        ServiceSpec spec = file.get(service);
        if (spec == null) {
            return false;
        }
        for (Dependency one : spec.dependsOn()) {
            String on = one.on().value();
            if (on.equals(root.name().value()) || needs(on, root, file)) {
                return true;
            }
        }
        return false;
    }
}
