package io.jsupervise.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.jsupervise.text.InstantText;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A JSON object whose members are taken out one by one, each with the type it must have. {@link #end} refuses what was
 * not taken. Messages name the member by its path.
 */
public final class JsonObject {
    private static final int DEEPEST = 16;

    private final String path;
    private final Map<String, Object> members;

    private JsonObject(String path, Map<String, Object> members) {
        this.path = path;
        this.members = members;
    }

    /** Reads one object and nothing after it; a member that comes twice is refused. */
    public static JsonObject parse(byte[] text) throws JsonException {
        JsonFactory json = JsonFactory.builder()
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .build();
        try (JsonParser in = json.createParser(text)) {
            if (in.nextToken() != JsonToken.START_OBJECT) {
                throw new JsonException("it is not a JSON object");
            }
            Map<String, Object> members = object(in, 1);
            if (in.nextToken() != null) {
                throw new JsonException("it holds more than one JSON object");
            }
            return new JsonObject("", members);
        } catch (IOException e) {
            throw new JsonException(oneLine(e.getMessage()));
        }
    }

    private static String oneLine(String message) {
        int end = message.indexOf('\n');
        return end < 0 ? message : message.substring(0, end);
    }

    private static Map<String, Object> object(JsonParser in, int depth) throws IOException, JsonException {
        Map<String, Object> members = new LinkedHashMap<>();
        while (in.nextToken() != JsonToken.END_OBJECT) {
            String name = in.currentName();
            in.nextToken();
            members.put(name, value(in, depth));
        }
        return members;
    }

    private static Object value(JsonParser in, int depth) throws IOException, JsonException {
        if (depth > DEEPEST) {
            throw new JsonException("it is nested deeper than " + DEEPEST);
        }
        return switch (in.currentToken()) {
            case START_OBJECT -> object(in, depth + 1);
            case START_ARRAY -> array(in, depth + 1);
            case VALUE_STRING -> in.getText();
            case VALUE_NUMBER_INT -> in.getLongValue();
            case VALUE_NUMBER_FLOAT -> in.getDoubleValue();
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case VALUE_NULL -> Null.NULL;
            case NOT_AVAILABLE, END_OBJECT, END_ARRAY, FIELD_NAME, VALUE_EMBEDDED_OBJECT ->
                throw new AssertionError(in.currentToken());
        };
    }

    private static List<Object> array(JsonParser in, int depth) throws IOException, JsonException {
        List<Object> values = new ArrayList<>();
        while (in.nextToken() != JsonToken.END_ARRAY) {
            values.add(value(in, depth));
        }
        return values;
    }

    private enum Null {
        NULL
    }

    public boolean has(String name) {
        Object value = members.get(name);
        return value != null && value != Null.NULL;
    }

    public String string(String name) throws JsonException {
        return take(name, String.class, "a string");
    }

    public Optional<String> optionalString(String name) throws JsonException {
        return isAbsent(name) ? Optional.empty() : Optional.of(string(name));
    }

    public long number(String name) throws JsonException {
        return take(name, Long.class, "a whole number");
    }

    /** A whole number within bounds. */
    public long number(String name, long least, long most) throws JsonException {
        long number = number(name);
        if (number < least || number > most) {
            throw new JsonException(path + name + " is " + number + ", not between " + least + " and " + most);
        }
        return number;
    }

    public Optional<Long> optionalNumber(String name) throws JsonException {
        return isAbsent(name) ? Optional.empty() : Optional.of(number(name));
    }

    public boolean bool(String name) throws JsonException {
        return take(name, Boolean.class, "true or false");
    }

    public Instant instant(String name) throws JsonException {
        String text = string(name);
        try {
            return InstantText.parse(text);
        } catch (DateTimeException e) {
            throw new JsonException(path + name + " \"" + text + "\" is not a time such as 2026-01-31T12:00:00Z");
        }
    }

    public JsonObject object(String name) throws JsonException {
        return new JsonObject(path + name + ".", members(take(name, Map.class, "an object")));
    }

    public Optional<JsonObject> optionalObject(String name) throws JsonException {
        return isAbsent(name) ? Optional.empty() : Optional.of(object(name));
    }

    public List<JsonObject> objects(String name) throws JsonException {
        List<JsonObject> all = new ArrayList<>();
        for (Object one : take(name, List.class, "a list")) {
            if (!(one instanceof Map)) {
                throw new JsonException(path + name + " holds something that is not an object");
            }
            all.add(new JsonObject(path + name + "[" + all.size() + "].", members(one)));
        }
        return all;
    }

    public List<Long> numbers(String name) throws JsonException {
        List<Long> all = new ArrayList<>();
        for (Object one : take(name, List.class, "a list")) {
            if (!(one instanceof Long number)) {
                throw new JsonException(path + name + " holds something that is not a whole number");
            }
            all.add(number);
        }
        return all;
    }

    public List<String> strings(String name) throws JsonException {
        List<String> all = new ArrayList<>();
        for (Object one : take(name, List.class, "a list")) {
            if (!(one instanceof String text)) {
                throw new JsonException(path + name + " holds something that is not a string");
            }
            all.add(text);
        }
        return all;
    }

    /** Names of the members that were not taken yet. */
    public List<String> names() {
        return List.copyOf(members.keySet());
    }

    /** A member of whatever kind: String, Long, Double, Boolean, or a list or map of them; empty for null. */
    public Optional<Object> any(String name) {
        Object value = members.remove(name);
        return value == null || value == Null.NULL ? Optional.empty() : Optional.of(value);
    }

    /** Refuses members that nobody took: a misspelt or newer one must not be passed over. */
    public void end() throws JsonException {
        if (!members.isEmpty()) {
            throw new JsonException(
                    "unknown member " + path + members.keySet().iterator().next());
        }
    }

    /** The error for a value of the right type that means nothing. */
    public JsonException wrong(String name, String why) {
        return new JsonException(path + name + " " + why);
    }

    private boolean isAbsent(String name) {
        if (members.get(name) == Null.NULL) {
            members.remove(name);
        }
        return !members.containsKey(name);
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> members(Object map) {
        return (Map<String, Object>) map;
    }

    private <T> T take(String name, Class<T> type, String what) throws JsonException {
        Object value = members.remove(name);
        if (value == null) {
            throw new JsonException(path + name + " is missing");
        }
        if (!type.isInstance(value)) {
            throw new JsonException(path + name + " is not " + what);
        }
        return type.cast(value);
    }
}
