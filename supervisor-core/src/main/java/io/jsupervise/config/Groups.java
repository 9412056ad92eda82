package io.jsupervise.config;

import io.jsupervise.config.Value.Mapping;
import io.jsupervise.config.Value.Member;
import io.jsupervise.config.Value.Place;
import io.jsupervise.config.Value.Text;
import io.jsupervise.spec.ServiceGroup;
import io.jsupervise.spec.ServiceGroup.Strategy;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.text.Nearest;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The groups of services that are restarted together. A group has its name and strategy below {@code groups}, and gets its
 * members from there, or from themselves: a {@code group} that {@code groups} names is meant to be that one. Any other
 * is a group of the machine, of users, so whoever needs both kinds, or whose groups have the same names, lists members
 * in {@code groups}.
 */
final class Groups {
    private static final List<String> STRATEGIES = List.of("one_for_one", "one_for_all", "rest_for_one");

    private final Problems problems;
    private final Map<String, ServiceGroup> groups = new LinkedHashMap<>();
    private final Map<String, Place> places = new HashMap<>();

    /** Members as the groups name them. */
    private final Map<ServiceName, Listed> listed = new LinkedHashMap<>();

    private record Listed(ServiceGroup group, Place place) {}

    Groups(Problems problems) {
        this.problems = problems;
    }

    /** The groups of one file. */
    void collect(Section top) {
        Optional<Section> section = top.section("groups");
        if (section.isPresent()) {
            for (Map.Entry<String, Member> entry : section.get().members().entrySet()) {
                add(section.get(), entry.getKey(), entry.getValue());
            }
        }
    }

    private void add(Section all, String name, Member member) {
        if (!ServiceName.isValid(name)) {
            all.problem(member.key(), "group name " + Value.quoted(name) + " is not valid", ServiceName.RULE);
            return;
        }
        Place before = places.putIfAbsent(name, member.key());
        if (before != null) {
            all.problem(
                    member.key(),
                    "group \"" + name + "\" is there already, in " + before.file() + ":" + before.line(),
                    "rename or remove one");
            return;
        }
        boolean isNothing = member.value() instanceof Text text && text.isNull();
        if (!isNothing && !(member.value() instanceof Mapping)) {
            all.problem(
                    member.value().place(),
                    "group \"" + name + "\" is " + member.value().kind(),
                    "write a map such as {strategy: one_for_all}");
            return;
        }
        Mapping map = isNothing ? new Mapping(member.key(), Map.of()) : (Mapping) member.value();
        Section section = new Section("groups", map, problems).knows(Keys.GROUP);
        String word = section.word("strategy", STRATEGIES).orElse(Strategy.ONE_FOR_ONE.word());
        ServiceGroup group = new ServiceGroup(name, Strategy.values()[STRATEGIES.indexOf(word)]);
        groups.put(name, group);
        for (Text one : section.texts("services", "the name of a service, or a list of them")) {
            list(section, group, one);
        }
    }

    private void list(Section section, ServiceGroup group, Text one) {
        if (!ServiceName.isValid(one.text())) {
            section.problem(
                    one.place(), "group \"" + group.name() + "\" names " + Value.quoted(one.text()), ServiceName.RULE);
            return;
        }
        Listed before = listed.putIfAbsent(new ServiceName(one.text()), new Listed(group, one.place()));
        if (before != null) {
            tellTwo(one.place(), one.text(), before.group.name(), group.name());
        }
    }

    private void tellTwo(Place place, String service, String first, String second) {
        boolean same = first.equals(second);
        problems.add(
                place,
                same
                        ? "group \"" + first + "\" names \"" + service + "\" twice"
                        : "service \"" + service + "\" is in two groups, \"" + first + "\" and \"" + second + "\"",
                "remove one");
    }

    /** Whether the {@code group} of a service is one of these, and none of the machine's. */
    boolean isOurs(Section service) {
        return !groups.isEmpty()
                && service.value("group").orElse(null) instanceof Text text
                && groups.containsKey(text.text());
    }

    /** The group that a service is in; empty where it is in none. */
    Optional<ServiceGroup> of(ServiceName name, Section service) {
        if (groups.isEmpty()) {
            return Optional.empty();
        }
        Listed one = listed.get(name);
        if (!isOurs(service)) {
            return one == null ? Optional.empty() : Optional.of(one.group);
        }
        ServiceGroup own = groups.get(((Text) service.value("group").orElseThrow()).text());
        if (one != null && !one.group.equals(own)) {
            tellTwo(service.placeOf("group"), name.value(), one.group.name(), own.name());
        }
        return Optional.of(own);
    }

    /** Tells of members that there are not. */
    void check(Collection<String> names) {
        listed.forEach((service, one) -> {
            if (!names.contains(service.value())) {
                Optional<String> near = Nearest.of(service.value(), List.copyOf(names));
                problems.add(
                        one.place,
                        "group \"" + one.group.name() + "\" names \"" + service + "\", and there is no such service",
                        near.isPresent()
                                ? "did you mean \"" + near.get() + "\"?"
                                : "add it below \"services:\", or remove the name here");
            }
        });
    }
}
