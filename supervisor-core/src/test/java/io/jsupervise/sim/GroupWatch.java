package io.jsupervise.sim;

import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.Dependency;
import io.jsupervise.spec.ServiceGroup.Strategy;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.supervision.Happening;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Who is restarted with whom, looked after from outside, in one life or over many:
 *
 * <ul>
 *   <li>when a service is restarted after an end of its own, nothing runs any more of those that are restarted with it and
 *       ran when it ended;
 *   <li>of these none starts before it does, but for what it depends on;
 *   <li>nobody is ended for another one but with whom he is restarted, and not before those of the same restart that
 *       depend on him.
 * </ul>
 *
 * That nobody waits for ever is seen at the end of each run, when all has to be up. Whatever an operator or a reload says
 * in between is taken for a new beginning.
 */
final class GroupWatch {
    private static final long NEVER = Long.MIN_VALUE / 2;

    private final SimulatedOs os;
    private final Map<String, ServiceSpec> specs = new LinkedHashMap<>();
    private final Map<String, ServiceSpec> before = new LinkedHashMap<>();
    /** By the present file; asked for after each turn. */
    private final Map<String, Boolean> concerned = new HashMap<>();

    private final Map<String, ServiceState> states = new HashMap<>();
    private final Map<String, Long> unsettledAt = new HashMap<>();

    /** Who is to be restarted after an end of its own. */
    private final Map<String, Due> due = new HashMap<>();

    /** The same, whatever an operator or a reload has said since. */
    private final Set<String> roots = new HashSet<>();

    /** Who was concerned by an earlier file, and has not started since. */
    private final Set<String> lately = new HashSet<>();

    /** By the root, who is restarted with it now. */
    private final Map<String, Set<SimulatedProcess>> together = new HashMap<>();

    private final Set<String> spared = new HashSet<>();
    private boolean recordsMayBeLost;

    /** @param old what ran then of those that are restarted with it */
    private record Due(Set<SimulatedProcess> old, Set<String> others) {}

    GroupWatch(SimulatedOs os) {
        this.os = os;
    }

    // ---- for whoever drives ----

    /** @param backsOff who was recorded as waiting for its restart, in this boot */
    void lifeBegins(Configuration file, Set<String> backsOff) {
        if (!List.copyOf(specs.values()).equals(file.services())) {
            // Who is restarted with whom may be another matter.
            due.clear();
        }
        Map<String, Due> left = new HashMap<>(due);
        configured(file);
        before.clear();
        concerned.clear();
        due.putAll(left);
        due.keySet().retainAll(backsOff);
        if (recordsMayBeLost) {
            due.clear();
        }
        roots.clear();
        roots.addAll(backsOff);
        states.clear();
        together.clear();
        // Who was to go before may be wanted by now, and the other way round.
        spared.clear();
    }

    void powerGoes() {
        due.clear();
        spared.clear();
    }

    void recordsMayBeLost() {
        recordsMayBeLost = true;
    }

    void configured(Configuration file) {
        for (String name : specs.keySet()) {
            if (isConcerned(name, specs)) {
                lately.add(name);
            }
        }
        before.clear();
        concerned.clear();
        before.putAll(specs);
        specs.clear();
        file.services().forEach(spec -> specs.put(spec.name().value(), spec));
        due.clear();
        together.clear();
        spared.clear();
    }

    /** When another service was on its way somewhere last, which this one may have to wait for. */
    long heldAt(String service) {
        if (!isConcerned(service)) {
            return NEVER;
        }
        long last = NEVER;
        for (Map.Entry<String, Long> other : unsettledAt.entrySet()) {
            if (!other.getKey().equals(service)) {
                last = Math.max(last, isSettled(other.getKey()) ? other.getValue() : os.world.nanos());
            }
        }
        return last;
    }

    private boolean isSettled(String service) {
        return switch (states.getOrDefault(service, ServiceState.STOPPED)) {
            case STOPPED, RUNNING, EXITED, FATAL -> true;
            case WAITING, STARTING, BACKOFF, STOPPING -> false;
        };
    }

    /** Whether it may be restarted with others, or others with it. Its starts wait for some of its dependencies only then. */
    boolean isConcerned(String service) {
        return lately.contains(service) || concerned.computeIfAbsent(service, name -> isConcerned(name, specs));
    }

    private static boolean isConcerned(String service, Map<String, ServiceSpec> file) {
        if (LadderWatch.mayRestart(service, file)) {
            return true;
        }
        for (ServiceSpec spec : file.values()) {
            boolean itself = spec.name().value().equals(service);
            if (itself && spec.group().isPresent()) {
                return true;
            }
            for (Dependency one : spec.dependsOn()) {
                if (one.restart() && (itself || one.on().value().equals(service))) {
                    return true;
                }
            }
        }
        return false;
    }

    // ---- who ----

    /** By what is written of the strategies. */
    private static Set<String> restartedWith(String root, Map<String, ServiceSpec> file) {
        Set<String> all = new HashSet<>();
        ServiceSpec spec = file.get(root);
        if (spec == null) {
            return all;
        }
        boolean isAfter = false;
        for (ServiceSpec one : file.values()) {
            if (one == spec) {
                isAfter = true;
            } else if (spec.group().isPresent() && one.group().equals(spec.group())) {
                Strategy strategy = spec.group().get().strategy();
                if (strategy == Strategy.ONE_FOR_ALL || strategy == Strategy.REST_FOR_ONE && isAfter) {
                    all.add(one.name().value());
                }
            }
        }
        boolean grows = true;
        while (grows) {
            grows = false;
            for (ServiceSpec one : file.values()) {
                for (Dependency dependency : one.dependsOn()) {
                    String on = dependency.on().value();
                    boolean goesAlong = dependency.restart() && (on.equals(root) || all.contains(on));
                    grows |= goesAlong
                            && !one.name().value().equals(root)
                            && all.add(one.name().value());
                }
            }
        }
        return all;
    }

