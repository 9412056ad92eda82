package io.jsupervise.daemon;

import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.os.Child;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.Poller;
import io.jsupervise.os.ProcessStat;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.Signal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * The main processes that are watched, from the moment when they are known until nothing of their group and their tree
 * ({@link Trees}) is left. The number that the
 * poller reports for a child is never used twice, so a report that comes late finds nothing. The loop's thread only.
 */
final class Children {
    private final Os os;
    private final Poller poller;
    private final Trees trees;
    private final Predicate<ServiceName> isLoaded;
    private final Consumer<Child> noMoreNeeded;
    private final Map<RunId, Watched> byRun = new HashMap<>();
    private final Map<Long, Watched> byToken = new HashMap<>();

    /** Those that the poller refused (epoll_ctl(2): ENOSPC, ENOMEM); they are asked in turn. */
    private final List<Watched> unpolled = new ArrayList<>();

    /** Ended, and not ours: their parent has to reap them before anybody else learns how. */
    private final List<Watched> untold = new ArrayList<>();

    /**
     * Ended, but something of the group remains; kept until the group is empty or the service runs again. By run, since a
     * service may have a main process and a hook that are both like that.
     */
    private final Map<RunId, Watched> unburied = new LinkedHashMap<>();

    /** Init may take its time to reap, but a service does not wait for ever to be started again. */
    static final Duration REAP_PATIENCE = Duration.ofSeconds(3);

    private static final int CHEAP_LOOKS = 3;
    private static final Duration GROUPS_VALID = Duration.ofMillis(5);

    private long lastToken;
    private Set<Integer> livingGroups = Set.of();
    private MonotonicTime groupsReadAt = MonotonicTime.BOOT;

    private static final class Watched {
        final ServiceName service;
        final RunId run;
        final Child child;
        final long token;

        /** What was started, where the service has named another as its main process since. */
        Optional<Child> started = Optional.empty();

        boolean reaped;
        int looks;
        MonotonicTime toldUntil = MonotonicTime.BOOT;

        /** Whose group it is: until this is reaped, nobody else can have its number. */
        Child leader() {
            return started.orElse(child);
        }

        Watched(ServiceName service, RunId run, Child child, long token) {
            this.service = service;
            this.run = run;
            this.child = child;
            this.token = token;
        }
    }

    /** What became of a child that was reported: of which service, and how it ended. */
    record Exit(ServiceName service, Event.ChildExited event) {}

    /** Of services that are executed by nobody but us. */
    Children(Os os, Poller poller, Trees trees, Consumer<Child> noMoreNeeded) {
        this(os, poller, trees, service -> false, noMoreNeeded);
    }

    /**
     * @param isLoaded     whether other programs are executed in front of that of a service
     * @param noMoreNeeded gets each child that is done with, to close its pidfd
     */
    Children(Os os, Poller poller, Trees trees, Predicate<ServiceName> isLoaded, Consumer<Child> noMoreNeeded) {
        this.os = os;
        this.poller = poller;
        this.trees = trees;
        this.isLoaded = isLoaded;
        this.noMoreNeeded = noMoreNeeded;
    }

    /** @throws OsException what an earlier run left cannot be given up; this one is watched all the same */
    void watch(ServiceName service, RunId run, Child child) throws OsException {
        Watched watched = add(service, run, child);
        byToken.put(watched.token, watched);
        try {
            poller.add(child.pidfd(), watched.token);
        } catch (OsException e) {
            unpolled.add(watched);
        }
        giveUpBefore(watched);
    }

    /**
     * A process that has ended already, and how is known: it only has to be buried.
     *
     * @throws OsException as {@link #watch}
     */
    void mourn(ServiceName service, RunId run, Child child) throws OsException {
        giveUpBefore(add(service, run, child));
    }

    private Watched add(ServiceName service, RunId run, Child child) {
        Watched watched = new Watched(service, run, child, lastToken++);
        byRun.put(run, watched);
        trees.begin(service, run, child);
        return watched;
    }

    /** Of a main process that ended while nobody watched, only members that were identified are known. */
    void watchRemains(ServiceName service, RunId run, ProcessIdentity member) {
        trees.beginWithout(service, run, member);
    }

    boolean someAreUnpolled() {
        return !unpolled.isEmpty();
    }

    /** Until when to wait at the most for the reap of processes that others have to reap; empty where there is none. */
    Optional<MonotonicTime> patience() {
        // The first is the one that has waited longest.
        return untold.isEmpty() ? Optional.empty() : Optional.of(untold.get(0).toldUntil);
    }

