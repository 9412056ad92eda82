package io.jsupervise.daemon;

import io.jsupervise.lifecycle.Effect;
import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.lifecycle.TimerKind;
import io.jsupervise.os.OsException;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.supervision.Order;
import io.jsupervise.supervision.SupervisorEvent;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Does what the core orders, in list order, and decides nothing. What can be done at once is done here; what may have
 * to wait for a disk or for exec is handed to an actor. What failed comes back to the core as an event, or is told.
 * The loop's thread only.
 */
final class EffectRunner {
    private final Children children;
    private final ExecChecks checks;
    private final TimerQueue timers;
    private final Outlets outlets;
    private boolean exit;
    private boolean leavesRunning;
    private boolean failed;

    /** Keys the timers of services; those of the supervisor have their kind alone as key. */
    record ServiceTimer(ServiceName service, TimerKind kind) {
        @Override
        public boolean equals(Object other) {
            return other instanceof ServiceTimer timer && timer.kind == kind && timer.service.equals(service);
        }

        @Override
        public int hashCode() {
            return service.hashCode() * 31 + kind.ordinal();
        }
    }

    EffectRunner(Children children, ExecChecks checks, TimerQueue timers, Outlets outlets) {
        this.children = children;
        this.checks = checks;
        this.timers = timers;
        this.outlets = outlets;
    }

    /** @param events that the core has not seen yet; what is known at once comes to them */
    void carryOut(Order order, Deque<SupervisorEvent> events) {
        run(order, events);
        if (order instanceof Order.Record && events.isEmpty()) {
            // Whatever waits for this record waits less; in a storm all deaths of the turn come first.
            outlets.recordsAreGiven();
        }
    }

    /** Whether the core ordered to leave the loop. */
    boolean exitOrdered() {
        return exit;
    }

    /** Whether that order leaves services running. */
    boolean leavesRunning() {
        return leavesRunning;
    }

    /** Whether that order came because all that was to be done are oneshots, of which some failed. */
    boolean failed() {
        return failed;
    }

    void endOfTurn() {
        outlets.endOfTurn();
    }

    private void run(Order order, Deque<SupervisorEvent> results) {
        if (order instanceof Order.ForService forService) {
            run(forService.effect(), results);
        } else if (order instanceof Order.Record record) {
            outlets.record(record);
        } else if (order instanceof Order.Tell tell) {
            outlets.tell(tell);
        } else if (order instanceof Order.Reply reply) {
            outlets.reply(reply);
        } else if (order instanceof Order.ArmTimer arm) {
            timers.arm(arm.timer(), arm.generation(), arm.deadline());
        } else if (order instanceof Order.TouchHeartbeat) {
            outlets.heartbeats().touchOurs();
        } else if (order instanceof Order.FeedWatchdog) {
            outlets.feedWatchdog();
        } else if (order instanceof Order.TellManager tell) {
            outlets.tellManager(tell.assignments());
        } else if (order instanceof Order.RecordSupervisor record) {
            outlets.record(record);
        } else if (order instanceof Order.ReadConfiguration read) {
            outlets.readConfiguration(read);
        } else if (order instanceof Order.RotateLogs rotate) {
            outlets.rotateLogs(rotate);
        } else if (order instanceof Order.Configured configured) {
            outlets.configured(configured.configuration());
        } else if (order instanceof Order.Exit end) {
            exit = true;
            leavesRunning = end.leavesRunning();
            failed = end.failed();
        } else {
            throw new AssertionError(order);
        }
    }

    private void run(Effect effect, Deque<SupervisorEvent> results) {
        if (effect instanceof Effect.ArmTimer arm) {
            timers.arm(new ServiceTimer(arm.service(), arm.kind()), arm.generation(), arm.deadline());
        } else if (effect instanceof Effect.CancelTimer cancel) {
            timers.cancel(new ServiceTimer(cancel.service(), cancel.kind()));
        } else if (effect instanceof Effect.Spawn spawn) {
            outlets.spawner().spawn(spawn);
        } else if (effect instanceof Effect.SendSignal send) {
            signal(send);
        } else if (effect instanceof Effect.LookAtTree look) {
            lookAtTree(look);
        } else if (effect instanceof Effect.Bury bury) {
            bury(bury, results);
        } else if (effect instanceof Effect.LookAtHeartbeat look) {
            outlets.heartbeats().look(look);
        } else if (effect instanceof Effect.LookAtReadyFile look) {
            outlets.heartbeats().look(look);
        } else if (effect instanceof Effect.HearOut hear) {
            outlets.notifySockets().hearOut(hear);
        } else if (effect instanceof Effect.AskProbe ask) {
            outlets.probe(ask);
        } else if (effect instanceof Effect.RunCheck ask) {
            checks.ask(ask);
        } else if (effect instanceof Effect.AwaitLine await) {
            outlets.spawner().awaitLine(await);
        } else if (effect instanceof Effect.TakeLog take) {
            outlets.spawner().takeLog(take);
        } else if (effect instanceof Effect.Forget forget) {
            outlets.spawner().forget(forget);
        } else {
            throw new AssertionError(effect);
        }
    }

    private void signal(Effect.SendSignal send) {
        try {
            children.signal(send.run(), send.signal(), send.wholeTree());
        } catch (OsException e) {
            outlets.complain("cannot signal \"" + send.service() + "\"", e);
        }
    }

    private void lookAtTree(Effect.LookAtTree look) {
        try {
            children.lookAtTree(look.run());
        } catch (OsException e) {
            outlets.complain(
                    "cannot look who belongs to \"" + look.service()
                            + "\" before its stop; what then hides from it may be left",
                    e);
        }
    }

    private void bury(Effect.Bury bury, Deque<SupervisorEvent> results) {
        boolean empty = false;
        try {
            if (bury.wholeTree()) {
                empty = children.bury(bury.run());
            } else {
                empty = children.buryAlone(bury.run());
            }
        } catch (OsException e) {
            outlets.complain("cannot end what is left of \"" + bury.service() + "\"", e);
        }
        List<String> left = bury.run().isOfHook() ? List.of() : checks.end(bury.service());
        results.add(new SupervisorEvent.OfService(bury.service(), looked(bury.run(), empty, left)));
    }

    private Event.GroupLookedAt looked(RunId run, boolean empty, List<String> checksLeft) {
        if (empty && checksLeft.isEmpty()) {
            return new Event.GroupLookedAt(run, true);
        }
        List<String> left = new ArrayList<>(checksLeft);
        if (!empty) {
            left.addAll(children.left(run));
        }
        return new Event.GroupLookedAt(run, false, left);
    }
}
