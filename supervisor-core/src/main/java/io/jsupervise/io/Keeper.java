package io.jsupervise.io;

import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.os.Child;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.Poller;
import io.jsupervise.os.SpawnException;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.os.SpawnRequest.Output;
import io.jsupervise.spec.Signal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;

/**
 * One process that outlives us, should we be killed, and does nothing: {@code sleep infinity}, which has both ends of
 * our {@link KeptQueue} as its output. The FIFOs in the queue keep what their writers wrote, also when those die; the
 * pidfds in it tell the next supervisor how their processes ended, also when init has reaped them meanwhile (kernel
 * 6.15). That one finds the keeper by its environment, takes the queue from it by pidfd_getfd(2), and goes on with it.
 * It may not be allowed to (Yama, kernel.yama.ptrace_scope, without privileges): then FIFOs are still found by their
 * paths, with their content, and how processes ended stays unknown.
 *
 * <p>Nothing here is on the way of a restart: what was spawned and what is dead is queued, and sent by a thread of its
 * own. A FIFO, which is opened before the first start of its service, is sent at once.
 */
public final class Keeper implements Actor, Keeping {
    /** Under which the loop's poller reports the end of the keeper: no child ever has it. */
    public static final long TOKEN = Long.MAX_VALUE;

    private static final String PROGRAM = "sleep";
    private static final String MARK = "JSUPERVISE_KEEPER";

    /** One that is killed again and again is not replaced more often than this. */
    private static final Duration NOT_SOONER = Duration.ofSeconds(1);

    private static final Duration TRY_AGAIN = Duration.ofSeconds(10);
    private static final Duration SWEEP_AFTER = Duration.ofSeconds(3);
    private static final Duration END = Duration.ofSeconds(1);

    /** How many pidfds may wait for records: each is a descriptor of ours. */
    private static final int MOST_EARLY = 256;

    private final Os os;
    private final Map<String, String> environment;
    private final Consumer<String> troubles;
    private final Queue<Order> orders = new ConcurrentLinkedQueue<>();

    // Guarded by this object.
    private Optional<KeptQueue> queue = Optional.empty();
    private final FormerKeepers former;
    private final Queue<Order.Release> early = new ArrayDeque<>();
    private final List<Child> missedChildren = new ArrayList<>();
    private final List<Fd> missedFifos = new ArrayList<>();
    private boolean complained;

    /** Held while a process is begun: the end must not pass by one that is just being made. */
    private final Object beginning = new Object();

    // The process: begun by the spawner's thread, ended by the loop's.
    private volatile Optional<Child> process = Optional.empty();
    private volatile boolean hopeless;
    private volatile Optional<MonotonicTime> wantedAt = Optional.empty();
    private volatile MonotonicTime begunAt = MonotonicTime.BOOT;
    private volatile Optional<MonotonicTime> sweepAt = Optional.empty();
    private volatile Optional<MonotonicTime> holdAgainAt = Optional.empty();
    private volatile boolean othersAreOfUse;
    private volatile long committed;
    private Poller poller;
    private Runnable wanted = () -> {};
    private Runnable wake = () -> {};

    private sealed interface Order {
        record Hold(Child child) implements Order {}

        record Release(Child child, long needs) implements Order {}

        record ReleaseFifo(Fd fifo) implements Order {}
    }

    /**
     * @param environment what it inherits
     * @param stateId     identity of the state directory
     * @param troubles    gets what went wrong, and what follows from it; any thread
     */
    public Keeper(Os os, Map<String, String> environment, String stateId, Consumer<String> troubles) {
        this.os = os;
        this.troubles = troubles;
        this.environment = new HashMap<>(environment);
        // It is no service, also not of a supervisor that we are a service of.
        this.environment
                .keySet()
                .removeIf(name -> name.startsWith("JSUPERVISE_RUN") || name.equals("JSUPERVISE_SERVICE"));
        this.environment.put(MARK, stateId);
        this.former = new FormerKeepers(os, PROGRAM, MARK, stateId, troubles);
    }

    /**
     * To be called first.
     *
     * @param loop   the loop's poller, which reports {@link #TOKEN}
     * @param whenWanted is called on our thread when {@link #begin} should be, on the spawner's
     * @param whenWork   is called when there is something to do, or a step is due at another time; any thread
     */
    public void connect(Poller loop, Runnable whenWanted, Runnable whenWork) {
        poller = loop;
        wanted = whenWanted;
        wake = whenWork;
    }

    // ---- at the start, before there are other threads ----

    /** Goes on with what a supervisor before us left, if it left a keeper. */
    public synchronized void takeOver() throws OsException {
        Optional<FormerKeepers.Taken> taken = former.takeOver();
        if (taken.isPresent()) {
            queue = Optional.of(taken.get().queue());
            watch(taken.get().process());
        }
    }

    /**
     * Instead of {@link #takeOver}, where the supervisor before us ended in order: it left no keeper, unless it was killed
     * in its very last moment. That is looked after when we have started what is to be started.
     */
    public void lookLater() {
        sweepAt = Optional.of(os.now().plus(SWEEP_AFTER));
    }

