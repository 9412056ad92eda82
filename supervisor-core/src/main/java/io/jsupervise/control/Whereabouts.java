package io.jsupervise.control;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.jsupervise.json.JsonException;
import io.jsupervise.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/**
 * Where a supervisor keeps what it knows and where it listens: the content of {@code supervisor.json} in its runtime
 * directory, which outlives it.
 *
 * @param pid of the supervisor that wrote it, which may be dead
 */
public record Whereabouts(String name, int pid, String version, Path config, Path stateDir, Path socket) {
    /** The name of the file. */
    public static final String FILE = "supervisor.json";

    /** One line of JSON. */
    public byte[] encode() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator out = new JsonFactory().createGenerator(bytes)) {
            out.writeStartObject();
            out.writeStringField("name", name);
            out.writeNumberField("pid", pid);
            out.writeStringField("version", version);
            out.writeStringField("config", config.toString());
            out.writeStringField("state_dir", stateDir.toString());
            out.writeStringField("socket", socket.toString());
            out.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot happen: memory is no file", e);
        }
        bytes.write('\n');
        return bytes.toByteArray();
    }

    /** Members that it does not know are passed over: a later version may have written it. */
    public static Whereabouts decode(byte[] text) throws JsonException {
        JsonObject object = JsonObject.parse(text);
        return new Whereabouts(
                object.string("name"),
                (int) object.number("pid", 1, Integer.MAX_VALUE),
                object.string("version"),
                path(object, "config"),
                path(object, "state_dir"),
                path(object, "socket"));
    }

    private static Path path(JsonObject object, String name) throws JsonException {
        try {
            return Path.of(object.string(name));
        } catch (InvalidPathException e) {
            throw object.wrong(name, "is not a path: " + e.getMessage());
        }
    }
}
