package io.jsupervise.supervision;

import io.jsupervise.lifecycle.Now;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.spec.ServiceName;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
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
            Duration longestTurn,
            WatchdogStatus watchdog) {}

    /**
     * Whether the journal can be written; where it cannot, since when and why.
     *
     * @param setAside records that this supervisor found unreadable when it started, in the order of their names
     */
    public record JournalHealth(Optional<Stale> stale, List<SetAside> setAside) {
        public static final JournalHealth OK = new JournalHealth(Optional.empty(), List.of());

        /**
         * @param reason with the errno by name, such as {@code "write /s/journal/web.json: ENOSPC (...)"}
         * @param errno  that name alone; empty where the disk does not fail but takes too long
         */
        public record Stale(Instant since, String reason, Optional<String> errno) {}

        /**
         * A service, or the supervisor, that began without its history.
         *
         * @param service empty for the supervisor's own record
         * @param file    where the record lies now
         * @param what    what is wrong with it, for people
         */
        public record SetAside(Optional<ServiceName> service, Path file, String what) {}

        public JournalHealth stale(Stale why) {
            return new JournalHealth(Optional.of(why), setAside);
        }

        JournalHealth recovered() {
            return new JournalHealth(Optional.empty(), setAside);
        }

        public JournalHealth with(SetAside one) {
            List<SetAside> all = new ArrayList<>(setAside);
            all.add(one);
            return new JournalHealth(stale, List.copyOf(all));
        }
    }
}
