package io.jsupervise.journal;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.jsupervise.lifecycle.Climb;
import io.jsupervise.lifecycle.End;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.History;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.spec.KillMode;
import io.jsupervise.text.InstantText;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * Records as JSON, by hand over jackson's streams: strict, and nothing is found out at run time. docs/journal.md
 * describes the format. A reader accepts its own version and the one before it, and refuses unknown fields; what a record
 * means is never guessed.
 */
public final class JournalCodec {
    /** Of both kinds of record; another number means another format. */
    static final int VERSION = 2;

    /** Without {@code since}, {@code last_run}, and in {@code process} without {@code ready_mono_ns} and {@code spec}. */
    static final int OLDEST_VERSION = 1;

    private final JsonFactory json = new JsonFactory();
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(4096);

    public byte[] encode(ServiceRecord record) {
        try (JsonGenerator out = begin()) {
            out.writeStringField("name", record.name().value());
            out.writeStringField("boot_id", record.bootId());
            out.writeStringField("state", record.state().name());
            if (record.since().isPresent()) {
                out.writeNumberField(
                        "since_mono_ns", record.since().get().mono().nanos());
                out.writeStringField(
                        "since", InstantText.of(record.since().get().wall()));
            }
            out.writeStringField("wanted", record.wanted().word());
            out.writeBooleanField("commanded", record.commanded());
            if (record.living().isPresent()) {
                write(out, record.living().get());
            } else if (record.lastRun().isPresent()) {
                write(out, record.lastRun().get());
            }
            if (record.ending().isPresent()) {
                out.writeObjectFieldStart("ending");
                out.writeStringField("cause", record.ending().get().cause().word());
                out.writeStringField("reason", record.ending().get().reason());
                out.writeEndObject();
            }
            if (record.next().isPresent()) {
                write(out, record.next().get());
            }
            if (record.fatal().isPresent()) {
                out.writeStringField("fatal", record.fatal().get());
            }
            out.writeObjectFieldStart("stop");
            out.writeStringField("signal", record.stop().signal().fullName());
            out.writeNumberField("timeout_ms", record.stop().timeout().toMillis());
            if (record.stop().dumpSignal().isPresent()) {
                out.writeStringField(
                        "dump_signal", record.stop().dumpSignal().get().fullName());
            }
            if (record.stop().killMode() != KillMode.TREE) {
                out.writeStringField("kill_mode", record.stop().killMode().word());
            }
            out.writeEndObject();
            if (record.log().isPresent()) {
                out.writeStringField("log", record.log().get().toString());
            }
            write(out, record.hooks());
            AlertFields.write(out, record.hooks().alerts());
            write(out, record.history());
            return end(out);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot happen: memory is no file", e);
        }
    }

    public byte[] encode(SupervisorRecord record) {
        try (JsonGenerator out = begin()) {
            out.writeStringField("boot_id", record.bootId());
            out.writeStringField("version_of", record.version());
            out.writeStringField("started_at", InstantText.of(record.startedAt()));
            out.writeBooleanField("ended_in_order", record.endedInOrder());
            out.writeNumberField("last_event", record.lastEvent());
            if (record.freshSince().isPresent()) {
                out.writeNumberField(
                        "fresh_since_mono_ns", record.freshSince().get().nanos());
            }
            ResetFields.write(out, record.resets());
            return end(out);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot happen: memory is no file", e);
        }
    }

    private JsonGenerator begin() throws IOException {
        bytes.reset();
        JsonGenerator out = json.createGenerator(bytes);
        out.writeStartObject();
        out.writeNumberField("version", VERSION);
        return out;
    }

    private byte[] end(JsonGenerator out) throws IOException {
        out.writeEndObject();
        out.flush();
        bytes.write('\n');
        return bytes.toByteArray();
    }

