package io.jsupervise.supervision;

import io.jsupervise.lifecycle.Effect;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.spec.ServiceName;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Holds back what must not be done before it is recorded. Records are numbered; an order about a service waits until
 * every record of that service that was given out before it is in place. While the journal is stale nothing waits:
 * keeping services alive matters more than remembering it.
 */
final class JournalGate {
    /** A commit that takes longer than this makes the journal stale. */
    static final Duration PATIENCE = Duration.ofSeconds(2);

    private final Map<ServiceName, Long> newest = new HashMap<>();
    private final List<Held> held = new ArrayList<>();

    /** Those of {@link #held} that are spawns: a shutdown takes back a thousand of them. */
    private final Map<ServiceName, Held> heldSpawns = new HashMap<>();

    private long given;
    private long committed;
    private boolean stale;
    private MonotonicTime progressAt = new MonotonicTime(0);

    private static final class Held {
        final long needs;
        Order order;
        boolean withdrawn;

        Held(long needs, Order order) {
            this.needs = needs;
            this.order = order;
        }
    }

    boolean isStale() {
        return stale;
    }

    /** Whether some record given out is not in place yet. */
    boolean isBehind() {
        return committed < given;
    }

    /** Whether record {@code seq} is in place. */
    boolean has(long seq) {
        return seq <= committed;
    }

    /** The number of the next record, which is about {@code service}. */
    long next(ServiceName service, MonotonicTime now) {
        long seq = next(now);
        newest.put(service, seq);
        return seq;
    }

    /** The number of the next record, about no service. */
    long next(MonotonicTime now) {
        if (!isBehind()) {
            progressAt = now;
        }
        return ++given;
    }

    /** The record that an order about {@code service} has to wait for; 0 for none. */
    long needs(ServiceName service) {
        return newest.getOrDefault(service, 0L);
    }

    /**
     * Lets {@code order} pass to {@code out} at once, or when record {@code needs} is in place. A reply that passes
     * without its record, because the journal is stale, says so.
     */
    void pass(long needs, Order order, List<Order> out) {
        if (needs <= committed) {
            out.add(order);
        } else if (stale) {
            out.add(unrecorded(order));
        } else {
            hold(new Held(needs, order));
        }
    }

    private void hold(Held one) {
        held.add(one);
        if (one.order instanceof Order.ForService of
                && of.effect() instanceof Effect.Spawn spawn
                && !spawn.run().isOfAlert()) {
            heldSpawns.put(spawn.service(), one);
        }
    }

    private static Order unrecorded(Order order) {
        if (order instanceof Order.Reply reply && reply.answer() instanceof Answer.Acted acted) {
            return new Order.Reply(reply.request(), new Answer.Acted(acted.results(), false));
        }
        if (order instanceof Order.Reply reply && reply.answer() instanceof Answer.Reloaded reloaded) {
            return new Order.Reply(
                    reply.request(), new Answer.Reloaded(reloaded.diff(), false, reloaded.results(), false));
        }
        return order;
    }

    /** Takes back the spawn of {@code service} that is held; false where none is. */
    boolean withdrawSpawn(ServiceName service) {
        Held spawn = heldSpawns.remove(service);
        if (spawn == null) {
            return false;
        }
        spawn.withdrawn = true;
        return true;
    }

    /** Has the spawn of {@code service} that is held, if one is, made as {@code order} says. */
    void replaceSpawn(ServiceName service, Order order) {
        Held spawn = heldSpawns.get(service);
        if (spawn != null) {
            spawn.order = order;
        }
    }

    void committed(long seq, MonotonicTime now, List<Order> out) {
        committed = Math.max(committed, seq);
        progressAt = now;
        release(out);
    }

    void declareStale(List<Order> out) {
        stale = true;
        release(out);
    }

    void declareWell() {
        stale = false;
    }

    /** When the journal becomes stale if nothing more is committed. */
    MonotonicTime deadline() {
        return progressAt.plus(PATIENCE);
    }

    private void release(List<Order> out) {
        if (held.isEmpty()) {
            return;
        }
        List<Held> before = List.copyOf(held);
        held.clear();
        heldSpawns.clear();
        for (Held one : before) {
            if (!one.withdrawn) {
                pass(one.needs, one.order, out);
            }
        }
    }
}
