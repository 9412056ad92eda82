package io.jsupervise.daemon;

import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.RunId;
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

    private record Held(Children.Exit exit, MonotonicTime until) {}

    void hold(Children.Exit exit, MonotonicTime now) {
        held.put(exit.event().run(), new Held(exit, now.plus(PATIENCE)));
    }

    /** The end that was held until now, if this is what it waits for. */
    Optional<Children.Exit> after(Event event) {
        Held known = event instanceof Event.HeardOut heard ? held.remove(heard.run()) : null;
        return known == null ? Optional.empty() : Optional.of(known.exit());
    }

    /** It was not the end of this run, since another process is the main one; false where none was held. */
    boolean forget(RunId run) {
        return held.remove(run) != null;
    }

    Optional<MonotonicTime> deadline() {
        return held.isEmpty()
                ? Optional.empty()
                : Optional.of(held.values().iterator().next().until());
    }

    List<Children.Exit> overdue(MonotonicTime now) {
        if (held.isEmpty()) {
            return List.of();
        }
        List<Children.Exit> overdue = new ArrayList<>();
        for (Iterator<Held> all = held.values().iterator(); all.hasNext(); ) {
            Held one = all.next();
            if (!now.isBefore(one.until())) {
                overdue.add(one.exit());
                all.remove();
            }
        }
        return overdue;
    }
}
