package io.jsupervise.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.jsupervise.control.StatusCodec;
import io.jsupervise.control.Whereabouts;
import io.jsupervise.journal.ServiceRecord;
import io.jsupervise.json.JsonException;
import io.jsupervise.json.JsonObject;
import io.jsupervise.lifecycle.End;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.text.InstantText;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jsupervise status}: how the services are. */
@Command(
        name = "status",
        description = "Show how the services are.",
        footer = {
            "",
            "Exits with 3 where a service that was named is not running, with 4 where there is none of that name."
        })
final class StatusCommand extends Client {
    private static final long WATCH_NANOS = 1_000_000_000;
    private static final String HOME_AND_CLEAR = "\u001b[H\u001b[J";

    @Parameters(paramLabel = "NAME", arity = "0..*", description = "Services; all if none is named.")
    private List<String> names = new ArrayList<>();

    @Option(names = "--watch", description = "Show it again every second, until the supervisor ends.")
    private boolean watch;

    @Option(names = "--state-dir", paramLabel = "DIR", description = "Where to look when the supervisor is dead.")
    private Path stateDir;

    private boolean seenAlive;

    @Override
    public Integer call() throws CommandException {
        int code = show();
        while (watch && seenAlive && !System.out.checkError()) {
            LockSupport.parkNanos(WATCH_NANOS);
            code = show();
        }
        return code;
    }

    private int show() throws CommandException {
        byte[] status = read();
        if (watch && System.console() != null) {
            System.out.print(HOME_AND_CLEAR);
        }
        try {
            JsonObject parsed = JsonObject.parse(status);
            JsonObject supervisor = parsed.object("supervisor");
            List<StatusTable.Row> rows = new ArrayList<>();
            for (JsonObject service : parsed.objects("services")) {
                rows.add(StatusTable.Row.of(service));
            }
            if (global().json) {
                System.out.write(status, 0, status.length);
            } else {
                JournalWarnings.print(supervisor);
                System.out.print(new StatusTable(rows, colors()));
            }
            System.out.flush();
            boolean down = !names.isEmpty() && rows.stream().anyMatch(row -> !row.isRunning());
            return down ? ExitCode.NOT_RUNNING : ExitCode.DONE;
        } catch (JsonException e) {
            throw notUnderstood(e);
        }
    }

    /** A supervisor that ends while it is watched ends the watch; what one left that was dead before is shown. */
    private byte[] read() throws CommandException {
        try {
            ControlClient.Response response = connection().client().get(target());
            if (!response.isGood()) {
                throw Connection.refusal(response);
            }
            seenAlive = true;
            return response.body();
        } catch (NoSupervisorException e) {
            if (seenAlive) {
                throw e;
            }
            DeadSupervisor dead = DeadSupervisor.find(connection(), Optional.ofNullable(stateDir), e);
            dead.say();
            return asRecorded(dead);
        }
    }

    private String target() {
        StringBuilder target = new StringBuilder("/v1/status");
        for (String name : names) {
            target.append(target.indexOf("?") < 0 ? '?' : '&').append("name=").append(encoded(name));
        }
        return target.toString();
    }

    private List<ServiceRecord> records(DeadSupervisor dead) throws CommandException {
        if (names.isEmpty()) {
            return List.copyOf(dead.services().values());
        }
        List<ServiceRecord> records = new ArrayList<>();
        for (String name : new LinkedHashSet<>(names)) {
            records.add(dead.service(name));
        }
        return records;
    }

    /** What a living supervisor would answer, with null for what only the living know. */
    private byte[] asRecorded(DeadSupervisor dead) throws CommandException {
        List<ServiceRecord> records = records(dead);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator out = new JsonFactory().createGenerator(bytes)) {
            out.writeStartObject();
            writeSupervisor(dead, out);
            out.writeArrayFieldStart("services");
            for (ServiceRecord record : records) {
                write(record, out);
            }
            out.writeEndArray();
            out.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot happen: memory is no file", e);
        }
        bytes.writeBytes("\n".getBytes(StandardCharsets.US_ASCII));
        return bytes.toByteArray();
    }

    private static void writeSupervisor(DeadSupervisor dead, JsonGenerator out) throws IOException {
        Whereabouts told = dead.whereabouts().orElse(null);
        out.writeObjectFieldStart("supervisor");
        out.writeStringField("name", told == null ? null : told.name());
        out.writeNullField("pid");
        out.writeStringField("version", told == null ? null : told.version());
        out.writeNullField("started_at");
        out.writeNullField("uptime_ms");
        out.writeStringField("config", told == null ? null : told.config().toString());
        out.writeStringField("state_dir", dead.stateDir().toString());
        out.writeNullField("shutting_down");
        out.writeNullField("journal");
        out.writeNullField("watchdog");
        out.writeNullField("loop");
        out.writeEndObject();
    }

    private static void write(ServiceRecord record, JsonGenerator out) throws IOException {
        Optional<ServiceRecord.Living> living = DeadSupervisor.stillRunning(record);
        out.writeStartObject();
        out.writeStringField("name", record.name().value());
        out.writeStringField("state", record.state().name());
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
        Optional<End> last = record.history().lastEnd();
        if (last.isPresent()) {
            out.writeObjectFieldStart("last_exit");
            StatusCodec.writeEnd(last.get(), out);
            out.writeEndObject();
        } else {
            out.writeNullField("last_exit");
        }
        out.writeNullField("heartbeat");
        out.writeStringField("run_id", living.map(one -> one.run().value()).orElse(null));
        out.writeNullField("spec_changed");
        out.writeArrayFieldStart("waiting_for");
        out.writeEndArray();
        out.writeStringField("fatal_reason", record.fatal().orElse(null));
        out.writeNullField("log");
        out.writeNullField("description");
        out.writeEndObject();
    }
}
