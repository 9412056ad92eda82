package io.jsupervise.cli;

import io.jsupervise.json.JsonException;
import io.jsupervise.json.JsonObject;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code jsupervise reload}: the supervisor reads its services file again. */
@Command(
        name = "reload",
        description = "Read the services file again, and do what it says now.",
        footer = {
            "",
            "What is new is started, what is gone is stopped, what a process was born with makes it start afresh, and",
            "everything else is taken over while it runs. A file with a mistake changes nothing (78)."
        })
final class ReloadCommand extends Client {
    @Option(names = "--no-wait", description = "Do not wait until it is done.")
    private boolean noWait;

    @Option(
            names = "--timeout",
            paramLabel = "DURATION",
            defaultValue = "30s",
            description = "How long to wait (default: ${DEFAULT-VALUE}).")
    private String timeout;

    @Override
    public Integer call() throws CommandException {
        String target = "/v1/reload?wait=" + !noWait + "&timeout=" + encoded(timeout);
        ControlClient.Response response = connection().client().post(target);
        JsonObject answer = json(response);
        if (global().json) {
            print(response);
        }
        try {
            if (!global().json) {
                System.out.print(ReloadLines.of(answer));
            }
            return outcome(answer);
        } catch (JsonException e) {
            throw notUnderstood(e);
        }
    }

    private int outcome(JsonObject answer) throws JsonException {
        boolean done = true;
        for (JsonObject result : answer.objects("results")) {
            if (!result.bool("done")) {
                done = false;
                if (!global().json) {
                    System.out.println(result.string("name") + ": not reached: " + result.string("message"));
                }
            }
        }
        if (!answer.bool("recorded")) {
            System.err.println("jsupervise: done, but not recorded: the journal cannot be written");
        }
        return done ? ExitCode.DONE : ExitCode.NOT_REACHED;
    }
}
