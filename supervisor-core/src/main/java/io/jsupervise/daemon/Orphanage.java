package io.jsupervise.daemon;

import io.jsupervise.lifecycle.Bearer;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.ProcessStat;
import io.jsupervise.spec.Signal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The orphans that have become our children: what they were when we first saw them, and their zombies, which only we can
 * remove. Nothing wakes us for an orphan: SIGCHLD would come for every death of a main process too, and a handler of the
 * JVM costs a thread each time. So there is a look every few seconds, sooner where the last one found much to do. What an
 * orphan was is remembered until it is reaped, for until then nobody else can have its number. The loop's thread only.
 */
final class Orphanage {
    static final Duration LONGEST_INTERVAL = Duration.ofSeconds(5);
    static final Duration SHORTEST_INTERVAL = Duration.ofMillis(100);

    /** Who is just being executed shows no environment for a moment (exec_mmap in fs/exec.c), so one look is not enough. */
    private static final int LOOKS_FOR_MARK = 3;

    private static final int ROUNDS = 50;

    /** The loop waits meanwhile, with all other services: what takes longer is not settled, and looked at again. */
    private static final Duration LONGEST_SETTLING = Duration.ofMillis(50);

    /** Reaped at one look: 5 us each. */
    private static final int REAPED_AT_ONCE = 1_000;

    private final Os os;
    private final Path fifos;
    private final Map<Integer, Orphan> known = new HashMap<>();
    private final Set<Integer> kept = new HashSet<>(0);
    private boolean settled = true;
    private boolean mayBeOfOthers;
    private Duration interval = LONGEST_INTERVAL;
    private Optional<MonotonicTime> nextLook = Optional.empty();

    /** An orphan as it was when it was first seen. */
    static final class Orphan {
        final ProcessIdentity identity;
        final int group;
        final int session;
        Optional<Bearer> mark;
        private int looksForMark = 1;
        private boolean killed;

        Orphan(ProcessStat stat, Optional<Bearer> mark) {
            this.identity = stat.identity();
            this.group = stat.group();
            this.session = stat.session();
            this.mark = mark;
        }

        Pid pid() {
            return identity.pid();
        }
    }

    /** @param fifos where the output of services goes, which is a mark too */
    Orphanage(Os os, Path fifos) {
        this.os = os;
        this.fifos = fifos;
    }

    /**
     * Becomes the parent of orphans. A shell that started something beside us and then became us (exec) has left us
     * children that are none of our services; neither are their orphans.
     */
    void open() throws OsException {
        mayBeOfOthers = !os.orphans().isEmpty();
        os.becomeParentOfOrphans();
    }

    boolean mayBeOfOthers() {
        return mayBeOfOthers;
    }

    /**
     * Those that live, as far as is known without looking at each anew. Whoever has ended between the list and the look at it
     * may have left children that are not in the list: so the list is read until nobody on it has. Something that forks and
     * ends all the time would never be caught at rest otherwise. Who showed no mark may have ended just before it was read, so
     * such a look does not count either, until that orphan was looked at as often as it takes.
     */
    List<Orphan> living() throws OsException {
        List<Orphan> living = present();
        if (!settled) {
            MonotonicTime until = os.now().plus(LONGEST_SETTLING);
            for (int round = 1; round < ROUNDS && !settled && os.now().isBefore(until); round++) {
                living = present();
            }
        }
        return living;
    }

    /** Whether {@link #living} was the whole truth for a moment. */
    boolean isSettled() {
        return settled;
    }

    /** One of {@link #living} was found to have ended: what it left may not have been in the list. */
    void hasEnded(Orphan orphan) {
        settled = false;
        reap(orphan.pid());
    }

    private List<Orphan> present() throws OsException {
        List<Pid> pids = os.orphans();
        settled = true;
        if (pids.isEmpty()) {
            known.clear();
            return List.of();
        }
        List<Orphan> living = new ArrayList<>();
        for (Pid pid : pids) {
            Orphan orphan = known.get(pid.value());
            if (orphan == null) {
                orphan = meet(pid);
            } else if (orphan.killed && reap(pid)) {
                orphan = null;
            } else if (orphan.mark.isEmpty() && orphan.looksForMark < LOOKS_FOR_MARK) {
                orphan.looksForMark++;
                orphan.mark = os.bearer(pid, fifos);
            }
            if (orphan != null && orphan.mark.isEmpty() && reap(pid)) {
                orphan = null;
            }
            if (orphan != null) {
                settled &= orphan.mark.isPresent() || orphan.looksForMark == LOOKS_FOR_MARK;
                living.add(orphan);
            }
        }
        return living;
    }

    /** Null for a zombie, which is reaped. */
    private Orphan meet(Pid pid) throws OsException {
        if (reap(pid)) {
            return null;
        }
        Optional<ProcessStat> stat = os.process(pid);
        if (stat.isEmpty() || !stat.get().isAlive()) {
            reap(pid);
            return null;
        }
        Orphan orphan = new Orphan(stat.get(), os.bearer(pid, fifos));
        known.put(pid.value(), orphan);
        return orphan;
    }

    /** How this one ends somebody else has to learn before it is reaped. */
    void keep(Pid pid) {
        kept.add(pid.value());
    }

    void dontKeep(Pid pid) {
        if (!kept.isEmpty()) {
            kept.remove(pid.value());
        }
    }

    private boolean reap(Pid pid) {
        if (kept.contains(pid.value())) {
            return false;
        }
        boolean gone = os.reapOrphan(pid);
        if (gone) {
            settled = false;
            known.remove(pid.value());
        }
        return gone;
    }

    void kill(Orphan orphan) throws OsException {
        orphan.killed = true;
        os.signalOrphan(orphan.pid(), Signal.KILL);
    }

    /** When to call {@link #look}. */
    MonotonicTime nextLook() {
        if (nextLook.isEmpty()) {
            nextLook = Optional.of(os.now().plus(interval));
        }
        return nextLook.get();
    }

    /** Reaps what has ended, and meets who is new, while it can still be told where it came from. */
    void look() throws OsException {
        nextLook = Optional.empty();
        int reaped = 0;
        Set<Integer> present = new HashSet<>();
        for (Pid pid : os.orphans()) {
            present.add(pid.value());
            if (reaped < REAPED_AT_ONCE && reap(pid)) {
                reaped++;
            } else if (reaped < REAPED_AT_ONCE && !known.containsKey(pid.value())) {
                meet(pid);
            }
        }
        known.keySet().retainAll(present);
        interval = reaped == 0 ? longer() : shorter(reaped);
    }

    private Duration longer() {
        Duration twice = interval.multipliedBy(2);
        return twice.compareTo(LONGEST_INTERVAL) > 0 ? LONGEST_INTERVAL : twice;
    }

    /** A few an interval may wait; a thousand may not. */
    private Duration shorter(int reaped) {
        if (reaped < 10) {
            return interval;
        }
        Duration part = interval.dividedBy(reaped < 100 ? 2 : 8);
        return part.compareTo(SHORTEST_INTERVAL) < 0 ? SHORTEST_INTERVAL : part;
    }
}
