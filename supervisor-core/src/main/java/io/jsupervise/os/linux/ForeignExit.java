package io.jsupervise.os.linux;

import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.os.Child;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.OsException;
import io.jsupervise.spec.Signal;
import java.util.Optional;
import jnr.ffi.Pointer;

/**
 * How a process ended that is not our child, which waitid(2) tells to its parent only: ours have another one after a
 * supervisor has died. Two others may know. While it is a zombie, its {@code /proc/PID/stat} has the exit code, for those
 * who may inspect it. Once it is reaped, its pidfd has it (ioctl PIDFD_GET_INFO with PIDFD_INFO_EXIT, kernel 6.15), for
 * whoever holds one. An older kernel keeps nothing beyond the reap.
 */
final class ForeignExit {
    private static final int POLLIN = 1;
    private static final int POLLHUP = 0x10;

    /** _IOWR(0xFF, 11) of the first version of {@code struct pidfd_info}, which has 64 bytes. */
    private static final long PIDFD_GET_INFO = 0xC040FF0BL;

    private static final long PIDFD_INFO_EXIT = 1 << 3;
    private static final int EXIT_CODE_AT = 60;
    private static final int INFO_BYTES = 64;

    private final Kernel kernel;
    private final Proc proc;
    private volatile boolean pidFdsTell;

    ForeignExit(Kernel kernel, Proc proc) {
        this(kernel, proc, true);
    }

    /** @param asksPidFds false for a kernel that does not know the ioctl */
    ForeignExit(Kernel kernel, Proc proc, boolean asksPidFds) {
        this.kernel = kernel;
        this.proc = proc;
        this.pidFdsTell = asksPidFds;
    }

    boolean hasEnded(Child child) throws OsException {
        return poll(child.pidfd()) != 0;
    }

    /** Empty while it runs, and while its reap may still bring it to light. */
    Optional<ExitStatus> peek(Child child) throws OsException {
        if (poll(child.pidfd()) == 0) {
            return Optional.empty();
        }
        Optional<ExitStatus> status = ofReaped(child.pidfd());
        if (status.isEmpty()) {
            status = ofZombie(child);
        }
        if (status.isEmpty()) {
            // It may have been reaped between the two looks. From this poll on, a reap is reported.
            boolean reaped = (poll(child.pidfd()) & POLLHUP) != 0;
            status = ofReaped(child.pidfd());
            if (status.isEmpty() && (reaped || !pidFdsTell)) {
                status = Optional.of(new ExitStatus.Unknown());
            }
        }
        return status;
    }

    /** What of POLLIN (it has ended) and POLLHUP (and was reaped, 6.9) holds. */
    private int poll(Fd pidfd) throws OsException {
        Pointer struct = kernel.scratch().struct();
        struct.putInt(0, pidfd.number());
        struct.putShort(4, (short) POLLIN);
        struct.putShort(6, (short) 0);
        struct.putLong(16, 0);
        struct.putLong(24, 0);
        Kernel.check(kernel.call(Syscall.PPOLL, struct.address(), 1, struct.address() + 16, 0, 0, 0), "ppoll", pidfd);
        return struct.getShort(6);
    }

    private Optional<ExitStatus> ofReaped(Fd pidfd) throws OsException {
        if (!pidFdsTell) {
            return Optional.empty();
        }
        Pointer info = kernel.scratch().struct();
        info.setMemory(0, INFO_BYTES, (byte) 0);
        info.putLong(0, PIDFD_INFO_EXIT);
        long result = kernel.call(Syscall.IOCTL, pidfd.number(), PIDFD_GET_INFO, info.address());
        if (result == -Errno.ENOTTY.number() || result == -Errno.EINVAL.number()) {
            pidFdsTell = false;
            return Optional.empty();
        }
        if (result == -Errno.ESRCH.number()) {
            // Reaped, and a kernel (6.13, 6.14) or a pid namespace that does not tell.
            return Optional.empty();
        }
        Kernel.check(result, "PIDFD_GET_INFO of", pidfd);
        boolean told = (info.getLong(0) & PIDFD_INFO_EXIT) != 0;
        return told ? Optional.of(decode(info.getInt(EXIT_CODE_AT))) : Optional.empty();
    }

    private Optional<ExitStatus> ofZombie(Child child) {
        Optional<Proc.Stat> stat = zombie(child);
        if (stat.isEmpty()) {
            return Optional.empty();
        }
        if (stat.get().exitCode() != 0) {
            return Optional.of(decode(stat.get().exitCode()));
        }
        // The last look: what was inspected was this zombie, and not another process that has its number now.
        boolean isZero = proc.mayInspect(child.pid()) && zombie(child).isPresent();
        return isZero ? Optional.of(new ExitStatus.Exited(0)) : Optional.empty();
    }

    /** Whether it has not been reaped, so that no other process and no other group can have its number. */
    boolean hasItsNumber(Child child) {
        Optional<Proc.Stat> stat = proc.stat(child.pid());
        return stat.isPresent() && stat.get().startTime() == child.identity().startTime();
    }

    private Optional<Proc.Stat> zombie(Child child) {
        Optional<Proc.Stat> stat = proc.stat(child.pid());
        boolean isIts = stat.isPresent()
                && stat.get().isZombie()
                && stat.get().startTime() == child.identity().startTime();
        return isIts ? stat : Optional.empty();
    }

    /** The form of wait(2). */
    private static ExitStatus decode(int status) {
        int signal = status & 0x7f;
        return signal == 0
                ? new ExitStatus.Exited(status >> 8 & 0xff)
                : new ExitStatus.Killed(new Signal(signal), (status & 0x80) != 0);
    }
}
