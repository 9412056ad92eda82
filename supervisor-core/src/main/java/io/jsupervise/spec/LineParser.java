package io.jsupervise.spec;

import io.jsupervise.spec.LinePattern.Malformed;
import io.jsupervise.spec.LineProgram.CharSet;
import java.util.ArrayList;
import java.util.List;

/** From the text of a {@link LinePattern} to its automaton. */
final class LineParser {
    private static final int DEEPEST = 100;
    private static final int UNBOUNDED = -1;
    private static final int[] DIGITS = {'0', '9'};
    private static final int[] WORD = {'a', 'z', 'A', 'Z', '0', '9', '_', '_'};
    private static final int[] SPACE = {'\t', '\r', ' ', ' '};

    private final String text;
    private final LineProgram program = new LineProgram();
    private int at;
    private int depth;
    private int emitted;
    private boolean anyCase;

    /** What a part of the expression means; made before its states, since a count copies it. */
    private sealed interface Part {}

    private record One(CharSet set) implements Part {}

    private record Place(int kind) implements Part {}

    private record Row(List<Part> parts) implements Part {}

    private record Either(List<Part> parts) implements Part {}

    private record Repeated(Part part, int least, int most) implements Part {}

    LineParser(String text) {
        this.text = text;
    }

    LineProgram parse() throws Malformed {
        if (text.startsWith("(?i)")) {
            anyCase = true;
            at = 4;
        }
        Part whole = either();
        if (at < text.length()) {
            throw new Malformed(at, "has a ) without a (");
        }
        emit(whole);
        program.add(LineProgram.MATCH, 0, 0);
        return program;
    }

    // ---- reading ----

    private boolean isNext(char c) {
        return at < text.length() && text.charAt(at) == c;
    }

    private Part either() throws Malformed {
        if (++depth > DEEPEST) {
            throw new Malformed(at, "has more than " + DEEPEST + " groups in one another");
        }
        List<Part> all = new ArrayList<>();
        all.add(row());
        while (isNext('|')) {
            at++;
            all.add(row());
        }
        depth--;
        return all.size() == 1 ? all.get(0) : new Either(all);
    }

    private Part row() throws Malformed {
        List<Part> parts = new ArrayList<>();
        while (at < text.length() && text.charAt(at) != '|' && text.charAt(at) != ')') {
            parts.add(repeated(one()));
        }
        return new Row(parts);
    }

    private Part repeated(Part part) throws Malformed {
        Part result = part;
        boolean counted = false;
        while (at < text.length() && "*+?{".indexOf(text.charAt(at)) >= 0) {
            int begin = at;
            char c = text.charAt(at++);
            if (counted && c == '?') {
                // As short as possible: it is in the line or not.
                continue;
            }
            if (counted) {
                throw new Malformed(begin, "repeats what is repeated already");
            }
            counted = true;
            result = switch (c) {
                case '*' -> new Repeated(part, 0, UNBOUNDED);
                case '+' -> new Repeated(part, 1, UNBOUNDED);
                case '?' -> new Repeated(part, 0, 1);
                default -> count(part, begin);
            };
        }
        return result;
    }

    private Part count(Part part, int begin) throws Malformed {
        int least = number(begin);
        int most = least;
        if (isNext(',')) {
            at++;
            most = isNext('}') ? UNBOUNDED : number(begin);
        }
        if (!isNext('}') || most != UNBOUNDED && most < least) {
            throw new Malformed(begin, "has a { that begins no count; write \\{ for the character");
        }
        at++;
        return new Repeated(part, least, most);
    }

