package io.jsupervise.sim;

import io.jsupervise.journal.ServiceRecord;
import io.jsupervise.lifecycle.End;
import io.jsupervise.lifecycle.History;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.spec.Heartbeat;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.supervision.Ask.Act.Verb;
import io.jsupervise.supervision.Happening;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What can be known from outside of one service, whose supervisor is killed now and then, and the promises about it. Its
 * books begin anew where the truth is on the disk: with each life of the supervisor.
 */
final class CrashWatch {
    private ServiceSpec spec;
    private boolean isNamed = true;
    private final World world;
    private final ProcessTable processes;
    /** What a supervisor found after an end in order: it starts afresh, and may be killed before it has recorded that. */
    private Optional<ServiceRecord> forgiven = Optional.empty();

    private final Predicate<SimulatedProcess> wasNoted;
    private final Map<String, SimulatedProcess> byRun = new HashMap<>();
    private final Set<SimulatedProcess> givenUp = new HashSet<>();

    /** Somebody wanted something of them, so they may be signalled. */
    private final Set<SimulatedProcess> disturbed = new HashSet<>();

    private ServiceState state = ServiceState.STOPPED;

    /** What was given to be recorded last; at the beginning of a life what the disk has. */
    private Optional<ServiceRecord> last = Optional.empty();

    /** What a power cut must leave. */
    private Optional<ServiceRecord> durable = Optional.empty();

    private boolean powerIsGone;
    private String boot = "";
    private long asks;
    private boolean diskMayFail;

    /** Of the last ask, if somebody has been told that it is recorded, and nothing was asked since. */
    private Optional<Verb> firm = Optional.empty();

    private boolean askedInThisLife;
    private boolean disturbedInThisLife;

    /** It was stopped, EXITED or FATAL when this life began, and nobody has asked since. */
    private Optional<String> rests = Optional.empty();

    /** @param wasNoted whether there is a note of the start of a main process */
    CrashWatch(ServiceSpec spec, SimulatedOs os, Predicate<SimulatedProcess> wasNoted) {
        this.spec = spec;
        this.wasNoted = wasNoted;
        this.world = os.world;
        this.processes = os.processes;
    }

    String name() {
        return spec.name().value();
    }

    ServiceState state() {
        return state;
    }

    boolean isGivenUp(SimulatedProcess process) {
        return givenUp.contains(process);
    }

    /** Whoever still lives is no longer waited for. */
    void giveUp(Collection<SimulatedProcess> processes) {
        for (SimulatedProcess process : processes) {
            if (process.service().equals(name()) && !process.isMain) {
                givenUp.add(process);
            }
        }
    }

    /** What is not written or not read is unknown. */
    void diskMayFail() {
        diskMayFail = true;
    }

    // ---- lives ----

    void powerGoes(Optional<ServiceRecord> synced) {
        durable = synced;
        powerIsGone = true;
        byRun.clear();
    }

    /**
     * @param named what the services file says of it; empty where that does not name it
     * @param found what the new supervisor will find on the disk
     * @param main  the main process that it will find
     */
    void lifeBegins(
            Optional<ServiceSpec> named,
            Optional<ServiceRecord> found,
            Optional<SimulatedProcess> main,
            String newBoot,
            boolean endedInOrder) {
        named.ifPresent(known -> spec = known);
        isNamed = named.isPresent();
        if (powerIsGone && durable.isPresent()) {
            if (found.isEmpty()) {
                throw new Violation("promise 3", "the record of " + name() + " was synced, and is gone");
            }
            if (!isContinued(durable.get().history(), found.get().history())) {
                throw new Violation(
                        "promise 3",
                        "the record of " + name() + " is older than what was synced: " + found + " for " + durable);
            }
        }
        powerIsGone = false;
        rests = restsAs(found, main.isPresent(), newBoot, endedInOrder);
        if (!isNamed && !restsByOperator()) {
            rests = Optional.empty();
        }
        if (firm.isPresent()) {
            Wanted wanted = wish(firm.get());
            if (found.isEmpty() || found.get().wanted() != wanted) {
                throw new Violation(
                        "promise 6", name() + " was recorded as wanted " + wanted + ", the disk says " + found);
            }
        }
        boolean fileDecides = found.filter(
                        record -> record.commanded() || record.living().isPresent())
                .isEmpty();
        boolean isDown = found.isPresent() && found.get().wanted() == Wanted.DOWN;
        if (!isNamed || isDown || fileDecides && !spec.autostart()) {
            // Whoever was started since then was not recorded as wanted.
            disturbed.addAll(byRun.values());
        }
        if (!isNamed && !firm.equals(Optional.of(Verb.STOP))) {
            // Whoever is no longer named is not wanted any more.
            firm = Optional.empty();
        }
        last = found;
        boot = newBoot;
        state = ServiceState.STOPPED;
        askedInThisLife = false;
        disturbedInThisLife = false;
    }

