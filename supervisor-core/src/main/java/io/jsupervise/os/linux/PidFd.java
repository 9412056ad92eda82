package io.jsupervise.os.linux;

import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.Pid;
import io.jsupervise.os.Child;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.OsException;
import io.jsupervise.spec.Signal;
import java.util.Optional;
import jnr.ffi.Pointer;

/** Processes by descriptor (pidfd_open(2)): signals and exits without the race of a reused number. */
final class PidFd {
    private static final int P_PID = 1;
    private static final int P_PIDFD = 3;
    private static final int WNOHANG = 1;
    private static final int WEXITED = 4;
    private static final int WNOWAIT = 0x01000000;
    private static final int CLD_EXITED = 1;
    private static final int CLD_DUMPED = 3;

    /** PIDFD_SIGNAL_PROCESS_GROUP, kernel 6.9. */
    private static final int PROCESS_GROUP = 1 << 2;

    private final Kernel kernel;
    private final ForeignExit foreignExit;
    private volatile boolean groupsByPidFd;

    PidFd(Kernel kernel, Proc proc) {
        this(kernel, proc, true);
    }

    /** @param groupsByPidFd false for a kernel before 6.9 */
    PidFd(Kernel kernel, Proc proc, boolean groupsByPidFd) {
        this.kernel = kernel;
        this.foreignExit = new ForeignExit(kernel, proc);
        this.groupsByPidFd = groupsByPidFd;
    }

    Fd open(Pid pid) throws OsException {
        return new Fd((int) Kernel.check(kernel.call(Syscall.PIDFD_OPEN, pid.value(), 0, 0), "pidfd_open", pid));
    }

    /** Without reaping it. waitid(2) leaves si_signo at zero where nothing has ended. */
    Optional<ExitStatus> peekExit(Child child) throws OsException {
        if (!child.ours()) {
            return foreignExit.peek(child);
        }
        Pointer info = kernel.scratch().struct();
        info.putInt(0, 0);
        long result = kernel.call(
                Syscall.WAITID, P_PIDFD, child.pidfd().number(), info.address(), WEXITED | WNOHANG | WNOWAIT, 0, 0);
        Kernel.check(result, "waitid", child.pid());
        return info.getInt(0) == 0 ? Optional.empty() : Optional.of(status(info));
    }

    private static ExitStatus status(Pointer siginfo) {
        int code = siginfo.getInt(8);
        int status = siginfo.getInt(24);
        return code == CLD_EXITED
                ? new ExitStatus.Exited(status & 0xff)
                : new ExitStatus.Killed(new Signal(status), code == CLD_DUMPED);
    }

    boolean hasEnded(Child child) throws OsException {
        return foreignExit.hasEnded(child);
    }

    Fd takeFd(Child process, int number) throws OsException {
        long fd = kernel.call(Syscall.PIDFD_GETFD, process.pidfd().number(), number, 0);
        return new Fd((int) Kernel.check(fd, "pidfd_getfd", process.pid()));
    }

    void reap(Child child) throws OsException {
        Pointer info = kernel.scratch().struct();
        long result =
                kernel.call(Syscall.WAITID, P_PIDFD, child.pidfd().number(), info.address(), WEXITED | WNOHANG, 0, 0);
        Kernel.check(result, "waitid", child.pid());
    }

    /** For a child that could not be given a pidfd: ends and reaps it. */
    void destroy(Pid pid) {
        kernel.call(Syscall.KILL, pid.value(), Signal.KILL.number(), 0);
        kernel.call(
                Syscall.WAITID, P_PID, pid.value(), kernel.scratch().struct().address(), WEXITED, 0, 0);
    }

    boolean signal(Child child, Signal signal) throws OsException {
        return sent(send(child.pidfd(), signal.number(), 0), "signal", child);
    }

    boolean signalGroup(Child child, Signal signal) throws OsException {
        if (groupsByPidFd) {
            long result = send(child.pidfd(), signal.number(), PROCESS_GROUP);
            if (result != -Errno.EINVAL.number()) {
                return sent(result, "signal group of", child);
            }
            groupsByPidFd = false;
        }
        // The number is still that of the group only as long as the leader has not been reaped.
        if (child.ours() ? isReaped(child) : !foreignExit.hasItsNumber(child)) {
            return groupExists(child);
        }
        return sent(kernel.call(Syscall.KILL, -child.pid().value(), signal.number(), 0), "signal group of", child);
    }

    boolean groupExists(Child child) throws OsException {
        if (groupsByPidFd) {
            long result = send(child.pidfd(), 0, PROCESS_GROUP);
            if (result != -Errno.EINVAL.number()) {
                return sent(result, "look at group of", child);
            }
            groupsByPidFd = false;
        }
        return sent(kernel.call(Syscall.KILL, -child.pid().value(), 0, 0), "look at group of", child);
    }

    private boolean isReaped(Child child) {
        long result = kernel.call(
                Syscall.WAITID,
                P_PIDFD,
                child.pidfd().number(),
                kernel.scratch().struct().address(),
                WEXITED | WNOHANG | WNOWAIT,
                0,
                0);
        return result == -Errno.ECHILD.number();
    }

    private long send(Fd pidfd, int signal, int flags) {
        return kernel.call(Syscall.PIDFD_SEND_SIGNAL, pidfd.number(), signal, 0, flags, 0, 0);
    }

    private static boolean sent(long result, String what, Child child) throws OsException {
        if (result == -Errno.ESRCH.number()) {
            return false;
        }
        Kernel.check(result, what, child.pid());
        return true;
    }
}
