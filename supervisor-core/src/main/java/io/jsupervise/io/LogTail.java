package io.jsupervise.io;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
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
 * <p>Within a supervisor its memory is the supervisor's: at most {@link #MOST} bytes of the end are kept, and a
 * compressed file is unpacked as a stream.
 */
public final class LogTail implements Closeable {
    /** The end of a log is at most this long, however many lines were asked for. */
    static final int MOST = 2 << 20;

    private static final int PORTION = 64 << 10;
    private static final String COMPRESSED = ".gz";

    private final Path file;
    private Optional<Opened> open = Optional.empty();

    private record Opened(FileChannel channel, Object key) {}

    /** @param file the log; rotated ones lie beside it */
    public LogTail(Path file) {
        this.file = file;
    }

    /** The last {@code lines} lines, oldest first; after it {@link #more} goes on where they end. */
    public byte[] last(int lines) throws IOException {
        Deque<byte[]> parts = new ArrayDeque<>();
        int missing = lines;
        int room = MOST;
        open = open(file);
        if (open.isPresent()) {
            FileChannel channel = open.get().channel;
            long size = channel.size();
            byte[] current = lastOf(channel, size, missing, room);
            channel.position(size);
            parts.addFirst(current);
            missing -= count(current);
            room -= current.length;
        }
        for (int number = 1; missing > 0 && room > 0; number++) {
            Optional<byte[]> rotated = lastOfRotated(number, missing, room);
            if (rotated.isEmpty()) {
                break;
            }
            parts.addFirst(rotated.get());
            missing -= count(rotated.get());
            room -= rotated.get().length;
        }
        ByteArrayOutputStream all = new ByteArrayOutputStream(MOST - room);
        parts.forEach(all::writeBytes);
        return all.toByteArray();
    }

    private static int count(byte[] text) {
        int lines = 0;
        for (byte one : text) {
            if (one == '\n') {
                lines++;
            }
        }
        return text.length > 0 && text[text.length - 1] != '\n' ? lines + 1 : lines;
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

    private static byte[] lastOf(FileChannel channel, long size, int lines, int most) throws IOException {
        long from = startOfLast(channel, size, lines, Math.max(0, size - most));
        byte[] text = new byte[(int) (size - from)];
        int length = read(channel, from, ByteBuffer.wrap(text));
        // Shorter where somebody has emptied the file meanwhile.
        return length == text.length ? text : Arrays.copyOf(text, length);
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

    private static long startOfLast(FileChannel channel, long size, int lines, long least) throws IOException {
        if (lines <= 0) {
            return size;
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
                    return at + i + 1;
                }
            }
        }
        return least;
    }

    private Path rotated(int number) {
        return file.resolveSibling(file.getFileName() + "." + number);
    }

    private static Path compressed(Path path) {
        return path.resolveSibling(path.getFileName() + COMPRESSED);
    }

    /** Where both forms of a file are there, they hold the same. */
    private Optional<byte[]> lastOfRotated(int number, int lines, int most) throws IOException {
        Path path = rotated(number);
        Optional<Opened> plain = open(path);
        if (plain.isPresent()) {
            try (FileChannel channel = plain.get().channel) {
                return Optional.of(lastOf(channel, channel.size(), lines, most));
            }
        }
        try (InputStream text = new GZIPInputStream(Files.newInputStream(compressed(path)), PORTION)) {
            return Optional.of(lastOf(text, lines, most));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    private static byte[] lastOf(InputStream text, int lines, int most) throws IOException {
        byte[] kept = new byte[PORTION];
        int length = 0;
        int count = text.read(kept, 0, kept.length);
        while (count > 0) {
            length += count;
            if (length == kept.length && kept.length < 2 * most) {
                kept = Arrays.copyOf(kept, Math.min(2 * most, 2 * kept.length));
            } else if (length == kept.length) {
                System.arraycopy(kept, length - most, kept, 0, most);
                length = most;
            }
            count = text.read(kept, length, kept.length - length);
        }
        int from = Math.max(0, length - most);
        int found = 0;
        for (int i = length - 2; i >= from; i--) {
            if (kept[i] == '\n' && ++found == lines) {
                from = i + 1;
            }
        }
        return Arrays.copyOfRange(kept, from, length);
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
                close();
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
        for (int number = 1; exists(number); number++) {
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
        if (open.isPresent()) {
            open.get().channel.close();
            open = Optional.empty();
        }
    }
}
