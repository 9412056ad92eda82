package io.jsupervise.os.linux;

import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.OsException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import jnr.ffi.Pointer;

/** Files, directories and pipes. statx(2) is used for its structure, which is the same on every architecture. */
final class LinuxFiles {
    private static final int SYNC_FILE_RANGE_WRITE = 2;

    private static final int O_WRONLY = 1;
    private static final int O_RDWR = 2;
    private static final int O_CREAT = 0100;
    private static final int O_TRUNC = 01000;
    private static final int O_APPEND = 02000;
    private static final int O_NONBLOCK = 04000;
    private static final int O_CLOEXEC = 02000000;
    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int AT_SYMLINK_NOFOLLOW = 0x100;
    private static final int AT_REMOVEDIR = 0x200;
    private static final int STATX_BASIC_STATS = 0x7ff;
    private static final int S_IFMT = 0170000;
    private static final int S_IFIFO = 0010000;
    private static final int LOCK_EX = 2;
    private static final int LOCK_NB = 4;
    private static final int UTIME_NOW = (1 << 30) - 1;
    private static final int F_SETFL = 4;
    private static final int F_SETPIPE_SZ = 1031;
    private static final int F_GETPIPE_SZ = 1032;
    private static final int RENAME_EXCHANGE = 2;
    private static final int FIONREAD = 0x541B;
    private static final int SPLICE_F_NONBLOCK = 2;

    private final Kernel kernel;
    private final int directoryFlag;

    LinuxFiles(Kernel kernel) {
        this.kernel = kernel;
        this.directoryFlag = kernel.isArm() ? 040000 : 0200000;
    }

    Fd open(Path path, OpenMode openMode, int mode) throws OsException {
        long fd = kernel.call(
                Syscall.OPENAT, Kernel.AT_FDCWD, kernel.path(path), flags(openMode) | O_CLOEXEC, mode, 0, 0);
        return new Fd((int) Kernel.check(fd, "open", path));
    }

    private int flags(OpenMode mode) {
        return switch (mode) {
            case READ -> 0;
            case REPLACE -> O_WRONLY | O_CREAT | O_TRUNC;
            case OVERWRITE -> O_WRONLY;
            case WRITE -> O_WRONLY | O_CREAT;
            case APPEND -> O_WRONLY | O_CREAT | O_APPEND;
            case FIFO -> O_RDWR | O_NONBLOCK;
            case DEVICE -> O_WRONLY | O_NONBLOCK;
            case DIRECTORY -> directoryFlag;
        };
    }

    /** Never interrupted halfway on Linux: the descriptor is gone whatever is returned (close(2)). */
    void close(Fd fd) {
        kernel.call(Syscall.CLOSE, fd.number(), 0, 0);
    }

    int read(Fd fd, byte[] buffer, int offset, int length) throws OsException {
        Pointer io = kernel.scratch().io();
        long count = kernel.call(Syscall.READ, fd.number(), io.address(), Math.min(length, Kernel.Scratch.IO_BYTES));
        int got = (int) Kernel.check(count, "read", fd);
        io.get(0, buffer, offset, got);
        return got;
    }

    int write(Fd fd, byte[] buffer, int offset, int length) throws OsException {
        Pointer io = kernel.scratch().io();
        int some = Math.min(length, Kernel.Scratch.IO_BYTES);
        io.put(0, buffer, offset, some);
        return (int) Kernel.check(kernel.call(Syscall.WRITE, fd.number(), io.address(), some), "write", fd);
    }

    int readAt(Fd fd, long position, byte[] buffer, int offset, int length) throws OsException {
        Pointer io = kernel.scratch().io();
        int some = Math.min(length, Kernel.Scratch.IO_BYTES);
        long count = kernel.call(Syscall.PREAD64, fd.number(), io.address(), some, position, 0, 0);
        int got = (int) Kernel.check(count, "read", fd);
        io.get(0, buffer, offset, got);
        return got;
    }

