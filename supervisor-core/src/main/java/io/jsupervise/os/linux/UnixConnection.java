package io.jsupervise.os.linux;

import io.jsupervise.os.Errno;
import io.jsupervise.os.OsException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import jnr.ffi.Pointer;
import jnr.unixsocket.UnixSocketChannel;

/**
 * One accepted connection as a {@link Socket}, for libraries that want one. Reads and writes wait with ppoll(2) for at
 * most SO_TIMEOUT: jnr's own streams know no timeout, so a client that neither sends nor reads would hold a thread for
 * ever. Closing from another thread shuts the connection down, which ends a wait; the descriptor itself is closed when
 * nobody is inside any more, since its number may be given out again at once.
 */
final class UnixConnection extends Socket {
    private static final int POLLIN = 1;
    private static final int POLLOUT = 4;
    private static final int SHUT_WR = 1;
    private static final int SHUT_RDWR = 2;

    private final Kernel kernel;
    private final UnixSocketChannel channel;
    private final int fd;
    private final InputStream input = new Input();
    private final OutputStream output = new Output();
    private volatile int timeoutMs;
    private int inside;
    private boolean closed;

    UnixConnection(Kernel kernel, UnixSocketChannel channel) {
        this.kernel = kernel;
        this.channel = channel;
        this.fd = channel.getFD();
    }

    @Override
    public InputStream getInputStream() {
        return input;
    }

    @Override
    public OutputStream getOutputStream() {
        return output;
    }

    @Override
    public void setSoTimeout(int timeout) {
        timeoutMs = timeout;
    }

    @Override
    public int getSoTimeout() {
        return timeoutMs;
    }

    @Override
    public boolean isConnected() {
        return true;
    }

    @Override
    public synchronized boolean isClosed() {
        return closed;
    }

    @Override
    public void shutdownOutput() {
        kernel.call(Syscall.SHUTDOWN, fd, SHUT_WR, 0);
    }

    @Override
    public void shutdownInput() {}

    @Override
    public void setTcpNoDelay(boolean on) {}

    @Override
    public void setSoLinger(boolean on, int linger) {}

    @Override
    public synchronized void close() throws IOException {
        if (!closed) {
            closed = true;
            kernel.call(Syscall.SHUTDOWN, fd, SHUT_RDWR, 0);
            closeWhenAlone();
        }
    }

    private synchronized void enter() throws SocketException {
        if (closed) {
            throw new SocketException("connection closed");
        }
        inside++;
    }

    private synchronized void leave() throws IOException {
        inside--;
        closeWhenAlone();
    }

    private void closeWhenAlone() throws IOException {
        if (closed && inside == 0) {
            channel.close();
        }
    }

    private void await(int events) throws IOException {
        Pointer struct = kernel.scratch().struct();
        struct.putInt(0, fd);
        struct.putShort(4, (short) events);
        struct.putShort(6, (short) 0);
        long timeout = 0;
        if (timeoutMs > 0) {
            struct.putLong(16, timeoutMs / 1000);
            struct.putLong(24, timeoutMs % 1000 * 1_000_000L);
            timeout = struct.address() + 16;
        }
        long ready = kernel.call(Syscall.PPOLL, struct.address(), 1, timeout, 0, 8, 0);
        Kernel.check(ready, "poll", "connection");
        if (ready == 0) {
            throw new SocketTimeoutException("nothing moved for " + timeoutMs + " ms");
        }
    }

    private final class Input extends InputStream {
        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            if (length == 0) {
                return 0;
            }
            enter();
            try {
                while (true) {
                    Pointer io = kernel.scratch().io();
                    int most = Math.min(length, Kernel.Scratch.IO_BYTES);
                    long count = kernel.call(Syscall.READ, fd, io.address(), most);
                    if (count == -Kernel.EAGAIN) {
                        await(POLLIN);
                        continue;
                    }
                    if (count == 0) {
                        return -1;
                    }
                    Kernel.check(count, "read", "connection");
                    io.get(0, buffer, offset, (int) count);
                    return (int) count;
                }
            } finally {
                leave();
            }
        }

        @Override
        public void close() throws IOException {
            UnixConnection.this.close();
        }
    }

    private final class Output extends OutputStream {
        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] buffer, int offset, int length) throws IOException {
            enter();
            try {
                int done = 0;
                while (done < length) {
                    Pointer io = kernel.scratch().io();
                    int some = Math.min(length - done, Kernel.Scratch.IO_BYTES);
                    io.put(0, buffer, offset + done, some);
                    long count = kernel.call(Syscall.WRITE, fd, io.address(), some);
                    if (count == -Kernel.EAGAIN) {
                        await(POLLOUT);
                    } else {
                        done += (int) written(count);
                    }
                }
            } finally {
                leave();
            }
        }

        /** The JVM ignores SIGPIPE, so a peer that is gone is an errno. */
        private long written(long count) throws OsException {
            if (count < 0) {
                throw new OsException(Errno.of((int) -count), "write to connection");
            }
            return count;
        }

        @Override
        public void close() throws IOException {
            UnixConnection.this.close();
        }
    }
}