    /** A process that has ended, and been reaped, since a supervisor before us handed it over; to be released as any. */
    public synchronized Optional<Child> ended(ProcessIdentity identity) {
        Optional<Fd> pidfd = queue.flatMap(present -> present.pidfdOf(identity));
        if (pidfd.isPresent()) {
            return Optional.of(new Child(identity, pidfd.get(), false));
        }
        Optional<Child> elsewhere = former.pidfdOf(identity).map(fd -> new Child(identity, fd, false));
        // Should we be killed before its end is recorded.
        elsewhere.ifPresent(this::hold);
        return elsewhere;
    }

    /** All that is of use has been asked for, and each FIFO that may hold something is open: the rest goes. */
    public synchronized void settle() {
        step();
        queue.ifPresent(KeptQueue::forgetTheRest);
        former.closeQueues();
        othersAreOfUse = former.someLive();
        if (process.isEmpty() && (queue.isPresent() || othersAreOfUse)) {
            // There is something to keep, and maybe nothing that is to be started.
            wantedAt = Optional.of(os.now());
            wake.run();
        }
        endOthers();
    }

    /** Only once ours is there, and has everything: until then they keep what we are about to. */
    private boolean mayEndOthers() {
        boolean hasAll = process.isPresent() && missedChildren.isEmpty() && missedFifos.isEmpty();
        return othersAreOfUse && (hasAll || hopeless);
    }

    private void endOthers() {
        if (mayEndOthers()) {
            othersAreOfUse = false;
            former.end(Duration.ZERO);
        }
    }

    // ---- the spawner's thread ----

    /** Makes sure that there is a keeper; costs nothing where there is one. */
    public void begin() {
        synchronized (beginning) {
            beginIfDue();
        }
    }

    private void beginIfDue() {
        // Read once: our own thread may take it back meanwhile.
        Optional<MonotonicTime> notBefore = wantedAt;
        if (process.isPresent() || hopeless || notBefore.isPresent() && !isDue(notBefore)) {
            return;
        }
        try {
            KeptQueue kept = queue();
            watch(os.spawn(new SpawnRequest(
                    List.of(PROGRAM, "infinity"),
                    Path.of("/"),
                    environment,
                    077,
                    new Output.Descriptor(kept.in()),
                    new Output.Descriptor(kept.out()))));
        } catch (SpawnException e) {
            cannotKeep(e.errno(), e.getMessage());
        } catch (OsException e) {
            cannotKeep(e.errno(), e.getMessage());
        }
    }

    private void cannotKeep(Errno errno, String why) {
        boolean forGood = errno == Errno.ENOENT || errno == Errno.EACCES;
        if (forGood) {
            hopeless = true;
        } else {
            wantedAt = Optional.of(os.now().plus(TRY_AGAIN));
        }
        complain("cannot start a keeper: " + why + "; " + (forGood ? "goes on without" : "tries again later")
                + ": should this supervisor be killed, the last output of services that end meanwhile is lost, and how"
                + " they end may stay unknown");
    }

    private void watch(Child begun) throws OsException {
        begunAt = os.now();
        wantedAt = Optional.empty();
        process = Optional.of(begun);
        poller.add(begun.pidfd(), TOKEN);
        if (othersAreOfUse) {
            wake.run();
        }
    }

    private synchronized KeptQueue queue() throws OsException {
        if (queue.isEmpty()) {
            queue = Optional.of(KeptQueue.make(os));
        }
        return queue.get();
    }

    // ---- the loop's thread ----

    /** The keeper has ended, as {@link #TOKEN} told. The queue is still ours; another process will have it too. */
    public void hasEnded() {
        Optional<Child> dead = process;
        if (dead.isEmpty()) {
            return;
        }
        process = Optional.empty();
        MonotonicTime now = os.now();
        MonotonicTime soonest = begunAt.plus(NOT_SOONER);
        wantedAt = Optional.of(now.isBefore(soonest) ? soonest : now);
        wake.run();
        try {
            poller.remove(dead.get().pidfd());
            reap(dead.get());
        } catch (OsException e) {
            troubles.accept("cannot reap the keeper: " + e.getMessage());
        }
        os.release(dead.get());
        troubles.accept("the keeper, pid " + dead.get().pid() + ", has ended; another one begins");
    }

    private void reap(Child ended) throws OsException {
        if (ended.ours()) {
            os.reap(ended);
        }
    }

    // ---- any thread ----

    /** How {@code child} ends will be known to who comes after us, once our thread, which is not woken, has seen to it. */
    public void hold(Child child) {
        orders.add(new Order.Hold(child));
    }

    /**
     * We need {@code child} no more: closes its pidfd. That can wait until there is something else to do, since this is
     * called between a death and a restart.
     *
     * @param record the number of the record that tells how it ended: should we be killed before that is in place, the
     *               next supervisor does need it
     */
    public void release(Child child, long record) {
        orders.add(new Order.Release(child, record));
    }

    /** All records up to that number are in place. */
    public void committed(long record) {
        committed = record;
    }

    @Override
    public synchronized void hold(Fd fifo) {
        if (hopeless) {
            return;
        }
        try {
            queue().hold(fifo);
        } catch (OsException e) {
            missedFifos.add(fifo);
            cannotHold(e);
        }
    }

