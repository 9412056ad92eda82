package io.jsupervise.config;

import io.jsupervise.config.Value.Mapping;
import io.jsupervise.config.Value.Member;
import io.jsupervise.config.Value.Place;
import io.jsupervise.config.Value.Sequence;
import io.jsupervise.config.Value.Text;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.reader.ReaderException;
import org.yaml.snakeyaml.reader.StreamReader;

/**
 * One YAML file as {@link Value}s. snakeyaml composes nodes, it constructs nothing: types, dates and booleans of YAML
 * 1.1 never come into play. Aliases are followed, but a file that grows without measure through them is refused.
 */
final class YamlFile {
    /** More values than any file of {@link ConfigFiles#MOST_BYTES} holds without aliases within aliases. */
    private static final int MOST_VALUES = 1_000_000;

    private static final int DEEPEST = 50;

    private final Path file;
    private final List<ConfigProblem> problems;
    private final Deque<Node> open = new ArrayDeque<>();
    private int values;
    private boolean tooMany;

    YamlFile(Path file, List<ConfigProblem> problems) {
        this.file = file;
        this.problems = problems;
    }

    /** The top of the file; empty where it is no map, or could not be read, which has been told then. */
    Optional<Mapping> read(byte[] bytes) {
        if (bytes.length > ConfigFiles.MOST_BYTES) {
            problem(1, 1, "the file has more than " + (ConfigFiles.MOST_BYTES >> 20) + " MiB", "split it with include");
            return Optional.empty();
        }
        Optional<String> text = decode(bytes);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        Optional<Node> node = compose(text.get());
        if (node.isEmpty()) {
            return Optional.empty();
        }
        Value value = convert(node.get());
        if (!(value instanceof Mapping top)) {
            problem(
                    value.place().line(),
                    value.place().column(),
                    "the file holds " + value.kind() + " where a map is expected",
                    "begin with \"services:\" and indent the services below it");
            return Optional.empty();
        }
        return tooMany ? Optional.empty() : Optional.of(top);
    }

    private Optional<String> decode(byte[] bytes) {
        CharsetDecoder decoder = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(bytes.length + 1);
        CoderResult result = decoder.decode(in, out, true);
        if (result.isError()) {
            int line = 1;
            int column = 1;
            for (int i = 0; i < in.position(); i++) {
                column++;
                if (bytes[i] == '\n') {
                    line++;
                    column = 1;
                }
            }
            String bad = Integer.toHexString(bytes[in.position()] & 0xff);
            problem(line, column, "byte 0x" + bad + " is not UTF-8", "save the file as UTF-8");
            return Optional.empty();
        }
        out.flip();
        return Optional.of(out.toString());
    }

    private Optional<Node> compose(String text) {
        LoaderOptions options = new LoaderOptions();
        options.setCodePointLimit(ConfigFiles.MOST_BYTES + 1);
        options.setNestingDepthLimit(DEEPEST);
        options.setMaxAliasesForCollections(Integer.MAX_VALUE);
        try {
            Iterator<Node> documents =
                    new Yaml(options).composeAll(new java.io.StringReader(text)).iterator();
            if (!documents.hasNext()) {
                problem(1, 1, "the file is empty", "begin with \"services:\" and indent the services below it");
                return Optional.empty();
            }
            Node first = documents.next();
            if (documents.hasNext()) {
                Mark mark = documents.next().getStartMark();
                problem(
                        mark.getLine() + 1,
                        mark.getColumn() + 1,
                        "a second YAML document begins here",
                        "put everything into one, without \"---\"");
                return Optional.empty();
            }
            return Optional.of(first);
        } catch (MarkedYAMLException e) {
            told(e);
        } catch (ReaderException e) {
            toldOfCharacter(text, e);
        } catch (YAMLException e) {
            problem(1, 1, oneLine(e.getMessage()), "write it flatter and smaller");
        } catch (StackOverflowError e) {
            problem(1, 1, "the file is nested too deeply", "at most " + DEEPEST + " levels are read");
        }
        return Optional.empty();
    }

