package io.jsupervise.control;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.jsupervise.supervision.Answer;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;

/** What became of an action, and errors, as JSON. */
public final class AnswerCodec {
    private final JsonFactory json = new JsonFactory();

    /** {@code {"recorded":true,"results":[{"name":..,"done":..,"state":..,"message":..}]}}. */
    public void write(Answer.Acted acted, OutputStream to) throws IOException {
        try (JsonGenerator out = json.createGenerator(to)) {
            out.writeStartObject();
            out.writeBooleanField("recorded", acted.recorded());
            write(acted.results(), out);
            out.writeEndObject();
        }
    }

    /** {@code {"results":[{"name":..,"file":..,"done":..,"message":..}]}}. */
    public void write(Answer.Rotated rotated, OutputStream to) throws IOException {
        try (JsonGenerator out = json.createGenerator(to)) {
            out.writeStartObject();
            out.writeArrayFieldStart("results");
            for (Answer.Rotation one : rotated.results()) {
                out.writeStartObject();
                out.writeStringField("name", one.service().value());
                out.writeStringField("file", one.file().toString());
                out.writeBooleanField("done", one.done());
                out.writeStringField("message", one.message());
                out.writeEndObject();
            }
            out.writeEndArray();
            out.writeEndObject();
        }
    }

    static void write(List<Answer.Result> results, JsonGenerator out) throws IOException {
        out.writeArrayFieldStart("results");
        for (Answer.Result result : results) {
            out.writeStartObject();
            out.writeStringField("name", result.service().value());
            out.writeBooleanField("done", result.done());
            out.writeStringField("state", result.state().name());
            out.writeStringField("message", result.message());
            out.writeEndObject();
        }
        out.writeEndArray();
    }

    /** {@code {"error":{"code":..,"message":..}}}. */
    public void writeError(String code, String message, OutputStream to) throws IOException {
        try (JsonGenerator out = json.createGenerator(to)) {
            out.writeStartObject();
            out.writeObjectFieldStart("error");
            out.writeStringField("code", code);
            out.writeStringField("message", message);
            out.writeEndObject();
            out.writeEndObject();
        }
    }
}
