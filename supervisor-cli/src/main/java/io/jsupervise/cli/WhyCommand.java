package io.jsupervise.cli;

import io.jsupervise.json.JsonException;
import io.jsupervise.json.JsonObject;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jsupervise why}: one answer to what is the matter with a service. */
@Command(
        name = "why",
        description = "Explain why a service is in its state, what happens next, and what you can do.",
        footer = {
            "",
            "Exits with 0 whatever the state is, with 4 where there is no such service.",
            "Without a supervisor it explains what the last one recorded, and says so first."
        })
final class WhyCommand extends Client {
    @Parameters(paramLabel = "NAME", arity = "1", description = "The service.")
    private String name;

    @Option(names = "--state-dir", paramLabel = "DIR", description = "Where to look when the supervisor is dead.")
    private Path stateDir;

    @Override
    public Integer call() throws CommandException {
        byte[] why = read();
        if (global().json) {
            System.out.write(why, 0, why.length);
        } else {
            try {
                System.out.print(new WhyText(JsonObject.parse(why), prefix(), colors()));
            } catch (JsonException e) {
                throw notUnderstood(e);
            }
        }
        System.out.flush();
        return ExitCode.DONE;
    }

    private byte[] read() throws CommandException {
        try {
            ControlClient.Response response = connection().client().get("/v1/services/" + encoded(name) + "/why");
            if (!response.isGood()) {
                throw Connection.refusal(response);
            }
            return response.body();
        } catch (NoSupervisorException e) {
            DeadSupervisor dead = DeadSupervisor.find(connection(), Optional.ofNullable(stateDir), e);
            dead.say();
            return DeadReason.of(dead, name).json();
        }
    }

    /** How this supervisor is asked, so that what is told to be typed reaches it too. */
    private String prefix() {
        if (global().socket != null) {
            return "jsupervise --socket " + global().socket;
        }
        return global().name != null ? "jsupervise --name " + global().name : "jsupervise";
    }
}
