package io.jsupervise.lifecycle;

import io.jsupervise.control.NotifyCodec;
import io.jsupervise.lifecycle.Service.Ending;
import io.jsupervise.os.Errno;
import io.jsupervise.spec.Backoff;
import io.jsupervise.spec.Command;
import io.jsupervise.spec.Escalation;
import io.jsupervise.spec.HealthSpec;
import io.jsupervise.spec.Heartbeat;
import io.jsupervise.spec.Hooks;
import io.jsupervise.spec.Readiness;
import io.jsupervise.spec.RestartIntensity;
import io.jsupervise.spec.RestartPolicy;
import io.jsupervise.spec.Rung;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import io.jsupervise.spec.StopSequence;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Every situation that one service can get into, found by doing to it whatever the world may do, again and again. The
 * world answers orders (a spawn works or fails, a group is empty or not), lets processes end, lets armed timers fire,
 * and holds operators who ask for anything at any time. Situations that differ only in time or in names count as one,
 * so the search ends. Several services are tried, since no single one has a heartbeat, a jitter, and neither.
 */
final class Reachable {
    /** Exit code that the services give up on. */
    static final int GIVE_UP = 9;

    private final Set<String> known = new HashSet<>();
    private final Deque<Situation> open = new ArrayDeque<>();
    private final List<Passage> passages = new ArrayList<>();
    private final List<Situation> situations = new ArrayList<>();

    /**
     * A service in its world.
     *
     * @param timers   deadlines of the armed timers
     * @param spawning runs that were ordered and not answered
     * @param burying  groups that are being looked at
     * @param looking  runs whose heartbeat is being looked at, or which are being heard out
     * @param queued   whether it waits for a start slot
     * @param ending   whether the supervisor ends
     * @param rung     what a rung of its ladder asks of others, while that is under way
     */
    record Situation(
            Service service,
            Now now,
            Map<TimerKind, MonotonicTime> timers,
            Set<RunId> spawning,
            Set<RunId> burying,
            Set<RunId> looking,
            boolean queued,
            boolean ending,
            int runs,
            Optional<RunId> rung) {

        /** What is the same in all situations that count as one. */
        String sort() {
            Optional<Run> run = service.run();
            Optional<Pulse> pulse = run.flatMap(Run::pulse);
            return String.join(
                    " ",
                    service.spec().name().value(),
                    service.state().toString(),
                    service.wanted().toString(),
                    "commanded=" + service.commanded(),
                    "run=" + run.isPresent(),
                    "process=" + service.process().isPresent(),
                    "ready=" + run.flatMap(Run::readyAt).isPresent(),
                    "look=" + pulse.flatMap(Pulse::lastLook).isPresent(),
                    "beat=" + pulse.flatMap(Pulse::lastBeat).isPresent(),
                    "said=" + run.map(one -> one.health().said()),
                    "grave=" + service.grave().isPresent(),
                    "ending=" + service.ending().map(Ending::cause),
                    "next=" + service.next().isPresent(),
                    "for=" + service.waitingFor(),
                    "hook=" + hook(service.hooks()),
                    "due=" + service.hooks().due().map(HookState.Due::kind),
                    "failed=" + (service.history().failures() > 0),
                    "counted=" + service.history().restartTimes().size(),
                    "trial=" + service.history().onTrial(),
                    "rungs=" + service.history().climb().taken(),
                    "rung due=" + service.history().climb().due().isPresent(),
                    "rung=" + rung.isPresent(),
                    "timers=" + timers.keySet(),
                    "spawning=" + spawning.size(),
                    "burying=" + burying.size(),
                    "looking=" + looking.size(),
                    "queued=" + queued,
                    "ending=" + ending);
        }
    }

    private static String hook(HookState hooks) {
        return hooks.running()
                .map(hook -> hook.kind()
                        + (hook.process().isPresent() ? " lives" : "")
                        + (hook.doomed().isPresent() ? " doomed" : "")
                        + (hook.status().isPresent() ? " ended" : ""))
                .orElse("");
    }

    /** One event in one situation, and what followed. */
    record Passage(Situation from, String what, Event event, List<Effect> orders, Situation to) {}

    private record Happening(String what, Event event, Duration after) {}

    /** Explores everything. */
    static Reachable explore() {
        return explore(services());
    }

