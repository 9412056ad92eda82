package io.jsupervise.io;

import io.jsupervise.lifecycle.Effect;
import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.os.Child;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.SpawnException;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.spec.Credentials;
import io.jsupervise.spec.HookKind;
import io.jsupervise.spec.Hooks;
import io.jsupervise.spec.LinePattern;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.SpawnSpec;
import io.jsupervise.supervision.Answer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;

/**
 * Starts processes, one after another, on a thread of its own: exec(2) waits for the disk that the program lies on, and
 * the umask that a child inherits is that thread's own.
 */
public final class Spawner implements Actor {
    private static final List<HookKind> HOOKS_AFTER_IT = List.of(
            HookKind.POST_START,
            HookKind.STOP_COMMAND,
            HookKind.POST_STOP,
            HookKind.ON_FAILURE,
            HookKind.ON_GIVE_UP,
            HookKind.ON_RECOVERED);

    /** Whose signs of life are awaited (sd_watchdog_enabled(3)): so that what it starts does not take itself for that. */
    private static final Optional<String> WATCHDOG_PID = Optional.of("WATCHDOG_PID");

    private final Os os;
    private final Map<String, String> ourEnvironment;
    private final String user;
    private final Belongings belongings;
    private final NotifySockets notifySockets;
    private final Optional<ServiceGroups> groups;
    private final Outputs outputs;
    private final Results results;
    private final Queue<Runnable> errands = new ConcurrentLinkedQueue<>();
    private final Queue<Effect> ordered = new ConcurrentLinkedQueue<>();

    /** Behind everything else: a start does not wait for questions. */
    private final Queue<CheckCall> checks = new ConcurrentLinkedQueue<>();

    /** Where the output of a child goes; makes what is needed for that. */
    public interface Outputs {
        Streams prepare(ServiceName service, LogSpec log) throws OsException;

        /** Looks for a line in what a run writes from now on, which has not been spawned yet or goes on. */
        default void awaitLine(ServiceName service, RunId run, LinePattern pattern) {}

        /** The service is gone for good. */
        default void remove(ServiceName service) {}

        /** Rotates the logs of these now, as far as they have some; {@code done} is told once. Never waits. */
        default void rotate(List<ServiceSpec> services, Consumer<List<Answer.Rotation>> done) {
            done.accept(List.of());
        }
    }

    /** Standard output and standard error of a child. */
    public record Streams(SpawnRequest.Output stdout, SpawnRequest.Output stderr) {}

    /** Gets the answer to each order. */
    public interface Results {
        void spawned(ServiceName service, Event.Spawned event, Child child);

        void failed(ServiceName service, Event.SpawnFailed event);

        /** Its program cannot be executed by now, and it may be wanted as soon as the process is there that is made now. */
        void hookMissing(ServiceName service, HookKind hook, SpawnException why);

        /** Something failed that is no start. */
        void trouble(String what, OsException why);
    }

    /**
     * @param ourEnvironment what children inherit
     * @param user           the name of the user that children run as, where the service names none
     * @param belongings     gives to that user what is theirs
     * @param notifySockets  makes the sockets of services that ask for one
     * @param groups         makes the control groups of services that ask for some; empty where none are to be made
     */
    public Spawner(
            Os os,
            Map<String, String> ourEnvironment,
            String user,
            Belongings belongings,
            NotifySockets notifySockets,
            Optional<ServiceGroups> groups,
            Outputs outputs,
            Results results) {
        this.os = os;
        this.ourEnvironment = ourEnvironment;
        this.user = user;
        this.belongings = belongings;
        this.notifySockets = notifySockets;
        this.groups = groups;
        this.outputs = outputs;
        this.results = results;
    }

    /** Orders a start; never waits. Any thread. */
    public void spawn(Effect.Spawn order) {
        ordered.add(order);
    }

    /** Orders the process of a check; never waits. Any thread. */
    public void check(CheckCall call) {
        checks.add(call);
    }

    /** Orders to look for a line, before the starts that are ordered after it. Any thread. */
    public void awaitLine(Effect.AwaitLine order) {
        ordered.add(order);
    }

    /** Orders that the output of a running service goes on as it says; after the starts that were ordered before. Any thread. */
    public void takeLog(Effect.TakeLog order) {
        ordered.add(order);
    }

    /** Orders that what was made for a service is removed; after the starts that were ordered before. Any thread. */
    public void forget(Effect.Forget order) {
        ordered.add(order);
    }

    /** Has something else done that only the thread may do that spawns. Any thread. */
    public void alsoDo(Runnable errand) {
        errands.add(errand);
    }

    @Override
    public void step() {
        Runnable errand = errands.poll();
        if (errand != null) {
            errand.run();
            return;
        }
        Effect order = ordered.poll();
        if (order instanceof Effect.Spawn spawn) {
            start(spawn);
        } else if (order instanceof Effect.TakeLog take) {
            takeUp(take);
        } else if (order instanceof Effect.AwaitLine await) {
            begin(await);
        } else if (order instanceof Effect.Forget forget) {
            remove(forget.service());
        } else if (order == null) {
            check();
        }
    }

    private void check() {
        CheckCall call = checks.poll();
        if (call != null) {
            ServiceSpec spec = call.order().spec();
            try {
                call.spawn(os, environment(spec, call.id()), group(spec, call.id()));
            } catch (SpawnException e) {
                call.answer().failed(e.getMessage(), true);
            }
        }
    }

    private void takeUp(Effect.TakeLog order) {
        try {
            outputs.prepare(order.service(), order.log());
        } catch (OsException e) {
            results.trouble("cannot change the log of \"" + order.service() + "\", which goes on as before", e);
        }
    }

