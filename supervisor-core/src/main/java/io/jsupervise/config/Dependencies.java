package io.jsupervise.config;

import io.jsupervise.config.Value.Mapping;
import io.jsupervise.config.Value.Member;
import io.jsupervise.config.Value.Place;
import io.jsupervise.config.Value.Sequence;
import io.jsupervise.config.Value.Text;
import io.jsupervise.spec.Dependency;
import io.jsupervise.spec.Dependency.Condition;
import io.jsupervise.spec.RestartPolicy;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.text.Nearest;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What {@code depends_on} says in all services together. Each is read with its place, and when all are known it is told
 * what cannot be: a name that there is not, a service that waits for itself, one that waits for the end of another
 * that never ends, and circles, each with its way round.
 */
final class Dependencies {
    private static final List<String> CONDITIONS = List.of("started", "ready", "completed");

    private final Problems problems;
    private final Map<ServiceName, Map<ServiceName, Stated>> stated = new LinkedHashMap<>();

    private record Stated(Dependency dependency, Place place) {}

    Dependencies(Problems problems) {
        this.problems = problems;
    }

    /** A list of names, or a map of them; what is wrong with it is told and left out. */
    List<Dependency> read(ServiceName service, Section section) {
        Optional<Value> value = section.value("depends_on");
        if (value.isEmpty()) {
            return List.of();
        }
        Map<ServiceName, Stated> own = new LinkedHashMap<>();
        if (value.get() instanceof Mapping) {
            Section map = section.section("depends_on").orElseThrow();
            for (Map.Entry<String, Member> entry : map.members().entrySet()) {
                add(section, own, entry.getValue().key(), dependency(map, entry.getKey()));
            }
        } else {
            for (Text name : section.texts("depends_on", "the name of a service")) {
                add(section, own, name.place(), new Asked(name.text(), Condition.READY, false));
            }
        }
        if (!own.isEmpty()) {
            stated.put(service, own);
        }
        List<Dependency> all = new ArrayList<>(own.size());
        own.values().forEach(one -> all.add(one.dependency));
        return all;
    }

    /** What is said of one, which may not be the name of a service. */
    private record Asked(String on, Condition condition, boolean restart) {}

    private static Asked dependency(Section map, String name) {
        Asked plain = new Asked(name, Condition.READY, false);
        Optional<Value> value = map.value(name);
        if (value.isEmpty()) {
            return plain;
        }
        if (value.get() instanceof Text || value.get() instanceof Sequence) {
            map.problem(
                    value.get().place(),
                    "depends_on " + name + " is " + value.get().kind(),
                    "write a map such as {condition: completed}");
            return plain;
        }
        Section one = map.section(name).orElseThrow().knows(Keys.DEPENDENCY);
        String word = one.word("condition", CONDITIONS).orElse(Condition.READY.word());
        return new Asked(name, Condition.values()[CONDITIONS.indexOf(word)], one.bool("restart", false));
    }

    private static void add(Section section, Map<ServiceName, Stated> own, Place place, Asked asked) {
        String name = asked.on;
        if (!ServiceName.isValid(name)) {
            section.problem(place, "depends_on names " + Value.quoted(name), ServiceName.RULE);
            return;
        }
        ServiceName on = new ServiceName(name);
        Dependency dependency = new Dependency(on, asked.condition, asked.restart);
        if (own.putIfAbsent(on, new Stated(dependency, place)) != null) {
            section.problem(place, "depends_on names \"" + name + "\" twice", "remove one");
        }
    }

    /**
     * Tells what cannot be.
     *
     * @param names of all services, also of those with which something else is wrong
     */
    void check(Collection<String> names, List<ServiceSpec> specs) {
        if (stated.isEmpty()) {
            return;
        }
        Map<ServiceName, ServiceSpec> known = new HashMap<>();
        specs.forEach(spec -> known.put(spec.name(), spec));
        stated.forEach((service, own) -> own.values().forEach(one -> check(service, one, names, known)));
        tellCircles();
    }

