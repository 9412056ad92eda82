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
abstract class ActCommand extends Client {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "NAME", arity = "0..*", description = "Services.")
    private List<String> names = new ArrayList<>();

    @Option(names = "--all", description = "All services.")
    private boolean all;

    @Option(names = "--no-wait", description = "Do not wait until it is done.")
    private boolean noWait;

    @Option(
            names = "--timeout",
            paramLabel = "DURATION",
            defaultValue = "30s",
            description = "How long to wait (default: ${DEFAULT-VALUE}).")
    private String timeout;

    private final String verb;

    ActCommand(String verb) {
        this.verb = verb;
    }

    @Override
    public Integer call() throws CommandException {
        if (names.isEmpty() != all) {
            throw new ParameterException(spec.commandLine(), "name services, or say --all");
        }
        StringBuilder target = new StringBuilder("/v1/").append(verb);
        target.append("?wait=").append(!noWait).append("&timeout=").append(encoded(timeout));
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
            return print(answer);
        } catch (JsonException e) {
            throw notUnderstood(e);
        }
    }

    private int print(JsonObject answer) throws JsonException {
        boolean recorded = answer.bool("recorded");
        boolean done = true;
        for (JsonObject result : answer.objects("results")) {
            boolean reached = result.bool("done");
            done &= reached;
            if (!global().json) {
                String mark = reached ? "" : "not reached: ";
                System.out.println(result.string("name") + ": " + mark + result.string("message"));
            }
        }
        if (!recorded) {
            System.err.println("jsupervise: done, but not recorded: the journal cannot be written");
        }
        return done ? ExitCode.DONE : ExitCode.NOT_REACHED;
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
