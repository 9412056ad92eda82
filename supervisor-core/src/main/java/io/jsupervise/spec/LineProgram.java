package io.jsupervise.spec;

import java.util.ArrayList;
import java.util.List;

/** The states of a {@link LinePattern}, in order: what each asks of the next character, or where it goes without one. */
final class LineProgram {
    /** The end: it is in the line. */
    static final int MATCH = 0;

    /** One character of a set, then the next state. */
    static final int TAKE = 1;

    static final int JUMP = 2;

    /** Both. */
    static final int SPLIT = 3;

    /** At the beginning of the line. */
    static final int BEGIN = 4;

    static final int END = 5;

    /** Between a character of a word and none. */
    static final int BOUNDARY = 6;

    private final List<int[]> states = new ArrayList<>();
    private final List<CharSet> sets = new ArrayList<>();

    /**
     * Characters.
     *
     * @param ranges  pairs of the first and the last
     * @param negated all but these
     */
    record CharSet(int[] ranges, boolean negated) {
        boolean has(char c) {
            for (int i = 0; i < ranges.length; i += 2) {
                if (c >= ranges[i] && c <= ranges[i + 1]) {
                    return !negated;
                }
            }
            return negated;
        }
    }

    int size() {
        return states.size();
    }

    int add(int kind, int target, int other) {
        states.add(new int[] {kind, target, other});
        return states.size() - 1;
    }

    int add(CharSet set) {
        sets.add(set);
        return add(TAKE, sets.size() - 1, 0);
    }

    void leads(int state, int target, int other) {
        states.get(state)[1] = target;
        states.get(state)[2] = other;
    }

    int kind(int state) {
        return states.get(state)[0];
    }

    int target(int state) {
        return states.get(state)[1];
    }

    int other(int state) {
        return states.get(state)[2];
    }

    boolean takes(int state, char c) {
        return sets.get(target(state)).has(c);
    }

    /** Whether a state that asks for a place may be passed. */
    boolean holds(int state, CharSequence line, int at) {
        return switch (kind(state)) {
            case BEGIN -> at == 0;
            case END -> at == line.length();
            default -> isOfWord(line, at - 1) != isOfWord(line, at);
        };
    }

    private static boolean isOfWord(CharSequence line, int at) {
        if (at < 0 || at >= line.length()) {
            return false;
        }
        char c = line.charAt(at);
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_';
    }
}
