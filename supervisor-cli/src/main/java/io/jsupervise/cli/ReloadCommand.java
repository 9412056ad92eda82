package io.jsupervise.cli;

import io.jsupervise.json.JsonException;
import io.jsupervise.json.JsonObject;
import picocli.CommandLine.Command;

/** {@code jsupervise reload}: the supervisor reads its services file again. */
@Command(
        name = "reload",
        description = "Read the services file again, and do what it says now.",
        footer = {
            "",
            "What is new is started, what is gone is stopped, what a process was born with makes it start afresh, and",
            "everything else is taken over while it runs. A file with a mistake changes nothing (78)."
        })
final class ReloadCommand extends WaitingClient {
    @Override
    public Integer call() throws CommandException {
        ControlClient.Response response = connection().client().post("/v1/reload?" + waiting());
        JsonObject answer = json(response);
        if (global().json) {
            print(response);
        }
        try {
            if (!global().json) {
                System.out.print(ReloadLines.of(answer));
            }
            return outcome(answer, true);
        } catch (JsonException e) {
            throw notUnderstood(e);
        }
    }
}
