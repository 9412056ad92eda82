package io.jsupervise.io;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** The lines of one service on their way to the console, each behind the name of the service. */
final class ConsoleEcho {
    /** A line that is longer is shown in pieces. */
    private static final int LONGEST = 8 << 10;

    private final Console console;
    private final byte[] prefix;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();

    ConsoleEcho(Console console, String prefix) {
        this.console = console;
        this.prefix = prefix.getBytes(StandardCharsets.UTF_8);
    }

    /** Whole lines go on at once, a part of one waits for its end. */
    void write(byte[] bytes, int count) {
        ByteArrayOutputStream whole = new ByteArrayOutputStream(count + 64);
        for (int i = 0; i < count; i++) {
            if (bytes[i] != '\n') {
                line.write(bytes[i]);
            }
            if (bytes[i] == '\n' || line.size() >= LONGEST) {
                whole.writeBytes(prefix);
                whole.writeBytes(line.toByteArray());
                whole.write('\n');
                line.reset();
            }
        }
        if (whole.size() > 0) {
            console.write(whole.toByteArray());
        }
    }
}
