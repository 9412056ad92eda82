package io.jsupervise.config;

import io.jsupervise.spec.WatchdogSpec;
import io.jsupervise.spec.WatchdogSpec.RebootLimit;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** Reads {@code supervisor.watchdog}: a mistake here would reset a machine, so what does not fit together is told. */
final class WatchdogReader {
    /** What fits into the 16 bits that many drivers have for it, in seconds. */
    private static final Duration LONGEST = Duration.ofSeconds(65_535);

    private WatchdogReader() {}

    /** @param named a device from the command line; enough to have a watchdog, and put in the place of that of the file */
    static Optional<WatchdogSpec> read(Section supervisor, Optional<Path> named) {
        Optional<Section> given = supervisor.section("watchdog");
        if (given.isEmpty()) {
            return named.map(WatchdogSpec::of);
        }
        Section section = given.get().knows(Keys.WATCHDOG);
        Path device = named.or(() -> section.path("device", Path.of("/dev"))).orElse(WatchdogSpec.STANDARD_DEVICE);
        Duration timeout = seconds(section, "timeout", WatchdogSpec.STANDARD_TIMEOUT);
        boolean fits = true;
        if (timeout.isZero() || timeout.compareTo(LONGEST) > 0) {
            section.problem(
                    section.placeOf("timeout"),
                    "the watchdog's timeout is " + timeout.toSeconds() + " s",
                    "write 1s to " + LONGEST.toSeconds() + "s, such as 60s");
            timeout = WatchdogSpec.STANDARD_TIMEOUT;
            fits = false;
        }
        Duration interval = section.has("interval")
                ? section.positive("interval").orElse(timeout.dividedBy(4))
                : timeout.dividedBy(4);
        if (interval.multipliedBy(2).compareTo(timeout) >= 0) {
            section.problem(
                    section.placeOf("interval"),
                    "the watchdog's interval is not less than half its timeout, so one feed that is late resets the machine",
                    "write a quarter of the timeout, " + quarter(timeout));
            fits = false;
        }
        Duration pretimeout = seconds(section, "pretimeout", Duration.ZERO);
        if (pretimeout.compareTo(timeout) >= 0) {
            section.problem(
                    section.placeOf("pretimeout"),
                    "the watchdog's pretimeout is not less than its timeout",
                    "write how long before the reset the driver is to warn, such as 5s");
            fits = false;
        }
        RebootLimit limit = rebootLimit(section);
        return fits ? Optional.of(new WatchdogSpec(device, timeout, interval, pretimeout, limit)) : Optional.empty();
    }

    private static String quarter(Duration timeout) {
        long ms = timeout.dividedBy(4).toMillis();
        return ms % 1000 == 0 ? ms / 1000 + "s" : ms + "ms";
    }

    /** The device counts in nothing less. */
    private static Duration seconds(Section section, String key, Duration otherwise) {
        Duration duration = section.duration(key, otherwise);
        if (duration.toNanosPart() != 0) {
            section.problem(
                    section.placeOf(key),
                    "the watchdog's " + key + " is no whole number of seconds, and the device counts in seconds",
                    "write " + (duration.toSeconds() + 1) + "s");
            return otherwise;
        }
        return duration;
    }

    private static RebootLimit rebootLimit(Section section) {
        Optional<Section> given = section.section("reboot_limit");
        if (given.isEmpty()) {
            return RebootLimit.STANDARD;
        }
        Section limit = given.get().knows(Keys.REBOOT_LIMIT);
        int count = limit.number("count", RebootLimit.STANDARD.count(), 1, 1000);
        Duration within = limit.has("within")
                ? limit.positive("within").orElse(RebootLimit.STANDARD.within())
                : RebootLimit.STANDARD.within();
        return new RebootLimit(count, within);
    }
}
