package io.jsupervise.cli;

import io.jsupervise.json.JsonException;
import io.jsupervise.json.JsonObject;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import picocli.CommandLine.ParentCommand;

/** What all commands have in common that ask a supervisor. */
abstract class Client implements Callable<Integer> {
    @ParentCommand
    private CommandLines parent;

    final CommandLines.Global global() {
        return parent.global();
    }

    final Connection connection() {
        return new Connection(global().socket, global().name);
    }

    /** Whether it does, with the options that were given; otherwise it has no use for those that say whom. */
    boolean asks() {
        return true;
    }

    /** Whether its output, with the options that were given, is also to be had as JSON. */
    boolean hasJson() {
        return true;
    }

    /** Whether to colour: only on a terminal, and where nobody objects (no-color.org). */
    final boolean colors() {
        String objection = System.getenv("NO_COLOR");
        boolean objected = global().noColor || objection != null && !objection.isEmpty();
        return !objected && System.console() != null;
    }

    /** A service's name or any other text within a URL. */
    static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    static JsonObject json(ControlClient.Response response) throws CommandException {
        if (!response.isGood()) {
            throw Connection.refusal(response);
        }
        try {
            return JsonObject.parse(response.body());
        } catch (JsonException e) {
            throw notUnderstood(e);
        }
    }

    /** The answer as it came. */
    static void print(ControlClient.Response response) {
        System.out.print(new String(response.body(), StandardCharsets.UTF_8));
    }

    static CommandException notUnderstood(JsonException e) {
        return new CommandException(
                ExitCode.SOFTWARE,
                "the supervisor's answer is not understood: " + e.getMessage() + "; is it of another version?");
    }
}
