package io.jsupervise.cli;

import io.jsupervise.json.JsonException;
import io.jsupervise.json.JsonObject;
import picocli.CommandLine.Option;

/** What commands have in common that ask for something to happen, and wait until it has: how long, and whether it did. */
abstract class WaitingClient extends Client {
    @Option(names = "--no-wait", description = "Do not wait until it is done.")
    private boolean noWait;

    @Option(
            names = "--timeout",
            paramLabel = "DURATION",
            defaultValue = "30s",
            description = "How long to wait (default: ${DEFAULT-VALUE}).")
    private String timeout;

    /** The parameters of a request that say so. */
    final String waiting() {
        return "wait=" + !noWait + "&timeout=" + encoded(timeout);
    }

    /**
     * Tells people what has come of it, a line for each service, and returns the exit code.
     *
     * @param onlyWhatFailed not of services that are as they were asked to be
     */
    final int outcome(JsonObject answer, boolean onlyWhatFailed) throws JsonException {
        boolean done = true;
        for (JsonObject result : answer.objects("results")) {
            boolean reached = result.bool("done");
            done &= reached;
            if (!global().json && !(reached && onlyWhatFailed)) {
                String mark = reached ? "" : "not reached: ";
                System.out.println(result.string("name") + ": " + mark + result.string("message"));
            }
        }
        if (!answer.bool("recorded")) {
            System.err.println("jsupervise: done, but not recorded: the journal cannot be written");
        }
        return done ? ExitCode.DONE : ExitCode.NOT_REACHED;
    }
}
