package io.jsupervise.os.linux;

import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.OsException;
import io.jsupervise.os.Poller;
import java.util.Optional;
import java.util.function.LongConsumer;
import jnr.ffi.Pointer;

/**
 * epoll(7) with an eventfd(2) to be woken by. Waits to the nanosecond where the kernel can (epoll_pwait2, 5.11), else
 * to the next full millisecond.
 */
final class Epoll implements Poller {
    private static final int CLOEXEC = 02000000;
    private static final int NONBLOCK = 04000;
    private static final int EPOLL_CTL_ADD = 1;
    private static final int EPOLL_CTL_DEL = 2;
    private static final int EPOLL_CTL_MOD = 3;
    private static final int EPOLLIN = 1;
    private static final long WAKEUP = -1;
    private static final int MAX_EVENTS = 1024;
    private static final long NANOS = 1_000_000_000;

    private final Kernel kernel;
    private final int epoll;
    private final int eventFd;
    private final int eventBytes;
    private final int dataOffset;
    private final Pointer events;
    private final Pointer timeout;
    private final Pointer counter;
    private boolean inNanoseconds = true;

    Epoll(Kernel kernel) throws OsException {
        this.kernel = kernel;
        // The structure is packed on x86-64 only: EPOLL_PACKED in linux/eventpoll.h.
        this.eventBytes = kernel.isArm() ? 16 : 12;
        this.dataOffset = eventBytes - 8;
        this.events = kernel.memory(MAX_EVENTS * eventBytes);
        this.timeout = kernel.memory(16);
        this.counter = kernel.memory(16);
        this.epoll = (int) Kernel.check(kernel.call(Syscall.EPOLL_CREATE1, CLOEXEC, 0, 0), "epoll_create", "");
        this.eventFd = (int) Kernel.check(kernel.call(Syscall.EVENTFD2, 0, CLOEXEC | NONBLOCK, 0), "eventfd", "");
        add(new Fd(eventFd), WAKEUP);
    }

    @Override
    public void add(Fd fd, long token) throws OsException {
        Pointer event = kernel.scratch().struct();
        event.putInt(0, EPOLLIN);
        event.putLong(dataOffset, token);
        control(EPOLL_CTL_ADD, fd, event.address());
    }

    /** EPOLLHUP cannot be masked, and a pidfd has it once its process is reaped. */
    @Override
    public void awaitReap(Fd pidfd, long token) throws OsException {
        Pointer event = kernel.scratch().struct();
        event.putInt(0, 0);
        event.putLong(dataOffset, token);
        control(EPOLL_CTL_MOD, pidfd, event.address());
    }

    @Override
    public void remove(Fd fd) throws OsException {
        control(EPOLL_CTL_DEL, fd, kernel.scratch().struct().address());
    }

    private void control(int operation, Fd fd, long event) throws OsException {
        long result = kernel.call(Syscall.EPOLL_CTL, epoll, operation, fd.number(), event, 0, 0);
        Kernel.check(result, "epoll_ctl", fd);
    }

    @Override
    public void poll(Optional<MonotonicTime> deadline, LongConsumer ready) throws OsException {
        int count = await(deadline);
        for (int i = 0; i < count; i++) {
            long token = events.getLong((long) i * eventBytes + dataOffset);
            if (token == WAKEUP) {
                kernel.call(Syscall.READ, eventFd, counter.address(), 8);
            } else {
                ready.accept(token);
            }
        }
    }

    private int await(Optional<MonotonicTime> deadline) throws OsException {
        long nanos = deadline.isEmpty() ? -1 : Math.max(0, deadline.get().nanos() - System.nanoTime());
        if (inNanoseconds) {
            long result =
                    kernel.callOnce(Syscall.EPOLL_PWAIT2, epoll, events.address(), MAX_EVENTS, timespec(nanos), 0, 0);
            if (result != -Errno.ENOSYS.number()) {
                return count(result);
            }
            inNanoseconds = false;
        }
        long ms = nanos < 0 ? -1 : Math.min(Integer.MAX_VALUE, (nanos + 999_999) / 1_000_000);
        return count(kernel.callOnce(Syscall.EPOLL_PWAIT, epoll, events.address(), MAX_EVENTS, ms, 0, 0));
    }

    /** An interrupted wait is over: to repeat it would wait the whole time again. */
    private static int count(long result) throws OsException {
        return result == -Kernel.EINTR ? 0 : (int) Kernel.check(result, "epoll_pwait", "");
    }

    private long timespec(long nanos) {
        if (nanos < 0) {
            return 0;
        }
        timeout.putLong(0, nanos / NANOS);
        timeout.putLong(8, nanos % NANOS);
        return timeout.address();
    }

    @Override
    public void wakeup() {
        Pointer one = kernel.scratch().struct();
        one.putLong(0, 1);
        kernel.call(Syscall.WRITE, eventFd, one.address(), 8);
    }

    @Override
    public void close() {
        kernel.call(Syscall.CLOSE, eventFd, 0, 0);
        kernel.call(Syscall.CLOSE, epoll, 0, 0);
    }
}
