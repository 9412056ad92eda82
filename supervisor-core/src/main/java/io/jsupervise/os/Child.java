package io.jsupervise.os;

import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;

/**
 * A process that we watch: its identity, and a pidfd that is readable once it has ended. A signal sent through the
 * pidfd never reaches another process that was given the same number (pidfd_open(2)).
 *
 * @param ours whether it is our own child, whose exit status waitid(2) gives and which we reap
 */
public record Child(ProcessIdentity identity, Fd pidfd, boolean ours) {
    public Pid pid() {
        return identity.pid();
    }
}
