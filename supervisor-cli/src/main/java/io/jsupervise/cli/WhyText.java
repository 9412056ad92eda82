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

    /** Each member is read once, in the order in which it is shown. */
    private void write() throws JsonException {
        String root = why.string("root");
        because(why.objects("because"), why.string("service"));
        failures(root);
        lastWords(root);
        ladder(root);
        next();
        can();
        String label = "note";
        for (String note : why.strings("notes")) {
            item(label, note);
            label = "";
        }
    }

    private void because(List<JsonObject> links, String name) throws JsonException {
        String label = "why";
        String is = why.bool("supervised") ? " is " : " was ";
        for (JsonObject link : links) {
            String service = link.string("service");
            String state = link.string("state");
            Optional<Long> lasted = link.optionalNumber("lasted_ms");
            String lasting = lasted.isPresent() ? " for " + DurationText.of(lasted.get()) : "";
            String words = link.string("text");
            if (label.isEmpty()) {
                item(label, service + is + state + lasting + ": " + words);
            } else {
                String since = link.has("since") ? ", since " + InstantText.of(toSeconds(link.instant("since"))) : "";
                headline(name + is + state + lasting + since + "; wanted " + why.string("wanted"));
                item(label, words);
                label = "";
            }
        }
    }

    private void headline(String line) {
        text.append(colors ? "\u001b[1m" + line + "\u001b[0m" : line).append('\n');
    }

    private static Instant toSeconds(Instant time) {
        return Instant.ofEpochSecond(time.getEpochSecond());
    }

    private void failures(String root) throws JsonException {
        List<String> lines = new ArrayList<>();
        for (JsonObject end : why.objects("failures")) {
            Instant at = end.instant("at");
            Duration ago = Duration.between(at, Instant.now());
            long ranFor = end.number("ran_for_ms");
            String cause = end.string("cause");
            boolean explainsItself = cause.equals("exit") || cause.equals("signal");
            lines.add(InstantText.of(toSeconds(at))
                    + (ago.isNegative() ? "" : " (" + DurationText.of(ago.toMillis()) + " ago)")
                    + "  "
                    + (explainsItself ? "" : cause + ": ")
                    + end.string("reason")
                    + (ranFor > 0 ? ", after " + DurationText.of(ranFor) : ""));
        }
        if (!lines.isEmpty()) {
            item("ends", (lines.size() == 1 ? "the last one of " : "the last " + lines.size() + " of ") + root + ":");
            lines.forEach(line -> item("", "  " + line));
        }
    }

    private void lastWords(String root) throws JsonException {
        Optional<JsonObject> words = why.optionalObject("last_words");
        if (words.isPresent()) {
            item("said", root + " said last, in " + words.get().string("file") + ":");
            for (String line : words.get().strings("lines")) {
                String plain = plain(line);
                int room = WIDTH - INDENT - 4;
                line("", "  | " + (plain.length() > room ? plain.substring(0, room - 3) + "..." : plain));
            }
        }
    }

    /** Only of one that has begun to climb. */
    private void ladder(String root) throws JsonException {
        Optional<JsonObject> known = why.optionalObject("ladder");
        if (known.isEmpty()) {
            return;
        }
        JsonObject ladder = known.get();
        long taken = ladder.number("taken");
        if (taken == 0) {
            return;
        }
        List<String> rungs = ladder.strings("rungs");
        Optional<JsonObject> last = ladder.optionalObject("last");
        item(
                "rung",
                root + (ladder.bool("done") ? " has taken rung " : " takes rung ") + taken + " of " + rungs.size()
                        + ", since " + ladder.string("reason"));
        if (last.isPresent()) {
            item("", "  it was to " + last.get().string("text"));
        }
        Optional<JsonObject> next = ladder.optionalObject("next");
        item("", next.isPresent() ? "  next, to " + next.get().string("text") : "  it is the last one");
        item("", "  " + ladder.string("text"));
    }

    private void next() throws JsonException {
        JsonObject next = why.object("next");
        Optional<Long> in = next.optionalNumber("in_ms");
        String when = in.isEmpty() ? "" : in.get() == 0 ? "now: " : "in " + DurationText.of(in.get()) + ": ";
        item("next", when + next.string("text"));
    }

    /** As comments of the shell, so that a whole line can be pasted. */
    private void can() throws JsonException {
        List<String> commands = new ArrayList<>();
        List<String> uses = new ArrayList<>();
        int width = 0;
        for (JsonObject remedy : why.objects("can")) {
            String command = command(remedy.string("command"));
            commands.add(command);
            uses.add(remedy.string("what"));
            width = Math.max(width, command.length());
        }
        for (int i = 0; i < commands.size(); i++) {
            String command = commands.get(i);
            line(i == 0 ? "do" : "", command + " ".repeat(width - command.length()) + "  # " + uses.get(i));
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
