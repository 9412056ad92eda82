package io.jsupervise.daemon;

import io.jsupervise.daemon.EffectRunner.ServiceTimer;
import io.jsupervise.io.Keeper;
import io.jsupervise.lifecycle.Effect;
import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Now;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.os.Child;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.Poller;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.supervision.Order;
import io.jsupervise.supervision.Supervisor;
import io.jsupervise.supervision.SupervisorEvent;
import io.jsupervise.supervision.SupervisorTimer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;

/**
 * The one thread that supervises. A turn waits for something to happen, reads the clock once, lets the core step over
 * what has happened, and has its orders carried out; whatever was handed to the actors meanwhile begins at the end of
 * the turn. Nothing here waits for a disk, a client or a child, and where a thousand things happen at once a turn leaves
 * the rest to the next ones: all of it is done in the order in which it has come.
 */
public final class EventLoop {
    /** How often children are asked that the kernel would not report. */
    private static final Duration ASK_AGAIN = Duration.ofSeconds(1);

    /** Of what is left when all services are down. */
    private static final Duration LAST_PATIENCE = Duration.ofSeconds(10);

    private static final Duration LAST_LOOKS = Duration.ofMillis(5);

    /** How long a turn goes on with its work. */
    static final Duration SLICE = Duration.ofMillis(5);

    /** Steps and orders between two looks at the clock. */
    private static final int AT_ONCE = 8;

    /** For so long at the most, while there is always more to do, the processes are those that were seen in an earlier turn. */
    private static final Duration SIGHT = Duration.ofMillis(100);

    private final Os os;
    private final Poller poller;
    private final Duration slice;
    private final Supervisor supervisor;
    private final Inbox inbox;
    private final Trees trees;
    private final Children children;
    private final TimerQueue timers;
    private final ExecChecks checks;
    private final LastWords lastWords = new LastWords();
    private final EffectRunner runner;
    private final Outlets outlets;
    private final Deque<SupervisorEvent> events = new ArrayDeque<>();

    /** What the core has ordered, and is not carried out yet: before the events, which it has not seen. */
    private final Deque<Order> orders = new ArrayDeque<>();

    private MonotonicTime sightUntil = MonotonicTime.BOOT;
    private final LongConsumer ready = this::ready;
    private long[] tokens = new long[64];
    private int tokenCount;
    private Optional<MonotonicTime> endsAt = Optional.empty();
    private Duration longestTurn = Duration.ZERO;

    EventLoop(Os os, Poller poller, Duration slice, Supervisor supervisor, Inbox inbox, Trees trees, Outlets outlets) {
        this.os = os;
        this.slice = slice;
        this.poller = poller;
        this.supervisor = supervisor;
        this.inbox = inbox;
        this.outlets = outlets;
        this.trees = trees;
        this.children = new Children(os, poller, trees, supervisor::isLoaded, outlets::release);
        this.timers = new TimerQueue();
        this.checks = new ExecChecks(os, children, timers, outlets);
        this.runner = new EffectRunner(children, checks, timers, outlets);
    }

    /** A process of the tree of a main process that ended while nobody watched; before the first turn. */
    void watchRemains(ServiceName service, RunId run, ProcessIdentity member) {
        children.watchRemains(service, run, member);
    }

    /** For the end of a run by {@code status} while nobody watched; before the first turn. */
    long killedForMemory(RunId run, ExitStatus status) {
        return trees.killedForMemory(run, status);
    }

    /** A process of a run that has ended, while a later run of its service lives; before the first turn. */
    void endLeftover(ProcessIdentity leftover) {
        trees.endLeftover(leftover);
    }

