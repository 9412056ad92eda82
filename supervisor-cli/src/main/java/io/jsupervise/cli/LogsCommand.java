package io.jsupervise.cli;

import io.jsupervise.io.LogTail;
import io.jsupervise.journal.ServiceRecord;
import io.jsupervise.json.JsonException;
import io.jsupervise.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code jsupervise logs}: what a service wrote. */
@Command(name = "logs", description = "Show the output of a service.")
final class LogsCommand extends Client {
    private static final long PAUSE_NANOS = 200_000_000;

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "NAME", arity = "0..1", description = "The service.")
    private String name;

    @Option(names = "--rotate", description = "Rotate its log now, between two lines; all logs where no NAME is given.")
    private boolean rotate;

    @Option(
            names = {"-n", "--lines"},
            paramLabel = "N",
            defaultValue = "10",
            description = "How many of the last lines (default: ${DEFAULT-VALUE}).")
    private int lines;

    @Option(
            names = {"-f", "--follow"},
            description = "Go on with what is written from now on.")
    private boolean follow;

    @Option(names = "--state-dir", paramLabel = "DIR", description = "Where to look when the supervisor is dead.")
    private Path stateDir;

    @Override
    boolean hasJson() {
        return rotate;
    }

    @Override
    public Integer call() throws CommandException {
        if (rotate && follow) {
            throw new ParameterException(spec.commandLine(), "--rotate shows nothing, so there is nothing to follow");
        } else if (rotate) {
            return rotate();
        } else if (name == null) {
            throw new ParameterException(spec.commandLine(), "Missing required parameter: 'NAME'");
        }
        if (lines < 0) {
            throw new CommandException(ExitCode.USAGE, "-n must be 0 or more, not " + lines);
        }
        String target = "/v1/services/" + encoded(name) + "/logs?lines=" + lines + "&follow=" + follow;
        try {
            ControlClient.Response response = connection().client().stream(target, System.out);
            if (!response.isGood()) {
                throw Connection.refusal(response);
            }
            return ExitCode.DONE;
        } catch (NoSupervisorException e) {
            return fromDisk(DeadSupervisor.find(connection(), Optional.ofNullable(stateDir), e));
        }
    }

    private int rotate() throws CommandException {
        String target = "/v1/rotate" + (name == null ? "" : "?name=" + encoded(name));
        ControlClient.Response response = connection().client().post(target);
        JsonObject answer = json(response);
        boolean done = true;
        if (global().json) {
            print(response);
        }
        try {
            for (JsonObject one : answer.objects("results")) {
                if (!global().json) {
                    System.out.println(one.string("name") + ": " + one.string("file") + ": " + one.string("message"));
                }
                done &= one.bool("done");
            }
            return done ? ExitCode.DONE : ExitCode.NOT_REACHED;
        } catch (JsonException e) {
            throw notUnderstood(e);
        }
    }

    private int fromDisk(DeadSupervisor dead) throws CommandException {
        dead.say();
        ServiceRecord record = dead.service(name);
        Optional<ServiceRecord.Living> living = dead.stillRunning(record);
        if (living.isPresent() && dead.holder().isEmpty()) {
            System.err.println("jsupervise: \"" + name + "\" still runs, pid "
                    + living.get().process().pid()
                    + "; what it has written since waits in its pipe for the next supervisor");
        }
        Path log = record.log()
                .orElseThrow(() -> new CommandException(
                        ExitCode.NOT_REACHED, "\"" + name + "\" has no log file: its log is not a map"));
        try (LogTail tail = new LogTail(log)) {
            System.out.write(tail.last(lines));
            while (follow && !System.out.checkError()) {
                byte[] more = tail.more();
                System.out.write(more);
                System.out.flush();
                if (more.length == 0) {
                    LockSupport.parkNanos(PAUSE_NANOS);
                }
            }
            return ExitCode.DONE;
        } catch (IOException e) {
            throw new CommandException(ExitCode.IO, "cannot read " + log + ": " + e.getMessage());
        }
    }
}
