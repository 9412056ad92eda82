package io.jsupervise.cli;

import io.jsupervise.json.JsonException;
import io.jsupervise.json.JsonObject;
import java.util.concurrent.locks.LockSupport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code jsupervise shutdown}: everything stops, then the supervisor ends; or it ends alone. */
@Command(
        name = "shutdown",
        description = "Stop all services and end the supervisor.",
        footer = {
            "",
            "What is wanted of the services stays as it is: the next run starts them again, or goes on with those",
            "that were left running."
        })
final class ShutdownCommand extends Client {
    private static final long LOOK_NANOS = 20_000_000;

    @Option(names = "--no-wait", description = "Do not wait until it has ended.")
    private boolean noWait;

    @Option(
            names = "--leave-running",
            description = "Leave all services running, unsupervised until the next run takes them over.")
    private boolean leaveRunning;

    @Override
    public Integer call() throws CommandException {
        ControlClient client = connection().client();
        long pid = pid(client);
        ControlClient.Response response = client.post("/v1/shutdown" + (leaveRunning ? "?leave_running=true" : ""));
        String outcome = outcome(json(response));
        while (!noWait && ProcessEntry.isAlive(pid)) {
            LockSupport.parkNanos(LOOK_NANOS);
        }
        if (global().json) {
            print(response);
        } else {
            System.out.println(outcome);
        }
        return ExitCode.DONE;
    }

    private String outcome(JsonObject answer) throws CommandException {
        try {
            int left = answer.objects("results").size();
            if (leaveRunning) {
                return "ended; " + (left == 1 ? "1 service runs on" : left + " services run on");
            }
            return noWait ? "shutting down" : "ended";
        } catch (JsonException e) {
            throw notUnderstood(e);
        }
    }

    private static long pid(ControlClient client) throws CommandException {
        try {
            return json(client.get("/v1/status")).object("supervisor").number("pid");
        } catch (JsonException e) {
            throw notUnderstood(e);
        }
    }
}
