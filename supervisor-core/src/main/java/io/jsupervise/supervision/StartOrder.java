package io.jsupervise.supervision;

import io.jsupervise.lifecycle.Cause;
import io.jsupervise.lifecycle.End;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.spec.Dependency;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Who has to wait for whom with its start. It knows the dependencies of all services, and of each service that waits at
 * present what it still waits for. A change of one service costs as much as there are others that wait for just this
 * one; a service that nobody depends on and that depends on nobody is not known here at all.
 *
 * <p>Dependencies order starts that somebody asked for: those at the beginning, and those of operators. A restart that
 * follows a crash waits for nobody. It was running beside whatever its dependencies did by then, and two services that
 * crash for one reason are up again sooner if neither waits for the other.
 */
final class StartOrder {
    private final Map<ServiceName, Node> nodes = new HashMap<>();
    private int waiting;

    /** One service that others depend on, or that depends on others. */
    private static final class Node {
        final ServiceName name;
        List<Edge> needs = List.of();
        final List<Edge> neededBy = new ArrayList<>();

        /** Those that wait for this one now. */
        final Set<Edge> waiting = new LinkedHashSet<>();

        /** What this one waits for, in words; empty where it does not wait. */
        final Map<Edge, String> unmet = new LinkedHashMap<>();

        Node(ServiceName name) {
            this.name = name;
        }
    }

    private static final class Edge {
        final Node from;
        final Node to;
        final Dependency.Condition condition;
        final boolean restart;

        Edge(Node from, Node to, Dependency dependency) {
            this.from = from;
            this.to = to;
            this.condition = dependency.condition();
            this.restart = dependency.restart();
        }
    }

    StartOrder(Collection<Service> services) {
        for (Service service : services) {
            add(service.spec());
        }
    }

    /** The same services by another file; nobody waits yet. */
    StartOrder(List<ServiceSpec> specs) {
        specs.forEach(this::add);
    }

    private void add(ServiceSpec spec) {
        if (spec.dependsOn().isEmpty()) {
            return;
        }
        Node from = node(spec.name());
        from.needs = new ArrayList<>(spec.dependsOn().size());
        for (Dependency dependency : spec.dependsOn()) {
            Node to = node(dependency.on());
            Edge edge = new Edge(from, to, dependency);
            from.needs.add(edge);
            to.neededBy.add(edge);
        }
    }

    private Node node(ServiceName name) {
        return nodes.computeIfAbsent(name, Node::new);
    }

    /** Whether what becomes of {@code service} means anything to others, or the other way round. */
    boolean knows(ServiceName service) {
        return !nodes.isEmpty() && nodes.containsKey(service);
    }

    /** The same names, each behind those of them that it depends on, also through others; otherwise in their order. */
    List<ServiceName> dependenciesFirst(List<ServiceName> names) {
        if (nodes.isEmpty()) {
            return names;
        }
        Set<ServiceName> missing = new HashSet<>(names);
        Set<ServiceName> seen = new HashSet<>();
        List<ServiceName> sorted = new ArrayList<>(names.size());
        Deque<ServiceName> path = new ArrayDeque<>();
        for (ServiceName name : names) {
            path.push(name);
            while (!path.isEmpty()) {
                ServiceName next = path.peek();
                if (seen.add(next)) {
                    neededBy(next).forEach(path::push);
                } else {
                    path.pop();
                    if (missing.remove(next)) {
                        sorted.add(next);
                    }
                }
            }
        }
        return sorted;
    }

    /** Those that {@code service} depends on. */
    List<ServiceName> neededBy(ServiceName service) {
        List<ServiceName> names = new ArrayList<>();
        Node node = nodes.get(service);
        if (node != null) {
            node.needs.forEach(edge -> names.add(edge.to.name));
        }
        return names;
    }

    /** Those that depend on {@code service}. */
    List<ServiceName> dependentsOf(ServiceName service) {
        List<ServiceName> names = new ArrayList<>();
        Node node = nodes.get(service);
        if (node != null) {
            node.neededBy.forEach(edge -> names.add(edge.from.name));
        }
        return names;
    }

    /** Those that depend on {@code service} and are restarted with it. */
    List<ServiceName> restartedWith(ServiceName service) {
        List<ServiceName> names = new ArrayList<>();
        Node node = nodes.get(service);
        if (node != null) {
            for (Edge edge : node.neededBy) {
                if (edge.restart) {
                    names.add(edge.from.name);
                }
            }
        }
        return names;
    }

    /** A service by its name, as it stands now; empty where nobody knows yet how it stands. */
    interface Services {
        Optional<Service> find(ServiceName name);
    }

    /**
     * What {@code service} would have to wait for if it were to start now, in words. Where that is not nothing it waits
     * from now on, until {@link #waitsNoMore}.
     */
    List<String> wait(ServiceName service, Services services) {
        return wait(service, services, Optional.empty());
    }

