package io.jsupervise.supervision;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * The hardware watchdog in the status.
 *
 * @param device       empty where none is configured
 * @param report       empty where none is configured
 * @param interval     between two feeds
 * @param memory       why this boot came about, and what withholds the feed
 * @param limitReached whether the feed is no longer withheld, because that has reset the machine often enough
 */
public record WatchdogStatus(
        Optional<Path> device,
        Optional<WatchdogReport> report,
        Optional<Duration> interval,
        ResetMemory memory,
        boolean limitReached) {
    public static final WatchdogStatus OFF =
            new WatchdogStatus(Optional.empty(), Optional.empty(), Optional.empty(), ResetMemory.NONE, false);

    /** {@code off}, {@code armed}, {@code withheld} or {@code failed}. */
    public String word() {
        if (report.isEmpty()) {
            return "off";
        } else if (report.get() instanceof WatchdogReport.Failed) {
            return "failed";
        }
        return memory.withheld().isPresent() ? "withheld" : "armed";
    }
}
