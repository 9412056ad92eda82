package io.jsupervise.control;

import io.jsupervise.supervision.Happening;

/**
 * One line of the supervisor's log.
 *
 * @param warning whether somebody should look at it: not for what supervision is there for, such as a service that ends
 *                and is started again
 */
public record EventLine(String text, boolean warning) {
    public static EventLine of(Happening event) {
        return new EventLine(EventText.of(event), isWarning(event.event()));
    }

    private static boolean isWarning(String event) {
        return switch (event) {
            case "check-failed",
                    "escalating",
                    "gave-up",
                    "reboot-impossible",
                    "reload-refused",
                    "reboot-limit-reached",
                    "resources-missing",
                    "watchdog-failed",
                    "watchdog-stays-armed",
                    "watchdog-withheld",
                    "group-remains",
                    "hook-missing",
                    "hand-over-given-up",
                    "ignored",
                    "journal-damaged",
                    "journal-stale",
                    "log-dropping",
                    "log-failed",
                    "log-lost",
                    "log-not-rotated",
                    "notify-refused",
                    "runtime-not-restored",
                    "trouble" -> true;
            default -> false;
        };
    }

    /** The text alone. */
    @Override
    public String toString() {
        return text;
    }
}