    private Optional<String> restsAs(
            Optional<ServiceRecord> found, boolean runs, String newBoot, boolean endedInOrder) {
        if (firm.equals(Optional.of(Verb.STOP))) {
            return Optional.of("stopped by an operator who heard that this is recorded");
        }
        if (found.isEmpty() || found.get().living().isPresent() || runs) {
            return Optional.empty();
        }
        if (found.get().commanded() && found.get().wanted() == Wanted.DOWN) {
            return Optional.of("recorded as stopped by an operator");
        }
        boolean isFinal =
                found.get().state() == ServiceState.FATAL || found.get().state() == ServiceState.EXITED;
        if (endedInOrder) {
            forgiven = found;
        }
        boolean hasJustCrashed = found.get().bootId().equals(newBoot) && !found.equals(forgiven);
        return isFinal && hasJustCrashed
                ? Optional.of("recorded as " + found.get().state())
                : Optional.empty();
    }

    /** The disk cannot be read. */
    void recordIsLost() {
        last = Optional.empty();
        durable = Optional.empty();
        firm = Optional.empty();
        if (!spec.autostart()) {
            // That somebody wanted it is forgotten as well.
            disturbed();
        }
        beginsAfresh();
    }

    /** Nobody knows that the supervisor before was killed. */
    void beginsAfresh() {
        if (!firm.equals(Optional.of(Verb.STOP))) {
            rests = Optional.empty();
        }
    }

    private static Wanted wish(Verb verb) {
        return verb == Verb.STOP ? Wanted.DOWN : Wanted.UP;
    }

    private boolean restsByOperator() {
        return rests.isPresent() && rests.get().contains("operator");
    }

    /**
     * Another file was taken over.
     *
     * @param named     what it says of this service
     * @param isRemoved it was named before
     * @param isAfresh  it may be started now
     */
    void configured(Optional<ServiceSpec> named, boolean isRemoved, boolean isAfresh) {
        named.ifPresent(known -> spec = known);
        isNamed = named.isPresent();
        if (!isRemoved && !isAfresh) {
            return;
        }
        disturbed();
        // Whoever has asked before, and hears of it only now, may hear what is no longer so.
        asks++;
        if (!firm.equals(Optional.of(Verb.STOP))) {
            firm = Optional.empty();
        }
        if (!restsByOperator()) {
            rests = Optional.empty();
        }
    }

    /** Whether {@code process} is left alone when its main process has ended. */
    boolean spares(SimulatedProcess process) {
        return !spec.stop().killMode().endsTree() && !process.isMain && !process.isHook();
    }

    // ---- what is asked ----

    /** Returns the number of this ask. */
    long asked(Verb verb) {
        firm = Optional.empty();
        askedInThisLife = true;
        if (verb != Verb.START) {
            disturbed();
        }
        if (verb != Verb.STOP) {
            rests = Optional.empty();
        }
        return ++asks;
    }

    void answered(long number, Verb verb, Optional<ServiceRecord> synced) {
        if (number == asks) {
            firm = Optional.of(verb);
            if (synced.isEmpty() || synced.get().wanted() != wish(verb)) {
                throw new Violation(
                        "promise 6",
                        "the answer says recorded, the disk does not want it " + wish(verb) + ": " + synced);
            }
        }
    }

    /** Somebody wants something of its process, whichever that is in this life. */
    void disturbed() {
        disturbedInThisLife = true;
        disturbed.addAll(byRun.values());
    }

    void settled() {
        disturbedInThisLife = false;
        disturbed.clear();
    }

    // ---- what really happens ----

    /** Promise 6. */
    void mayStart() {
        if (rests.isPresent()) {
            throw new Violation("promise 6", name() + " is started, though it was " + rests.get());
        }
    }

    void spawned(SimulatedProcess process) {
        byRun.put(process.run(), process);
        if (disturbedInThisLife) {
            disturbed.add(process);
        }
    }

    /** Promise 4: who runs well is adopted, and left alone. */
    void mayBeSignalled(SimulatedProcess process) {
        if (process.isHook()) {
            // OrderWatch knows until when one may run; and whoever stops its service, or ends itself, ends it sooner.
            return;
        }
        SimulatedProcess main = byRun.get(process.run());
        boolean isLeftBehind = !process.isMain && (main == null || !main.isAlive());
        // Whoever may end a main process may end all that hangs on it.
        if (!isLeftBehind && !disturbed.contains(process.maker.orElse(process))) {
            throw new Violation("promise 4", process + " is signalled, and there is no reason for that");
        }
    }

    // ---- what the supervisor says ----

