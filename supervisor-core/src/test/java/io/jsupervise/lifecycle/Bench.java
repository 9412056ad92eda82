package io.jsupervise.lifecycle;

import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One service on a test bench: both clocks stand still until the test moves them, and what the lifecycle orders is
 * noted in words and otherwise left to the test to answer. A question whether the service may start is answered at
 * once, as the supervisor does, with yes while {@link #slotFree} is set.
 */
public final class Bench {
    /** Readable times: the bench begins at second 1000 of the boot. */
    public static final Now BEGIN =
            new Now(new MonotonicTime(1_000_000_000_000L), Instant.parse("2026-01-01T00:00:00Z"));

    private static final Path BEAT = Path.of("/run/beat");

    boolean slotFree = true;
    private Service service;
    private Now now = BEGIN;
    private final Map<TimerKind, Effect.ArmTimer> armed = new EnumMap<>(TimerKind.class);
    private final List<Effect> last = new ArrayList<>();
    private Optional<String> complaint = Optional.empty();
    private int runs;
    private long files;

    Bench(Service service) {
        this.service = service;
    }

    Bench(ServiceSpec.Builder spec) {
        this(fresh(spec.build()));
    }

    /** A service that was never started. */
    public static Service fresh(ServiceSpec spec) {
        return Service.fresh(spec, BEGIN, 1);
    }

    /** The same, with other random numbers. */
    public static Service seeded(Service s, long seed) {
        return with(s, s.run(), s.lastRun(), seed);
    }

    /** The same, but for these. */
    static Service with(Service s, Optional<Run> run, Optional<Service.LastRun> lastRun, long seed) {
        return new Service(
                s.spec(),
                s.state(),
                s.since(),
                s.wanted(),
                s.commanded(),
                run,
                s.grave(),
                s.ending(),
                s.history(),
                s.next(),
                s.fatalReason(),
                s.waitingFor(),
                lastRun,
                s.timers(),
                seed,
                s.hooks());
    }

    /** What the journal leads to where a process of an earlier supervisor may still run. */
    public static Service recorded(
            ServiceSpec spec, ServiceState state, Optional<Service.Ending> ending, Wanted wanted) {
        Run run = new Run(
                new RunId("old-1"),
                Optional.of(process(99)),
                BEGIN,
                Optional.empty(),
                Optional.empty(),
                true,
                Optional.empty());
        return new Service(
                spec,
                state,
                BEGIN,
                wanted,
                false,
                Optional.of(run),
                Optional.empty(),
                ending,
                History.EMPTY,
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Optional.of(new Service.LastRun(new RunId("old-1"), process(99))),
                Timers.NONE,
                1);
    }

    /** The same, running, where the journal knows what it was started with. */
    public static Service startedWith(ServiceSpec spec, String fingerprint) {
        Service service = recorded(spec, ServiceState.RUNNING, Optional.empty(), Wanted.UP);
        Run old = service.run().orElseThrow();
        Run run = new Run(
                old.id(),
                old.process(),
                old.orderedAt(),
                old.readyAt(),
                old.pulse(),
                old.adopted(),
                Optional.of(fingerprint));
        return with(service, Optional.of(run), service.lastRun(), service.seed());
    }

    /** One in that state whose last end had that cause, with just what belongs to it. */
    public static Service inState(ServiceSpec spec, ServiceState state, Cause cause) {
        boolean runs =
                state == ServiceState.STARTING || state == ServiceState.RUNNING || state == ServiceState.STOPPING;
        Service up = recorded(spec, state, Optional.empty(), Wanted.UP);
        End end = new End(
                BEGIN.wall(),
                cause.isHang() ? Optional.of(new ExitStatus.Killed(Signal.KILL, false)) : Optional.empty(),
                cause,
                "a reason",
                Duration.ofSeconds(1),
                Optional.empty());
        return new Service(
                spec,
                state,
                BEGIN,
                Wanted.UP,
                false,
                runs ? up.run() : Optional.empty(),
                Optional.empty(),
                state == ServiceState.STOPPING ? Optional.of(new Service.Ending(cause, "a reason")) : Optional.empty(),
                History.EMPTY.ended(end),
                state == ServiceState.BACKOFF
                        ? Optional.of(new Service.NextStart(BEGIN.mono(), BEGIN.wall(), Duration.ofSeconds(1)))
                        : Optional.empty(),
                state == ServiceState.FATAL ? Optional.of("gave up") : Optional.empty(),
                state == ServiceState.WAITING ? List.of("a start slot") : List.of(),
                up.lastRun(),
                Timers.NONE,
                1);
    }

    public static ProcessIdentity process(int pid) {
        return new ProcessIdentity(new Pid(pid), 7);
    }

    // ---- what happens ----

    Bench on(Event event) {
        last.clear();
        step(event);
        return this;
    }

    private void step(Event event) {
        Step step = Lifecycle.step(service, event, now);
        service = step.service();
        complaint = step.complaint();
        for (Effect effect : step.effects()) {
            last.add(effect);
            if (effect instanceof Effect.ArmTimer arm) {
                armed.put(arm.kind(), arm);
            } else if (effect instanceof Effect.CancelTimer cancel) {
                armed.remove(cancel.kind());
            } else if (effect instanceof Effect.AskToStart) {
                step(slotFree ? new Event.StartPermitted(nextRun()) : new Event.StartPostponed("a start slot"));
            }
        }
    }

    RunId nextRun() {
        return new RunId("run-" + ++runs);
    }

    Bench begin() {
        return on(new Event.SupervisorStarted());
    }

    Bench start() {
        return on(new Event.StartAsked());
    }

    Bench stop() {
        return on(new Event.StopAsked());
    }

    Bench restart() {
        return on(new Event.RestartAsked());
    }

    Bench shutdown() {
        return on(new Event.ShutdownBegun());
    }

    Bench hurry() {
        return on(new Event.ShutdownHurried());
    }

    Bench permitted() {
        return on(new Event.StartPermitted(nextRun()));
    }

    Bench spawned() {
        return on(new Event.Spawned(run(), process(100 + runs), "root", List.of("PATH")));
    }

    Bench spawnFails() {
        return on(new Event.SpawnFailed(run(), "/bin/web: ENOENT (no such file or directory)"));
    }

    Bench exits(int code) {
        return on(new Event.ChildExited(run(), new ExitStatus.Exited(code)));
    }

    Bench killedBy(Signal signal) {
        return on(new Event.ChildExited(run(), new ExitStatus.Killed(signal, false)));
    }

    Bench ended(ExitStatus status) {
        return on(new Event.ChildExited(run(), status));
    }

    Bench groupEmpty() {
        return on(new Event.GroupLookedAt(service.grave().orElseThrow().run(), true));
    }

    Bench groupRemains() {
        return on(new Event.GroupLookedAt(service.grave().orElseThrow().run(), false));
    }

    Bench hookSpawned() {
        return on(new Event.Spawned(hook().id(), process(200 + runs), "root", List.of()));
    }

    Bench hookExits(int code) {
        return on(new Event.ChildExited(hook().id(), new ExitStatus.Exited(code)));
    }

    Bench hookKilled() {
        return on(new Event.ChildExited(hook().id(), new ExitStatus.Killed(Signal.KILL, false)));
    }

    Bench hookGroupEmpty() {
        return on(new Event.GroupLookedAt(hook().id(), true));
    }

    Bench hookGroupRemains() {
        return on(new Event.GroupLookedAt(hook().id(), false));
    }

    /** The hook that runs. */
    HookState.Hook hook() {
        return service.hooks().running().orElseThrow();
    }

    /** A look at the heartbeat file now; {@code mtime} empty where there is none. */
    Bench looked(Optional<Instant> mtime) {
        Optional<Look.Stamp> stamp = mtime.map(at -> new Look.Stamp(1, at));
        return on(new Event.HeartbeatLookedAt(run(), new Look(now, stamp, Optional.empty())));
    }

    /** A look that finds that the service has just beaten. */
    Bench beaten() {
        Look look = new Look(now, Optional.of(new Look.Stamp(++files, now.wall())), Optional.empty());
        return on(new Event.HeartbeatLookedAt(run(), look));
    }

    /** The clocks move to the deadline of the armed timer, and it fires. */
    Bench fires(TimerKind kind) {
        Effect.ArmTimer timer = armed.remove(kind);
        if (timer == null) {
            throw new AssertionError(kind + " is not armed in " + service.state() + "; armed: " + armed.keySet());
        }
        if (now.mono().isBefore(timer.deadline())) {
            later(timer.deadline().since(now.mono()));
        }
        return on(new Event.TimerFired(kind, timer.generation()));
    }

    Bench later(Duration time) {
        now = new Now(now.mono().plus(time), now.wall().plus(time));
        return this;
    }

    /** The wall clock alone is set, or the machine was suspended for that long. */
    Bench wallClockSteps(Duration by) {
        now = new Now(now.mono(), now.wall().plus(by));
        return this;
    }

    // ---- whole ways ----

    Bench running() {
        begin().spawned();
        return service.state() == ServiceState.RUNNING ? this : fires(TimerKind.READY);
    }

    /** From BACKOFF through the whole wait to the next RUNNING. */
    Bench runsAgain() {
        groupEmpty().fires(TimerKind.RESTART).spawned();
        return service.state() == ServiceState.RUNNING ? this : fires(TimerKind.READY);
    }

    // ---- what is seen ----

    Service service() {
        return service;
    }

    ServiceState state() {
        return service.state();
    }

    Now now() {
        return now;
    }

    RunId run() {
        return service.run().orElseThrow().id();
    }

    Optional<String> complaint() {
        return complaint;
    }

    List<Effect> orders() {
        return List.copyOf(last);
    }

    boolean isArmed(TimerKind kind) {
        return armed.containsKey(kind);
    }

    /** How long until the armed timer fires. */
    Duration until(TimerKind kind) {
        return armed.get(kind).deadline().since(now.mono());
    }

    /** The orders of the last step, joined. */
    String words() {
        List<String> words = new ArrayList<>();
        for (Effect effect : last) {
            if (!(effect instanceof Effect.AskToStart)) {
                words.add(word(effect));
            }
        }
        return String.join(", ", words);
    }

    private String word(Effect effect) {
        if (effect instanceof Effect.ArmTimer arm) {
            return "arm " + arm.kind() + " " + arm.deadline().since(now.mono()).toMillis() + "ms";
        }
        return wordOf(effect);
    }

    /** An order in words, without its time. */
    public static String wordOf(Effect effect) {
        if (effect instanceof Effect.Persist) {
            return "record";
        } else if (effect instanceof Effect.Spawn spawn) {
            return spawn.hook().map(hook -> "spawn " + hook.kind().word()).orElse("spawn");
        } else if (effect instanceof Effect.SendSignal send) {
            return send.signal().fullName() + (send.wholeTree() ? " to group" : " to main");
        } else if (effect instanceof Effect.LookAtTree) {
            return "look at tree";
        } else if (effect instanceof Effect.Bury) {
            return "clear group";
        } else if (effect instanceof Effect.ArmTimer arm) {
            return "arm " + arm.kind();
        } else if (effect instanceof Effect.CancelTimer cancel) {
            return "cancel " + cancel.kind();
        } else if (effect instanceof Effect.LookAtHeartbeat) {
            return "look at heartbeat";
        } else if (effect instanceof Effect.LookAtReadyFile) {
            return "look at ready file";
        } else if (effect instanceof Effect.HearOut) {
            return "hear out";
        } else if (effect instanceof Effect.AskProbe ask) {
            return "ask " + ask.check().orElse("whether ready");
        } else if (effect instanceof Effect.RunCheck ask) {
            return "run " + ask.check().orElse("whether ready");
        } else if (effect instanceof Effect.AwaitLine) {
            return "await line";
        } else if (effect instanceof Effect.TakeLog) {
            return "take log";
        } else if (effect instanceof Effect.Forget) {
            return "forget";
        } else if (effect instanceof Effect.Escalate escalate) {
            return "escalate " + escalate.rung().word();
        } else if (effect instanceof Effect.Announce announce) {
            return "tell " + announce.event();
        } else {
            return "ask to start";
        }
    }

    static Path beat() {
        return BEAT;
    }
}