    /** @param among where present, no others are waited for */
    List<String> wait(ServiceName service, Services services, Optional<Set<ServiceName>> among) {
        Node node = nodes.get(service);
        if (node == null || node.needs.isEmpty()) {
            return List.of();
        }
        waitsNoMore(service);
        for (Edge edge : node.needs) {
            if (among.isPresent() && !among.get().contains(edge.to.name)) {
                continue;
            }
            Optional<Service> to = services.find(edge.to.name);
            if (to.isEmpty() || !holds(edge.condition, to.get())) {
                node.unmet.put(edge, words(edge, to));
                edge.to.waiting.add(edge);
            }
        }
        waiting += node.unmet.isEmpty() ? 0 : 1;
        return waitsFor(service);
    }

    /** It has started, or does not want to any more. */
    void waitsNoMore(ServiceName service) {
        Node node = nodes.get(service);
        if (node != null && !node.unmet.isEmpty()) {
            for (Edge edge : node.unmet.keySet()) {
                edge.to.waiting.remove(edge);
            }
            node.unmet.clear();
            waiting--;
        }
    }

    /** How many wait at present. */
    int waiting() {
        return waiting;
    }

    /** What {@code service} waits for at present, in words; empty where it does not wait. */
    List<String> waitsFor(ServiceName service) {
        Node node = nodes.get(service);
        return node == null ? List.of() : List.copyOf(node.unmet.values());
    }

    /**
     * {@code service} is not what it was: those for whom that makes a difference.
     *
     * @param nearer  they wait for less than before, or no longer in vain
     * @param farther what they wait for will not come by itself, which is news
     */
    record Changed(List<ServiceName> nearer, List<ServiceName> farther) {}

    Changed changed(Service service) {
        Node node = nodes.get(service.name());
        if (node == null || node.waiting.isEmpty()) {
            return new Changed(List.of(), List.of());
        }
        List<ServiceName> nearer = new ArrayList<>();
        List<ServiceName> farther = new ArrayList<>();
        for (Edge edge : List.copyOf(node.waiting)) {
            if (holds(edge.condition, service)) {
                node.waiting.remove(edge);
                edge.from.unmet.remove(edge);
                waiting -= edge.from.unmet.isEmpty() ? 1 : 0;
                nearer.add(edge.from.name);
            } else {
                String words = words(edge, Optional.of(service));
                if (!words.equals(edge.from.unmet.put(edge, words))) {
                    boolean inVain = obstacle(edge.condition, service).isPresent();
                    (inVain ? farther : nearer).add(edge.from.name);
                }
            }
        }
        return new Changed(nearer, farther);
    }

    /** Whether {@code service} has come as far as {@code condition} says. */
    static boolean holds(Dependency.Condition condition, Service service) {
        // What it has left behind may still do what it is to have done.
        if (service.hasSucceeded() && service.isCleared()) {
            return true;
        }
        return switch (condition) {
            case STARTED -> isUp(service);
            case READY ->
                service.state() == ServiceState.RUNNING && !service.spec().isOneshot();
            case COMPLETED -> false;
        };
    }

    private static boolean isUp(Service service) {
        return service.process().isPresent()
                && (service.state() == ServiceState.STARTING || service.state() == ServiceState.RUNNING);
    }

    private static String words(Edge edge, Optional<Service> to) {
        String plain = edge.to.name + ": " + edge.condition.word();
        Optional<String> obstacle = to.flatMap(service -> obstacle(edge.condition, service));
        return obstacle.isPresent() ? plain + ", but " + obstacle.get() : plain;
    }

    /** Why {@code service} will not come as far as that unless somebody does something about it. */
    private static Optional<String> obstacle(Dependency.Condition condition, Service service) {
        return switch (service.state()) {
            case FATAL -> Optional.of("it is FATAL: " + service.fatalReason().orElse("gave up"));
            case EXITED ->
                service.hasSucceeded() ? Optional.empty() : Optional.of("it has ended: " + lastWords(service));
            case STOPPED ->
                service.wanted() == Wanted.DOWN && service.commanded()
                        ? Optional.of("an operator stopped it")
                        : Optional.empty();
            case WAITING, STARTING, RUNNING, BACKOFF, STOPPING -> Optional.empty();
        };
    }

    private static String lastWords(Service service) {
        Optional<End> end = service.history().lastEnd();
        if (end.isEmpty()) {
            return "nobody knows how";
        }
        boolean unknown = end.get().cause() == Cause.UNSUPERVISED
                || end.get().status().orElse(null) instanceof ExitStatus.Unknown;
        return unknown
                ? "nobody knows how, because no supervisor ran"
                : end.get().reason();
    }
}
