package io.jsupervise.lifecycle;

import io.jsupervise.lifecycle.Alerts.Alert;
import io.jsupervise.lifecycle.Alerts.Quiet;
import io.jsupervise.spec.HookKind;
import io.jsupervise.spec.Rung;
import java.time.Duration;
import java.util.List;

/**
 * Who is told how a service fares, and how often. Its hooks run beside it, one at a time, and nothing of the service waits for
 * one; they begin when what is left of the run that they tell of is gone.
 *
 * <ul>
 *   <li>on_failure is run at each failure at once, but a minute that has had a few is one of flapping: what fails in the rest of it is
 *       only counted, then one run tells of all of that, and from then on of all that comes in silences of which each is twice as
 *       long as the one before, up to an hour. A silence that was twice over without a failure ends that: the next failure is a
 *       first one again.
 *   <li>on_give_up is run when restarts are given up: it becomes FATAL, or the first rung of its ladder is taken; failures that were not told yet are told before it.
 *   <li>on_recovered is run once after failures, when it was ready without a break for a while (or, of a oneshot, has
 *       succeeded), and not before the failures were told.
 * </ul>
 *
 * What is due is in the record of the end that it is about, until its process has ended. Used in the steps of services that
 * have such hooks, and by nobody else.
 */
final class AlertSteps {
    /** From a first failure on: so long only a few are told of by themselves. */
    static final Duration FIRST_QUIET = Duration.ofMinutes(1);

    /** So many: as many as the log tells of before it says that a service flaps. */
    static final int AT_ONCE = 5;

    static final Duration LONGEST_QUIET = Duration.ofHours(1);

    private static final String SUCCEEDED = "it has succeeded";

    private final Lifecycle lifecycle;
    private final Draft s;
    private final HookSteps hook;

    AlertSteps(Lifecycle lifecycle, Draft draft) {
        this.lifecycle = lifecycle;
        this.s = draft;
        this.hook = new HookSteps(lifecycle, draft, true);
    }

    private Alerts alerts() {
        return s.hooks.alerts();
    }

    private void become(Alerts next) {
        s.hooks = s.hooks.with(next);
    }

    // ---- what is told ----

    /**
     * {@code run} has ended by itself or of a failure, and the state is what follows from that.
     *
     * @param inARow how many ends that were followed by a restart, or are by its end, there were since it was well; that one
     *     included
     */
    void ended(RunId run, End end, int inARow) {
        boolean gaveUp = s.state == ServiceState.FATAL;
        if (!succeeded(end)) {
            become(alerts().failed(run, end.reason()));
        } else if (gaveUp) {
            // It exits with success again and again, and was not to.
            become(alerts().unwell(true));
        } else if (s.state == ServiceState.EXITED) {
            well(run, SUCCEEDED);
        }
        if (alerts().untold().isPresent()) {
            tellNowOrLater(gaveUp);
        }
        if (restartsAreGivenUp()) {
            String why = s.fatalReason.orElse(s.history.climb().why());
            due(new Alert(HookKind.ON_GIVE_UP, run, inARow, why));
        }
        next();
    }

    /** For the first time in its trouble: by its end without a ladder, or with the first rung. */
    private boolean restartsAreGivenUp() {
        int taken = s.history.climb().taken();
        if (s.state == ServiceState.BACKOFF) {
            return taken == 1 && s.history.climb().due().isPresent();
        }
        boolean isFirst =
                taken == 0 || taken == 1 && s.spec.escalation().rung(1).orElse(null) instanceof Rung.Reboot;
        return s.state == ServiceState.FATAL && isFirst;
    }

    private void tellNowOrLater(boolean gaveUp) {
        boolean isQuiet = alerts().quiet().isPresent()
                && lifecycle.now().mono().isBefore(alerts().quiet().get().until());
        if (gaveUp || !isQuiet) {
            tellFailures();
        } else if (alerts().quiet().get().told() < AT_ONCE) {
            due(alerts().untold().orElseThrow());
            become(alerts().allTold().quiet(alerts().quiet().get().onceMore()));
        } else if (!s.timers.isArmed(TimerKind.ALERT_QUIET)) {
            lifecycle.arm(TimerKind.ALERT_QUIET, alerts().quiet().get().until());
        }
    }

