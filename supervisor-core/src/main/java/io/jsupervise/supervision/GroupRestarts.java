package io.jsupervise.supervision;

import io.jsupervise.lifecycle.Cause;
import io.jsupervise.lifecycle.End;
import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.spec.ServiceName;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Services that are restarted together. One of them, the <i>root</i>, is what the others are restarted for. First all
 * others that run end, those that depend on others of them first; nobody starts before the last is down. Then the root
 * starts, and when it has a process, or will not get one, so do the others, as their dependencies say. That is what the
 * supervisors of Erlang/OTP do, which also end all before they start one.
 *
 * <p>Nothing of this is recorded, since it follows from what is: where the root waits for its restart and the run of
 * another one is older than the end of the root, that restart has not been made. A supervisor that takes over sees that
 * in the journal and goes on. Whoever calls {@link #restartDependents} or {@link #restartGroup} for a reason of its own
 * records that reason, and calls again with the time of that record if it was killed meanwhile: what has been restarted since is not
 * restarted once more.
 *
 * <p>Only what is wanted up is touched, so what an operator has stopped stays so, and only what runs is ended: EXITED
 * and FATAL stay what they are. Being restarted with others counts neither as a failure nor as a restart.
 *
 * <p>Nobody waits for ever. A stop takes no longer than its stop sequence, and the others wait for the root only while it is on its way, and only
 * those that no root depends on. A start here waits for those dependencies alone that are restarted as well: one
 * that an operator has stopped long ago must not keep down what ran without it.
 */
final class GroupRestarts {
    private final Core core;
    private final List<Restart> open = new ArrayList<>();

    /** With whom those were restarted that have not got a process yet, though their restart is over. */
    private final Map<ServiceName, Set<ServiceName>> company = new HashMap<>();

    /** What this needs of the core. */
    interface Core {
        Optional<Service> find(ServiceName name);

        /** All services, in the order of the file. */
        Collection<Service> services();

        /** Whether it is known if the process that an earlier supervisor left still runs. */
        boolean isSeen(ServiceName name);

        StartOrder order();

        void advance(ServiceName name, Event event);

        /**
         * It was kept from starting, and may be free to by now. It starts when everything else of the present step is done: in the
         * middle of a reload it would start as the file said before.
         */
        void tryToStart(ServiceName name);

        /** Whether everything ends, or is left to the next supervisor. */
        boolean isLeaving();

        void told(Optional<ServiceName> root, String event, Map<String, Object> details);
    }

    private static final class Restart {
        final ServiceName root;
        final String why;

        /** Who was started later need not end. */
        final MonotonicTime since;

        /** The end of the root that it follows; none where somebody has asked for it. */
        final Optional<End> end;

        /** Somebody has asked for it, so the start of the root is one like any other. */
        boolean isAsked;

        final Map<ServiceName, Cause> others = new LinkedHashMap<>();

        /** Those whose run has to end, and has not ended yet. */
        final Map<ServiceName, RunId> old = new LinkedHashMap<>();

        final StopOrder stops = new StopOrder();
        final Set<ServiceName> asked = new HashSet<>();

        /** Those that wanted to start meanwhile. */
        final Set<ServiceName> held = new LinkedHashSet<>();

        Restart(ServiceName root, String why, MonotonicTime since, Optional<End> end) {
            this.root = root;
            this.why = why;
            this.since = since;
            this.end = end;
        }

        boolean concerns(ServiceName name) {
            return root.equals(name) || others.containsKey(name);
        }

        Set<ServiceName> all() {
            Set<ServiceName> all = new HashSet<>(others.keySet());
            all.add(root);
            return all;
        }
    }

    GroupRestarts(Core core) {
        this.core = core;
    }

    // ---- who asks for it ----

    /**
     * All that depend on {@code root}, also through others, are restarted.
     *
     * @param since of those that were started later nobody is restarted
     * @param why   for people
     * @return those, whether they run or not
     */
    Set<ServiceName> restartDependents(ServiceName root, MonotonicTime since, String why) {
        Map<ServiceName, Cause> others = RestartScope.dependents(root, core.order());
        open(new Restart(root, why, since, lastEnd(root)), others, false);
        return others.keySet();
    }

    /** The others of its group are restarted, see {@link RestartScope#group}; and {@link #restartDependents}. */
    Set<ServiceName> restartGroup(Service root, MonotonicTime since, String why) {
        Map<ServiceName, Cause> others = RestartScope.group(root, core.services(), core.order());
        open(new Restart(root.name(), why, since, lastEnd(root.name())), others, false);
        return others.keySet();
    }

    private Optional<End> lastEnd(ServiceName name) {
        return core.find(name).flatMap(service -> service.history().lastEnd());
    }

    /**
     * {@code root} is about to be given another process, by an operator or a reload: so are those that are restarted with
     * it. To be called before it is, or it might start before they have ended.
     *
     * @param why for people
     */
    void restartAlong(ServiceName root, MonotonicTime now, String why) {
        Restart restart = new Restart(root, why, now, Optional.empty());
        restart.isAsked = true;
        open(restart, RestartScope.alongWith(root, core.order()), false);
    }

    /** A supervisor begins: what was due when the one before it died still is. */
    void begin() {
        for (Service service : List.copyOf(core.services())) {
            afterEnd(service, true);
            if (service.state() == ServiceState.STOPPING && service.wanted() == Wanted.UP) {
                String why = service.ending().orElseThrow().reason();
                MonotonicTime since = service.since().mono();
                Restart restart = new Restart(service.name(), why, since, Optional.empty());
                restart.isAsked = true;
                open(restart, RestartScope.alongWith(service.name(), core.order()), true);
            }
        }
    }

    /** It has ended and is to be restarted: so are those that the services file has restarted with it. */
    private void afterEnd(Service service, boolean begins) {
        if (service.state() != ServiceState.BACKOFF || isKnown(service)) {
            return;
        }
        Map<ServiceName, Cause> others = RestartScope.afterEnd(service, core.services(), core.order());
        if (!others.isEmpty()) {
            Optional<End> end = service.history().lastEnd();
            String why = end.map(End::reason).orElse("it has ended");
            open(new Restart(service.name(), why, service.since().mono(), end), others, begins);
        }
    }

    /** A start that fails is one more end: of those that have started since, some have to end once more. */
    private boolean isKnown(Service service) {
        for (Restart one : open) {
            // Not by its time: two may come in one turn of the loop, which looks at the clock once.
            boolean isSame = one.end.isPresent()
                    && one.end.get() == service.history().lastEnd().orElse(null);
            if (one.root.equals(service.name()) && isSame) {
                return true;
            }
        }
        return false;
    }

    /** @param begins whether some may have been ended for this before, and must not start by themselves */
    private void open(Restart restart, Map<ServiceName, Cause> others, boolean begins) {
        List<String> names = new ArrayList<>();
        others.forEach((name, cause) -> {
            Service service = core.find(name).orElse(null);
            if (service != null && service.wanted() == Wanted.UP) {
                restart.others.put(name, cause);
                boolean isOld = service.run()
                        .filter(run -> !restart.since.isBefore(run.orderedAt().mono()))
                        .isPresent();
                if (isOld) {
                    restart.old.put(name, service.run().get().id());
                    names.add(name.value());
                }
            }
        });
        if (restart.others.isEmpty() || restart.old.isEmpty() && !begins) {
            return;
        }
        takeOver(restart);
        open.add(restart);
        restart.stops.add(restart.old.keySet(), core.order());
        if (!names.isEmpty()) {
            Map<String, Object> details = new LinkedHashMap<>();
            details.put("services", names);
            details.put("reason", restart.why);
            tell(Optional.of(restart.root), "restarting-others", details);
        }
        askAll(restart);
        // What the others hold may be what this root depends on.
        List.copyOf(open).forEach(this::settle);
    }

    /** An earlier one of the same root has nothing to do any more but to wait for that. */
    private void takeOver(Restart restart) {
        for (Restart before : List.copyOf(open)) {
            if (before.root.equals(restart.root) && before.old.isEmpty()) {
                open.remove(before);
                restart.held.addAll(before.held);
            }
        }
    }

    private void tell(Optional<ServiceName> root, String event, Map<String, Object> details) {
        core.told(root, event, details);
    }

    // ---- how it goes on ----

    boolean isEmpty() {
        return open.isEmpty() && company.isEmpty();
    }

    /** Whether what becomes of {@code service} means anything here. */
    boolean knows(Service service) {
        return service.spec().group().isPresent() || !isEmpty();
    }

    /** {@code service} is not what it was. */
    void changed(Service service) {
        ServiceName name = service.name();
        if (!core.isLeaving()) {
            afterEnd(service, false);
        }
        if (isEmpty()) {
            return;
        }
        for (Restart restart : List.copyOf(open)) {
            if (restart.concerns(name)) {
                follow(restart, service);
            }
        }
        if (!isOnItsWay(service)) {
            company.remove(name);
        }
    }

    private void follow(Restart restart, Service service) {
        ServiceName name = service.name();
        RunId old = restart.old.get(name);
        if (old != null && isOver(service, old)) {
            over(restart, name);
        } else if (old != null) {
            ask(restart, name);
        }
        if (service.state() != ServiceState.WAITING) {
            restart.held.remove(name);
        }
        settle(restart);
    }

    /** It is no service any more. */
    void gone(ServiceName name) {
        company.remove(name);
        for (Restart restart : List.copyOf(open)) {
            if (restart.concerns(name)) {
                over(restart, name);
                restart.others.remove(name);
                restart.held.remove(name);
                settle(restart);
            }
        }
    }

    private static boolean isOver(Service service, RunId old) {
        boolean runs = service.run().isPresent() && service.run().get().id().equals(old);
        return !runs && service.isCleared();
    }

    private void over(Restart restart, ServiceName name) {
        restart.old.remove(name);
        for (ServiceName free : restart.stops.gone(name, core.order())) {
            ask(restart, free);
        }
    }

    private void askAll(Restart restart) {
        List<ServiceName> names = new ArrayList<>(restart.old.keySet());
        for (int i = names.size() - 1; i >= 0; i--) {
            ask(restart, names.get(i));
        }
    }

    /** Who has to wait with its end, or may be dead for all that is known, is asked later. */
    private void ask(Restart restart, ServiceName name) {
        boolean may = !restart.stops.holds(name) && core.isSeen(name) && !core.isLeaving();
        if (may && restart.old.containsKey(name) && restart.asked.add(name)) {
            String reason = "restarted with " + restart.root + ": " + restart.why;
            core.advance(name, new Event.RestartedWithOthers(restart.others.get(name), reason));
        }
    }

    /** When all are down, whoever need not wait for the root starts; with the root the rest does, and it is over. */
    private void settle(Restart restart) {
        if (!restart.old.isEmpty() || !open.contains(restart)) {
            return;
        }
        if (!isComing(restart.root)) {
            open.remove(restart);
            for (ServiceName name : restart.others.keySet()) {
                if (isComing(name)) {
                    company.put(name, restart.all());
                }
            }
        }
        for (ServiceName name : List.copyOf(restart.held)) {
            // Only whom nothing holds any more: asking the others again would never come to an end.
            Optional<Obstacle> obstacle = obstacle(name);
            if (obstacle.isEmpty()) {
                restart.held.remove(name);
                core.tryToStart(name);
            } else {
                obstacle.get().of.held.add(name);
            }
        }
    }

    /** It has no process, and will get one by itself. */
    private static boolean isOnItsWay(Service service) {
        boolean comes =
                switch (service.state()) {
                    case STOPPED, WAITING, BACKOFF, STOPPING -> true;
                    case STARTING -> service.process().isEmpty();
                    case RUNNING, EXITED, FATAL -> false;
                };
        return comes && service.wanted() == Wanted.UP;
    }

    // ---- what it means for a start ----

    /** What {@code name} has to wait for with its start on this account, in words; empty for nothing. */
    List<String> wait(ServiceName name) {
        Optional<Obstacle> obstacle = obstacle(name);
        if (obstacle.isEmpty()) {
            return List.of();
        }
        obstacle.get().of.held.add(name);
        return List.of(obstacle.get().words);
    }

    /** How many wait with their start on this account. */
    int waiting() {
        Set<ServiceName> all = new HashSet<>();
        for (Restart restart : open) {
            for (ServiceName name : restart.held) {
                boolean waits = core.find(name)
                        .filter(service -> service.state() == ServiceState.WAITING && service.isCleared())
                        .isPresent();
                if (waits && core.order().waitsFor(name).isEmpty()) {
                    all.add(name);
                }
            }
        }
        return all.size();
    }

    private record Obstacle(Restart of, String words) {}

    private Optional<Obstacle> obstacle(ServiceName name) {
        RootsFirst first = new RootsFirst(core.order());
        for (Restart restart : open) {
            boolean comes = isComing(restart.root);
            if (comes) {
                first.add(restart.root, restart.others.keySet());
            }
            if (!restart.old.isEmpty() && restart.concerns(name)) {
                return Optional.of(new Obstacle(restart, "those that are restarted with it to end"));
            }
            if (comes && first.waitsForLast(name)) {
                return Optional.of(new Obstacle(restart, restart.root + ": restarted"));
            }
        }
        return Optional.empty();
    }

    private boolean isComing(ServiceName root) {
        return core.find(root).filter(GroupRestarts::isOnItsWay).isPresent();
    }

    /** Those with whom it is restarted; empty where it starts alone. */
    Optional<Set<ServiceName>> companyOf(ServiceName name) {
        if (isEmpty()) {
            return Optional.empty();
        }
        Set<ServiceName> all = new HashSet<>(company.getOrDefault(name, Set.of()));
        for (Restart restart : open) {
            if (restart.concerns(name) && !(restart.isAsked && restart.root.equals(name))) {
                all.addAll(restart.all());
            }
        }
        return all.isEmpty() ? Optional.empty() : Optional.of(all);
    }

    // ---- what ends it ----

    /** Everything ends, or somebody else goes on. */
    void clear() {
        open.clear();
        company.clear();
    }

    /** Who waits for whom is another matter now: whoever waited with its end ends. */
    void reordered() {
        for (Restart restart : List.copyOf(open)) {
            restart.stops.releaseAll();
            askAll(restart);
        }
    }

    /** What could not be asked while everything was about to be left to the next supervisor is asked now. */
    void again() {
        for (Restart restart : List.copyOf(open)) {
            askAll(restart);
        }
        for (Service service : List.copyOf(core.services())) {
            afterEnd(service, false);
        }
    }
}