    /** Whether {@code root} may have to wait for {@code service} itself: as a dependency, or for another root that depends on it. */
    private boolean mayWaitFor(String root, String service) {
        Set<String> seen = new HashSet<>();
        Deque<String> look = new ArrayDeque<>(List.of(root));
        while (!look.isEmpty()) {
            String one = look.poll();
            if (one.equals(service)) {
                return true;
            }
            if (!seen.add(one)) {
                continue;
            }
            if (specs.containsKey(one)) {
                specs.get(one)
                        .dependsOn()
                        .forEach(needed -> look.add(needed.on().value()));
            }
            for (String other : roots) {
                if (restartedWith(other, specs).contains(one)
                        || restartedWith(other, before).contains(one)) {
                    look.add(other);
                }
            }
        }
        return false;
    }

    // ---- what really happens ----

    /** A start of {@code service} begins, whether it was judged before or not. */
    void begins(String service) {
        lately.remove(service);
        for (Map.Entry<String, Due> entry : due.entrySet()) {
            boolean waits = entry.getValue().others.contains(service) && !mayWaitFor(entry.getKey(), service);
            if (waits && !due.containsKey(service)) {
                throw new Violation(
                        "groups", service + " is started before " + entry.getKey() + ", with which it is restarted");
            }
        }
        roots.remove(service);
        Due own = due.remove(service);
        if (own != null) {
            for (SimulatedProcess process : own.old) {
                if (process.isAlive() && !spared.contains(process.service())) {
                    throw new Violation("groups", service + " is restarted, and " + process + " still runs");
                }
            }
        }
    }

    private Set<SimulatedProcess> mainsOf(Set<String> names) {
        Set<SimulatedProcess> mains = new HashSet<>();
        for (SimulatedProcess process : os.processes.all()) {
            if (process.isMainOfService()
                    && !process.isStranger
                    && process.isAlive()
                    && names.contains(process.service())) {
                mains.add(process);
            }
        }
        return mains;
    }

    // ---- what the supervisor says ----

    void told(Happening happening) {
        if (happening.service().isEmpty()) {
            toldOfAll(happening);
            return;
        }
        String name = happening.service().get().value();
        if (happening.event().equals("group-remains")) {
            spared.add(name);
        }
        if (happening.event().equals("restarting-others")) {
            Set<String> others = new HashSet<>();
            ((List<?>) happening.details().get("services")).forEach(other -> others.add((String) other));
            together.put(name, mainsOf(others));
        }
        if (happening.event().equals("stopping")) {
            isEnded(name, happening);
        }
        if (happening.to().isEmpty()) {
            return;
        }
        states.put(name, happening.to().get());
        unsettledAt.put(name, os.world.nanos());
        switch (happening.to().get()) {
            case BACKOFF -> {
                Set<String> others = restartedWith(name, specs);
                others.removeIf(other -> !isUp(other) || spared.contains(other));
                due.putIfAbsent(name, new Due(mainsOf(others), others));
                roots.add(name);
            }
            case STOPPED, EXITED, FATAL -> {
                due.remove(name);
                roots.remove(name);
            }
            case WAITING, STARTING, RUNNING, STOPPING -> {}
        }
    }

    private boolean isUp(String name) {
        ServiceState state = states.getOrDefault(name, ServiceState.STOPPED);
        return (state == ServiceState.STARTING || state == ServiceState.RUNNING)
                && !mainsOf(Set.of(name)).isEmpty();
    }

    private void isEnded(String name, Happening happening) {
        Object cause = happening.details().get("cause");
        String reason = String.valueOf(happening.details().get("reason"));
        if (!"group".equals(cause) && !"dependency".equals(cause) || !reason.startsWith("restarted with ")) {
            return;
        }
        if (happening.from().equals(Optional.of(ServiceState.STOPPING))) {
            // What an earlier supervisor has begun goes on, whatever the file says by now.
            return;
        }
        String root = reason.substring("restarted with ".length(), reason.indexOf(':'));
        boolean byItsLadder = reason.contains(": the ladder of \"" + root + "\": ")
                && specs.containsKey(root)
                && !specs.get(root).escalation().ladder().isEmpty();
        if (!byItsLadder
                && !restartedWith(root, specs).contains(name)
                && !restartedWith(root, before).contains(name)) {
            throw new Violation("groups", name + " is ended for " + root + ", with which it is not restarted");
        }
        for (SimulatedProcess process : together.getOrDefault(root, Set.of())) {
            ServiceSpec other = specs.get(process.service());
            boolean depends = other != null
                    && other.dependsOn().stream()
                            .anyMatch(one -> one.on().value().equals(name));
            if (depends && process.isAlive() && !spared.contains(process.service())) {
                throw new Violation(
                        "groups", name + " is ended for " + root + " before " + process + ", which depends on it");
            }
        }
    }

    private void toldOfAll(Happening happening) {
        switch (happening.event()) {
            case "asked" -> {
                for (Object name : (List<?>) happening.details().get("services")) {
                    due.remove((String) name);
                    spared.add((String) name);
                    due.values().forEach(one -> one.others.remove((String) name));
                }
            }
            case "shutdown-begun", "hand-over-begun" -> {
                due.clear();
                together.clear();
            }
            case "journal-stale", "journal-damaged" -> recordsMayBeLost = true;
            default -> {}
        }
    }
}