    /** One turn; false when the core ordered to end. */
    public boolean turn() {
        waitForWork();
        if (tokenCount > 0) {
            outlets.expectRecords();
        }
        Now now = new Now(os.now(), os.wallClock());
        if (!hasMore() || !now.mono().isBefore(sightUntil)) {
            trees.newTurn();
            sightUntil = now.mono().plus(SIGHT);
        }
        List<Inbox.Message> messages = inbox.takeAll();
        takeExits(now.mono(), messages);
        take(messages);
        takeTimers(now.mono());
        work(now);
        lookAtOrphans(now.mono());
        runner.endOfTurn();
        measure(now.mono());
        return hasMore() || !runner.exitOrdered() || !runner.leavesRunning() && someRemain(now.mono());
    }

    /** Whether there is something to do without that anything happens. */
    private boolean hasMore() {
        return !orders.isEmpty() || supervisor.isUnfinished() || !events.isEmpty();
    }

    private void work(Now now) {
        MonotonicTime until = now.mono().plus(slice);
        for (int done = 1; hasMore(); done++) {
            if (!orders.isEmpty()) {
                runner.carryOut(orders.poll(), events);
            } else if (supervisor.isUnfinished()) {
                orders.addAll(supervisor.goOn(now));
            } else {
                orders.addAll(supervisor.step(events.poll(), now));
            }
            if (done % AT_ONCE == 0 && !os.now().isBefore(until)) {
                return;
            }
        }
    }

    private void lookAtOrphans(MonotonicTime now) {
        if (now.isBefore(trees.nextLook())) {
            return;
        }
        try {
            trees.look();
        } catch (OsException e) {
            outlets.complain("cannot look after orphans", e);
        }
    }

    /** All services are down, and nothing has to be told any more: what hangs below us all the same goes before we do. */
    private boolean someRemain(MonotonicTime now) {
        if (endsAt.isEmpty()) {
            endsAt = Optional.of(now.plus(LAST_PATIENCE));
        }
        try {
            return now.isBefore(endsAt.get()) && !trees.endTheRest();
        } catch (OsException e) {
            outlets.complain("cannot end what is left below us", e);
            return false;
        }
    }

    /** Once {@link #turn} has said that the end is ordered: whether services run on, for the next supervisor. */
    public boolean leavesRunning() {
        return runner.leavesRunning();
    }

    /** Once the end is ordered: whether there were only oneshots and some of them failed. */
    public boolean failed() {
        return runner.failed();
    }

    private void waitForWork() {
        tokenCount = 0;
        try {
            poller.poll(hasMore() ? Optional.of(MonotonicTime.BOOT) : deadline(), ready);
        } catch (OsException e) {
            outlets.complain("cannot wait for events", e);
        }
    }

    private Optional<MonotonicTime> deadline() {
        Optional<MonotonicTime> deadline = Optional.of(nextLook());
        Optional<MonotonicTime> timer = timers.next();
        if (timer.isPresent()) {
            deadline = Optional.of(MonotonicTime.min(deadline.get(), timer.get()));
        }
        if (children.someAreUnpolled()) {
            MonotonicTime again = os.now().plus(ASK_AGAIN);
            deadline = Optional.of(MonotonicTime.min(deadline.get(), again));
        }
        Optional<MonotonicTime> words = lastWords.deadline();
        if (words.isPresent()) {
            deadline = Optional.of(MonotonicTime.min(deadline.get(), words.get()));
        }
        Optional<MonotonicTime> patience = children.patience();
        if (patience.isPresent()) {
            deadline = Optional.of(MonotonicTime.min(deadline.get(), patience.get()));
        }
        return deadline;
    }

    private MonotonicTime nextLook() {
        return endsAt.isEmpty() ? trees.nextLook() : os.now().plus(LAST_LOOKS);
    }

    private void ready(long token) {
        if (token == Keeper.TOKEN) {
            outlets.keeperEnded();
            return;
        }
        if (tokenCount == tokens.length) {
            tokens = Arrays.copyOf(tokens, 2 * tokenCount);
        }
        tokens[tokenCount++] = token;
    }

