package io.jsupervise.lifecycle;

import java.time.Duration;
import java.util.Optional;

/**
 * A living process that bears a mark of ours: {@code JSUPERVISE_RUN_ID} in the environment that it was started with, or,
 * where it has written its title over that (redis and nginx do), a FIFO of ours as its output.
 *
 * @param group   number of its process group
 * @param session number of its session
 * @param age     since it was started; counts the time that the machine slept
 * @param run     empty where only its output tells whose it is
 * @param service its service by name, as far as the marks tell
 */
public record Bearer(
        ProcessIdentity identity, int group, int session, Duration age, Optional<RunId> run, String service) {
    /**
     * Only what leads a session and a group, as we start it, can be a main process. Of those that bear the mark of one
     * run it is the one that was started first: all others come from it.
     */
    public boolean leads() {
        int pid = identity.pid().value();
        return group == pid && session == pid;
    }
}
