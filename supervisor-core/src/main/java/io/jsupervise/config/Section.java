package io.jsupervise.config;

import io.jsupervise.config.Value.Mapping;
import io.jsupervise.config.Value.Member;
import io.jsupervise.config.Value.Place;
import io.jsupervise.config.Value.Sequence;
import io.jsupervise.config.Value.Text;
import io.jsupervise.spec.Signal;
import io.jsupervise.text.DurationText;
import io.jsupervise.text.Nearest;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeSet;

/**
 * One map of the file, read key by key. What is wrong with a value is told, and the key then counts as absent, so that
 * reading goes on and finds everything that is wrong.
 */
final class Section {
    private static final Duration LONGEST = Duration.ofDays(3650);

    private final String name;
    private final Mapping map;
    private final Problems problems;

    /** @param name in messages, such as {@code backoff} */
    Section(String name, Mapping map, Problems problems) {
        this.name = name;
        this.map = map;
        this.problems = problems;
    }

    Place place() {
        return map.place();
    }

    /** Where the value of a key stands, or this section where there is none. */
    Place placeOf(String key) {
        Member member = map.members().get(key);
        return member == null ? map.place() : member.value().place();
    }

    /** Tells of every key that is not one of {@code known}. */
    Section knows(List<String> known) {
        for (Map.Entry<String, Member> entry : map.members().entrySet()) {
            if (!known.contains(entry.getKey())) {
                Optional<String> near = Nearest.of(entry.getKey(), known);
                String fix = near.isPresent()
                        ? "did you mean \"" + near.get() + "\"?"
                        : "known here: " + String.join(", ", known);
                String where = name.isEmpty() ? "" : " in " + name;
                problem(entry.getValue().key(), "key " + Value.quoted(entry.getKey()) + " is unknown" + where, fix);
            }
        }
        return this;
    }

    boolean has(String key) {
        Member member = map.members().get(key);
        return member != null && !(member.value() instanceof Text text && text.isNull());
    }

    /** The same, but for one key. */
    Section without(String key) {
        Map<String, Member> others = new LinkedHashMap<>(map.members());
        others.remove(key);
        return new Section(name, new Mapping(map.place(), others), problems);
    }

    Optional<Value> value(String key) {
        return has(key) ? Optional.of(map.members().get(key).value()) : Optional.empty();
    }

    Map<String, Member> members() {
        return map.members();
    }

    void problem(Place place, String what, String fix) {
        problems.add(place, what, fix);
    }

    void forbidden(Place place, String what, String fix) {
        problems.addForbidden(place, what, fix);
    }

    /** The value of {@code key} as text; a list or map there is told of. */
    Optional<Text> text(String key, String example) {
        Optional<Value> value = value(key);
        if (value.isEmpty()) {
            return Optional.empty();
        }
        if (value.get() instanceof Text text) {
            return checked(key, text);
        }
        wrong(key, value.get(), example);
        return Optional.empty();
    }

    private Optional<Text> checked(String key, Text text) {
        if (text.text().indexOf('\0') >= 0) {
            problem(text.place(), key + " holds a NUL character", "remove it");
            return Optional.empty();
        }
        return Optional.of(text);
    }

    private void wrong(String key, Value value, String example) {
        problem(value.place(), key + " is " + value.kind(), "write " + example);
    }

    Optional<String> string(String key, String example) {
        return text(key, example).map(Text::text);
    }

    boolean bool(String key, boolean otherwise) {
        Optional<Text> text = text(key, "true or false");
        if (text.isEmpty()) {
            return otherwise;
        }
        switch (text.get().text()) {
            case "true":
                return true;
            case "false":
                return false;
            default:
                wrong(key, text.get(), "true or false");
                return otherwise;
        }
    }

    int number(String key, int otherwise, int least, int most) {
        Optional<Text> text = text(key, "a whole number");
        return text.isEmpty() ? otherwise : number(key, text.get(), least, most).orElse(otherwise);
    }