    /** @param messages among which some may name another main process: before its end, that of the former one is none of the service */
    private void takeExits(MonotonicTime now, List<Inbox.Message> messages) {
        for (Inbox.Message message : messages) {
            if (message.event() instanceof SupervisorEvent.OfService of
                    && of.event() instanceof Event.MainNamed named) {
                Optional<List<SupervisorEvent>> waited = lastWords.forget(named.run());
                children.nameMain(named.run(), message.child().orElseThrow(), waited.isPresent());
                waited.ifPresent(events::addAll);
            }
        }
        events.addAll(lastWords.overdue(now));
        for (long token : children.tokensToAsk(now)) {
            ready(token);
        }
        for (int i = 0; i < tokenCount; i++) {
            try {
                Optional<Children.Exit> exit = children.exitOf(tokens[i]);
                if (exit.isPresent()) {
                    ended(exit.get(), now);
                }
            } catch (OsException e) {
                outlets.complain("cannot learn how a process ended", e);
            }
        }
    }

    private void ended(Children.Exit exit, MonotonicTime now) {
        RunId run = exit.event().run();
        if (!run.isOfHook() && supervisor.isHeard(exit.service())) {
            lastWords.hold(exit, now);
            outlets.notifySockets().hearOut(new Effect.HearOut(exit.service(), run));
        } else {
            add(new SupervisorEvent.OfService(exit.service(), exit.event()));
        }
    }

    private void take(List<Inbox.Message> messages) {
        for (Inbox.Message message : messages) {
            if (message.child().isPresent()) {
                watch(message.event(), message.child().get());
            }
            add(message.event());
        }
    }

    /** To the core, unless it is nothing for it. */
    private void add(SupervisorEvent event) {
        if (!checks.takes(event, events) && !lastWords.defers(event)) {
            if (event instanceof SupervisorEvent.OfService of && of.event() instanceof Event.HeardOut heard) {
                // First: that nothing was heard of it means nothing where it has ended.
                events.addAll(lastWords.after(heard));
            }
            events.add(event);
        }
    }

    private void watch(SupervisorEvent event, Child child) {
        try {
            watchOrMourn(event, child);
        } catch (OsException e) {
            outlets.complain("cannot reap what an earlier run left", e);
        }
    }

    private void watchOrMourn(SupervisorEvent event, Child child) throws OsException {
        if (event instanceof SupervisorEvent.OfService of && of.event() instanceof Event.Spawned spawned) {
            children.watch(of.service(), spawned.run(), child);
        } else if (event instanceof SupervisorEvent.OfService of && of.event() instanceof Event.LeftoverFound found) {
            children.watch(of.service(), found.run(), child);
        } else if (event instanceof SupervisorEvent.OfService of && of.event() instanceof Event.ChildExited exited) {
            children.mourn(of.service(), exited.run(), child);
        } else if (event instanceof SupervisorEvent.OfService of && of.event() instanceof Event.MainNamed) {
            // Before the ends of this turn.
            return;
        } else {
            throw new AssertionError(event);
        }
    }

    private void takeTimers(MonotonicTime now) {
        for (Optional<TimerQueue.Timer> due = timers.takeDue(now); due.isPresent(); due = timers.takeDue(now)) {
            if (due.get().key() instanceof ExecChecks.Timer timer) {
                checks.timerFired(timer, events);
            } else {
                add(eventOf(due.get()));
            }
        }
    }

    private static SupervisorEvent eventOf(TimerQueue.Timer timer) {
        if (timer.key() instanceof ServiceTimer of) {
            return new SupervisorEvent.OfService(of.service(), new Event.TimerFired(of.kind(), timer.generation()));
        }
        return new SupervisorEvent.TimerFired((SupervisorTimer) timer.key(), timer.generation());
    }

    private void measure(MonotonicTime begun) {
        Duration turn = os.now().since(begun);
        if (turn.compareTo(longestTurn) > 0) {
            longestTurn = turn;
            supervisor.longestTurn(turn);
        }
    }
}
