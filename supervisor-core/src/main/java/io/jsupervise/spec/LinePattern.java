package io.jsupervise.spec;

import java.util.Arrays;

/**
 * A regular expression that is looked for in a line. It is run as an automaton that is in all its states at once (Thompson
 * 1968): each character of a line is looked at once, and costs no more than the expression is long, so no expression and no
 * line can hold up who looks. What would need another way (back references, looking around) is refused.
 *
 * <p>Known are: {@code . [a-z] [^a-z] \d \w \s \D \W \S \b \t ^ $ ( ) (?: ) | * + ? {n} {n,} {n,m}}, {@code (?i)} at the
 * beginning, and a backslash before anything that is no letter or digit.
 */
public final class LinePattern {
    /** The states of an automaton; {@code {n,m}} makes copies of what it repeats. */
    static final int MOST_STATES = 1_000;

    private final String text;
    private final LineProgram program;

    /** The expression cannot be read. */
    public static final class Malformed extends Exception {
        private static final long serialVersionUID = 1;

        private final int index;

        Malformed(int index, String what) {
            super(what);
            this.index = index;
        }

        /** Where in the expression, from 0. */
        public int index() {
            return index;
        }
    }

    private LinePattern(String text, LineProgram program) {
        this.text = text;
        this.program = program;
    }

    public static LinePattern of(String text) throws Malformed {
        return new LinePattern(text, new LineParser(text).parse());
    }

    /** Whether it is somewhere in {@code line}, which has no end of line in it. */
    public boolean isIn(CharSequence line) {
        int[] present = new int[program.size()];
        int[] next = new int[program.size()];
        int[] stack = new int[2 * program.size() + 2];
        int[] seenAt = new int[program.size()];
        Arrays.fill(seenAt, -1);
        int count = 0;
        for (int at = 0; at <= line.length(); at++) {
            // A match may begin anywhere.
            count = follow(0, line, at, present, count, seenAt, stack);
            if (count < 0) {
                return true;
            }
            int nextCount = 0;
            if (at < line.length()) {
                for (int i = 0; i < count; i++) {
                    if (program.takes(present[i], line.charAt(at))) {
                        nextCount = follow(present[i] + 1, line, at + 1, next, nextCount, seenAt, stack);
                        if (nextCount < 0) {
                            return true;
                        }
                    }
                }
            }
            int[] free = present;
            present = next;
            next = free;
            count = nextCount;
        }
        return false;
    }

    /** Adds to {@code states} what is reached from {@code from} without a further character; negative at the end of a match. */
    private int follow(int from, CharSequence line, int at, int[] states, int count, int[] seenAt, int[] stack) {
        int size = count;
        int depth = 0;
        stack[depth++] = from;
        while (depth > 0) {
            int state = stack[--depth];
            if (seenAt[state] == at) {
                continue;
            }
            seenAt[state] = at;
            switch (program.kind(state)) {
                case LineProgram.MATCH -> {
                    return -1;
                }
                case LineProgram.SPLIT -> {
                    stack[depth++] = program.other(state);
                    stack[depth++] = program.target(state);
                }
                case LineProgram.JUMP -> stack[depth++] = program.target(state);
                case LineProgram.TAKE -> states[size++] = state;
                default -> {
                    if (program.holds(state, line, at)) {
                        stack[depth++] = state + 1;
                    }
                }
            }
        }
        return size;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof LinePattern pattern && pattern.text.equals(text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    /** As it was written. */
    @Override
    public String toString() {
        return text;
    }
}
