package io.jsupervise.lifecycle;

import io.jsupervise.spec.HookKind;
import io.jsupervise.spec.Hooks;
import io.jsupervise.spec.RestartPolicy;
import io.jsupervise.spec.Rung;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Whether a restart has helped, and what is done when restarts do not: the ladder of a service. {@link Lifecycle} asks at
 * each end of a run; steps of services that have no ladder do little more here than a comparison of two times.
 *
 * <p>A rung is taken in three moments. First it is decided and recorded together with the end that it follows, so that
 * no crash can have it forgotten. When nothing is left of the run (and its post_stop has run), what it asks for is done;
 * a crash before that is recorded has it done again, and said so. Then the service is started, and what it may try counts from nothing.
 */
final class LadderSteps {
    private final Lifecycle lifecycle;
    private final Draft s;

    LadderSteps(Lifecycle lifecycle, Draft draft) {
        this.lifecycle = lifecycle;
        this.s = draft;
    }

    // ---- whether a restart has helped ----

    /** At the end of a run: had it worked, the restart that led to it was none in vain. */
    void judge(Cause cause) {
        if ((s.history.onTrial() || s.history.climb().taken() > 0) && hasWorked(cause)) {
            s.history = s.history.worked();
        }
    }

    /**
     * Whether the run that ends, or is on its end, was ready, and stable for long enough. One that hung is known to have
     * lived only up to the time that it takes to tell a hang from a silence.
     */
    private boolean hasWorked(Cause cause) {
        Optional<MonotonicTime> readyAt = s.run.flatMap(Run::readyAt);
        if (readyAt.isEmpty() || s.spec.isOneshot()) {
            return false;
        }
        MonotonicTime noticed = s.state == ServiceState.STOPPING
                ? s.since.mono()
                : lifecycle.now().mono();
        Duration enough = s.spec.escalation().stableFor();
        if (cause.isHang()) {
            enough = enough.plus(untilNoticed());
        }
        return noticed.since(readyAt.get()).compareTo(enough) >= 0;
    }

    private Duration untilNoticed() {
        Optional<Pulse> pulse = s.run.flatMap(Run::pulse);
        boolean beats = pulse.isPresent() && pulse.get().lastBeat().isPresent();
        boolean onlyBeats = s.spec.health().watchdogTimeout().isEmpty()
                && s.spec.health().checks().isEmpty();
        return beats && onlyBeats ? s.spec.heartbeat().orElseThrow().timeout() : s.spec.longestHang();
    }

    /** It is ready, or was found so by a supervisor that takes over; a service on its ladder is to show that it works. */
    void watch() {
        if (s.history.climb().taken() == 0) {
            return;
        }
        Duration enough = s.spec.escalation().stableFor().plus(s.spec.longestHang());
        MonotonicTime readyAt = s.run.orElseThrow().readyAt().orElse(s.since.mono());
        lifecycle.arm(TimerKind.VERIFY, readyAt.plus(enough));
    }

    /** It had its time, and nothing was wrong with it. */
    void works() {
        if (s.history.climb().taken() == 0) {
            return;
        }
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("rungs_taken", (long) s.history.climb().taken());
        s.history = s.history.worked();
        lifecycle.announce("verified", Optional.empty(), Optional.empty(), details);
    }

    // ---- what is done when restarts do not help ----

    /** The rung that was taken last. */
    private Optional<Rung> rung() {
        return s.spec.escalation().rung(s.history.climb().taken());
    }

    /** Takes the next rung, if there is one; false where no start follows it. */
    boolean climb(String why) {
        int taken = s.history.climb().taken();
        Optional<Rung> next = s.spec.escalation().rung(taken + 1);
        if (next.isEmpty() || s.spec.restart() == RestartPolicy.NEVER) {
            return false;
        }
        boolean isLast = next.get() instanceof Rung.Reboot;
        RunId run = s.run.orElseThrow().id();
        s.history = s.history.climbed(why, isLast ? Optional.empty() : Optional.of(run));
        return !isLast;
    }

    /** For what it is given up, when the ladder has nothing more to offer. */
    String beyond(String why) {
        int taken = s.history.climb().taken();
        if (taken == 0) {
            return why;
        } else if (rung().orElse(null) instanceof Rung.Reboot) {
            return why + "; its ladder ends with a reboot";
        }
        return why
                + (taken == 1 ? "; nor did the rung of its ladder" : "; nor did the " + taken + " rungs of its ladder");
    }

    /** It was given up; what is to follow is the supervisor's. */
    void gaveUp(RunId run) {
        if (rung().orElse(null) instanceof Rung.Reboot reboot) {
            tell(reboot);
            lifecycle.order(new Effect.Escalate(s.spec.name(), reboot, run));
        }
    }

    boolean isDue() {
        return s.history.climb().due().isPresent();
    }

    /** Whether the supervisor ends, or is about to, because this service asked for it. */
    boolean isShutdownDue() {
        return isDue() && rung().orElse(null) instanceof Rung.Shutdown;
    }

    /**
     * The supervisor before us was about to end for it, and another services file has something else at that place: left due, it would
     * be done at an end that is none of its own.
     */
    void forgetDue() {
        s.history = s.history.at(s.history.climb().done());
    }

    /** Does what the last rung asks for. */
    void act() {
        Optional<Rung> rung = rung();
        RunId run = s.history.climb().due().orElseThrow();
        if (rung.isEmpty()) {
            // Another services file, in which it has no such rung.
            lifecycle.rungIsTaken(run);
            return;
        }
        tell(rung.get());
        if (rung.get() instanceof Rung.Run) {
            lifecycle.runHook(HookKind.ESCALATE, run);
        } else {
            lifecycle.order(new Effect.Escalate(s.spec.name(), rung.get(), run));
        }
    }

    private void tell(Rung rung) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("rung", (long) s.history.climb().taken());
        details.put("rungs", (long) s.spec.escalation().ladder().size());
        details.put("action", rung.word());
        if (rung instanceof Rung.Run run) {
            details.put("argv", run.hook().command().argv());
        }
        details.put("reason", s.history.climb().why());
        if (s.history.climb().found()) {
            details.put("again", true);
        }
        lifecycle.announce("escalating", Optional.empty(), Optional.empty(), details);
    }

    /** Nothing that was due comes about any more: what has been decided is taken back, as the restart is that it led to. */
    void takeBack() {
        if (isDue() && !isShutdownDue()) {
            s.history = s.history.at(s.history.climb().takenBack());
        }
    }

    // ---- its command ----

    /** Empty where another services file knows of no command at this place. */
    Optional<Hooks.Hook> command() {
        return rung().orElse(null) instanceof Rung.Run run ? Optional.of(run.hook()) : Optional.empty();
    }

    void addTo(Map<String, String> variables) {
        variables.put("JSUPERVISE_RUNG", String.valueOf(s.history.climb().taken()));
        variables.put("JSUPERVISE_REASON", s.history.climb().why());
    }
}