    private static void write(JsonGenerator out, ServiceRecord.Living living) throws IOException {
        out.writeObjectFieldStart("process");
        out.writeNumberField("pid", living.process().pid().value());
        out.writeNumberField("start_time", living.process().startTime());
        out.writeStringField("run_id", living.run().value());
        out.writeNumberField("started_mono_ns", living.startedAt().mono().nanos());
        out.writeStringField("started_at", InstantText.of(living.startedAt().wall()));
        if (living.readyAt().isPresent()) {
            out.writeNumberField("ready_mono_ns", living.readyAt().get().nanos());
        }
        if (living.spec().isPresent()) {
            out.writeStringField("spec", living.spec().get());
        }
        if (living.watchdog().isPresent()) {
            out.writeNumberField("watchdog_us", living.watchdog().get().toNanos() / 1000);
        }
        out.writeEndObject();
    }

    private static void write(JsonGenerator out, Service.LastRun last) throws IOException {
        out.writeObjectFieldStart("last_run");
        writeRun(out, last);
        out.writeEndObject();
    }

    private static void write(JsonGenerator out, ServiceRecord.LeftHooks hooks) throws IOException {
        if (hooks.due().isPresent()) {
            out.writeObjectFieldStart("hook_due");
            out.writeStringField("hook", hooks.due().get().kind().word());
            out.writeStringField("run_id", hooks.due().get().run().value());
            out.writeEndObject();
        }
        if (hooks.running().isPresent()) {
            out.writeObjectFieldStart("hook");
            writeRun(out, hooks.running().get());
            out.writeEndObject();
        }
    }

    private static void writeRun(JsonGenerator out, Service.LastRun run) throws IOException {
        out.writeNumberField("pid", run.process().pid().value());
        out.writeNumberField("start_time", run.process().startTime());
        out.writeStringField("run_id", run.run().value());
    }

    private static void write(JsonGenerator out, Service.NextStart next) throws IOException {
        out.writeObjectFieldStart("next_start");
        out.writeNumberField("mono_ns", next.at().nanos());
        out.writeStringField("at", InstantText.of(next.wall()));
        out.writeNumberField("delay_ms", next.delay().toMillis());
        out.writeEndObject();
    }

    private static void write(JsonGenerator out, History history) throws IOException {
        out.writeNumberField("restarts", history.restarts());
        out.writeNumberField("failures", history.failures());
        out.writeArrayFieldStart("restart_times_mono_ns");
        for (MonotonicTime time : history.restartTimes()) {
            out.writeNumber(time.nanos());
        }
        out.writeEndArray();
        if (history.onTrial()) {
            out.writeBooleanField("on_trial", true);
        }
        if (history.climb().taken() > 0) {
            write(out, history.climb());
        }
        out.writeArrayFieldStart("ends");
        for (End end : history.ends()) {
            write(out, end);
        }
        out.writeEndArray();
    }

    private static void write(JsonGenerator out, Climb climb) throws IOException {
        out.writeObjectFieldStart("ladder");
        out.writeNumberField("rungs_taken", climb.taken());
        out.writeStringField("reason", climb.why());
        if (climb.due().isPresent()) {
            out.writeStringField("due_after_run_id", climb.due().get().value());
        }
        out.writeEndObject();
    }

    private static void write(JsonGenerator out, End end) throws IOException {
        out.writeStartObject();
        out.writeStringField("at", InstantText.of(end.at()));
        ExitStatus status = end.status().orElse(null);
        if (status instanceof ExitStatus.Exited exited) {
            out.writeNumberField("code", exited.code());
        } else if (status instanceof ExitStatus.Killed killed) {
            out.writeStringField("signal", killed.signal().fullName());
            out.writeBooleanField("core", killed.core());
        } else if (status instanceof ExitStatus.Unknown) {
            out.writeBooleanField("unknown", true);
        }
        out.writeStringField("cause", end.cause().word());
        out.writeStringField("reason", end.reason());
        out.writeNumberField("ran_for_ms", end.ranFor().toMillis());
        if (end.delay().isPresent()) {
            out.writeNumberField("delay_ms", end.delay().get().toMillis());
        }
        out.writeEndObject();
    }

    public ServiceRecord decodeService(byte[] text) throws JournalException {
        return RecordReader.service(text);
    }

    public SupervisorRecord decodeSupervisor(byte[] text) throws JournalException {
        return RecordReader.supervisor(text);
    }
}
