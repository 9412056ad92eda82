package io.jsupervise.journal;

import io.jsupervise.spec.WatchdogSpec.RebootLimit;
import io.jsupervise.supervision.BootReport;
import io.jsupervise.supervision.BootReport.Cause;
import io.jsupervise.supervision.ResetMemory;
import io.jsupervise.supervision.ResetMemory.Withheld;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Tells how the boot before this one ended, from what the supervisor of that boot recorded and what hardware and kernel have to say.
 * The most specific witness wins: a kernel that left a crash log panicked, whoever pressed the button afterwards; then
 * the device; then our own record, which is the only witness where a device forgets (softdog always does). What nobody saw is
 * unknown: a power cut and a reset button look the same afterwards.
 */
public final class LastBoot {
    private LastBoot() {}

    /**
     * What the machine tells.
     *
     * @param resetByWatchdog says the device
     * @param powerFailed     says the device
     * @param bootStatus      of the device as it stands; empty where none was asked
     * @param crashLogs       names of what crashed kernels left, all in one line; empty text for none
     */
    public record Evidence(
            boolean resetByWatchdog, boolean powerFailed, Optional<Integer> bootStatus, String crashLogs) {}

    /**
     * What is known of this boot.
     *
     * @param isNew whether this is the first supervisor that knows
     */
    public record Known(ResetMemory memory, boolean isNew) {}

    /**
     * @param before   the record that was found
     * @param evidence asked only in a boot that no supervisor has looked at yet
     */
    public static Known judge(
            Optional<SupervisorRecord> before, String bootId, RebootLimit limit, Supplier<Evidence> evidence) {
        if (before.isPresent() && before.get().bootId().equals(bootId)) {
            ResetMemory same = before.get().resets();
            return new Known(new ResetMemory(same.boot(), same.crashLogs(), Optional.empty()), false);
        }
        Evidence seen = evidence.get();
        Optional<BootReport> report = before.map(record -> report(record, seen, limit));
        return new Known(new ResetMemory(report, Optional.of(seen.crashLogs()), Optional.empty()), true);
    }

    private static BootReport report(SupervisorRecord before, Evidence seen, RebootLimit limit) {
        Optional<Withheld> withheld =
                before.endedInOrder() ? Optional.empty() : before.resets().withheld();
        Cause cause = cause(before, withheld, seen);
        int resets = 0;
        if (cause == Cause.WATCHDOG && withheld.isPresent() && wasYoung(withheld.get(), limit)) {
            resets = before.resets().resets() + 1;
        }
        return new BootReport(cause, words(cause, before, withheld, seen), resets);
    }

    private static Cause cause(SupervisorRecord before, Optional<Withheld> withheld, Evidence seen) {
        if (hasNewCrashLog(before, seen)) {
            return Cause.PANIC;
        } else if (seen.resetByWatchdog() || withheld.isPresent()) {
            return Cause.WATCHDOG;
        } else if (seen.powerFailed()) {
            return Cause.POWER;
        }
        return before.endedInOrder() ? Cause.ORDERLY : Cause.UNKNOWN;
    }

    /** One that lay there in the boot before as well tells nothing of its end; and where nobody looked then, it may be old. */
    private static boolean hasNewCrashLog(SupervisorRecord before, Evidence seen) {
        Optional<String> known = before.resets().crashLogs();
        return !seen.crashLogs().isEmpty() && known.isPresent() && !known.get().equals(seen.crashLogs());
    }

    /** The monotonic clock begins with the boot. */
    private static boolean wasYoung(Withheld withheld, RebootLimit limit) {
        return Duration.ofNanos(withheld.since().mono().nanos()).compareTo(limit.within()) < 0;
    }

    private static String words(Cause cause, SupervisorRecord before, Optional<Withheld> withheld, Evidence seen) {
        StringBuilder text = new StringBuilder();
        switch (cause) {
            case PANIC -> text.append("the kernel left a crash log: ").append(seen.crashLogs());
            case WATCHDOG -> {
                if (withheld.isPresent()) {
                    text.append("the supervisor withheld the feed: \"")
                            .append(withheld.get().service())
                            .append("\" was given up: ")
                            .append(withheld.get().reason());
                } else {
                    text.append(
                            before.endedInOrder()
                                    ? "the supervisor had ended in order, and the watchdog could not be disarmed"
                                    : "the supervisor hung or had ended, and nobody fed the watchdog");
                }
            }
            case POWER -> text.append("the device says that the power failed");
            case ORDERLY -> text.append("the supervisor had ended in order");
            case UNKNOWN ->
                text.append("neither record nor device tells: a power cut, a reset button or a forced reboot");
        }
        seen.bootStatus()
                .ifPresent(bits -> text.append(" (bootstatus ").append(bits).append(')'));
        return text.toString();
    }
}
