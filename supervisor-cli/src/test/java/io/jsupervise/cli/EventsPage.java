package io.jsupervise.cli;

import io.jsupervise.json.JsonException;
import io.jsupervise.json.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/** docs/events.md as a table: the events and the members that each may have. */
final class EventsPage {
    private static final Set<String> EVERY = Set.of("seq", "at", "service", "event", "from", "to");

    private EventsPage() {}

    static Map<String, Set<String>> members() throws IOException {
        Map<String, Set<String>> members = new LinkedHashMap<>();
        for (String line : Files.readAllLines(Path.of("../docs/events.md"))) {
            String[] cells = line.split("\\|");
            if (line.startsWith("| `") && cells.length >= 4) {
                members.put(cells[1].strip().replace("`", ""), quoted(cells[2]));
            }
        }
        return members;
    }

    private static Set<String> quoted(String cell) {
        Set<String> words = new LinkedHashSet<>();
        String[] parts = cell.split("`");
        for (int i = 1; i < parts.length; i += 2) {
            words.add(parts[i]);
        }
        return words;
    }

    /** What of a line of events the page does not tell of. */
    static Set<String> undocumented(String line) throws IOException, JsonException {
        JsonObject event = JsonObject.parse(line.getBytes(StandardCharsets.UTF_8));
        String name = event.string("event");
        Set<String> known = members().get(name);
        if (known == null) {
            return Set.of(name);
        }
        Set<String> unknown = new LinkedHashSet<>();
        for (String member : event.names()) {
            if (!EVERY.contains(member) && !known.contains(member)) {
                unknown.add(name + "." + member);
            }
        }
        return unknown;
    }
}