    /** Of either sign. */
    OptionalInt integer(String key, int least, int most) {
        String example = "a whole number from " + least + " to " + most;
        Optional<Text> text = text(key, example);
        if (text.isEmpty()) {
            return OptionalInt.empty();
        }
        String digits = text.get().text();
        boolean negative = digits.startsWith("-");
        String magnitude = negative ? digits.substring(1) : digits;
        boolean fits = magnitude.length() <= 9 && isDecimal(magnitude) && magnitude.indexOf('.') < 0;
        int number = fits ? Integer.parseInt(magnitude) * (negative ? -1 : 1) : 0;
        if (fits && number >= least && number <= most) {
            return OptionalInt.of(number);
        }
        wrong(key, text.get(), example);
        return OptionalInt.empty();
    }

    private Optional<Integer> number(String key, Text text, int least, int most) {
        boolean fits = text.text().length() <= 10
                && isDecimal(text.text())
                && text.text().indexOf('.') < 0;
        long number = fits ? Long.parseLong(text.text()) : -1;
        if (number >= least && number <= most) {
            return Optional.of((int) number);
        }
        String bounds = most == Integer.MAX_VALUE ? "of at least " + least : "from " + least + " to " + most;
        wrong(key, text, "a whole number " + bounds);
        return Optional.empty();
    }

    double decimal(String key, double otherwise, double least, double most) {
        String example = "a number from " + least + " to " + most;
        Optional<Text> text = text(key, example);
        if (text.isEmpty()) {
            return otherwise;
        }
        double number =
                isDecimal(text.get().text()) ? Double.parseDouble(text.get().text()) : Double.NaN;
        if (number >= least && number <= most) {
            return number;
        }
        wrong(key, text.get(), example);
        return otherwise;
    }