    /** The same of a service with all hooks, which would hide what happens without them. */
    static Reachable exploreHooks() {
        Optional<Hooks.Hook> hook = Optional.of(new Hooks.Hook(Command.of("x"), Duration.ofSeconds(20)));
        RestartIntensity limit = new RestartIntensity(1, Duration.ofHours(1));
        return explore(List.of(
                ServiceSpec.of("hooked", "x")
                        .hooks(new Hooks(hook, hook, hook, hook))
                        .escalation(new Escalation(Duration.ofSeconds(3), List.of(new Rung.Run(hook.get()))))
                        .startLimit(limit)
                        .build(),
                ServiceSpec.of("cleared", "x")
                        .hooks(new Hooks(Optional.empty(), Optional.empty(), Optional.empty(), hook))
                        .oneshot()
                        .build()));
    }

    private static Reachable explore(List<ServiceSpec> services) {
        Reachable reachable = new Reachable();
        for (ServiceSpec spec : services) {
            reachable.add(new Situation(
                    Bench.fresh(spec),
                    Bench.BEGIN,
                    Map.of(),
                    Set.of(),
                    Set.of(),
                    Set.of(),
                    false,
                    false,
                    0,
                    Optional.empty()));
            for (int rung = 1; rung <= spec.escalation().ladder().size(); rung++) {
                reachable.add(climbing(spec, rung));
            }
            for (ServiceState state : List.of(ServiceState.STARTING, ServiceState.RUNNING)) {
                reachable.add(recorded(spec, state, Optional.empty(), Wanted.UP));
            }
            for (Cause cause : List.of(Cause.OPERATOR, Cause.HEARTBEAT, Cause.TAKEOVER)) {
                for (Wanted wanted : Wanted.values()) {
                    Ending ending = new Ending(cause, "an earlier supervisor's reason");
                    reachable.add(recorded(spec, ServiceState.STOPPING, Optional.of(ending), wanted));
                }
            }
        }
        while (!reachable.open.isEmpty()) {
            reachable.exploreOne(reachable.open.poll());
        }
        return reachable;
    }

    /** Its supervisor died before what this rung asks for was done, as far as the journal knows. */
    private static Situation climbing(ServiceSpec spec, int rung) {
        Draft draft = new Draft(Bench.fresh(spec));
        boolean isReboot = spec.escalation().rung(rung).orElseThrow() instanceof Rung.Reboot;
        Optional<RunId> due = isReboot ? Optional.empty() : Optional.of(new RunId("old-1"));
        draft.history = new History(3, 0, List.of(), List.of(), false, new Climb(rung, "in vain", due))
                .restarting(Bench.BEGIN.mono(), spec.startLimit());
        draft.state = isReboot ? ServiceState.FATAL : ServiceState.BACKOFF;
        if (isReboot) {
            draft.fatalReason = Optional.of("in vain");
        } else {
            draft.next = Optional.of(new Service.NextStart(Bench.BEGIN.mono(), Bench.BEGIN.wall(), Duration.ZERO));
        }
        return new Situation(
                draft.toService(),
                Bench.BEGIN,
                Map.of(),
                Set.of(),
                Set.of(),
                Set.of(),
                false,
                false,
                0,
                Optional.empty());
    }

    private static Situation recorded(ServiceSpec spec, ServiceState state, Optional<Ending> ending, Wanted wanted) {
        Service service = Bench.recorded(spec, state, ending, wanted);
        return new Situation(
                service, Bench.BEGIN, Map.of(), Set.of(), Set.of(), Set.of(), false, false, 0, Optional.empty());
    }

