package io.jsupervise.supervision;

import io.jsupervise.lifecycle.Cause;
import io.jsupervise.lifecycle.End;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.Health;
import io.jsupervise.lifecycle.History;
import io.jsupervise.lifecycle.HookState;
import io.jsupervise.lifecycle.Run;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.TimerKind;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.spec.HookKind;
import io.jsupervise.spec.Readiness;
import io.jsupervise.supervision.Explaining.Words;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Why one service is in its state, in one line that goes on where {@code web is BACKOFF:} ends. */
final class StateReason {
    private static final List<String> OWN_WAITS = List.of(
            "its start jitter",
            "a start slot",
            "the rest of its process group to end",
            "its post_stop hook",
            "the command of its ladder to end",
            "the next supervisor");

    private final Service service;
    private final Status status;

    StateReason(Service service, Status status) {
        this.service = service;
        this.status = status;
    }

    /** Whether it waits for something that is no other service. */
    static boolean waitsForItself(Service service) {
        return service.waitingFor().stream().anyMatch(OWN_WAITS::contains);
    }

    String text() {
        return switch (service.state()) {
            case STOPPED -> stopped();
            case WAITING -> waiting();
            case STARTING -> starting() + afterFailures();
            case RUNNING -> running();
            case BACKOFF -> "it ended " + failures(service.history().ends(), run(false));
            case STOPPING -> stopping();
            case EXITED -> exited();
            case FATAL -> fatal();
        };
    }

    /** How many of its last ends belong together. */
    private int run(boolean andTheLast) {
        return service.history().failures() + (andTheLast ? 1 : 0);
    }

    private String stopped() {
        if (service.wanted() == Wanted.UP) {
            return status.supervisor().shuttingDown()
                    ? "the supervisor is ending, or hands over to the next one"
                    : "it is about to start";
        }
        if (service.commanded()) {
            return "an operator stopped it";
        }
        return service.spec().autostart()
                ? "the services file no longer names it"
                : "it does not start by itself (autostart: false), and nobody has started it";
    }

    private String waiting() {
        String what = service.waitingFor().isEmpty() ? "its turn" : String.join(" and ", service.waitingFor());
        switch (what) {
            case "its start jitter":
                return "its start is delayed by a random part of start_jitter ("
                        + Words.of(service.spec().startJitter()) + ")";
            case "a start slot":
                return "max_parallel_starts lets no more start at once; before it: " + starting(status.services());
            case "the rest of its process group to end":
                return "what its last run left behind is being killed first";
            case "its post_stop hook":
                return "its post_stop runs first" + pidOf(service.hooks().running());
            case "the next supervisor":
                return "the supervisor hands over, and the next one starts it";
            default:
                return "it waits for " + what;
        }
    }

    private static String starting(List<Service> services) {
        List<String> names = new ArrayList<>();
        for (Service other : services) {
            if (other.state() == ServiceState.STARTING) {
                names.add(other.name().value());
            }
        }
        return names.isEmpty() ? "others that have just started" : String.join(", ", names);
    }

    private static String pidOf(Optional<HookState.Hook> hook) {
        return hook.isPresent() && hook.get().process().isPresent()
                ? " (pid " + hook.get().process().get().pid() + ")"
                : "";
    }

    private String starting() {
        Optional<HookState.Hook> hook = service.hooks().running();
        if (hook.isPresent() && hook.get().kind() == HookKind.PRE_START) {
            return "its pre_start runs first" + pidOf(hook);
        }
        if (service.process().isEmpty()) {
            return "its process is being made";
        }
        String pid = "pid " + service.process().get().pid();
        if (hook.isPresent() && hook.get().kind() == HookKind.POST_START) {
            return pid + " runs, and its post_start has to succeed before it is ready" + pidOf(hook);
        }
        Health health = service.run().orElseThrow().health();
        String waits = pid + " runs, and is not ready yet: it waits for "
                + service.spec().ready().words();
        return health.answer().isPresent() && service.spec().ready() instanceof Readiness.Answering
                ? waits + ", and got: " + health.answer().get()
                : waits;
    }

