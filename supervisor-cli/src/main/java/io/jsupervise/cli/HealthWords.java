package io.jsupervise.cli;

import io.jsupervise.json.JsonException;
import io.jsupervise.json.JsonObject;
import java.util.Optional;

/** What the health column says of checks and of what a service says of itself; the worst comes first. */
final class HealthWords {
    private HealthWords() {}

    /** Empty where there is nothing of that kind to say. */
    static Optional<String> of(JsonObject service, String state) throws JsonException {
        boolean checked = false;
        if (service.has("checks")) {
            for (JsonObject check : service.objects("checks")) {
                checked = true;
                if (check.string("state").equals("failing")) {
                    return Optional.of("check " + check.string("name") + " fails (" + check.number("failures") + " of "
                            + check.number("retries") + ")");
                }
            }
        }
        if (service.has("notify")) {
            JsonObject notify = service.object("notify");
            String said = notify.string("state");
            Optional<String> status = notify.optionalString("status");
            boolean isPlain = said.equals("ready") || said.equals("waiting");
            if (status.isPresent()) {
                return Optional.of(isPlain ? status.get() : said + ": " + status.get());
            } else if (!isPlain) {
                return Optional.of(said);
            }
        }
        boolean runs = state.equals("RUNNING") && !service.has("heartbeat");
        return checked && runs ? Optional.of("checks ok") : Optional.empty();
    }
}
