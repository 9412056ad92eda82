package io.jsupervise.sim;

/** Thrown out of the system call at which the daemon was killed; nothing of it runs after that. */
final class DaemonKilled extends Error {
    private static final long serialVersionUID = 1;

    DaemonKilled() {
        super("killed", null, false, false);
    }
}