    private void told(MarkedYAMLException e) {
        Mark mark = e.getProblemMark() != null ? e.getProblemMark() : e.getContextMark();
        int line = mark == null ? 1 : mark.getLine() + 1;
        int column = mark == null ? 1 : mark.getColumn() + 1;
        String problem = oneLine(e.getProblem() == null ? String.valueOf(e.getMessage()) : e.getProblem());
        if (problem.contains("TAB")) {
            problem(line, column, "a tab stands where YAML wants blanks", "indent with blanks");
        } else {
            String context = e.getContext() == null ? "" : " " + oneLine(e.getContext());
            problem(line, column, "this is not YAML: " + problem + context, "check quotes, colons and indentation");
        }
    }

    private void toldOfCharacter(String text, ReaderException e) {
        int line = 1;
        int column = 1;
        int at = 0;
        while (at < text.length() && StreamReader.isPrintable(text.codePointAt(at))) {
            int codePoint = text.codePointAt(at);
            column++;
            if (codePoint == '\n') {
                line++;
                column = 1;
            }
            at += Character.charCount(codePoint);
        }
        String code = Integer.toHexString(e.getCodePoint());
        problem(line, column, "character U+" + code + " may not stand in YAML", "remove it");
    }

    private static String oneLine(String text) {
        return text.replace('\n', ' ').replace('\r', ' ').strip();
    }

    private Value convert(Node node) {
        Place place = placeOf(node);
        Text nothing = new Text(place, "", true);
        if (++values > MOST_VALUES) {
            if (!tooMany) {
                tooMany = true;
                problem(place, "aliases make more than " + MOST_VALUES + " values of this file", "use fewer of them");
            }
            return nothing;
        }
        if (tooMany) {
            return nothing;
        }
        if (node instanceof ScalarNode scalar) {
            boolean plain = scalar.getScalarStyle() == DumperOptions.ScalarStyle.PLAIN;
            return new Text(place, scalar.getValue(), plain);
        }
        if (isOpen(node)) {
            problem(place, "this anchor contains itself", "remove the alias inside it");
            tooMany = true;
            return nothing;
        }
        open.push(node);
        try {
            return node instanceof SequenceNode sequence
                    ? convert(sequence, place)
                    : convert((MappingNode) node, place);
        } finally {
            open.pop();
        }
    }

    private boolean isOpen(Node node) {
        for (Node one : open) {
            if (one == node) {
                return true;
            }
        }
        return false;
    }

    private Sequence convert(SequenceNode node, Place place) {
        List<Value> all = new ArrayList<>();
        for (Node one : node.getValue()) {
            all.add(convert(one));
        }
        return new Sequence(place, all);
    }

    private Mapping convert(MappingNode node, Place place) {
        Map<String, Member> members = new LinkedHashMap<>();
        for (NodeTuple tuple : node.getValue()) {
            Place key = placeOf(tuple.getKeyNode());
            if (!(tuple.getKeyNode() instanceof ScalarNode scalar)) {
                problem(key, "a key is a list or a map", "use a word as key");
                continue;
            }
            String name = scalar.getValue();
            Member before = members.get(name);
            if (before != null) {
                problem(
                        key,
                        "\"" + name + "\" is there already, on line "
                                + before.key().line(),
                        "keep one of them");
            } else if (name.equals("<<")) {
                problem(key, "merge keys are not read", "put what services share into \"defaults:\"");
            } else {
                members.put(name, new Member(key, convert(tuple.getValueNode())));
            }
        }
        return new Mapping(place, members);
    }

    private Place placeOf(Node node) {
        return new Place(
                file, node.getStartMark().getLine() + 1, node.getStartMark().getColumn() + 1);
    }

    private void problem(int line, int column, String what, String fix) {
        problems.add(new ConfigProblem(file, line, column, what, fix));
    }

    private void problem(Place place, String what, String fix) {
        problem(place.line(), place.column(), what, fix);
    }
}
