package io.jsupervise.io;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.zip.GZIPInputStream;

/**
 * The end of a log and what is added to it, across rotations. It reads files and nothing else, so it works beside a
 * living supervisor and without one. One thread.
 */
public final class LogTail implements Closeable {
    private static final int PORTION = 64 << 10;

    private final Path file;
    private InputStream in;
    private Object key;

    /** @param file the log; rotated ones lie beside it */
    public LogTail(Path file) {
        this.file = file;
    }

    /** The last {@code lines} lines, oldest first; after it {@link #more} goes on where they end. */
    public byte[] last(int lines) throws IOException {
        Deque<byte[]> parts = new ArrayDeque<>();
        int missing = lines;
        byte[] current = open() ? lastOf(file, lines) : new byte[0];
        parts.addFirst(current);
        missing -= count(current);
        for (int n = 1; missing > 0; n++) {
            byte[] rotated = lastOfRotated(n, missing);
            if (rotated == null) {
                break;
            }
            parts.addFirst(rotated);
            missing -= count(rotated);
        }
        ByteArrayOutputStream all = new ByteArrayOutputStream();
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

    /** Opens the log at its present end, so that what comes after is read by {@link #more}. */
    private boolean open() throws IOException {
        try {
            in = Files.newInputStream(file);
            key = Files.readAttributes(file, BasicFileAttributes.class).fileKey();
            return true;
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    private byte[] lastOf(Path path, int lines) throws IOException {
        try (RandomAccessFile random = new RandomAccessFile(path.toFile(), "r")) {
            long size = random.length();
            long from = startOfLast(random, size, lines);
            byte[] text = new byte[(int) Math.min(size - from, Integer.MAX_VALUE - 8)];
            random.seek(from);
            random.readFully(text);
            in.skipNBytes(size);
            return text;
        }
    }

    private static long startOfLast(RandomAccessFile random, long size, int lines) throws IOException {
        byte[] portion = new byte[PORTION];
        long at = size;
        int found = 0;
        while (at > 0) {
            int length = (int) Math.min(PORTION, at);
            at -= length;
            random.seek(at);
            random.readFully(portion, 0, length);
            for (int i = length - 1; i >= 0; i--) {
                boolean lastByte = at + i == size - 1;
                if (portion[i] == '\n' && !lastByte && ++found == lines) {
                    return at + i + 1;
                }
            }
        }
        return lines == 0 ? size : 0;
    }

    private byte[] lastOfRotated(int n, int lines) throws IOException {
        Path plain = file.resolveSibling(file.getFileName() + "." + n);
        Path packed = file.resolveSibling(file.getFileName() + "." + n + ".gz");
        try (InputStream text = Files.exists(packed)
                ? new GZIPInputStream(Files.newInputStream(packed))
                : Files.newInputStream(plain)) {
            return lastLines(text.readAllBytes(), lines);
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    private static byte[] lastLines(byte[] text, int lines) {
        int found = 0;
        for (int i = text.length - 2; i >= 0; i--) {
            if (text[i] == '\n' && ++found == lines) {
                return java.util.Arrays.copyOfRange(text, i + 1, text.length);
            }
        }
        return text;
    }

    /** What was added since; empty where there is nothing now. After a rotation the rest of the old file comes first. */
    public byte[] more() throws IOException {
        if (in == null && !open()) {
            return new byte[0];
        }
        byte[] text = in.readNBytes(PORTION);
        if (text.length > 0 || isCurrent()) {
            return text;
        }
        text = in.readNBytes(PORTION);
        if (text.length == 0) {
            close();
            if (open()) {
                text = in.readNBytes(PORTION);
            }
        }
        return text;
    }

    private boolean isCurrent() throws IOException {
        try {
            return Files.readAttributes(file, BasicFileAttributes.class)
                    .fileKey()
                    .equals(key);
        } catch (NoSuchFileException e) {
            return true;
        }
    }

    @Override
    public void close() throws IOException {
        if (in != null) {
            in.close();
            in = null;
        }
    }
}
