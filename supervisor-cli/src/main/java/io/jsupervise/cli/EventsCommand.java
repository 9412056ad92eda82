package io.jsupervise.cli;

import io.jsupervise.io.EventReader;
import java.io.IOException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code jsupervise events}: what the supervisor saw and did, one JSON object a line. */
@Command(name = "events", description = "Show what the supervisor saw and did, one JSON object a line.")
final class EventsCommand extends Client {
    private static final long PAUSE_NANOS = 200_000_000;

    @Option(
            names = {"-f", "--follow"},
            description = "Go on with what happens from now on.")
    private boolean follow;

    @Option(
            names = "--since",
            paramLabel = "WHEN",
            description = "Only what came after this number (seq), or at this time or later (2026-01-31T12:00:00Z).")
    private String since;

    @Option(names = "--state-dir", paramLabel = "DIR", description = "Where to look when the supervisor is dead.")
    private Path stateDir;

    @Override
    public Integer call() throws CommandException {
        String target = "/v1/events?follow=" + follow + (since == null ? "" : "&since=" + encoded(since));
        try {
            ControlClient.Response response = connection().client().stream(target, System.out);
            if (!response.isGood()) {
                throw Connection.refusal(response);
            }
            return ExitCode.DONE;
        } catch (NoSupervisorException e) {
            DeadSupervisor dead = DeadSupervisor.find(connection(), Optional.ofNullable(stateDir), e);
            dead.say();
            return fromDisk(dead.stateDir());
        }
    }

    private int fromDisk(Path directory) throws CommandException {
        Optional<Long> seq = Optional.empty();
        Optional<Instant> time = Optional.empty();
        try {
            if (since != null && since.indexOf('T') >= 0) {
                time = Optional.of(Instant.parse(since));
            } else if (since != null) {
                seq = Optional.of(Long.parseLong(since));
            }
        } catch (DateTimeException | NumberFormatException e) {
            throw new CommandException(
                    ExitCode.USAGE, "--since must be a number or a time such as 2026-01-31T12:00:00Z, not " + since);
        }
        try (EventReader reader = new EventReader(directory, seq, time)) {
            while (true) {
                for (Optional<byte[]> line = reader.next(); line.isPresent(); line = reader.next()) {
                    System.out.write(line.get());
                }
                System.out.flush();
                if (!follow || System.out.checkError()) {
                    return ExitCode.DONE;
                }
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        } catch (IOException e) {
            throw new CommandException(ExitCode.IO, "cannot read events in " + directory + ": " + e.getMessage());
        }
    }
}
