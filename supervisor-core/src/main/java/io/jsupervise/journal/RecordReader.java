package io.jsupervise.journal;

import io.jsupervise.json.JsonException;
import io.jsupervise.json.JsonObject;
import io.jsupervise.lifecycle.Alerts;
import io.jsupervise.lifecycle.Cause;
import io.jsupervise.lifecycle.Climb;
import io.jsupervise.lifecycle.End;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.History;
import io.jsupervise.lifecycle.HookState;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Now;
import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.spec.HookKind;
import io.jsupervise.spec.KillMode;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.Signal;
import io.jsupervise.spec.StopSequence;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads one record, strictly: whatever is missing, of another type, out of range or unknown is an error. */
final class RecordReader {
    private final JsonObject json;

    private RecordReader(JsonObject json) {
        this.json = json;
    }

    static ServiceRecord service(byte[] text) throws JournalException {
        return read(text, RecordReader::service);
    }

    static SupervisorRecord supervisor(byte[] text) throws JournalException {
        return read(text, RecordReader::supervisor);
    }

    private interface Reading<T> {
        T of(RecordReader reader) throws JsonException;
    }

    private static <T> T read(byte[] text, Reading<T> reading) throws JournalException {
        try {
            JsonObject json = JsonObject.parse(text);
            long version = json.number("version");
            if (version < JournalCodec.OLDEST_VERSION || version > JournalCodec.VERSION) {
                throw new JournalException(
                        "it has version " + version + ", this supervisor reads " + JournalCodec.OLDEST_VERSION + " to "
                                + JournalCodec.VERSION,
                        version > JournalCodec.VERSION ? version : 0);
            }
            T record = reading.of(new RecordReader(json));
            json.end();
            return record;
        } catch (JsonException e) {
            throw new JournalException(e.getMessage());
        }
    }

    private SupervisorRecord supervisor() throws JsonException {
        return new SupervisorRecord(
                json.string("boot_id"),
                json.string("version_of"),
                json.instant("started_at"),
                json.bool("ended_in_order"),
                json.number("last_event", 0, Long.MAX_VALUE),
                json.has("fresh_since_mono_ns")
                        ? Optional.of(new MonotonicTime(json.number("fresh_since_mono_ns")))
                        : Optional.empty(),
                ResetFields.read(json));
    }

    private ServiceRecord service() throws JsonException {
        Optional<ServiceRecord.Living> living = living();
        return new ServiceRecord(
                name(),
                json.string("boot_id"),
                state(),
                since(),
                wanted(),
                json.bool("commanded"),
                living,
                living.isPresent()
                        ? Optional.of(new Service.LastRun(
                                living.get().run(), living.get().process()))
                        : lastRun(),
                ending(),
                next(),
                json.optionalString("fatal"),
                history(),
                stop(),
                log(),
                hooks());
    }

    private ServiceRecord.LeftHooks hooks() throws JsonException {
        Optional<JsonObject> due = json.optionalObject("hook_due");
        Optional<Service.LastRun> running = run("hook");
        Alerts alerts = AlertFields.read(json);
        if (due.isEmpty()) {
            return running.isEmpty() && alerts == Alerts.NONE
                    ? ServiceRecord.LeftHooks.NONE
                    : new ServiceRecord.LeftHooks(Optional.empty(), running, alerts);
        }
        HookState.Due read =
                new HookState.Due(hookKind(due.get()), new RunId(due.get().string("run_id")));
        due.get().end();
        return new ServiceRecord.LeftHooks(Optional.of(read), running, alerts);
    }

    static HookKind hookKind(JsonObject object) throws JsonException {
        String word = object.string("hook");
        for (HookKind kind : HookKind.values()) {
            if (kind.word().equals(word)) {
                return kind;
            }
        }
        throw object.wrong("hook", "\"" + word + "\" is no hook");
    }

    private ServiceName name() throws JsonException {
        String name = json.string("name");
        if (!ServiceName.isValid(name)) {
            throw json.wrong("name", "is no service name");
        }
        return new ServiceName(name);
    }

    private ServiceState state() throws JsonException {
        String word = json.string("state");
        for (ServiceState state : ServiceState.values()) {
            if (state.name().equals(word)) {
                return state;
            }
        }
        throw json.wrong("state", "\"" + word + "\" is no state");
    }

    private Wanted wanted() throws JsonException {
        String word = json.string("wanted");
        for (Wanted wanted : Wanted.values()) {
            if (wanted.word().equals(word)) {
                return wanted;
            }
        }
        throw json.wrong("wanted", "\"" + word + "\" is neither up nor down");
    }

    private Optional<ServiceRecord.Living> living() throws JsonException {
        Optional<JsonObject> object = json.optionalObject("process");
        if (object.isEmpty()) {
            return Optional.empty();
        }
        JsonObject process = object.get();
        ServiceRecord.Living living = new ServiceRecord.Living(
                new RunId(process.string("run_id")),
                identity(process),
                new Now(new MonotonicTime(process.number("started_mono_ns")), process.instant("started_at")),
                process.has("ready_mono_ns")
                        ? Optional.of(new MonotonicTime(process.number("ready_mono_ns")))
                        : Optional.empty(),
                process.optionalString("spec"),
                process.has("watchdog_us")
                        ? Optional.of(Duration.ofNanos(process.number("watchdog_us", 0, Long.MAX_VALUE / 1000) * 1000))
                        : Optional.empty());
        process.end();
        return Optional.of(living);
    }

