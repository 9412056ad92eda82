package io.jsupervise.sim;

import io.jsupervise.daemon.DaemonException;
import io.jsupervise.daemon.Outlets;
import io.jsupervise.daemon.SteppedDaemon;
import io.jsupervise.io.Actor;
import io.jsupervise.io.Keeper;
import io.jsupervise.io.LogRelay;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.os.OsException;
import io.jsupervise.spec.Configuration;
import io.jsupervise.supervision.Answer;
import io.jsupervise.supervision.Ask;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * Drives one daemon on a simulated machine, from its start until it ends or is killed. Whoever could run now (the loop,
 * an actor with work, the relay, a look at a heartbeat file) is chosen by chance and runs to its end; where nobody can,
 * time passes until the next thing happens. An actor whose call takes long, or that is preempted, is held up in the
 * middle of that call while everybody else goes on: as with threads, but in an order that the seed gives. After each
 * turn of the loop the {@link Witness} has a look.
 *
 * <p>One thing is coarser than on a machine: of two actors that are held up, the one that was held up first goes on
 * last.
 *
 * <p>Any method may end with {@link DaemonKilled}; nothing of this object is to be used after that.
 */
final class Life {
    /** So many steps without any time passing are no work, but a loop that spins. */
    private static final int SPINNING = 20_000;

    private static final int LOOKERS = 3;

    /** As long as the daemon lets it wait, at the most. */
    static final Duration KEEPER_WAITS = Duration.ofMillis(5);

    private final World world;
    private final SimulatedOs os;
    private final Transcript transcript;
    private final Witness witness;
    private final SplittableRandom order;
    private final SteppedDaemon daemon;
    private final SimulatedPoller poller;
    private final Optional<LogRelay> relay;
    private final SimulatedPoller relayPoller;
    private final List<Actor> actors;
    private final Optional<Keeper> keeper;
    private final Set<Actor> busy = new HashSet<>();
    private boolean relayIsBusy;

    /** When the keeper begins with what there is for it; empty where there was nothing. */
    private Optional<Long> keeperBegins = Optional.empty();

    private final Supplier<Optional<SimulatedPoller>> notifyPoller;
    private final List<Runnable> looks = new ArrayList<>();
    private int busyLookers;
    private long heldSince = -1;
    private long stepsWithoutTime;
    private long turns;
    private boolean over;

    /**
     * The daemon begins; it has not had a turn then.
     *
     * @param file     what a reload reads
     * @param saboteur breaks what the daemon does, to see that it is noticed
     * @param relays   whether it has the log relay as well
     * @throws DaemonException where it refuses to begin
     */
    Life(
            SimulatedOs os,
            Transcript transcript,
            Witness witness,
            Configuration configuration,
            Supplier<Configuration> file,
            UnaryOperator<Outlets> saboteur,
            boolean relays,
            SplittableRandom random)
            throws DaemonException {
        this.world = os.world;
        this.os = os;
        this.transcript = transcript;
        this.witness = witness;
        this.order = random.split();
        this.daemon =
                SteppedDaemon.begin(os, configuration, file, random.nextLong(), looks::add, witness, saboteur, relays);
        // That of the relay comes before it, that of the notify sockets behind, when somebody asks for one.
        this.poller = os.poller(relays ? 1 : 0).orElseThrow();
        this.notifyPoller = () -> os.poller(relays ? 2 : 1);
        this.relay = daemon.relay();
        this.relayPoller = os.firstPoller();
        this.actors = daemon.actors();
        this.keeper = daemon.keeper();
    }

    /** Whether the daemon has ended. */
    boolean isOver() {
        return over;
    }

    long turns() {
        return turns;
    }

    /** Before anything else: it ends when there are only oneshots and all of them have ended. */
    void endsWithOneshots() {
        daemon.endsWithOneshots();
    }

    /** Once it has ended: whether its exit code tells of oneshots that failed. */
    boolean failed() {
        return daemon.failed();
    }

    /** Everybody does what there is to do, for so long, or until the daemon ends. */
    void run(Duration time) {
        drive(world.nanos() + time.toNanos());
    }

