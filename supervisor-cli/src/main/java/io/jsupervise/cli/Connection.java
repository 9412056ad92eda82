package io.jsupervise.cli;

import io.jsupervise.json.JsonException;
import io.jsupervise.json.JsonObject;
import io.jsupervise.spec.ServiceName;
import java.nio.file.Path;
import java.util.Optional;

/** Which supervisor is meant. */
final class Connection {
    private final Path socket;
    private final String name;

    /** Both may be null: not said. */
    Connection(Path socket, String name) {
        this.socket = socket;
        this.name = name;
    }

    ControlClient client() throws CommandException {
        return new ControlClient(socketPath());
    }

    Path socketPath() throws CommandException {
        if (socket != null) {
            return socket.toAbsolutePath();
        }
        String fromEnvironment = System.getenv("JSUPERVISE_SOCKET");
        if (name == null && fromEnvironment != null && !fromEnvironment.isEmpty()) {
            return Path.of(fromEnvironment).toAbsolutePath();
        }
        Path runtimeDir =
                ConfigLoading.surroundings(Optional.empty(), Optional.empty()).defaultRuntimeDir();
        if (name == null) {
            return runtimeDir.resolve("control.sock");
        }
        if (!ServiceName.isValid(name)) {
            throw new CommandException(ExitCode.USAGE, "--name \"" + name + "\" is not valid: " + ServiceName.RULE);
        }
        return (name.equals("default") ? runtimeDir : runtimeDir.resolve(name)).resolve("control.sock");
    }

    /** Where its state is if nothing was said of places; empty where a socket was named, which may be anybody's. */
    Optional<Path> defaultStateDir() {
        String fromEnvironment = System.getenv("JSUPERVISE_SOCKET");
        if (socket != null || name == null && fromEnvironment != null && !fromEnvironment.isEmpty()) {
            return Optional.empty();
        }
        Path stateDir =
                ConfigLoading.surroundings(Optional.empty(), Optional.empty()).defaultStateDir();
        return Optional.of(name == null || name.equals("default") ? stateDir : stateDir.resolve(name));
    }

    /** The error that a refused request carries. */
    static CommandException refusal(ControlClient.Response response) {
        String code = "";
        String message = "the supervisor answered with status " + response.status();
        try {
            JsonObject error = JsonObject.parse(response.body()).object("error");
            code = error.string("code");
            message = error.string("message");
        } catch (JsonException e) {
            // Not one of ours; the status has to do.
        }
        int exitCode =
                switch (code) {
                    case "no-such-service" -> ExitCode.NO_SUCH_SERVICE;
                    case "not-permitted" -> ExitCode.NOT_PERMITTED;
                    case "bad-request" -> ExitCode.USAGE;
                    case "bad-configuration" -> ExitCode.CONFIG;
                    default -> ExitCode.NOT_REACHED;
                };
        if (exitCode == ExitCode.CONFIG) {
            message = "the services file cannot be used, and nothing was changed:\n" + message;
        }
        return new CommandException(exitCode, message);
    }
}