    /** Tokens of children that have to be asked at {@code now} because nobody reports them. */
    List<Long> tokensToAsk(MonotonicTime now) {
        if (unpolled.isEmpty() && untold.isEmpty()) {
            return List.of();
        }
        List<Long> tokens = new ArrayList<>();
        for (Watched watched : unpolled) {
            tokens.add(watched.token);
        }
        for (Watched watched : untold) {
            if (!now.isBefore(watched.toldUntil) && !unpolled.contains(watched)) {
                tokens.add(watched.token);
            }
        }
        return tokens;
    }

    /** How the child ended that was reported under {@code token}; empty where it has not, or is known to have. */
    Optional<Exit> exitOf(long token) throws OsException {
        Watched watched = byToken.get(token);
        if (watched == null) {
            return Optional.empty();
        }
        Optional<ExitStatus> status = peek(watched.child);
        if (status.isEmpty() && !watched.child.ours()) {
            status = ofUntold(watched);
        }
        if (status.isEmpty()) {
            return Optional.empty();
        }
        forgetToken(watched);
        // Who named another as its main process has been executed.
        boolean mayBeLoader = watched.started.isEmpty() && isLoaded.test(watched.service);
        Optional<String> program = mayBeLoader ? os.programName(watched.child) : Optional.empty();
        trees.endIsKnown(watched.child.pid());
        long forMemory = trees.killedForMemory(watched.run, status.get());
        return Optional.of(
                new Exit(watched.service, new Event.ChildExited(watched.run, status.get(), program, forMemory)));
    }

    /** One that somebody else has reaped will never tell, and would have us ask for ever. */
    private Optional<ExitStatus> peek(Child child) throws OsException {
        try {
            return os.peekExit(child);
        } catch (OsException e) {
            if (e.errno() == Errno.ECHILD) {
                return Optional.of(new ExitStatus.Unknown());
            }
            throw e;
        }
    }

    /** It may have ended all the same: then its parent gets some time to reap it, and nobody spins meanwhile. */
    private Optional<ExitStatus> ofUntold(Watched watched) throws OsException {
        if (!os.hasEnded(watched.child)) {
            return Optional.empty();
        }
        if (untold.contains(watched)) {
            boolean overdue = !os.now().isBefore(watched.toldUntil);
            return overdue ? Optional.of(new ExitStatus.Unknown()) : Optional.empty();
        }
        if (!unpolled.contains(watched)) {
            poller.awaitReap(watched.child.pidfd(), watched.token);
        }
        watched.toldUntil = os.now().plus(REAP_PATIENCE);
        untold.add(watched);
        // It may have ended, or been reaped, since it was asked.
        return os.peekExit(watched.child);
    }

    private void forgetToken(Watched watched) throws OsException {
        untold.remove(watched);
        byToken.remove(watched.token);
        if (!unpolled.remove(watched)) {
            poller.remove(watched.child.pidfd());
        }
    }

    /**
     * Another process of its tree is the main process of a run: its end is the end of the run. What was started stays what the
     * group is known by, and is reaped with it.
     *
     * @param isOpen whether the run goes on though the end of its former main process was seen
     */
    void nameMain(RunId run, Child named, boolean isOpen) {
        Watched before = byRun.get(run);
        boolean goesOn = before != null && (isOpen || byToken.containsKey(before.token));
        if (!goesOn) {
            noMoreNeeded.accept(named);
            return;
        }
        Watched after = new Watched(before.service, run, named, lastToken++);
        after.started = Optional.of(before.leader());
        try {
            if (byToken.containsKey(before.token)) {
                forgetToken(before);
            }
            poller.add(named.pidfd(), after.token);
        } catch (OsException e) {
            unpolled.add(after);
        }
        if (before.started.isPresent()) {
            trees.endIsKnown(before.child.pid());
            noMoreNeeded.accept(before.child);
        }
        byRun.put(run, after);
        byToken.put(after.token, after);
        trees.alsoHas(run, named.identity());
    }

    /** Sends a signal to a main process, or to all of its tree; nothing happens where the run has ended. */
    void signal(RunId run, Signal signal, boolean wholeTree) throws OsException {
        Watched watched = byRun.get(run);
        if (watched == null) {
            return;
        }
        if (wholeTree && signal.equals(Signal.KILL)) {
            trees.killGroup(run);
        }
        if (wholeTree) {
            // Who belongs to it can be told only as long as the main process lives.
            List<ProcessStat> others;
            try {
                others = trees.seen(run);
            } catch (OsException e) {
                // Whatever hides from us, its group is known without a look.
                os.signalGroup(watched.leader(), signal);
                throw e;
            }
            os.signalGroup(watched.leader(), signal);
            trees.signal(others, signal);
        } else {
            os.signal(watched.child, signal);
        }
    }

