package io.jsupervise.cli;

import io.jsupervise.json.JsonException;
import io.jsupervise.json.JsonObject;
import java.util.List;

/** What a reload did, or would do, in lines for people: one for each service that it concerns. */
final class ReloadLines {
    private ReloadLines() {}

    static String of(JsonObject answer) throws JsonException {
        boolean dry = answer.bool("dry_run");
        StringBuilder lines = new StringBuilder();
        for (String name : answer.strings("added")) {
            line(lines, dry ? "would add " : "added ", name, List.of());
        }
        for (String name : answer.strings("removed")) {
            line(lines, dry ? "would remove " : "removed ", name, List.of());
        }
        for (JsonObject one : answer.objects("restarted")) {
            List<String> keys = one.strings("keys");
            line(
                    lines,
                    dry ? "would restart " : "restarted ",
                    one.string("name"),
                    keys.isEmpty() ? List.of("it runs with what an earlier file said") : keys);
        }
        for (JsonObject one : answer.objects("changed")) {
            line(lines, dry ? "would change " : "changed ", one.string("name"), one.strings("keys"));
        }
        List<String> own = answer.strings("supervisor");
        if (!own.isEmpty()) {
            line(lines, dry ? "would change " : "changed ", "the supervisor", own);
        }
        List<String> later = answer.strings("needs_new_supervisor");
        if (!later.isEmpty()) {
            line(lines, "only a new supervisor takes over ", String.join(", ", later), List.of());
        }
        return lines.append("unchanged: ")
                .append(answer.number("unchanged"))
                .append('\n')
                .toString();
    }

    private static void line(StringBuilder lines, String what, String name, List<String> keys) {
        lines.append(what).append(name);
        if (!keys.isEmpty()) {
            lines.append(": ").append(String.join(", ", keys));
        }
        lines.append('\n');
    }
}
