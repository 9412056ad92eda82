package io.jsupervise.lifecycle;

import io.jsupervise.lifecycle.Effect.Bury;
import io.jsupervise.lifecycle.Effect.SendSignal;
import io.jsupervise.lifecycle.Effect.Spawn;
import io.jsupervise.lifecycle.HookState.Hook;
import io.jsupervise.spec.HookKind;
import io.jsupervise.spec.Hooks;
import io.jsupervise.spec.Signal;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How a hook runs: as a process with a run id of its own, which is spawned, watched, killed when its time is over, and
 * buried like a main process. It is over when nothing of its process group is left; only then does {@link Lifecycle}
 * hear of its outcome and go on. Used in the steps of services that have hooks, and by nobody else.
 */
final class HookSteps {
    private final Lifecycle lifecycle;
    private final Draft s;

    /** Whether this is about the one that runs beside the service, see {@link AlertSteps}. */
    private final boolean beside;

    private final TimerKind timer;

    /**
     * How it ended.
     *
     * @param success  whether it exited with 0 in its time; otherwise {@code reason} says what was wrong
     * @param deadline when its time would have been over
     */
    record Outcome(HookKind kind, boolean success, String reason, MonotonicTime deadline) {}

    HookSteps(Lifecycle lifecycle, Draft draft, boolean beside) {
        this.lifecycle = lifecycle;
        this.s = draft;
        this.beside = beside;
        this.timer = beside ? TimerKind.ALERT : TimerKind.HOOK;
    }

    private Optional<Hook> running() {
        return beside ? s.hooks.alerts().running() : s.hooks.running();
    }

    private void running(Hook hook) {
        s.hooks = beside ? s.hooks.with(s.hooks.alerts().running(Optional.of(hook))) : s.hooks.running(hook);
    }

    /** Whether {@code run} is that of the hook that runs. */
    boolean isRunning(RunId run) {
        return running().isPresent() && running().get().id().equals(run);
    }

    /** @param run of the service, before or after which it runs */
    void run(HookKind kind, RunId run) {
        Hooks.Hook spec = specOf(kind).orElseThrow();
        RunId id = run.ofHook(kind);
        MonotonicTime begun = lifecycle.now().mono();
        running(new Hook(kind, id, Optional.empty(), begun, Optional.empty(), Optional.empty(), 0));
        HookCall call = new HookCall(kind, spec.command(), variables(kind));
        lifecycle.order(new Spawn(s.spec, id, Optional.of(call)));
        lifecycle.arm(timer, begun.plus(spec.timeout()));
    }

    private Optional<Hooks.Hook> specOf(HookKind kind) {
        return kind == HookKind.ESCALATE
                ? lifecycle.ladder().command()
                : s.spec.hooks().of(kind);
    }

    private Map<String, String> variables(HookKind kind) {
        Map<String, String> variables = new LinkedHashMap<>();
        variables.put("JSUPERVISE_HOOK", kind.word());
        if (s.process().isPresent()) {
            variables.put("JSUPERVISE_PID", s.process().get().pid().toString());
        }
        if (beside) {
            Alerts.Alert alert = s.hooks.alerts().due().get(0);
            variables.put("JSUPERVISE_STATE", s.state.name());
            variables.put("JSUPERVISE_REASON", alert.reason());
            variables.put("JSUPERVISE_FAILURES", Integer.toString(alert.failures()));
            variables.put("JSUPERVISE_RESTARTS", Long.toString(s.history.restarts()));
        }
        if (kind == HookKind.ESCALATE) {
            lifecycle.ladder().addTo(variables);
        }
        boolean tellsEnd = beside || kind == HookKind.POST_STOP || kind == HookKind.ESCALATE;
        if (tellsEnd && s.history.lastEnd().isPresent()) {
            End end = s.history.lastEnd().get();
            variables.put("JSUPERVISE_CAUSE", end.cause().word());
            ExitStatus status = end.status().orElse(null);
            if (status instanceof ExitStatus.Exited exited) {
                variables.put("JSUPERVISE_EXIT_CODE", String.valueOf(exited.code()));
            } else if (status instanceof ExitStatus.Killed killed) {
                variables.put("JSUPERVISE_EXIT_SIGNAL", killed.signal().fullName());
            }
        }
        return variables;
    }

    /** It is of no use any more, or takes too long. */
    void doom(String reason) {
        Hook hook = running().orElseThrow();
        if (hook.status().isPresent()) {
            return;
        }
        if (hook.doomed().isEmpty()) {
            running(hook.doomed(reason));
        }
        kill();
    }