    int writeAt(Fd fd, long position, byte[] buffer, int offset, int length) throws OsException {
        Pointer io = kernel.scratch().io();
        int some = Math.min(length, Kernel.Scratch.IO_BYTES);
        io.put(0, buffer, offset, some);
        long count = kernel.call(Syscall.PWRITE64, fd.number(), io.address(), some, position, 0, 0);
        return (int) Kernel.check(count, "write", fd);
    }

    void fsync(Fd fd) throws OsException {
        Kernel.check(kernel.call(Syscall.FSYNC, fd.number(), 0, 0), "fsync", fd);
    }

    void fdatasync(Fd fd) throws OsException {
        Kernel.check(kernel.call(Syscall.FDATASYNC, fd.number(), 0, 0), "fdatasync", fd);
    }

    /** What cannot be written, and file systems that know no such call, are for the fsync that follows. */
    void beginSync(Fd fd) {
        kernel.call(Syscall.SYNC_FILE_RANGE, fd.number(), 0, 0, SYNC_FILE_RANGE_WRITE, 0, 0);
    }

    void truncate(Fd fd, long size) throws OsException {
        Kernel.check(kernel.call(Syscall.FTRUNCATE, fd.number(), size, 0), "truncate", fd);
    }

    boolean lock(Fd fd) throws OsException {
        long result = kernel.call(Syscall.FLOCK, fd.number(), LOCK_EX | LOCK_NB, 0);
        if (result == -Kernel.EAGAIN) {
            return false;
        }
        Kernel.check(result, "lock", fd);
        return true;
    }

    FileStat stat(Fd fd) throws OsException {
        Kernel.Scratch scratch = kernel.scratch();
        scratch.path().putByte(0, (byte) 0);
        long result = kernel.call(
                Syscall.STATX,
                fd.number(),
                scratch.path().address(),
                AT_EMPTY_PATH,
                STATX_BASIC_STATS,
                scratch.struct().address(),
                0);
        Kernel.check(result, "stat", fd);
        return decode(scratch.struct());
    }

    Optional<FileStat> stat(Path path) throws OsException {
        Pointer struct = kernel.scratch().struct();
        long result = kernel.call(
                Syscall.STATX, Kernel.AT_FDCWD, kernel.path(path), 0, STATX_BASIC_STATS, struct.address(), 0);
        if (result == -Errno.ENOENT.number() || result == -Errno.ENOTDIR.number()) {
            return Optional.empty();
        }
        Kernel.check(result, "stat", path);
        return Optional.of(decode(struct));
    }

    private static FileStat decode(Pointer statx) {
        int mode = statx.getShort(28) & 0xffff;
        long device = (statx.getInt(136) & 0xffffffffL) << 32 | statx.getInt(140) & 0xffffffffL;
        Instant mtime = Instant.ofEpochSecond(statx.getLong(112), statx.getInt(120));
        return new FileStat(
                kind(mode),
                device,
                statx.getLong(32),
                statx.getLong(40),
                mtime,
                mode & 07777,
                statx.getInt(20),
                statx.getInt(24));
    }

    private static FileStat.Kind kind(int mode) {
        return switch (mode & S_IFMT) {
            case 0100000 -> FileStat.Kind.REGULAR;
            case 0040000 -> FileStat.Kind.DIRECTORY;
            case S_IFIFO -> FileStat.Kind.FIFO;
            case 0140000 -> FileStat.Kind.SOCKET;
            default -> FileStat.Kind.DEVICE;
        };
    }

    Optional<String> readLink(Path path) throws OsException {
        Pointer io = kernel.scratch().io();
        long length = kernel.call(
                Syscall.READLINKAT, Kernel.AT_FDCWD, kernel.path(path), io.address(), Kernel.Scratch.IO_BYTES, 0, 0);
        if (length == -Errno.ENOENT.number() || length == -Errno.ENOTDIR.number() || length == -Errno.EINVAL.number()) {
            return Optional.empty();
        }
        byte[] text = new byte[(int) Kernel.check(length, "readlink", path)];
        io.get(0, text, 0, text.length);
        return Optional.of(new String(text, StandardCharsets.UTF_8));
    }

