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
 * @param health    what it said and answered
 */
public record Run(
        RunId id,
        Optional<ProcessIdentity> process,
        Now orderedAt,
        Optional<MonotonicTime> readyAt,
        Optional<Pulse> pulse,
        boolean adopted,
        Optional<String> spec,
        Health health) {

    /** One that has said nothing yet. */
    public Run(
            RunId id,
            Optional<ProcessIdentity> process,
            Now orderedAt,
            Optional<MonotonicTime> readyAt,
            Optional<Pulse> pulse,
            boolean adopted,
            Optional<String> spec) {
        this(id, process, orderedAt, readyAt, pulse, adopted, spec, Health.UNKNOWN);
    }

    Run spawned(ProcessIdentity identity) {
        return new Run(id, Optional.of(identity), orderedAt, readyAt, pulse, adopted, spec, health);
    }

    Run ready(MonotonicTime at) {
        return new Run(id, process, orderedAt, Optional.of(at), pulse, adopted, spec, health);
    }

    Run withoutPulse() {
        return new Run(id, process, orderedAt, readyAt, Optional.empty(), adopted, spec, health);
    }

    Run with(Pulse newPulse) {
        return new Run(id, process, orderedAt, readyAt, Optional.of(newPulse), adopted, spec, health);
    }

    public Run with(Health newHealth) {
        return new Run(id, process, orderedAt, readyAt, pulse, adopted, spec, newHealth);
    }
}
