package io.jsupervise.supervision;

import io.jsupervise.spec.ServiceName;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Who waits with its start for the root of a restart, and who goes before it. Those that are restarted with a root wait for it,
 * unless it may have to wait for them: because it depends on them, or waits for another root that does, and so on. Two roots
 * may be restarted with each other, as where a supervisor finds them both dead; then the one whose restart began first goes
 * first.
 *
 * <p>So nobody waits in a circle. Dependencies are none; and with each restart, in their order, only such waits for its root
 * are added as do not lead back from the root to whoever waits.
 */
final class RootsFirst {
    private final StartOrder order;
    private final List<Root> roots = new ArrayList<>();

    private record Root(ServiceName name, Collection<ServiceName> others, Set<ServiceName> goBefore) {}

    RootsFirst(StartOrder order) {
        this.order = order;
    }

    /**
     * The next restart in their order.
     *
     * @param root   has not started yet
     * @param others those that are restarted with it
     */
    void add(ServiceName root, Collection<ServiceName> others) {
        roots.add(new Root(root, others, awaitedBy(root)));
    }

    /** Whether {@code name}, being one of the others of the restart that was added last, has to wait for its root. */
    boolean waitsForLast(ServiceName name) {
        return waitsFor(roots.get(roots.size() - 1), name);
    }

    private static boolean waitsFor(Root root, ServiceName name) {
        return root.others.contains(name) && !root.goBefore.contains(name);
    }

    /** Itself, and all that it may have to wait for, by what there is so far. */
    private Set<ServiceName> awaitedBy(ServiceName name) {
        Set<ServiceName> all = new HashSet<>(List.of(name));
        Deque<ServiceName> look = new ArrayDeque<>(all);
        List<Root> left = new ArrayList<>(roots);
        while (!look.isEmpty()) {
            ServiceName one = look.poll();
            List<ServiceName> next = order.neededBy(one);
            for (int i = left.size() - 1; i >= 0; i--) {
                if (waitsFor(left.get(i), one)) {
                    next.add(left.remove(i).name);
                }
            }
            for (ServiceName other : next) {
                if (all.add(other)) {
                    look.add(other);
                }
            }
        }
        return all;
    }
}
