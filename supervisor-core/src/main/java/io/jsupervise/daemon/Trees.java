package io.jsupervise.daemon;

import io.jsupervise.daemon.Orphanage.Orphan;
import io.jsupervise.io.ServiceGroups;
import io.jsupervise.lifecycle.Bearer;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.os.Child;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.ProcessStat;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.Signal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What hangs on the runs of services beside their main processes and those's groups: who left the group or the session, and
 * who lost its parent. A process belongs to a run that
 *
 * <ul>
 *   <li>descends from its main process,
 *   <li>bears its mark in the environment or writes to its output, or
 *   <li>is in the session or group of the main process, as long as that is not reaped and so nobody else has its number,
 *   <li>belonged to it when it was last seen, or
 *   <li>is in its control group, where it has one ({@link ServiceGroups}),
 * </ul>
 *
 * and so does what descends from such a process. For our own runs it is enough to ask that of our orphans, since whoever
 * loses its parent below us comes to us; they are few and quickly listed, so the death of a service that left nothing
 * behind costs one small read. For runs that an earlier supervisor started all processes are asked.
 *
 * <p>Killing an orphan makes orphans of its children, so it takes several looks until nothing is left. First ones are cheap,
 * then everybody is looked at; what forks faster than that is first stopped, all of it, and then killed. The loop's thread
 * only.
 */
final class Trees {
    private static final int CHEAP_LOOKS = 3;

    /** Nothing waits for the end of a check but the next question: half a second for it to die, before all processes are looked at. */
    private static final int CHEAP_LOOKS_FOR_CHECKS = 10;

    private static final int LOOKS_BEFORE_FREEZING = 6;
    private static final int ROUNDS_OF_FREEZING = 20;
    private static final Duration LONGEST_FREEZING = Duration.ofMillis(50);

    private static final Duration LEFTOVER_PATIENCE = Duration.ofSeconds(10);

    /** Of so many at the most it is told who they are. */
    private static final int NAMED = 20;

    private final Os os;
    private final Path fifos;
    private final String stateId;
    private final ServiceGroups groups;
    private final int self;
    private final Orphanage orphanage;
    private final Map<RunId, Tree> byRun = new HashMap<>();
    private final Set<ServiceName> spared = new HashSet<>();

    /** As last seen, of all processes; only where runs of an earlier supervisor are ended. */
    private final Map<ProcessIdentity, Optional<Bearer>> marks = new HashMap<>();

    /** Without a mark at one look. */
    private final Set<ProcessIdentity> unmarked = new HashSet<>();

    /** Of ended runs whose services run again. */
    private final Set<ProcessIdentity> leftovers = new LinkedHashSet<>();

    private Optional<MonotonicTime> leftoversUntil = Optional.empty();
    private MonotonicTime nextKill = MonotonicTime.BOOT;

    private Optional<Scan> scan = Optional.empty();

    private static final class Tree {
        final ServiceName service;
        final RunId run;
        final Optional<ProcessIdentity> main;
        final boolean ours;

        /** Members that were out of reach of a signal to the group, by number: their start times. */
        final Map<Integer, Long> seen = new HashMap<>(0);

        int looks;
        boolean mainIsReaped;
        List<ProcessStat> left = List.of();

        Tree(ServiceName service, RunId run, Optional<ProcessIdentity> main, boolean ours) {
            this.service = service;
            this.run = run;
            this.main = main;
            this.ours = ours;
        }

        boolean isMain(ProcessStat process) {
            return main.isPresent() && main.get().equals(process.identity());
        }

        boolean hasSeen(ProcessIdentity process) {
            Long startTime = seen.get(process.pid().value());
            return startTime != null && startTime == process.startTime();
        }
    }

    /** All processes at one moment. */
    private static final class Scan {
        final Map<Integer, ProcessStat> byPid = new HashMap<>();
        final Map<Integer, List<ProcessStat>> byParent = new HashMap<>();
        final Map<Integer, Orphan> orphans = new HashMap<>();

        /** Of whom there is a mark, by service; empty until somebody asks. */
        Optional<Map<String, List<ProcessStat>>> marked = Optional.empty();

        void add(ProcessStat process) {
            byPid.put(process.pid().value(), process);
            byParent.computeIfAbsent(process.parent(), parent -> new ArrayList<>())
                    .add(process);
        }
    }

    /** Of services without control groups. */
    Trees(Os os, Path fifos, String stateId) {
        this(os, fifos, stateId, new ServiceGroups(os, stateId, (service, why) -> {}));
    }