    private void drive(long until) {
        while (!over && world.nanos() < until) {
            if (!stepSomebody()) {
                advance(until);
            } else if (++stepsWithoutTime > SPINNING) {
                throw new Violation("the loop", "spins: " + SPINNING + " steps and no time has passed");
            }
        }
    }

    private void advance(long until) {
        long next = Math.min(until, world.nextAt());
        next = Math.min(next, poller.deadline().map(MonotonicTime::nanos).orElse(Long.MAX_VALUE));
        if (relay.isPresent() && !relayIsBusy) {
            next = Math.min(
                    next, relayPoller.deadline().map(MonotonicTime::nanos).orElse(Long.MAX_VALUE));
        }
        if (mayHear()) {
            next = Math.min(
                    next,
                    notifyPoller
                            .get()
                            .get()
                            .deadline()
                            .map(MonotonicTime::nanos)
                            .orElse(Long.MAX_VALUE));
        }
        for (Actor actor : actors) {
            if (!busy.contains(actor)) {
                next = Math.min(next, actor.nextStep().map(MonotonicTime::nanos).orElse(Long.MAX_VALUE));
            }
        }
        next = Math.min(next, keeperIsDue());
        stepsWithoutTime = 0;
        world.advanceTo(next);
    }

    private boolean stepSomebody() {
        List<Runnable> able = new ArrayList<>(4);
        if (mayGoOn(poller)) {
            able.add(this::turn);
        }
        if (relay.isPresent() && !relayIsBusy && mayGoOn(relayPoller)) {
            able.add(this::relay);
        }
        boolean mayHear = mayHear();
        if (mayHear && mayGoOn(notifyPoller.get().get())) {
            able.add(this::hear);
        }
        for (Actor actor : actors) {
            if (!busy.contains(actor) && actor.nextStep().filter(this::hasCome).isPresent()) {
                able.add(() -> step(actor));
            }
        }
        if (keeperIsDue() <= world.nanos()) {
            able.add(this::keep);
        }
        if (!looks.isEmpty() && busyLookers < LOOKERS) {
            able.add(this::look);
        }
        if (able.isEmpty() && !poller.waits()) {
            // It has done what there was, and has yet to say until when it will wait.
            able.add(this::turn);
        }
        if (able.isEmpty() && mayHear && !notifyPoller.get().get().waits()) {
            able.add(this::hear);
        }
        if (able.isEmpty() && relay.isPresent() && !relayIsBusy && !relayPoller.waits()) {
            able.add(this::relay);
        }
        if (able.isEmpty()) {
            return false;
        }
        able.get(able.size() == 1 ? 0 : order.nextInt(able.size())).run();
        return true;
    }

    /** Whoever makes a socket, and is held up meanwhile, has its listener wait. */
    private boolean mayHear() {
        return notifyPoller.get().isPresent() && !Thread.holdsLock(daemon.notifySockets());
    }

    private boolean mayGoOn(SimulatedPoller waiting) {
        return waiting.hasWork()
                || waiting.waits() && waiting.deadline().filter(this::hasCome).isPresent();
    }

    private boolean hasCome(MonotonicTime time) {
        return time.nanos() <= world.nanos();
    }

    /** Its thread lets others go first, and gathers what comes meanwhile. */
    private long keeperIsDue() {
        if (keeper.isEmpty() || busy.contains(keeper.get())) {
            return Long.MAX_VALUE;
        }
        Optional<MonotonicTime> due = keeper.get().nextStep();
        if (due.isEmpty() || !hasCome(due.get())) {
            keeperBegins = Optional.empty();
            return due.map(MonotonicTime::nanos).orElse(Long.MAX_VALUE);
        }
        if (keeperBegins.isEmpty()) {
            keeperBegins = Optional.of(world.nanos() + order.nextLong(KEEPER_WAITS.toNanos() + 1));
        }
        return keeperBegins.get();
    }

    private void keep() {
        keeperBegins = Optional.empty();
        step(keeper.orElseThrow());
    }

