package io.jsupervise.lifecycle;

import io.jsupervise.spec.HookKind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What is to be told of how a service fares, by its on_failure, on_give_up and on_recovered. All of it but {@code running}
 * is in the journal, in the same record as the end that it is about: what was recorded and not yet told is told by the next
 * supervisor, and what was being told when this one died is told once more. {@link AlertSteps} has the rules.
 *
 * @param unwell  whether it has failed and was not well for long enough since
 * @param untold  failures that on_failure has not been run for yet, as one
 * @param quiet   until when it is not run, where it was run lately
 * @param due     to be run, one after another; the first one runs, where one does
 * @param running the process of that one, as that of any other hook
 */
public record Alerts(
        boolean unwell,
        Optional<Alert> untold,
        Optional<Quiet> quiet,
        List<Alert> due,
        Optional<HookState.Hook> running) {
    public static final Alerts NONE =
            new Alerts(false, Optional.empty(), Optional.empty(), List.of(), Optional.empty());

    /**
     * Failures are collected until then, but for the first few.
     *
     * @param length how long the whole of it is
     * @param told   how many runs of on_failure it has had, its first one included
     */
    public record Quiet(MonotonicTime until, Duration length, int told) {
        Quiet onceMore() {
            return new Quiet(until, length, told + 1);
        }
    }

    /**
     * Something to be told.
     *
     * @param run      of the service, that it is about
     * @param failures how many it tells of
     * @param reason   one line for people
     */
    public record Alert(HookKind kind, RunId run, int failures, String reason) {
        Alert under(String state) {
            return new Alert(kind, run.under(state), failures, reason);
        }

        /** The same, with what {@code earlier} would have told. */
        Alert with(Alert earlier) {
            return new Alert(kind, run, failures + earlier.failures, reason);
        }
    }

    public Alerts {
        due = List.copyOf(due);
    }

    /** Whether one runs, or has to before its service may be forgotten and the supervisor end. */
    public boolean areUnderWay() {
        return running.isPresent() || !due.isEmpty();
    }

    /** Whether the journal would tell something else of {@code other}; its process is found by its mark. */
    boolean differForTheRecord(Alerts other) {
        return unwell != other.unwell
                || !untold.equals(other.untold)
                || !quiet.equals(other.quiet)
                || due != other.due && !due.equals(other.due);
    }

    /** As it is for the next supervisor, which finds its process by itself. */
    public Alerts withoutProcess() {
        return running.isEmpty() ? this : running(Optional.empty());
    }

    /** As it is in another boot, whose clock is another one. */
    public Alerts ofAnotherBoot() {
        return new Alerts(unwell, untold, Optional.empty(), due, running);
    }

    /**
     * As it is where the state directory has another identity than when it was recorded: what tells of a run bears its mark, by which
     * the next supervisor has to know it.
     */
    public Alerts under(String state) {
        List<Alert> all = new ArrayList<>(due.size());
        for (Alert alert : due) {
            all.add(alert.under(state));
        }
        return new Alerts(unwell, untold.map(alert -> alert.under(state)), quiet, all, running);
    }

    Alerts failed(RunId run, String reason) {
        Alert one = new Alert(HookKind.ON_FAILURE, run, 1, reason);
        Alert all = untold.isPresent() ? one.with(untold.get()) : one;
        return new Alerts(true, Optional.of(all), quiet, due, running);
    }

    Alerts unwell(boolean is) {
        return new Alerts(is, untold, quiet, due, running);
    }

    Alerts allTold() {
        return new Alerts(unwell, Optional.empty(), quiet, due, running);
    }

    Alerts quiet(Quiet next) {
        return new Alerts(unwell, untold, Optional.of(next), due, running);
    }

    Alerts running(Optional<HookState.Hook> hook) {
        return new Alerts(unwell, untold, quiet, due, hook);
    }

    /** One that has not begun yet tells of both. */
    Alerts with(Alert alert) {
        List<Alert> all = new ArrayList<>(due);
        int begun = running.isPresent() ? 1 : 0;
        for (int i = begun; i < all.size(); i++) {
            if (all.get(i).kind() == alert.kind()) {
                all.set(i, alert.with(all.get(i)));
                return new Alerts(unwell, untold, quiet, all, running);
            }
        }
        all.add(alert);
        return new Alerts(unwell, untold, quiet, all, running);
    }

    Alerts withoutFirst() {
        return new Alerts(unwell, untold, quiet, due.subList(1, due.size()), Optional.empty());
    }
}
