package io.jsupervise.config;

import java.nio.file.Path;

/**
 * One thing that is wrong.
 *
 * @param line   from 1
 * @param column from 1
 * @param what   the fault
 * @param fix    what to write instead
 * @param rights whether somebody with more rights than we have could use the file as it is
 */
public record ConfigProblem(Path file, int line, int column, String what, String fix, boolean rights) {
    /** {@code services.yml:14:12: restart "alway" is unknown; use always, on-failure or never}; always one line. */
    @Override
    public String toString() {
        return printable(file + ":" + line + ":" + column + ": " + what + "; " + fix);
    }

    /** What is quoted from a file may hold line feeds, and codes that would move a terminal's cursor. */
    static String printable(String text) {
        StringBuilder printable = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\n') {
                printable.append("\\n");
            } else if (c == '\t') {
                printable.append("\\t");
            } else if (Character.isISOControl(c)) {
                printable.append("\\x").append(Character.forDigit(c >> 4, 16)).append(Character.forDigit(c & 15, 16));
            } else {
                printable.append(c);
            }
        }
        return printable.toString();
    }
}
