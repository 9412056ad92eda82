package io.jsupervise.journal;

import com.fasterxml.jackson.core.JsonGenerator;
import io.jsupervise.json.JsonException;
import io.jsupervise.json.JsonObject;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Now;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.supervision.BootReport;
import io.jsupervise.supervision.ResetMemory;
import io.jsupervise.supervision.ResetMemory.Withheld;
import io.jsupervise.text.InstantText;
import java.io.IOException;
import java.util.Optional;

/** The keys of the supervisor's record that are about resets; each is absent where there is nothing to tell. */
final class ResetFields {
    private ResetFields() {}

    static void write(JsonGenerator out, ResetMemory resets) throws IOException {
        if (resets.boot().isPresent()) {
            BootReport boot = resets.boot().get();
            out.writeObjectFieldStart("boot");
            out.writeStringField("cause", boot.cause().word());
            out.writeStringField("evidence", boot.evidence());
            out.writeNumberField("resets", boot.resets());
            out.writeEndObject();
        }
        if (resets.crashLogs().isPresent()) {
            out.writeStringField("crash_logs", resets.crashLogs().get());
        }
        if (resets.withheld().isPresent()) {
            Withheld withheld = resets.withheld().get();
            out.writeObjectFieldStart("feed_withheld");
            out.writeStringField("service", withheld.service().value());
            out.writeStringField("reason", withheld.reason());
            out.writeNumberField("since_mono_ns", withheld.since().mono().nanos());
            out.writeStringField("since", InstantText.of(withheld.since().wall()));
            out.writeEndObject();
        }
    }

    static ResetMemory read(JsonObject json) throws JsonException {
        return new ResetMemory(boot(json), json.optionalString("crash_logs"), withheld(json));
    }

    private static Optional<BootReport> boot(JsonObject json) throws JsonException {
        Optional<JsonObject> object = json.optionalObject("boot");
        if (object.isEmpty()) {
            return Optional.empty();
        }
        JsonObject boot = object.get();
        BootReport report = new BootReport(cause(boot.string("cause")), boot.string("evidence"), (int)
                boot.number("resets", 0, Integer.MAX_VALUE));
        boot.end();
        return Optional.of(report);
    }

    private static BootReport.Cause cause(String word) throws JsonException {
        for (BootReport.Cause cause : BootReport.Cause.values()) {
            if (cause.word().equals(word)) {
                return cause;
            }
        }
        throw new JsonException("boot.cause \"" + word + "\" is unknown");
    }

    private static Optional<Withheld> withheld(JsonObject json) throws JsonException {
        Optional<JsonObject> object = json.optionalObject("feed_withheld");
        if (object.isEmpty()) {
            return Optional.empty();
        }
        JsonObject one = object.get();
        String service = one.string("service");
        if (!ServiceName.isValid(service)) {
            throw new JsonException("feed_withheld.service \"" + service + "\" is no name of a service");
        }
        Withheld withheld = new Withheld(
                new ServiceName(service),
                one.string("reason"),
                new Now(new MonotonicTime(one.number("since_mono_ns")), one.instant("since")));
        one.end();
        return Optional.of(withheld);
    }
}
