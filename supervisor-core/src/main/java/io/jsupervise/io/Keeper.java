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

    private final Os os;
    private final Map<String, String> environment;
    private final String stateId;
    private final Consumer<String> troubles;
    private final Queue<Order> orders = new ConcurrentLinkedQueue<>();

    // Guarded by this object.
    private Optional<KeptQueue> queue = Optional.empty();
    private Optional<KeptQueue> unusable = Optional.empty();
    private final List<Child> strangers = new ArrayList<>();
    private boolean complained;

    // The process: begun by the spawner's thread, ended by the loop's.
    private volatile Optional<Child> process = Optional.empty();
    private volatile boolean hopeless;
    private volatile Optional<MonotonicTime> wantedAt = Optional.empty();
    private volatile MonotonicTime begunAt = MonotonicTime.BOOT;
    private volatile Optional<MonotonicTime> sweepAt = Optional.empty();
    private Poller poller;
    private Runnable wanted = () -> {};
    private Runnable wake = () -> {};

    private sealed interface Order {
        record Hold(Child child) implements Order {}

        record Release(Child child) implements Order {}

        record ReleaseFifo(Fd fifo) implements Order {}
    }

    /**
     * @param environment what it inherits
     * @param stateId     identity of the state directory
     * @param troubles    gets what went wrong, and what follows from it; any thread
     */
    public Keeper(Os os, Map<String, String> environment, String stateId, Consumer<String> troubles) {
        this.os = os;
        this.stateId = stateId;
        this.troubles = troubles;
        this.environment = new HashMap<>(environment);
        // It is no service, also not of a supervisor that we are a service of.
        this.environment
                .keySet()
                .removeIf(name -> name.startsWith("JSUPERVISE_RUN") || name.equals("JSUPERVISE_SERVICE"));
        this.environment.put(MARK, stateId);
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
        for (ProcessIdentity identity : os.started(PROGRAM, MARK, stateId)) {
            Optional<Child> found = os.find(identity);
            if (found.isPresent()) {
                takeOver(found.get());
            }
        }
    }

    /**
     * Instead of {@link #takeOver}, where the supervisor before us ended in order: it left no keeper, unless it was killed
     * in its very last moment. That is looked after when we have started what is to be started.
     */
    public void lookLater() {
        sweepAt = Optional.of(os.now().plus(SWEEP_AFTER));
    }

    private void takeOver(Child found) {
        if (process.isPresent()) {
            strangers.add(found);
            return;
        }
        try {
            KeptQueue theirs = KeptQueue.of(os, found);
            try {
                theirs.readAll(os.self());
                queue = Optional.of(theirs);
                watch(found);
            } catch (OsException e) {
                unusable = Optional.of(theirs);
                throw e;
            }
        } catch (OsException e) {
            strangers.add(found);
            troubles.accept("cannot take over from the keeper of the supervisor before, pid " + found.pid() + ": "
                    + e.getMessage() + "; how processes ended since then may stay unknown");
        }
    }

    /** A process that has ended, and been reaped, since a supervisor before us handed it over; to be released as any. */
    public synchronized Optional<Child> ended(ProcessIdentity identity) {
        Optional<Fd> pidfd = queue.flatMap(present -> present.pidfdOf(identity));
        if (pidfd.isEmpty()) {
            pidfd = unusable.flatMap(present -> present.pidfdOf(identity));
        }
        return pidfd.map(fd -> new Child(identity, fd, false));
    }

    /** All that is of use has been asked for, and each FIFO that may hold something is open: the rest goes. */
    public synchronized void settle() {
        step();
        queue.ifPresent(KeptQueue::forgetTheRest);
        unusable.ifPresent(KeptQueue::forgetTheRest);
        unusable.ifPresent(KeptQueue::close);
        for (Child stranger : strangers) {
            try {
                os.signal(stranger, Signal.KILL);
            } catch (OsException e) {
                troubles.accept("cannot end the keeper of the supervisor before: " + e.getMessage());
            }
            os.release(stranger);
        }
        strangers.clear();
        if (process.isEmpty() && queue.isPresent()) {
            // There is something to keep, and maybe nothing that is to be started.
            wantedAt = Optional.of(os.now());
        }
    }

    // ---- the spawner's thread ----

    /** Makes sure that there is a keeper; costs nothing where there is one. */
    public void begin() {
        if (process.isPresent() || hopeless || wantedAt.isPresent() && os.now().isBefore(wantedAt.get())) {
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
     * Nobody needs {@code child} any more: closes its pidfd. That can wait until there is something else to do, since this
     * is called between a death and a restart.
     */
    public void release(Child child) {
        orders.add(new Order.Release(child));
    }

    @Override
    public synchronized void hold(Fd fifo) throws OsException {
        if (hopeless) {
            return;
        }
        try {
            queue().hold(fifo);
        } catch (OsException e) {
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
                if (!fresh.remove(release.child())) {
                    forEachQueue(present -> present.release(release.child()));
                }
                os.release(release.child());
            } else if (order instanceof Order.ReleaseFifo release) {
                forEachQueue(present -> present.release(release.fifo()));
                os.close(release.fifo());
            }
        }
        if (!fresh.isEmpty() && !hopeless) {
            try {
                queue().holdAll(fresh);
            } catch (OsException e) {
                cannotHold(e);
            }
        }
        if (isDue(wantedAt)) {
            wantedAt = Optional.empty();
            wanted.run();
        }
        if (isDue(sweepAt)) {
            sweepAt = Optional.empty();
            sweep();
        }
    }

    private boolean isDue(Optional<MonotonicTime> at) {
        return at.isPresent() && !os.now().isBefore(at.get());
    }

    private void sweep() {
        try {
            for (ProcessIdentity identity : os.started(PROGRAM, MARK, stateId)) {
                Optional<Child> present = process;
                Optional<Child> found = os.find(identity);
                if (found.isPresent()) {
                    if (present.isEmpty() || !present.get().identity().equals(identity)) {
                        os.signal(found.get(), Signal.KILL);
                    }
                    os.release(found.get());
                }
            }
        } catch (OsException e) {
            troubles.accept("cannot look for keepers of supervisors before: " + e.getMessage());
        }
    }

    private interface QueueWork {
        void on(KeptQueue queue) throws OsException;
    }

    private void forEachQueue(QueueWork work) {
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
        if (!orders.isEmpty()) {
            return Optional.of(MonotonicTime.BOOT);
        }
        if (wantedAt.isPresent() && sweepAt.isPresent()) {
            return Optional.of(MonotonicTime.min(wantedAt.get(), sweepAt.get()));
        }
        return wantedAt.isPresent() ? wantedAt : sweepAt;
    }

    // ---- the end ----

    /** Everything has ended in order: nobody needs a keeper. To be called when no other thread of ours runs. */
    public void end() {
        hopeless = true;
        wantedAt = Optional.empty();
        if (sweepAt.isPresent()) {
            sweepAt = Optional.empty();
            sweep();
        }
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
