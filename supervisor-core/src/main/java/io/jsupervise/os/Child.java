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

    /** Written out, as is {@link #hashCode}: those of records are made at run time, when the first one is needed. */
    @Override
    public boolean equals(Object other) {
        return other instanceof Child child
                && child.identity.equals(identity)
                && child.pidfd.equals(pidfd)
                && child.ours == ours;
    }

    @Override
    public int hashCode() {
        return identity.hashCode() * 31 + pidfd.number();
    }
}