    private boolean succeeded(End end) {
        return end.isSuccessOf(s.spec);
    }

    private void tellFailures() {
        lifecycle.disarm(TimerKind.ALERT_QUIET);
        due(alerts().untold().orElseThrow());
        Duration length = nextQuiet();
        int told = length.equals(FIRST_QUIET) ? 1 : AT_ONCE;
        become(alerts().allTold().quiet(new Quiet(lifecycle.now().mono().plus(length), length, told)));
    }

    private Duration nextQuiet() {
        if (alerts().quiet().isEmpty()) {
            return FIRST_QUIET;
        }
        Quiet last = alerts().quiet().get();
        if (!lifecycle.now().mono().isBefore(last.until().plus(last.length()))) {
            return FIRST_QUIET;
        }
        Duration twice = last.length().multipliedBy(2);
        return twice.compareTo(LONGEST_QUIET) < 0 ? twice : LONGEST_QUIET;
    }

    private void due(Alert alert) {
        if (s.spec.hooks().has(alert.kind())) {
            become(alerts().with(alert));
        }
    }

    /** Failures were counted for long enough. */
    void quietIsOver() {
        if (alerts().untold().isPresent()) {
            tellFailures();
            if (s.state == ServiceState.RUNNING && !s.timers.isArmed(TimerKind.STABLE)) {
                stable();
            } else if (s.toService().hasSucceeded()) {
                well(s.lastRun.orElseThrow().run(), SUCCEEDED);
            }
        }
        next();
    }

    // ---- well again ----

    /** It is ready: from now on it has to stay so. Also of one that was ready when it was taken over. */
    void ready() {
        if (alerts().unwell() && s.run.isPresent() && s.run.get().readyAt().isPresent()) {
            MonotonicTime deadline = s.run.get().readyAt().get().plus(stableFor());
            lifecycle.arm(TimerKind.STABLE, deadline);
        }
    }

    private Duration stableFor() {
        return s.spec.escalation().stableFor();
    }

    void stable() {
        if (s.run.isPresent()) {
            well(s.run.get().id(), "ready for " + Lifecycle.words(stableFor()));
        }
    }

    private void well(RunId run, String reason) {
        if (alerts().unwell() && alerts().untold().isEmpty()) {
            become(alerts().unwell(false));
            due(new Alert(HookKind.ON_RECOVERED, run, 0, reason));
            next();
        }
    }

    // ---- over the end of a supervisor ----

    /** What the supervisor before us did not get to. */
    void resume() {
        if (alerts().untold().isPresent() && alerts().quiet().isPresent()) {
            lifecycle.arm(TimerKind.ALERT_QUIET, alerts().quiet().get().until());
        } else if (alerts().untold().isPresent()) {
            quietIsOver();
        }
        next();
    }

    /** The supervisor ends: what has only been counted is in the events, and nobody waits for the end of a silence. */
    void shutdown() {
        lifecycle.disarm(TimerKind.ALERT_QUIET);
        lifecycle.disarm(TimerKind.STABLE);
        become(alerts().allTold());
    }

    void hurry() {
        if (alerts().running().isPresent()) {
            hook.doom("the supervisor ends at once");
        }
    }

    // ---- its process ----

    /** Runs what is due, if nothing does; not beside what is left of a run, which may be a hook of an earlier supervisor. */
    void next() {
        while (alerts().running().isEmpty()
                && s.grave.isEmpty()
                && !alerts().due().isEmpty()) {
            Alert first = alerts().due().get(0);
            if (s.spec.hooks().has(first.kind())) {
                hook.run(first.kind(), first.run());
            } else {
                // The services file does not name it any more.
                become(alerts().withoutFirst());
            }
        }
    }

    boolean isRunning(RunId run) {
        return hook.isRunning(run);
    }

    void spawned(ProcessIdentity process) {
        hook.spawned(process);
    }

    void failed(String reason) {
        hook.failed(reason);
        isOver();
    }

    void exited(ExitStatus status) {
        hook.exited(status);
    }

    void lookedAt(boolean empty, List<String> left) {
        if (hook.lookedAt(empty, left).isPresent()) {
            isOver();
        }
    }

    void timerFired() {
        hook.timerFired();
    }

    private void isOver() {
        become(alerts().withoutFirst());
        next();
    }
}
