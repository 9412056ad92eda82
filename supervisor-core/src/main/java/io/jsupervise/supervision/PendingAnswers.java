package io.jsupervise.supervision;

import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Run;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.text.DurationText;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Those who asked for something and want to hear when it is done. */
final class PendingAnswers {
    private final Map<Long, Pending> pending = new LinkedHashMap<>();

    /** One request: what is still open of it, and what became of the rest. */
    static final class Pending {
        final long request;
        final Duration timeout;
        final MonotonicTime deadline;
        /** Present where it is a reload that is answered. */
        final Optional<ReloadDiff> diff;

        private final Map<ServiceName, Open> open = new LinkedHashMap<>();
        final Map<ServiceName, Answer.Result> results = new LinkedHashMap<>();

        Pending(long request, Duration timeout, MonotonicTime deadline, Optional<ReloadDiff> diff) {
            this.request = request;
            this.timeout = timeout;
            this.deadline = deadline;
            this.diff = diff;
        }

        /** What {@code verb} does to a service that has this run now is waited for. */
        void await(ServiceName service, Ask.Act.Verb verb, Optional<RunId> runBefore) {
            open.put(service, new Open(verb, runBefore));
        }

        Answer answer() {
            List<Answer.Result> all = List.copyOf(results.values());
            return diff.isPresent() ? new Answer.Reloaded(diff.get(), false, all, true) : new Answer.Acted(all, true);
        }
    }

    private record Open(Ask.Act.Verb verb, Optional<RunId> runBefore) {}

    boolean isEmpty() {
        return pending.isEmpty();
    }

    void add(Pending one) {
        pending.put(one.request, one);
    }

    /** A service has changed: those for whom everything is decided by now. */
    List<Pending> changed(Service service) {
        List<Pending> complete = new ArrayList<>();
        for (Pending one : pending.values()) {
            Open open = one.open.get(service.name());
            if (open != null) {
                Optional<Answer.Result> result = judge(open.verb, service, open.runBefore);
                if (result.isPresent()) {
                    one.open.remove(service.name());
                    one.results.put(service.name(), result.get());
                }
                if (one.open.isEmpty()) {
                    complete.add(one);
                }
            }
        }
        complete.forEach(one -> pending.remove(one.request));
        return complete;
    }

    /** Those whose patience is over; what is open has failed. */
    List<Pending> expired(MonotonicTime now, Map<ServiceName, Service> services) {
        List<Pending> over = new ArrayList<>();
        for (Pending one : pending.values()) {
            if (!now.isBefore(one.deadline)) {
                one.open.keySet().forEach(name -> one.results.put(name, late(services.get(name), one.timeout)));
                over.add(one);
            }
        }
        over.forEach(one -> pending.remove(one.request));
        return over;
    }

    /** All of them, which are no longer waited for. */
    List<Pending> takeAll() {
        List<Pending> all = List.copyOf(pending.values());
        pending.clear();
        return all;
    }

    Optional<MonotonicTime> deadline() {
        return pending.values().stream().map(one -> one.deadline).min(MonotonicTime::compareTo);
    }

    /** Whether what was asked of {@code service} is reached or lost; empty while it is on its way. */
    private static Optional<Answer.Result> judge(Ask.Act.Verb verb, Service service, Optional<RunId> runBefore) {
        if (verb == Ask.Act.Verb.STOP) {
            return judgeStop(service);
        }
        boolean fresh =
                verb == Ask.Act.Verb.START || !service.run().map(Run::id).equals(runBefore);
        return switch (service.state()) {
            case RUNNING ->
                fresh && !service.spec().isOneshot()
                        ? Optional.of(result(service, true, running(service)))
                        : Optional.empty();
            case EXITED -> Optional.of(result(service, hasDone(service), "ended: " + lastReason(service)));
            case FATAL ->
                Optional.of(result(service, false, service.fatalReason().orElseThrow()));
            case STOPPED -> Optional.of(result(service, false, "was stopped meanwhile"));
            case WAITING, STARTING, BACKOFF, STOPPING -> Optional.empty();
        };
    }

    /** A oneshot that was started is to succeed; any other may end as it likes. */
    private static boolean hasDone(Service service) {
        return !service.spec().isOneshot() || service.hasSucceeded();
    }

    private static Optional<Answer.Result> judgeStop(Service service) {
        if (service.wanted() == Wanted.UP) {
            return Optional.of(result(service, false, "was started meanwhile"));
        }
        return service.state() == ServiceState.STOPPED
                ? Optional.of(result(service, true, "stopped"))
                : Optional.empty();
    }

    private static Answer.Result result(Service service, boolean done, String message) {
        return new Answer.Result(service.name(), done, service.state(), message);
    }

    private static String running(Service service) {
        return "running, pid " + service.process().orElseThrow().pid();
    }

    private static Answer.Result late(Service service, Duration timeout) {
        String last =
                switch (service.state()) {
                    case BACKOFF -> ": " + lastReason(service);
                    case WAITING -> ", for " + String.join(", ", service.waitingFor());
                    case STOPPED, STARTING, RUNNING, STOPPING, EXITED, FATAL -> "";
                };
        return result(
                service, false, "still " + service.state() + " after " + DurationText.of(timeout.toMillis()) + last);
    }

    private static String lastReason(Service service) {
        return service.history().lastEnd().map(end -> end.reason()).orElse("never ran");
    }
}
