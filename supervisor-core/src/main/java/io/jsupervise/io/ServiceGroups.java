package io.jsupervise.io;

import io.jsupervise.lifecycle.RunId;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.spec.KillMode;
import io.jsupervise.spec.Resources;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.function.Supplier;

/**
 * The control groups of services that ask for {@code resources}:
 *
 * <pre>
 * jsupervise-STATEID/          of one state directory, in {@link ControlGroups}
 *   service-web/               the limits; nobody is in it
 *     STATEID-1-5/             the tree of one run, or of one of its hooks
 * </pre>
 *
 * Each run has one of its own, so that its tree can be killed whole while a hook of it goes on, and so that what a run left
 * is known by name, also to a supervisor that comes after a crash. Groups are made before a start and removed before the next
 * one, when the service is gone, and at the end of a supervisor that leaves nothing running.
 *
 * <p>The spawner's thread makes and removes; the loop's thread asks and kills; both know which there are.
 */
public final class ServiceGroups {
    private static final String OF_SERVICE = "service-";

    private final Os os;
    private final String stateId;
    private final Supplier<Optional<ControlGroups>> finder;
    private final BiConsumer<ServiceName, String> without;

    private final Map<RunId, Path> byRun = new ConcurrentHashMap<>();

    // Of the spawner's thread, after the start.
    private Optional<ControlGroups> place = Optional.empty();
    private boolean placeIsKnown;
    private final Set<String> handedDown = new HashSet<>();
    private final Set<ServiceName> told = new HashSet<>();

    /**
     * @param stateId identity of the state directory
     * @param without is told, once a service, of one that is started though its resources cannot be had, and why
     */
    public ServiceGroups(Os os, String stateId, BiConsumer<ServiceName, String> without) {
        this(os, stateId, () -> ControlGroups.find(os), without);
    }

    ServiceGroups(
            Os os, String stateId, Supplier<Optional<ControlGroups>> finder, BiConsumer<ServiceName, String> without) {
        this.os = os;
        this.stateId = stateId;
        this.finder = finder;
        this.without = without;
    }

    private Optional<ControlGroups> place() {
        if (!placeIsKnown) {
            place = finder.get();
            placeIsKnown = true;
        }
        return place;
    }

    private Optional<Path> base() {
        return place().map(known -> known.home().resolve("jsupervise-" + stateId));
    }

    private static Path of(Path base, ServiceName service) {
        // No file of the kernel in a group begins like that.
        return base.resolve(OF_SERVICE + service);
    }

    // ---- what an earlier supervisor left ----

    /** Finds what is there; before the first start, and only where there was a supervisor before us. */
    public void takeOver() {
        Optional<Path> base = base();
        if (base.isEmpty()) {
            return;
        }
        for (String name : list(base.get())) {
            if (name.startsWith(OF_SERVICE) && ServiceName.isValid(name.substring(OF_SERVICE.length()))) {
                Path group = base.get().resolve(name);
                for (String run : list(group)) {
                    if (new RunId(run).isOf(stateId)) {
                        byRun.put(new RunId(run), group.resolve(run));
                    }
                }
            }
        }
    }

    /**
     * Kills what is in groups of runs that are over, and removes the groups of those who are gone; before the first start.
     *
     * @param living runs whose main processes live
     * @param known  all services that there are
     */
    public void endDead(Set<RunId> living, List<ServiceSpec> known) {
        Set<Path> spared = new HashSet<>();
        for (ServiceSpec service : known) {
            if (service.stop().killMode() == KillMode.PROCESS) {
                base().ifPresent(base -> spared.add(of(base, service.name())));
            }
        }
        for (Map.Entry<RunId, Path> group : byRun.entrySet()) {
            if (!living.contains(group.getKey())
                    && !spared.contains(group.getValue().getParent())) {
                remains(group.getKey());
            }
        }
    }

    /** Names of groups in a group, not of its files. */
    private List<String> list(Path group) {
        List<String> groups = new ArrayList<>();
        try {
            for (String name : os.list(group)) {
                if (name.startsWith(OF_SERVICE) || new RunId(name).isOf(stateId)) {
                    groups.add(name);
                }
            }
        } catch (OsException e) {
            // Mostly there is none; what is not seen here is ended by the other means.
        }
        return groups;
    }

    // ---- before a start ----

    /**
     * Makes the group that a run is to enter. Spawner's thread.
     *
     * @return its directory; empty where the service has none, because it asks for nothing, or for nothing that it has to have
     */
    Optional<Path> make(ServiceSpec service, RunId run) throws OsException {
        Optional<Resources> asked = service.spawn().privileges().resources();
        if (asked.isEmpty()) {
            return Optional.empty();
        }
        if (place().isEmpty()) {
            return cannot(service, asked.get(), new OsException(Errno.ENOENT, "find control groups of version 2"));
        }
        List<String> controllers = new ArrayList<>(asked.get().controllers());
        List<String> missing = asked.get().optional() ? place.get().missing(controllers) : List.of();
        try {
            if (!missing.isEmpty()) {
                tell(
                        service.name(),
                        "there is no controller " + String.join(", ", missing) + " in "
                                + place.get().home());
                controllers.removeAll(missing);
            }
            return Optional.of(make(service, run, asked.get(), controllers));
        } catch (OsException e) {
            Optional<Path> none = cannot(service, asked.get(), e);
            try {
                return controllers.isEmpty() ? none : Optional.of(make(service, run, asked.get(), List.of()));
            } catch (OsException again) {
                return none;
            }
        }
    }

    private Optional<Path> cannot(ServiceSpec service, Resources asked, OsException why) throws OsException {
        if (!asked.optional()) {
            throw why;
        }
        tell(service.name(), why.getMessage());
        return Optional.empty();
    }

