package io.jsupervise.os.linux;

import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.OsException;
import io.jsupervise.os.WatchdogCall;
import io.jsupervise.os.WatchdogSupport;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import jnr.ffi.Pointer;

/**
 * Watchdog devices: the requests of linux/watchdog.h, and what sysfs tells beside them. The numbers are those of
 * asm-generic/ioctl.h, which x86 and ARM share.
 */
final class WatchdogIoctl {
    private static final int GETSUPPORT = 0x80285700;
    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int STATX_BASIC_STATS = 0x7ff;

    /** The number of /dev/watchdog, which is another name of /dev/watchdog0 and has no attributes of its own in sysfs. */
    private static final int MISC_MAJOR = 10;

    private static final int WATCHDOG_MINOR = 130;

    private final Kernel kernel;
    private final LinuxFiles files;

    WatchdogIoctl(Kernel kernel, LinuxFiles files) {
        this.kernel = kernel;
        this.files = files;
    }

    int call(Fd device, WatchdogCall call, int argument) throws OsException {
        Pointer number = kernel.scratch().struct();
        number.putInt(0, argument);
        long result = kernel.call(Syscall.IOCTL, device.number(), request(call), number.address());
        Kernel.check(result, "ioctl WDIOC_" + call, device);
        return number.getInt(0);
    }

    private static int request(WatchdogCall call) {
        return switch (call) {
            case SET_TIMEOUT -> 0xC0045706;
            case GET_TIMEOUT -> 0x80045707;
            case SET_PRETIMEOUT -> 0xC0045708;
            case GET_PRETIMEOUT -> 0x80045709;
            case GET_BOOT_STATUS -> 0x80045702;
        };
    }

    /** struct watchdog_info: options, version of the firmware, 32 bytes of identity. */
    WatchdogSupport support(Fd device) throws OsException {
        Pointer info = kernel.scratch().struct();
        Kernel.check(
                kernel.call(Syscall.IOCTL, device.number(), GETSUPPORT, info.address()),
                "ioctl WDIOC_GETSUPPORT",
                device);
        byte[] identity = new byte[32];
        info.get(8, identity, 0, identity.length);
        int length = 0;
        while (length < identity.length && identity[length] != 0) {
            length++;
        }
        return new WatchdogSupport(
                new String(identity, 0, length, StandardCharsets.ISO_8859_1).strip(), info.getInt(0));
    }

    /** Below {@code /sys/dev/char/MAJOR:MINOR} (sysfs-class-watchdog). */
    Optional<String> attribute(Fd device, String name) throws OsException {
        Kernel.Scratch scratch = kernel.scratch();
        scratch.path().putByte(0, (byte) 0);
        long result = kernel.call(
                Syscall.STATX,
                device.number(),
                scratch.path().address(),
                AT_EMPTY_PATH,
                STATX_BASIC_STATS,
                scratch.struct().address(),
                0);
        Kernel.check(result, "stat", device);
        int major = scratch.struct().getInt(128);
        int minor = scratch.struct().getInt(132);
        boolean old = major == MISC_MAJOR && minor == WATCHDOG_MINOR;
        Path file = Path.of(
                old ? "/sys/class/watchdog/watchdog0/" + name : "/sys/dev/char/" + major + ":" + minor + "/" + name);
        try {
            Fd fd = files.open(file, OpenMode.READ, 0);
            try {
                byte[] text = new byte[256];
                int length = files.read(fd, text, 0, text.length);
                return Optional.of(new String(text, 0, length, StandardCharsets.ISO_8859_1).strip());
            } finally {
                files.close(fd);
            }
        } catch (OsException e) {
            if (e.errno() == Errno.ENOENT || e.errno() == Errno.ENOTDIR) {
                return Optional.empty();
            }
            throw e;
        }
    }
}