    private static List<ServiceSpec> services() {
        Heartbeat heartbeat = new Heartbeat(Bench.beat(), Duration.ofSeconds(10), Duration.ofSeconds(30));
        StopSequence dumping = new StopSequence(Signal.TERM, Duration.ofSeconds(5), Optional.of(Signal.QUIT));
        Backoff atOnce = new Backoff(Duration.ZERO, 1, Duration.ZERO, 0, Duration.ZERO);
        RestartIntensity limit = new RestartIntensity(2, Duration.ofHours(1));
        return List.of(
                ServiceSpec.of("plain", "x")
                        .startLimit(limit)
                        .giveUpExitCodes(Set.of(GIVE_UP))
                        .build(),
                ServiceSpec.of("careful", "x")
                        .restart(RestartPolicy.ON_FAILURE)
                        .startJitter(Duration.ofSeconds(4))
                        .heartbeat(heartbeat)
                        .stop(dumping)
                        .startLimit(limit)
                        .build(),
                ServiceSpec.of("hasty", "x")
                        .autostart(false)
                        .ready(new Readiness.Delay(Duration.ZERO))
                        .backoff(atOnce)
                        .heartbeat(heartbeat)
                        .stop(new StopSequence(Signal.KILL, Duration.ZERO, Optional.empty()))
                        .startLimit(limit)
                        .build(),
                ServiceSpec.of("heard", "x")
                        .ready(new Readiness.Notified())
                        .health(new HealthSpec(Optional.of(Duration.ofSeconds(10)), List.of()))
                        .stop(dumping)
                        .startLimit(limit)
                        .build(),
                ServiceSpec.of("laddered", "x")
                        .escalation(new Escalation(
                                Duration.ofSeconds(3),
                                List.of(new Rung.RestartDependents(), new Rung.Shutdown(), new Rung.Reboot())))
                        .backoff(atOnce)
                        .giveUpExitCodes(Set.of(GIVE_UP))
                        .startLimit(new RestartIntensity(1, Duration.ofHours(1)))
                        .build(),
                ServiceSpec.of("once", "x").oneshot().heartbeat(heartbeat).build(),
                ServiceSpec.of("served", "x")
                        .restart(RestartPolicy.NEVER)
                        .heartbeat(heartbeat)
                        .build());
    }

    List<Passage> passages() {
        return passages;
    }

    List<Situation> situations() {
        return situations;
    }

    private void add(Situation situation) {
        if (known.add(situation.sort())) {
            situations.add(situation);
            open.add(situation);
        }
    }

    private void exploreOne(Situation from) {
        for (Happening happening : possible(from)) {
            for (boolean slotFree : new boolean[] {true, false}) {
                Passage passage = take(from, happening, slotFree);
                passages.add(passage);
                add(passage.to());
                if (!passage.orders()
                        .contains(new Effect.AskToStart(from.service().name()))) {
                    break;
                }
            }
        }
    }

    // ---- what the world may do ----

    private static List<Happening> possible(Situation s) {
        List<Happening> all = new ArrayList<>();
        if (s.ending()) {
            all.add(soon("the supervisor is told again to end", new Event.ShutdownHurried()));
        } else {
            all.add(soon("an operator asks for a start", new Event.StartAsked()));
            all.add(soon("an operator asks for a stop", new Event.StopAsked()));
            if (isUp(s.service())) {
                all.add(soon("an operator asks for a stop, dependents first", new Event.StopQueued()));
            }
            all.add(soon("an operator asks for a restart", new Event.RestartAsked()));
            all.add(soon(
                    "another service is restarted, and it with that",
                    new Event.RestartedWithOthers(Cause.DEPENDENCY, "restarted with db: exit 1")));
            all.add(soon("the supervisor ends", new Event.ShutdownBegun()));
        }
        if (s.now().equals(Bench.BEGIN) && s.service().run().isEmpty()) {
            all.add(soon("the supervisor starts", new Event.SupervisorStarted()));
        }
        if (s.queued()) {
            all.add(soon("a start slot is free", new Event.StartPermitted(new RunId("run-" + (s.runs() + 1)))));
        }
        s.service()
                .run()
                .filter(run -> run.adopted() && s.now().equals(Bench.BEGIN))
                .ifPresent(run -> {
                    Event found =
                            new Event.LeftoverFound(run.id(), run.process().orElseThrow());
                    all.add(soon("its process is found to have outlived its supervisor", found));
                });
        s.rung().ifPresent(run -> {
            if (isShutdown(s.service())) {
                all.add(soon("its ladder ends the supervisor", new Event.ShutdownBegun()));
            } else {
                all.add(soon("others are restarted as its ladder says", new Event.RungTaken(run)));
            }
        });
        addAnswers(s, all);
        if (s.service().process().isPresent() && s.service().spec().isHeard()) {
            addWords(s, all);
        }
        s.service().process().ifPresent(process -> addExits(s, all));
        s.service().hooks().running().ifPresent(hook -> addExits(hook, all));
        s.timers().forEach((kind, deadline) -> {
            Duration wait = deadline.since(s.now().mono());
            Event fired = new Event.TimerFired(kind, s.service().timers().generation(kind));
            all.add(new Happening(words(kind), fired, wait.isNegative() ? Duration.ZERO : wait));
        });
        return all;
    }

