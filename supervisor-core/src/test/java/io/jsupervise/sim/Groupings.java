package io.jsupervise.sim;

import io.jsupervise.spec.ServiceGroup;
import io.jsupervise.spec.ServiceGroup.Strategy;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;

/** Who is restarted with whom in a scenario, drawn from a random stream of its own: up to two groups, and dependencies with {@code restart: true}. */
final class Groupings {
    private final SplittableRandom random;
    private final Strategy[] strategies = new Strategy[2];
    private final Map<String, Integer> groups = new HashMap<>();
    private final Set<String> along = new HashSet<>();
    private final List<String> names;

    Groupings(SplittableRandom random, List<String> names) {
        this.random = random;
        this.names = names;
        for (int i = 0; i < strategies.length; i++) {
            strategies[i] = pick();
        }
        names.forEach(this::draw);
    }

    private Strategy pick() {
        return Strategy.values()[random.nextInt(Strategy.values().length)];
    }

    private void draw(String name) {
        groups.put(name, random.nextInt(4) - 1);
        for (String other : names) {
            if (random.nextDouble() < 0.4) {
                along.add(name + " " + other);
            } else {
                along.remove(name + " " + other);
            }
        }
    }

    /** Somebody edits the file. */
    void edit() {
        for (int i = 0; i < strategies.length; i++) {
            strategies[i] = random.nextDouble() < 0.1 ? pick() : strategies[i];
        }
        for (String name : names) {
            if (random.nextDouble() < 0.15) {
                draw(name);
            }
        }
    }

    Optional<ServiceGroup> of(String name) {
        int group = groups.get(name);
        return group < 0 || group >= strategies.length
                ? Optional.empty()
                : Optional.of(new ServiceGroup("g" + group, strategies[group]));
    }

    /** Whether {@code name}, should it depend on {@code other}, is restarted with it. */
    boolean along(String name, String other) {
        return along.contains(name + " " + other);
    }
}
