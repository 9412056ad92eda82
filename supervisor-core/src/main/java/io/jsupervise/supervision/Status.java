package io.jsupervise.supervision;

import io.jsupervise.lifecycle.Now;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.Service;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** What {@code GET /v1/status} tells: everything at one moment, taken in one turn. */
public record Status(Now now, SupervisorStatus supervisor, List<Service> services) {

    /**
     * Of the supervisor itself.
     *
     * @param longestTurn longest time that one turn of the loop took
     */
    public record SupervisorStatus(
            String name,
            ProcessIdentity process,
            String version,
            Instant startedAt,
            Duration uptime,
            Path config,
            Path stateDir,
            JournalHealth journal,
            boolean shuttingDown,
            Duration longestTurn) {}

    /** Whether the journal can be written; where it cannot, since when and why. */
    public record JournalHealth(Optional<Stale> stale) {
        public static final JournalHealth OK = new JournalHealth(Optional.empty());

        /** @param reason with the errno by name, such as {@code "write /s/journal/web.json: ENOSPC (...)"} */
        public record Stale(Instant since, String reason) {}
    }
}
