package io.jsupervise.cli;

import io.jsupervise.json.JsonException;
import io.jsupervise.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code start}, {@code stop} and {@code restart}: one request for all services that are named, one line for each. */
abstract class ActCommand extends WaitingClient {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "NAME", arity = "0..*", description = "Services.")
    private List<String> names = new ArrayList<>();

    @Option(names = "--all", description = "All services.")
    private boolean all;

    private final String verb;

    ActCommand(String verb) {
        this.verb = verb;
    }

    @Override
    public Integer call() throws CommandException {
        if (names.isEmpty() != all) {
            throw new ParameterException(spec.commandLine(), "name services, or say --all");
        }
        StringBuilder target =
                new StringBuilder("/v1/").append(verb).append('?').append(waiting());
        if (all) {
            target.append("&all=true");
        }
        for (String name : names) {
            target.append("&name=").append(encoded(name));
        }
        ControlClient.Response response = connection().client().post(target.toString());
        JsonObject answer = json(response);
        if (global().json) {
            print(response);
        }
        try {
            return outcome(answer, false);
        } catch (JsonException e) {
            throw notUnderstood(e);
        }
    }

    @Command(
            name = "start",
            description = "Start services and wait until they are ready.",
            footer = {"", "They are wanted from now on, whatever autostart says."})
    static final class Start extends ActCommand {
        Start() {
            super("start");
        }
    }

    @Command(
            name = "stop",
            description = "Stop services and wait until nothing of them is left.",
            footer = {"", "They stay stopped, also when the supervisor is started again."})
    static final class Stop extends ActCommand {
        Stop() {
            super("stop");
        }
    }

    @Command(name = "restart", description = "Stop services, start them, and wait until they are ready.")
    static final class Restart extends ActCommand {
        Restart() {
            super("restart");
        }
    }
}
