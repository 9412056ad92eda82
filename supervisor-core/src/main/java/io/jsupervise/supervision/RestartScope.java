package io.jsupervise.supervision;

import io.jsupervise.lifecycle.Cause;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.spec.ServiceGroup;
import io.jsupervise.spec.ServiceName;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Who is restarted with a service, and why: its group, by the strategy of that, and those that depend on one of them
 * with {@code restart: true}. A member that is restarted with its group has not ended by itself, so its own group, should
 * it be another one, has no say.
 */
final class RestartScope {
    private RestartScope() {}

    /** All that depend on {@code root}, also through others, whatever they say of restarts. */
    static Map<ServiceName, Cause> dependents(ServiceName root, StartOrder order) {
        Map<ServiceName, Cause> others = new LinkedHashMap<>();
        Deque<ServiceName> look = new ArrayDeque<>(List.of(root));
        while (!look.isEmpty()) {
            for (ServiceName dependent : order.dependentsOf(look.poll())) {
                if (!dependent.equals(root) && others.putIfAbsent(dependent, Cause.DEPENDENCY) == null) {
                    look.add(dependent);
                }
            }
        }
        return others;
    }

    /**
     * The others of its group that its strategy names, and those that are restarted with one of these. Whoever asks for that
     * has seen more than a single end, so one_for_one stands for all of them here.
     */
    static Map<ServiceName, Cause> group(Service root, Collection<Service> inOrder, StartOrder order) {
        Map<ServiceName, Cause> others = new LinkedHashMap<>();
        Optional<ServiceGroup> group = root.spec().group();
        if (group.isPresent() && group.get().strategy() == ServiceGroup.Strategy.ONE_FOR_ONE) {
            for (Service service : inOrder) {
                if (service.spec().group().equals(group) && !service.name().equals(root.name())) {
                    others.put(service.name(), Cause.GROUP);
                }
            }
        } else {
            addGroup(root, inOrder, others);
        }
        Deque<ServiceName> look = new ArrayDeque<>(others.keySet());
        addDependents(root.name(), look, order, others);
        return others;
    }

    /** Those that depend on {@code root} with {@code restart: true}, and theirs. */
    static Map<ServiceName, Cause> alongWith(ServiceName root, StartOrder order) {
        Map<ServiceName, Cause> others = new LinkedHashMap<>();
        addDependents(root, new ArrayDeque<>(List.of(root)), order, others);
        return others;
    }

    /** All that the services file has restarted when {@code root} has ended and is restarted. */
    static Map<ServiceName, Cause> afterEnd(Service root, Collection<Service> inOrder, StartOrder order) {
        boolean alone = root.spec().group().isEmpty() && !order.knows(root.name());
        if (alone) {
            return Map.of();
        }
        Map<ServiceName, Cause> others = new LinkedHashMap<>();
        addGroup(root, inOrder, others);
        Deque<ServiceName> look = new ArrayDeque<>(others.keySet());
        look.addFirst(root.name());
        addDependents(root.name(), look, order, others);
        return others;
    }

    private static void addGroup(Service root, Collection<Service> inOrder, Map<ServiceName, Cause> others) {
        Optional<ServiceGroup> group = root.spec().group();
        if (group.isEmpty() || group.get().strategy() == ServiceGroup.Strategy.ONE_FOR_ONE) {
            return;
        }
        boolean restForOne = group.get().strategy() == ServiceGroup.Strategy.REST_FOR_ONE;
        boolean after = !restForOne;
        for (Service service : inOrder) {
            if (service.name().equals(root.name())) {
                after = true;
            } else if (after && service.spec().group().equals(group)) {
                others.put(service.name(), Cause.GROUP);
            }
        }
    }

    private static void addDependents(
            ServiceName root, Deque<ServiceName> look, StartOrder order, Map<ServiceName, Cause> others) {
        while (!look.isEmpty()) {
            for (ServiceName dependent : order.restartedWith(look.poll())) {
                if (!dependent.equals(root) && others.putIfAbsent(dependent, Cause.DEPENDENCY) == null) {
                    look.add(dependent);
                }
            }
        }
    }
}
