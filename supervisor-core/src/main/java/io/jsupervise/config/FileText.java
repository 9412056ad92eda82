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
            problems.add(
                    placeOf(file, bytes, in.position()), "byte 0x" + bad + " is not UTF-8", "save the file as UTF-8");
            return Optional.empty();
        }
        out.flip();
        boolean marked = out.hasRemaining() && out.get(0) == BYTE_ORDER_MARK;
        return Optional.of(out.subSequence(marked ? 1 : 0, out.length()).toString());
    }

    /** Columns count characters, as everywhere: bytes that go on with one do not count. */
    private static Place placeOf(Path file, byte[] bytes, int end) {
        int line = 1;
        int column = 1;
        for (int i = 0; i < end; i++) {
            if (bytes[i] == '\n') {
                line++;
                column = 1;
            } else if ((bytes[i] & 0xc0) != 0x80) {
                column++;
            }
        }
        return new Place(file, line, column);
    }
}
