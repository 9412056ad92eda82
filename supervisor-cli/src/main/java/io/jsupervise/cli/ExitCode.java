package io.jsupervise.cli;

/** Exit codes of the command; those from 64 on after sysexits.h. */
final class ExitCode {
    static final int DONE = 0;

    /** What was asked for was not reached. */
    static final int NOT_REACHED = 1;

    /** {@code status NAME} of a service that is not running. */
    static final int NOT_RUNNING = 3;

    static final int NO_SUCH_SERVICE = 4;
    static final int USAGE = 64;
    static final int NO_SUPERVISOR = 69;
    static final int SOFTWARE = 70;
    static final int IO = 74;
    static final int NOT_PERMITTED = 77;
    static final int CONFIG = 78;

    /** Of a supervisor under a service manager that left everything to the next one, which is to be started. */
    static final int HANDED_OVER = 79;

    private ExitCode() {}
}
