package io.jsupervise.journal;

import java.time.Instant;

/**
 * What the supervisor remembers of itself.
 *
 * @param bootId       the boot in which it was written
 * @param version      of the supervisor that wrote it
 * @param startedAt    when that one started
 * @param endedInOrder whether it stopped everything and ended; false from its start on
 * @param lastEvent    number of the last event when this was written
 */
public record SupervisorRecord(String bootId, String version, Instant startedAt, boolean endedInOrder, long lastEvent) {

    /** Stands for a record that cannot be read: one was here in this boot, and nothing shows that it ended in order. */
    public static SupervisorRecord presumedKilled(String bootId) {
        return new SupervisorRecord(bootId, "unknown", Instant.EPOCH, false, 0);
    }
}
