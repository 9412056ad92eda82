package io.jsupervise.os.linux;

import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.OsException;
import io.jsupervise.os.Parcel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import jnr.ffi.Pointer;

/** Descriptors that go through a unix socket with a message: sendmsg(2), recvmsg(2), cmsg(3), SCM_RIGHTS of unix(7). */
final class Parcels {
    private static final int AF_UNIX = 1;
    private static final int SOCK_SEQPACKET = 5;
    private static final int CLOEXEC = 02000000;
    private static final int NONBLOCK = 04000;
    private static final int SOL_SOCKET = 1;
    private static final int SO_SNDBUF = 7;
    private static final int SO_SNDBUFFORCE = 32;
    private static final int SCM_RIGHTS = 1;
    private static final int MSG_PEEK = 2;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int MSG_CMSG_CLOEXEC = 0x40000000;

    /** Each message counts with what the kernel needs for it, about 800 bytes besides its content. */
    private static final int QUEUE_BYTES = 4 << 20;

    // The struct scratch: struct msghdr, struct iovec, and memory for an integer.
    private static final int HEADER_BYTES = 56;
    private static final int VECTOR_AT = 64;
    private static final int VALUE_AT = 96;

    // The io scratch: content, and behind it the control message.
    private static final int CONTROL_AT = 1 << 15;
    private static final int CONTROL_HEADER = 16;
    private static final int CONTROL_BYTES = 1024 + 64;

    private final Kernel kernel;

    Parcels(Kernel kernel) {
        this.kernel = kernel;
    }

    Fd[] socketPair() throws OsException {
        Pointer fds = kernel.scratch().struct();
        long result =
                kernel.call(Syscall.SOCKETPAIR, AF_UNIX, SOCK_SEQPACKET | CLOEXEC | NONBLOCK, 0, fds.address(), 0, 0);
        Kernel.check(result, "socketpair", "");
        Fd[] pair = {new Fd(fds.getInt(0)), new Fd(fds.getInt(4))};
        // Without privileges the second gives as much as net.core.wmem_max allows; whatever it is then will do.
        if (setQueue(pair[0], SO_SNDBUFFORCE) < 0) {
            setQueue(pair[0], SO_SNDBUF);
        }
        return pair;
    }

    private long setQueue(Fd socket, int option) {
        Pointer struct = kernel.scratch().struct();
        struct.putInt(VALUE_AT, QUEUE_BYTES);
        return kernel.call(Syscall.SETSOCKOPT, socket.number(), SOL_SOCKET, option, struct.address() + VALUE_AT, 4, 0);
    }

    void send(Fd socket, Parcel parcel) throws OsException {
        byte[] content = parcel.content();
        List<Fd> descriptors = parcel.descriptors();
        kernel.scratch().io().put(0, content, 0, content.length);
        int control = 0;
        if (!descriptors.isEmpty()) {
            Pointer io = kernel.scratch().io();
            control = CONTROL_HEADER + 4 * descriptors.size();
            io.putLong(CONTROL_AT, control);
            io.putInt(CONTROL_AT + 8, SOL_SOCKET);
            io.putInt(CONTROL_AT + 12, SCM_RIGHTS);
            for (int i = 0; i < descriptors.size(); i++) {
                io.putInt(
                        CONTROL_AT + CONTROL_HEADER + 4L * i, descriptors.get(i).number());
            }
        }
        long header = header(content.length, control);
        Kernel.check(kernel.call(Syscall.SENDMSG, socket.number(), header, MSG_NOSIGNAL), "sendmsg", socket);
    }

    Optional<Parcel> peek(Fd socket) throws OsException {
        long header = header(Parcel.MOST_BYTES, CONTROL_BYTES);
        long length = kernel.call(Syscall.RECVMSG, socket.number(), header, MSG_PEEK | MSG_CMSG_CLOEXEC);
        if (length == -Errno.EAGAIN.number() || length == 0) {
            return Optional.empty();
        }
        Kernel.check(length, "recvmsg", socket);
        byte[] content = new byte[(int) length];
        kernel.scratch().io().get(0, content, 0, content.length);
        return Optional.of(new Parcel(content, received()));
    }

    private List<Fd> received() {
        Pointer io = kernel.scratch().io();
        List<Fd> descriptors = new ArrayList<>();
        boolean some = kernel.scratch().struct().getLong(40) >= CONTROL_HEADER
                && io.getInt(CONTROL_AT + 8) == SOL_SOCKET
                && io.getInt(CONTROL_AT + 12) == SCM_RIGHTS;
        if (some) {
            int end = (int) io.getLong(CONTROL_AT);
            for (int at = CONTROL_HEADER; at < end; at += 4) {
                descriptors.add(new Fd(io.getInt(CONTROL_AT + at)));
            }
        }
        return descriptors;
    }

    /** Without room for its control message the kernel closes what came with it. */
    boolean discard(Fd socket) throws OsException {
        long length = kernel.call(Syscall.RECVMSG, socket.number(), header(1, 0), 0);
        if (length == -Errno.EAGAIN.number() || length == 0) {
            return false;
        }
        Kernel.check(length, "recvmsg", socket);
        return true;
    }

    private long header(int contentBytes, int controlBytes) {
        Pointer struct = kernel.scratch().struct();
        long io = kernel.scratch().io().address();
        struct.setMemory(0, HEADER_BYTES, (byte) 0);
        struct.putLong(VECTOR_AT, io);
        struct.putLong(VECTOR_AT + 8, contentBytes);
        struct.putLong(16, struct.address() + VECTOR_AT);
        struct.putLong(24, 1);
        struct.putLong(32, controlBytes == 0 ? 0 : io + CONTROL_AT);
        struct.putLong(40, controlBytes);
        return struct.address();
    }
}