    /** @param stateId identity of the state directory */
    Trees(Os os, Path fifos, String stateId, ServiceGroups groups) {
        this.groups = groups;
        this.os = os;
        this.fifos = fifos;
        this.stateId = stateId;
        this.self = os.self().pid().value();
        this.orphanage = new Orphanage(os, fifos);
    }

    /** Before the first process is started. */
    void open() throws OsException {
        orphanage.open();
    }

    // ---- which runs there are ----

    void begin(ServiceName service, RunId run, Child main) {
        Tree tree = new Tree(service, run, Optional.of(main.identity()), main.ours());
        Tree before = byRun.put(run, tree);
        if (before != null) {
            tree.seen.putAll(before.seen);
        }
    }

    /** A process of an ended run, whose main process is gone. */
    void beginWithout(ServiceName service, RunId run, ProcessIdentity member) {
        Tree tree = byRun.computeIfAbsent(run, any -> new Tree(service, run, Optional.empty(), false));
        tree.seen.put(member.pid().value(), member.startTime());
    }

    /** It was named as the main process of a run, so how it ends is for us to learn before it is reaped. */
    void alsoHas(RunId run, ProcessIdentity named) {
        orphanage.keep(named.pid());
        Tree tree = byRun.get(run);
        try {
            boolean marked = os.bearer(named.pid(), fifos).flatMap(Bearer::run).equals(Optional.of(run));
            if (tree != null && !marked) {
                tree.seen.put(named.pid().value(), named.startTime());
            }
        } catch (OsException e) {
            // It has ended.
        }
    }

    /** It is known how it ended: it may be reaped. */
    void endIsKnown(Pid pid) {
        orphanage.dontKeep(pid);
    }

    void mainIsReaped(RunId run) {
        Tree tree = byRun.get(run);
        if (tree != null) {
            tree.mainIsReaped = true;
        }
    }

    void forget(RunId run) {
        byRun.remove(run);
    }

    /** Nothing of the service is to be ended but its main processes. */
    void spare(ServiceName service) {
        spared.add(service);
    }

    /** What was seen in an earlier turn says nothing about what has ended since. */
    void newTurn() {
        scan = Optional.empty();
    }

    // ---- between deaths ----

    /** What is left of an earlier run than the living one of its service. */
    void endLeftover(ProcessIdentity leftover) {
        leftovers.add(leftover);
    }

    /** When to call {@link #look}. */
    MonotonicTime nextLook() {
        if (leftovers.isEmpty()) {
            return orphanage.nextLook();
        }
        if (leftoversUntil.isEmpty()) {
            leftoversUntil = Optional.of(os.now().plus(LEFTOVER_PATIENCE));
            nextKill = os.now();
        }
        return MonotonicTime.min(nextKill, orphanage.nextLook());
    }

    /** Reaps orphans that have ended, and kills what was found to be left of earlier runs, with what hangs below. */
    void look() throws OsException {
        orphanage.look();
        if (leftovers.isEmpty()) {
            return;
        }
        // Before what may fail: it is tried again, but not at once, and not for ever.
        MonotonicTime begun = os.now();
        nextKill = begun.plus(Orphanage.SHORTEST_INTERVAL);
        boolean isLast = !begun.isBefore(leftoversUntil.orElseThrow());
        try {
            killLeftovers();
        } finally {
            if (isLast) {
                leftovers.clear();
            }
        }
    }

    private void killLeftovers() throws OsException {
        Scan now = scan();
        List<ProcessStat> left = new ArrayList<>();
        Set<Integer> roots = new HashSet<>();
        for (ProcessIdentity leftover : leftovers) {
            ProcessStat process = now.byPid.get(leftover.pid().value());
            if (process != null && process.identity().equals(leftover)) {
                addRoot(process, left, roots);
            }
        }
        addDescendants(left, now);
        leftovers.clear();
        left.forEach(process -> leftovers.add(process.identity()));
        for (ProcessStat process : left) {
            signal(process, Signal.KILL, now);
        }
    }

    // ---- signals ----

    /** The living tree of {@code run} beyond the group of its main process; what is seen once is remembered. */
    List<ProcessStat> seen(RunId run) throws OsException {
        Tree tree = byRun.get(run);
        if (tree == null) {
            return List.of();
        }
        int group = tree.main.isPresent() ? tree.main.get().pid().value() : 0;
        List<ProcessStat> others = new ArrayList<>();
        for (ProcessStat member : members(tree, scan(), false)) {
            if (member.group() != group) {
                tree.seen.put(member.pid().value(), member.identity().startTime());
                others.add(member);
            }
        }
        return others;
    }