    /** A service that fails again and again is caught at its start as often as behind its end. */
    private String afterFailures() {
        int failures = service.history().failures();
        return failures > 0 ? "; before, it ended " + failures(service.history().ends(), failures) : "";
    }

    private String running() {
        String pid =
                service.process().map(process -> "pid " + process.pid().value()).orElse("it");
        List<String> problems = Explaining.problems(service);
        if (!problems.isEmpty()) {
            return pid + " runs, but " + String.join("; ", problems);
        }
        if (service.spec().isOneshot()) {
            return pid + " is at work";
        }
        int failures = service.history().failures();
        String well = pid + " runs and is ready";
        if (failures > 0) {
            return well + " after it ended " + failures(service.history().ends(), failures);
        }
        Optional<Run> run = service.run();
        return run.isPresent() && run.get().health().said() == Health.Said.RELOADING
                ? well + "; it says that it reloads"
                : well;
    }

    private String stopping() {
        String why = service.ending().map(Service.Ending::reason).orElse("it is being ended");
        Optional<HookState.Hook> hook = service.hooks().running();
        if (hook.isPresent()) {
            return why + "; its " + hook.get().kind().word() + " runs" + pidOf(hook);
        }
        if (service.process().isPresent()) {
            boolean asked = service.timers().isArmed(TimerKind.STOP);
            return why + "; pid " + service.process().get().pid()
                    + (asked ? " was asked to end" : " is to be asked to end");
        }
        if (service.grave().isPresent()) {
            return why + "; what its process left behind is being killed";
        }
        return why;
    }

    private String exited() {
        End last = service.history().lastEnd().orElse(null);
        if (last == null) {
            return "it has ended, and nobody recorded how";
        }
        String how = howItEnded(last);
        String policy = "restart is "
                + service.spec()
                        .restart()
                        .name()
                        .toLowerCase(java.util.Locale.ROOT)
                        .replace('_', '-');
        return service.hasSucceeded()
                ? "it has ended as it should (" + how + "), and " + policy
                : "it has ended (" + how + "), and is not started again, since " + policy;
    }

    private String fatal() {
        String reason = service.fatalReason().orElse("unknown");
        int ends = Math.min(run(true), service.history().ends().size());
        return ends > 1
                ? "it was given up: " + reason + "; it ended "
                        + failures(service.history().ends(), ends)
                : "it was given up: " + reason;
    }

    /** One line for people; what nobody saw is not dressed up. */
    static String howItEnded(End end) {
        boolean unknown = end.status().orElse(null) instanceof ExitStatus.Unknown;
        return unknown && end.cause() == Cause.UNSUPERVISED
                ? "nobody knows how, because no supervisor ran"
                : end.reason();
    }

    /**
     * The last {@code most} ends together: {@code 3 times in 40s, each time: exit 1}.
     *
     * @param ends oldest first
     */
    static String failures(List<End> ends, int most) {
        if (ends.isEmpty()) {
            return "in a way that nobody recorded";
        }
        int count = Math.max(1, Math.min(most, ends.size()));
        End last = ends.get(ends.size() - 1);
        if (count == 1) {
            return "once: " + howItEnded(last);
        }
        End first = ends.get(ends.size() - count);
        boolean same = true;
        for (End end : ends.subList(ends.size() - count, ends.size())) {
            same &= end.reason().equals(last.reason());
        }
        Duration span = Duration.between(first.at(), last.at());
        // The wall clock may have been set back meanwhile; then no time is better than a wrong one.
        String within = span.isNegative() ? "" : " in " + Words.of(span);
        String atLeast = count == History.MAX_ENDS && most > count ? "at least " : "";
        return atLeast
                + Words.times(count)
                + within
                + (same ? ", each time: " : ", the last time: ")
                + howItEnded(last);
    }
}
