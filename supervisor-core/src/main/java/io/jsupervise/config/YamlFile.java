package io.jsupervise.config;

import io.jsupervise.config.Value.Mapping;
import io.jsupervise.config.Value.Member;
import io.jsupervise.config.Value.Place;
import io.jsupervise.config.Value.Sequence;
import io.jsupervise.config.Value.Text;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.events.AliasEvent;
import org.yaml.snakeyaml.events.CollectionStartEvent;
import org.yaml.snakeyaml.events.Event;
import org.yaml.snakeyaml.events.MappingStartEvent;
import org.yaml.snakeyaml.events.NodeEvent;
import org.yaml.snakeyaml.events.ScalarEvent;
import org.yaml.snakeyaml.parser.Parser;
import org.yaml.snakeyaml.parser.ParserImpl;
import org.yaml.snakeyaml.reader.ReaderException;
import org.yaml.snakeyaml.reader.StreamReader;

/**
 * One YAML file as {@link Value}s. snakeyaml's parser tells what stands in the file, one event after the other; its
 * composer and constructors, with the types, dates and booleans of YAML 1.1, never come into play, and are not even
 * loaded. Aliases share the value of their anchor, so a file that grows through aliases within aliases takes no memory,
 * and it is refused as soon as what it stands for is too much. Depth is bounded while reading, hence also the stack.
 */
final class YamlFile {
    /** Keys and values of one file, aliases followed. A thousand services with all keys are a third of this. */
    private static final int MOST_VALUES = 200_000;

    private static final int DEEPEST = 50;
    private static final String TAG = "tag:yaml.org,2002:";

    private final Path file;
    private final Problems problems;

    /** Null is the value of an anchor that is still being read. */
    private final Map<String, Anchored> anchors = new HashMap<>();

    private int values;
    private int depth;

    /** @param size all the values that it consists of, itself included */
    private record Anchored(Value value, int size) {}

    /** What is wrong has been told, and reading on makes no sense. */
    private static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1;

