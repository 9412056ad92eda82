package io.jsupervise.control;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.jsupervise.lifecycle.Cause;
import io.jsupervise.lifecycle.End;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.HookState;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Now;
import io.jsupervise.lifecycle.Pulse;
import io.jsupervise.lifecycle.Run;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.spec.Fingerprint;
import io.jsupervise.spec.Heartbeat;
import io.jsupervise.spec.Rung;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.supervision.Status;
import io.jsupervise.text.InstantText;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Optional;
import java.util.function.ToLongFunction;

/** The status as JSON, in the order in which docs/control.md describes it. Members that do not apply are null. */
public final class StatusCodec {
    private final JsonFactory json = new JsonFactory();
    private final ToLongFunction<ServiceName> droppedBytes;

    /** @param droppedBytes output of a service that was thrown away because its log could not be written */
    public StatusCodec(ToLongFunction<ServiceName> droppedBytes) {
        this.droppedBytes = droppedBytes;
    }

    /** Everything. */
    public void write(Status status, OutputStream to) throws IOException {
        try (JsonGenerator out = json.createGenerator(to)) {
            out.writeStartObject();
            write(status.supervisor(), out);
            out.writeArrayFieldStart("services");
            for (Service service : status.services()) {
                write(service, status.now(), out);
            }
            out.writeEndArray();
            out.writeEndObject();
        }
    }

    /** One service alone. */
    public void writeService(Service service, Now now, OutputStream to) throws IOException {
        try (JsonGenerator out = json.createGenerator(to)) {
            write(service, now, out);
        }
    }

    private static void write(Status.SupervisorStatus us, JsonGenerator out) throws IOException {
        out.writeObjectFieldStart("supervisor");
        out.writeStringField("name", us.name());
        out.writeNumberField("pid", us.process().pid().value());
        out.writeStringField("version", us.version());
        out.writeStringField("started_at", InstantText.of(us.startedAt()));
        out.writeNumberField("uptime_ms", us.uptime().toMillis());
        out.writeStringField("config", us.config().toString());
        out.writeStringField("state_dir", us.stateDir().toString());
        out.writeBooleanField("shutting_down", us.shuttingDown());
        out.writeObjectFieldStart("journal");
        out.writeStringField("state", us.journal().stale().isPresent() ? "stale" : "ok");
        if (us.journal().stale().isPresent()) {
            out.writeStringField("since", us.journal().stale().get().since().toString());
            out.writeStringField("reason", us.journal().stale().get().reason());
            out.writeStringField("errno", us.journal().stale().get().errno().orElse(null));
        }
        if (!us.journal().setAside().isEmpty()) {
            out.writeArrayFieldStart("set_aside");
            for (Status.JournalHealth.SetAside one : us.journal().setAside()) {
                out.writeStartObject();
                out.writeStringField(
                        "service",
                        one.service().isPresent() ? one.service().get().value() : null);
                out.writeStringField("file", one.file().toString());
                out.writeStringField("what", one.what());
                out.writeEndObject();
            }
            out.writeEndArray();
        }
        out.writeEndObject();
        WatchdogMembers.write(us.watchdog(), out);
        out.writeObjectFieldStart("loop");
        out.writeNumberField("longest_turn_ms", us.longestTurn().toNanos() / 1e6);
        out.writeEndObject();
        out.writeEndObject();
    }