    private static boolean isShutdown(Service service) {
        int taken = service.history().climb().taken();
        return service.spec().escalation().rung(taken).orElse(null) instanceof Rung.Shutdown;
    }

    private static boolean isUp(Service service) {
        return service.process().isPresent()
                && (service.state() == ServiceState.STARTING || service.state() == ServiceState.RUNNING);
    }

    private static void addAnswers(Situation s, List<Happening> all) {
        for (RunId run : s.spawning()) {
            Event spawned = new Event.Spawned(run, Bench.process(100 + s.runs()), "root", List.of());
            all.add(soon("its process is spawned", spawned));
            all.add(soon("it cannot be spawned", new Event.SpawnFailed(run, "ENOENT")));
        }
        for (RunId run : s.burying()) {
            all.add(soon("the rest of its group is gone", new Event.GroupLookedAt(run, true)));
            all.add(soon("some of its group remain", new Event.GroupLookedAt(run, false)));
            Duration patience = Lifecycle.GROUP_PATIENCE;
            all.add(new Happening(
                    "some of its group survive every kill", new Event.GroupLookedAt(run, false), patience));
        }
        for (RunId run : s.looking()) {
            if (s.service().spec().isHeard()) {
                MonotonicTime at = s.now().mono();
                all.add(soon("it has said nothing else", new Event.HeardOut(run, at, Optional.empty())));
                all.add(soon("nobody could hear it", new Event.HeardOut(run, at, Optional.of("no socket"))));
                continue;
            }
            Look.Stamp stamp = new Look.Stamp(s.now().mono().nanos(), s.now().wall());
            Look beat = new Look(s.now(), Optional.of(stamp), Optional.empty());
            Look none = new Look(s.now(), Optional.empty(), Optional.empty());
            all.add(new Happening("a heartbeat is seen", new Event.HeartbeatLookedAt(run, beat), Duration.ZERO));
            all.add(new Happening("no heartbeat is seen", new Event.HeartbeatLookedAt(run, none), Duration.ZERO));
        }
    }

    /** What it says. */
    private static void addWords(Situation s, List<Happening> all) {
        RunId run = s.service().run().orElseThrow().id();
        for (String word : List.of("READY=1", "WATCHDOG=1", "WATCHDOG=trigger", "STOPPING=1")) {
            Notice notice = NotifyCodec.decode(word.getBytes(StandardCharsets.US_ASCII), Errno::words)
                    .notice();
            all.add(soon("it says " + word, new Event.Notified(run, notice)));
        }
    }

    private static void addExits(Situation s, List<Happening> all) {
        RunId run = s.service().run().orElseThrow().id();
        List<ExitStatus> statuses = List.of(
                new ExitStatus.Exited(0),
                new ExitStatus.Exited(1),
                new ExitStatus.Exited(GIVE_UP),
                new ExitStatus.Killed(Signal.KILL, false),
                new ExitStatus.Unknown());
        for (ExitStatus status : statuses) {
            all.add(soon("its main process ends", new Event.ChildExited(run, status)));
        }
    }

    private static void addExits(HookState.Hook hook, List<Happening> all) {
        if (hook.process().isPresent() && hook.status().isEmpty()) {
            all.add(soon("its hook succeeds", new Event.ChildExited(hook.id(), new ExitStatus.Exited(0))));
            all.add(soon("its hook fails", new Event.ChildExited(hook.id(), new ExitStatus.Exited(1))));
        }
    }

    private static Happening soon(String what, Event event) {
        return new Happening(what, event, Duration.ofMillis(1));
    }

    private static String words(TimerKind kind) {
        return switch (kind) {
            case START_JITTER -> "its start jitter is over";
            case RESTART -> "its backoff is over";
            case READY -> "it has lived for its ready delay, or is to be asked again";
            case START_TIMEOUT -> "its start_timeout is over";
            case VERIFY -> "it has worked for its stable_for";
            case WATCHDOG -> "a WATCHDOG=1 is overdue";
            case CHECK -> "a check is due";
            case HEARTBEAT -> "a look at its heartbeat is due";
            case DUMP -> "its time to dump is over";
            case STOP -> "its stop_timeout is over";
            case GROUP -> "another look at its group is due";
            case HOOK -> "the time of its hook is over";
            case STABLE -> "it was ready for long enough to be well again";
            case ALERT -> "the time of what tells of it is over";
            case ALERT_QUIET -> "failures that were only counted may be told";
        };
    }

