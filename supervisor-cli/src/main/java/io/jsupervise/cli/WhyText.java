package io.jsupervise.cli;

import io.jsupervise.json.JsonException;
import io.jsupervise.json.JsonObject;
import io.jsupervise.text.DurationText;
import io.jsupervise.text.InstantText;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** An explanation on one screen: what is, why, what was, what will be, what to do. */
final class WhyText {
    private static final int WIDTH = 100;
    private static final int INDENT = 8;
    private static final int COMMAND_WIDTH = 36;

    private final StringBuilder text = new StringBuilder();
    private final JsonObject why;
    private final String prefix;
    private final boolean colors;

    /** @param prefix what stands in place of {@code jsupervise} in commands that ask a supervisor */
    WhyText(JsonObject why, String prefix, boolean colors) throws JsonException {
        this.why = why;
        this.prefix = prefix;
        this.colors = colors;
        write();
    }

    @Override
    public String toString() {
        return text.toString();
    }

    private void write() throws JsonException {
        boolean supervised = why.bool("supervised");
        List<JsonObject> because = why.objects("because");
        JsonObject self = because.get(0);
        headline(self, supervised);
        for (int i = 0; i < because.size(); i++) {
            JsonObject link = because.get(i);
            String words = i == 0
                    ? link.string("text")
                    : link.string("service") + " is " + link.string("state") + lasting(link) + ": " + link.string("text");
            item(i == 0 ? "why" : "", words);
        }
        failures();
        lastWords();
        next();
        can();
        boolean first = true;
        for (String note : why.strings("notes")) {
            item(first ? "note" : "", note);
            first = false;
        }
    }

    private void headline(JsonObject self, boolean supervised) throws JsonException {
        String line = why.string("service") + (supervised ? " is " : " was ") + self.string("state") + lasting(self);
        Optional<String> since = self.optionalString("since");
        line += since.isPresent() ? ", since " + since.get() : "";
        line += "; wanted " + why.string("wanted");
        text.append(colors ? "\u001b[1m" + line + "\u001b[0m" : line).append('\n');
    }

    private static String lasting(JsonObject link) throws JsonException {
        Optional<Long> lasted = link.optionalNumber("lasted_ms");
        return lasted.isPresent() ? " for " + DurationText.of(lasted.get()) : "";
    }

    private void failures() throws JsonException {
        List<String> lines = new ArrayList<>();
        for (JsonObject end : why.objects("failures")) {
            Instant at = end.instant("at");
            StringBuilder line = new StringBuilder(InstantText.of(at.truncatedTo(java.time.temporal.ChronoUnit.SECONDS)));
            Duration ago = Duration.between(at, Instant.now());
            line.append(ago.isNegative() ? "" : " (" + DurationText.of(ago.toMillis()) + " ago)");
            line.append("  ").append(end.string("reason"));
            long ranFor = end.number("ran_for_ms");
            line.append(ranFor > 0 ? ", after " + DurationText.of(ranFor) : "");
            if (!end.string("cause").equals("exit") && !end.string("cause").equals("signal")) {
                line.append(" [").append(end.string("cause")).append(']');
            }
            lines.add(line.toString());
        }
        if (!lines.isEmpty()) {
            item("ends", (lines.size() == 1 ? "the last of " : "the last " + lines.size() + " of ") + why.string("root")
                    + ":");
            lines.forEach(line -> item("", "  " + line));
        }
    }

    private void lastWords() throws JsonException {
        Optional<JsonObject> words = why.optionalObject("last_words");
        if (words.isPresent()) {
            item("said", why.string("root") + " said last, in " + words.get().string("file") + ":");
            for (String line : words.get().strings("lines")) {
                String plain = plain(line);
                int room = WIDTH - INDENT - 4;
                line("", "  | " + (plain.length() > room ? plain.substring(0, room - 3) + "..." : plain));
            }
        }
    }

    private void next() throws JsonException {
        JsonObject next = why.object("next");
        Optional<Long> in = next.optionalNumber("in_ms");
        String when = in.isEmpty() ? "" : in.get() == 0 ? "now: " : "in " + DurationText.of(in.get()) + ": ";
        item("next", when + next.string("text"));
    }

    private void can() throws JsonException {
        boolean first = true;
        for (JsonObject remedy : why.objects("can")) {
            String command = command(remedy.string("command"));
            String pad = " ".repeat(Math.max(2, COMMAND_WIDTH - command.length()));
            line(first ? "do" : "", command + pad + remedy.string("what"));
            first = false;
        }
    }

    /** Those that read a file ask no supervisor. */
    private String command(String command) {
        boolean asks = !command.startsWith("jsupervise check ") && !command.startsWith("jsupervise run ");
        return asks ? prefix + command.substring("jsupervise".length()) : command;
    }

    // ---- lines ----

    /** Broken between words, where it is too long for a screen. */
    private void item(String label, String words) {
        String rest = plain(words);
        String head = label;
        int room = WIDTH - INDENT;
        while (rest.length() > room) {
            int at = rest.lastIndexOf(' ', room);
            if (at <= room / 2) {
                break;
            }
            line(head, rest.substring(0, at));
            rest = "  " + rest.substring(at + 1);
            head = "";
        }
        line(head, rest);
    }

    private void line(String label, String words) {
        text.append("  ").append(label).append(" ".repeat(INDENT - 2 - label.length()));
        text.append(words).append('\n');
    }

    /** A program may have written anything, and what it wrote shall not steer the terminal of who reads it. */
    static String plain(String words) {
        StringBuilder plain = new StringBuilder(words.length());
        int at = 0;
        while (at < words.length()) {
            char one = words.charAt(at);
            if (one == '\u001b' && at + 1 < words.length() && words.charAt(at + 1) == '[') {
                at += 2;
                while (at < words.length() && (words.charAt(at) < '@' || words.charAt(at) > '~')) {
                    at++;
                }
            } else if (one == '\t') {
                plain.append(' ');
            } else if (one != '\r') {
                plain.append(Character.isISOControl(one) ? '?' : one);
            }
            at++;
        }
        return plain.toString();
    }
}
