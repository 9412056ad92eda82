package io.jsupervise.io;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.jsupervise.os.Fd;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.spec.SupervisorSpec;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/**
 * {@code supervisor.json} in the runtime directory: where a client finds the state directory and the socket, also of a
 * supervisor that has died.
 */
public final class RuntimeFile {
    public static final String NAME = "supervisor.json";

    private final Os os;
    private final SupervisorSpec spec;
    private final Path file;

    public RuntimeFile(Os os, SupervisorSpec spec) {
        this.os = os;
        this.spec = spec;
        this.file = spec.runtimeDir().resolve(NAME);
    }

    /** Old or new at any instant. */
    public void write(String version) throws OsException {
        Path fresh = file.resolveSibling(NAME + ".new");
        byte[] text = text(version);
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

    private byte[] text(String version) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator out = new JsonFactory().createGenerator(bytes)) {
            out.writeStartObject();
            out.writeStringField("name", spec.name());
            out.writeNumberField("pid", os.self().pid().value());
            out.writeStringField("version", version);
            out.writeStringField("state_dir", spec.stateDir().toString());
            out.writeStringField("socket", spec.socket().toString());
            out.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot happen: memory is no file", e);
        }
        bytes.write('\n');
        return bytes.toByteArray();
    }
}
