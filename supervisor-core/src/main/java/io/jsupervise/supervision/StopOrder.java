package io.jsupervise.supervision;

import io.jsupervise.spec.ServiceName;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Who has to wait with its end for whom: of those that are to stop together, one that others depend on is asked to end
 * only when these are down, while all that do not depend on each other end at the same time. Each takes no longer than
 * its own stop sequence, so nobody waits for ever. A service that is not asked to stop is waited for by nobody.
 */
final class StopOrder {
    /** All that are to stop and are not down yet, or link others that are not. */
    private final Set<ServiceName> leaving = new HashSet<>();

    /** Those who wait, and for how many others. */
    private final Map<ServiceName, Integer> waiting = new HashMap<>();

    boolean isEmpty() {
        return leaving.isEmpty();
    }

    /** These are to stop, beside those that are to already: one of these may have to wait for more now. */
    void add(Collection<ServiceName> services, StartOrder dependencies) {
        for (ServiceName service : services) {
            if (leaving.add(service)) {
                for (ServiceName needed : dependencies.neededBy(service)) {
                    waiting.computeIfPresent(needed, (name, others) -> others + 1);
                }
            }
        }
        for (ServiceName service : services) {
            int others = 0;
            for (ServiceName dependent : dependencies.dependentsOf(service)) {
                others += leaving.contains(dependent) ? 1 : 0;
            }
            if (others > 0) {
                waiting.put(service, others);
            } else {
                waiting.remove(service);
            }
        }
    }

    /** Whether it has to wait for others to be down. */
    boolean holds(ServiceName service) {
        return waiting.containsKey(service);
    }

    /** It need not wait any more, whoever is still up. */
    void release(ServiceName service) {
        waiting.remove(service);
    }

    /** Nobody waits any more; those who did. */
    List<ServiceName> releaseAll() {
        List<ServiceName> all = new ArrayList<>(waiting.keySet());
        waiting.clear();
        return all;
    }

    /** It is down, or is not to stop any more: those that have waited for it alone. */
    List<ServiceName> gone(ServiceName service, StartOrder dependencies) {
        waiting.remove(service);
        if (!leaving.remove(service)) {
            return List.of();
        }
        List<ServiceName> free = new ArrayList<>();
        for (ServiceName needed : dependencies.neededBy(service)) {
            Integer others = waiting.get(needed);
            if (others != null && others > 1) {
                waiting.put(needed, others - 1);
            } else if (others != null) {
                waiting.remove(needed);
                free.add(needed);
            }
        }
        return free;
    }
}
