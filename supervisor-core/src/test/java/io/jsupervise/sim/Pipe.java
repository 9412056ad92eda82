package io.jsupervise.sim;

import java.util.Arrays;

/** The content of a pipe or FIFO: bytes in order, up to a capacity. */
final class Pipe {
    private byte[] ring;
    private int first;
    private int size;
    private boolean writeEndClosed;

    Pipe(int capacity) {
        ring = new byte[capacity];
    }

    int size() {
        return size;
    }

    int room() {
        return ring.length - size;
    }

    int capacity() {
        return ring.length;
    }

    /** Of a pipe that is no FIFO: nobody can write into it any more. */
    void closeWriteEnd() {
        writeEndClosed = true;
    }

    boolean isAtEnd() {
        return writeEndClosed && size == 0;
    }

    /** Takes what there is room for. */
    int put(byte[] bytes, int offset, int length) {
        int count = Math.min(length, room());
        for (int i = 0; i < count; i++) {
            ring[(first + size + i) % ring.length] = bytes[offset + i];
        }
        size += count;
        return count;
    }

    /** Copies without consuming. */
    int peek(byte[] into, int offset, int length) {
        int count = Math.min(length, size);
        for (int i = 0; i < count; i++) {
            into[offset + i] = ring[(first + i) % ring.length];
        }
        return count;
    }

    void consume(int count) {
        first = (first + count) % ring.length;
        size -= count;
    }

    /** Keeps its content; refuses what it would not fit into (EBUSY of fcntl(2)). */
    void resize(int capacity) {
        if (capacity >= size && capacity > 0) {
            byte[] bigger = new byte[capacity];
            int kept = peek(bigger, 0, size);
            ring = Arrays.copyOf(bigger, capacity);
            first = 0;
            size = kept;
        }
    }
}