    void rename(Path from, Path to) throws OsException {
        long result = kernel.call(
                Syscall.RENAMEAT, Kernel.AT_FDCWD, kernel.path(from, 0), Kernel.AT_FDCWD, kernel.path(to, 1), 0, 0);
        if (result < 0) {
            throw new OsException((int) -result, "rename " + from + " to " + to);
        }
    }

    void exchange(Path one, Path other) throws OsException {
        long result = kernel.call(
                Syscall.RENAMEAT2,
                Kernel.AT_FDCWD,
                kernel.path(one, 0),
                Kernel.AT_FDCWD,
                kernel.path(other, 1),
                RENAME_EXCHANGE,
                0);
        if (result < 0) {
            throw new OsException((int) -result, "exchange " + one + " and " + other);
        }
    }

    void unlink(Path path) throws OsException {
        long result = kernel.call(Syscall.UNLINKAT, Kernel.AT_FDCWD, kernel.path(path), 0);
        if (result != -Errno.ENOENT.number()) {
            Kernel.check(result, "unlink", path);
        }
    }

    void rmdir(Path path) throws OsException {
        long result = kernel.call(Syscall.UNLINKAT, Kernel.AT_FDCWD, kernel.path(path), AT_REMOVEDIR);
        if (result != -Errno.ENOENT.number()) {
            Kernel.check(result, "rmdir", path);
        }
    }

    void mkdir(Path path, int mode) throws OsException {
        long result = kernel.call(Syscall.MKDIRAT, Kernel.AT_FDCWD, kernel.path(path), mode);
        if (result == -Errno.EEXIST.number()) {
            Optional<FileStat> there = stat(path);
            if (there.isPresent() && there.get().kind() == FileStat.Kind.DIRECTORY) {
                return;
            }
        }
        Kernel.check(result, "mkdir", path);
        chmod(path, mode);
    }

    void chmod(Path path, int mode) throws OsException {
        Kernel.check(kernel.call(Syscall.FCHMODAT, Kernel.AT_FDCWD, kernel.path(path), mode), "chmod", path);
    }

    void chgrp(Path path, int gid) throws OsException {
        long result = kernel.call(Syscall.FCHOWNAT, Kernel.AT_FDCWD, kernel.path(path), -1, gid, 0, 0);
        Kernel.check(result, "chgrp", path);
    }

    void chown(Path path, int uid, int gid) throws OsException {
        long result =
                kernel.call(Syscall.FCHOWNAT, Kernel.AT_FDCWD, kernel.path(path), uid, gid, AT_SYMLINK_NOFOLLOW, 0);
        Kernel.check(result, "chown", path);
    }

    void setModified(Path path, Instant time) throws OsException {
        Pointer times = kernel.scratch().struct();
        times.putLong(0, time.getEpochSecond());
        times.putLong(8, 0);
        times.putLong(16, time.getEpochSecond());
        times.putLong(24, 0);
        long result = kernel.call(Syscall.UTIMENSAT, Kernel.AT_FDCWD, kernel.path(path), times.address(), 0, 0, 0);
        Kernel.check(result, "touch", path);
    }

    List<String> list(Path directory) throws OsException {
        Fd fd = open(directory, OpenMode.DIRECTORY, 0);
        try {
            Pointer io = kernel.scratch().io();
            List<String> names = new ArrayList<>();
            while (true) {
                long length = kernel.call(Syscall.GETDENTS64, fd.number(), io.address(), Kernel.Scratch.IO_BYTES);
                Kernel.check(length, "list", directory);
                if (length == 0) {
                    Collections.sort(names);
                    return names;
                }
                for (long at = 0; at < length; at += io.getShort(at + 16) & 0xffff) {
                    String name = io.getString(at + 19, 256, StandardCharsets.UTF_8);
                    if (!name.equals(".") && !name.equals("..")) {
                        names.add(name);
                    }
                }
            }
        } finally {
            close(fd);
        }
    }