    /**
     * Kills a main process and its group, and asks nothing of all other processes: who has left the group loses its parent by that,
     * comes to us, and is found by {@link #bury} if it shows its mark.
     */
    void killGroup(RunId run) throws OsException {
        Watched watched = byRun.get(run);
        if (watched != null) {
            trees.killGroup(run);
            os.signalGroup(watched.leader(), Signal.KILL);
        }
    }

    /** Remembers who hangs on a main process that lives, as {@link #signal} to the whole tree does. */
    void lookAtTree(RunId run) throws OsException {
        if (byRun.containsKey(run)) {
            trees.seen(run);
        }
    }

    /**
     * Kills what is left of the tree of an ended main process, then reaps that, and tells whether nothing of it lives by
     * then, in which case nothing of it is kept. The main process is reaped last: until then nobody else can have the
     * number by which its group and its session are known.
     */
    boolean bury(RunId run) throws OsException {
        Watched watched = byRun.get(run);
        if (watched == null) {
            boolean empty = trees.end(run);
            if (empty) {
                trees.forget(run);
            }
            return empty;
        }
        unburied.put(run, watched);
        os.signalGroup(watched.leader(), Signal.KILL);
        if (!trees.end(run) || leaderLives(watched)) {
            return false;
        }
        reap(watched);
        // Not seen by the cheap looks at orphans, though it is killed: who has a living parent that has left the tree.
        if (os.groupExists(watched.leader()) && !onlyZombies(watched)) {
            return false;
        }
        unburied.remove(run);
        release(watched);
        return true;
    }

    private boolean leaderLives(Watched watched) throws OsException {
        return watched.started.isPresent() && !watched.reaped && !os.hasEnded(watched.started.get());
    }

    /**
     * Reaps an ended main process and lets everything else live that hangs on it; false where what was started, and has named
     * another as its main process, has not ended yet: it is killed, since nobody would reap it later.
     */
    boolean buryAlone(RunId run) throws OsException {
        Watched watched = byRun.get(run);
        if (watched != null && leaderLives(watched)) {
            os.signal(watched.leader(), Signal.KILL);
            return false;
        }
        if (watched != null) {
            trees.spare(watched.service);
            reap(watched);
            release(watched);
        } else {
            trees.forget(run);
        }
        return true;
    }

    /** What is left of an ended run is not waited for any longer. */
    void giveUp(RunId run) throws OsException {
        Watched remains = unburied.remove(run);
        if (remains != null) {
            try {
                reap(remains);
            } finally {
                release(remains);
            }
        }
    }

    /** What of an ended run lives, in words, as far as was looked. */
    List<String> left(RunId run) {
        return trees.left(run);
    }

    private void reap(Watched watched) throws OsException {
        if (!watched.reaped && watched.leader().ours()) {
            os.reap(watched.leader());
            watched.reaped = true;
            trees.mainIsReaped(watched.run);
        }
    }

    /**
     * What remains of earlier runs is no longer waited for when the service runs again; a hook only follows on hooks, and what
     * tells of it on what told of it.
     */
    private void giveUpBefore(Watched next) throws OsException {
        if (unburied.isEmpty() || next.run.isOfCheck()) {
            // A check follows on nothing but itself.
            return;
        }
        Optional<OsException> failure = Optional.empty();
        for (Watched remains : List.copyOf(unburied.values())) {
            boolean follows = !next.run.isOfHook() || remains.run.isOfHook() && !remains.run.isOfCheck();
            follows &= next.run.isOfAlert() == remains.run.isOfAlert();
            if (follows && remains.service.equals(next.service) && !remains.run.equals(next.run)) {
                try {
                    reap(remains);
                } catch (OsException e) {
                    // It stays a zombie, which harms nobody but the table of processes.
                    failure = Optional.of(e);
                }
                unburied.remove(remains.run);
                release(remains);
            }
        }
        if (failure.isPresent()) {
            throw failure.get();
        }
    }

    /**
     * Members that were killed may be zombies for as long as their parent likes; those hold nothing any more. The
     * first looks come at short intervals and do not pay for reading all of /proc.
     */
    private boolean onlyZombies(Watched watched) throws OsException {
        watched.looks++;
        if (watched.looks <= CHEAP_LOOKS) {
            return false;
        }
        MonotonicTime now = os.now();
        if (groupsReadAt.plus(GROUPS_VALID).isBefore(now)) {
            livingGroups = os.livingGroups();
            groupsReadAt = now;
        }
        return !livingGroups.contains(watched.leader().pid().value());
    }

    private void release(Watched watched) {
        byRun.remove(watched.run);
        trees.forget(watched.run);
        if (watched.run.isOfCheck()) {
            // Nobody kept it, and with nothing to record nothing else would follow that has it closed.
            os.release(watched.child);
            return;
        }
        noMoreNeeded.accept(watched.child);
        watched.started.ifPresent(noMoreNeeded);
    }
}
