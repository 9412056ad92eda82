package io.jsupervise.daemon;

import io.jsupervise.control.EventCodec;
import io.jsupervise.journal.JournalCodec;
import io.jsupervise.journal.Recovery;
import io.jsupervise.journal.ServiceRecord;
import io.jsupervise.lifecycle.Effect;
import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Now;
import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.spec.Backoff;
import io.jsupervise.spec.Readiness;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import io.jsupervise.spec.SupervisorSpec;
import io.jsupervise.supervision.Identity;
import io.jsupervise.supervision.Order;
import io.jsupervise.supervision.Supervisor;
import io.jsupervise.supervision.SupervisorEvent;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * Plays through the ends and restarts of a service that does not exist, with a core of its own, so that the first real
 * one meets code that the JVM has compiled: interpreted, a restart takes half as long again. Nothing is started,
 * signalled or written. Runs once, on a thread of its own, when the start is over.
 */
final class Rehearsal implements Runnable {
    /** HotSpot's first compiler takes a method after 200 calls (Tier3InvocationThreshold), loops or not. */
    private static final int RESTARTS = 250;

    /** The start of real services comes first. */
    private static final long PATIENCE_NANOS = 500_000_000;

    /** A breath after each restart: whatever is real at the moment should find a processor. */
    private static final long BREATH_NANOS = 200_000;

    private static final ServiceSpec SERVICE = ServiceSpec.of("rehearsal", "/nonexistent")
            .ready(new Readiness.Delay(Duration.ZERO))
            .backoff(new Backoff(Duration.ofMillis(1), 1, Duration.ofMillis(1), 0.1, Duration.ofSeconds(60)))
            .build();

    private final Os os;
    private final Path someFile;
    private final Supervisor supervisor;
    private final String bootId;
    private final JournalCodec journal = new JournalCodec();
    private final EventCodec events = new EventCodec();
    private final TimerQueue timers = new TimerQueue();
    private final Deque<SupervisorEvent> queue = new ArrayDeque<>();
    private final Now begin;
    private Now now;
    private int pid;

    /** @param spec of the real supervisor; its lock file is looked at now and then */
    Rehearsal(Os os, SupervisorSpec spec) {
        this.os = os;
        this.someFile = spec.stateDir().resolve("lock");
        this.bootId = os.bootId();
        this.begin = new Now(os.now(), os.wallClock());
        this.now = begin;
        Identity identity = new Identity(os.self(), "rehearsal", someFile, begin, "rehearsal", 1, Map.of());
        Recovery.Recovered fresh = Recovery.recover(
                List.of(SERVICE),
                new Recovery.Before(Map.of(), Optional.empty(), List.of()),
                new Recovery.Here("rehearsal", 1, bootId, begin, 1));
        this.supervisor = new Supervisor(spec, identity, fresh.services(), Set.of(), List.of(), 0);
    }

    /** Not to a JVM that compiles nothing ({@code -Xint}): it would only be kept from its work. */
    static boolean isOfUse() {
        return !System.getProperty("java.vm.info", "").startsWith("interpreted");
    }

    /** How many restarts were played. */
    int restarts() {
        return pid;
    }

    @Override
    public void run() {
        LockSupport.parkNanos(PATIENCE_NANOS);
        play();
    }

    void play() {
        queue.add(new SupervisorEvent.Began(List.of()));
        while (pid < RESTARTS) {
            int before = pid;
            settle();
            fireNext();
            settle();
            look();
            if (pid == before) {
                // The core sees no reason to start it again; there is nothing to be learned then.
                return;
            }
            LockSupport.parkNanos(BREATH_NANOS);
        }
    }

    private void settle() {
        for (SupervisorEvent event = queue.poll(); event != null; event = queue.poll()) {
            for (Order order : supervisor.step(event, now)) {
                carryOut(order);
            }
        }
    }

    private void carryOut(Order order) {
        if (order instanceof Order.Record record) {
            journal.encode(ServiceRecord.of(record.service(), bootId));
            queue.add(new SupervisorEvent.JournalCommitted(record.seq()));
        } else if (order instanceof Order.RecordSupervisor record) {
            queue.add(new SupervisorEvent.JournalCommitted(record.seq()));
        } else if (order instanceof Order.Tell tell) {
            try {
                events.write(tell.happening(), OutputStream.nullOutputStream());
            } catch (IOException e) {
                throw new UncheckedIOException("cannot happen: nothing is written", e);
            }
        } else if (order instanceof Order.ForService of) {
            carryOut(of.effect());
        }
    }

    private void carryOut(Effect effect) {
        if (effect instanceof Effect.Spawn spawn) {
            ProcessIdentity process = new ProcessIdentity(new Pid(++pid), pid);
            tell(new Event.Spawned(spawn.run(), process, "nobody", List.of()));
            ExitStatus killed = new ExitStatus.Killed(Signal.KILL, false);
            tell(new Event.ChildExited(spawn.run(), pid % 2 == 0 ? killed : new ExitStatus.Exited(1)));
        } else if (effect instanceof Effect.Bury bury) {
            tell(new Event.GroupLookedAt(bury.run(), true));
        } else if (effect instanceof Effect.ArmTimer arm) {
            timers.arm(new EffectRunner.ServiceTimer(arm.service(), arm.kind()), arm.generation(), arm.deadline());
        } else if (effect instanceof Effect.CancelTimer cancel) {
            timers.cancel(new EffectRunner.ServiceTimer(cancel.service(), cancel.kind()));
        }
    }

    private void tell(Event event) {
        queue.add(new SupervisorEvent.OfService(SERVICE.name(), event));
    }

    /** The clock of the rehearsal jumps to whatever is due next. */
    private void fireNext() {
        Optional<MonotonicTime> next = timers.next();
        if (next.isEmpty()) {
            return;
        }
        Duration passed = next.get().since(begin.mono());
        now = new Now(next.get(), begin.wall().plus(passed));
        for (Optional<TimerQueue.Timer> due = timers.takeDue(now.mono());
                due.isPresent();
                due = timers.takeDue(now.mono())) {
            TimerQueue.Timer timer = due.get();
            EffectRunner.ServiceTimer of = (EffectRunner.ServiceTimer) timer.key();
            tell(new Event.TimerFired(of.kind(), timer.generation()));
        }
    }

    private void look() {
        try {
            os.stat(someFile);
        } catch (OsException e) {
            // It was to be called, not to be answered.
        }
    }
}
