package io.jsupervise.os.linux;

import io.jsupervise.os.Datagram;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.OsException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import jnr.ffi.Pointer;

/**
 * Datagram sockets of unix(7): those that are told by the kernel who sends (recvmsg(2), cmsg(3), SO_PASSCRED, SCM_CREDENTIALS,
 * SCM_RIGHTS; jnr-unixsocket has datagrams, but passes on nothing that comes along with them), and messages to somebody else's, one
 * socket a message: they are rare, and one that is kept would have to be made again when its other end is.
 */
final class Datagrams {
    private static final int AF_UNIX = 1;
    private static final int SOCK_DGRAM = 2;
    private static final int CLOEXEC = 02000000;
    private static final int NONBLOCK = 04000;
    private static final int SOL_SOCKET = 1;
    private static final int SO_PASSCRED = 16;
    private static final int SCM_RIGHTS = 1;
    private static final int SCM_CREDENTIALS = 2;
    private static final int MSG_CMSG_CLOEXEC = 0x40000000;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int LONGEST_PATH = 107;

    // The struct scratch: struct msghdr, struct iovec, and memory for an integer or a struct sockaddr_un.
    private static final int HEADER_BYTES = 56;
    private static final int CONTROL_LENGTH_AT = 40;
    private static final int VECTOR_AT = 64;
    private static final int VALUE_AT = 96;

    // The io scratch: content, and behind it control messages: credentials, and as many descriptors as may come (253).
    private static final int CONTROL_AT = 1 << 15;
    private static final int CONTROL_HEADER = 16;
    private static final int CONTROL_BYTES = 32 + CONTROL_HEADER + 253 * 4 + 8;

    private final Kernel kernel;

    Datagrams(Kernel kernel) {
        this.kernel = kernel;
    }

    void send(String address, byte[] message) throws OsException {
        byte[] name = address.getBytes(StandardCharsets.UTF_8);
        if (name.length > LONGEST_PATH) {
            throw new OsException(Errno.ENAMETOOLONG, "send to " + address);
        }
        if (message.length > Kernel.Scratch.IO_BYTES) {
            throw new OsException(Errno.EMSGSIZE, "send to " + address);
        }
        long socket =
                Kernel.check(kernel.call(Syscall.SOCKET, AF_UNIX, SOCK_DGRAM | CLOEXEC, 0), "socket for", address);
        try {
            Pointer to = kernel.scratch().struct();
            to.putShort(0, (short) AF_UNIX);
            to.put(2, name, 0, name.length);
            to.putByte(2 + name.length, (byte) 0);
            // An abstract address (unix(7)) begins with a zero and has none at its end.
            boolean isAbstract = name.length > 0 && name[0] == '@';
            if (isAbstract) {
                to.putByte(2, (byte) 0);
            }
            int length = 2 + name.length + (isAbstract ? 0 : 1);
            Pointer bytes = kernel.scratch().io();
            bytes.put(0, message, 0, message.length);
            Kernel.check(
                    kernel.call(
                            Syscall.SENDTO,
                            socket,
                            bytes.address(),
                            message.length,
                            MSG_DONTWAIT | MSG_NOSIGNAL,
                            to.address(),
                            length),
                    "send to",
                    address);
        } finally {
            kernel.call(Syscall.CLOSE, socket, 0, 0);
        }
    }

    Fd bind(Path path) throws OsException {
        byte[] name = path.toString().getBytes(StandardCharsets.UTF_8);
        if (name.length > LONGEST_PATH) {
            throw new OsException(
                    Errno.ENAMETOOLONG, "bind " + path + ", a socket's path may have " + LONGEST_PATH + " bytes");
        }
        long made = kernel.call(Syscall.SOCKET, AF_UNIX, SOCK_DGRAM | CLOEXEC | NONBLOCK, 0);
        Fd socket = new Fd((int) Kernel.check(made, "socket", path));
        try {
            Pointer struct = kernel.scratch().struct();
            struct.putInt(VALUE_AT, 1);
            long value = struct.address() + VALUE_AT;
            Kernel.check(
                    kernel.call(Syscall.SETSOCKOPT, socket.number(), SOL_SOCKET, SO_PASSCRED, value, 4, 0),
                    "setsockopt SO_PASSCRED",
                    path);
            struct.putShort(VALUE_AT, (short) AF_UNIX);
            struct.put(VALUE_AT + 2, name, 0, name.length);
            struct.putByte(VALUE_AT + 2 + name.length, (byte) 0);
            Kernel.check(kernel.call(Syscall.BIND, socket.number(), value, 2 + name.length + 1), "bind", path);
            return socket;
        } catch (OsException e) {
            kernel.call(Syscall.CLOSE, socket.number(), 0, 0);
            throw e;
        }
    }

    Optional<Datagram> receive(Fd socket, int most) throws OsException {
        if (most > CONTROL_AT) {
            throw new IllegalArgumentException("at most " + CONTROL_AT + " bytes, not " + most);
        }
        Pointer struct = kernel.scratch().struct();
        Pointer io = kernel.scratch().io();
        struct.setMemory(0, HEADER_BYTES, (byte) 0);
        struct.putLong(VECTOR_AT, io.address());
        struct.putLong(VECTOR_AT + 8, most);
        struct.putLong(16, struct.address() + VECTOR_AT);
        struct.putLong(24, 1);
        struct.putLong(32, io.address() + CONTROL_AT);
        struct.putLong(CONTROL_LENGTH_AT, CONTROL_BYTES);
        long length = kernel.call(Syscall.RECVMSG, socket.number(), struct.address(), MSG_CMSG_CLOEXEC);
        if (length == -Errno.EAGAIN.number()) {
            return Optional.empty();
        }
        Kernel.check(length, "recvmsg", socket);
        byte[] content = new byte[(int) length];
        io.get(0, content, 0, content.length);
        return Optional.of(withControl(content, io, (int) struct.getLong(CONTROL_LENGTH_AT)));
    }

    private static Datagram withControl(byte[] content, Pointer io, int controlLength) {
        int sender = 0;
        int uid = -1;
        List<Fd> descriptors = new ArrayList<>();
        int at = 0;
        while (at + CONTROL_HEADER <= controlLength) {
            int length = (int) io.getLong(CONTROL_AT + at);
            int type = io.getInt(CONTROL_AT + at + 12);
            boolean ofSocket = io.getInt(CONTROL_AT + at + 8) == SOL_SOCKET;
            int value = CONTROL_AT + at + CONTROL_HEADER;
            if (ofSocket && type == SCM_CREDENTIALS) {
                sender = io.getInt(value);
                uid = io.getInt(value + 4);
            } else if (ofSocket && type == SCM_RIGHTS) {
                for (int i = CONTROL_HEADER; i + 4 <= length; i += 4) {
                    descriptors.add(new Fd(io.getInt(CONTROL_AT + at + i)));
                }
            }
            // CMSG_NXTHDR: each begins at a multiple of eight.
            at += Math.max(CONTROL_HEADER, (length + 7) & ~7);
        }
        return new Datagram(sender, uid, content, descriptors);
    }
}