    private int number(int begin) throws Malformed {
        int number = 0;
        int from = at;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            number = number * 10 + text.charAt(at++) - '0';
            if (number > LinePattern.MOST_STATES) {
                throw tooLarge();
            }
        }
        if (from == at) {
            throw new Malformed(begin, "has a { that begins no count; write \\{ for the character");
        }
        return number;
    }

    private static Malformed tooLarge() {
        return new Malformed(0, "is too large: it has more than " + LinePattern.MOST_STATES + " states");
    }

    private Part one() throws Malformed {
        int begin = at;
        char c = text.charAt(at++);
        return switch (c) {
            case '.' -> new One(new CharSet(new int[0], true));
            case '^' -> new Place(LineProgram.BEGIN);
            case '$' -> new Place(LineProgram.END);
            case '(' -> group(begin);
            case '[' -> new One(set(begin));
            case '\\' -> escaped(begin);
            case '*', '+', '?', '{' -> throw new Malformed(begin, "has a " + c + " with nothing before it");
            default -> new One(single(c));
        };
    }

    private Part group(int begin) throws Malformed {
        if (isNext('?')) {
            if (!text.startsWith("?:", at)) {
                throw new Malformed(begin, "has a (? that is not supported; only (?: and, at the beginning, (?i) are");
            }
            at += 2;
        }
        Part inner = either();
        if (!isNext(')')) {
            throw new Malformed(begin, "has a ( without a )");
        }
        at++;
        return inner;
    }

    private Part escaped(int begin) throws Malformed {
        if (isNext('b')) {
            at++;
            return new Place(LineProgram.BOUNDARY);
        }
        return new One(escape(begin));
    }

    private CharSet escape(int begin) throws Malformed {
        if (at == text.length()) {
            throw new Malformed(begin, "ends with a backslash");
        }
        char c = text.charAt(at++);
        return switch (c) {
            case 'd', 'D' -> new CharSet(DIGITS, c == 'D');
            case 'w', 'W' -> new CharSet(WORD, c == 'W');
            case 's', 'S' -> new CharSet(SPACE, c == 'S');
            case 't' -> single('\t');
            default -> {
                if (Character.isLetterOrDigit(c)) {
                    throw new Malformed(begin, "has \\" + c + ", which is not supported");
                }
                yield single(c);
            }
        };
    }

    private CharSet single(char c) {
        char lower = anyCase ? Character.toLowerCase(c) : c;
        char upper = anyCase ? Character.toUpperCase(c) : c;
        return new CharSet(lower == upper ? new int[] {c, c} : new int[] {lower, lower, upper, upper}, false);
    }

    private CharSet set(int begin) throws Malformed {
        boolean negated = isNext('^');
        at += negated ? 1 : 0;
        List<Integer> ranges = new ArrayList<>();
        boolean first = true;
        while (first || !isNext(']')) {
            if (at >= text.length()) {
                throw new Malformed(begin, "has a [ without a ]");
            }
            first = false;
            member(begin, ranges);
        }
        at++;
        int[] all = new int[ranges.size()];
        for (int i = 0; i < all.length; i++) {
            all[i] = ranges.get(i);
        }
        return new CharSet(all, negated);
    }

    private void member(int begin, List<Integer> ranges) throws Malformed {
        int from = at;
        char low = text.charAt(at++);
        if (low == '\\') {
            CharSet known = escape(from);
            if (known.negated()) {
                throw new Malformed(from, "has " + text.substring(from, at) + " between [ and ]");
            }
            boolean one = known.ranges().length == 2 && known.ranges()[0] == known.ranges()[1];
            if (!one || !isNext('-')) {
                for (int end : known.ranges()) {
                    ranges.add(end);
                }
                return;
            }
            low = (char) known.ranges()[0];
        }
        char high = low;
        if (isNext('-') && at + 1 < text.length() && text.charAt(at + 1) != ']') {
            at++;
            high = text.charAt(at++);
            if (high == '\\' && at < text.length()) {
                high = text.charAt(at++);
            }
            if (high < low) {
                throw new Malformed(from, "has the empty range " + low + "-" + high);
            }
        }
        add(low, high, ranges);
    }

    private void add(char low, char high, List<Integer> ranges) {
        ranges.add((int) low);
        ranges.add((int) high);
        if (anyCase) {
            addCase(Math.max(low, 'a'), Math.min(high, 'z'), 'A' - 'a', ranges);
            addCase(Math.max(low, 'A'), Math.min(high, 'Z'), 'a' - 'A', ranges);
        }
    }

    private static void addCase(int low, int high, int by, List<Integer> ranges) {
        if (low <= high) {
            ranges.add(low + by);
            ranges.add(high + by);
        }
    }

    // ---- writing ----

    private void emit(Part part) throws Malformed {
        // Also what has no states may be repeated, and that again.
        if (program.size() > LinePattern.MOST_STATES || ++emitted > 10 * LinePattern.MOST_STATES) {
            throw tooLarge();
        }
        if (part instanceof One one) {
            program.add(one.set());
        } else if (part instanceof Place place) {
            program.add(place.kind(), 0, 0);
        } else if (part instanceof Row row) {
            for (Part next : row.parts()) {
                emit(next);
            }
        } else if (part instanceof Either either) {
            emit(either);
        } else if (part instanceof Repeated repeated) {
            emit(repeated);
        } else {
            throw new AssertionError(part);
        }
    }

    private void emit(Either either) throws Malformed {
        List<Integer> ends = new ArrayList<>();
        for (int i = 0; i < either.parts().size() - 1; i++) {
            int split = program.add(LineProgram.SPLIT, 0, 0);
            emit(either.parts().get(i));
            ends.add(program.add(LineProgram.JUMP, 0, 0));
            program.leads(split, split + 1, program.size());
        }
        emit(either.parts().get(either.parts().size() - 1));
        for (int end : ends) {
            program.leads(end, program.size(), 0);
        }
    }

    private void emit(Repeated repeated) throws Malformed {
        for (int i = 0; i < repeated.least(); i++) {
            emit(repeated.part());
        }
        if (repeated.most() == UNBOUNDED) {
            int split = program.add(LineProgram.SPLIT, 0, 0);
            emit(repeated.part());
            program.add(LineProgram.JUMP, split, 0);
            program.leads(split, split + 1, program.size());
            return;
        }
        List<Integer> splits = new ArrayList<>();
        for (int i = repeated.least(); i < repeated.most(); i++) {
            splits.add(program.add(LineProgram.SPLIT, 0, 0));
            emit(repeated.part());
        }
        for (int split : splits) {
            program.leads(split, split + 1, program.size());
        }
    }
}
