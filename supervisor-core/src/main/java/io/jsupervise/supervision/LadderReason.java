package io.jsupervise.supervision;

import io.jsupervise.lifecycle.Climb;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.spec.HookKind;
import io.jsupervise.spec.RestartIntensity;
import io.jsupervise.spec.Rung;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.supervision.Explaining.Words;
import io.jsupervise.supervision.Explanation.Ladder;
import io.jsupervise.supervision.Explanation.Step;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/** Where a service stands on its ladder: which rung was taken, for what, what that does, and what comes next. */
final class LadderReason {
    private final Service service;
    private final Status status;

    LadderReason(Service service, Status status) {
        this.service = service;
        this.status = status;
    }

    /** Empty where it has none. */
    Optional<Ladder> ladder() {
        List<Rung> rungs = service.spec().escalation().ladder();
        if (rungs.isEmpty()) {
            return Optional.empty();
        }
        List<String> words = new ArrayList<>();
        for (Rung rung : rungs) {
            words.add(rung.word());
        }
        Climb climb = service.history().climb();
        return Optional.of(new Ladder(
                words,
                climb.taken(),
                climb.taken() > 0 ? Optional.of(climb.why()) : Optional.empty(),
                climb.due().isEmpty(),
                step(climb.taken()),
                step(climb.taken() + 1),
                then()));
    }

    private Optional<Step> step(int number) {
        Optional<Rung> rung = service.spec().escalation().rung(number);
        return rung.isPresent()
                ? Optional.of(new Step(number, rung.get().word(), words(rung.get())))
                : Optional.empty();
    }

    private String words(Rung rung) {
        if (rung instanceof Rung.Run run) {
            return "run " + String.join(" ", run.hook().command().argv());
        } else if (rung instanceof Rung.RestartDependents) {
            Collection<ServiceName> others =
                    RestartScope.dependents(service.name(), order()).keySet();
            return others.isEmpty()
                    ? "restart what depends on it, and nothing does"
                    : "restart what depends on it: " + sorted(others);
        } else if (rung instanceof Rung.RestartGroup) {
            Collection<ServiceName> others =
                    RestartScope.group(service, status.services(), order()).keySet();
            return others.isEmpty()
                    ? "restart the others of its group, and there are none"
                    : "restart the others of its group: " + sorted(others);
        } else if (rung instanceof Rung.Shutdown) {
            return "end the supervisor, for the next one to begin afresh";
        }
        return "have the machine reset by the hardware watchdog";
    }

    private StartOrder order() {
        return new StartOrder(status.services());
    }

    private static String sorted(Collection<ServiceName> names) {
        Collection<String> words = new TreeSet<>();
        for (ServiceName name : names) {
            words.add(name.value());
        }
        return String.join(", ", words);
    }

    /** When the next rung is taken, or the first again. */
    private String then() {
        Climb climb = service.history().climb();
        if (service.state() == ServiceState.FATAL) {
            return "it begins with the first rung again when somebody starts it";
        } else if (climb.due().isPresent()) {
            boolean runs = service.hooks()
                    .running()
                    .filter(hook -> hook.kind() == HookKind.ESCALATE)
                    .isPresent();
            return "it is started again when that is done" + (runs ? "; the command runs" : "");
        }
        return "the next rung is taken after " + failuresLeft()
                + (climb.taken() > 0
                        ? "; it begins with the first again when it was ready, and nothing was wrong with it, for "
                                + Words.of(service.spec().escalation().stableFor())
                        : "");
    }

    private String failuresLeft() {
        Optional<RestartIntensity> limit = service.spec().startLimit();
        if (limit.isEmpty()) {
            return "one of its give_up_exit_codes";
        }
        int left = Math.max(
                0, limit.get().count() - service.history().restartTimes().size());
        return Words.count(left + 1, "more failure") + " within "
                + Words.of(limit.get().within());
    }
}
