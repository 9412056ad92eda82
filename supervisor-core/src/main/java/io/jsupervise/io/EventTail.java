package io.jsupervise.io;

import io.jsupervise.control.EventCodec;
import io.jsupervise.os.Fd;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The end of an event file.
 *
 * @param lastSeq number of the last whole line that is an event
 * @param torn    whether something stands after the last whole line
 */
record EventTail(Optional<Long> lastSeq, boolean torn) {
    /** Reads the whole file in portions and keeps one line: an event is short against a portion. */
    static EventTail read(Os os, Path file, int portion) throws OsException {
        Fd fd = os.open(file, OpenMode.READ, 0);
        try {
            byte[] line = new byte[portion];
            byte[] buffer = new byte[portion];
            int length = 0;
            Optional<Long> seq = Optional.empty();
            int count = os.read(fd, buffer, 0, buffer.length);
            while (count > 0) {
                for (int i = 0; i < count; i++) {
                    if (buffer[i] == '\n') {
                        Optional<Long> found =
                                length > 0 && length < portion ? EventCodec.seqOf(line, length) : Optional.empty();
                        seq = found.isPresent() ? found : seq;
                        length = 0;
                    } else if (length < portion) {
                        line[length++] = buffer[i];
                    }
                }
                count = os.read(fd, buffer, 0, buffer.length);
            }
            return new EventTail(seq, length > 0);
        } finally {
            os.close(fd);
        }
    }
}
