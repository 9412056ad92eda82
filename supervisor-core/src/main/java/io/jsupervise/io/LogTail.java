package io.jsupervise.io;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.FileInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Optional;
import java.util.zip.GZIPInputStream;

/**
 * The end of a log and what is added to it, across rotations. It reads files and nothing else, so it works beside a
 * living supervisor and without one. One thread.
 *
 * <p>Within a supervisor its memory is the supervisor's, and many may ask at once and read slowly: nothing is kept but
 * where the last lines begin, and they are read in portions, a compressed file by unpacking it twice. At most
 * {@link #MOST} bytes of the end are shown.
 */
public final class LogTail implements Closeable {
    /** The end of a log is at most this long, however many lines were asked for. */
    static final int MOST = 2 << 20;

    private static final int PORTION = 64 << 10;
    private static final String COMPRESSED = ".gz";

    private final Path file;
    private final Deque<Piece> pieces = new ArrayDeque<>();
    private Optional<Opened> open = Optional.empty();

    /** A part of the last lines. */
    private interface Piece extends Closeable {
        /** The next portion; empty at its end. */
        byte[] next() throws IOException;
    }

    /** Where the last lines of one file begin, and how many they are. */
    private record Start(long at, int lines) {}

    private record Opened(FileChannel channel, Object key) {}

    /** @param file the log; rotated ones lie beside it */
    public LogTail(Path file) {
        this.file = file;
    }

