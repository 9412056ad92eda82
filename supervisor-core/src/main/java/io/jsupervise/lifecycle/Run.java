package io.jsupervise.lifecycle;

import java.util.Optional;

/**
 * One run of a service: from the order to spawn until its process was seen to end.
 *
 * @param id        unique
 * @param process   empty until the spawn is known to have worked
 * @param orderedAt when the spawn was ordered
 * @param readyAt   empty until it is ready
 * @param pulse     present where the service has a heartbeat
 * @param adopted   whether an earlier supervisor spawned it
 * @param spec      fingerprint of what it was started with; empty where that is not known
 */
public record Run(
        RunId id,
        Optional<ProcessIdentity> process,
        Now orderedAt,
        Optional<MonotonicTime> readyAt,
        Optional<Pulse> pulse,
        boolean adopted,
        Optional<String> spec) {

    Run spawned(ProcessIdentity identity) {
        return new Run(id, Optional.of(identity), orderedAt, readyAt, pulse, adopted, spec);
    }

    Run ready(MonotonicTime at) {
        return new Run(id, process, orderedAt, Optional.of(at), pulse, adopted, spec);
    }

    Run withoutPulse() {
        return new Run(id, process, orderedAt, readyAt, Optional.empty(), adopted, spec);
    }

    Run with(Pulse newPulse) {
        return new Run(id, process, orderedAt, readyAt, Optional.of(newPulse), adopted, spec);
    }
}
