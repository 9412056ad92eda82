package io.jsupervise.io;

import io.jsupervise.control.ExplanationCodec;
import io.jsupervise.spec.LogSpec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The last lines that a service wrote, for whoever wants to know why it is as it is. Standard error first where that has a file
 * of its own, since programs complain there. Reads files and nothing else, so it works without a supervisor too; a log that
 * cannot be read has no last words, and the rest of the answer stands.
 */
public final class LastWords {
    private static final int LINES = 8;
    private static final int LONGEST_LINE = 400;

    private LastWords() {}

    public static Optional<ExplanationCodec.LastWords> of(LogSpec.ToFile log) {
        if (log.stderr() instanceof LogSpec.Stderr.ToFile file) {
            Optional<ExplanationCodec.LastWords> words = of(file.file());
            if (words.isPresent()) {
                return words;
            }
        }
        return of(log.file());
    }

    /** Empty where there is no such file, or nothing in it. */
    public static Optional<ExplanationCodec.LastWords> of(Path file) {
        try (LogTail tail = new LogTail(file)) {
            List<String> lines = lines(tail.last(LINES));
            return lines.isEmpty()
                    ? Optional.empty()
                    : Optional.of(new ExplanationCodec.LastWords(file.toString(), lines));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static List<String> lines(byte[] text) {
        List<String> lines = new ArrayList<>();
        for (String line : new String(text, StandardCharsets.UTF_8).split("\n", -1)) {
            if (!line.isBlank()) {
                lines.add(line.length() > LONGEST_LINE ? line.substring(0, LONGEST_LINE) + "..." : line);
            }
        }
        return lines;
    }
}
