package io.jsupervise.os.linux;

import io.jsupervise.os.Errno;
import io.jsupervise.os.OsException;
import java.nio.charset.StandardCharsets;
import jnr.ffi.Pointer;

/**
 * Messages to a unix datagram socket, one socket a message: they are rare, and one that is kept would have to be made again when its
 * other end is.
 */
final class Datagrams {
    private static final int AF_UNIX = 1;
    private static final int SOCK_DGRAM = 2;
    private static final int SOCK_CLOEXEC = 02000000;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int LONGEST_ADDRESS = 107;

    private final Kernel kernel;

    Datagrams(Kernel kernel) {
        this.kernel = kernel;
    }

    void send(String address, byte[] message) throws OsException {
        byte[] name = address.getBytes(StandardCharsets.UTF_8);
        if (name.length > LONGEST_ADDRESS) {
            throw new OsException(Errno.ENAMETOOLONG, "send to " + address);
        }
        if (message.length > Kernel.Scratch.IO_BYTES) {
            throw new OsException(Errno.EMSGSIZE, "send to " + address);
        }
        long socket =
                Kernel.check(kernel.call(Syscall.SOCKET, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket for", address);
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
}
