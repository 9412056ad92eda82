package io.jsupervise.os;

import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;

/**
 * A process as the process table has it (proc(5), {@code stat}).
 *
 * @param parent  number of its parent; 0 where that is outside of what we may see
 * @param group   number of its process group
 * @param session number of its session
 * @param state   R, S, D, T, Z, X ...
 * @param name    of the program, at most 15 bytes
 */
public record ProcessStat(ProcessIdentity identity, int parent, int group, int session, char state, String name) {
    public Pid pid() {
        return identity.pid();
    }

    /** A zombie holds nothing any more. */
    public boolean isAlive() {
        return state != 'Z' && state != 'X' && state != 'x';
    }
}
