package io.jsupervise.cli;

import io.jsupervise.control.ExplanationCodec;
import io.jsupervise.control.Whereabouts;
import io.jsupervise.io.LastWords;
import io.jsupervise.journal.ServiceRecord;
import io.jsupervise.journal.SupervisorRecord;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.Wanted;
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
 * The explanation of a service whose supervisor cannot be asked: from its record in the journal, its log and /proc. What only
 * the services file tells, such as what it depends on, is not in it.
 */
final class DeadReason {
    private final DeadSupervisor dead;
    private final ServiceRecord record;
    private final Optional<ServiceRecord.Living> living;

    DeadReason(DeadSupervisor dead, ServiceRecord record) {
        this.dead = dead;
        this.record = record;
        this.living = dead.stillRunning(record);
    }

    /** As a living supervisor would answer. */
    byte[] json() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            new ExplanationCodec().write(explanation(), record.log().flatMap(LastWords::of), bytes);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot happen: memory is no file", e);
        }
        bytes.write('\n');
        return bytes.toByteArray();
    }

    private Explanation explanation() {
        String text = reason();
        Link link = new Link(
                record.name(),
                record.state(),
                record.since().map(since -> since.wall()),
                record.since().map(since -> sinceWall(since.wall())),
                text);
        return new Explanation(
                record.name(),
                record.wanted(),
                false,
                record.name() + " was last recorded as " + record.state() + ": " + text,
                List.of(link),
                Explaining.lastEnds(record.history().ends()),
                Optional.empty(),
                Optional.empty(),
                next(),
                remedies(),
                List.of());
    }

    /** The wall clock may have been set back since. */
    private static Duration sinceWall(Instant time) {
        Duration since = Duration.between(time, Instant.now());
        return since.isNegative() ? Duration.ZERO : since;
    }

    private String reason() {
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
        if (living.isPresent()) {
            return Next.of("the next supervisor takes it over as it runs; until then nobody restarts it");
        }
        if (record.wanted() == Wanted.DOWN) {
            return Next.of("nothing: it is not wanted, and stays down under the next supervisor");
        }
        boolean isFinal = record.state() == ServiceState.FATAL || record.state() == ServiceState.EXITED;
        if (isFinal && !inOrder) {
            return Next.of("under the next supervisor it stays " + record.state()
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
        if (record.log().isPresent()) {
            can.add(new Remedy("jsupervise logs -n 50 " + record.name(), "read more of what it said"));
        }
        can.add(new Remedy("jsupervise events", "what the supervisor saw and did"));
        return can;
    }
}
