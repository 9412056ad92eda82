package io.jsupervise.supervision;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** How it stands with the device of the hardware watchdog, from whoever has it open. */
public sealed interface WatchdogReport {
    /**
     * It is open and counts.
     *
     * @param identity   name of the hardware or driver; empty for what is no watchdog, as in a test
     * @param timeout    that the driver really set; empty where it does not say
     * @param pretimeout that the driver really set; empty where there is none
     * @param nowayout   whether it cannot be disarmed; empty where nobody says
     * @param notes      what an operator should know of it, for people
     */
    record Armed(
            Optional<String> identity,
            Optional<Duration> timeout,
            Optional<Duration> pretimeout,
            Optional<Boolean> nowayout,
            List<String> notes)
            implements WatchdogReport {
        public Armed {
            notes = List.copyOf(notes);
        }
    }

    /**
     * It cannot be opened, or written to. Each feed tries again.
     *
     * @param errno by name
     */
    record Failed(String reason, String errno) implements WatchdogReport {}
}
