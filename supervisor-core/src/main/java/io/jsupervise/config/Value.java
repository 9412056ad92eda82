package io.jsupervise.config;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A value in the file, with its place. All scalars are text: what {@code no} or {@code 027} means is for the key to say. */
sealed interface Value {
    Place place();

    /** Where a value begins; lines and columns from 1. */
    record Place(Path file, int line, int column) {
        /** Relative paths in a file are relative to its directory. */
        Path directory() {
            return file.getParent();
        }

        Place plus(int columns) {
            return new Place(file, line, column + columns);
        }
    }

    /**
     * @param plain   not quoted: only then are {@code ~}, {@code null} and nothing at all no value
     * @param literal stands in the file letter by letter, on one line: its n-th letter is n columns behind its place
     */
    record Text(Place place, String text, boolean plain, boolean literal) implements Value {
        boolean isNull() {
            return plain && (text.isEmpty() || text.equals("~") || text.equals("null"));
        }
    }

    record Sequence(Place place, List<Value> values) implements Value {}

    record Mapping(Place place, Map<String, Member> members) implements Value {
        /** What {@code over} does not say is as it is here; maps are merged map by map. */
        Mapping overlaid(Mapping over) {
            Map<String, Member> all = new LinkedHashMap<>(members);
            for (Map.Entry<String, Member> entry : over.members.entrySet()) {
                Member below = members.get(entry.getKey());
                Member above = entry.getValue();
                boolean bothMaps = below != null && below.value instanceof Mapping && above.value instanceof Mapping;
                all.put(
                        entry.getKey(),
                        bothMaps
                                ? new Member(above.key, ((Mapping) below.value).overlaid((Mapping) above.value))
                                : above);
            }
            return new Mapping(over.place, all);
        }
    }

    /** @param key where the key stands */
    record Member(Place key, Value value) {}

    /** In words, for messages. */
    default String kind() {
        if (this instanceof Text text) {
            return text.isNull() ? "empty" : quoted(text.text());
        }
        return this instanceof Sequence ? "a list" : "a map";
    }

    /** Between quotes, shortened where it is long. */
    static String quoted(String text) {
        return "\"" + (text.length() <= 80 ? text : text.substring(0, 77) + "...") + "\"";
    }
}
