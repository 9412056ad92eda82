package io.jsupervise.control;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.jsupervise.lifecycle.End;
import io.jsupervise.supervision.Explanation;
import io.jsupervise.text.InstantText;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * An {@link Explanation} as JSON: what {@code GET /v1/services/NAME/why} answers and {@code jsupervise why --json} prints,
 * whether a supervisor lives or not. docs/why.md describes it.
 */
public final class ExplanationCodec {
    private final JsonFactory json = new JsonFactory();

    /**
     * The end of a log.
     *
     * @param file  where more of it is
     * @param lines oldest first; as they are, whatever bytes a program may have written
     */
    public record LastWords(String file, List<String> lines) {}

    public void write(Explanation why, Optional<LastWords> words, OutputStream to) throws IOException {
        try (JsonGenerator out = json.createGenerator(to)) {
            out.writeStartObject();
            out.writeStringField("service", why.service().value());
            out.writeStringField("state", why.because().get(0).state().name());
            out.writeStringField("wanted", why.wanted().word());
            out.writeBooleanField("supervised", why.supervised());
            out.writeStringField("summary", why.summary());
            out.writeArrayFieldStart("because");
            for (Explanation.Link link : why.because()) {
                write(link, out);
            }
            out.writeEndArray();
            out.writeStringField("root", why.root().service().value());
            out.writeArrayFieldStart("failures");
            for (End end : why.failures()) {
                write(end, out);
            }
            out.writeEndArray();
            write(words, out);
            writeLadder(why.ladder(), out);
            write(why.next(), out);
            out.writeArrayFieldStart("can");
            for (Explanation.Remedy remedy : why.can()) {
                out.writeStartObject();
                out.writeStringField("command", remedy.command());
                out.writeStringField("what", remedy.what());
                out.writeEndObject();
            }
            out.writeEndArray();
            out.writeArrayFieldStart("notes");
            for (String note : why.notes()) {
                out.writeString(note);
            }
            out.writeEndArray();
            out.writeEndObject();
        }
    }

    private static void write(Explanation.Link link, JsonGenerator out) throws IOException {
        out.writeStartObject();
        out.writeStringField("service", link.service().value());
        out.writeStringField("state", link.state().name());
        write("since", link.since(), out);
        write("lasted_ms", link.lasted(), out);
        out.writeStringField("text", link.text());
        out.writeEndObject();
    }

    private static void write(End end, JsonGenerator out) throws IOException {
        out.writeStartObject();
        StatusCodec.writeEnd(end, out);
        out.writeNumberField("ran_for_ms", end.ranFor().toMillis());
        write("delay_ms", end.delay(), out);
        out.writeEndObject();
    }

    private static void write(Optional<LastWords> words, JsonGenerator out) throws IOException {
        if (words.isEmpty()) {
            out.writeNullField("last_words");
            return;
        }
        out.writeObjectFieldStart("last_words");
        out.writeStringField("file", words.get().file());
        out.writeArrayFieldStart("lines");
        for (String line : words.get().lines()) {
            out.writeString(line);
        }
        out.writeEndArray();
        out.writeEndObject();
    }

    private static void writeLadder(Optional<Explanation.Ladder> known, JsonGenerator out) throws IOException {
        if (known.isEmpty()) {
            out.writeNullField("ladder");
            return;
        }
        Explanation.Ladder ladder = known.get();
        out.writeObjectFieldStart("ladder");
        out.writeArrayFieldStart("rungs");
        for (String rung : ladder.rungs()) {
            out.writeString(rung);
        }
        out.writeEndArray();
        out.writeNumberField("taken", ladder.taken());
        if (ladder.why().isPresent()) {
            out.writeStringField("reason", ladder.why().get());
            out.writeBooleanField("done", ladder.done());
        } else {
            out.writeNullField("reason");
            out.writeNullField("done");
        }
        writeStep("last", ladder.last(), out);
        writeStep("next", ladder.next(), out);
        out.writeStringField("text", ladder.then());
        out.writeEndObject();
    }

    private static void writeStep(String name, Optional<Explanation.Step> known, JsonGenerator out) throws IOException {
        if (known.isEmpty()) {
            out.writeNullField(name);
            return;
        }
        out.writeObjectFieldStart(name);
        out.writeNumberField("rung", known.get().number());
        out.writeStringField("action", known.get().action());
        out.writeStringField("text", known.get().text());
        out.writeEndObject();
    }

    private static void write(Explanation.Next next, JsonGenerator out) throws IOException {
        out.writeObjectFieldStart("next");
        out.writeStringField("text", next.text());
        write("at", next.at(), out);
        write("in_ms", next.in(), out);
        out.writeEndObject();
    }

    private static void write(String name, Object maybe, JsonGenerator out) throws IOException {
        Object value = ((Optional<?>) maybe).orElse(null);
        if (value instanceof Instant time) {
            out.writeStringField(name, InstantText.of(time));
        } else if (value instanceof Duration duration) {
            out.writeNumberField(name, duration.toMillis());
        } else {
            out.writeNullField(name);
        }
    }
}