    private void check(ServiceName service, Stated one, Collection<String> names, Map<ServiceName, ServiceSpec> known) {
        ServiceName on = one.dependency.on();
        if (on.equals(service)) {
            problems.add(one.place, "service \"" + service + "\" depends on itself", "remove \"" + on + "\" here");
        } else if (!names.contains(on.value())) {
            Optional<String> near = Nearest.of(on.value(), List.copyOf(names));
            problems.add(
                    one.place,
                    "service \"" + service + "\" depends on \"" + on + "\", and there is no such service",
                    near.isPresent()
                            ? "did you mean \"" + near.get() + "\"?"
                            : "add it below \"services:\", or remove the name here");
        } else if (one.dependency.condition() == Condition.COMPLETED
                && known.containsKey(on)
                && known.get(on).restart() == RestartPolicy.ALWAYS) {
            problems.add(
                    one.place,
                    "service \"" + service + "\" waits until \"" + on
                            + "\" has completed, which is restarted whenever it ends",
                    "give \"" + on + "\" type: oneshot, or write condition: ready here");
        }
    }

    // ---- circles ----

    /** Where one stands in a walk along dependencies. */
    private static final class Step {
        final ServiceName service;
        final List<Stated> left;

        Step(ServiceName service, Map<ServiceName, Stated> own) {
            this.service = service;
            this.left = new ArrayList<>(own.values());
        }
    }

    /** Walks along all dependencies once, without recursion: a chain may have thousands of links. */
    private void tellCircles() {
        Set<ServiceName> done = new HashSet<>();
        for (ServiceName start : stated.keySet()) {
            Deque<Step> way = new ArrayDeque<>();
            Set<ServiceName> onTheWay = new HashSet<>();
            if (done.add(start)) {
                way.push(new Step(start, stated.get(start)));
                onTheWay.add(start);
            }
            while (!way.isEmpty()) {
                Step here = way.peek();
                if (here.left.isEmpty()) {
                    onTheWay.remove(way.pop().service);
                    continue;
                }
                Stated next = here.left.remove(0);
                ServiceName on = next.dependency.on();
                if (onTheWay.contains(on)) {
                    tellCircle(way, next);
                } else if (done.add(on) && stated.containsKey(on)) {
                    way.push(new Step(on, stated.get(on)));
                    onTheWay.add(on);
                }
            }
        }
    }

    private void tellCircle(Deque<Step> way, Stated last) {
        ServiceName first = last.dependency.on();
        List<String> names = new ArrayList<>();
        for (Step step : way) {
            names.add(0, step.service.value());
            if (step.service.equals(first)) {
                break;
            }
        }
        if (names.size() > 1) {
            problems.add(
                    last.place,
                    "services depend on each other in a circle: " + String.join(" -> ", names) + " -> " + first,
                    "remove one of these dependencies");
        }
    }

    // ---- who starts ----

    /** Whatever starts with the supervisor takes along what it depends on, though that were not started by itself. */
    List<ServiceSpec> startedAlong(List<ServiceSpec> specs) {
        if (stated.isEmpty() || !problems.isEmpty()) {
            return specs;
        }
        Set<ServiceName> started = new HashSet<>();
        Deque<ServiceName> open = new ArrayDeque<>();
        for (ServiceSpec spec : specs) {
            if (spec.autostart()) {
                started.add(spec.name());
                open.add(spec.name());
            }
        }
        while (!open.isEmpty()) {
            for (ServiceName on : stated.getOrDefault(open.poll(), Map.of()).keySet()) {
                if (started.add(on)) {
                    open.add(on);
                }
            }
        }
        List<ServiceSpec> all = new ArrayList<>(specs.size());
        for (ServiceSpec spec : specs) {
            all.add(spec.autostart() || !started.contains(spec.name()) ? spec : spec.autostarted());
        }
        return all;
    }
}