        Refused() {
            super(null, null, false, false);
        }
    }

    YamlFile(Path file, Problems problems) {
        this.file = file;
        this.problems = problems;
    }

    /** The top of the file; empty where it is no map, or could not be read, which has been told then. */
    Optional<Mapping> read(byte[] bytes) {
        Optional<String> text = FileText.of(file, bytes, problems);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        LoaderOptions options = new LoaderOptions();
        options.setCodePointLimit(ConfigFiles.MOST_BYTES + 1);
        try {
            return document(new ParserImpl(new StreamReader(text.get()), options));
        } catch (Refused e) {
            // Told.
        } catch (MarkedYAMLException e) {
            told(e);
        } catch (ReaderException e) {
            toldOfCharacter(text.get(), e);
        } catch (YAMLException e) {
            problem(1, 1, "this is not YAML: " + e.getMessage(), "check quotes, colons and indentation");
        }
        return Optional.empty();
    }

    private Optional<Mapping> document(Parser parser) {
        parser.getEvent(); // the stream's start
        if (!parser.checkEvent(Event.ID.DocumentStart)) {
            return empty();
        }
        parser.getEvent();
        Value value = value(parser);
        parser.getEvent(); // the document's end
        if (parser.checkEvent(Event.ID.DocumentStart)) {
            Place place = placeOf(parser.peekEvent());
            problems.add(place, "a second YAML document begins here", "put everything into one, without \"---\"");
            return Optional.empty();
        }
        if (value instanceof Mapping top) {
            return Optional.of(top);
        } else if (value instanceof Text text && text.isNull()) {
            return empty();
        }
        problems.add(
                value.place(),
                "the file holds " + value.kind() + " where a map is expected",
                "begin with \"services:\" and indent the services below it");
        return Optional.empty();
    }

    private Optional<Mapping> empty() {
        problem(1, 1, "the file is empty", "begin with \"services:\" and indent the services below it");
        return Optional.empty();
    }

    // ---- events to values ----

    private Value value(Parser parser) {
        NodeEvent event = (NodeEvent) parser.getEvent();
        Place place = placeOf(event);
        if (event instanceof AliasEvent) {
            return aliased(event.getAnchor(), place);
        }
        int before = values;
        count(1, place);
        String anchor = event.getAnchor();
        if (anchor != null) {
            anchors.put(anchor, null);
        }
        Value value = event instanceof ScalarEvent scalar
                ? text(scalar, place)
                : collection((CollectionStartEvent) event, place, parser);
        if (anchor != null) {
            anchors.put(anchor, new Anchored(value, values - before));
        }
        return value;
    }

    private Value aliased(String name, Place place) {
        Anchored anchored = anchors.get(name);
        if (anchored == null) {
            boolean open = anchors.containsKey(name);
            problems.add(
                    place,
                    open
                            ? "anchor " + Value.quoted(name) + " contains itself"
                            : "there is no anchor " + Value.quoted(name) + " above",
                    open ? "remove this alias" : "write & and this name before what it shall stand for");
            throw new Refused();
        }
        count(anchored.size, place);
        return anchored.value;
    }

    private void count(int more, Place place) {
        values += more;
        if (values > MOST_VALUES) {
            problems.add(
                    place,
                    "the file holds more than " + MOST_VALUES + " values, aliases followed",
                    "split it with include, and use fewer aliases");
            throw new Refused();
        }
    }

    private Text text(ScalarEvent event, Place place) {
        tag(event.getTag(), "str", place);
        boolean plain = event.getScalarStyle() == DumperOptions.ScalarStyle.PLAIN;
        boolean oneLine = event.getStartMark().getLine() == event.getEndMark().getLine();
        return new Text(place, event.getValue(), plain, plain && oneLine);
    }

    private Value collection(CollectionStartEvent event, Place place, Parser parser) {
        boolean mapping = event instanceof MappingStartEvent;
        tag(event.getTag(), mapping ? "map" : "seq", place);
        if (++depth > DEEPEST) {
            problems.add(place, "more than " + DEEPEST + " levels stand within one another", "write it flatter");
            throw new Refused();
        }
        Value value = mapping ? mapping(place, parser) : sequence(place, parser);
        parser.getEvent(); // its end
        depth--;
        return value;
    }

    /** A type that somebody asks for would otherwise be accepted and ignored; text, list and map are what it is anyway. */
    private void tag(String tag, String natural, Place place) {
        if (tag != null && !tag.equals("!") && !tag.equals(TAG + natural)) {
            String shown = tag.startsWith(TAG) ? "!!" + tag.substring(TAG.length()) : tag;
            problems.add(place, "the YAML tag " + Value.quoted(shown) + " is not read", "remove it");
        }
    }

    private Sequence sequence(Place place, Parser parser) {
        List<Value> all = new ArrayList<>();
        while (!parser.checkEvent(Event.ID.SequenceEnd)) {
            all.add(value(parser));
        }
        return new Sequence(place, all);
    }

    private Mapping mapping(Place place, Parser parser) {
        Map<String, Member> members = new LinkedHashMap<>();
        while (!parser.checkEvent(Event.ID.MappingEnd)) {
            Place at = placeOf(parser.peekEvent());
            Value key = value(parser);
            Value value = value(parser);
            if (key instanceof Text name) {
                add(members, name.text(), new Member(at, value));
            } else {
                problems.add(at, "a key is " + key.kind(), "use a word as key");
            }
        }
        return new Mapping(place, members);
    }

    private void add(Map<String, Member> members, String name, Member member) {
        if (name.equals("<<")) {
            problems.add(member.key(), "merge keys are not read", "put what services share into \"defaults:\"");
            return;
        }
        Member before = members.putIfAbsent(name, member);
        if (before != null) {
            problems.add(
                    member.key(),
                    Value.quoted(name) + " is there already, on line "
                            + before.key().line(),
                    "keep one of them");
        }
    }

    // ---- what is not YAML ----

    private void told(MarkedYAMLException e) {
        Mark mark = e.getProblemMark() != null ? e.getProblemMark() : e.getContextMark();
        int line = mark == null ? 1 : mark.getLine() + 1;
        int column = mark == null ? 1 : mark.getColumn() + 1;
        String problem = e.getProblem() == null ? String.valueOf(e.getMessage()) : e.getProblem();
        if (problem.contains("TAB")) {
            problem(line, column, "a tab stands where YAML wants blanks", "indent with blanks");
        } else {
            String context = e.getContext() == null ? "" : " " + e.getContext();
            problem(line, column, "this is not YAML: " + problem + context, "check quotes, colons and indentation");
        }
    }

    private void toldOfCharacter(String text, ReaderException e) {
        int at = 0;
        while (at < text.length() && StreamReader.isPrintable(text.codePointAt(at))) {
            at += Character.charCount(text.codePointAt(at));
        }
        String code = Integer.toHexString(e.getCodePoint());
        Place place = FileText.endOf(file, text.substring(0, at));
        problems.add(place, "character U+" + code + " may not stand in YAML", "remove it");
    }

    private Place placeOf(Event event) {
        Mark mark = event.getStartMark();
        return new Place(file, mark.getLine() + 1, mark.getColumn() + 1);
    }

    private void problem(int line, int column, String what, String fix) {
        problems.add(new Place(file, line, column), what, fix);
    }
}
