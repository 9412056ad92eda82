package io.jsupervise.io;

import io.jsupervise.control.Whereabouts;
import io.jsupervise.os.Fd;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.SupervisorSpec;
import java.nio.file.Path;

/**
 * {@code supervisor.json} in the runtime directory: where a client finds the state directory and the socket, also of a
 * supervisor that has died.
 */
public final class RuntimeFile {
    private final Os os;
    private final Configuration configuration;

    public RuntimeFile(Os os, Configuration configuration) {
        this.os = os;
        this.configuration = configuration;
    }

    /** Old or new at any instant. */
    public void write(String version) throws OsException {
        SupervisorSpec spec = configuration.supervisor();
        Path file = spec.runtimeDir().resolve(Whereabouts.FILE);
        Path fresh = spec.runtimeDir().resolve(Whereabouts.FILE + ".new");
        byte[] text = new Whereabouts(
                        spec.name(),
                        os.self().pid().value(),
                        version,
                        configuration.source(),
                        spec.stateDir(),
                        spec.socket())
                .encode();
        Fd fd = os.open(fresh, OpenMode.REPLACE, 0644);
        try {
            int done = 0;
            while (done < text.length) {
                done += os.write(fd, text, done, text.length - done);
            }
        } finally {
            os.close(fd);
        }
        os.rename(fresh, file);
    }
}
