package io.jsupervise.cli;

import io.jsupervise.control.ExplanationCodec;
import io.jsupervise.control.Whereabouts;
import io.jsupervise.io.LastWords;
import io.jsupervise.journal.ServiceRecord;
import io.jsupervise.journal.SupervisorRecord;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.spec.Dependency;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.supervision.Explaining;
import io.jsupervise.supervision.Explanation;
import io.jsupervise.supervision.Explanation.Link;
import io.jsupervise.supervision.Explanation.Next;
import io.jsupervise.supervision.Explanation.Remedy;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The explanation of a service whose supervisor cannot be asked: from its record in the journal, its log and /proc, and with what it
 * waited for, as far as {@link DeadOrder} knows that. The record is of the service that everything hung on.
 */
final class DeadReason {
    private final DeadSupervisor dead;
    private final DeadOrder order;
    private final String asked;
    private final List<String> chain;
    private final Optional<ServiceRecord> root;

    private DeadReason(DeadSupervisor dead, DeadOrder order, String asked) {
        this.dead = dead;
        this.order = order;
        this.asked = asked;
        this.chain = order.chain(asked);
        this.root = order.record(rootName());
    }

    /** @throws CommandException where neither the journal nor the services file names it */
    static DeadReason of(DeadSupervisor dead, String name) throws CommandException {
        DeadOrder order = new DeadOrder(dead);
        if (order.spec(name).isEmpty()
                && order.record(name).isEmpty()
                && order.unknown().isPresent()) {
            throw new CommandException(
                    ExitCode.NO_SUCH_SERVICE,
                    "no service \"" + name + "\" has a record, and one that never began would have none; "
                            + order.unknown().get());
        } else if (order.spec(name).isEmpty()) {
            dead.service(name);
        }
        return new DeadReason(dead, order, name);
    }

    private String rootName() {
        return chain.get(chain.size() - 1);
    }

