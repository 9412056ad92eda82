package io.jsupervise.os;

import io.jsupervise.lifecycle.MonotonicTime;
import java.io.Closeable;
import java.io.IOException;
import java.net.Socket;
import java.util.Optional;

/** A listening unix stream socket. */
public interface Listener extends Closeable {
    /** Waits until a client connects, or until {@code until}. Throws {@link OsException} or, once closed, any IOException. */
    Optional<Connection> accept(MonotonicTime until) throws IOException;

    @Override
    void close();

    /**
     * An accepted connection. Its streams block; a read that gets nothing for the socket's SO_TIMEOUT throws
     * {@link java.net.SocketTimeoutException}. Closing it from another thread ends a blocked read.
     */
    record Connection(Socket socket, Peer peer) implements Closeable {
        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
