package io.jsupervise.io;

import io.jsupervise.os.Fd;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.SpawnRequest.Output;
import io.jsupervise.spec.Credentials;
import io.jsupervise.spec.Heartbeat;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.SupervisorSpec;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What we make for a service and its user has to open: the FIFOs of its output, which a program opens again as
 * {@code /dev/stdout}, and its heartbeat file, where we name the place. Each is given to the user before each start; where the
 * services file names another user by now, or none any more, it changes hands. The thread that spawns only.
 */
public final class Belongings {
    private static final int ALL_MAY_PASS = 0111;

    private final Os os;
    private final List<Path> onTheWay;
    private final Path heartbeats;
    private final int ourUid;

    /** Services without a user whose FIFOs are known to be ours: an earlier supervisor may have given them to somebody. */
    private final Set<ServiceName> ours = new HashSet<>();

    public Belongings(Os os, SupervisorSpec spec) {
        this.os = os;
        Path runtimeDir = spec.runtimeDir();
        boolean below = !spec.name().equals(SupervisorSpec.DEFAULT_NAME) && runtimeDir.getParent() != null;
        this.onTheWay = below ? List.of(runtimeDir.getParent(), runtimeDir) : List.of(runtimeDir);
        this.heartbeats = runtimeDir.resolve("heartbeats");
        this.ourUid = os.uid();
    }

    void give(ServiceSpec service, Spawner.Streams streams) throws OsException {
        Optional<Credentials> who = service.spawn().privileges().credentials();
        if (who.isPresent() || !ours.contains(service.name())) {
            give(streams.stdout(), who);
            give(streams.stderr(), who);
            if (who.isEmpty()) {
                ours.add(service.name());
            } else {
                ours.remove(service.name());
            }
        }
        if (who.isPresent()) {
            giveHeartbeat(service, who.get());
        }
    }

    private void give(Output output, Optional<Credentials> who) throws OsException {
        if (!(output instanceof Output.Fifo fifo)) {
            return;
        }
        int uid = who.isPresent() ? who.get().uid() : ourUid;
        Optional<FileStat> there = os.stat(fifo.path());
        if (there.isPresent() && there.get().uid() != uid) {
            os.chown(
                    fifo.path(),
                    uid,
                    who.isPresent() ? who.get().gid() : there.get().gid());
        }
    }

    /** Also while the service runs, where somebody has removed it. Any thread. */
    public void giveHeartbeat(ServiceSpec service, Credentials who) throws OsException {
        Optional<Heartbeat> heartbeat = service.heartbeat();
        if (heartbeat.isPresent() && heartbeats.equals(heartbeat.get().file().getParent())) {
            letPassOnTheWay();
            giveHeartbeat(heartbeat.get().file(), who);
        }
    }

    /** To what we make for users in the runtime directory. Any thread. */
    void letPassOnTheWay() throws OsException {
        for (Path directory : onTheWay) {
            letPass(directory);
        }
    }

    /** Not to read it: who knows a name there may use it, as far as its own mode says. */
    private void letPass(Path directory) throws OsException {
        Optional<FileStat> there = os.stat(directory);
        if (there.isPresent() && (there.get().mode() & ALL_MAY_PASS) != ALL_MAY_PASS) {
            os.chmod(directory, there.get().mode() | ALL_MAY_PASS);
        }
    }

    /**
     * An empty file that has not been touched since 1970, which is no beat. Nobody sees it before it is so and has its owner,
     * since others may touch only what is theirs.
     */
    private void giveHeartbeat(Path file, Credentials who) throws OsException {
        Optional<FileStat> there = os.stat(file);
        if (there.isPresent()) {
            if (there.get().uid() != who.uid()) {
                os.chown(file, who.uid(), who.gid());
            }
            return;
        }
        Path fresh = file.resolveSibling("." + file.getFileName());
        Fd fd = os.open(fresh, OpenMode.REPLACE, 0644);
        os.close(fd);
        os.setModified(fresh, Instant.EPOCH);
        os.chown(fresh, who.uid(), who.gid());
        os.rename(fresh, file);
    }
}