    private void tell(ServiceName service, String why) {
        if (told.add(service)) {
            without.accept(service, why);
        }
    }

    private Path make(ServiceSpec service, RunId run, Resources asked, List<String> controllers) throws OsException {
        Path base = base().orElseThrow();
        if (!handedDown.containsAll(controllers)) {
            place.get().handDown(controllers);
        }
        os.mkdir(base, 0755);
        if (!handedDown.containsAll(controllers)) {
            ControlGroups.handDown(os, base, controllers);
            handedDown.addAll(controllers);
        }
        Path group = of(base, service.name());
        os.mkdir(group, 0755);
        limit(group, asked, controllers);
        if (!run.isOfHook() || run.isOfAlert()) {
            // Beside a hook there may be a run that was spawned just now and has not entered yet, and the other way
            // round.
            removeEmpty(group, service.stop().killMode() != KillMode.PROCESS, run.isOfAlert());
        }
        if (controllers.contains("memory")) {
            countKills(group);
        }
        Path leaf = group.resolve(run.value());
        os.mkdir(leaf, 0755);
        byRun.put(run, leaf);
        return leaf;
    }

    /**
     * Runs have no limit of their own, but a controller in their groups makes the kernel count in each what it kills for
     * memory (memory.events), from the first of its run on, and whoever supervises meanwhile.
     */
    private void countKills(Path group) {
        try {
            ControlGroups.handDown(os, group, List.of("memory"));
        } catch (OsException e) {
            // Its limit holds all the same; only the reason of an end is then told as SIGKILL and no more.
        }
    }

    /** Also what is not limited any more. */
    private void limit(Path group, Resources asked, List<String> controllers) throws OsException {
        for (String controller : List.of("memory", "cpu", "pids")) {
            Path file = group.resolve(controller + ".max");
            if (controllers.contains(controller) || os.stat(file).isPresent()) {
                ControlGroups.write(os, file, asked.value(controller));
            }
        }
    }

    /**
     * @param kill     whether what is in them goes first: of earlier runs, and a service has one at a time
     * @param ofAlerts whether those of hooks that tell, or all others
     */
    private void removeEmpty(Path group, boolean kill, boolean ofAlerts) {
        for (Map.Entry<RunId, Path> one : byRun.entrySet()) {
            if (one.getValue().getParent().equals(group) && one.getKey().isOfAlert() == ofAlerts) {
                if (kill && !one.getKey().isOfHook()) {
                    remains(one.getKey());
                }
                if (rmdir(one.getValue())) {
                    byRun.remove(one.getKey());
                }
            }
        }
    }

    // ---- afterwards ----

    /** The service is gone for good. Spawner's thread. */
    void remove(ServiceName service) {
        if (byRun.isEmpty()) {
            return;
        }
        base().ifPresent(base -> {
            removeEmpty(of(base, service), false, false);
            removeEmpty(of(base, service), false, true);
            rmdir(of(base, service));
        });
    }

    /** Removes all groups in which nothing lives: the end of this supervisor. No other thread uses this any more. */
    public void removeAll() {
        Optional<Path> base = placeIsKnown ? base() : Optional.empty();
        if (base.isEmpty()) {
            return;
        }
        for (String service : list(base.get())) {
            Path group = base.get().resolve(service);
            for (String run : list(group)) {
                rmdir(group.resolve(run));
            }
            rmdir(group);
        }
        rmdir(base.get());
    }

    /** False where something lives in it, or in a group below it. */
    private boolean rmdir(Path group) {
        try {
            os.rmdir(group);
            return true;
        } catch (OsException e) {
            return false;
        }
    }

    // ---- the loop's ----

    public boolean isKnown(RunId run) {
        return !byRun.isEmpty() && byRun.containsKey(run);
    }

    /**
     * Kills all of a run, however it forks (cgroup.kill, kernel 5.14); whether something of it lives all the same, for the
     * moment or because this kernel cannot.
     */
    public boolean remains(RunId run) {
        Path group = byRun.isEmpty() ? null : byRun.get(run);
        if (group == null || !isPopulated(group)) {
            return false;
        }
        try {
            ControlGroups.write(os, group.resolve("cgroup.kill"), "1");
        } catch (OsException e) {
            // Whoever asks has other means.
        }
        return isPopulated(group);
    }

    private boolean isPopulated(Path group) {
        try {
            return ControlGroups.lines(os, group.resolve("cgroup.events")).contains("populated 1");
        } catch (OsException e) {
            return false;
        }
    }

    /** The numbers of all living processes of a run; none where it has no group. */
    public List<Integer> members(RunId run) {
        Path group = byRun.isEmpty() ? null : byRun.get(run);
        List<Integer> members = new ArrayList<>();
        if (group == null) {
            return members;
        }
        try {
            for (String line : ControlGroups.lines(os, group.resolve("cgroup.procs"))) {
                members.add(Integer.parseInt(line));
            }
        } catch (OsException e) {
            // It is gone, and they with it.
        }
        return members;
    }

    /**
     * How many processes of a run the kernel has killed because memory was used up, that of the service or all; also of one that
     * an earlier supervisor started, and while nobody supervised.
     */
    public long killedForMemory(RunId run) {
        Path group = byRun.isEmpty() ? null : byRun.get(run);
        if (group == null) {
            return 0;
        }
        try {
            for (String line : ControlGroups.lines(os, group.resolve("memory.events"))) {
                if (line.startsWith("oom_kill ")) {
                    return Long.parseLong(line.substring(9));
                }
            }
        } catch (OsException e) {
            // No limit of memory, or none that this machine has.
        }
        return 0;
    }
}
