package io.jsupervise.supervision;

import io.jsupervise.lifecycle.End;
import io.jsupervise.lifecycle.Health;
import io.jsupervise.lifecycle.History;
import io.jsupervise.lifecycle.Run;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.spec.Dependency;
import io.jsupervise.spec.Fingerprint;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.supervision.Explanation.Link;
import io.jsupervise.supervision.Explanation.Next;
import io.jsupervise.text.DurationText;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Explains a service from a {@link Status}, which has all services at one moment; so it costs the core nothing but that, and is
 * done by whoever asks. The chain of causes follows dependencies that are not there yet: of several the one that is farthest
 * from coming by itself. {@link StateReason} says why one service is in its state, {@link WhatFollows} what happens next.
 */
public final class Explaining {
    private final Status status;
    private final Map<ServiceName, Service> services = new HashMap<>();

    private Explaining(Status status) {
        this.status = status;
        for (Service service : status.services()) {
            services.put(service.name(), service);
        }
    }

    /** @throws IllegalArgumentException where {@code status} has no service of that name */
    public static Explanation of(Status status, ServiceName name) {
        Explaining explaining = new Explaining(status);
        Service service = explaining.services.get(name);
        if (service == null) {
            throw new IllegalArgumentException("no service " + name);
        }
        return explaining.explain(service);
    }

    private Explanation explain(Service service) {
        List<Service> chain = chain(service);
        Service root = chain.get(chain.size() - 1);
        List<Link> because = new ArrayList<>();
        for (Service one : chain) {
            because.add(link(one));
        }
        WhatFollows follows = new WhatFollows(root, status);
        Next next = follows.next();
        if (root != service) {
            next = next.then(service.name() + " starts when it waits for nothing any more");
        }
        return new Explanation(
                service.name(),
                service.wanted(),
                true,
                summary(because),
                because,
                lastEnds(root.history().ends()),
                isOfInterest(root) && root.spec().log() instanceof LogSpec.ToFile file
                        ? Optional.of(file)
                        : Optional.empty(),
                new LadderReason(root, status).ladder(),
                next,
                follows.remedies(service),
                notes(service, root));
    }

    /** Newest first. */
    public static List<End> lastEnds(List<End> ends) {
        List<End> last =
                new ArrayList<>(ends.subList(Math.max(0, ends.size() - Explanation.MOST_FAILURES), ends.size()));
        Collections.reverse(last);
        return last;
    }

    /** The ends of a service that failed, together: {@code 3 times in 40s, each time: exit 1}. */
    public static String failures(History history) {
        return StateReason.failures(history.ends(), Math.max(1, history.failures()));
    }

