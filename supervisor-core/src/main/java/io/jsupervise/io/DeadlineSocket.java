package io.jsupervise.io;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Optional;
import org.apache.hc.core5.http.MessageConstraintException;

/**
 * A connection whose requests have a deadline and a size as a whole: a client that sends a byte now and then would keep
 * a timeout between bytes from ever firing, and one that sends header after header would fill the heap, which ends the
 * supervisor, long before any single line is too long. A client that does not read is given up at the first write that it
 * holds up: whoever ends a message tries to write its end, and would wait as long again.
 */
final class DeadlineSocket extends Socket {
    private final Socket socket;
    private final Duration idle;
    private final Duration request;
    private final int mostBytes;
    private final InputStream input;
    private final OutputStream output;
    private long deadlineNanos;
    private int bytes;
    private boolean ended;
    private boolean begun;
    private boolean gone;
    private Optional<Byte> peeked = Optional.empty();

    /**
     * @param idle    how long the next request may be awaited
     * @param request how long it may take from its first byte to its last; also how long a client may refuse to read
     * @param mostBytes how long a request may be, up to what was read ahead of the next one
     */
    DeadlineSocket(Socket socket, Duration idle, Duration request, int mostBytes) throws IOException {
        this.socket = socket;
        this.idle = idle;
        this.request = request;
        this.mostBytes = mostBytes;
        this.output = new GivesUp(socket.getOutputStream());
        this.input = new FilterInputStream(socket.getInputStream()) {
            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
            }

            @Override
            public int read(byte[] buffer, int offset, int length) throws IOException {
                return readInTime(buffer, offset, length);
            }
        };
    }

    /** After a write that failed, nothing is written any more. */
    private static final class GivesUp extends OutputStream {
        private final OutputStream to;
        private boolean failed;

        GivesUp(OutputStream to) {
            this.to = to;
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] buffer, int offset, int length) throws IOException {
            if (failed) {
                throw new IOException("the client was given up");
            }
            failed = true;
            to.write(buffer, offset, length);
            failed = false;
        }

        @Override
        public void flush() throws IOException {
            to.flush();
        }
    }

    /** The next byte that is read is the first of a new request. */
    void nextRequest() {
        begun = false;
        bytes = 0;
    }

    /** Whether the parser has asked for more than the client had to say: what it has then was cut off. */
    boolean hasEnded() {
        return ended;
    }

    /** Whether something of a request has come. */
    boolean requestBegun() {
        return begun;
    }

    /**
     * Whether the client has closed its side, to be asked while it waits for an answer. What it sends meanwhile is kept
     * for the next request. One that closes only its sending half is taken to have left, too.
     */
    boolean isGone() throws IOException {
        if (peeked.isPresent() || gone) {
            return gone;
        }
        socket.setSoTimeout(1);
        try {
            int next = socket.getInputStream().read();
            gone = next < 0;
            peeked = gone ? Optional.empty() : Optional.of((byte) next);
        } catch (SocketTimeoutException e) {
            // It waits, as it should.
        } finally {
            socket.setSoTimeout((int) request.toMillis());
        }
        return gone;
    }

    private int readInTime(byte[] buffer, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        if (gone) {
            ended = true;
            return -1;
        }
        if (bytes > mostBytes) {
            throw new MessageConstraintException("a request may have " + mostBytes + " bytes");
        }
        if (!begun) {
            socket.setSoTimeout((int) idle.toMillis());
            int count = read(buffer, offset, length);
            begun = true;
            deadlineNanos = System.nanoTime() + request.toNanos();
            socket.setSoTimeout((int) request.toMillis());
            return count;
        }
        long left = deadlineNanos - System.nanoTime();
        if (left <= 0) {
            throw new SocketTimeoutException("the request took longer than " + request.toSeconds() + " s");
        }
        socket.setSoTimeout((int) Math.max(1, left / 1_000_000));
        int count = read(buffer, offset, length);
        socket.setSoTimeout((int) request.toMillis());
        return count;
    }

    private int read(byte[] buffer, int offset, int length) throws IOException {
        if (peeked.isPresent()) {
            buffer[offset] = peeked.get();
            peeked = Optional.empty();
            return 1;
        }
        int count = socket.getInputStream().read(buffer, offset, length);
        if (count < 0) {
            ended = true;
        } else {
            bytes += count;
        }
        return count;
    }

    @Override
    public InputStream getInputStream() {
        return input;
    }

    @Override
    public OutputStream getOutputStream() {
        return output;
    }

    /** The deadline is ours alone to set. */
    @Override
    public void setSoTimeout(int timeout) {}

    @Override
    public int getSoTimeout() {
        return (int) request.toMillis();
    }

    @Override
    public boolean isConnected() {
        return true;
    }

    @Override
    public boolean isClosed() {
        return socket.isClosed();
    }

    @Override
    public void shutdownOutput() throws IOException {
        socket.shutdownOutput();
    }

    @Override
    public void shutdownInput() {}

    @Override
    public void setSoLinger(boolean on, int linger) {}

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
