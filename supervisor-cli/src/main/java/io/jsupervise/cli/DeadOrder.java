package io.jsupervise.cli;

import io.jsupervise.config.ConfigException;
import io.jsupervise.config.ConfigReader;
import io.jsupervise.control.Whereabouts;
import io.jsupervise.io.DiskConfigFiles;
import io.jsupervise.journal.ServiceRecord;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.Dependency;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.supervision.Explaining;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Who waited for whom when a supervisor that cannot be asked recorded its services last. What a service depends on stands in no
 * record but in the services file alone, so that is read, as it is now; where that cannot be, only why is known.
 */
final class DeadOrder {
    private final Map<String, ServiceRecord> records;
    private final Map<String, ServiceSpec> specs = new TreeMap<>();
    private final Optional<String> unknown;

    DeadOrder(DeadSupervisor dead) throws CommandException {
        this.records = dead.services();
        this.unknown = read(dead);
    }

    /** Why nothing is known; empty where the file could be read. */
    private Optional<String> read(DeadSupervisor dead) {
        Optional<Path> told = dead.whereabouts().map(Whereabouts::config);
        Path file = ConfigLoading.file(told);
        if (told.isEmpty() && !Files.exists(file)) {
            return Optional.of("nobody knows which services file it had");
        }
        try {
            Configuration configuration = ConfigReader.read(
                    file,
                    new DiskConfigFiles(),
                    ConfigLoading.surroundings(told.map(any -> dead.stateDir()), Optional.empty()),
                    new AnyMachine());
            if (!configuration.supervisor().stateDir().equals(dead.stateDir())) {
                return Optional.of(
                        "nobody knows which services file it had, and " + file + " is about another state_dir");
            }
            for (ServiceSpec spec : configuration.services()) {
                specs.put(spec.name().value(), spec);
            }
            return Optional.empty();
        } catch (ConfigException e) {
            return Optional.of(
                    "the services file cannot be used now: " + e.problems().get(0));
        }
    }

    /** Why it is not known what services depend on; empty where it is. */
    Optional<String> unknown() {
        return unknown;
    }

    Optional<ServiceSpec> spec(String name) {
        return Optional.ofNullable(specs.get(name));
    }

    Optional<ServiceRecord> record(String name) {
        return Optional.ofNullable(records.get(name));
    }

    /** {@code name}, one that it waited for, and so on: of several the one that was farthest from coming. */
    List<String> chain(String name) {
        Set<String> chain = new LinkedHashSet<>();
        Optional<String> at = Optional.of(name);
        while (at.isPresent() && chain.add(at.get())) {
            Optional<String> worst = Optional.empty();
            for (Dependency dependency : missing(at.get())) {
                String other = dependency.on().value();
                if (worst.isEmpty() || distance(other) > distance(worst.get())) {
                    worst = Optional.of(other);
                }
            }
            at = worst;
        }
        return List.copyOf(chain);
    }

    /** Who waited for it. */
    List<String> dependents(String name) {
        List<String> names = new ArrayList<>();
        for (String other : specs.keySet()) {
            for (Dependency dependency : missing(other)) {
                if (dependency.on().value().equals(name)) {
                    names.add(other);
                }
            }
        }
        return names;
    }

    /** What it waited for, if it was to be started at all; a restart waits for nobody. */
    List<Dependency> missing(String name) {
        List<Dependency> missing = new ArrayList<>();
        if (specs.containsKey(name) && wasToStart(name)) {
            for (Dependency dependency : specs.get(name).dependsOn()) {
                if (!held(dependency)) {
                    missing.add(dependency);
                }
            }
        }
        return missing;
    }

    /** It has no record before its first process, unless an operator asked for it. */
    private boolean wasToStart(String name) {
        Optional<ServiceRecord> record = record(name);
        if (record.isEmpty()) {
            return specs.get(name).autostart();
        }
        boolean isDown =
                switch (record.get().state()) {
                    case STOPPED, WAITING, STARTING -> record.get().living().isEmpty();
                    case RUNNING, BACKOFF, STOPPING, EXITED, FATAL -> false;
                };
        return isDown && record.get().wanted() == Wanted.UP;
    }

    private boolean held(Dependency dependency) {
        Optional<ServiceRecord> found = record(dependency.on().value());
        Optional<ServiceSpec> spec = spec(dependency.on().value());
        if (found.isEmpty() || spec.isEmpty()) {
            return false;
        }
        ServiceRecord record = found.get();
        if (hasSucceeded(record, spec.get())) {
            return true;
        }
        boolean isUp = record.living().isPresent()
                && (record.state() == ServiceState.STARTING || record.state() == ServiceState.RUNNING);
        return switch (dependency.condition()) {
            case STARTED -> isUp;
            case READY ->
                isUp && record.state() == ServiceState.RUNNING && !spec.get().isOneshot();
            case COMPLETED -> false;
        };
    }

    private static boolean hasSucceeded(ServiceRecord record, ServiceSpec spec) {
        return record.state() == ServiceState.EXITED
                && record.history()
                        .lastEnd()
                        .filter(end -> end.isSuccessOf(spec))
                        .isPresent();
    }

    private int distance(String name) {
        ServiceState state = state(name);
        boolean wouldWait = state == ServiceState.STOPPED && spec(name).isPresent() && wasToStart(name);
        return Explaining.distance(wouldWait ? ServiceState.WAITING : state);
    }

    /** As recorded; of one without a record what follows from that. */
    ServiceState state(String name) {
        ServiceState recorded = record(name).map(ServiceRecord::state).orElse(ServiceState.STOPPED);
        return missing(name).isEmpty() ? recorded : ServiceState.WAITING;
    }
}