    private static ProcessIdentity identity(JsonObject process) throws JsonException {
        Pid pid = new Pid((int) process.number("pid", 1, Integer.MAX_VALUE));
        return new ProcessIdentity(pid, process.number("start_time", 0, Long.MAX_VALUE));
    }

    private Optional<Now> since() throws JsonException {
        return json.has("since_mono_ns")
                ? Optional.of(new Now(new MonotonicTime(json.number("since_mono_ns")), json.instant("since")))
                : Optional.empty();
    }

    private Optional<Service.LastRun> lastRun() throws JsonException {
        return run("last_run");
    }

    private Optional<Service.LastRun> run(String name) throws JsonException {
        Optional<JsonObject> object = json.optionalObject(name);
        if (object.isEmpty()) {
            return Optional.empty();
        }
        JsonObject last = object.get();
        Service.LastRun run = new Service.LastRun(new RunId(last.string("run_id")), identity(last));
        last.end();
        return Optional.of(run);
    }

    private Optional<Service.Ending> ending() throws JsonException {
        Optional<JsonObject> object = json.optionalObject("ending");
        if (object.isEmpty()) {
            return Optional.empty();
        }
        Service.Ending ending =
                new Service.Ending(cause(object.get()), object.get().string("reason"));
        object.get().end();
        return Optional.of(ending);
    }

    private static Cause cause(JsonObject object) throws JsonException {
        String word = object.string("cause");
        for (Cause cause : Cause.values()) {
            if (cause.word().equals(word)) {
                return cause;
            }
        }
        throw object.wrong("cause", "\"" + word + "\" is no cause");
    }

    private Optional<Service.NextStart> next() throws JsonException {
        Optional<JsonObject> object = json.optionalObject("next_start");
        if (object.isEmpty()) {
            return Optional.empty();
        }
        JsonObject next = object.get();
        Service.NextStart start = new Service.NextStart(
                new MonotonicTime(next.number("mono_ns")), next.instant("at"), duration(next, "delay_ms"));
        next.end();
        return Optional.of(start);
    }

    private static Duration duration(JsonObject object, String name) throws JsonException {
        return Duration.ofMillis(object.number(name, 0, Long.MAX_VALUE / 1_000_000));
    }

    private StopSequence stop() throws JsonException {
        JsonObject stop = json.object("stop");
        Signal signal = signal(stop, "signal", stop.string("signal"));
        Duration timeout = duration(stop, "timeout_ms");
        Optional<String> dump = stop.optionalString("dump_signal");
        Optional<Signal> dumpSignal =
                dump.isPresent() ? Optional.of(signal(stop, "dump_signal", dump.get())) : Optional.empty();
        Optional<String> killMode = stop.optionalString("kill_mode");
        stop.end();
        StopSequence sequence = new StopSequence(signal, timeout, dumpSignal);
        return killMode.isPresent() ? sequence.with(killMode(stop, killMode.get())) : sequence;
    }

    private static KillMode killMode(JsonObject object, String word) throws JsonException {
        for (KillMode mode : KillMode.values()) {
            if (mode.word().equals(word)) {
                return mode;
            }
        }
        throw object.wrong("kill_mode", "\"" + word + "\" is no kill_mode");
    }

    private static Signal signal(JsonObject object, String name, String text) throws JsonException {
        return Signal.parse(text).orElseThrow(() -> object.wrong(name, "\"" + text + "\" is no signal"));
    }

    private Optional<Path> log() throws JsonException {
        Optional<String> log = json.optionalString("log");
        try {
            return log.map(Path::of);
        } catch (InvalidPathException e) {
            throw json.wrong("log", "is no path");
        }
    }

    private History history() throws JsonException {
        long restarts = json.number("restarts", 0, Long.MAX_VALUE);
        int failures = (int) json.number("failures", 0, Integer.MAX_VALUE);
        List<MonotonicTime> times = new ArrayList<>();
        for (long nanos : json.numbers("restart_times_mono_ns")) {
            times.add(new MonotonicTime(nanos));
        }
        List<End> ends = new ArrayList<>();
        for (JsonObject end : json.objects("ends")) {
            ends.add(end(end));
        }
        boolean onTrial = json.has("on_trial") && json.bool("on_trial");
        return new History(restarts, failures, times, ends, onTrial, climb());
    }

    private Climb climb() throws JsonException {
        Optional<JsonObject> object = json.optionalObject("ladder");
        if (object.isEmpty()) {
            return Climb.FOOT;
        }
        JsonObject ladder = object.get();
        Climb climb = new Climb(
                (int) ladder.number("rungs_taken", 1, Integer.MAX_VALUE),
                ladder.string("reason"),
                ladder.optionalString("due_after_run_id").map(RunId::new));
        ladder.end();
        return climb;
    }

    private static End end(JsonObject end) throws JsonException {
        Optional<ExitStatus> status = Optional.empty();
        if (end.has("code")) {
            status = Optional.of(new ExitStatus.Exited((int) end.number("code", 0, 255)));
        } else if (end.has("signal")) {
            Signal signal = signal(end, "signal", end.string("signal"));
            status = Optional.of(new ExitStatus.Killed(signal, end.bool("core")));
        } else if (end.has("unknown") && end.bool("unknown")) {
            status = Optional.of(new ExitStatus.Unknown());
        }
        End read = new End(
                end.instant("at"),
                status,
                cause(end),
                end.string("reason"),
                duration(end, "ran_for_ms"),
                end.has("delay_ms") ? Optional.of(duration(end, "delay_ms")) : Optional.empty());
        end.end();
        return read;
    }
}
