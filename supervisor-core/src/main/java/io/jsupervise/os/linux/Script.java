package io.jsupervise.os.linux;

import io.jsupervise.os.Fd;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.OsException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The first line of a file that begins with {@code #!}: it names the program that is executed in its place (execve(2)).
 *
 * @param interpreter     its path; empty where none is named
 * @param carriageReturn  whether the line ends in CR LF: the kernel takes the CR for a part of the path
 */
record Script(String interpreter, boolean carriageReturn) {
    /** What the kernel reads of the first line (BINPRM_BUF_SIZE). */
    private static final int LONGEST_LINE = 256;

    private static final int HEAD_BYTES = 4096;

    /** The beginning of a file. */
    static byte[] head(LinuxFiles files, Path file) throws OsException {
        byte[] head = new byte[HEAD_BYTES];
        Fd fd = files.open(file, OpenMode.READ, 0);
        try {
            int length = files.read(fd, head, 0, head.length);
            return java.util.Arrays.copyOf(head, length);
        } finally {
            files.close(fd);
        }
    }

    /** Empty where it is something else. */
    static Optional<Script> parse(byte[] head) {
        if (head.length < 3 || head[0] != '#' || head[1] != '!') {
            return Optional.empty();
        }
        String line = new String(head, 2, Math.min(LONGEST_LINE, head.length) - 2, StandardCharsets.UTF_8);
        int end = line.indexOf('\n');
        line = (end < 0 ? line : line.substring(0, end)).strip();
        int blank = line.indexOf(' ');
        boolean carriageReturn = end > 0 && head[2 + end - 1] == '\r';
        return Optional.of(new Script(blank < 0 ? line : line.substring(0, blank), carriageReturn));
    }

    /** In messages. */
    String of(Path program) {
        return "interpreter " + interpreter + " of " + program + (carriageReturn ? " (its lines end in CR LF)" : "");
    }
}
