package io.jsupervise.control;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.supervision.Answer;
import io.jsupervise.supervision.ReloadDiff;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;

/** What a reload did, or would do, as JSON. */
public final class ReloadCodec {
    private final JsonFactory json = new JsonFactory();

    /** As docs/control.md describes it. */
    public void write(Answer.Reloaded reloaded, OutputStream to) throws IOException {
        ReloadDiff diff = reloaded.diff();
        try (JsonGenerator out = json.createGenerator(to)) {
            out.writeStartObject();
            out.writeBooleanField("dry_run", reloaded.dryRun());
            out.writeBooleanField("recorded", reloaded.recorded());
            names("added", diff.added(), out);
            names("removed", diff.removed(), out);
            changes("restarted", diff.restarted(), out);
            changes("changed", diff.changed(), out);
            out.writeNumberField("unchanged", diff.unchanged());
            words("supervisor", diff.supervisor(), out);
            words("needs_new_supervisor", diff.ignored(), out);
            AnswerCodec.write(reloaded.results(), out);
            out.writeEndObject();
        }
    }

    private static void names(String field, List<ServiceName> services, JsonGenerator out) throws IOException {
        out.writeArrayFieldStart(field);
        for (ServiceName service : services) {
            out.writeString(service.value());
        }
        out.writeEndArray();
    }

    private static void changes(String field, List<ReloadDiff.Change> changes, JsonGenerator out) throws IOException {
        out.writeArrayFieldStart(field);
        for (ReloadDiff.Change change : changes) {
            out.writeStartObject();
            out.writeStringField("name", change.service().value());
            words("keys", change.keys(), out);
            out.writeEndObject();
        }
        out.writeEndArray();
    }

    private static void words(String field, List<String> words, JsonGenerator out) throws IOException {
        out.writeArrayFieldStart(field);
        for (String word : words) {
            out.writeString(word);
        }
        out.writeEndArray();
    }
}