    /** Kills all of a run that is in a control group, at once. */
    void killGroup(RunId run) {
        groups.remains(run);
    }

    /** How many processes of a run ended by {@code status} the kernel has killed for memory; looked for where that may be why. */
    long killedForMemory(RunId run, ExitStatus status) {
        boolean mayBe = status instanceof ExitStatus.Unknown
                || status instanceof ExitStatus.Killed killed && killed.signal().equals(Signal.KILL);
        return mayBe ? groups.killedForMemory(run) : 0;
    }

    /** Signals what was {@link #seen} in this turn. */
    void signal(List<ProcessStat> processes, Signal signal) throws OsException {
        for (ProcessStat process : processes) {
            signal(process, signal, scan());
        }
    }

    private void signal(ProcessStat process, Signal signal, Scan now) throws OsException {
        try {
            send(process, signal, now);
        } catch (OsException e) {
            unlessForbidden(e);
        }
    }

    /**
     * Where we are not root, some are somebody else's by now: programs with the set-user-ID bit. They must not keep us from the
     * others, and need not be told of each time: they live at the next looks, and what lives at the last one is told of as
     * group-remains.
     */
    private static void unlessForbidden(OsException e) throws OsException {
        if (e.errno() != Errno.EPERM) {
            throw e;
        }
    }

    private void send(ProcessStat process, Signal signal, Scan now) throws OsException {
        Orphan orphan = now.orphans.get(process.pid().value());
        if (orphan != null && signal.equals(Signal.KILL)) {
            orphanage.kill(orphan);
        } else if (orphan != null) {
            os.signalOrphan(process.pid(), signal);
        } else {
            Optional<Child> found = os.find(process.identity());
            if (found.isPresent()) {
                os.signal(found.get(), signal);
                os.release(found.get());
            }
        }
    }

    // ---- ends ----

    /** Kills what is left of an ended run; true where nothing was. May be called again until then. */
    boolean end(RunId run) throws OsException {
        Tree tree = byRun.get(run);
        if (tree == null) {
            return !groups.remains(run);
        }
        if (!run.isOfHook()) {
            spared.remove(tree.service);
        }
        tree.looks++;
        // Also where all of its group is killed: what it has left may be out of it, and has to be reaped in any case.
        boolean grouped = groups.remains(run);
        int cheapLooks = run.isOfCheck() ? CHEAP_LOOKS_FOR_CHECKS : CHEAP_LOOKS;
        boolean cheaply = tree.ours && tree.seen.isEmpty() && tree.looks <= cheapLooks;
        boolean ended = cheaply ? endOrphans(tree) : endAll(tree);
        return ended && !grouped;
    }

    private boolean endOrphans(Tree tree) throws OsException {
        boolean none = true;
        for (Orphan orphan : orphanage.living()) {
            if (isOf(tree, orphan, true)) {
                none = false;
                kill(orphan);
            }
        }
        return none && orphanage.isSettled();
    }

    private void kill(Orphan orphan) throws OsException {
        try {
            orphanage.kill(orphan);
        } catch (OsException e) {
            unlessForbidden(e);
        }
    }

    private boolean endAll(Tree tree) throws OsException {
        Scan now = tree.looks > LOOKS_BEFORE_FREEZING ? frozen(tree) : scan();
        tree.left = members(tree, now, true);
        for (ProcessStat member : tree.left) {
            signal(member, Signal.KILL, now);
        }
        return tree.left.isEmpty() && orphanage.isSettled();
    }

    /** What has been stopped cannot fork; who was born meanwhile is found by the next round. */
    private Scan frozen(Tree tree) throws OsException {
        MonotonicTime until = os.now().plus(LONGEST_FREEZING);
        Set<ProcessIdentity> stopped = new HashSet<>();
        Scan now = scan();
        for (int round = 0; round < ROUNDS_OF_FREEZING && os.now().isBefore(until); round++) {
            int before = stopped.size();
            for (ProcessStat member : members(tree, now, true)) {
                if (stopped.add(member.identity())) {
                    signal(member, Signal.STOP, now);
                }
            }
            if (stopped.size() == before) {
                return now;
            }
            newTurn();
            now = scan();
        }
        return now;
    }