    private void kill() {
        Hook hook = running().orElseThrow();
        if (hook.process().isPresent()) {
            lifecycle.order(new SendSignal(s.spec.name(), hook.id(), Signal.KILL, true));
        }
        lifecycle.arm(timer, lifecycle.now().mono().plus(Lifecycle.KILL_AGAIN));
    }

    void spawned(ProcessIdentity process) {
        Hook hook = running().orElseThrow();
        MonotonicTime now = lifecycle.now().mono();
        running(hook.spawned(process, now));
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("hook", hook.kind().word());
        details.put("pid", (long) process.pid().value());
        lifecycle.announce("hook-started", Optional.empty(), Optional.empty(), details);
        if (hook.doomed().isPresent()) {
            kill();
        } else if (hook.begun().isBefore(now)) {
            // What it had to wait for is nothing that it took.
            lifecycle.arm(timer, now.plus(timeout(hook)));
        }
    }

    /** No process could be made. */
    Outcome failed(String reason) {
        Hook hook = running().orElseThrow();
        running(hook.ended(
                new Hook.Ended(Optional.empty(), reason, lifecycle.now().mono())));
        return over();
    }

    /** What it leaves behind is killed before its outcome counts. */
    void exited(ExitStatus status) {
        Hook hook = running().orElseThrow();
        lifecycle.disarm(timer);
        running(hook.ended(new Hook.Ended(
                Optional.of(status), status.toString(), lifecycle.now().mono())));
        lifecycle.order(new Bury(s.spec.name(), hook.id(), true));
    }

    /** Empty where something of its group is still there, which is waited for. */
    Optional<Outcome> lookedAt(boolean empty, List<String> left) {
        Hook hook = running().orElseThrow();
        Duration waited =
                lifecycle.now().mono().since(hook.status().orElseThrow().at());
        if (!empty && waited.compareTo(Lifecycle.GROUP_PATIENCE) < 0) {
            running(hook.lookedAt());
            lifecycle.arm(timer, lifecycle.now().mono().plus(Lifecycle.waitForGroup(hook.looks())));
            return Optional.empty();
        }
        if (!empty) {
            Map<String, Object> details = new LinkedHashMap<>();
            details.put("hook", hook.kind().word());
            details.put("waited_ms", waited.toMillis());
            details.put("left", left);
            lifecycle.announce("group-remains", Optional.empty(), Optional.empty(), details);
        }
        return Optional.of(over());
    }

    private Outcome over() {
        Hook hook = running().orElseThrow();
        Hook.Ended ended = hook.status().orElseThrow();
        s.hooks = beside ? s.hooks.with(s.hooks.alerts().running(Optional.empty())) : s.hooks.ended();
        lifecycle.disarm(timer);
        boolean success = hook.doomed().isEmpty() && ended.status().equals(Optional.of(new ExitStatus.Exited(0)));
        String reason = hook.doomed().orElse(ended.reason());
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("hook", hook.kind().word());
        if (ended.status().orElse(null) instanceof ExitStatus.Exited exited) {
            details.put("code", (long) exited.code());
        } else if (ended.status().orElse(null) instanceof ExitStatus.Killed killed) {
            details.put("signal", killed.signal().fullName());
        }
        if (!success) {
            details.put("reason", reason);
        }
        details.put("ran_for_ms", ended.at().since(hook.begun()).toMillis());
        lifecycle.announce(success ? "hook-done" : "hook-failed", Optional.empty(), Optional.empty(), details);
        return new Outcome(
                hook.kind(),
                success,
                hook.kind().word() + ": " + reason,
                hook.begun().plus(timeout(hook)));
    }

    /** Its entry in the services file may have gone meanwhile. */
    private Duration timeout(Hook hook) {
        return specOf(hook.kind()).map(Hooks.Hook::timeout).orElse(Duration.ZERO);
    }

    /** Its timer: its time is over, it has to be killed again, or its group looked at again. */
    void timerFired() {
        Hook hook = running().orElseThrow();
        if (hook.status().isPresent()) {
            lifecycle.order(new Bury(s.spec.name(), hook.id(), true));
        } else if (hook.doomed().isPresent()) {
            kill();
        } else {
            doom("not done within " + Lifecycle.words(timeout(hook)) + ", so it was killed");
        }
    }
}
