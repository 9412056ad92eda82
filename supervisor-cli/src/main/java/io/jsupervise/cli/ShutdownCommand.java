package io.jsupervise.cli;

import io.jsupervise.json.JsonException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code jsupervise shutdown}: everything stops, then the supervisor ends. */
@Command(
        name = "shutdown",
        description = "Stop all services and end the supervisor.",
        footer = {"", "What is wanted of the services stays as it is: the next run starts them again."})
final class ShutdownCommand extends Client {
    private static final long LOOK_NANOS = 20_000_000;

    @Option(names = "--no-wait", description = "Do not wait until it has ended.")
    private boolean noWait;

    @Override
    public Integer call() throws CommandException {
        ControlClient client = connection().client();
        long pid = pid(client);
        ControlClient.Response response = client.post("/v1/shutdown");
        json(response);
        while (!noWait && isAlive(pid)) {
            LockSupport.parkNanos(LOOK_NANOS);
        }
        if (global().json) {
            print(response);
        } else {
            System.out.println(noWait ? "shutting down" : "ended");
        }
        return ExitCode.DONE;
    }

    /** One that nobody has reaped yet has ended all the same; its parent may never reap it. */
    static boolean isAlive(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            char state = stat.charAt(stat.lastIndexOf(')') + 2);
            return state != 'Z' && state != 'X';
        } catch (IOException e) {
            return false;
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
