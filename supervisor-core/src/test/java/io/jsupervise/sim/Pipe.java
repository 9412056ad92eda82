package io.jsupervise.sim;

/** The content of a pipe or FIFO: bytes in order, up to a capacity. */
final class Pipe {
    private int capacity;
    private byte[] ring = new byte[0];
    private int first;
    private int size;
    private boolean writeEndClosed;

    Pipe(int capacity) {
        this.capacity = capacity;
    }

    int size() {
        return size;
    }

    int room() {
        return capacity - size;
    }

    int capacity() {
        return capacity;
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
        if (size + count > ring.length) {
            grow(Math.min(capacity, Math.max(size + count, 2 * ring.length)));
        }
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
        first = count == size ? 0 : (first + count) % ring.length;
        size -= count;
    }

    /** Keeps its content; refuses what it would not fit into (EBUSY of fcntl(2)). */
    void resize(int newCapacity) {
        if (newCapacity >= size && newCapacity > 0) {
            capacity = newCapacity;
            if (ring.length > capacity) {
                grow(capacity);
            }
        }
    }

    /** Memory is taken when it is needed: most of the many pipes of a simulation stay nearly empty. */
    private void grow(int length) {
        byte[] bigger = new byte[length];
        peek(bigger, 0, size);
        ring = bigger;
        first = 0;
    }
}
