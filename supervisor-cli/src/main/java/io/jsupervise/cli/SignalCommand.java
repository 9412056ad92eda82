package io.jsupervise.cli;

import io.jsupervise.json.JsonException;
import io.jsupervise.json.JsonObject;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code jsupervise signal}: a signal to the main process of a service. */
@Command(name = "signal", description = "Send a signal to the main process of a service.")
final class SignalCommand extends Client {
    @Parameters(index = "0", paramLabel = "SIG", description = "Such as HUP, SIGUSR1 or 10.")
    private String signal;

    @Parameters(index = "1", paramLabel = "NAME", description = "The service.")
    private String name;

    @Override
    public Integer call() throws CommandException {
        String target = "/v1/services/" + encoded(name) + "/signal?signal=" + encoded(signal);
        ControlClient.Response response = connection().client().post(target);
        JsonObject answer = json(response);
        if (global().json) {
            print(response);
            return ExitCode.DONE;
        }
        try {
            for (JsonObject result : answer.objects("results")) {
                System.out.println(result.string("name") + ": " + result.string("message"));
            }
            return ExitCode.DONE;
        } catch (JsonException e) {
            throw notUnderstood(e);
        }
    }
}