    /** What of an ended run still lived at the last look, in words; empty where the look was too short to know. */
    List<String> left(RunId run) {
        Tree tree = byRun.get(run);
        List<String> words = new ArrayList<>();
        if (tree != null) {
            if (tree.left.isEmpty() && !orphanage.isSettled()) {
                // Of whose tree it is, only a look could tell.
                words.add("something below the supervisor that forks and ends faster than it can be looked at");
            }
            for (ProcessStat process : tree.left) {
                if (words.size() == NAMED) {
                    words.add("and " + (tree.left.size() - NAMED) + " more");
                    break;
                }
                words.add("pid " + process.pid() + " (" + process.name() + ", state " + process.state() + ")");
            }
        }
        return words;
    }

    /**
     * When all services are down: kills whatever else hangs below us and was not meant to be left; true where nothing did.
     * Whoever emptied its environment and left its session before its parent died is found here.
     */
    boolean endTheRest() throws OsException {
        newTurn();
        List<Orphan> rest = new ArrayList<>();
        for (Orphan orphan : orphanage.living()) {
            if (mayEnd(orphan)) {
                rest.add(orphan);
            }
        }
        if (rest.isEmpty()) {
            return orphanage.isSettled();
        }
        Scan now = scan();
        List<ProcessStat> all = new ArrayList<>();
        for (Orphan orphan : rest) {
            ProcessStat process = now.byPid.get(orphan.pid().value());
            if (process != null && process.isAlive()) {
                all.add(process);
            }
        }
        addDescendants(all, now);
        for (ProcessStat process : all) {
            signal(process, Signal.KILL, now);
        }
        return false;
    }

    private boolean mayEnd(Orphan orphan) {
        boolean isKnown =
                orphan.mark.isPresent() && ServiceName.isValid(orphan.mark.get().service());
        return isKnown
                ? !spared.contains(new ServiceName(orphan.mark.get().service()))
                : spared.isEmpty() && !orphanage.mayBeOfOthers();
    }

    // ---- who belongs to a run ----

    private boolean isOf(Tree tree, Orphan orphan, boolean ended) {
        int main = tree.main.isPresent() && tree.ours && !tree.mainIsReaped
                ? tree.main.get().pid().value()
                : -1;
        return orphan.session == main
                || orphan.group == main
                || tree.hasSeen(orphan.identity)
                || orphan.mark.isPresent() && bearsMarkOf(tree, orphan.mark.get(), ended);
    }

    /**
     * A service has one run at a time: when that has ended, whatever bears a mark of the service is left of some run; but
     * for what belongs to another that is known beside it.
     */
    private boolean bearsMarkOf(Tree tree, Bearer mark, boolean ended) {
        if (mark.run().equals(Optional.of(tree.run))) {
            return true;
        }
        if (tree.run.isOfHook() || mark.run().isPresent() && mark.run().get().isOfHook()) {
            // A hook may run beside the run that it belongs to: neither ends what hangs on the other.
            return false;
        }
        if (!mark.service().equals(tree.service.value())) {
            return false;
        }
        if (mark.run().isEmpty()) {
            return isAlone(tree);
        }
        return ended
                && mark.run().get().isOf(stateId)
                && !byRun.containsKey(mark.run().get());
    }

    private boolean isAlone(Tree tree) {
        for (Tree other : byRun.values()) {
            if (other != tree && other.service.equals(tree.service)) {
                return false;
            }
        }
        return true;
    }

    private Scan scan() throws OsException {
        if (scan.isEmpty()) {
            Scan fresh = new Scan();
            for (ProcessStat process : os.processes()) {
                fresh.add(process);
            }
            // Last: who was found under a parent that has ended since is known by both.
            for (Orphan orphan : orphanage.living()) {
                fresh.orphans.put(orphan.pid().value(), orphan);
                if (!fresh.byPid.containsKey(orphan.pid().value())) {
                    os.process(orphan.pid()).ifPresent(fresh::add);
                }
                ProcessStat process = fresh.byPid.get(orphan.pid().value());
                if (process == null || !process.isAlive()) {
                    orphanage.hasEnded(orphan);
                }
            }
            scan = Optional.of(fresh);
        }
        return scan.get();
    }