    private static String summary(List<Link> because) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < because.size() - 1; i++) {
            text.append(because.get(i).service()).append(" waits for ");
            text.append(because.get(i + 1).service()).append(i + 2 < because.size() ? ", " : "; ");
        }
        Link root = because.get(because.size() - 1);
        return text.append(root.service())
                .append(" is ")
                .append(root.state())
                .append(": ")
                .append(root.text())
                .toString();
    }

    // ---- the chain ----

    private List<Service> chain(Service service) {
        Set<Service> chain = new LinkedHashSet<>();
        Service at = service;
        // A circle cannot be configured; that it would end all the same costs nothing.
        while (at != null && chain.add(at)) {
            at = worstMissing(at);
        }
        return List.copyOf(chain);
    }

    /** Of those that it waits for the one that is farthest from coming; null where it waits for none. */
    private Service worstMissing(Service service) {
        Service worst = null;
        for (Service missing : missing(service)) {
            if (worst == null || distance(missing.state()) > distance(worst.state())) {
                worst = missing;
            }
        }
        return worst;
    }

    private List<Service> missing(Service service) {
        List<Service> missing = new ArrayList<>();
        for (Dependency dependency : missingOf(service)) {
            missing.add(services.get(dependency.on()));
        }
        return missing;
    }

    private List<Dependency> missingOf(Service service) {
        List<Dependency> missing = new ArrayList<>();
        if (service.state() == ServiceState.WAITING && !StateReason.waitsForItself(service)) {
            for (Dependency dependency : service.spec().dependsOn()) {
                Service other = services.get(dependency.on());
                if (other != null && !StartOrder.holds(dependency.condition(), other)) {
                    missing.add(dependency);
                }
            }
        }
        return missing;
    }

    /** How far one in this state is from running: the farther, the more hangs on it. */
    public static int distance(ServiceState state) {
        return switch (state) {
            case FATAL -> 7;
            case EXITED -> 6;
            case STOPPED -> 5;
            case BACKOFF -> 4;
            case STOPPING -> 3;
            case WAITING -> 2;
            case STARTING -> 1;
            case RUNNING -> 0;
        };
    }

    private Link link(Service service) {
        List<Dependency> missing = missingOf(service);
        String text;
        if (missing.isEmpty()) {
            text = new StateReason(service, status).text();
        } else {
            List<String> words = new ArrayList<>();
            for (Dependency dependency : missing) {
                words.add(dependency.on() + " to be " + words(dependency.condition()) + " (it is "
                        + services.get(dependency.on()).state() + ")");
            }
            text = "it waits for " + String.join(" and ", words);
        }
        return new Link(
                service.name(),
                service.state(),
                Optional.of(service.since().wall()),
                Optional.of(status.now().mono().since(service.since().mono())),
                text);
    }

    /** What a dependency has to be. */
    public static String words(Dependency.Condition condition) {
        return condition == Dependency.Condition.COMPLETED ? "completed with success" : condition.word();
    }

    // ---- whose past is shown ----

    /** What one that is well said last explains nothing. */
    private static boolean isOfInterest(Service service) {
        boolean isWell = service.state() == ServiceState.RUNNING
                && service.history().failures() == 0
                && problems(service).isEmpty();
        boolean neverRan =
                service.lastRun().isEmpty() && service.history().ends().isEmpty();
        return !isWell && !neverRan;
    }

    static List<String> problems(Service service) {
        List<String> problems = new ArrayList<>();
        if (service.run().isPresent()) {
            for (Health.CheckState check : service.run().get().health().checks()) {
                if (check.problem().isPresent()) {
                    problems.add("its check \"" + check.name() + "\" fails, " + Words.times(check.failures())
                            + " in a row: " + check.problem().get());
                }
            }
        }
        return problems;
    }

    // ---- what else there is to know ----

    private List<String> notes(Service service, Service root) {
        List<String> notes = new ArrayList<>();
        Status.JournalHealth journal = status.supervisor().journal();
        if (journal.stale().isPresent()) {
            notes.add("the journal cannot be written (" + journal.stale().get().reason()
                    + "): what happens now is forgotten if the supervisor dies");
        }
        for (Status.JournalHealth.SetAside one : journal.setAside()) {
            if (one.service().equals(Optional.of(root.name()))) {
                notes.add(
                        "its record could not be read when the supervisor started, so of what was before nothing is known: "
                                + one.file());
            }
        }
        notes(service, notes);
        if (root != service) {
            notes(root, notes);
        }
        List<String> others = dependents(service);
        if (!others.isEmpty()) {
            notes.add("for " + service.name() + " " + (others.size() == 1 ? "waits " : "wait ")
                    + String.join(", ", others));
        }
        return notes;
    }

    private void notes(Service service, List<String> notes) {
        String name = service.name().value();
        Optional<Run> run = service.run();
        if (run.isPresent() && run.get().adopted()) {
            notes.add(name + " was started by an earlier supervisor, and taken over");
        }
        if (run.isPresent()
                && run.get().spec().isPresent()
                && !run.get().spec().get().equals(Fingerprint.of(service.spec()))) {
            notes.add(
                    name + " runs with what the services file said before; a restart has it run with what it says now");
        }
        if (run.isPresent() && run.get().health().status().isPresent()) {
            notes.add(name + " says of itself: " + run.get().health().status().get());
        }
        if (service.hooks().alerts().running().isPresent()) {
            notes.add("its " + service.hooks().alerts().running().get().kind().word() + " runs beside it");
        }
        if (service.hooks().alerts().untold().isPresent()) {
            int untold = service.hooks().alerts().untold().get().failures();
            notes.add(Words.count(untold, "failure") + " of " + name
                    + " will be told to its on_failure together, to keep the noise down");
        }
    }

    private List<String> dependents(Service service) {
        List<String> names = new ArrayList<>();
        for (Service other : status.services()) {
            for (Dependency missing : missingOf(other)) {
                if (missing.on().equals(service.name())) {
                    names.add(other.name().value());
                }
            }
        }
        return names;
    }

    /** Small words that several of these classes use. */
    static final class Words {
        private Words() {}

        static String times(int count) {
            return count == 1 ? "once" : count == 2 ? "twice" : count + " times";
        }

        static String count(int count, String what) {
            return count + " " + what + (count == 1 ? "" : "s");
        }

        static String of(java.time.Duration duration) {
            return DurationText.of(Math.max(0, duration.toMillis()));
        }
    }
}
