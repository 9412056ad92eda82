package io.jsupervise.config;

import io.jsupervise.config.Value.Place;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/** The bytes of a file as text: UTF-8 and nothing else, of bounded size, without a byte order mark. */
final class FileText {
    private static final char BYTE_ORDER_MARK = '\ufeff';

    /** What ends a line in YAML 1.1. */
    private static final String BREAKS = "\n\r\u0085\u2028\u2029";

    private FileText() {}

    /** Empty where it is no text, which has been told then. */
    static Optional<String> of(Path file, byte[] bytes, Problems problems) {
        if (bytes.length > ConfigFiles.MOST_BYTES) {
            String most = (ConfigFiles.MOST_BYTES >> 20) + " MiB";
            problems.add(new Place(file, 1, 1), "the file has more than " + most, "split it");
            return Optional.empty();
        }
        CharsetDecoder decoder = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(bytes.length + 1);
        CoderResult result = decoder.decode(in, out, true);
        if (result.isError()) {
            String bad = Integer.toHexString(bytes[in.position()] & 0xff);
            out.flip();
            problems.add(endOf(file, out), "byte 0x" + bad + " is not UTF-8", "save the file as UTF-8");
            return Optional.empty();
        }
        out.flip();
        boolean marked = out.hasRemaining() && out.get(0) == BYTE_ORDER_MARK;
        return Optional.of(out.subSequence(marked ? 1 : 0, out.length()).toString());
    }

    /** Where the next character would stand, with lines and columns as the YAML parser counts them. */
    static Place endOf(Path file, CharSequence text) {
        int line = 1;
        int column = 1;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean beforeLineFeed = c == '\r' && i + 1 < text.length() && text.charAt(i + 1) == '\n';
            if (BREAKS.indexOf(c) >= 0 && !beforeLineFeed) {
                line++;
                column = 1;
            } else if (!Character.isLowSurrogate(c) && c != BYTE_ORDER_MARK) {
                column++;
            }
        }
        return new Place(file, line, column);
    }
}
