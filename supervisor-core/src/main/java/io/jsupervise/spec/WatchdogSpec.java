package io.jsupervise.spec;

import java.nio.file.Path;
import java.time.Duration;

/**
 * The hardware watchdog that watches the supervisor (watchdog-api in the kernel's documentation). Its clock runs in whole
 * seconds.
 *
 * @param device      a character device such as {@code /dev/watchdog}
 * @param timeout     the machine is reset so long after the last feed; what the driver makes of it is asked of it
 * @param interval    between two feeds; less than half the timeout, so that one that is late resets nothing
 * @param pretimeout  the driver warns so long before the reset, where it can; zero for no warning
 * @param rebootLimit of the resets that we bring about ourselves
 */
public record WatchdogSpec(
        Path device, Duration timeout, Duration interval, Duration pretimeout, RebootLimit rebootLimit) {
    public static final Path STANDARD_DEVICE = Path.of("/dev/watchdog");
    public static final Duration STANDARD_TIMEOUT = Duration.ofSeconds(60);

    public WatchdogSpec {
        if (!device.isAbsolute()) {
            throw new IllegalArgumentException("watchdog device must be absolute: " + device);
        }
        if (timeout.toNanosPart() != 0 || pretimeout.toNanosPart() != 0) {
            throw new IllegalArgumentException("watchdog timeout and pretimeout are whole seconds");
        }
        if (timeout.isZero() || timeout.isNegative() || interval.isZero() || interval.isNegative()) {
            throw new IllegalArgumentException("watchdog timeout and interval must be longer than zero");
        }
        if (interval.multipliedBy(2).compareTo(timeout) >= 0) {
            throw new IllegalArgumentException("watchdog interval must be less than half the timeout");
        }
        if (pretimeout.isNegative() || pretimeout.compareTo(timeout) >= 0) {
            throw new IllegalArgumentException("watchdog pretimeout must be less than the timeout");
        }
    }

    /** The one of this device with everything else as documented. */
    public static WatchdogSpec of(Path device) {
        return new WatchdogSpec(
                device, STANDARD_TIMEOUT, STANDARD_TIMEOUT.dividedBy(4), Duration.ZERO, RebootLimit.STANDARD);
    }

    public WatchdogSpec at(Path other) {
        return new WatchdogSpec(other, timeout, interval, pretimeout, rebootLimit);
    }

    /**
     * After {@code count} boots in a row that each ended within {@code within} by a reset of our making, no further one is
     * brought about: a service that is broken for good must not keep a machine from its console.
     */
    public record RebootLimit(int count, Duration within) {
        public static final RebootLimit STANDARD = new RebootLimit(3, Duration.ofHours(1));

        public RebootLimit {
            if (count < 1) {
                throw new IllegalArgumentException("reboot_limit count must be at least 1");
            }
            if (within.isZero() || within.isNegative()) {
                throw new IllegalArgumentException("reboot_limit within must be longer than zero");
            }
        }
    }
}