    /** As a living supervisor would answer. */
    byte[] json() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            new ExplanationCodec()
                    .write(explanation(), root.flatMap(ServiceRecord::log).flatMap(LastWords::of), bytes);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot happen: memory is no file", e);
        }
        bytes.write('\n');
        return bytes.toByteArray();
    }

    private Explanation explanation() {
        List<Link> because = new ArrayList<>();
        StringBuilder summary = new StringBuilder();
        for (String name : chain) {
            Link link = link(name);
            because.add(link);
            boolean isRoot = because.size() == chain.size();
            summary.append(
                    isRoot
                            ? name + " was last recorded as " + link.state() + ": " + link.text()
                            : name + " waited for " + chain.get(because.size()) + "; ");
        }
        Next next = next();
        return new Explanation(
                new ServiceName(asked),
                wanted(asked),
                false,
                summary.toString(),
                because,
                root.map(record -> Explaining.lastEnds(record.history().ends())).orElse(List.of()),
                Optional.empty(),
                Optional.empty(),
                chain.size() == 1 ? next : Next.of(next.text() + "; " + asked + " starts behind it"),
                remedies(),
                notes());
    }

    private Wanted wanted(String name) {
        Optional<ServiceRecord> record = order.record(name);
        if (record.isPresent()) {
            return record.get().wanted();
        }
        return order.spec(name).filter(spec -> spec.autostart()).isPresent() ? Wanted.UP : Wanted.DOWN;
    }

    private Link link(String name) {
        Optional<ServiceRecord> record = order.record(name);
        Optional<Instant> since = record.flatMap(ServiceRecord::since).map(at -> at.wall());
        List<Dependency> missing = order.missing(name);
        return new Link(
                new ServiceName(name),
                order.state(name),
                since,
                since.map(DeadReason::sinceWall),
                missing.isEmpty() ? reason(name) : waits(missing));
    }

    private String waits(List<Dependency> missing) {
        List<String> words = new ArrayList<>();
        for (Dependency dependency : missing) {
            words.add(dependency.on() + " to be " + Explaining.words(dependency.condition()) + " (it was "
                    + order.state(dependency.on().value()) + ")");
        }
        return "it waited for " + String.join(" and ", words);
    }

    private List<String> notes() {
        List<String> notes = new ArrayList<>();
        if (order.unknown().isPresent()) {
            notes.add("what " + asked + " depends on is not known, so this is about " + asked + " alone: "
                    + order.unknown().get());
        }
        int rungs = root.map(record -> record.history().climb().taken()).orElse(0);
        if (rungs > 0) {
            notes.add(rootName() + " had taken rung " + rungs + " of its ladder, since "
                    + root.orElseThrow().history().climb().why());
        }
        List<String> others = order.dependents(asked);
        if (!others.isEmpty()) {
            notes.add("for " + asked + " waited " + String.join(", ", others));
        }
        return notes;
    }

    /** The wall clock may have been set back since. */
    private static Duration sinceWall(Instant time) {
        Duration since = Duration.between(time, Instant.now());
        return since.isNegative() ? Duration.ZERO : since;
    }

    private String reason(String name) {
        Optional<ServiceRecord> found = order.record(name);
        if (found.isEmpty()) {
            return wanted(name) == Wanted.UP
                    ? "it had not been started yet"
                    : "it does not start by itself (autostart: false), and nobody had started it";
        }
        ServiceRecord record = found.get();
        Optional<ServiceRecord.Living> living = dead.stillRunning(record);
        if (living.isPresent()) {
            return "pid " + living.get().process().pid()
                    + (dead.holder().isPresent() ? " runs" : " still runs, and nobody supervises it");
        }
        if (record.living().isPresent()) {
            return "it ran then, as pid " + record.living().get().process().pid()
                    + ", and has ended since; nobody saw how";
        }
        return switch (record.state()) {
            case STOPPED ->
                record.wanted() == Wanted.DOWN && record.commanded() ? "an operator stopped it" : "it was down";
            case WAITING, STARTING -> "it was about to start";
            case RUNNING -> "it ran";
            case BACKOFF -> "it ended " + Explaining.failures(record.history()) + ", and was to be started again";
            case STOPPING -> record.ending().map(ending -> ending.reason()).orElse("it was being ended");
            case EXITED -> "it ended " + Explaining.failures(record.history());
            case FATAL -> "it was given up: " + record.fatal().orElse("nobody recorded why");
        };
    }

    private Next next() {
        if (dead.holder().isPresent()) {
            return Next.of(
                    "the supervisor (pid " + dead.holder().get() + ") goes on with it, though it cannot be asked");
        }
        boolean inOrder = dead.record().map(SupervisorRecord::endedInOrder).orElse(false);
        if (root.flatMap(dead::stillRunning).isPresent()) {
            return Next.of("the next supervisor takes it over as it runs; until then nobody restarts it");
        }
        if (wanted(rootName()) == Wanted.DOWN) {
            return Next.of("nothing: it is not wanted, and stays down under the next supervisor");
        }
        ServiceState state = order.state(rootName());
        boolean isFinal = state == ServiceState.FATAL || state == ServiceState.EXITED;
        if (isFinal && !inOrder) {
            return Next.of("under the next supervisor it stays " + state
                    + " until somebody starts it, unless the machine was started anew meanwhile");
        }
        return Next.of("the next supervisor starts it");
    }

    private List<Remedy> remedies() {
        List<Remedy> can = new ArrayList<>();
        if (dead.holder().isEmpty()) {
            String file = dead.whereabouts()
                    .map(Whereabouts::config)
                    .map(Object::toString)
                    .orElse("services.yml");
            can.add(new Remedy(
                    "jsupervise run " + file,
                    "supervise again, with the options that it had; what still runs is taken over"));
        }
        if (root.flatMap(ServiceRecord::log).isPresent()) {
            can.add(new Remedy("jsupervise logs -n 50 " + rootName(), "read more of what it said"));
        }
        can.add(new Remedy("jsupervise events", "what the supervisor saw and did"));
        return can;
    }
}
