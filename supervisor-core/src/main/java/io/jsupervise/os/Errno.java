package io.jsupervise.os;

/**
 * The errors of errno(3) by name, with the numbers of x86 and ARM Linux. One that has no name here is
 * {@link #EUNKNOWN}; the exception that carries it keeps the number.
 */
public enum Errno {
    EPERM(1, "operation not permitted"),
    ENOENT(2, "no such file or directory"),
    ESRCH(3, "no such process"),
    EINTR(4, "interrupted"),
    EIO(5, "input/output error"),
    ENXIO(6, "no such device or address"),
    E2BIG(7, "argument list too long"),
    ENOEXEC(8, "not a program: unknown format"),
    EBADF(9, "bad file descriptor"),
    ECHILD(10, "no child processes"),
    EAGAIN(11, "resource temporarily unavailable"),
    ENOMEM(12, "out of memory"),
    EACCES(13, "permission denied"),
    EFAULT(14, "bad address"),
    EBUSY(16, "device or resource busy"),
    EEXIST(17, "already exists"),
    EXDEV(18, "on another file system"),
    ENODEV(19, "no such device"),
    ENOTDIR(20, "not a directory"),
    EISDIR(21, "is a directory"),
    EINVAL(22, "invalid argument"),
    ENFILE(23, "too many open files on this machine"),
    EMFILE(24, "too many open files"),
    ENOTTY(25, "not a terminal or device of this kind"),
    ETXTBSY(26, "program file is being written"),
    EFBIG(27, "file too large"),
    ENOSPC(28, "no space left on device"),
    ESPIPE(29, "not seekable"),
    EROFS(30, "read-only file system"),
    EMLINK(31, "too many links"),
    EPIPE(32, "nobody reads"),
    ERANGE(34, "too large for its place"),
    ENAMETOOLONG(36, "name too long"),
    ENOSYS(38, "not built into this kernel"),
    ENOTEMPTY(39, "directory not empty"),
    ELOOP(40, "too many symbolic links"),
    EOVERFLOW(75, "value too large"),
    ENOTSUP(95, "not supported"),
    EMSGSIZE(90, "message too long"),
    EADDRINUSE(98, "address already in use"),
    EADDRNOTAVAIL(99, "no such address on this machine"),
    ENETUNREACH(101, "network cannot be reached"),
    ECONNRESET(104, "connection was broken off"),
    ENOBUFS(105, "no buffer space available"),
    ETOOMANYREFS(109, "too many descriptors on their way"),
    ETIMEDOUT(110, "timed out"),
    ECONNREFUSED(111, "connection refused"),
    EHOSTUNREACH(113, "host cannot be reached"),
    ESTALE(116, "stale file handle"),
    EDQUOT(122, "disk quota exceeded"),
    EUNKNOWN(0, "unknown error");

    private static final Errno[] BY_NUMBER = new Errno[134];

    static {
        for (Errno errno : values()) {
            BY_NUMBER[errno.number] = errno;
        }
    }

    private final int number;
    private final String text;

    Errno(int number, String text) {
        this.number = number;
        this.text = text;
    }

    public static Errno of(int number) {
        Errno known = number > 0 && number < BY_NUMBER.length ? BY_NUMBER[number] : null;
        return known == null ? EUNKNOWN : known;
    }

    /** For people: name and meaning, or the number of one that has no name here. */
    public static String words(int number) {
        Errno known = of(number);
        return known == EUNKNOWN ? "errno " + number : known + " (" + known.text + ")";
    }

    public int number() {
        return number;
    }

    /** What it means, in lower case, to stand after the name in a message. */
    public String text() {
        return text;
    }
}
