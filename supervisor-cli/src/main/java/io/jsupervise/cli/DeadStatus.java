package io.jsupervise.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.jsupervise.control.StatusCodec;
import io.jsupervise.control.Whereabouts;
import io.jsupervise.journal.ServiceRecord;
import io.jsupervise.journal.SupervisorRecord;
import io.jsupervise.lifecycle.End;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.text.InstantText;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What a supervisor would answer if it lived, from its journal and from /proc: the same members, null for what only the
 * living know, and two more, {@code supervisor.state} and {@code process}, that tell what is to be thought of the rest.
 */
final class DeadStatus {
    private final DeadSupervisor dead;

    DeadStatus(DeadSupervisor dead) {
        this.dead = dead;
    }

    /** As JSON, one line. */
    byte[] of(List<ServiceRecord> records) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator out = new JsonFactory().createGenerator(bytes)) {
            out.writeStartObject();
            writeSupervisor(out);
            out.writeArrayFieldStart("services");
            for (ServiceRecord record : records) {
                write(record, out);
            }
            out.writeEndArray();
            out.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot happen: memory is no file", e);
        }
        bytes.write('\n');
        return bytes.toByteArray();
    }

    private void writeSupervisor(JsonGenerator out) throws IOException {
        Whereabouts told = dead.whereabouts().orElse(null);
        SupervisorRecord record = dead.record().orElse(null);
        out.writeObjectFieldStart("supervisor");
        out.writeStringField("name", told == null ? null : told.name());
        out.writeStringField("state", dead.holder().isPresent() ? "unreachable" : "dead");
        if (dead.holder().isPresent()) {
            out.writeNumberField("pid", dead.holder().get());
        } else {
            out.writeNullField("pid");
        }
        out.writeStringField("version", record != null ? record.version() : told != null ? told.version() : null);
        out.writeStringField("started_at", record == null ? null : InstantText.of(record.startedAt()));
        out.writeNullField("uptime_ms");
        if (record == null || dead.holder().isPresent()) {
            out.writeNullField("ended_in_order");
        } else {
            out.writeBooleanField("ended_in_order", record.endedInOrder());
        }
        out.writeStringField("config", told == null ? null : told.config().toString());
        out.writeStringField("state_dir", dead.stateDir().toString());
        out.writeNullField("shutting_down");
        out.writeNullField("journal");
        out.writeNullField("watchdog");
        out.writeNullField("loop");
        out.writeEndObject();
    }

    private void write(ServiceRecord record, JsonGenerator out) throws IOException {
        Optional<ServiceRecord.Living> living = dead.stillRunning(record);
        out.writeStartObject();
        out.writeStringField("name", record.name().value());
        out.writeNullField("type");
        out.writeStringField("state", record.state().name());
        out.writeStringField("process", process(record, living));
        out.writeStringField("wanted", record.wanted().word());
        out.writeBooleanField("ready", living.isPresent() && record.state() == ServiceState.RUNNING);
        if (living.isPresent()) {
            out.writeNumberField("pid", living.get().process().pid().value());
        } else {
            out.writeNullField("pid");
        }
        out.writeStringField(
                "since",
                record.since().map(since -> InstantText.of(since.wall())).orElse(null));
        if (living.isPresent()) {
            Duration uptime = Duration.between(living.get().startedAt().wall(), Instant.now());
            out.writeNumberField("uptime_ms", Math.max(0, uptime.toMillis()));
        } else {
            out.writeNullField("uptime_ms");
        }
        out.writeNumberField("restarts", record.history().restarts());
        out.writeNullField("adopted");
        // Nobody starts it then: that is for the next supervisor.
        out.writeNullField("next_start_at");
        out.writeNullField("backoff_ms");
        writeLastExit(record, out);
        out.writeNullField("heartbeat");
        out.writeNullField("notify");
        out.writeArrayFieldStart("checks");
        out.writeEndArray();
        out.writeStringField("run_id", living.map(one -> one.run().value()).orElse(null));
        out.writeNullField("spec_changed");
        out.writeArrayFieldStart("waiting_for");
        out.writeEndArray();
        out.writeNullField("hook");
        out.writeStringField("fatal_reason", record.fatal().orElse(null));
        out.writeNullField("log");
        out.writeNullField("description");
        out.writeEndObject();
    }

    /** Null where none was recorded: then the state needs no second opinion. */
    private static String process(ServiceRecord record, Optional<ServiceRecord.Living> living) {
        if (record.living().isEmpty()) {
            return null;
        }
        return living.isPresent() ? "running" : "gone";
    }

    private static void writeLastExit(ServiceRecord record, JsonGenerator out) throws IOException {
        Optional<End> last = record.history().lastEnd();
        if (last.isEmpty()) {
            out.writeNullField("last_exit");
            return;
        }
        out.writeObjectFieldStart("last_exit");
        StatusCodec.writeEnd(last.get(), out);
        out.writeEndObject();
    }
}
