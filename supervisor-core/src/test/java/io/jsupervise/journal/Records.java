package io.jsupervise.journal;

import io.jsupervise.lifecycle.Alerts;
import io.jsupervise.lifecycle.Cause;
import io.jsupervise.lifecycle.End;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.History;
import io.jsupervise.lifecycle.HookState;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Now;
import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.Run;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.Timers;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.spec.HookKind;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import io.jsupervise.spec.StopSequence;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** Makes services and records for tests: any that the format can hold, and small ones that can be told apart. */
public final class Records {
    private static final String[] TEXTS = {
        "",
        "exit 1",
        "no heartbeat for 30s",
        "\"quoted\" \\ and \t\r\n\0\u001b",
        "\u00fc\u4e2d\ud83d\ude00",
        "x".repeat(200)
    };

    private final Random random;

    public Records(long seed) {
        random = new Random(seed);
    }

    /** A service that has been restarted {@code restarts} times. */
    public static Service restarted(String name, long restarts) {
        return new Service(
                ServiceSpec.of(name, "/bin/true").build(),
                ServiceState.STOPPED,
                new Now(MonotonicTime.BOOT, Instant.EPOCH),
                Wanted.UP,
                false,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                new History(restarts, 0, List.of(), List.of()),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Optional.empty(),
                Timers.NONE,
                0);
    }

    /** The same service while {@code process} runs. */
    public static Service running(Service service, ProcessIdentity process) {
        Now started = new Now(new MonotonicTime(5), Instant.ofEpochSecond(5));
        Run run = new Run(
                new RunId("r1"),
                Optional.of(process),
                started,
                Optional.empty(),
                Optional.empty(),
                false,
                Optional.of("0123456789abcdef"));
        return new Service(
                service.spec(),
                ServiceState.RUNNING,
                started,
                Wanted.UP,
                false,
                Optional.of(run),
                Optional.empty(),
                Optional.empty(),
                service.history(),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Optional.empty(),
                Timers.NONE,
                0);
    }

    public ServiceRecord next() {
        Optional<ServiceRecord.Living> living = maybe(new ServiceRecord.Living(
                new RunId(text()), process(), new Now(mono(), wall()), maybe(mono()), maybe(text())));
        Optional<Service.LastRun> last = maybe(new Service.LastRun(new RunId(text()), process()));
        return new ServiceRecord(
                new ServiceName("s" + random.nextInt(1000) + (random.nextBoolean() ? "" : ".-_Z")),
                text(),
                any(ServiceState.values()),
                maybe(new Now(mono(), wall())),
                any(Wanted.values()),
                random.nextBoolean(),
                living,
                living.isPresent() ? living.map(one -> new Service.LastRun(one.run(), one.process())) : last,
                maybe(new Service.Ending(any(Cause.values()), text())),
                maybe(new Service.NextStart(mono(), wall(), millis())),
                maybe(text()),
                history(),
                new StopSequence(signal(), millis(), maybe(signal())),
                maybe(Path.of("/var/log/\u00fc " + random.nextInt())),
                new ServiceRecord.LeftHooks(
                        maybe(new HookState.Due(any(HookKind.values()), new RunId(text()))),
                        maybe(new Service.LastRun(new RunId(text()), process())),
                        alerts()));
    }

    private Alerts alerts() {
        return new Alerts(
                random.nextBoolean(),
                maybe(alert()),
                maybe(new Alerts.Quiet(mono(), millis(), random.nextInt(9))),
                random.nextBoolean() ? List.of() : List.of(alert(), alert()),
                Optional.empty());
    }

    private Alerts.Alert alert() {
        return new Alerts.Alert(any(HookKind.values()), new RunId(text()), random.nextInt(Integer.MAX_VALUE), text());
    }

    SupervisorRecord nextSupervisor() {
        return new SupervisorRecord(
                text(),
                text(),
                wall(),
                random.nextBoolean(),
                random.nextLong(Long.MAX_VALUE),
                random.nextBoolean()
                        ? Optional.of(new MonotonicTime(random.nextLong(Long.MAX_VALUE)))
                        : Optional.empty());
    }

    private History history() {
        List<MonotonicTime> times = new ArrayList<>();
        List<End> ends = new ArrayList<>();
        for (int i = random.nextInt(5); i > 0; i--) {
            times.add(mono());
        }
        for (int i = random.nextInt(History.MAX_ENDS + 1); i > 0; i--) {
            ends.add(new End(wall(), maybe(status()), any(Cause.values()), text(), millis(), maybe(millis())));
        }
        return new History(random.nextLong(Long.MAX_VALUE), random.nextInt(Integer.MAX_VALUE), times, ends);
    }

    private ExitStatus status() {
        return switch (random.nextInt(3)) {
            case 0 -> new ExitStatus.Exited(random.nextInt(256));
            case 1 -> new ExitStatus.Killed(signal(), random.nextBoolean());
            default -> new ExitStatus.Unknown();
        };
    }

    private ProcessIdentity process() {
        return new ProcessIdentity(new Pid(1 + random.nextInt(Integer.MAX_VALUE - 1)), random.nextLong(Long.MAX_VALUE));
    }

    private Signal signal() {
        return new Signal(1 + random.nextInt(64));
    }

    private MonotonicTime mono() {
        return new MonotonicTime(random.nextLong());
    }

    private Instant wall() {
        return Instant.ofEpochSecond(random.nextLong(1L << 36), random.nextInt(1_000_000_000));
    }

    private Duration millis() {
        return Duration.ofMillis(random.nextBoolean() ? random.nextLong(100_000) : Long.MAX_VALUE / 1_000_000);
    }

    private String text() {
        return any(TEXTS);
    }

    private <T> T any(T[] all) {
        return all[random.nextInt(all.length)];
    }

    private <T> Optional<T> maybe(T value) {
        return random.nextBoolean() ? Optional.of(value) : Optional.empty();
    }
}
