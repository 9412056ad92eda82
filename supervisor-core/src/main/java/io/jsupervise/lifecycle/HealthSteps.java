package io.jsupervise.lifecycle;

import io.jsupervise.lifecycle.Health.CheckState;
import io.jsupervise.lifecycle.Health.Said;
import io.jsupervise.spec.Check;
import io.jsupervise.spec.Probe;
import io.jsupervise.spec.Readiness;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How a run is known to be ready and to be alive, beside its heartbeat: what it says at its notify socket (sd_notify(3)),
 * what a file or an answer tells, and how checks go. {@link Lifecycle} decides what follows from it: {@link
 * Lifecycle#ready} and {@link Lifecycle#end}. Used in the steps of services that ask for some of it, and by nobody else.
 *
 * <p>Nobody is judged by silence before somebody has listened: when a WATCHDOG=1 is overdue, what waits in the socket is
 * read first, since we may have stood still ourselves.
 */
final class HealthSteps {
    /** From one question whether it is ready to the next, at first, and when it has taken long. */
    private static final Duration ASK_AGAIN = Duration.ofMillis(200);

    private static final Duration HEAR_AGAIN = Duration.ofSeconds(10);

    private static final Duration ASK_SELDOM = Duration.ofSeconds(2);

    private final Lifecycle lifecycle;
    private final Draft s;

    HealthSteps(Lifecycle lifecycle, Draft draft) {
        this.lifecycle = lifecycle;
        this.s = draft;
    }

    // ---- ready ----

    /** Before the spawn: what is there already is none of this run. */
    void aboutToSpawn(RunId run) {
        if (s.spec.ready() instanceof Readiness.Written written) {
            lifecycle.order(new Effect.LookAtReadyFile(s.spec.name(), run, written.file()));
        } else if (s.spec.ready() instanceof Readiness.LogLine line) {
            lifecycle.order(new Effect.AwaitLine(s.spec.name(), run, s.spec.log(), line.pattern()));
        }
    }

    void lineSeen() {
        if (s.spec.ready() instanceof Readiness.LogLine) {
            set(health().said(Said.READY));
            if (lifecycle.awaitsReadiness()) {
                lifecycle.ready();
            }
        }
    }

    /** The process is there, and its post_start hook has succeeded. */
    void awaitReady() {
        if (isReady()) {
            lifecycle.ready();
            return;
        }
        Duration timeout = s.spec.startTimeout();
        if (!timeout.isZero()) {
            startBy(later(health().startBy(), now().plus(timeout)));
        }
        ask();
    }

    private boolean isReady() {
        Readiness ready = s.spec.ready();
        if (ready instanceof Readiness.Notified || ready instanceof Readiness.LogLine) {
            return health().said() == Said.READY;
        } else if (ready instanceof Readiness.FirstBeat) {
            return run().pulse().flatMap(Pulse::lastBeat).isPresent();
        } else if (ready instanceof Readiness.Written) {
            return health().readyFile().flatMap(Pulse::lastBeat).isPresent();
        }
        return false;
    }

    /** Also when the timer says that it is time to ask again. */
    void ask() {
        Readiness ready = s.spec.ready();
        RunId run = run().id();
        if (ready instanceof Readiness.FirstBeat) {
            lifecycle.order(new Effect.LookAtHeartbeat(
                    s.spec.name(), run, s.spec.heartbeat().orElseThrow().file()));
        } else if (ready instanceof Readiness.Written written) {
            lifecycle.order(new Effect.LookAtReadyFile(s.spec.name(), run, written.file()));
        } else if (ready instanceof Readiness.Answering answering) {
            if (mustWait(answering.probe())) {
                lifecycle.arm(TimerKind.READY, now().plus(ASK_AGAIN));
            } else {
                ask(Optional.empty(), answering.probe(), Check.DEFAULT_TIMEOUT);
            }
        }
    }

    /** What an earlier supervisor left may be this very check, and there is one of it at a time. */
    private boolean mustWait(Probe probe) {
        return probe instanceof Probe.Exec && s.grave.isPresent();
    }

    private void ask(Optional<String> check, Probe probe, Duration timeout) {
        RunId run = run().id();
        if (probe instanceof Probe.Exec exec) {
            Pid main = s.process().orElseThrow().pid();
            lifecycle.order(new Effect.RunCheck(s.spec, run, check, exec.command(), timeout, main));
        } else if (probe instanceof Probe.Remote remote) {
            lifecycle.order(new Effect.AskProbe(s.spec.name(), run, check, remote, timeout));
        } else {
            throw new AssertionError(probe);
        }
    }

    /** After each answer: ready, or asked again in a while. */
    void readyOrAskAgain() {
        if (!lifecycle.awaitsReadiness()) {
            return;
        }
        if (isReady()) {
            lifecycle.ready();
        } else {
            lifecycle.arm(TimerKind.READY, now().plus(untilAskedAgain()));
        }
    }

    /** A tenth of the time that it has taken so far: a thousand that wait for a database must not wear out the machine. */
    private Duration untilAskedAgain() {
        Duration tenth = now().since(run().orderedAt().mono()).dividedBy(10);
        if (tenth.compareTo(ASK_AGAIN) < 0) {
            return ASK_AGAIN;
        }
        return tenth.compareTo(ASK_SELDOM) > 0 ? ASK_SELDOM : tenth;
    }

    void looked(Look look) {
        if (s.state == ServiceState.STARTING && s.spec.ready() instanceof Readiness.Written) {
            Pulse before = health().readyFile().orElseGet(() -> Pulse.armed(now()));
            set(health().readyFile(before.after(look, run().orderedAt())));
            readyOrAskAgain();
        }
    }

    private void answered(Optional<String> problem) {
        if (!lifecycle.awaitsReadiness() || !(s.spec.ready() instanceof Readiness.Answering)) {
            return;
        }
        set(health().answer(problem));
        if (problem.isEmpty()) {
            lifecycle.ready();
        } else {
            lifecycle.arm(TimerKind.READY, now().plus(untilAskedAgain()));
        }
    }

    /** It had its time. */
    void startIsLate() {
        if (s.spec.isHeard()) {
            hearOut(TimerKind.START_TIMEOUT);
        } else {
            judgeStart();
        }
    }

    /** One that began under an earlier supervisor may have said that it is ready while nobody was there to hear it. */
    private void judgeStart() {
        boolean saysItOnce =
                s.spec.ready() instanceof Readiness.Notified || s.spec.ready() instanceof Readiness.LogLine;
        if (run().adopted() && saysItOnce) {
            lifecycle.ready();
            return;
        }
        String what = "not ready within " + Lifecycle.words(s.spec.startTimeout()) + ": it waits for "
                + s.spec.ready().words();
        Optional<String> answer = health().answer();
        lifecycle.end(Cause.START_TIMEOUT, answer.isPresent() ? what + ", and got: " + answer.get() : what);
    }

    // ---- alive ----

    /** It has just become ready, or was found to be by a supervisor that takes over. */
    void isUp() {
        lifecycle.disarm(TimerKind.START_TIMEOUT);
        set(health().startBy(Optional.empty()));
        expectPing();
        beginChecks();
    }

    private void expectPing() {
        Optional<Duration> every = health().watchdog().or(s.spec.health()::watchdogTimeout);
        if (every.isPresent() && !every.get().isZero()) {
            watchBy(now().plus(every.get()));
        } else {
            lifecycle.disarm(TimerKind.WATCHDOG);
            set(health().watchBy(Optional.empty()));
        }
    }

    /** The next WATCHDOG=1 is overdue, as far as has been read. */
    void pingIsLate() {
        hearOut(TimerKind.WATCHDOG);
    }

    /** @param timer asks again, should there be no answer */
    private void hearOut(TimerKind timer) {
        lifecycle.arm(timer, now().plus(HEAR_AGAIN));
        lifecycle.order(new Effect.HearOut(s.spec.name(), run().id()));
    }

    void heardOut(MonotonicTime at, Optional<String> deaf) {
        if (s.state == ServiceState.STARTING && health().startBy().isPresent()) {
            MonotonicTime deadline = health().startBy().get();
            if (at.isBefore(deadline)) {
                startBy(deadline);
            } else if (deaf.isPresent()) {
                startBy(now().plus(s.spec.startTimeout()));
            } else {
                judgeStart();
            }
        } else if (s.state == ServiceState.RUNNING && health().watchBy().isPresent()) {
            MonotonicTime deadline = health().watchBy().get();
            if (at.isBefore(deadline)) {
                watchBy(deadline);
            } else if (deaf.isPresent() && health().said() != Said.STOPPING) {
                expectPing();
            } else {
                lifecycle.end(Cause.NOTIFY, silence());
            }
        }
    }

    private String silence() {
        if (health().said() == Said.STOPPING) {
            return "it said STOPPING=1, and had not ended "
                    + Lifecycle.words(s.spec.stop().timeout()) + " later";
        }
        Duration every =
                health().watchdog().or(s.spec.health()::watchdogTimeout).orElseThrow();
        return "no WATCHDOG=1 for " + Lifecycle.words(every);
    }

    // ---- what it says ----

    void heard(Notice notice) {
        if (notice.status().isPresent()) {
            set(health().status(notice.status().get()));
        }
        if (notice.errno().isPresent() || notice.exitStatus().isPresent()) {
            String status =
                    notice.exitStatus().map(code -> "exit status " + code).orElse("");
            set(health().failure(notice.errno()
                    .map(errno -> status.isEmpty() ? errno : errno + ", " + status)
                    .orElse(status)));
        }
        if (s.state != ServiceState.STOPPING) {
            heardWhileUp(notice);
        }
        if (notice.extend().isPresent() && s.run.isPresent()) {
            extend(now().plus(notice.extend().get()));
        }
    }

    private void heardWhileUp(Notice notice) {
        if (notice.watchdog().isPresent()) {
            set(health().watchdog(notice.watchdog().get()));
        }
        boolean isUp = s.state == ServiceState.RUNNING && health().said() != Said.STOPPING;
        if (isUp && (notice.ping() || notice.watchdog().isPresent())) {
            expectPing();
        }
        if (notice.trigger()) {
            lifecycle.end(Cause.NOTIFY, "it said WATCHDOG=trigger");
        } else if (notice.stopping()) {
            saysItEnds();
        } else if (notice.ready() && health().said() != Said.STOPPING) {
            saysItIsReady();
        } else if (notice.reloading() && isUp) {
            says(Said.RELOADING);
        }
    }

    /** Another process is the one that is watched, signalled and waited for; whoever supervises next finds it in the journal. */
    void mainNamed(ProcessIdentity process) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("pid", (long) process.pid().value());
        details.put("before", (long) s.process().orElseThrow().pid().value());
        s.run = Optional.of(run().spawned(process));
        s.lastRun = Optional.of(new Service.LastRun(run().id(), process));
        lifecycle.announce("main-changed", Optional.empty(), Optional.empty(), details);
        if (s.state == ServiceState.STOPPING && lifecycle.isAskedToEnd()) {
            // What it was asked before, it may not have heard.
            lifecycle.terminate();
        }
    }

    private void saysItIsReady() {
        if (health().said() == Said.RELOADING) {
            says(Said.READY);
        }
        set(health().said(Said.READY));
        if (lifecycle.awaitsReadiness() && s.spec.ready() instanceof Readiness.Notified) {
            lifecycle.ready();
        }
    }

    /** What follows is its own end, and judged as such; but it has to come. */
    private void saysItEnds() {
        if (health().said() == Said.STOPPING) {
            return;
        }
        says(Said.STOPPING);
        if (s.state == ServiceState.RUNNING) {
            lifecycle.disarm(TimerKind.CHECK);
            watchBy(now().plus(s.spec.stop().timeout()));
        }
    }

    private void says(Said what) {
        if (health().said() != what) {
            set(health().said(what));
            Map<String, Object> details = new LinkedHashMap<>();
            details.put("what", what.name() + "=1");
            lifecycle.announce("notified", Optional.empty(), Optional.empty(), details);
        }
    }

    /** Whatever it is about to do may take until then, or for as long as it could before. */
    private void extend(MonotonicTime until) {
        switch (s.state) {
            case STARTING -> {
                if (health().startBy().isPresent()) {
                    startBy(later(health().startBy(), until));
                }
            }
            case RUNNING -> {
                if (health().watchBy().isPresent()) {
                    watchBy(later(health().watchBy(), until));
                }
            }
            case STOPPING -> {
                if (health().stopBy().isPresent()) {
                    MonotonicTime by = later(health().stopBy(), until);
                    set(health().stopBy(Optional.of(by)));
                    lifecycle.arm(TimerKind.STOP, by);
                }
            }
            case STOPPED, WAITING, BACKOFF, EXITED, FATAL -> {}
        }
    }

    /** It was asked to end, and has until then. */
    void mayStopUntil(Optional<MonotonicTime> deadline) {
        set(health().stopBy(deadline));
    }

    /** How it ended; of a failure with what it said of that. */
    String explained(String reason, ExitStatus status) {
        Optional<String> failure = health().failure();
        boolean hasFailed = !(status instanceof ExitStatus.Exited exited)
                || !s.spec.successExitCodes().contains(exited.code());
        return hasFailed && failure.isPresent() ? reason + ", and it said: " + failure.get() : reason;
    }

    // ---- checks ----

    private void beginChecks() {
        List<CheckState> states = new ArrayList<>();
        for (Check check : s.spec.health().checks()) {
            // A random part of the interval, so that a herd that was started at once is spread.
            MonotonicTime due =
                    now().plus(Duration.ofNanos((long) (check.interval().toNanos() * s.unit())));
            states.add(new CheckState(check.name(), due, false, 0, Optional.empty(), Optional.empty()));
        }
        setChecks(states);
    }

    /** The timer of whatever is due first. */
    private void setChecks(List<CheckState> states) {
        set(health().checks(states));
        Optional<MonotonicTime> first = Optional.empty();
        for (CheckState state : states) {
            if (!state.asked()) {
                first = Optional.of(first.isEmpty() ? state.due() : MonotonicTime.min(first.get(), state.due()));
            }
        }
        if (first.isPresent()) {
            lifecycle.arm(TimerKind.CHECK, first.get());
        } else {
            lifecycle.disarm(TimerKind.CHECK);
        }
    }

    void checksAreDue() {
        List<CheckState> states = new ArrayList<>();
        for (CheckState state : health().checks()) {
            boolean due = !state.asked() && !now().isBefore(state.due());
            Check check = check(state.name());
            if (due && mustWait(check.probe())) {
                states.add(new CheckState(
                        state.name(), now().plus(ASK_AGAIN), false, state.failures(), state.problem(), state.lastAt()));
                continue;
            }
            if (due) {
                ask(Optional.of(check.name()), check.probe(), check.timeout());
            }
            states.add(
                    due
                            ? new CheckState(
                                    state.name(), state.due(), true, state.failures(), state.problem(), state.lastAt())
                            : state);
        }
        setChecks(states);
    }

    private Check check(String name) {
        for (Check check : s.spec.health().checks()) {
            if (check.name().equals(name)) {
                return check;
            }
        }
        throw new AssertionError("no check " + name);
    }

    void probed(Optional<String> name, Optional<String> problem) {
        if (name.isEmpty()) {
            answered(problem);
            return;
        }
        if (s.state != ServiceState.RUNNING || health().said() == Said.STOPPING) {
            return;
        }
        List<CheckState> states = new ArrayList<>();
        Optional<String> hang = Optional.empty();
        for (CheckState state : health().checks()) {
            if (state.asked() && state.name().equals(name.get())) {
                Check check = check(state.name());
                CheckState after = after(check, state, problem);
                if (after.failures() >= check.retries()) {
                    hang = Optional.of(failed(check, problem.orElseThrow()));
                }
                states.add(after);
            } else {
                states.add(state);
            }
        }
        setChecks(states);
        if (hang.isPresent()) {
            lifecycle.end(Cause.CHECK, hang.get());
        }
    }

    private static String failed(Check check, String problem) {
        String often = check.retries() == 1 ? "" : " " + check.retries() + " times in a row";
        return "check " + check.name() + " (" + check.probe() + ") failed" + often + ": " + problem;
    }

    private CheckState after(Check check, CheckState before, Optional<String> problem) {
        MonotonicTime countsFrom = run().readyAt().orElse(now()).plus(check.startPeriod());
        boolean counts = problem.isPresent() && !now().isBefore(countsFrom);
        int failures = problem.isEmpty() ? 0 : before.failures() + (counts ? 1 : 0);
        if (counts && before.failures() == 0) {
            tellOfCheck("check-failed", check, problem);
        } else if (problem.isEmpty() && before.failures() > 0) {
            tellOfCheck("check-recovered", check, problem);
        }
        MonotonicTime next = before.due().plus(check.interval());
        MonotonicTime due = next.isBefore(now()) ? now() : next;
        return new CheckState(check.name(), due, false, failures, problem, Optional.of(now()));
    }

    private void tellOfCheck(String event, Check check, Optional<String> problem) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("check", check.name());
        details.put("what", check.probe().toString());
        if (problem.isPresent()) {
            details.put("reason", problem.get());
            lifecycle.announce("check-failed", Optional.empty(), Optional.empty(), details);
        } else {
            lifecycle.announce("check-recovered", Optional.empty(), Optional.empty(), details);
        }
    }

    /** Another services file says how it is watched; the process runs on. */
    void takeUp(io.jsupervise.spec.ServiceSpec before) {
        boolean sameStart =
                before.ready().equals(s.spec.ready()) && before.startTimeout().equals(s.spec.startTimeout());
        if (!sameStart && lifecycle.awaitsReadiness()) {
            lifecycle.disarm(TimerKind.READY);
            lifecycle.disarm(TimerKind.START_TIMEOUT);
            set(health().startBy(Optional.empty()));
            if (s.spec.ready() instanceof Readiness.LogLine) {
                aboutToSpawn(run().id());
            }
            lifecycle.waitUntilReady();
        }
        boolean sameChecks = before.health().checks().equals(s.spec.health().checks());
        if (!sameChecks && s.state == ServiceState.RUNNING && health().said() != Said.STOPPING) {
            beginChecks();
        }
    }

    // ---- small things ----

    private Run run() {
        return s.run.orElseThrow();
    }

    private Health health() {
        return run().health();
    }

    private void set(Health health) {
        s.run = Optional.of(run().with(health));
    }

    private void startBy(MonotonicTime deadline) {
        set(health().startBy(Optional.of(deadline)));
        lifecycle.arm(TimerKind.START_TIMEOUT, deadline);
    }

    private void watchBy(MonotonicTime deadline) {
        set(health().watchBy(Optional.of(deadline)));
        lifecycle.arm(TimerKind.WATCHDOG, deadline);
    }

    private static MonotonicTime later(Optional<MonotonicTime> known, MonotonicTime other) {
        return known.isPresent() && other.isBefore(known.get()) ? known.get() : other;
    }

    private MonotonicTime now() {
        return lifecycle.now().mono();
    }
}
