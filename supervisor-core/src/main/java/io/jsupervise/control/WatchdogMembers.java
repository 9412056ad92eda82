package io.jsupervise.control;

import com.fasterxml.jackson.core.JsonGenerator;
import io.jsupervise.supervision.BootReport;
import io.jsupervise.supervision.ResetMemory.Withheld;
import io.jsupervise.supervision.WatchdogReport;
import io.jsupervise.supervision.WatchdogStatus;
import io.jsupervise.text.InstantText;
import java.io.IOException;

/** {@code supervisor.watchdog} of the status: the device, what withholds its feed, and why the machine booted. */
final class WatchdogMembers {
    private WatchdogMembers() {}

    static void write(WatchdogStatus watchdog, JsonGenerator out) throws IOException {
        out.writeObjectFieldStart("watchdog");
        out.writeStringField("state", watchdog.word());
        if (watchdog.device().isPresent()) {
            out.writeStringField("device", watchdog.device().get().toString());
            out.writeNumberField(
                    "interval_ms", watchdog.interval().orElseThrow().toMillis());
            write(watchdog.report().orElseThrow(), out);
            out.writeBooleanField("limit_reached", watchdog.limitReached());
        } else {
            out.writeNullField("device");
        }
        if (watchdog.memory().withheld().isPresent()) {
            Withheld withheld = watchdog.memory().withheld().get();
            out.writeObjectFieldStart("withheld");
            out.writeStringField("service", withheld.service().value());
            out.writeStringField("reason", withheld.reason());
            out.writeStringField("since", InstantText.of(withheld.since().wall()));
            out.writeEndObject();
        }
        if (watchdog.memory().boot().isPresent()) {
            BootReport boot = watchdog.memory().boot().get();
            out.writeObjectFieldStart("boot");
            out.writeStringField("cause", boot.cause().word());
            out.writeStringField("evidence", boot.evidence());
            out.writeNumberField("resets", boot.resets());
            out.writeEndObject();
        }
        out.writeEndObject();
    }

    private static void write(WatchdogReport report, JsonGenerator out) throws IOException {
        if (report instanceof WatchdogReport.Failed failed) {
            out.writeStringField("reason", failed.reason());
            out.writeStringField("errno", failed.errno());
        } else if (report instanceof WatchdogReport.Armed armed) {
            out.writeStringField("identity", armed.identity().orElse(null));
            if (armed.timeout().isPresent()) {
                out.writeNumberField("timeout_ms", armed.timeout().get().toMillis());
            } else {
                out.writeNullField("timeout_ms");
            }
            armed(armed, out);
        }
    }

    private static void armed(WatchdogReport.Armed armed, JsonGenerator out) throws IOException {
        if (armed.pretimeout().isPresent()) {
            out.writeNumberField("pretimeout_ms", armed.pretimeout().get().toMillis());
        }
        if (armed.nowayout().isPresent()) {
            out.writeBooleanField("nowayout", armed.nowayout().get());
        } else {
            out.writeNullField("nowayout");
        }
        out.writeArrayFieldStart("notes");
        for (String note : armed.notes()) {
            out.writeString(note);
        }
        out.writeEndArray();
    }
}
