package io.jsupervise;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * docs/events.md names exactly the events that the code can tell. Names are words in the source, so the source is read:
 * each call that tells of something is found, and its name must be a literal or handed on from another such call.
 */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class EventsPageTest {
    /** Method -> number of parameters and which of them is the name of the event. */
    private static final Map<String, int[]> TELLERS = Map.of(
            "become", new int[] {3, 1},
            "announce", new int[] {4, 0},
            "lifecycle.announce", new int[] {4, 0},
            "finish", new int[] {3, 2},
            "tell", new int[] {3, 1},
            "notice", new int[] {4, 1},
            "core.tell", new int[] {2, 0},
            "trouble.accept", new int[] {2, 0},
            "new Happening", new int[] {7, 3},
            "new SupervisorEvent.Noticed", new int[] {3, 1});

    private static final Set<String> HANDED_ON = Set.of("event", "String event", "announce.event()", "event.event()");

    private static final Pattern LITERAL = Pattern.compile("\"([a-z]+(?:-[a-z]+)*)\"");
    private static final Pattern ASSIGNED = Pattern.compile("\\bevent = \"([a-z]+(?:-[a-z]+)*)\";");

    @Test
    void every_event_of_the_code_is_documented_and_no_other() throws IOException {
        Set<String> told = new TreeSet<>();
        try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
            for (Path file :
                    (Iterable<Path>) files.filter(path -> path.toString().endsWith(".java"))::iterator) {
                String source = Files.readString(file);
                TELLERS.forEach((method, where) -> told.addAll(namesIn(file, source, method, where)));
                Matcher assigned = ASSIGNED.matcher(source);
                while (assigned.find()) {
                    told.add(assigned.group(1));
                }
            }
        }
        assertTrue(told.contains("exited") && told.contains("log-lost") && told.contains("trouble"), told.toString());
        assertEquals(told, documented());
    }

    private static Set<String> documented() throws IOException {
        Set<String> names = new TreeSet<>();
        for (String line : Files.readAllLines(Path.of("../docs/events.md"))) {
            if (line.startsWith("| `")) {
                names.add(line.split("`")[1]);
            }
        }
        return names;
    }

    private static Set<String> namesIn(Path file, String source, String method, int[] where) {
        Set<String> names = new TreeSet<>();
        Matcher call =
                Pattern.compile("(?<![\\w.])" + Pattern.quote(method) + "\\(").matcher(source);
        while (call.find()) {
            List<String> arguments = arguments(source, call.end());
            if (arguments.size() != where[0]) {
                continue;
            }
            String argument = arguments.get(where[1]);
            Matcher literal = LITERAL.matcher(argument);
            boolean found = false;
            while (literal.find()) {
                names.add(literal.group(1));
                found = true;
            }
            assertTrue(
                    found || HANDED_ON.contains(argument),
                    file + ": " + method + " is given the event " + argument + ", which this test does not understand");
        }
        return names;
    }

    /** The arguments of a call from behind its parenthesis on. */
    private static List<String> arguments(String source, int from) {
        List<String> arguments = new ArrayList<>();
        StringBuilder argument = new StringBuilder();
        int depth = 0;
        boolean quoted = false;
        for (int at = from; ; at++) {
            char c = source.charAt(at);
            quoted ^= c == '"' && source.charAt(at - 1) != '\\';
            if (!quoted && depth == 0 && (c == ',' || c == ')')) {
                arguments.add(argument.toString().strip());
                argument.setLength(0);
                if (c == ')') {
                    return arguments;
                }
                continue;
            }
            if (!quoted) {
                depth += "(<{[".indexOf(c) >= 0 ? 1 : ")>}]".indexOf(c) >= 0 && source.charAt(at - 1) != '-' ? -1 : 0;
            }
            argument.append(c);
        }
    }
}
