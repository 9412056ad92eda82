package io.jsupervise.os.linux;

import io.jsupervise.os.Errno;
import io.jsupervise.os.OsException;
import io.jsupervise.spec.Account;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Pointer;

/**
 * Users and groups, as getpwnam(3), getgrnam(3) and getgrouplist(3) find them: in files, LDAP or wherever nsswitch.conf
 * says, so each question may take its time. jnr-posix has the first two without their errors, and a database that cannot
 * be reached must not look like one that does not know. Made where somebody asks, since each function costs start-up time.
 * Any thread, one at a time.
 */
public final class Accounts {
    private static final int LARGEST_ENTRY = 4 << 20;
    private static final int MOST_GROUPS = 65536;

    /** What is called of the C library. Public because jnr-ffi implements it. */
    public interface NameService {
        int getpwnam_r(long name, long entry, long buffer, long size, long result);

        int getpwuid_r(int uid, long entry, long buffer, long size, long result);

        int getgrnam_r(long name, long entry, long buffer, long size, long result);

        int getgrouplist(long user, int gid, long groups, long count);
    }

    private interface Lookup {
        int in(long entry, long buffer, long size, long result);
    }

    private final Kernel kernel;
    private final NameService names = LibraryLoader.create(NameService.class).load("c");

    Accounts(Kernel kernel) {
        this.kernel = kernel;
    }

    /**
     * @param nameOrNumber digits are a number
     * @return empty where there is no entry
     */
    public synchronized Optional<Account> user(String nameOrNumber) throws OsException {
        boolean isNumber = isNumber(nameOrNumber);
        Pointer name = text(nameOrNumber);
        int uid = isNumber ? Integer.parseUnsignedInt(nameOrNumber) : 0;
        Optional<Entry> entry = find(
                "find user \"" + nameOrNumber + "\"",
                (at, buffer, size, result) -> isNumber
                        ? names.getpwuid_r(uid, at, buffer, size, result)
                        : names.getpwnam_r(name.address(), at, buffer, size, result));
        return entry.isPresent() ? Optional.of(account(entry.get())) : Optional.empty();
    }

    /** The number of a group, by its name. */
    public synchronized OptionalInt group(String groupName) throws OsException {
        Pointer name = text(groupName);
        Optional<Entry> entry = find(
                "find group \"" + groupName + "\"",
                (at, buffer, size, result) -> names.getgrnam_r(name.address(), at, buffer, size, result));
        return entry.isPresent() ? OptionalInt.of(entry.get().struct.getInt(16)) : OptionalInt.empty();
    }

    /** Whether it is one that fits into 32 bits; the largest stands for "nobody is meant" (chown(2)). */
    public static boolean isNumber(String text) {
        boolean digits = !text.isEmpty() && text.length() <= 10;
        for (int i = 0; i < text.length(); i++) {
            digits &= text.charAt(i) >= '0' && text.charAt(i) <= '9';
        }
        return digits && Long.parseLong(text) < 0xffffffffL;
    }

    /** A structure, and the texts that it points to. */
    private record Entry(Pointer struct, Pointer texts) {}

    private Optional<Entry> find(String what, Lookup lookup) throws OsException {
        Pointer struct = kernel.memory(64);
        Pointer result = kernel.memory(8);
        int size = 4096;
        while (true) {
            Pointer texts = kernel.memory(size);
            int errno = lookup.in(struct.address(), texts.address(), size, result.address());
            if (errno == Errno.ERANGE.number() && size < LARGEST_ENTRY) {
                size *= 4;
                continue;
            }
            if (errno != 0 && !isAbsence(errno)) {
                throw new OsException(errno, what);
            }
            return errno == 0 && result.getLong(0) != 0 ? Optional.of(new Entry(struct, texts)) : Optional.empty();
        }
    }

    /** What getpwnam(3) lists as ways to say that there is none. */
    private static boolean isAbsence(int errno) {
        return switch (Errno.of(errno)) {
            case ENOENT, ESRCH, EBADF, EPERM -> true;
            default -> false;
        };
    }

    /** {@code struct passwd} of 64-bit Linux: name 0, uid 16, gid 20, home 32, shell 40. */
    private Account account(Entry entry) throws OsException {
        Pointer struct = entry.struct;
        String name = text(struct.getPointer(0));
        int gid = struct.getInt(20);
        return new Account(
                name,
                struct.getInt(16),
                gid,
                groups(name, gid),
                text(struct.getPointer(32)),
                text(struct.getPointer(40)));
    }

    private List<Integer> groups(String user, int gid) throws OsException {
        Pointer name = text(user);
        Pointer count = kernel.memory(4);
        int room = 64;
        while (true) {
            Pointer list = kernel.memory(4 * room);
            count.putInt(0, room);
            if (names.getgrouplist(name.address(), gid, list.address(), count.address()) >= 0) {
                List<Integer> groups = new ArrayList<>();
                for (int i = 0; i < count.getInt(0); i++) {
                    groups.add(list.getInt(4L * i));
                }
                return groups;
            }
            if (room >= MOST_GROUPS) {
                throw new OsException(Errno.EINVAL, "find the groups of user \"" + user + "\"");
            }
            room = Math.max(count.getInt(0), 4 * room);
        }
    }

    private Pointer text(String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        Pointer memory = kernel.memory(bytes.length + 1);
        memory.put(0, bytes, 0, bytes.length);
        return memory;
    }

    private static String text(Pointer pointer) {
        return pointer == null ? "" : pointer.getString(0, 4096, StandardCharsets.UTF_8);
    }
}
