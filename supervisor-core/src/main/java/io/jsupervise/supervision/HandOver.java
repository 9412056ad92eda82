package io.jsupervise.supervision;

import io.jsupervise.lifecycle.Effect;
import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.TimerKind;
import io.jsupervise.spec.ServiceName;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * A supervisor that is about to end and leaves its services running for the next one. Until what is under way has come
 * to rest and is recorded, it only takes note of facts: processes that were being spawned, and ends. Whatever would
 * start or signal a process is kept here, in order, and is the next supervisor's to do, which draws it from the
 * journal; should this one have to stay, because the journal fails or somebody wants everything stopped after all, it
 * is taken up again as if nothing had been.
 */
final class HandOver {
    /** What has not come to rest by then will not soon: a spawn in a dead file system. */
    static final Duration PATIENCE = Duration.ofSeconds(15);

    private final long request;
    private final MonotonicTime deadline;
    private final List<SupervisorEvent.OfService> deferred = new ArrayList<>();
    private final List<Order.ForService> withheld = new ArrayList<>();
    private final Set<RunId> withheldSpawns = new HashSet<>();
    private final Set<ServiceName> postponed = new LinkedHashSet<>();
    private boolean recorded;

    /** @param request who asked, to be answered at its end */
    HandOver(long request, MonotonicTime now) {
        this.request = request;
        this.deadline = now.plus(PATIENCE);
    }

    long request() {
        return request;
    }

    MonotonicTime deadline() {
        return deadline;
    }

    /**
     * Keeps an event that may lead to a start or a signal; false where it has to be taken note of now. What is kept for
     * good is not lost with us: the next supervisor looks for itself.
     */
    boolean defer(SupervisorEvent.OfService event) {
        Event of = event.event();
        boolean fact = of instanceof Event.Spawned
                || of instanceof Event.SpawnFailed
                || of instanceof Event.ChildExited
                || of instanceof Event.GroupLookedAt
                || of instanceof Event.TimerFired timer && timer.kind() == TimerKind.GROUP;
        if (!fact) {
            deferred.add(event);
        }
        return !fact;
    }

    List<SupervisorEvent.OfService> deferred() {
        return deferred;
    }

    /** A service that would start now. */
    void postpone(ServiceName service) {
        postponed.add(service);
    }

    Set<ServiceName> postponed() {
        return postponed;
    }

    /** Takes every start and signal, and the look before it, out of {@code orders}. */
    void withhold(List<Order> orders) {
        orders.removeIf(order -> {
            if (!(order instanceof Order.ForService of)) {
                return false;
            }
            if (of.effect() instanceof Effect.Spawn spawn) {
                withheldSpawns.add(spawn.run());
            } else if (!(of.effect() instanceof Effect.SendSignal) && !(of.effect() instanceof Effect.LookAtTree)) {
                return false;
            }
            withheld.add(of);
            return true;
        });
    }

    List<Order.ForService> withheld() {
        return withheld;
    }

    /** Whether something of {@code service} goes on that has to be known before we end: a spawn, a burial, a hook. */
    boolean waitsFor(Service service) {
        return isBeingSpawned(service) || service.grave().isPresent();
    }

    /** A hook is waited for until it has ended. */
    private boolean isBeingSpawned(Service service) {
        if (service.hooks().running().isPresent()) {
            return !withheldSpawns.contains(service.hooks().running().get().id());
        }
        return service.run().isPresent()
                && service.process().isEmpty()
                && !withheldSpawns.contains(service.run().get().id());
    }

    /** Whether our own last record has been given out; it is from now on. */
    boolean record() {
        boolean before = recorded;
        recorded = true;
        return before;
    }
}
