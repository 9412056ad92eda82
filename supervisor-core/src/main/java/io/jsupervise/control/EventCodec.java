package io.jsupervise.control;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.jsupervise.supervision.Happening;
import io.jsupervise.text.InstantText;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Events as lines of JSON, one a line. Every line begins with {@code {"seq":N,"at":"..."}, so it can be found fast. */
public final class EventCodec {
    private static final String SEQ = "{\"seq\":";
    private static final String AT = ",\"at\":\"";

    private final JsonFactory json = new JsonFactory();

    /** Writes one line with its end. */
    public void write(Happening event, OutputStream to) throws IOException {
        try (JsonGenerator out = json.createGenerator(to)) {
            out.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
            out.writeStartObject();
            out.writeNumberField("seq", event.seq());
            out.writeStringField("at", InstantText.of(event.at()));
            out.writeStringField(
                    "service", event.service().map(name -> name.value()).orElse(null));
            out.writeStringField("event", event.event());
            if (event.from().isPresent()) {
                out.writeStringField("from", event.from().get().name());
            }
            if (event.to().isPresent()) {
                out.writeStringField("to", event.to().get().name());
            }
            for (Map.Entry<String, Object> detail : event.details().entrySet()) {
                write(detail.getKey(), detail.getValue(), out);
            }
            out.writeEndObject();
        }
        to.write('\n');
    }

    private static void write(String name, Object value, JsonGenerator out) throws IOException {
        out.writeFieldName(name);
        if (value instanceof String text) {
            out.writeString(text);
        } else if (value instanceof Number number) {
            out.writeNumber(number.longValue());
        } else if (value instanceof Boolean bool) {
            out.writeBoolean(bool);
        } else if (value instanceof List<?> list) {
            out.writeStartArray();
            for (Object one : list) {
                out.writeString(one.toString());
            }
            out.writeEndArray();
        } else {
            throw new AssertionError(name + " is a " + value.getClass());
        }
    }

    /** The number of a line; empty where it is not one of ours, or torn. */
    public static Optional<Long> seqOf(byte[] line, int length) {
        if (!startsWith(line, length, 0, SEQ) || line[length - 1] != '}') {
            return Optional.empty();
        }
        long seq = 0;
        int at = SEQ.length();
        while (at < length && line[at] >= '0' && line[at] <= '9') {
            seq = 10 * seq + line[at++] - '0';
        }
        return at > SEQ.length() && startsWith(line, length, at, AT) ? Optional.of(seq) : Optional.empty();
    }

    /** The time of a line; empty where it is not one of ours. */
    public static Optional<Instant> timeOf(byte[] line, int length) {
        int at = SEQ.length();
        while (at < length && line[at] >= '0' && line[at] <= '9') {
            at++;
        }
        if (!startsWith(line, length, at, AT)) {
            return Optional.empty();
        }
        int from = at + AT.length();
        int to = from;
        while (to < length && line[to] != '"') {
            to++;
        }
        try {
            return Optional.of(InstantText.parse(new String(line, from, to - from, StandardCharsets.US_ASCII)));
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }

    private static boolean startsWith(byte[] line, int length, int at, String text) {
        if (at + text.length() > length) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            if (line[at + i] != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }
}