    @Override
    public void release(Fd fifo) {
        orders.add(new Order.ReleaseFifo(fifo));
        wake.run();
    }

    @Override
    public void leave(Fd fifo) {}

    private void cannotHold(OsException e) {
        holdAgainAt = Optional.of(os.now().plus(TRY_AGAIN));
        complain("cannot keep more for the next supervisor: " + e.getMessage()
                + "; should this one be killed, some output of services that end meanwhile is lost, and how they end may"
                + " stay unknown");
    }

    /** Once: it does not hinder anything now. */
    private synchronized void complain(String what) {
        if (!complained) {
            complained = true;
            troubles.accept(what);
        }
    }

    // ---- our own thread ----

    @Override
    public synchronized void step() {
        List<Child> fresh = new ArrayList<>();
        for (Order order = orders.poll(); order != null; order = orders.poll()) {
            if (order instanceof Order.Hold hold) {
                fresh.add(hold.child());
            } else if (order instanceof Order.Release release) {
                early.add(release);
            } else if (order instanceof Order.ReleaseFifo release) {
                missedFifos.remove(release.fifo());
                onQueue(present -> present.release(release.fifo()));
                os.close(release.fifo());
            }
        }
        while (mayRelease()) {
            release(early.remove(), fresh);
        }
        if (isDue(holdAgainAt)) {
            holdAgainAt = Optional.empty();
            fresh.addAll(missedChildren);
            missedChildren.clear();
            holdMissedFifos();
        }
        holdAll(fresh);
        endOthers();
        if (isDue(wantedAt)) {
            wantedAt = Optional.empty();
            wanted.run();
        }
        if (isDue(sweepAt)) {
            sweepAt = Optional.empty();
            former.sweep(process.map(Child::identity), Duration.ZERO);
        }
    }

    private boolean mayRelease() {
        Order.Release oldest = early.peek();
        // Where the journal is stale that may be never; then little of what happened outlives us anyway.
        return oldest != null && (oldest.needs() <= committed || early.size() > MOST_EARLY);
    }

    private void release(Order.Release release, List<Child> fresh) {
        missedChildren.remove(release.child());
        if (!fresh.remove(release.child())) {
            onQueue(present -> present.release(release.child()));
        }
        os.release(release.child());
    }

    private void holdAll(List<Child> fresh) {
        if (fresh.isEmpty() || hopeless) {
            return;
        }
        try {
            queue().holdAll(fresh);
        } catch (OsException e) {
            missedChildren.addAll(fresh);
            cannotHold(e);
        }
    }

    private void holdMissedFifos() {
        List<Fd> again = List.copyOf(missedFifos);
        missedFifos.clear();
        again.forEach(this::hold);
    }

    private boolean isDue(Optional<MonotonicTime> at) {
        return at.isPresent() && !os.now().isBefore(at.get());
    }

    private interface QueueWork {
        void on(KeptQueue queue) throws OsException;
    }

    private void onQueue(QueueWork work) {
        try {
            if (queue.isPresent()) {
                work.on(queue.get());
            }
        } catch (OsException e) {
            troubles.accept("cannot tell what the keeper has no longer to keep: " + e.getMessage());
        }
    }

    @Override
    public Optional<MonotonicTime> nextStep() {
        if (!orders.isEmpty() || mayRelease() || mayEndOthers()) {
            return Optional.of(MonotonicTime.BOOT);
        }
        return earlier(wantedAt, earlier(sweepAt, holdAgainAt));
    }

    private static Optional<MonotonicTime> earlier(Optional<MonotonicTime> one, Optional<MonotonicTime> other) {
        if (one.isPresent() && other.isPresent()) {
            return Optional.of(MonotonicTime.min(one.get(), other.get()));
        }
        return one.isPresent() ? one : other;
    }

    // ---- the end ----

    /** Services run on without us: what could not be kept is tried once more. When no other thread of ours runs. */
    public synchronized void leave() {
        if (holdAgainAt.isPresent()) {
            holdAgainAt = Optional.of(os.now());
        }
        step();
    }

    /** Everything has ended in order: nobody needs a keeper. To be called when our own thread runs no more. */
    public void end() {
        synchronized (beginning) {
            hopeless = true;
            wantedAt = Optional.empty();
        }
        if (sweepAt.isPresent()) {
            sweepAt = Optional.empty();
            former.sweep(process.map(Child::identity), END);
        }
        former.end(END);
        Optional<Child> last = process;
        process = Optional.empty();
        if (last.isEmpty()) {
            return;
        }
        Child child = last.get();
        try (Poller ends = os.poller()) {
            poller.remove(child.pidfd());
            os.signal(child, Signal.KILL);
            ends.add(child.pidfd(), 0);
            ends.poll(Optional.of(os.now().plus(END)), token -> {});
            ends.remove(child.pidfd());
            if (os.hasEnded(child)) {
                reap(child);
            }
        } catch (OsException e) {
            troubles.accept("cannot end the keeper, pid " + child.pid() + ": " + e.getMessage());
        }
        os.release(child);
    }
}
