package io.jsupervise.control;

import io.jsupervise.supervision.Happening;
import io.jsupervise.text.DurationText;
import java.util.Map;

/** Events as lines for people: {@code web: RUNNING -> BACKOFF (exit 1), restart 3 in 2s}. */
public final class EventText {
    private EventText() {}

    public static String of(Happening event) {
        StringBuilder text = new StringBuilder(80);
        text.append(event.service().isPresent() ? event.service().get().value() : "supervisor")
                .append(": ");
        Map<String, Object> details = event.details();
        if (event.from().isPresent()
                && event.to().isPresent()
                && event.from().get() != event.to().get()) {
            text.append(event.from().get().name())
                    .append(" -> ")
                    .append(event.to().get().name());
        } else {
            text.append(event.event());
        }
        switch (event.event()) {
            case "exited", "start-failed", "gave-up" -> ended(text, details);
            case "started" -> text.append(", pid ").append(details.get("pid"));
            case "stopping", "stopped" -> {
                if (details.containsKey("reason")) {
                    text.append(" (").append(details.get("reason")).append(')');
                }
            }
            case "ready" -> {}
            default -> others(text, details);
        }
        return text.toString();
    }

    private static void ended(StringBuilder text, Map<String, Object> details) {
        text.append(" (").append(details.get("reason")).append(')');
        if (details.containsKey("gave_up")) {
            text.append(": ").append(details.get("gave_up"));
        }
        if (details.get("delay_ms") instanceof Number delay) {
            text.append(", restart ").append(details.get("restarts")).append(" in ");
            text.append(DurationText.of(delay.longValue()));
        }
    }

    private static void others(StringBuilder text, Map<String, Object> details) {
        String separator = " ";
        for (Map.Entry<String, Object> detail : details.entrySet()) {
            text.append(separator).append(detail.getKey()).append('=').append(detail.getValue());
        }
    }
}