    private void begin(Effect.AwaitLine order) {
        try {
            outputs.prepare(order.service(), order.log());
            outputs.awaitLine(order.service(), order.run(), order.pattern());
        } catch (OsException e) {
            results.trouble("cannot look at what \"" + order.service() + "\" writes, so it will not be ready", e);
        }
    }

    private void remove(ServiceName service) {
        groups.ifPresent(made -> made.remove(service));
        try {
            notifySockets.forget(service);
        } catch (OsException e) {
            results.trouble("cannot remove the notify socket of \"" + service + "\"", e);
        }
        outputs.remove(service);
    }

    @Override
    public Optional<MonotonicTime> nextStep() {
        boolean idle = ordered.isEmpty() && errands.isEmpty() && checks.isEmpty();
        return idle ? Optional.empty() : Optional.of(MonotonicTime.BOOT);
    }

    private void start(Effect.Spawn order) {
        ServiceSpec spec = order.spec();
        SpawnSpec how =
                order.hook().isPresent() ? spec.spawn().with(order.hook().get().command()) : spec.spawn();
        try {
            Streams streams = outputs.prepare(spec.name(), spec.log());
            belongings.give(spec, streams);
            Map<String, String> environment = environment(order);
            boolean isMain = order.hook().isEmpty();
            if (isMain) {
                lookAtHooks(spec, environment);
            }
            boolean isHeard = isMain && spec.isHeard();
            boolean isWatched = isMain && spec.health().watchdogTimeout().isPresent();
            if (isHeard) {
                hear(spec, environment);
            }
            Child child = os.spawn(new SpawnRequest(
                    how.command().argv(),
                    how.workingDir(),
                    environment,
                    how.umask(),
                    streams.stdout(),
                    streams.stderr(),
                    how.privileges(),
                    group(spec, order.run()),
                    isWatched ? WATCHDOG_PID : Optional.empty()));
            List<String> names = new ArrayList<>(environment.keySet());
            results.spawned(spec.name(), new Event.Spawned(order.run(), child.identity(), userOf(how), names), child);
            if (isHeard) {
                // Last: what it says is told after that it is there.
                listen(order, child);
            }
        } catch (SpawnException e) {
            results.failed(spec.name(), new Event.SpawnFailed(order.run(), e.getMessage()));
        } catch (OsException e) {
            results.failed(
                    spec.name(), new Event.SpawnFailed(order.run(), "its output or heartbeat file: " + e.getMessage()));
        }
    }

    private void hear(ServiceSpec spec, Map<String, String> environment) throws SpawnException {
        try {
            environment.put("NOTIFY_SOCKET", notifySockets.expect(spec).toString());
        } catch (OsException e) {
            throw new SpawnException(e.errno(), "its notify socket: " + e.getMessage());
        }
        Optional<Duration> watchdog = spec.health().watchdogTimeout();
        if (watchdog.isPresent()) {
            environment.put("WATCHDOG_USEC", Long.toString(watchdog.get().toNanos() / 1000));
        }
    }

    private void listen(Effect.Spawn order, Child child) {
        try {
            notifySockets.began(order.spec().name(), order.run(), child.identity());
        } catch (OsException e) {
            results.trouble("cannot hear what \"" + order.spec().name() + "\" says", e);
        }
    }

    /**
     * Those that follow a main process, before there is one. Without its post_start it would only be ended again; for lack of
     * another it is not kept from running. (A pre_start may be what puts them in place.)
     */
    private void lookAtHooks(ServiceSpec spec, Map<String, String> environment) throws SpawnException {
        for (HookKind kind : HOOKS_AFTER_IT) {
            Optional<Hooks.Hook> hook = spec.hooks().of(kind);
            if (hook.isEmpty()) {
                continue;
            }
            SpawnSpec how = spec.spawn().with(hook.get().command());
            try {
                os.checkProgram(SpawnRequest.toLookAt(how, environment));
            } catch (SpawnException e) {
                if (kind == HookKind.POST_START) {
                    throw e.of("its post_start");
                }
                results.hookMissing(spec.name(), kind, e);
            }
        }
    }

    private Optional<Path> group(ServiceSpec spec, RunId run) throws SpawnException {
        if (groups.isEmpty()) {
            return Optional.empty();
        }
        try {
            return groups.get().make(spec, run);
        } catch (OsException e) {
            throw new SpawnException(e.errno(), "its control group, for its resources: " + e.getMessage());
        }
    }

    private String userOf(SpawnSpec how) {
        Optional<Credentials> who = how.privileges().credentials();
        return who.isPresent() ? who.get().user() : user;
    }

    private Map<String, String> environment(Effect.Spawn order) {
        Map<String, String> all = environment(order.spec(), order.run());
        order.hook().ifPresent(hook -> all.putAll(hook.variables()));
        return all;
    }

    private Map<String, String> environment(ServiceSpec spec, RunId run) {
        SpawnSpec how = spec.spawn();
        Map<String, String> all = how.inheritEnv() ? new HashMap<>(ourEnvironment) : new HashMap<>();
        how.privileges().credentials().ifPresent(who -> all.putAll(who.environment()));
        all.putAll(how.environment());
        all.put("JSUPERVISE_SERVICE", spec.name().value());
        all.put("JSUPERVISE_RUN_ID", run.value());
        spec.heartbeat()
                .ifPresent(heartbeat ->
                        all.put("JSUPERVISE_HEARTBEAT", heartbeat.file().toString()));
        return all;
    }
}