    void told(Happening happening, Optional<SimulatedProcess> main) {
        if (happening.to().isPresent()) {
            state = happening.to().get();
        }
        if (happening.event().equals("stopping")
                && "heartbeat".equals(happening.details().get("cause"))
                && main.isPresent()) {
            hangs(main.get());
        }
        String cause = String.valueOf(happening.details().get("cause"));
        boolean isSilent = cause.equals("notify") || cause.equals("start-timeout");
        if (happening.event().equals("stopping") && isSilent && main.isPresent()) {
            Sayings.condemned(spec, main.get(), cause, world.nanos());
            disturbed.add(main.get());
        }
        boolean goesAlong =
                happening.event().equals("stopping") && (cause.equals("group") || cause.equals("dependency"));
        boolean wasOnItsWay = happening.event().equals("started") && state == ServiceState.STOPPING;
        if (goesAlong || wasOnItsWay) {
            main.ifPresent(disturbed::add);
        }
        if (happening.event().equals("stopping") && (cause.equals("post-start") || cause.equals("check"))) {
            main.ifPresent(disturbed::add);
        }
    }

    /** Promise 9: whoever is said to hang does. Programs beat in time or not at all. */
    private void hangs(SimulatedProcess process) {
        Heartbeat heartbeat = spec.heartbeat().orElseThrow();
        boolean beatsOn = process.beatsUntil(world.nanos());
        long silent = world.nanos() - (process.beats > 0 ? process.lastBeatAt : process.bornAt);
        long limit = (process.beats > 0 ? heartbeat.timeout() : heartbeat.grace())
                .minus(Scenario.margin(heartbeat))
                .toNanos();
        if (beatsOn || silent < limit) {
            throw new Violation(
                    "promise 9",
                    "of " + process + " it is said that it hangs, silent for " + silent / 1_000_000 + " ms"
                            + (beatsOn ? ", and it beats on" : ""));
        }
        disturbed.add(process);
    }

    /**
     * No end and no restart that was recorded is forgotten; who lived in the record before has an end in this one.
     *
     * @return the ends that are new in it
     */
    List<End> recorded(ServiceRecord next) {
        History before = last.map(ServiceRecord::history).orElse(History.EMPTY);
        if (!isContinued(before, next.history())) {
            throw new Violation(
                    "the history",
                    "of " + name() + " is not what it was, and more: " + next.history() + " after " + before);
        }
        long more = next.history().restarts() - before.restarts();
        boolean mayBeTakenBack = askedInThisLife || disturbedInThisLife;
        if (more < (mayBeTakenBack ? -1 : 0) || more > 1) {
            throw new Violation("the history", "of " + name() + " counts " + more + " restarts at once");
        }
        Optional<ServiceRecord.Living> lived = last.flatMap(ServiceRecord::living);
        boolean isAnother = lived.isPresent()
                && (next.living().isEmpty()
                        || !next.living().get().process().equals(lived.get().process()));
        if (isAnother && newEnds(before, next.history()) == 0) {
            throw new Violation("the history", lived.get() + " of " + name() + " has no end in " + next);
        }
        if (next.living().isPresent()) {
            SimulatedProcess process = byRun.get(next.living().get().run().value());
            boolean isIt = process != null
                    && process.identity.equals(next.living().get().process());
            if (!isIt && !mayBeTakenFor(process, next.living().get().process())) {
                throw new Violation(
                        "promise 4", "the record of " + name() + " names " + next.living() + ", which is " + process);
            }
        }
        last = Optional.of(next);
        List<End> ends = next.history().ends();
        return ends.subList(ends.size() - newEnds(before, next.history()), ends.size());
    }

    /**
     * Where neither record nor note of a run could be written or read, or the kill came between its start and the note, and
     * its main process has ended, what that left behind in a session of its own looks like one.
     */
    private boolean mayBeTakenFor(SimulatedProcess main, ProcessIdentity named) {
        if (main == null || main.isAlive() || !diskMayFail && wasNoted.test(main)) {
            return false;
        }
        Optional<SimulatedProcess> found = processes.find(named.pid().value());
        return found.isPresent()
                && found.get().identity.equals(named)
                && found.get().isStray
                && found.get().run().equals(main.run());
    }

    /** Whether {@code after} has all that {@code before} has, and maybe more. */
    private static boolean isContinued(History before, History after) {
        return newEnds(before, after) >= 0;
    }

    /** How many ends {@code after} has behind those of {@code before}; -1 where it does not continue that. */
    private static int newEnds(History before, History after) {
        List<End> old = before.ends();
        List<End> all = after.ends();
        for (int more = 0; more <= all.size(); more++) {
            int kept = all.size() - more;
            boolean dropsOnlyTheOldest = kept == old.size() || kept < old.size() && all.size() == History.MAX_ENDS;
            if (dropsOnlyTheOldest && areSame(old.subList(old.size() - kept, old.size()), all.subList(0, kept))) {
                return more;
            }
        }
        return -1;
    }

    /** The journal keeps durations in milliseconds, so what has been read differs a little from what was written. */
    private static boolean areSame(List<End> some, List<End> others) {
        for (int i = 0; i < some.size(); i++) {
            End one = some.get(i);
            End other = others.get(i);
            if (one != other
                    && !(one.at().equals(other.at())
                            && one.status().equals(other.status())
                            && one.reason().equals(other.reason()))) {
                return false;
            }
        }
        return true;
    }

    @Override
    public String toString() {
        return name() + " " + state + " in boot " + boot;
    }
}
