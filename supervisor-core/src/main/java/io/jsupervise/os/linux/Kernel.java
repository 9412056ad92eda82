package io.jsupervise.os.linux;

import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.OsException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;

/**
 * The way into the kernel: system calls with errno, and memory to pass things in. Any thread; each has a scratch of
 * its own, so that a call makes no garbage.
 */
final class Kernel {
    static final int AT_FDCWD = -100;
    static final int EINTR = 4;
    static final int EAGAIN = 11;

    private final boolean arm = "aarch64".equals(System.getProperty("os.arch"));
    private final int[] numbers = new int[Syscall.values().length];
    private final LibC libc = LibraryLoader.create(LibC.class).load("c");
    private final Runtime runtime = Runtime.getRuntime(libc);
    private final ThreadLocal<Scratch> scratch = ThreadLocal.withInitial(this::newScratch);

    /**
     * Memory of one thread for the arguments of one call.
     *
     * @param struct 512 bytes for a structure
     * @param path   two paths of 4 KiB
     * @param io     bytes to read or write
     */
    record Scratch(Pointer struct, Pointer path, Pointer io) {
        static final int IO_BYTES = 1 << 16;
        static final int PATH_BYTES = 4096;
    }

    Kernel() {
        for (Syscall call : Syscall.values()) {
            numbers[call.ordinal()] = call.number(arm);
        }
    }

    private Scratch newScratch() {
        return new Scratch(memory(512), memory(2 * Scratch.PATH_BYTES), memory(Scratch.IO_BYTES));
    }

    boolean isArm() {
        return arm;
    }

    LibC libc() {
        return libc;
    }

    Scratch scratch() {
        return scratch.get();
    }

    /** Zeroed memory that lives as long as the returned object. */
    Pointer memory(int bytes) {
        return Memory.allocateDirect(runtime, bytes, true);
    }

    /** The result, or minus the errno. Repeats what a signal interrupted. */
    long call(Syscall call, long a, long b, long c, long d, long e, long f) {
        long result;
        do {
            result = callOnce(call, a, b, c, d, e, f);
        } while (result == -EINTR);
        return result;
    }

    /** Like {@link #call}, but what a signal interrupted is not repeated. */
    long callOnce(Syscall call, long a, long b, long c, long d, long e, long f) {
        long result = libc.syscall(numbers[call.ordinal()], a, b, c, d, e, f);
        return result == -1 ? -runtime.getLastError() : result;
    }

    long call(Syscall call, long a, long b, long c) {
        return call(call, a, b, c, 0, 0, 0);
    }

    /** The result of {@code call}, which was made on {@code object}. */
    static long check(long result, String call, Object object) throws OsException {
        if (result < 0) {
            throw new OsException((int) -result, call + " " + object);
        }
        return result;
    }

    /**
     * The result of {@code call}, which was made on {@code fd}. A failure tells which file that is (proc(5)): a number says
     * nothing to whoever has to make room or mend a disk.
     */
    static long check(long result, String call, Fd fd) throws OsException {
        if (result < 0) {
            throw new OsException((int) -result, call + " " + nameOf(fd));
        }
        return result;
    }

    private static String nameOf(Fd fd) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd.number()))
                    .toString();
        } catch (IOException e) {
            return "descriptor " + fd.number();
        }
    }

    /** The address of {@code path} in this thread's scratch, as a C string. */
    long path(Path path) throws OsException {
        return path(path, 0);
    }

    /** @param slot 0 or 1, for calls that take two paths */
    long path(Path path, int slot) throws OsException {
        byte[] bytes = path.toString().getBytes(StandardCharsets.UTF_8);
        if (bytes.length >= Scratch.PATH_BYTES) {
            throw new OsException(Errno.ENAMETOOLONG, "path " + path);
        }
        Pointer memory = scratch().path();
        long offset = (long) slot * Scratch.PATH_BYTES;
        memory.put(offset, bytes, 0, bytes.length);
        memory.putByte(offset + bytes.length, (byte) 0);
        return memory.address() + offset;
    }
}