    /** The last {@code lines} lines, oldest first; after it {@link #more} goes on where they end. */
    public byte[] last(int lines) throws IOException {
        seek(lines);
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] some = next(); some.length > 0; some = next()) {
            all.writeBytes(some);
        }
        return all.toByteArray();
    }

    /** Finds the last {@code lines} lines, which {@link #next} then gives. */
    void seek(int lines) throws IOException {
        int missing = lines;
        long room = MOST;
        open = open(file);
        if (open.isPresent()) {
            FileChannel channel = open.get().channel;
            long size = channel.size();
            channel.position(size);
            Start start = startOfLast(channel, size, missing, Math.max(0, size - room));
            pieces.addFirst(new Range(channel, start.at, size, false));
            missing -= start.lines;
            room -= size - start.at;
        }
        for (int number = 1; missing > 0 && room > 0; number++) {
            Optional<Opened> plain = open(rotated(number));
            if (plain.isPresent()) {
                FileChannel channel = plain.get().channel;
                long size = channel.size();
                Start start = startOfLast(channel, size, missing, Math.max(0, size - room));
                pieces.addFirst(new Range(channel, start.at, size, true));
                missing -= start.lines;
                room -= size - start.at;
            } else if (Files.exists(compressed(rotated(number)))) {
                // Where both forms of a file are there, they hold the same.
                Packed packed = new Packed(compressed(rotated(number)), missing, room);
                pieces.addFirst(packed);
                missing -= packed.lines;
                room -= packed.end - packed.from;
            } else if (!exists(number + 1)) {
                // One number may be missing: that of a rotation whose supervisor was killed.
                break;
            }
        }
    }

    /** The next portion of the last lines; empty at their end, where {@link #more} goes on. */
    byte[] next() throws IOException {
        while (!pieces.isEmpty()) {
            byte[] some = pieces.getFirst().next();
            if (some.length > 0) {
                return some;
            }
            pieces.removeFirst().close();
        }
        return new byte[0];
    }

    /** Of a file as it is; shorter where somebody has emptied it meanwhile. */
    private static final class Range implements Piece {
        private final FileChannel channel;
        private final long end;
        private final boolean owned;
        private long at;

        Range(FileChannel channel, long from, long end, boolean owned) {
            this.channel = channel;
            this.at = from;
            this.end = end;
            this.owned = owned;
        }

        @Override
        public byte[] next() throws IOException {
            byte[] some = new byte[(int) Math.min(PORTION, end - at)];
            int length = read(channel, at, ByteBuffer.wrap(some));
            at += length;
            return length == some.length ? some : Arrays.copyOf(some, length);
        }

        @Override
        public void close() throws IOException {
            if (owned) {
                channel.close();
            }
        }
    }

    /** Of a compressed file: unpacked once to find where its last lines begin, and again to read them. */
    private static final class Packed implements Piece {
        private final FileInputStream file;
        private final InputStream text;
        private final int lines;
        private final long from;
        private final long end;
        private long at;

        Packed(Path path, int wanted, long most) throws IOException {
            file = new FileInputStream(path.toFile());
            try {
                long[] sizes = sizes();
                end = sizes[0];
                lines = (int) Math.min(wanted, sizes[1]);
                from = Math.max(end - most, startOfLine(sizes[1] - lines));
                text = unpacked();
                text.skipNBytes(from);
                at = from;
            } catch (IOException e) {
                file.close();
                throw e;
            }
        }

        /** From its beginning; the file itself stays open, since it may have got another name meanwhile. */
        private InputStream unpacked() throws IOException {
            file.getChannel().position(0);
            return new GZIPInputStream(
                    new FilterInputStream(file) {
                        @Override
                        public void close() {}
                    },
                    PORTION);
        }

        /** Bytes and lines of the whole. */
        private long[] sizes() throws IOException {
            try (InputStream whole = unpacked()) {
                return sizes(whole);
            }
        }

        private static long[] sizes(InputStream whole) throws IOException {
            byte[] portion = new byte[PORTION];
            long bytes = 0;
            long ends = 0;
            boolean ended = true;
            for (int count = whole.read(portion); count > 0; count = whole.read(portion)) {
                bytes += count;
                for (int i = 0; i < count; i++) {
                    ends += portion[i] == '\n' ? 1 : 0;
                }
                ended = portion[count - 1] == '\n';
            }
            return new long[] {bytes, ended ? ends : ends + 1};
        }

        private long startOfLine(long number) throws IOException {
            try (InputStream whole = unpacked()) {
                return startOfLine(whole, number);
            }
        }

        private static long startOfLine(InputStream whole, long number) throws IOException {
            byte[] portion = new byte[PORTION];
            long before = 0;
            long seen = 0;
            while (seen < number) {
                int count = whole.read(portion);
                if (count <= 0) {
                    break;
                }
                for (int i = 0; i < count; i++) {
                    if (portion[i] == '\n' && ++seen == number) {
                        return before + i + 1;
                    }
                }
                before += count;
            }
            return before;
        }

        @Override
        public byte[] next() throws IOException {
            byte[] some = text.readNBytes((int) Math.min(PORTION, end - at));
            at += some.length;
            return some;
        }

        @Override
        public void close() throws IOException {
            text.close();
            file.close();
        }
    }

    private static Optional<Opened> open(Path path) throws IOException {
        try {
            while (true) {
                Object key = keyOf(path);
                FileChannel channel = FileChannel.open(path);
                if (keyOf(path).equals(key)) {
                    return Optional.of(new Opened(channel, key));
                }
                // Rotated between the two.
                channel.close();
            }
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    private static Object keyOf(Path path) throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
    }

    /** Reads until {@code buffer} is full or the file ends: bytes read. */
    private static int read(FileChannel channel, long from, ByteBuffer buffer) throws IOException {
        int done = 0;
        while (buffer.hasRemaining()) {
            int count = channel.read(buffer, from + done);
            if (count < 0) {
                break;
            }
            done += count;
        }
        return done;
    }

    private static Start startOfLast(FileChannel channel, long size, int lines, long least) throws IOException {
        if (lines <= 0) {
            return new Start(size, 0);
        }
        byte[] portion = new byte[PORTION];
        long at = size;
        int found = 0;
        while (at > least) {
            int length = (int) Math.min(PORTION, at - least);
            at -= length;
            int there = read(channel, at, ByteBuffer.wrap(portion, 0, length));
            for (int i = there - 1; i >= 0; i--) {
                boolean lastByte = at + i == size - 1;
                if (portion[i] == '\n' && !lastByte && ++found == lines) {
                    return new Start(at + i + 1, lines);
                }
            }
        }
        return new Start(least, size > least ? found + 1 : 0);
    }

    private Path rotated(int number) {
        return file.resolveSibling(file.getFileName() + "." + number);
    }

    private static Path compressed(Path path) {
        return path.resolveSibling(path.getFileName() + COMPRESSED);
    }

    /**
     * What was added since; empty where there is nothing now. After a rotation the rest of the old file comes first,
     * then what was rotated meanwhile, as far as it is not compressed yet, then the new one.
     */
    public byte[] more() throws IOException {
        if (open.isEmpty()) {
            open = open(file);
        }
        byte[] text = readOpen();
        if (text.length > 0 || open.isEmpty()) {
            return text;
        }
        int number = numberOfOpen();
        if (number == 0) {
            return text;
        }
        // It may have grown between the end that was read and its rotation; from now on it does not.
        text = readOpen();
        while (text.length == 0 && number > 0) {
            number--;
            Optional<Opened> next = open(number == 0 ? file : rotated(number));
            if (next.isPresent()) {
                closeOpen();
                open = next;
                text = readOpen();
                break;
            }
        }
        return text;
    }

    private byte[] readOpen() throws IOException {
        if (open.isEmpty()) {
            return new byte[0];
        }
        FileChannel channel = open.get().channel;
        long left = channel.size() - channel.position();
        if (left < 0) {
            // Somebody emptied it.
            channel.position(0);
            left = channel.size();
        }
        ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(PORTION, left));
        while (buffer.hasRemaining() && channel.read(buffer) >= 0) {
            // Until the portion is there.
        }
        return buffer.hasRemaining() ? Arrays.copyOf(buffer.array(), buffer.position()) : buffer.array();
    }

    /** Where rotations have moved what is open: 0 where they have not; 1 where it is neither here nor there any more. */
    private int numberOfOpen() throws IOException {
        Object key = open.orElseThrow().key;
        if (isKeyOf(file, key)) {
            return 0;
        }
        for (int number = 1; exists(number) || exists(number + 1); number++) {
            if (isKeyOf(rotated(number), key)) {
                return number;
            }
        }
        return 1;
    }

    private boolean exists(int number) {
        return Files.exists(rotated(number)) || Files.exists(compressed(rotated(number)));
    }

    private static boolean isKeyOf(Path path, Object key) throws IOException {
        try {
            return keyOf(path).equals(key);
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    @Override
    public void close() throws IOException {
        while (!pieces.isEmpty()) {
            pieces.removeFirst().close();
        }
        closeOpen();
    }

    private void closeOpen() throws IOException {
        if (open.isPresent()) {
            open.get().channel.close();
            open = Optional.empty();
        }
    }
}
