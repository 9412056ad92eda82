package io.jsupervise.journal;

import com.fasterxml.jackson.core.JsonGenerator;
import io.jsupervise.json.JsonException;
import io.jsupervise.json.JsonObject;
import io.jsupervise.lifecycle.Alerts;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.RunId;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What is to be told of a service, in its record: the object {@code alerts}, left out where there is nothing. */
final class AlertFields {
    private AlertFields() {}

    static void write(JsonGenerator out, Alerts alerts) throws IOException {
        if (alerts.equals(Alerts.NONE)) {
            return;
        }
        out.writeObjectFieldStart("alerts");
        out.writeBooleanField("unwell", alerts.unwell());
        if (alerts.untold().isPresent()) {
            out.writeFieldName("untold");
            write(out, alerts.untold().get());
        }
        if (alerts.quiet().isPresent()) {
            out.writeNumberField(
                    "quiet_until_mono_ns", alerts.quiet().get().until().nanos());
            out.writeNumberField("quiet_ms", alerts.quiet().get().length().toMillis());
            out.writeNumberField("quiet_told", alerts.quiet().get().told());
        }
        out.writeArrayFieldStart("due");
        for (Alerts.Alert alert : alerts.due()) {
            write(out, alert);
        }
        out.writeEndArray();
        out.writeEndObject();
    }

    private static void write(JsonGenerator out, Alerts.Alert alert) throws IOException {
        out.writeStartObject();
        out.writeStringField("hook", alert.kind().word());
        out.writeStringField("run_id", alert.run().value());
        out.writeNumberField("failures", alert.failures());
        out.writeStringField("reason", alert.reason());
        out.writeEndObject();
    }

    static Alerts read(JsonObject record) throws JsonException {
        Optional<JsonObject> object = record.optionalObject("alerts");
        if (object.isEmpty()) {
            return Alerts.NONE;
        }
        JsonObject json = object.get();
        boolean unwell = json.bool("unwell");
        Optional<JsonObject> counted = json.optionalObject("untold");
        Optional<Alerts.Alert> untold = counted.isPresent() ? Optional.of(alert(counted.get())) : Optional.empty();
        Optional<Alerts.Quiet> quiet = Optional.empty();
        if (json.has("quiet_until_mono_ns")) {
            quiet = Optional.of(new Alerts.Quiet(
                    new MonotonicTime(json.number("quiet_until_mono_ns")),
                    Duration.ofMillis(json.number("quiet_ms", 0, Long.MAX_VALUE / 1_000_000)),
                    json.has("quiet_told") ? (int) json.number("quiet_told", 0, Integer.MAX_VALUE) : 1));
        }
        List<Alerts.Alert> due = new ArrayList<>();
        for (JsonObject one : json.objects("due")) {
            due.add(alert(one));
        }
        json.end();
        return new Alerts(unwell, untold, quiet, due, Optional.empty());
    }

    private static Alerts.Alert alert(JsonObject json) throws JsonException {
        Alerts.Alert alert = new Alerts.Alert(
                RecordReader.hookKind(json),
                new RunId(json.string("run_id")),
                (int) json.number("failures", 0, Integer.MAX_VALUE),
                json.string("reason"));
        json.end();
        return alert;
    }
}
