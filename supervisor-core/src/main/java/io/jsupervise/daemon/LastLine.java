package io.jsupervise.daemon;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** The last line that is not blank of what a process says, as far as a reason has room for it, and as text that may be shown. */
final class LastLine {
    private static final int LONGEST = 200;

    private final ByteArrayOutputStream present = new ByteArrayOutputStream();
    private String last = "";

    void add(byte[] bytes, int count) {
        for (int i = 0; i < count; i++) {
            if (bytes[i] == '\n') {
                end();
            } else if (present.size() < LONGEST) {
                present.write(bytes[i]);
            }
        }
    }

    private void end() {
        String line = printable(present.toString(StandardCharsets.UTF_8));
        present.reset();
        if (!line.isBlank()) {
            last = line.strip();
        }
    }

    /** Empty where there is none. */
    Optional<String> text() {
        end();
        return last.isEmpty() ? Optional.empty() : Optional.of(last);
    }

    /** Whoever reads it on a terminal is not to have it obeyed. */
    private static String printable(String line) {
        StringBuilder text = new StringBuilder(line.length());
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            text.append(Character.isISOControl(c) ? ' ' : c);
        }
        return text.toString();
    }
}
