package io.jsupervise.journal;

import io.jsupervise.lifecycle.Bearer;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.spec.ServiceName;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Processes that bear the mark of one state directory, and which of them a record does not know. Not every bearer that
 * leads a session is a main process: a daemon that a service leaves behind may lead one, too. It bears the mark of a run
 * that is in the record, or of an older one.
 */
final class Marked {
    private final Map<ServiceName, List<Bearer>> byService = new HashMap<>();

    /** Hooks, and what comes from them. */
    private final Map<ServiceName, List<Bearer>> hooks = new HashMap<>();

    Marked(List<Bearer> bearers, String stateId) {
        for (Bearer bearer : bearers) {
            boolean ours = bearer.run().isEmpty() || bearer.run().get().isOf(stateId);
            if (ours && ServiceName.isValid(bearer.service())) {
                boolean hook = bearer.run().isPresent() && bearer.run().get().isOfHook();
                (hook ? hooks : byService)
                        .computeIfAbsent(new ServiceName(bearer.service()), name -> new ArrayList<>())
                        .add(bearer);
            }
        }
    }

    Iterable<ServiceName> names() {
        Set<ServiceName> names = new LinkedHashSet<>(byService.keySet());
        names.addAll(hooks.keySet());
        return names;
    }

    /**
     * The hooks of a service that still run, and what they have started: to be ended before anything else. One that has
     * written its title over its environment is known by its record.
     *
     * @param record of this boot
     */
    List<Bearer> hooks(ServiceName name, Optional<ServiceRecord> record) {
        List<Bearer> all = new ArrayList<>(hooks.getOrDefault(name, List.of()));
        for (Bearer bearer : byService.getOrDefault(name, List.of())) {
            if (isRecordedHook(bearer, record)) {
                all.add(bearer);
            }
        }
        return all;
    }

    private static boolean isRecordedHook(Bearer bearer, Optional<ServiceRecord> record) {
        return record.isPresent()
                && record.get().hooks().running().isPresent()
                && record.get().hooks().running().get().process().equals(bearer.identity());
    }

    /**
     * The main process that was started after {@code record} was written, if one is.
     *
     * @param record of this boot
     */
    Optional<Bearer> unrecorded(ServiceName name, Optional<ServiceRecord> record) {
        Optional<Service.LastRun> last = record.flatMap(ServiceRecord::lastRun);
        boolean mayBeUnread = record.isEmpty() || record.get().living().isEmpty();
        Bearer best = null;
        for (Bearer bearer : byService.getOrDefault(name, List.of())) {
            if (bearer.leads()
                    && !isRecordedHook(bearer, record)
                    && (bearer.run().isPresent() || mayBeUnread)
                    && isLater(bearer, last)
                    && (best == null || isBetter(bearer, best))) {
                best = bearer;
            }
        }
        return Optional.ofNullable(best);
    }

    /** Who bears a mark of the service and is not {@code main}. */
    List<Bearer> others(ServiceName name, Optional<ProcessIdentity> main) {
        List<Bearer> others = new ArrayList<>();
        for (Bearer bearer : byService.getOrDefault(name, List.of())) {
            if (!main.equals(Optional.of(bearer.identity()))) {
                others.add(bearer);
            }
        }
        return others;
    }

    /**
     * Runs are numbered within the life of a supervisor. One of which nothing was recorded, and whose notes could not be
     * read, may have had the same life as the one that was recorded: then the start times tell.
     */
    private static boolean isLater(Bearer bearer, Optional<Service.LastRun> last) {
        if (last.isEmpty()) {
            return true;
        }
        long before = last.get().process().startTime();
        return bearer.run().isPresent()
                ? bearer.run().get().isLaterThan(last.get().run())
                        && bearer.identity().startTime() >= before
                : bearer.identity().startTime() > before;
    }

    /** A mark that can be read before one that cannot; of a later run; of one run what was started first. */
    private static boolean isBetter(Bearer bearer, Bearer than) {
        if (bearer.run().isPresent() != than.run().isPresent()) {
            return bearer.run().isPresent();
        }
        if (bearer.run().isPresent() && !bearer.run().equals(than.run())) {
            return bearer.run().get().isLaterThan(than.run().get());
        }
        return bearer.identity().startTime() < than.identity().startTime();
    }
}
