package io.jsupervise.daemon;

import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.supervision.SupervisorEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Ends of services that have a notify socket, until what they have said there has been read: a process that names another as its main process
 * and ends is no end of the service, and what it said of why it fails belongs to its reason. The kernel reports an end and a message in
 * no order. The loop's thread only.
 */
final class LastWords {
    /** Whoever reads may be held up; an end is not told later for that. */
    private static final Duration PATIENCE = Duration.ofMillis(500);

    private final Map<RunId, Held> held = new LinkedHashMap<>();

    private record Held(Children.Exit exit, MonotonicTime until, List<SupervisorEvent> later) {
        List<SupervisorEvent> all() {
            List<SupervisorEvent> all = new ArrayList<>(1 + later.size());
            all.add(new SupervisorEvent.OfService(exit.service(), exit.event()));
            all.addAll(later);
            return all;
        }
    }

    void hold(Children.Exit exit, MonotonicTime now) {
        held.put(exit.event().run(), new Held(exit, now.plus(PATIENCE), new ArrayList<>(0)));
    }

    /** Whether {@code event} has to wait, too: nobody is said to be silent or unwell who is known to have ended. */
    boolean defers(SupervisorEvent event) {
        if (held.isEmpty() || !(event instanceof SupervisorEvent.OfService of) || !judges(of.event())) {
            return false;
        }
        for (Held one : held.values()) {
            if (one.exit().service().equals(of.service())) {
                one.later().add(event);
                return true;
            }
        }
        return false;
    }

    private static boolean judges(Event event) {
        return event instanceof Event.TimerFired
                || event instanceof Event.HeartbeatLookedAt
                || event instanceof Event.Probed;
    }

    /** The end that was held until now, if this is what it waits for, and what has waited for that. */
    List<SupervisorEvent> after(Event event) {
        Held known = event instanceof Event.HeardOut heard ? held.remove(heard.run()) : null;
        return known == null ? List.of() : known.all();
    }

    /** It was not the end of this run, since another process is the main one: what has waited for it; empty where none was held. */
    Optional<List<SupervisorEvent>> forget(RunId run) {
        return Optional.ofNullable(held.remove(run)).map(Held::later);
    }

    Optional<MonotonicTime> deadline() {
        return held.isEmpty()
                ? Optional.empty()
                : Optional.of(held.values().iterator().next().until());
    }

    /** The ends that have waited for long enough, each with what has waited for it. */
    List<SupervisorEvent> overdue(MonotonicTime now) {
        if (held.isEmpty()) {
            return List.of();
        }
        List<SupervisorEvent> overdue = new ArrayList<>();
        for (Iterator<Held> all = held.values().iterator(); all.hasNext(); ) {
            Held one = all.next();
            if (!now.isBefore(one.until())) {
                overdue.addAll(one.all());
                all.remove();
            }
        }
        return overdue;
    }
}
