package io.jsupervise.supervision;

import io.jsupervise.lifecycle.Effect;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.ServiceSpec;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What the core wants done, in list order. What had to wait for the journal has waited already: the runner never holds
 * anything back.
 */
public sealed interface Order {
    /** About one service; never Persist, AskToStart or Announce, which become orders of their own. */
    record ForService(Effect effect) implements Order {}

    /** Hand this record to the journal; answered by JournalCommitted with this number or a later one. */
    record Record(long seq, Service service) implements Order {}

    /** Hand the record of the supervisor itself to the journal. */
    record RecordSupervisor(long seq, boolean endedInOrder, long eventSeq, ResetMemory resets) implements Order {}

    /** To the log, the event file and whoever follows. */
    record Tell(Happening happening) implements Order {}

    record Reply(long request, Answer answer) implements Order {}

    /**
     * Read the services file, or {@code file}, off the loop; answered by ConfigurationRead or ConfigurationRefused of the
     * same number.
     */
    record ReadConfiguration(long reading, Optional<Path> file) implements Order {}

    /** This is what is supervised from now on; stands before what is ordered about its services. */
    record Configured(Configuration configuration) implements Order {}

    /** Rotate the logs of these, as far as they have some; answered beside the core, with the same number. */
    record RotateLogs(long request, List<ServiceSpec> services) implements Order {}

    /** Show that poll, clock, core and runner all turn. */
    record TouchHeartbeat() implements Order {}

    /** Feed the hardware watchdog: one write to its device. */
    record FeedWatchdog() implements Order {}

    /** Tell the service manager above us this, in the words of sd_notify(3). */
    record TellManager(String assignments) implements Order {}

    record ArmTimer(SupervisorTimer timer, long generation, MonotonicTime deadline) implements Order {}

    /**
     * Everything is recorded: leave the loop.
     *
     * @param leavesRunning whether services run on, for the next supervisor; otherwise all are down
     * @param failed        whether there was nothing to do but oneshots, and not all of them succeeded
     */
    record Exit(boolean leavesRunning, boolean failed) implements Order {}
}
