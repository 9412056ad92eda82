package io.jsupervise.supervision;

import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.SpecChange;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.SpecKeys;
import io.jsupervise.spec.SupervisorSpec;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a services file would change of what is supervised now: nothing is done here, so it can be shown without being
 * done.
 *
 * @param added      in the order of the new file
 * @param removed    in the order of the old one
 * @param restarted  started afresh, in the order of the new file
 * @param changed    the new spec is taken over in place
 * @param unchanged  how many are left alone
 * @param supervisor keys of the supervisor that are taken over
 * @param ignored    keys of the supervisor that only its own restart takes over
 */
public record ReloadDiff(
        List<ServiceName> added,
        List<ServiceName> removed,
        List<Change> restarted,
        List<Change> changed,
        int unchanged,
        List<String> supervisor,
        List<String> ignored) {

    /**
     * What is different about one service.
     *
     * @param keys as in the services file; empty where the file says what it said before, but a process runs that was
     *             started with something else
     */
    public record Change(ServiceName service, List<String> keys) {}

    /** @param present what the file named until now, each by its name */
    static ReloadDiff of(Collection<Service> present, SupervisorSpec ours, Configuration next) {
        Map<ServiceName, Service> left = new LinkedHashMap<>();
        for (Service service : present) {
            left.put(service.name(), service);
        }
        List<ServiceName> added = new ArrayList<>();
        List<Change> restarted = new ArrayList<>();
        List<Change> changed = new ArrayList<>();
        int unchanged = 0;
        for (ServiceSpec spec : next.services()) {
            Service service = left.remove(spec.name());
            if (service == null) {
                added.add(spec.name());
                continue;
            }
            switch (SpecChange.of(service, spec)) {
                case NONE -> unchanged++;
                case IN_PLACE -> changed.add(change(service, spec));
                case RESTART, START -> restarted.add(change(service, spec));
            }
        }
        List<String> taken = new ArrayList<>();
        List<String> ignored = new ArrayList<>();
        compare(ours, next.supervisor(), taken, ignored);
        return new ReloadDiff(added, List.copyOf(left.keySet()), restarted, changed, unchanged, taken, ignored);
    }

    private static Change change(Service service, ServiceSpec spec) {
        List<String> keys = new ArrayList<>();
        for (SpecKeys.Key key : SpecKeys.differing(service.spec(), spec)) {
            keys.add(key.name());
        }
        return new Change(service.name(), keys);
    }

    private static void compare(SupervisorSpec ours, SupervisorSpec next, List<String> taken, List<String> ignored) {
        note(ours.maxParallelStarts() != next.maxParallelStarts(), "max_parallel_starts", taken);
        note(!ours.heartbeatFile().equals(next.heartbeatFile()), "heartbeat.file", taken);
        note(!ours.heartbeatInterval().equals(next.heartbeatInterval()), "heartbeat.interval", taken);
        note(!ours.socket().equals(next.socket()), "socket", ignored);
        note(!ours.socketGroup().equals(next.socketGroup()), "socket_group", ignored);
        note(!ours.watchdog().equals(next.watchdog()), "watchdog", ignored);
    }

    private static void note(boolean differs, String key, List<String> keys) {
        if (differs) {
            keys.add(key);
        }
    }

    /**
     * Why {@code next} cannot be had without another supervisor: the journal, the logs and the heartbeat files of all
     * services lie below these directories.
     */
    static Optional<String> obstacle(SupervisorSpec ours, SupervisorSpec next) {
        List<String> keys = new ArrayList<>();
        note(!ours.name().equals(next.name()), "name", keys);
        note(!ours.stateDir().equals(next.stateDir()), "state_dir", keys);
        note(!ours.runtimeDir().equals(next.runtimeDir()), "runtime_dir", keys);
        if (keys.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of("supervisor." + String.join(", supervisor.", keys)
                + " cannot be changed while the supervisor runs: stop it and run it anew, or take that back");
    }

    /** What {@code ours} is once {@code next} is taken over, as far as that can be. */
    static SupervisorSpec taken(SupervisorSpec ours, SupervisorSpec next) {
        return new SupervisorSpec(
                ours.name(),
                ours.stateDir(),
                ours.runtimeDir(),
                ours.socket(),
                ours.socketGroup(),
                next.maxParallelStarts(),
                next.heartbeatFile(),
                next.heartbeatInterval(),
                ours.watchdog());
    }
}
