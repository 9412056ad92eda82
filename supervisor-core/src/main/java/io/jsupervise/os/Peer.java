package io.jsupervise.os;

import io.jsupervise.lifecycle.Pid;
import java.util.Optional;

/** Who is at the other end of a unix socket (SO_PEERCRED, unix(7)); the pid is unknown across pid namespaces. */
public record Peer(Optional<Pid> pid, int uid, int gid) {}
