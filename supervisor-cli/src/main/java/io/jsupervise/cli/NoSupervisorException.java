package io.jsupervise.cli;

/** Nobody listens at the socket, so what a supervisor left there may be read instead. One that goes away is not this. */
final class NoSupervisorException extends CommandException {
    private static final long serialVersionUID = 1;

    NoSupervisorException(String message) {
        super(ExitCode.NO_SUPERVISOR, message);
    }
}