    private void write(Service service, Now now, JsonGenerator out) throws IOException {
        out.writeStartObject();
        out.writeStringField("name", service.name().value());
        out.writeStringField("type", service.spec().type().word());
        out.writeStringField("state", service.state().name());
        out.writeStringField("wanted", service.wanted().word());
        boolean oneshot = service.spec().isOneshot();
        out.writeBooleanField("ready", service.state() == ServiceState.RUNNING && !oneshot);
        Optional<Run> run = service.run();
        if (service.process().isPresent()) {
            out.writeNumberField("pid", service.process().get().pid().value());
        } else {
            out.writeNullField("pid");
        }
        out.writeStringField("since", InstantText.of(service.since().wall()));
        if (service.process().isPresent()) {
            MonotonicTime started = run.orElseThrow().orderedAt().mono();
            out.writeNumberField("uptime_ms", now.mono().since(started).toMillis());
        } else {
            out.writeNullField("uptime_ms");
        }
        out.writeNumberField("restarts", service.history().restarts());
        out.writeBooleanField("adopted", run.map(Run::adopted).orElse(false));
        writeNext(service, out);
        writeLastExit(service, out);
        writeHeartbeat(service, now, out);
        HealthJson.write(service, now, out);
        out.writeStringField("run_id", run.map(one -> one.id().value()).orElse(null));
        Optional<String> startedWith = run.flatMap(Run::spec);
        out.writeBooleanField(
                "spec_changed", startedWith.isPresent() && !startedWith.get().equals(Fingerprint.of(service.spec())));
        out.writeArrayFieldStart("waiting_for");
        for (String one : service.waitingFor()) {
            out.writeString(one);
        }
        out.writeEndArray();
        Optional<HookState.Hook> hook = service.hooks().running();
        out.writeStringField("hook", hook.isPresent() ? hook.get().kind().word() : null);
        out.writeStringField("fatal_reason", service.fatalReason().orElse(null));
        writeLadder(service, out);
        out.writeObjectFieldStart("log");
        out.writeNumberField("dropped_bytes", droppedBytes.applyAsLong(service.name()));
        out.writeEndObject();
        out.writeStringField("description", service.spec().description().orElse(null));
        out.writeEndObject();
    }

    private static void writeLadder(Service service, JsonGenerator out) throws IOException {
        int rungs = service.spec().escalation().ladder().size();
        if (rungs == 0) {
            return;
        }
        int taken = service.history().climb().taken();
        Optional<Rung> next = service.spec().escalation().rung(taken + 1);
        out.writeObjectFieldStart("ladder");
        out.writeNumberField("rungs", rungs);
        out.writeNumberField("rungs_taken", taken);
        out.writeStringField("next", next.isPresent() ? next.get().word() : null);
        out.writeEndObject();
    }

    private static void writeNext(Service service, JsonGenerator out) throws IOException {
        if (service.next().isPresent()) {
            out.writeStringField(
                    "next_start_at", InstantText.of(service.next().get().wall()));
            out.writeNumberField("backoff_ms", service.next().get().delay().toMillis());
        } else {
            out.writeNullField("next_start_at");
            out.writeNullField("backoff_ms");
        }
    }

    private static void writeLastExit(Service service, JsonGenerator out) throws IOException {
        Optional<End> last = service.history().lastEnd();
        if (last.isEmpty()) {
            out.writeNullField("last_exit");
            return;
        }
        out.writeObjectFieldStart("last_exit");
        writeEnd(last.get(), out);
        out.writeEndObject();
    }

    /** The members of {@code last_exit}; into an object that is open. */
    public static void writeEnd(End end, JsonGenerator out) throws IOException {
        ExitStatus status = end.status().orElse(null);
        out.writeStringField("at", InstantText.of(end.at()));
        if (status instanceof ExitStatus.Exited exited) {
            out.writeNumberField("code", exited.code());
        } else {
            out.writeNullField("code");
        }
        boolean killed = status instanceof ExitStatus.Killed;
        out.writeStringField(
                "signal", killed ? ((ExitStatus.Killed) status).signal().fullName() : null);
        out.writeBooleanField("core", killed && ((ExitStatus.Killed) status).core());
        out.writeBooleanField("unknown", status instanceof ExitStatus.Unknown);
        out.writeStringField("cause", end.cause().word());
        out.writeStringField("reason", end.reason());
    }

    private static void writeHeartbeat(Service service, Now now, JsonGenerator out) throws IOException {
        if (service.spec().heartbeat().isEmpty()) {
            out.writeNullField("heartbeat");
            return;
        }
        Heartbeat heartbeat = service.spec().heartbeat().get();
        Optional<MonotonicTime> beat = service.run().flatMap(Run::pulse).flatMap(Pulse::lastBeat);
        out.writeObjectFieldStart("heartbeat");
        out.writeStringField("file", heartbeat.file().toString());
        out.writeNumberField("timeout_ms", heartbeat.timeout().toMillis());
        if (beat.isPresent()) {
            out.writeNumberField("age_ms", now.mono().since(beat.get()).toMillis());
        } else {
            out.writeNullField("age_ms");
        }
        boolean stale = service.ending()
                .map(ending -> ending.cause() == Cause.HEARTBEAT)
                .orElse(false);
        out.writeStringField("state", stale ? "stale" : beat.isPresent() ? "ok" : "waiting");
        out.writeEndObject();
    }
}