    private void turn() {
        Optional<Consumer<Duration>> caller = os.waiting();
        os.callerNeverWaits();
        over = !daemon.turn();
        turns++;
        witness.afterTurn();
        caller.ifPresent(os::callerMayWait);
    }

    /** It reads sockets, and files that never are on a disk: it does not wait. */
    private void hear() {
        Optional<Consumer<Duration>> caller = os.waiting();
        os.callerNeverWaits();
        try {
            daemon.notifySockets().turn(Optional.empty());
        } catch (OsException e) {
            throw new AssertionError("it cannot listen", e);
        }
        caller.ifPresent(os::callerMayWait);
    }

    private void step(Actor actor) {
        busy.add(actor);
        asSomebodyWhoMayWait(actor::step);
        busy.remove(actor);
    }

    private void relay() {
        relayIsBusy = true;
        asSomebodyWhoMayWait(() -> relay.orElseThrow().turn(Optional.empty()));
        relayIsBusy = false;
    }

    private void look() {
        Runnable look = looks.remove(0);
        busyLookers++;
        asSomebodyWhoMayWait(look);
        busyLookers--;
    }

    private void asSomebodyWhoMayWait(Runnable work) {
        Optional<Consumer<Duration>> caller = os.waiting();
        os.callerMayWait(this::hold);
        work.run();
        os.callerNeverWaits();
        caller.ifPresent(os::callerMayWait);
    }

    /** The caller is held up; the others go on. */
    private void hold(Duration time) {
        transcript.add(new Held(time));
        boolean first = heldSince < 0;
        if (first) {
            heldSince = world.nanos();
        }
        os.callerNeverWaits();
        witness.heldSince(heldSince);
        List<Actor> blocked = new ArrayList<>(daemon.blockedByTheKeeper());
        blocked.removeAll(busy);
        busy.addAll(blocked);
        drive(world.nanos() + time.toNanos());
        blocked.forEach(busy::remove);
        os.callerMayWait(this::hold);
        if (first) {
            witness.held(heldSince, world.nanos());
            heldSince = -1;
        }
    }

    private record Held(Duration time) {
        @Override
        public String toString() {
            return "an actor is held up for " + time.toNanos() / 1000 + " us";
        }
    }

    /** The whole daemon stands still; the world does not. */
    void pause(Duration time) {
        transcript.add("the daemon stands still for " + time.toMillis() + " ms");
        long from = world.nanos();
        world.advanceTo(from + time.toNanos());
        witness.held(from, world.nanos());
    }

    /** The wall clock is set. */
    void stepWall(Duration by) {
        transcript.add("the wall clock is stepped by " + by.toMillis() + " ms");
        world.stepWall(by);
        witness.stepped();
    }

    /** The machine sleeps: no monotonic time passes. */
    void suspend(Duration asleep) {
        transcript.add("the machine sleeps for " + asleep.toMillis() + " ms");
        world.suspend(asleep);
        witness.stepped();
    }

    /** Somebody kills the keeper. */
    void killKeeper() {
        os.killKeepers();
    }

    /** SIGHUP for the daemon. */
    void hangUp() {
        transcript.add("hang up");
        daemon.hangUp();
    }

    /** SIGTERM for the daemon. */
    void terminate() {
        transcript.add("terminate the daemon");
        witness.terminated();
        daemon.terminate();
    }

    /** Somebody asks; the answer is checked when it comes. */
    CompletableFuture<Answer> ask(Ask ask) {
        transcript.add(ask);
        CompletableFuture<Answer> answer = daemon.ask(ask);
        witness.asked(ask, answer);
        return answer;
    }

    /** The last words of a daemon whose loop has ended. */
    void end() {
        if (!over) {
            throw new AssertionError("the daemon has not ended");
        }
        daemon.end();
        for (Actor actor : actors) {
            for (int i = 0; i < 10 && actor.nextStep().filter(this::hasCome).isPresent(); i++) {
                actor.step();
            }
        }
        if (daemon.leavesRunning()) {
            witness.afterHandOver();
        } else {
            witness.afterEnd();
        }
    }
}
