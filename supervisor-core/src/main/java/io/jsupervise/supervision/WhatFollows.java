package io.jsupervise.supervision;

import io.jsupervise.lifecycle.Cause;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Run;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.Readiness;
import io.jsupervise.spec.RestartIntensity;
import io.jsupervise.spec.Rung;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.supervision.Explaining.Words;
import io.jsupervise.supervision.Explanation.Next;
import io.jsupervise.supervision.Explanation.Remedy;
import io.jsupervise.text.InstantText;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What becomes of one service by itself, when, and what an operator can do instead of waiting for it. */
final class WhatFollows {
    private final Service service;
    private final Status status;
    private final ServiceName name;

    WhatFollows(Service service, Status status) {
        this.service = service;
        this.status = status;
        this.name = service.name();
    }

    // ---- by itself ----

    Next next() {
        return switch (service.state()) {
            case STOPPED ->
                Next.of(
                        service.wanted() == Wanted.UP
                                ? status.supervisor().shuttingDown()
                                        ? "the next supervisor starts it"
                                        : "it starts at once"
                                : "nothing until somebody starts it");
            case WAITING -> Next.of("it starts when that has come about");
            case STARTING -> starting();
            case RUNNING -> running();
            case BACKOFF -> backoff();
            case STOPPING -> stopping();
            case EXITED -> Next.of("nothing until somebody starts it, or the supervisor is started afresh");
            case FATAL -> fatal();
        };
    }

    private Next at(String text, MonotonicTime time) {
        Duration in =
                status.now().mono().isBefore(time) ? time.since(status.now().mono()) : Duration.ZERO;
        return new Next(text, Optional.of(status.now().wall().plus(in)), Optional.of(in));
    }

    private Next starting() {
        Optional<Run> run = service.run();
        if (run.isEmpty()
                || run.get().process().isEmpty()
                || service.hooks().running().isPresent()) {
            return Next.of("it is ready, or has failed, when that is done");
        }
        if (service.spec().ready() instanceof Readiness.Delay delay) {
            return at(
                    "it counts as ready if it still runs",
                    run.get().orderedAt().mono().plus(delay.after()));
        }
        Optional<MonotonicTime> startBy = run.get().health().startBy();
        return startBy.isPresent()
                ? at("it is ready before that, or is ended as a start that failed (start_timeout)", startBy.get())
                : Next.of("it is waited for without a limit (start_timeout: 0s)");
    }

    private Next running() {
        if (!Explaining.problems(service).isEmpty()) {
            return Next.of("if a check fails as often in a row as its retries say, it counts as hung and is ended");
        }
        if (service.spec().isOneshot()) {
            return Next.of("it ends by itself");
        }
        if (service.history().failures() > 0 && service.run().isPresent()) {
            Optional<MonotonicTime> ready = service.run().get().readyAt();
            Duration reset = service.spec().backoff().resetAfter();
            if (ready.isPresent()) {
                return at(
                        "its failures no longer count for the next backoff",
                        ready.get().plus(reset));
            }
        }
        return Next.of("nothing has to be done");
    }

    private Next backoff() {
        Service.NextStart next = service.next().orElseThrow();
        Next start = service.grave().isPresent() || !service.hooks().isIdle()
                ? at("it is started again, as soon as nothing is left of its last run", next.at())
                : at("it is started again", next.at());
        Optional<RestartIntensity> limit = service.spec().startLimit();
        if (limit.isEmpty()) {
            return start;
        }
        int left = limit.get().count() - service.history().restartTimes().size();
        return start.then("after " + (left <= 0 ? "one more failure" : Words.count(left + 1, "more failure"))
                + " within " + Words.of(limit.get().within()) + " "
                + nextRemedy());
    }

    /** What follows when restarts do not help. */
    private String nextRemedy() {
        Optional<Rung> rung =
                service.spec().escalation().rung(service.history().climb().taken() + 1);
        return rung.isPresent()
                ? "the next rung of its ladder is taken (" + rung.get().word() + ")"
                : "it is given up";
    }

    private Next stopping() {
        boolean up = service.wanted() == Wanted.UP
                && service.ending()
                        .map(ending -> ending.cause() != Cause.SHUTDOWN)
                        .orElse(true);
        String then = up ? "then it is started again, if its policy says so" : "then it is STOPPED";
        if (service.process().isEmpty()) {
            return Next.of(then.substring("then ".length()));
        }
        MonotonicTime kill = service.since().mono().plus(service.spec().stop().timeout());
        return at("it has ended by then, or is killed (SIGKILL)", kill).then(then);
    }

