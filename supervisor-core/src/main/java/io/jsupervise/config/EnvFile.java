package io.jsupervise.config;

import io.jsupervise.config.Value.Place;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A file of environment variables, one {@code NAME=VALUE} a line; empty lines and those that begin with {@code #} are
 * passed over, {@code export} before the name is allowed, and a value may stand in single or double quotes. Nothing is
 * expanded.
 */
final class EnvFile {
    private EnvFile() {}

    static Map<String, String> read(Path file, byte[] bytes, Problems problems) {
        Map<String, String> variables = new LinkedHashMap<>();
        problems.file(file);
        String text = FileText.of(file, bytes, problems).orElse("");
        int number = 0;
        int from = 0;
        while (from < text.length()) {
            int end = text.indexOf('\n', from);
            String line = text.substring(from, end < 0 ? text.length() : end).strip();
            from = end < 0 ? text.length() : end + 1;
            number++;
            if (!line.isEmpty() && line.charAt(0) != '#') {
                add(file, number, line, variables, problems);
            }
        }
        return variables;
    }

    private static void add(Path file, int number, String line, Map<String, String> variables, Problems problems) {
        String pair = line.startsWith("export ") ? line.substring(7).strip() : line;
        int equals = pair.indexOf('=');
        String name = equals < 0 ? "" : pair.substring(0, equals).strip();
        if (!Environment.isName(name)) {
            problems.add(
                    new Place(file, number, 1), "this line is not NAME=VALUE", "write one, or begin the line with #");
            return;
        }
        String value = pair.substring(equals + 1).strip();
        if (!value.isEmpty() && (value.charAt(0) == '"' || value.charAt(0) == '\'')) {
            int last = value.length() - 1;
            if (last == 0 || value.charAt(last) != value.charAt(0)) {
                problems.add(new Place(file, number, 1), "the quote of " + name + " is not closed", "close it");
                return;
            }
            value = value.substring(1, last);
        }
        if (value.indexOf('\0') >= 0) {
            problems.add(new Place(file, number, 1), name + " holds a NUL character", "remove it");
            return;
        }
        variables.put(name, value);
    }
}
