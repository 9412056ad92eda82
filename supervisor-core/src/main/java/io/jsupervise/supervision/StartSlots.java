package io.jsupervise.supervision;

import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.spec.ServiceName;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Who may start now: at most {@code limit} starts are under way at once, the others queue in the order in which they
 * asked. A slot is held until the service is ready or has ended, at most for {@link #LONGEST_HOLD}, so that a service
 * that is slow to get ready delays the herd but does not stop it.
 */
final class StartSlots {
    static final Duration LONGEST_HOLD = Duration.ofSeconds(1);

    private int limit;
    /** Until when each holds its slot; who took one first holds it least long, so the oldest come first. */
    private final Map<ServiceName, MonotonicTime> holders = new LinkedHashMap<>();

    private final Set<ServiceName> queue = new LinkedHashSet<>();

    /** @param limit 0 for none */
    StartSlots(int limit) {
        this.limit = limit;
    }

    /** Another limit from now on. Without one nobody holds a slot; whoever waits gets one when they are given out next. */
    void limit(int starts) {
        limit = starts;
        if (limit == 0) {
            holders.clear();
        }
    }

    boolean areUnlimited() {
        return limit == 0 && queue.isEmpty();
    }

    /**
     * Takes a slot for {@code service} or puts it in the queue, where it stays if it is there already. One that
     * asks again while it holds a slot has failed to start, and goes behind those who wait.
     */
    boolean take(ServiceName service, MonotonicTime now) {
        if (limit == 0) {
            queue.remove(service);
            return true;
        }
        holders.remove(service);
        boolean othersFirst = !queue.isEmpty() && !queue.iterator().next().equals(service);
        if (holders.size() >= limit || othersFirst) {
            queue.add(service);
            return false;
        }
        queue.remove(service);
        holders.put(service, now.plus(LONGEST_HOLD));
        return true;
    }

    void leave(ServiceName service) {
        holders.remove(service);
    }

    void leaveQueue(ServiceName service) {
        queue.remove(service);
    }

    void expire(MonotonicTime now) {
        Iterator<MonotonicTime> oldestFirst = holders.values().iterator();
        while (oldestFirst.hasNext() && !now.isBefore(oldestFirst.next())) {
            oldestFirst.remove();
        }
    }

    /** Those whose turn has come; each must {@link #take} its slot now. */
    List<ServiceName> next() {
        List<ServiceName> turn = new ArrayList<>();
        for (ServiceName service : queue) {
            if (limit > 0 && holders.size() + turn.size() >= limit) {
                break;
            }
            turn.add(service);
        }
        return turn;
    }

    /** When the oldest slot expires; only of interest while somebody waits. */
    Optional<MonotonicTime> deadline() {
        if (queue.isEmpty() || holders.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(holders.values().iterator().next());
    }
}
