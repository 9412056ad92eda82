package io.jsupervise.control;

import io.jsupervise.text.DurationText;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The path of a request with its parameters: {@code /v1/services/web/stop?wait=true&timeout=30s}. Unknown parameters
 * are errors like any other misspelt word.
 */
public final class RequestTarget {
    private final String path;
    private final List<String> segments = new ArrayList<>();
    private final Map<String, List<String>> parameters = new LinkedHashMap<>();

    /** The message says what is wrong and what would be right. */
    public static final class Malformed extends Exception {
        private static final long serialVersionUID = 1;

        Malformed(String message) {
            super(message);
        }
    }

    private RequestTarget(String path) {
        this.path = path;
    }

    public static RequestTarget parse(String target) throws Malformed {
        int question = target.indexOf('?');
        String path = question < 0 ? target : target.substring(0, question);
        RequestTarget parsed = new RequestTarget(path);
        for (String segment : split(path, '/')) {
            if (!segment.isEmpty()) {
                parsed.segments.add(decode(segment));
            }
        }
        if (question >= 0) {
            for (String pair : split(target.substring(question + 1), '&')) {
                parsed.add(pair);
            }
        }
        return parsed;
    }

    private static List<String> split(String text, char separator) {
        List<String> parts = new ArrayList<>();
        int from = 0;
        for (int at = text.indexOf(separator); at >= 0; at = text.indexOf(separator, from)) {
            parts.add(text.substring(from, at));
            from = at + 1;
        }
        parts.add(text.substring(from));
        return parts;
    }

    /** Percent-encoding (RFC 3986), and {@code +} for a space as forms write it; what it spells must be UTF-8. */
    private static String decode(String text) throws Malformed {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length());
        int at = 0;
        while (at < text.length()) {
            char one = text.charAt(at);
            if (one == '%') {
                int high = at + 2 < text.length() ? Character.digit(text.charAt(at + 1), 16) : -1;
                int low = high < 0 ? -1 : Character.digit(text.charAt(at + 2), 16);
                if (low < 0) {
                    throw new Malformed("\"" + text + "\" is not encoded as URLs are: % is followed by two digits");
                }
                bytes.write(high << 4 | low);
                at += 3;
            } else if (one > ' ' && one < 0x7f) {
                bytes.write(one == '+' ? ' ' : one);
                at++;
            } else {
                throw new Malformed(
                        "\"" + text + "\" is not encoded as URLs are: only printable ASCII may stand as is");
            }
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes.toByteArray()))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new Malformed("\"" + text + "\" does not spell UTF-8");
        }
    }

    private void add(String pair) throws Malformed {
        if (!pair.isEmpty()) {
            int equals = pair.indexOf('=');
            String name = decode(equals < 0 ? pair : pair.substring(0, equals));
            String value = equals < 0 ? "true" : decode(pair.substring(equals + 1));
            parameters.computeIfAbsent(name, key -> new ArrayList<>()).add(value);
        }
    }

    public String path() {
        return path;
    }

    /** The parts of the path between slashes. */
    public List<String> segments() {
        return segments;
    }

    /** Refuses every parameter that is not one of {@code names}. */
    public void knows(String... names) throws Malformed {
        List<String> known = List.of(names);
        for (String name : parameters.keySet()) {
            if (!known.contains(name)) {
                String hint = known.isEmpty() ? "there are none here" : "known here: " + String.join(", ", known);
                throw new Malformed("parameter \"" + name + "\" is unknown; " + hint);
            }
        }
    }

    public List<String> parameters(String name) {
        return parameters.getOrDefault(name, List.of());
    }

    /** The last one of that name. */
    public Optional<String> parameter(String name) {
        List<String> values = parameters(name);
        return values.isEmpty() ? Optional.empty() : Optional.of(values.get(values.size() - 1));
    }

    public boolean flag(String name) throws Malformed {
        String text = parameter(name).orElse("false");
        if (!text.equals("true") && !text.equals("false")) {
            throw new Malformed(name + " must be true or false, not \"" + text + "\"");
        }
        return text.equals("true");
    }

    public int number(String name, int otherwise, int least, int most) throws Malformed {
        Optional<String> text = parameter(name);
        if (text.isEmpty()) {
            return otherwise;
        }
        try {
            int number = Integer.parseInt(text.get());
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Told below, like a number out of range.
        }
        throw new Malformed(name + " must be a number between " + least + " and " + most + ", not " + text.get());
    }

    public Duration duration(String name, Duration otherwise, Duration most) throws Malformed {
        Optional<String> text = parameter(name);
        if (text.isEmpty()) {
            return otherwise;
        }
        Optional<Duration> duration = DurationText.parse(text.get());
        if (duration.isEmpty() || duration.get().compareTo(most) > 0) {
            throw new Malformed(name + " must be a duration such as 30s, at most " + DurationText.of(most.toMillis())
                    + ", not \"" + text.get() + "\"");
        }
        return duration.get();
    }
}
