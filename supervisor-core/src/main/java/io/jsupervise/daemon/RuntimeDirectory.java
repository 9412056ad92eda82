package io.jsupervise.daemon;

import io.jsupervise.control.Whereabouts;
import io.jsupervise.io.Belongings;
import io.jsupervise.io.ControlServer;
import io.jsupervise.io.NamedServices;
import io.jsupervise.io.NotifySockets;
import io.jsupervise.io.RuntimeFile;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.Os;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.Credentials;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.SupervisorSpec;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The runtime directory of a living supervisor. It lies where machines clean up (a cleaner of {@code /run} or {@code
 * /tmp}, a logout), so what vanishes is made again as it was at the start. What somebody put in its place is theirs.
 * The control server's thread only.
 */
final class RuntimeDirectory implements ControlServer.Surroundings {
    private final Os os;
    private final SupervisorSpec spec;
    private final Directories directories;
    private final RuntimeFile whereabouts;
    private final String version;
    private final Belongings belongings;
    private final NamedServices services;
    private final NotifySockets notifySockets;

    /** The directory that was found to be ours; another in its place has to be looked at before anything goes there. */
    private Optional<FileStat> ours = Optional.empty();

    RuntimeDirectory(
            Os os, Configuration configuration, NamedServices services, String version, NotifySockets notifySockets) {
        this.os = os;
        this.spec = configuration.supervisor();
        this.directories = new Directories(os, spec);
        this.whereabouts = new RuntimeFile(os, configuration);
        this.version = version;
        this.belongings = new Belongings(os, spec);
        this.services = services;
        this.notifySockets = notifySockets;
    }

    @Override
    public void restoreDirectories(List<String> restored) throws IOException {
        Optional<FileStat> there = os.stat(spec.runtimeDir());
        boolean known = there.isPresent() && ours.isPresent() && there.get().sameFile(ours.get());
        boolean whole = os.stat(Directories.heartbeats(spec)).isPresent();
        if (known && whole) {
            return;
        }
        ours = Optional.empty();
        try {
            directories.prepareRuntime();
        } catch (DaemonException e) {
            throw new IOException(e.getMessage(), e);
        }
        giveHeartbeats();
        ours = os.stat(spec.runtimeDir());
        if (there.isEmpty()) {
            restored.add(spec.runtimeDir().toString());
        } else if (!whole) {
            restored.add(Directories.heartbeats(spec).toString());
        }
    }

    /** Others than our own user cannot make theirs again themselves. */
    private void giveHeartbeats() throws IOException {
        for (ServiceSpec service : services.all().values()) {
            Optional<Credentials> who = service.spawn().privileges().credentials();
            if (who.isPresent()) {
                belongings.giveHeartbeat(service, who.get());
            }
        }
    }

    @Override
    public void restoreWhereabouts(List<String> restored) throws IOException {
        for (Path socket : notifySockets.restore()) {
            restored.add(socket.toString());
        }
        if (os.stat(spec.runtimeDir().resolve(Whereabouts.FILE)).isEmpty()) {
            whereabouts.write(version);
            restored.add(spec.runtimeDir().resolve(Whereabouts.FILE).toString());
        }
    }
}
