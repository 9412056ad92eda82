package io.jsupervise.journal;

import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.supervision.ResetMemory;
import java.time.Instant;
import java.util.Optional;

/**
 * What the supervisor remembers of itself.
 *
 * @param bootId       the boot in which it was written
 * @param version      of the supervisor that wrote it
 * @param startedAt    when that one started
 * @param endedInOrder whether it stopped everything and ended; false from its start on
 * @param lastEvent    number of the last event when this was written
 * @param freshSince   when the first supervisor of the boot began, or the first one after an end in order: states,
 *                     backoff and start limits that were recorded before that hold no more. It cannot be told from the
 *                     records of services, since one that is merely about to start is not recorded anew. Empty in
 *                     records that do not tell: then all of the boot holds
 * @param resets       why the machine booted, and what is about to reset it
 */
public record SupervisorRecord(
        String bootId,
        String version,
        Instant startedAt,
        boolean endedInOrder,
        long lastEvent,
        Optional<MonotonicTime> freshSince,
        ResetMemory resets) {

    /** One that knows of no reset. */
    public SupervisorRecord(
            String bootId,
            String version,
            Instant startedAt,
            boolean endedInOrder,
            long lastEvent,
            Optional<MonotonicTime> freshSince) {
        this(bootId, version, startedAt, endedInOrder, lastEvent, freshSince, ResetMemory.NONE);
    }

    /** Stands for a record that cannot be read: one was here in this boot, and nothing shows that it ended in order. */
    public static SupervisorRecord presumedKilled(String bootId) {
        return new SupervisorRecord(bootId, "unknown", Instant.EPOCH, false, 0, Optional.empty());
    }

    /** Whether the state in {@code record}, which is of the same boot, has come about since. */
    boolean stillHolds(ServiceRecord record) {
        return freshSince.isEmpty()
                || record.since().isEmpty()
                || !record.since().get().mono().isBefore(freshSince.get());
    }
}