    /** The living processes of a tree, without its main process. */
    private List<ProcessStat> members(Tree tree, Scan now, boolean ended) throws OsException {
        List<ProcessStat> members = new ArrayList<>();
        Set<Integer> roots = new HashSet<>();
        for (Orphan orphan : now.orphans.values()) {
            if (isOf(tree, orphan, ended)) {
                addRoot(now.byPid.get(orphan.pid().value()), members, roots);
            }
        }
        for (Map.Entry<Integer, Long> one : tree.seen.entrySet()) {
            ProcessStat process = now.byPid.get(one.getKey());
            if (process != null && process.identity().startTime() == one.getValue()) {
                addRoot(process, members, roots);
            }
        }
        for (int pid : groups.members(tree.run)) {
            ProcessStat process = now.byPid.get(pid);
            if (process != null && !tree.isMain(process)) {
                addRoot(process, members, roots);
            }
        }
        Optional<ProcessStat> main =
                tree.main.map(identity -> now.byPid.get(identity.pid().value())).filter(tree::isMain);
        if (!tree.ours) {
            addMarked(tree, now, ended, main, members, roots);
        }
        if (main.isPresent()) {
            for (ProcessStat child : now.byParent.getOrDefault(main.get().pid().value(), List.of())) {
                addRoot(child, members, roots);
            }
        }
        addDescendants(members, now);
        return members;
    }

    private void addMarked(
            Tree tree,
            Scan now,
            boolean ended,
            Optional<ProcessStat> main,
            List<ProcessStat> members,
            Set<Integer> roots)
            throws OsException {
        if (now.marked.isEmpty()) {
            now.marked = Optional.of(marked(now));
        }
        for (ProcessStat process : now.marked.get().getOrDefault(tree.service.value(), List.of())) {
            Bearer mark = marks.get(process.identity()).orElseThrow();
            if (bearsMarkOf(tree, mark, ended) && !tree.isMain(process) && !isBelowAnother(process, tree, now)) {
                addRoot(process, members, roots);
            }
        }
        if (main.isPresent()) {
            // It has its number still, so what is in its session or group is its own.
            int number = main.get().pid().value();
            for (ProcessStat process : now.byPid.values()) {
                if ((process.session() == number || process.group() == number) && !tree.isMain(process)) {
                    addRoot(process, members, roots);
                }
            }
        }
    }

    private Map<String, List<ProcessStat>> marked(Scan now) throws OsException {
        Map<String, List<ProcessStat>> marked = new HashMap<>();
        Set<ProcessIdentity> present = new HashSet<>();
        for (ProcessStat process : now.byPid.values()) {
            present.add(process.identity());
            Optional<Bearer> mark = marks.get(process.identity());
            if (mark == null && process.isAlive()) {
                mark = os.bearer(process.pid(), fifos)
                        .filter(bearer -> bearer.identity().equals(process.identity()));
                // Who is just being executed shows no environment for a moment.
                if (mark.isPresent() || !unmarked.add(process.identity())) {
                    marks.put(process.identity(), mark);
                }
            }
            if (mark != null && mark.isPresent()) {
                marked.computeIfAbsent(mark.get().service(), service -> new ArrayList<>())
                        .add(process);
            }
        }
        marks.keySet().retainAll(present);
        unmarked.retainAll(present);
        return marked;
    }

    /** Below a process that we spawned for something else, and that lives: it may well have inherited a mark. */
    private boolean isBelowAnother(ProcessStat process, Tree tree, Scan now) {
        ProcessStat at = process;
        for (int steps = 0; at != null && steps < now.byPid.size(); steps++) {
            if (at.parent() == self) {
                return !now.orphans.containsKey(at.pid().value()) && !tree.isMain(at);
            }
            at = now.byPid.get(at.parent());
        }
        return false;
    }

    private void addRoot(ProcessStat process, List<ProcessStat> members, Set<Integer> roots) {
        if (process != null
                && process.isAlive()
                && process.pid().value() != self
                && roots.add(process.pid().value())) {
            members.add(process);
        }
    }

    /** Who hangs below those in {@code members}, however far. */
    private void addDescendants(List<ProcessStat> members, Scan now) {
        Set<Integer> all = new HashSet<>();
        for (ProcessStat member : members) {
            all.add(member.pid().value());
        }
        for (int i = 0; i < members.size(); i++) {
            for (ProcessStat child :
                    now.byParent.getOrDefault(members.get(i).pid().value(), List.of())) {
                boolean isMember = child.isAlive() && child.pid().value() != self;
                if (isMember && all.add(child.pid().value())) {
                    members.add(child);
                }
            }
        }
    }
}