    /** Digits with at most one point among them. Java would also take 2d, 0x1p3 and NaN for numbers. */
    private static boolean isDecimal(String text) {
        int digits = 0;
        int points = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            digits += c >= '0' && c <= '9' ? 1 : 0;
            points += c == '.' ? 1 : 0;
        }
        return digits > 0 && points <= 1 && digits + points == text.length();
    }

    /** At least zero. */
    Duration duration(String key, Duration otherwise) {
        String example = "a duration such as 250ms, 10s, 5m, 1h or 1d";
        Optional<Text> text = text(key, example);
        if (text.isEmpty()) {
            return otherwise;
        }
        Optional<Duration> duration = DurationText.parse(text.get().text());
        if (duration.isEmpty()) {
            String fix = text.get().text().startsWith("-") ? example + "; it cannot be negative" : example;
            wrong(key, text.get(), fix);
            return otherwise;
        }
        if (duration.get().compareTo(LONGEST) > 0) {
            wrong(key, text.get(), "at most " + LONGEST.toDays() + "d");
            return otherwise;
        }
        return duration.get();
    }

    /** Longer than zero. */
    Optional<Duration> positive(String key) {
        int toldBefore = problems.added();
        Duration duration = duration(key, Duration.ZERO);
        if (!duration.isZero()) {
            return Optional.of(duration);
        }
        if (has(key) && problems.added() == toldBefore) {
            problem(placeOf(key), key + " must be longer than zero", "write a duration such as 30s");
        }
        return Optional.empty();
    }

    /** In bytes. */
    long size(String key, long otherwise, long least, long most) {
        String example = "a size such as 512KiB, 10MiB or 1GiB";
        Optional<Text> text = text(key, example);
        if (text.isEmpty()) {
            return otherwise;
        }
        Optional<Long> bytes = SizeText.parse(text.get().text());
        if (bytes.isEmpty()) {
            wrong(key, text.get(), example);
        } else if (bytes.get() < least || bytes.get() > most) {
            wrong(key, text.get(), "a size from " + SizeText.of(least) + " to " + SizeText.of(most));
        } else {
            return bytes.get();
        }
        return otherwise;
    }

    Signal signal(String key, Signal otherwise) {
        return signal(key).orElse(otherwise);
    }

    Optional<Signal> signal(String key) {
        Optional<Text> text = text(key, "a signal such as TERM");
        if (text.isEmpty()) {
            return Optional.empty();
        }
        Optional<Signal> signal = Signal.parse(text.get().text());
        if (signal.isEmpty()) {
            wrong(key, text.get(), "a signal such as TERM, INT, QUIT, HUP or USR1");
        }
        return signal;
    }

    /** Absolute; a relative one is relative to {@code directory}. */
    Optional<Path> path(String key, Path directory) {
        Optional<Text> text = text(key, "a path");
        if (text.isEmpty()) {
            return Optional.empty();
        }
        return path(key, text.get(), directory);
    }

    Optional<Path> path(String key, Text text, Path directory) {
        if (text.text().isEmpty()) {
            wrong(key, text, "a path");
            return Optional.empty();
        }
        try {
            return Optional.of(directory.resolve(text.text()).normalize());
        } catch (InvalidPathException e) {
            problem(text.place(), key + " is no path: " + e.getReason(), "write another");
            return Optional.empty();
        }
    }

    /** One of several words. */
    Optional<String> word(String key, List<String> words) {
        String list = listed(words);
        Optional<Text> text = text(key, list);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        if (words.contains(text.get().text())) {
            return Optional.of(text.get().text());
        }
        Optional<String> near = Nearest.of(text.get().text(), words);
        String fix = near.isPresent() ? "did you mean \"" + near.get() + "\"? It can be " + list : "use " + list;
        problem(text.get().place(), key + " " + text.get().kind() + " is unknown", fix);
        return Optional.empty();
    }

    private static String listed(List<String> words) {
        int last = words.size() - 1;
        return String.join(", ", words.subList(0, last)) + " or " + words.get(last);
    }

    /** A list of texts, or one text alone. */
    List<Text> texts(String key, String example) {
        Optional<Value> value = value(key);
        List<Text> texts = new ArrayList<>();
        if (value.isEmpty()) {
            return texts;
        }
        if (value.get() instanceof Text one) {
            checked(key, one).ifPresent(texts::add);
        } else if (value.get() instanceof Sequence sequence) {
            for (Value one : sequence.values()) {
                if (one instanceof Text text) {
                    checked(key, text).ifPresent(texts::add);
                } else {
                    wrong("an element of " + key, one, example);
                }
            }
        } else {
            wrong(key, value.get(), example);
        }
        return texts;
    }

    TreeSet<Integer> exitCodes(String key, List<Integer> otherwise) {
        TreeSet<Integer> codes = new TreeSet<>();
        if (!has(key)) {
            codes.addAll(otherwise);
            return codes;
        }
        for (Text text : texts(key, "a list of exit codes such as [0, 3]")) {
            number(key, text, 0, 255).ifPresent(codes::add);
        }
        return codes;
    }

    /** A map of texts. */
    Map<String, Text> textMap(String key) {
        Map<String, Text> all = new LinkedHashMap<>();
        Optional<Section> section = section(key);
        if (section.isEmpty()) {
            return all;
        }
        for (Map.Entry<String, Member> entry : section.get().members().entrySet()) {
            if (entry.getValue().value() instanceof Text text) {
                checked(key + " " + entry.getKey(), text).ifPresent(checked -> all.put(entry.getKey(), checked));
            } else {
                wrong(key + " " + entry.getKey(), entry.getValue().value(), "a text");
            }
        }
        return all;
    }

    /** A map below this one; empty where there is none. */
    Optional<Section> section(String key) {
        Optional<Value> value = value(key);
        if (value.isEmpty()) {
            return Optional.empty();
        }
        if (value.get() instanceof Mapping mapping) {
            return Optional.of(new Section(key, mapping, problems));
        }
        wrong(key, value.get(), "a map, one key a line, indented below it");
        return Optional.empty();
    }
}
