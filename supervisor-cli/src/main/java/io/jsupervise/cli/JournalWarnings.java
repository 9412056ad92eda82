package io.jsupervise.cli;

import io.jsupervise.json.JsonException;
import io.jsupervise.json.JsonObject;
import java.util.Optional;

/** What is wrong with the journal, told beside the status: on standard error, so that the table can be read by programs. */
final class JournalWarnings {
    private JournalWarnings() {}

    /** @param supervisor the member of that name of a status; a dead one's has no journal */
    static void print(JsonObject supervisor) throws JsonException {
        Optional<JsonObject> journal = supervisor.optionalObject("journal");
        if (journal.isEmpty()) {
            return;
        }
        if (journal.get().string("state").equals("stale")) {
            System.err.println("jsupervise: the journal is stale since "
                    + journal.get().string("since") + ": "
                    + journal.get().string("reason")
                    + "; services are supervised, but what happens is not recorded");
        }
        if (journal.get().has("set_aside")) {
            for (JsonObject one : journal.get().objects("set_aside")) {
                System.err.println("jsupervise: " + one.string("what"));
            }
        }
    }
}