    void touch(Path path) throws OsException {
        Pointer times = kernel.scratch().struct();
        times.putLong(0, 0);
        times.putLong(8, UTIME_NOW);
        times.putLong(16, 0);
        times.putLong(24, UTIME_NOW);
        long result = kernel.call(Syscall.UTIMENSAT, Kernel.AT_FDCWD, kernel.path(path), times.address(), 0, 0, 0);
        if (result == -Errno.ENOENT.number()) {
            close(open(path, OpenMode.WRITE, 0644));
        } else {
            Kernel.check(result, "touch", path);
        }
    }

    void mkfifo(Path path, int mode) throws OsException {
        long result = kernel.call(Syscall.MKNODAT, Kernel.AT_FDCWD, kernel.path(path), S_IFIFO | mode, 0, 0, 0);
        if (result == -Errno.EEXIST.number()) {
            Optional<FileStat> there = stat(path);
            if (there.isPresent() && there.get().kind() == FileStat.Kind.FIFO) {
                return;
            }
        }
        Kernel.check(result, "mkfifo", path);
    }

    Fd[] pipe() throws OsException {
        Pointer fds = kernel.scratch().struct();
        Kernel.check(kernel.call(Syscall.PIPE2, fds.address(), O_CLOEXEC | O_NONBLOCK, 0), "pipe", "");
        return new Fd[] {new Fd(fds.getInt(0)), new Fd(fds.getInt(4))};
    }

    /** Each end has flags of its own (pipe(2)), so what is set for ours does not hold for the child's. */
    Fd[] outputPipe() throws OsException {
        Pointer fds = kernel.scratch().struct();
        Kernel.check(kernel.call(Syscall.PIPE2, fds.address(), O_CLOEXEC, 0), "pipe", "");
        Fd[] ends = {new Fd(fds.getInt(0)), new Fd(fds.getInt(4))};
        Kernel.check(kernel.call(Syscall.FCNTL, ends[0].number(), F_SETFL, O_NONBLOCK), "fcntl", ends[0]);
        return ends;
    }

    int setPipeSize(Fd pipe, int bytes) {
        long size = kernel.call(Syscall.FCNTL, pipe.number(), F_SETPIPE_SZ, bytes);
        if (size < 0) {
            size = kernel.call(Syscall.FCNTL, pipe.number(), F_GETPIPE_SZ, 0);
        }
        return (int) Math.max(0, size);
    }

    int available(Fd pipe) throws OsException {
        Pointer count = kernel.scratch().struct();
        count.putInt(0, 0);
        Kernel.check(kernel.call(Syscall.IOCTL, pipe.number(), FIONREAD, count.address()), "ioctl", pipe);
        return count.getInt(0);
    }

    long splice(Fd pipe, Fd file, long offset, long max) throws OsException {
        Pointer position = kernel.scratch().struct();
        position.putLong(0, offset);
        long moved = kernel.call(
                Syscall.SPLICE, pipe.number(), 0, file.number(), position.address(), max, SPLICE_F_NONBLOCK);
        if (moved == -Kernel.EAGAIN) {
            return 0;
        }
        return Kernel.check(moved, "splice to", file);
    }

    long tee(Fd from, Fd to, long max) throws OsException {
        long copied = kernel.call(Syscall.TEE, from.number(), to.number(), max, SPLICE_F_NONBLOCK, 0, 0);
        if (copied == -Kernel.EAGAIN) {
            return 0;
        }
        return Kernel.check(copied, "tee from", from);
    }

    /** Whether a program may be executed by us (faccessat(2) with X_OK). */
    boolean isExecutable(Path path) throws OsException {
        return kernel.call(Syscall.FACCESSAT, Kernel.AT_FDCWD, kernel.path(path), 1) == 0;
    }
}