    // ---- what follows ----

    private static Passage take(Situation from, Happening happening, boolean slotFree) {
        Now now = new Now(
                from.now().mono().plus(happening.after()), from.now().wall().plus(happening.after()));
        World world = new World(from, now);
        world.answered(happening.event());
        List<Effect> orders = new ArrayList<>();
        Optional<Event> next = Optional.of(happening.event());
        while (next.isPresent()) {
            Step step = Lifecycle.step(world.service, next.get(), now);
            if (step.complaint().isPresent()) {
                throw new AssertionError(happening.what() + " is not expected in " + from.sort());
            }
            next = Optional.empty();
            world.service = step.service();
            for (Effect effect : step.effects()) {
                orders.add(effect);
                world.noted(effect);
                if (effect instanceof Effect.AskToStart) {
                    world.queued = !slotFree;
                    next = Optional.of(
                            slotFree
                                    ? new Event.StartPermitted(new RunId("run-" + ++world.runs))
                                    : new Event.StartPostponed("a start slot"));
                }
            }
        }
        return new Passage(from, happening.what(), happening.event(), orders, world.situation(from));
    }

    /** The situation that comes into being. */
    private static final class World {
        private final Now now;
        private Service service;
        private final Map<TimerKind, MonotonicTime> timers = new EnumMap<>(TimerKind.class);
        private final Set<RunId> spawning;
        private final Set<RunId> burying;
        private final Set<RunId> looking;
        private boolean queued;
        private boolean ending;
        private int runs;
        private Optional<RunId> rung;

        World(Situation from, Now now) {
            this.now = now;
            service = from.service();
            timers.putAll(from.timers());
            spawning = new HashSet<>(from.spawning());
            burying = new HashSet<>(from.burying());
            looking = new HashSet<>(from.looking());
            queued = from.queued();
            ending = from.ending();
            runs = from.runs();
            rung = from.rung();
        }

        void answered(Event event) {
            if (event instanceof Event.Spawned spawned) {
                spawning.remove(spawned.run());
            } else if (event instanceof Event.SpawnFailed failed) {
                spawning.remove(failed.run());
            } else if (event instanceof Event.GroupLookedAt looked) {
                burying.remove(looked.run());
            } else if (event instanceof Event.HeartbeatLookedAt looked) {
                looking.remove(looked.run());
            } else if (event instanceof Event.HeardOut heard) {
                looking.remove(heard.run());
            } else if (event instanceof Event.TimerFired fired) {
                timers.remove(fired.kind());
            } else if (event instanceof Event.StartPermitted) {
                runs++;
            } else if (event instanceof Event.ShutdownBegun) {
                ending = true;
            } else if (event instanceof Event.RungTaken) {
                rung = Optional.empty();
            }
        }

        void noted(Effect effect) {
            if (effect instanceof Effect.ArmTimer arm) {
                timers.put(arm.kind(), arm.deadline());
            } else if (effect instanceof Effect.CancelTimer cancel) {
                timers.remove(cancel.kind());
            } else if (effect instanceof Effect.Spawn spawn) {
                spawning.add(spawn.run());
            } else if (effect instanceof Effect.Bury bury) {
                burying.add(bury.run());
            } else if (effect instanceof Effect.LookAtHeartbeat look) {
                looking.add(look.run());
            } else if (effect instanceof Effect.HearOut hear) {
                looking.add(hear.run());
            } else if (effect instanceof Effect.Escalate escalate && !(escalate.rung() instanceof Rung.Reboot)) {
                rung = Optional.of(escalate.after());
            }
        }

        Situation situation(Situation from) {
            // A look at the file of an ended run may stay out for ever (a dead network disk); one such is enough.
            Optional<RunId> present = service.run().map(Run::id);
            Set<RunId> looks = new HashSet<>();
            looking.stream().filter(run -> present.equals(Optional.of(run))).forEach(looks::add);
            looking.stream()
                    .filter(run -> !present.equals(Optional.of(run)))
                    .limit(1)
                    .forEach(looks::add);
            boolean waits = queued && service.state() == ServiceState.WAITING;
            return new Situation(
                    service,
                    now,
                    new LinkedHashMap<>(timers),
                    Set.copyOf(spawning),
                    Set.copyOf(burying),
                    looks,
                    waits,
                    ending,
                    runs,
                    rung);
        }
    }
}
