package io.jsupervise.os.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * The program that the kernel executes together with one that is linked dynamically (elf(5), PT_INTERP): where it is missing,
 * execve(2) says ENOENT of a program that is there. Of 64-bit programs in the byte order of the machines that we run on.
 */
final class DynamicLoader {
    private static final int MAGIC = 0x464c457f;
    private static final int CLASS_64 = 2;
    private static final int PT_INTERP = 3;
    private static final int HEADER_BYTES = 64;
    private static final int ENTRY_BYTES = 56;

    private DynamicLoader() {}

    /**
     * @param head of the file; linkers put the name of the loader near the beginning
     * @return empty where there is none, or its name lies further behind
     */
    static Optional<String> of(byte[] head) {
        ByteBuffer elf = ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN);
        if (head.length < HEADER_BYTES || elf.getInt(0) != MAGIC || head[4] != CLASS_64) {
            return Optional.empty();
        }
        long table = elf.getLong(32);
        int entries = elf.getShort(56) & 0xffff;
        for (int i = 0; i < entries; i++) {
            long at = table + (long) i * ENTRY_BYTES;
            if (at < HEADER_BYTES || at + ENTRY_BYTES > head.length) {
                return Optional.empty();
            }
            if (elf.getInt((int) at) == PT_INTERP) {
                return text(head, elf.getLong((int) at + 8), elf.getLong((int) at + 32));
            }
        }
        return Optional.empty();
    }

    /** With the NUL that ends it. */
    private static Optional<String> text(byte[] head, long offset, long length) {
        boolean inside = offset >= 0 && length > 1 && length <= head.length && offset <= head.length - length;
        return inside
                ? Optional.of(new String(head, (int) offset, (int) length - 1, StandardCharsets.UTF_8))
                : Optional.empty();
    }
}
