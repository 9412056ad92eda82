package io.jsupervise.config;

import java.util.ArrayList;
import java.util.List;

/**
 * Splits a command line into words as a POSIX shell does, quotes and backslashes included, but expands nothing: there
 * is no shell. XCU 2.2 Quoting.
 */
final class ShellWords {
    private final String text;
    private final List<String> words = new ArrayList<>();
    private StringBuilder word;
    private int at;

    /** A quote that is opened at {@code index} and not closed. */
    static final class Unclosed extends Exception {
        private static final long serialVersionUID = 1;

        private final int index;

        Unclosed(int index) {
            super("unclosed quote");
            this.index = index;
        }

        int index() {
            return index;
        }
    }

    private ShellWords(String text) {
        this.text = text;
    }

    static List<String> split(String text) throws Unclosed {
        ShellWords words = new ShellWords(text);
        words.split();
        return words.words;
    }

    private void split() throws Unclosed {
        while (at < text.length()) {
            char c = text.charAt(at);
            switch (c) {
                case ' ', '\t', '\n' -> endWord();
                case '\'' -> single();
                case '"' -> doubled();
                case '\\' -> escaped();
                default -> append(c);
            }
            at++;
        }
        endWord();
    }

    private void append(char c) {
        beginWord();
        word.append(c);
    }

    private void beginWord() {
        if (word == null) {
            word = new StringBuilder();
        }
    }

    private void endWord() {
        if (word != null) {
            words.add(word.toString());
            word = null;
        }
    }

    private void single() throws Unclosed {
        beginWord();
        int end = text.indexOf('\'', at + 1);
        if (end < 0) {
            throw new Unclosed(at);
        }
        word.append(text, at + 1, end);
        at = end;
    }

    /** Within double quotes a backslash keeps its meaning only before these. */
    private void doubled() throws Unclosed {
        beginWord();
        int begin = at;
        at++;
        while (at < text.length() && text.charAt(at) != '"') {
            char c = text.charAt(at);
            boolean escapes = c == '\\' && at + 1 < text.length() && "$`\"\\\n".indexOf(text.charAt(at + 1)) >= 0;
            if (escapes) {
                at++;
                c = text.charAt(at);
            }
            if (!(escapes && c == '\n')) {
                word.append(c);
            }
            at++;
        }
        if (at >= text.length()) {
            throw new Unclosed(begin);
        }
    }

    private void escaped() throws Unclosed {
        if (at + 1 >= text.length()) {
            throw new Unclosed(at);
        }
        at++;
        if (text.charAt(at) != '\n') {
            append(text.charAt(at));
        }
    }
}