    private Next fatal() {
        String nothing = "nothing until somebody starts it: no restart is tried any more";
        boolean wantsReboot = Escalations.endsWithReboot(service);
        if (service.wanted() == Wanted.DOWN || !service.spec().critical() && !wantsReboot) {
            return Next.of(nothing);
        }
        WatchdogStatus watchdog = status.supervisor().watchdog();
        if (watchdog.report().isEmpty()) {
            return Next.of(
                    wantsReboot
                            ? nothing + ", and without a hardware watchdog (supervisor.watchdog) no reboot can be made"
                            : nothing);
        } else if (watchdog.limitReached()) {
            return Next.of(nothing + ", and "
                    + Words.count(watchdog.memory().resets(), "reset")
                    + " of the machine did not help, so it is not reset again (reboot_limit)");
        } else if (watchdog.report().get() instanceof WatchdogReport.Failed) {
            return Next.of(
                    "the machine is to be reset, but the hardware watchdog cannot be opened or written to, which is"
                            + " tried again and again");
        }
        return Next.of(reset(watchdog, wantsReboot ? "its ladder ends with a reboot" : "it is critical"));
    }

    private static String reset(WatchdogStatus watchdog, String why) {
        boolean withheld = watchdog.memory().withheld().isPresent();
        String within = watchdog.report().get() instanceof WatchdogReport.Armed armed
                        && armed.timeout().isPresent()
                ? ", at most " + Words.of(armed.timeout().get()) + " after its last feed"
                : "";
        return "the hardware watchdog " + (withheld ? "is fed no more" : "will be fed no more from its next feed on")
                + ", since " + why + ": the machine will be reset" + within;
    }

    // ---- by hand ----

    /** @param asked who was asked about; what helps is done to the one that it waits for */
    List<Remedy> remedies(Service asked) {
        List<Remedy> can = new ArrayList<>();
        if (service.spec().log() instanceof LogSpec.ToFile && service.lastRun().isPresent()) {
            can.add(new Remedy("jsupervise logs -n 50 " + name, "read more of what " + name + " said"));
        }
        if (hadNoProcess()) {
            can.add(new Remedy(
                    "jsupervise check " + status.supervisor().config(),
                    "see whether its command, user and directory are right by now"));
            can.add(new Remedy("jsupervise reload", "after mending the services file"));
        }
        addOfState(can);
        boolean waits = !service.name().equals(asked.name());
        if (waits) {
            can.add(new Remedy("jsupervise stop " + asked.name(), "have " + asked.name() + " wait no longer"));
        }
        can.add(new Remedy("jsupervise events --since " + since(), "what happened before and since"));
        return can;
    }

    /** A minute before it came into its state: what led there is in it. */
    private String since() {
        long seconds = service.since().wall().getEpochSecond() - 60;
        return InstantText.of(Instant.ofEpochSecond(seconds));
    }

    private boolean hadNoProcess() {
        boolean isDown = service.state() == ServiceState.BACKOFF || service.state() == ServiceState.FATAL;
        return isDown
                && service.history()
                        .lastEnd()
                        .filter(end -> end.cause() == Cause.START_FAILED)
                        .isPresent();
    }

    private void addOfState(List<Remedy> can) {
        String start = "jsupervise start " + name;
        String stop = "jsupervise stop " + name;
        String restart = "jsupervise restart " + name;
        switch (service.state()) {
            case STOPPED, EXITED -> can.add(new Remedy(start, "start it"));
            case WAITING, STARTING -> {
                can.add(new Remedy(stop, "give up this start"));
                if (service.process().isPresent()) {
                    can.add(new Remedy(restart, "begin it again"));
                }
            }
            case RUNNING -> can.add(new Remedy(restart, "end it and start it again"));
            case BACKOFF -> {
                can.add(new Remedy(start, "have it tried now, and the failures forgotten"));
                can.add(new Remedy(stop, "have it tried no more"));
            }
            case STOPPING -> {
                if (service.process().isPresent()) {
                    can.add(new Remedy("jsupervise signal KILL " + name, "end it at once"));
                }
            }
            case FATAL -> {
                can.add(new Remedy(start, "when it is mended: try again, and forget the failures"));
                can.add(new Remedy(stop, "take it for stopped"));
            }
        }
    }
}
