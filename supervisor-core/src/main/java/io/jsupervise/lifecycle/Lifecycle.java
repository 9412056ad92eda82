package io.jsupervise.lifecycle;

import io.jsupervise.lifecycle.Effect.Announce;
import io.jsupervise.lifecycle.Effect.ArmTimer;
import io.jsupervise.lifecycle.Effect.AskToStart;
import io.jsupervise.lifecycle.Effect.Bury;
import io.jsupervise.lifecycle.Effect.CancelTimer;
import io.jsupervise.lifecycle.Effect.LookAtHeartbeat;
import io.jsupervise.lifecycle.Effect.LookAtTree;
import io.jsupervise.lifecycle.Effect.Persist;
import io.jsupervise.lifecycle.Effect.SendSignal;
import io.jsupervise.lifecycle.Effect.Spawn;
import io.jsupervise.lifecycle.Effect.TakeLog;
import io.jsupervise.lifecycle.Service.Ending;
import io.jsupervise.lifecycle.Service.Grave;
import io.jsupervise.lifecycle.Service.LastRun;
import io.jsupervise.lifecycle.Service.NextStart;
import io.jsupervise.spec.Fingerprint;
import io.jsupervise.spec.HealthSpec;
import io.jsupervise.spec.Heartbeat;
import io.jsupervise.spec.HookKind;
import io.jsupervise.spec.Hooks;
import io.jsupervise.spec.KillMode;
import io.jsupervise.spec.Readiness;
import io.jsupervise.spec.RestartIntensity;
import io.jsupervise.spec.RestartPolicy;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import io.jsupervise.spec.SpecKeys;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Everything that decides what one service does next.
 *
 * <pre>
 *   STOPPED -> WAITING -> STARTING -> RUNNING -> BACKOFF -> STARTING ...
 *                             |          |          `--> EXITED, FATAL   (policy, start limit)
 *                             `----------`--> STOPPING -> STOPPED, or BACKOFF after a hang
 * </pre>
 *
 * A run ends in two moments. First its main process is seen to have exited: the end is judged and recorded. Then the
 * rest of its tree is killed, the process is reaped, and only when nothing of the tree lives (the <i>grave</i> is
 * cleared) may a next run start or the service count as stopped: a worker that still holds the port would make the
 * next run fail.
 *
 * <p>Three rules stand in one place each: {@link #step} ignores timers of an older generation, records a service
 * whenever what is worth recording has changed, and puts that record before every other effect.
 */
public final class Lifecycle implements Event.Handler<Boolean> {
    /** Without a backoff, a start that fails at once would be tried without end, and a processor be busy with that. */
    static final Duration START_PAUSE = Duration.ofMillis(10);

    /** How long a hung process may take to dump. */
    static final Duration DUMP_TIME = Duration.ofSeconds(2);

    /** SIGKILL is sent again this often to a process that does not end (it sleeps in the kernel, state D). */
    static final Duration KILL_AGAIN = Duration.ofSeconds(5);

    /** Group members that survive SIGKILL for this long are told of and no longer waited for. */
    static final Duration GROUP_PATIENCE = Duration.ofSeconds(10);

    private static final int LONGEST_GROUP_WAIT_MS = 128;
    private static final String STOPPED_BY_OPERATOR = "stopped by an operator";

    private final Now now;
    private final Draft s;
    private final List<Effect> effects = new ArrayList<>(8);

    private HookSteps hookSteps;
    private HealthSteps healthSteps;
    private AlertSteps alertSteps;
    private LadderSteps ladderSteps;

    /** Of the end that this step is about: a rung of the ladder begins to count anew. */
    private int failuresInARow;

    private Lifecycle(Service service, Now now) {
        this.now = now;
        this.s = new Draft(service);
    }

    /** The next state of {@code service} after {@code event}, and what is to be done. */
    public static Step step(Service service, Event event, Now now) {
        Lifecycle lifecycle = new Lifecycle(service, now);
        boolean legal = event.to(lifecycle);
        if (!legal) {
            return new Step(service, List.of(), Optional.of(event + " in " + service.state()));
        }
        Service next = lifecycle.s.toService();
        if (worthRecording(service, next)) {
            lifecycle.effects.add(0, new Persist(next));
        }
        return new Step(next, lifecycle.effects, Optional.empty());
    }

    /**
     * Records are about processes, ends and wishes. A start that is only on its way is not worth a write: if we die
     * now, the record of what was before leads to the same start, and a child spawned meanwhile is found by its mark.
     * EXITED and FATAL lead to no start, so leaving them is recorded.
     */
    private static boolean worthRecording(Service before, Service after) {
        if (before.wanted() != after.wanted()
                || before.commanded() != after.commanded()
                || before.hooks().differsForTheRecord(after.hooks())
                || before.history().differsForTheRecord(after.history())) {
            return true;
        }
        if (before.spec() != after.spec() && recordsDiffer(before.spec(), after.spec())) {
            return true;
        }
        if (before.state() == after.state()) {
            // One that was found by its mark is known from the beginning, and becomes the last run when it is taken
            // over.
            return !before.process().equals(after.process())
                    || !before.lastRun().equals(after.lastRun())
                    || !watchdogOf(before).equals(watchdogOf(after));
        }
        boolean onItsWay = after.state() == ServiceState.WAITING
                || after.state() == ServiceState.STARTING && after.process().isEmpty();
        return !onItsWay || before.state() == ServiceState.EXITED || before.state() == ServiceState.FATAL;
    }

    /** What it asked for itself is known to nobody else, and the next supervisor must not be stricter than it asked for. */
    private static Optional<Duration> watchdogOf(Service service) {
        return service.run().isPresent() ? service.run().get().health().watchdog() : Optional.empty();
    }

    /** A record has what it takes to stop a service, and to go on with its output, without the services file. */
    private static boolean recordsDiffer(ServiceSpec before, ServiceSpec after) {
        return !before.stop().equals(after.stop()) || !before.log().equals(after.log());
    }

    // ---- what people and the supervisor ask for ----

    @Override
    public Boolean on(Event.SupervisorStarted event) {
        s.history = s.history.at(s.history.climb().byAnother());
        if (s.hooks.isDue(HookKind.POST_STOP) && s.run.isEmpty()) {
            // The supervisor before us did not get to its end.
            afterRun();
            if (s.state == ServiceState.STOPPED && s.wanted == Wanted.UP) {
                startAnew();
            }
        } else if (s.state == ServiceState.BACKOFF) {
            comeBack();
        } else if (s.state == ServiceState.STOPPED && s.wanted == Wanted.UP) {
            startAnew();
        }
        if (hasAlerts()) {
            alerts().resume();
        }
        return true;
    }

    /** Unless the supervisor before us did not get to the end that this service had asked for. */
    private void startAnew() {
        if (ladder().isShutdownDue()) {
            ladder().act();
        } else {
            ladder().forgetDue();
            startAfterJitter();
        }
    }

    /** What its ladder asks for is done first. */
    private void comeBack() {
        if (!ladder().isDue()) {
            startWhenDue();
        } else if (isCleared()) {
            ladder().act();
        }
    }

    @Override
    public Boolean on(Event.RungTaken event) {
        if (s.state == ServiceState.BACKOFF && s.history.climb().due().equals(Optional.of(event.after()))) {
            rungIsTaken(event.after());
        }
        return true;
    }

    void rungIsTaken(RunId after) {
        if (s.history.climb().due().equals(Optional.of(after))) {
            s.history = s.history.at(s.history.climb().done());
        }
        if (s.state == ServiceState.BACKOFF) {
            startWhenDue();
        }
    }

    @Override
    public Boolean on(Event.LeftoverFound event) {
        if (!isPresentRun(event.run()) || !s.process().orElse(event.process()).equals(event.process())) {
            return false;
        }
        runs(event.run(), event.process());
        if (s.state != ServiceState.STOPPING) {
            adopt();
            return true;
        }
        Ending ending = s.ending.orElseThrow();
        if (ending.cause() == Cause.SHUTDOWN) {
            askToEnd();
        } else {
            // What the earlier supervisor had begun is brought to its end: a hang stays one, and counts as one.
            end(ending.cause(), ending.reason());
        }
        return true;
    }

    /** It goes on as it was; only what has to be watched from now on is armed anew. */
    private void adopt() {
        Run run = s.run.orElseThrow();
        if (s.spec.heartbeat().isPresent()) {
            listenAnew(s.spec.heartbeat().get());
        }
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("pid", (long) run.process().orElseThrow().pid().value());
        details.put("run_id", run.id().value());
        details.put("ran_for_ms", now.mono().since(run.orderedAt().mono()).toMillis());
        details.put("spec_changed", run.spec().isPresent() && !run.spec().get().equals(Fingerprint.of(s.spec)));
        details.put("restarts", s.history.restarts());
        announce("adopted", Optional.empty(), Optional.of(s.state), details);
        if (s.state == ServiceState.STARTING && s.hooks.isDue(HookKind.POST_START)) {
            afterLeftHook();
        } else if (s.state == ServiceState.STARTING) {
            waitUntilReady();
        } else {
            if (isWatched()) {
                health().isUp();
            }
            if (s.state == ServiceState.RUNNING && !s.spec.isOneshot()) {
                ladder().watch();
            }
        }
        if (s.state == ServiceState.RUNNING && hasAlerts()) {
            alerts().ready();
        }
    }

    /** It is past its start: where the grace is shorter than the timeout, the next beat may be later than that. */
    private void listenAnew(Heartbeat heartbeat) {
        Duration patience =
                heartbeat.grace().compareTo(heartbeat.timeout()) > 0 ? heartbeat.grace() : heartbeat.timeout();
        Run run = s.run.orElseThrow();
        s.run = Optional.of(run.with(Pulse.armed(now.mono().plus(patience))));
        effects.add(new LookAtHeartbeat(s.spec.name(), run.id(), heartbeat.file()));
    }

    @Override
    public Boolean on(Event.StartAsked event) {
        if (s.state == ServiceState.STOPPING) {
            if (s.wanted == Wanted.DOWN) {
                upAgain(Cause.OPERATOR, "started by an operator");
            }
            forgive(Wanted.UP);
        } else if (s.run.isPresent()) {
            want(Wanted.UP);
        } else {
            forgive(Wanted.UP);
            start();
        }
        return true;
    }

    @Override
    public Boolean on(Event.RestartAsked event) {
        forgive(Wanted.UP);
        switch (s.state) {
            case STARTING, RUNNING -> end(Cause.OPERATOR, "restarted by an operator");
            case STOPPING -> upAgain(Cause.OPERATOR, "restarted by an operator");
            case STOPPED, WAITING, BACKOFF, EXITED, FATAL -> start();
        }
        return true;
    }

    /** A stop is under way, and somebody wants a start to follow it at once: no policy has a say in that. */
    private void upAgain(Cause by, String reason) {
        Ending ending = s.ending.orElseThrow();
        switch (ending.cause()) {
            case SHUTDOWN, OPERATOR, RELOAD, GROUP, DEPENDENCY -> {}
            case EXIT,
                    SIGNAL,
                    HEARTBEAT,
                    NOTIFY,
                    CHECK,
                    START_FAILED,
                    START_TIMEOUT,
                    PRE_START,
                    POST_START,
                    TAKEOVER,
                    UNSUPERVISED -> s.ending = Optional.of(new Ending(by, reason + "; " + ending.reason()));
        }
    }

    @Override
    public Boolean on(Event.StopAsked event) {
        forgive(Wanted.DOWN);
        switch (s.state) {
            case EXITED, FATAL -> comeDown(Cause.OPERATOR, STOPPED_BY_OPERATOR);
            case STOPPED, WAITING, STARTING, RUNNING, BACKOFF, STOPPING -> halt(Cause.OPERATOR, STOPPED_BY_OPERATOR);
        }
        return true;
    }

    /** Only what runs and is wanted: whatever is down starts by its own rules, and an operator's stop stays one. */
    @Override
    public Boolean on(Event.RestartedWithOthers event) {
        if (s.wanted == Wanted.UP && (s.state == ServiceState.STARTING || s.state == ServiceState.RUNNING)) {
            forgetFailuresIfWell();
            end(event.cause(), event.reason());
        }
        return true;
    }

    /** It runs on for the moment, but should the supervisor die now, the next one knows that it is to end. */
    @Override
    public Boolean on(Event.StopQueued event) {
        forgive(Wanted.DOWN);
        return true;
    }

    // ---- another services file ----

    @Override
    public Boolean on(Event.SpecChanged event) {
        SpecChange change = SpecChange.of(s.toService(), event.spec());
        ServiceSpec before = s.spec;
        s.spec = event.spec();
        switch (change) {
            case NONE -> {}
            case IN_PLACE -> takeUp(before);
            case RESTART -> restartWith(before);
            case START -> {
                s.wanted = Wanted.UP;
                restartWith(before);
            }
        }
        return true;
    }

    /** What runs goes on, and is watched as the new spec says; armed timers stay, but for the look at its heartbeat. */
    private void takeUp(ServiceSpec before) {
        if (s.state != ServiceState.STARTING && s.state != ServiceState.RUNNING) {
            return;
        }
        if (!before.log().equals(s.spec.log())) {
            effects.add(new TakeLog(s.spec.name(), s.spec.log()));
        }
        if (!before.heartbeat().equals(s.spec.heartbeat())) {
            listenAsAsked(before);
        }
        boolean sameWatch = before.ready().equals(s.spec.ready())
                && before.startTimeout().equals(s.spec.startTimeout())
                && before.health().equals(s.spec.health());
        if (!sameWatch) {
            health().takeUp(before);
        }
    }

    private void listenAsAsked(ServiceSpec before) {
        Run run = s.run.orElseThrow();
        Optional<Heartbeat> heartbeat = s.spec.heartbeat();
        if (heartbeat.isEmpty()) {
            disarm(TimerKind.HEARTBEAT);
            s.run = Optional.of(run.withoutPulse());
        } else if (before.heartbeat().isPresent()
                && before.heartbeat().get().file().equals(heartbeat.get().file())) {
            if (run.pulse().isEmpty()) {
                // An earlier supervisor's, and not taken over yet: then everything is armed.
                return;
            }
            Duration more =
                    heartbeat.get().grace().minus(before.heartbeat().get().grace());
            Pulse pulse = run.pulse().get().graceMoved(more);
            s.run = Optional.of(run.with(pulse));
            if (s.timers.isArmed(TimerKind.HEARTBEAT)) {
                arm(TimerKind.HEARTBEAT, pulse.nextLook(heartbeat.get().timeout()));
            }
        } else {
            // It was started with this file, and the services file named another one for a while.
            disarm(TimerKind.HEARTBEAT);
            listenAnew(heartbeat.get());
        }
    }

    /** Whoever reloads has changed something in order to have it run: nothing of before counts. */
    private void restartWith(ServiceSpec before) {
        pardon();
        String reason = "the services file has changed: " + changed(before);
        switch (s.state) {
            case STARTING, RUNNING -> end(Cause.RELOAD, reason);
            case STOPPING -> upAgain(Cause.RELOAD, reason);
            case STOPPED -> startAfterJitter();
            case WAITING, BACKOFF, EXITED, FATAL -> start();
        }
    }

    private String changed(ServiceSpec before) {
        StringBuilder keys = new StringBuilder();
        for (SpecKeys.Key key : SpecKeys.differing(before, s.spec)) {
            keys.append(keys.length() == 0 ? "" : ", ").append(key.name());
        }
        return keys.length() == 0 ? "it was started with something else" : keys.toString();
    }

    /** Should the file name it again, autostart decides anew; but what an operator has stopped stays stopped. */
    @Override
    public Boolean on(Event.Removed event) {
        String reason = "the services file no longer names it";
        pardon();
        if (s.wanted == Wanted.UP) {
            s.wanted = Wanted.DOWN;
            s.commanded = false;
        }
        switch (s.state) {
            case EXITED, FATAL -> comeDown(Cause.RELOAD, reason);
            case STOPPED, WAITING, STARTING, RUNNING, BACKOFF, STOPPING -> halt(Cause.RELOAD, reason);
        }
        return true;
    }

    // ---- the end of the supervisor ----

    @Override
    public Boolean on(Event.ShutdownBegun event) {
        if (hasAlerts()) {
            alerts().shutdown();
        }
        if (s.state == ServiceState.STOPPING) {
            Ending ending = s.ending.orElseThrow();
            if (s.wanted == Wanted.UP) {
                s.ending = Optional.of(new Ending(Cause.SHUTDOWN, "the supervisor ends; " + ending.reason()));
            }
        } else {
            halt(Cause.SHUTDOWN, "the supervisor ends");
        }
        return true;
    }

    @Override
    public Boolean on(Event.ShutdownHurried event) {
        if (s.hooks.running().isPresent()) {
            hooks().doom("the supervisor ends at once");
        }
        if (hasAlerts()) {
            alerts().hurry();
        }
        if (s.state == ServiceState.STOPPING && s.process().isPresent()) {
            disarm(TimerKind.DUMP);
            kill();
        }
        return true;
    }

    /** Whatever runs is ended, whatever is about to start does not; ended services stay as they are. */
    private void halt(Cause cause, String reason) {
        switch (s.state) {
            case STARTING, RUNNING -> end(cause, reason);
            case WAITING, BACKOFF -> {
                forgetNextStart();
                comeDown(cause, reason);
            }
            case STOPPED, STOPPING, EXITED, FATAL -> {}
        }
    }

    /** No main process is left to end; it is down as soon as nothing of its last group remains. */
    private void comeDown(Cause cause, String reason) {
        if (!isCleared()) {
            s.ending = Optional.of(new Ending(cause, reason));
            become(ServiceState.STOPPING, "stopping", why(cause, reason));
        } else {
            become(ServiceState.STOPPED, "stopped", why(cause, reason));
        }
    }

    /** A map that keeps its order: that of {@link Map#of} differs from one JVM to the next. */
    private static Map<String, Object> why(Cause cause, String reason) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("cause", cause.word());
        details.put("reason", reason);
        return details;
    }

    private void want(Wanted wanted) {
        s.wanted = wanted;
        s.commanded = true;
    }

    /** What an operator does counts for nothing and clears the backoff. */
    private void forgive(Wanted wanted) {
        want(wanted);
        pardon();
    }

    private void pardon() {
        forgetNextStart();
        if (s.history.failures() > 0
                || !s.history.restartTimes().isEmpty()
                || s.history.climb().taken() > 0) {
            s.history = s.history.forgiven();
        }
    }

    /** A restart that was due will not be made: it was counted when it was decided, so it is taken back. */
    private void forgetNextStart() {
        disarm(TimerKind.RESTART);
        disarm(TimerKind.START_JITTER);
        if (s.next.isPresent()) {
            s.next = Optional.empty();
            s.history = s.history.restartCancelled();
        }
        ladder().takeBack();
        if (s.hooks.runs(HookKind.ESCALATE) && s.hooks.running().get().doomed().isEmpty()) {
            hooks().doom("the restart that it was to prepare will not be made");
        }
    }

    // ---- starting ----

    private void startAfterJitter() {
        Duration jitter = fraction(s.spec.startJitter());
        if (jitter.isZero()) {
            start();
            return;
        }
        s.waitingFor = List.of("its start jitter");
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("for", "its start jitter");
        details.put("delay_ms", jitter.toMillis());
        become(ServiceState.WAITING, "waiting", details);
        arm(TimerKind.START_JITTER, now.mono().plus(jitter));
    }

    private void start() {
        disarm(TimerKind.START_JITTER);
        if (s.grave.isPresent()) {
            postpone(List.of("the rest of its process group to end"));
        } else if (!s.hooks.isIdle()) {
            postpone(List.of(
                    s.hooks.runs(HookKind.ESCALATE) ? "the command of its ladder to end" : "its post_stop hook"));
        } else {
            effects.add(new AskToStart(s.spec.name()));
        }
    }

    @Override
    public Boolean on(Event.StartPostponed event) {
        if (!mayStart()) {
            return false;
        }
        postpone(event.waitingFor());
        return true;
    }

    /** The last guard: never two runs of a service, never one that is not wanted. */
    private boolean mayStart() {
        return s.run.isEmpty() && isCleared() && s.wanted == Wanted.UP;
    }

    private boolean isCleared() {
        return s.grave.isEmpty() && s.hooks.isIdle();
    }

    private void postpone(List<String> reasons) {
        s.waitingFor = reasons;
        if (s.state != ServiceState.WAITING) {
            become(ServiceState.WAITING, "waiting", Map.of("for", String.join(", ", reasons)));
        }
    }

    @Override
    public Boolean on(Event.StartPermitted event) {
        if (!mayStart()) {
            return false;
        }
        s.history = s.next.isPresent() ? s.history.restartMade(now.mono()) : s.history.startedOtherwise();
        enter(ServiceState.STARTING);
        if (s.spec.hooks().has(HookKind.PRE_START)) {
            Optional<String> fingerprint = Optional.of(Fingerprint.of(s.spec));
            s.run = Optional.of(new Run(
                    event.run(), Optional.empty(), now, Optional.empty(), Optional.empty(), false, fingerprint));
            hooks().run(HookKind.PRE_START, event.run());
        } else {
            spawn(event.run());
        }
        return true;
    }

    private void spawn(RunId run) {
        Optional<Pulse> pulse = Optional.empty();
        if (s.spec.heartbeat().isPresent()) {
            Heartbeat heartbeat = s.spec.heartbeat().get();
            pulse = Optional.of(Pulse.armed(now.mono().plus(heartbeat.grace())));
            effects.add(new LookAtHeartbeat(s.spec.name(), run, heartbeat.file()));
        }
        Optional<String> fingerprint = Optional.of(Fingerprint.of(s.spec));
        s.run = Optional.of(new Run(run, Optional.empty(), now, Optional.empty(), pulse, false, fingerprint));
        if (isWatched()) {
            health().aboutToSpawn(run);
        }
        effects.add(new Spawn(s.spec, run));
    }

    @Override
    public Boolean on(Event.Spawned event) {
        if (isOfHook(event.run())) {
            hooks().spawned(event.process());
            return true;
        }
        if (isOfAlert(event.run())) {
            alerts().spawned(event.process());
            return true;
        }
        if (!isPresentRun(event.run()) || s.process().isPresent()) {
            return false;
        }
        runs(event.run(), event.process());
        announceStart(event);
        if (s.state == ServiceState.STOPPING) {
            askToEnd();
            return true;
        }
        beginToListen();
        beginPostStart();
        return true;
    }

    private void runs(RunId run, ProcessIdentity process) {
        s.run = Optional.of(s.run.orElseThrow().spawned(process));
        s.lastRun = Optional.of(new LastRun(run, process));
    }

    /** From the first moment of its process on it is due, until it has succeeded: only then can the service be ready. */
    private void beginPostStart() {
        if (s.spec.hooks().has(HookKind.POST_START)) {
            RunId run = s.run.orElseThrow().id();
            s.hooks = s.hooks.due(HookKind.POST_START, run);
            hooks().run(HookKind.POST_START, run);
        } else {
            waitUntilReady();
        }
    }

    void waitUntilReady() {
        if (s.spec.isOneshot()) {
            s.run = Optional.of(s.run.orElseThrow().ready(now.mono()));
            become(ServiceState.RUNNING, "running", Map.of());
            if (isWatched()) {
                health().isUp();
            }
            return;
        }
        if (!(s.spec.ready() instanceof Readiness.Delay delay)) {
            health().awaitReady();
        } else if (delay.after().isZero()) {
            ready();
        } else {
            arm(TimerKind.READY, now.mono().plus(delay.after()));
        }
    }

    /** The grace begins when there is somebody to beat: a spawn may take long on a slow file system. */
    private void beginToListen() {
        Run run = s.run.orElseThrow();
        if (run.pulse().isEmpty()) {
            return;
        }
        Heartbeat heartbeat = s.spec.heartbeat().orElseThrow();
        Pulse pulse = run.pulse().get().graceUntil(now.mono().plus(heartbeat.grace()));
        s.run = Optional.of(run.with(pulse));
        if (pulse.lastLook().isPresent()) {
            arm(TimerKind.HEARTBEAT, pulse.nextLook(heartbeat.timeout()));
        }
    }

    private void announceStart(Event.Spawned event) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("pid", (long) event.process().pid().value());
        details.put("run_id", event.run().value());
        details.put("argv", s.spec.spawn().command().argv());
        details.put("working_dir", s.spec.spawn().workingDir().toString());
        details.put("user", event.user());
        details.put("environment", event.environment());
        details.put("restarts", s.history.restarts());
        announce("started", Optional.empty(), Optional.of(s.state), details);
    }

    void ready() {
        disarm(TimerKind.READY);
        s.run = Optional.of(s.run.orElseThrow().ready(now.mono()));
        become(ServiceState.RUNNING, "ready", Map.of());
        if (isWatched()) {
            health().isUp();
        }
        if (hasAlerts()) {
            alerts().ready();
        }
        ladder().watch();
    }

    /** Its process is there, and what is to be done beside it has been done. */
    boolean awaitsReadiness() {
        return s.state == ServiceState.STARTING
                && s.process().isPresent()
                && !s.hooks.isDue(HookKind.POST_START)
                && s.hooks.running().isEmpty();
    }

    @Override
    public Boolean on(Event.SpawnFailed event) {
        if (isOfHook(event.run())) {
            hookIsOver(hooks().failed(event.reason()));
            return true;
        }
        if (isOfAlert(event.run())) {
            alerts().failed(event.reason());
            return true;
        }
        if (!isPresentRun(event.run()) || s.process().isPresent()) {
            return false;
        }
        if (s.state == ServiceState.STOPPING) {
            stoppedBeforeSpawned(event.reason());
        } else {
            ended(Optional.empty(), Cause.START_FAILED, event.reason());
        }
        return true;
    }

    /** What its pre_start has done is undone by its post_stop. */
    private void stoppedBeforeSpawned(String reason) {
        if (s.spec.hooks().has(HookKind.PRE_START)) {
            s.history = s.history.ended(
                    endOf(Optional.empty(), s.ending.orElseThrow().cause(), reason, Optional.empty()));
            forgetRun();
        } else {
            s.run = Optional.empty();
        }
        afterRun();
    }

    // ---- hooks ----

    private boolean isOfHook(RunId run) {
        return s.hooks.running().isPresent() && hooks().isRunning(run);
    }

    /** Made where it is needed: most services have no hooks. */
    private HookSteps hooks() {
        if (hookSteps == null) {
            hookSteps = new HookSteps(this, s, false);
        }
        return hookSteps;
    }

    private boolean isOfAlert(RunId run) {
        return s.hooks.alerts().running().isPresent() && alerts().isRunning(run);
    }

    /** Whether somebody is to be told how it fares, or was to. */
    private boolean hasAlerts() {
        return s.spec.hooks() != Hooks.NONE && s.spec.hooks().hasAlerts() || s.hooks.alerts() != Alerts.NONE;
    }

    private AlertSteps alerts() {
        if (alertSteps == null) {
            alertSteps = new AlertSteps(this, s);
        }
        return alertSteps;
    }

    /** Whether more than its process and its heartbeat tell how it is; most services do without. */
    private boolean isWatched() {
        return s.spec.health() != HealthSpec.NONE || !(s.spec.ready() instanceof Readiness.Delay);
    }

    private HealthSteps health() {
        if (healthSteps == null) {
            healthSteps = new HealthSteps(this, s);
        }
        return healthSteps;
    }

    LadderSteps ladder() {
        if (ladderSteps == null) {
            ladderSteps = new LadderSteps(this, s);
        }
        return ladderSteps;
    }

    void runHook(HookKind kind, RunId run) {
        hooks().run(kind, run);
    }

    private void hookIsOver(HookSteps.Outcome outcome) {
        switch (outcome.kind()) {
            case PRE_START -> preStartIsOver(outcome);
            case POST_START -> postStartIsOver(outcome);
            case STOP_COMMAND -> stopCommandIsOver(outcome);
            case POST_STOP -> {
                s.hooks = s.hooks.nothingDue();
                afterRun();
            }
            case ON_FAILURE, ON_GIVE_UP, ON_RECOVERED -> throw new AssertionError(outcome);
            case ESCALATE -> {
                s.history = s.history.at(s.history.climb().done());
                afterRun();
            }
        }
    }

    private void preStartIsOver(HookSteps.Outcome outcome) {
        if (s.state == ServiceState.STOPPING) {
            stoppedBeforeSpawned(outcome.reason());
        } else if (outcome.success()) {
            spawn(s.run.orElseThrow().id());
        } else {
            ended(Optional.empty(), Cause.PRE_START, outcome.reason());
        }
    }

    private void postStartIsOver(HookSteps.Outcome outcome) {
        if (s.run.isEmpty()) {
            afterRun();
            return;
        }
        s.hooks = s.hooks.nothingDue();
        if (s.state == ServiceState.STOPPING) {
            if (s.process().isPresent() && !isAskedToEnd()) {
                askToEnd();
            }
        } else if (outcome.success()) {
            waitUntilReady();
        } else {
            end(Cause.POST_START, outcome.reason());
        }
    }

    /** One that has succeeded may have asked for an end that takes its time, so the rest of its time is the service's. */
    private void stopCommandIsOver(HookSteps.Outcome outcome) {
        if (s.process().isEmpty()) {
            afterRun();
        } else if (outcome.success() && now.mono().isBefore(outcome.deadline())) {
            arm(TimerKind.HOOK, outcome.deadline());
        } else {
            terminate();
        }
    }

    /** A run is over; what has to be done before anything else is: the rest of its processes, its hooks. */
    private void afterRun() {
        if (s.grave.isPresent() || s.hooks.running().isPresent() || s.run.isPresent()) {
            return;
        }
        if (s.hooks.isDue(HookKind.POST_STOP) && s.spec.hooks().has(HookKind.POST_STOP)) {
            hooks().run(HookKind.POST_STOP, s.hooks.due().orElseThrow().run());
        } else {
            s.hooks = s.hooks.nothingDue();
            afterBurial();
        }
    }

    // ---- ending ----

    /** Begins to end the present run; the record of that is in place before the first signal. */
    void end(Cause cause, String reason) {
        watchNoMore();
        ladder().judge(cause);
        s.ending = Optional.of(new Ending(cause, reason));
        become(ServiceState.STOPPING, "stopping", why(cause, reason));
        if (s.process().isPresent()) {
            askToEnd();
        } else if (s.hooks.running().isPresent()) {
            hooks().doom("the service is being stopped");
        }
    }

    private void watchNoMore() {
        disarm(TimerKind.READY);
        disarm(TimerKind.START_TIMEOUT);
        disarm(TimerKind.HEARTBEAT);
        disarm(TimerKind.WATCHDOG);
        disarm(TimerKind.CHECK);
        disarm(TimerKind.STABLE);
        disarm(TimerKind.VERIFY);
    }

    private void askToEnd() {
        boolean hangs = s.ending.orElseThrow().cause().isHang();
        if (s.hooks.running().isPresent()) {
            hooks().doom("the service is being stopped");
        }
        if (!hangs && s.spec.hooks().has(HookKind.STOP_COMMAND)) {
            if (s.hooks.running().isEmpty() && s.grave.isEmpty()) {
                lookAtTree();
                hooks().run(HookKind.STOP_COMMAND, s.run.orElseThrow().id());
            }
            return;
        }
        Optional<Signal> dump = s.spec.stop().dumpSignal();
        if (dump.isPresent() && hangs) {
            lookAtTree();
            signal(dump.get(), false);
            arm(TimerKind.DUMP, now.mono().plus(DUMP_TIME));
        } else {
            terminate();
        }
    }

    void terminate() {
        Signal stop = s.spec.stop().signal();
        boolean toAll = s.spec.stop().killMode() == KillMode.TREE;
        if (!toAll) {
            lookAtTree();
        }
        signal(stop, toAll);
        if (!stop.equals(Signal.KILL)) {
            signal(Signal.CONT, toAll);
        }
        MonotonicTime deadline = now.mono().plus(s.spec.stop().timeout());
        arm(TimerKind.STOP, deadline);
        if (s.spec.isHeard()) {
            health().mayStopUntil(Optional.of(deadline));
        }
    }

    private void kill() {
        if (s.hooks.running().isEmpty()) {
            disarm(TimerKind.HOOK);
        }
        signal(Signal.KILL, s.spec.stop().killMode().endsTree());
        arm(TimerKind.STOP, now.mono().plus(KILL_AGAIN));
        if (s.spec.isHeard()) {
            health().mayStopUntil(Optional.empty());
        }
    }

    private void signal(Signal signal, boolean wholeTree) {
        effects.add(new SendSignal(s.spec.name(), s.run.orElseThrow().id(), signal, wholeTree));
    }

    /** Before anything that the main process may end by while the rest of its tree is not asked. */
    private void lookAtTree() {
        if (s.spec.stop().killMode().endsTree()) {
            effects.add(new LookAtTree(s.spec.name(), s.run.orElseThrow().id()));
        }
    }

    private void beginBurial(RunId run) {
        s.grave = Optional.of(new Grave(run, now.mono(), 0));
        bury(run);
    }

    /** Of a hook nothing remains, whatever is spared of the service. */
    private void bury(RunId run) {
        boolean wholeTree = run.isOfHook() || s.spec.stop().killMode().endsTree();
        effects.add(new Bury(s.spec.name(), run, wholeTree));
    }

    @Override
    public Boolean on(Event.ChildExited event) {
        if (isOfHook(event.run())) {
            hooks().exited(event.status());
            return true;
        }
        if (isOfAlert(event.run())) {
            alerts().exited(event.status());
            return true;
        }
        if (!isPresentRun(event.run()) || s.process().isEmpty() && !s.run.get().adopted()) {
            return false;
        }
        if (s.grave.isPresent()) {
            // Of a hook that an earlier supervisor left; nothing else begins before that is gone.
            s.grave = Optional.of(s.grave.get().then(event.run()));
        } else {
            beginBurial(event.run());
        }
        Optional<ExitStatus> status = Optional.of(event.status());
        if (s.state != ServiceState.STOPPING && s.wanted == Wanted.DOWN) {
            // Its stop was queued, and it has ended before its turn came: no policy has a say in that.
            s.ending = Optional.of(new Ending(Cause.OPERATOR, STOPPED_BY_OPERATOR));
            become(ServiceState.STOPPING, "stopping", why(Cause.OPERATOR, STOPPED_BY_OPERATOR));
        }
        if (s.state != ServiceState.STOPPING) {
            Optional<String> notLoaded = Loading.failure(s.spec, event);
            ended(
                    status,
                    notLoaded.isPresent() ? Cause.START_FAILED : causeOf(event.status()),
                    isWatched()
                            ? health().explained(notLoaded.orElse(Loading.reason(event)), event.status())
                            : notLoaded.orElse(Loading.reason(event)));
            return true;
        }
        Ending ending = s.ending.orElseThrow();
        boolean hasFailed =
                ending.cause().isHang() || ending.cause() == Cause.POST_START || ending.cause() == Cause.START_TIMEOUT;
        if (hasFailed && s.wanted == Wanted.UP) {
            ended(status, ending.cause(), ending.reason());
            return true;
        }
        End end = endOf(status, ending.cause(), ending.reason(), Optional.empty());
        forgetRun();
        s.history = s.history.ended(end);
        announce("exited", Optional.of(s.state), Optional.of(s.state), detailsOf(end));
        return true;
    }

    private static Cause causeOf(ExitStatus status) {
        if (status instanceof ExitStatus.Exited) {
            return Cause.EXIT;
        }
        return status instanceof ExitStatus.Killed ? Cause.SIGNAL : Cause.UNSUPERVISED;
    }

    /**
     * A run ended that nobody had asked to end: the policy decides. An exit code has a say only where the process
     * ended by itself; after a hang it is merely the answer to our signal.
     */
    private void ended(Optional<ExitStatus> status, Cause cause, String reason) {
        forgetFailuresIfWell();
        failuresInARow = s.history.failures() + 1;
        ladder().judge(cause);
        int code = cause == Cause.EXIT && status.orElse(null) instanceof ExitStatus.Exited exited ? exited.code() : -1;
        boolean success = code >= 0 && s.spec.successExitCodes().contains(code);
        boolean restart =
                s.spec.restart() == RestartPolicy.ALWAYS || s.spec.restart() == RestartPolicy.ON_FAILURE && !success;
        if (code >= 0 && s.spec.giveUpExitCodes().contains(code)) {
            climbOrGiveUp(status, cause, reason, "exit " + code + " is one of its give_up_exit_codes");
        } else if (restart) {
            restartOrGiveUp(status, cause, reason);
        } else if (hadNoProcess(cause) || cause == Cause.START_TIMEOUT) {
            climbOrGiveUp(status, cause, reason, "cannot start: " + reason);
        } else {
            finish(endOf(status, cause, reason, Optional.empty()), ServiceState.EXITED, "exited");
        }
    }

    /** The run that ends was ready for long enough: the backoff starts afresh. */
    private void forgetFailuresIfWell() {
        Optional<MonotonicTime> readyAt = s.run.orElseThrow().readyAt();
        boolean wasWell = readyAt.isPresent()
                && now.mono().since(readyAt.get()).compareTo(s.spec.backoff().resetAfter()) >= 0;
        if (wasWell && s.history.failures() > 0) {
            s.history = s.history.recovered();
        }
    }

    private void restartOrGiveUp(Optional<ExitStatus> status, Cause cause, String reason) {
        Duration delay = nextDelay(cause);
        Optional<RestartIntensity> limit = s.spec.startLimit();
        if (limit.isPresent() && !s.history.allows(now.mono().plus(delay), limit.get())) {
            climbOrGiveUp(status, cause, reason, inVain(limit.get()) + "; last: " + reason);
        } else {
            backOff(status, cause, reason, delay);
        }
    }

    private Duration nextDelay(Cause cause) {
        Duration delay = s.spec.backoff().delay(s.history.failures(), s.unit()).plus(fraction(s.spec.startJitter()));
        return hadNoProcess(cause) && delay.compareTo(START_PAUSE) < 0 ? START_PAUSE : delay;
    }

    /** Restarts alone do not help; its ladder may know more. */
    private void climbOrGiveUp(Optional<ExitStatus> status, Cause cause, String reason, String why) {
        if (ladder().climb(why)) {
            backOff(status, cause, reason, nextDelay(cause));
            return;
        }
        RunId run = s.run.orElseThrow().id();
        giveUp(endOf(status, cause, reason, Optional.empty()), ladder().beyond(why));
        ladder().gaveUp(run);
    }

    private void backOff(Optional<ExitStatus> status, Cause cause, String reason, Duration delay) {
        MonotonicTime at = now.mono().plus(delay);
        s.history = s.history.restarting(at, s.spec.startLimit());
        s.next = Optional.of(new NextStart(at, now.wall().plus(delay), delay));
        finish(
                endOf(status, cause, reason, Optional.of(delay)),
                ServiceState.BACKOFF,
                hadNoProcess(cause) ? "start-failed" : "exited");
        afterRun();
    }

    private static boolean hadNoProcess(Cause cause) {
        return cause == Cause.START_FAILED || cause == Cause.PRE_START;
    }

    private static String inVain(RestartIntensity limit) {
        int count = limit.count();
        return count == 0
                ? "start_limit allows no restart"
                : count + (count == 1 ? " restart within " : " restarts within ") + words(limit.within())
                        + " did not help";
    }

    private void giveUp(End end, String reason) {
        s.fatalReason = Optional.of(reason);
        finish(end, ServiceState.FATAL, "gave-up");
    }

    private void finish(End end, ServiceState state, String event) {
        RunId run = s.run.orElseThrow().id();
        forgetRun();
        s.history = s.history.ended(end);
        Map<String, Object> details = detailsOf(end);
        if (state == ServiceState.FATAL) {
            details.put("gave_up", s.fatalReason.orElseThrow());
        }
        become(state, event, details);
        if (hasAlerts()) {
            alerts().ended(run, end, failuresInARow);
        }
        if (state != ServiceState.BACKOFF) {
            afterRun();
        }
    }

    private void forgetRun() {
        watchNoMore();
        disarm(TimerKind.DUMP);
        disarm(TimerKind.STOP);
        Run ended = s.run.orElseThrow();
        if (s.spec.hooks() != Hooks.NONE || !s.hooks.isIdle()) {
            forgetHooks(ended.id());
        }
        if (ended.process().isPresent()) {
            // One that was found dead was never taken over; the next supervisor must not find it once more.
            s.lastRun = Optional.of(new LastRun(ended.id(), ended.process().get()));
        }
        s.run = Optional.empty();
    }

    /** Whatever was to be done beside it is of no use now; its post_stop is due. A stop_command may come to its end. */
    private void forgetHooks(RunId run) {
        if (s.hooks.runs(HookKind.POST_START)) {
            hooks().doom("the service has ended");
        } else if (s.hooks.running().isEmpty()) {
            disarm(TimerKind.HOOK);
        }
        boolean hasPostStop = s.spec.hooks().has(HookKind.POST_STOP);
        s.hooks = hasPostStop ? s.hooks.due(HookKind.POST_STOP, run) : s.hooks.nothingDue();
    }

    private End endOf(Optional<ExitStatus> status, Cause cause, String reason, Optional<Duration> delay) {
        Duration ranFor = status.isEmpty()
                ? Duration.ZERO
                : now.mono().since(s.run.orElseThrow().orderedAt().mono());
        return new End(now.wall(), status, cause, reason, ranFor, delay);
    }

    private Map<String, Object> detailsOf(End end) {
        Map<String, Object> details = new LinkedHashMap<>();
        ExitStatus status = end.status().orElse(null);
        if (status instanceof ExitStatus.Exited exited) {
            details.put("code", (long) exited.code());
        } else if (status instanceof ExitStatus.Killed killed) {
            details.put("signal", killed.signal().fullName());
            details.put("core", killed.core());
        } else if (status instanceof ExitStatus.Unknown) {
            details.put("unknown", true);
        }
        details.put("cause", end.cause().word());
        details.put("reason", end.reason());
        details.put("ran_for_ms", end.ranFor().toMillis());
        details.put("restarts", s.history.restarts());
        if (end.delay().isPresent()) {
            details.put("delay_ms", end.delay().get().toMillis());
        }
        return details;
    }

    // ---- the rest of the group ----

    @Override
    public Boolean on(Event.GroupLookedAt event) {
        if (isOfHook(event.run())) {
            hooks().lookedAt(event.empty(), event.left()).ifPresent(this::hookIsOver);
            return true;
        }
        if (isOfAlert(event.run())) {
            alerts().lookedAt(event.empty(), event.left());
            return true;
        }
        if (s.grave.isEmpty() || !s.grave.get().run().equals(event.run())) {
            return true;
        }
        Grave grave = s.grave.get();
        Duration waited = now.mono().since(grave.since());
        if (!event.empty() && waited.compareTo(GROUP_PATIENCE) < 0) {
            s.grave = Optional.of(grave.lookedAt());
            arm(TimerKind.GROUP, now.mono().plus(waitForGroup(grave.looks())));
            return true;
        }
        if (!event.empty()) {
            Map<String, Object> details = new LinkedHashMap<>();
            details.put("waited_ms", waited.toMillis());
            details.put("left", event.left());
            announce("group-remains", Optional.empty(), Optional.empty(), details);
        }
        s.grave = Optional.empty();
        disarm(TimerKind.GROUP);
        grave.then().ifPresent(this::beginBurial);
        afterRun();
        afterLeftHook();
        if (hasAlerts()) {
            alerts().next();
        }
        return true;
    }

    /** A hook of an earlier supervisor is gone, and a process goes on: now may begin what had to wait for that. */
    private void afterLeftHook() {
        if (s.process().isEmpty() || s.grave.isPresent() || s.hooks.running().isPresent()) {
            return;
        }
        if (s.state == ServiceState.STOPPING && !isAskedToEnd()) {
            askToEnd();
        } else if (s.state == ServiceState.STARTING && s.hooks.isDue(HookKind.POST_START)) {
            beginPostStart();
        }
    }

    boolean isAskedToEnd() {
        return s.timers.isArmed(TimerKind.STOP) || s.timers.isArmed(TimerKind.DUMP);
    }

    /** Until the next look at a group that was found not to be empty so often. */
    static Duration waitForGroup(int looks) {
        return Duration.ofMillis(Math.min(LONGEST_GROUP_WAIT_MS, 1 << Math.min(looks, 10)));
    }

    private void afterBurial() {
        switch (s.state) {
            case BACKOFF -> comeBack();
            case STOPPING -> settle();
            case WAITING -> {
                if (!s.timers.isArmed(TimerKind.START_JITTER)) {
                    start();
                }
            }
            case STOPPED, STARTING, RUNNING, EXITED, FATAL -> {}
        }
    }

    /** A stop is complete: down, or up again where that is wanted by now. */
    private void settle() {
        if (s.run.isPresent() || !isCleared()) {
            return;
        }
        Cause cause = s.ending.orElseThrow().cause();
        if (s.wanted == Wanted.DOWN || cause == Cause.SHUTDOWN) {
            become(ServiceState.STOPPED, "stopped", Map.of());
        } else if (cause == Cause.TAKEOVER) {
            startAfterJitter();
        } else {
            start();
        }
    }

    private void startWhenDue() {
        NextStart next = s.next.orElseThrow();
        if (now.mono().isBefore(next.at())) {
            arm(TimerKind.RESTART, next.at());
        } else {
            start();
        }
    }

    // ---- heartbeats and timers ----

    @Override
    public Boolean on(Event.HeartbeatLookedAt event) {
        boolean alive = s.state == ServiceState.STARTING || s.state == ServiceState.RUNNING;
        if (!alive || !isPresentRun(event.run()) || s.spec.heartbeat().isEmpty()) {
            return true;
        }
        Heartbeat heartbeat = s.spec.heartbeat().get();
        Run run = s.run.orElseThrow();
        Pulse before = run.pulse().orElseThrow();
        // What an adopted process did before we looked, nobody judges: the first look only sees where the file stands.
        boolean seesOld = run.adopted() && before.lastLook().isEmpty();
        Pulse pulse = before.after(event.look(), seesOld ? event.look().at() : run.orderedAt());
        if (before.lastLook().isEmpty() && !seesOld) {
            Optional<MonotonicTime> doubtful = pulse.doubtfulBeat(event.look(), run.orderedAt());
            pulse = doubtful.isPresent() ? pulse.graceUntil(doubtful.get().plus(heartbeat.timeout())) : pulse;
        }
        boolean first = before.lastLook().isEmpty();
        if (first && !event.look().at().mono().isBefore(pulse.deadline(heartbeat.timeout())) || seesOld) {
            // A first look that comes late proves nothing: there is none before it to compare with.
            pulse = pulse.graceUntil(event.look().at().mono().plus(heartbeat.timeout()));
        }
        // A look that takes long (a file system that hangs, a thread that has to wait) may miss beats at its end.
        boolean stale = !first && !event.look().begun().isBefore(pulse.deadline(heartbeat.timeout()));
        s.run = Optional.of(run.with(pulse));
        if (stale && s.process().isPresent()) {
            end(Cause.HEARTBEAT, silence(heartbeat, pulse));
        } else if (s.process().isPresent()) {
            arm(TimerKind.HEARTBEAT, pulse.nextLook(heartbeat.timeout()));
            if (s.spec.ready() instanceof Readiness.FirstBeat) {
                health().readyOrAskAgain();
            }
        }
        return true;
    }

    @Override
    public Boolean on(Event.Notified event) {
        if (isPresentRun(event.run()) && s.process().isPresent() && isUpOrStopping()) {
            health().heard(event.notice());
        }
        return true;
    }

    @Override
    public Boolean on(Event.MainNamed event) {
        if (isPresentRun(event.run()) && s.process().isPresent() && isUpOrStopping()) {
            health().mainNamed(event.process());
        }
        return true;
    }

    private boolean isUpOrStopping() {
        return s.state == ServiceState.STARTING || s.state == ServiceState.RUNNING || s.state == ServiceState.STOPPING;
    }

    @Override
    public Boolean on(Event.HeardOut event) {
        if (isPresentRun(event.run())) {
            health().heardOut(event.at(), event.deaf());
        }
        return true;
    }

    @Override
    public Boolean on(Event.ReadyFileLookedAt event) {
        if (isPresentRun(event.run())) {
            health().looked(event.look());
        }
        return true;
    }

    @Override
    public Boolean on(Event.Probed event) {
        if (isPresentRun(event.run())) {
            health().probed(event.check(), event.problem());
        }
        return true;
    }

    @Override
    public Boolean on(Event.LineSeen event) {
        if (isPresentRun(event.run())) {
            health().lineSeen();
        }
        return true;
    }

    private static String silence(Heartbeat heartbeat, Pulse pulse) {
        String what = pulse.lastBeat().isPresent()
                ? "no heartbeat for " + words(heartbeat.timeout())
                : "no heartbeat within " + words(heartbeat.grace()) + " of its start";
        Optional<String> seen = pulse.lastLook().flatMap(Lifecycle::seen);
        return seen.isPresent() ? what + ": " + heartbeat.file() + " " + seen.get() : what;
    }

    /** What explains the silence; empty where there is a file, which merely did not change. */
    private static Optional<String> seen(Look look) {
        boolean missing = look.stamp().isEmpty() && look.problem().isEmpty();
        return missing ? Optional.of("is not there, or a link that leads nowhere") : look.problem();
    }

    @Override
    public Boolean on(Event.TimerFired event) {
        if (!s.timers.isArmed(event.kind()) || s.timers.generation(event.kind()) != event.generation()) {
            return true;
        }
        s.timers = s.timers.cancel(event.kind());
        switch (event.kind()) {
            case START_JITTER -> start();
            case RESTART -> startWhenDue();
            case READY -> {
                if (s.spec.ready() instanceof Readiness.Delay) {
                    ready();
                } else {
                    health().ask();
                }
            }
            case START_TIMEOUT -> health().startIsLate();
            case VERIFY -> ladder().works();
            case WATCHDOG -> health().pingIsLate();
            case CHECK -> health().checksAreDue();
            case HEARTBEAT ->
                effects.add(new LookAtHeartbeat(
                        s.spec.name(),
                        s.run.orElseThrow().id(),
                        s.spec.heartbeat().orElseThrow().file()));
            case DUMP -> terminate();
            case STOP -> {
                announce("killing", Optional.empty(), Optional.empty(), Map.of("signal", Signal.KILL.fullName()));
                kill();
            }
            case HOOK -> {
                if (s.hooks.running().isPresent()) {
                    hooks().timerFired();
                } else {
                    terminate();
                }
            }
            case GROUP -> bury(s.grave.orElseThrow().run());
            case STABLE -> alerts().stable();
            case ALERT -> alerts().timerFired();
            case ALERT_QUIET -> alerts().quietIsOver();
        }
        return true;
    }

    void arm(TimerKind kind, MonotonicTime deadline) {
        s.timers = s.timers.arm(kind);
        effects.add(new ArmTimer(s.spec.name(), kind, s.timers.generation(kind), deadline));
    }

    void disarm(TimerKind kind) {
        if (s.timers.isArmed(kind)) {
            s.timers = s.timers.cancel(kind);
            effects.add(new CancelTimer(s.spec.name(), kind));
        }
    }

    // ---- small things ----

    Now now() {
        return now;
    }

    void order(Effect effect) {
        effects.add(effect);
    }

    private boolean isPresentRun(RunId run) {
        return s.run.isPresent() && s.run.get().id().equals(run);
    }

    /** The one place where the state changes; what belongs to another state does not outlive it. */
    private void enter(ServiceState state) {
        s.state = state;
        s.since = now;
        if (state != ServiceState.FATAL) {
            s.fatalReason = Optional.empty();
        }
        if (state != ServiceState.WAITING) {
            s.waitingFor = List.of();
        }
        if (state != ServiceState.STOPPING) {
            s.ending = Optional.empty();
        }
        if (state != ServiceState.BACKOFF && state != ServiceState.WAITING) {
            s.next = Optional.empty();
        }
    }

    private void become(ServiceState state, String event, Map<String, Object> details) {
        ServiceState from = s.state;
        enter(state);
        announce(event, Optional.of(from), Optional.of(state), details);
    }

    void announce(String event, Optional<ServiceState> from, Optional<ServiceState> to, Map<String, Object> details) {
        effects.add(new Announce(s.spec.name(), event, from, to, details));
    }

    /** A random part of {@code whole}. */
    private Duration fraction(Duration whole) {
        return whole.isZero() ? whole : Duration.ofNanos((long) (whole.toNanos() * s.unit()));
    }

    static String words(Duration duration) {
        long ms = duration.toMillis();
        if (ms % 1000 != 0) {
            return ms + "ms";
        }
        long seconds = ms / 1000;
        if (seconds == 0 || seconds % 60 != 0) {
            return seconds + "s";
        }
        return seconds % 3600 == 0 ? seconds / 3600 + "h" : seconds / 60 + "m";
    }
}
