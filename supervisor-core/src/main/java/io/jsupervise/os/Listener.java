package io.jsupervise.os;

import java.io.Closeable;
import java.net.Socket;

/** A listening unix stream socket. */
public interface Listener extends Closeable {
    /** Blocks until a client connects. Throws {@link OsException} or, once closed, any IOException. */
    Connection accept() throws java.io.IOException;

    @Override
    void close();

    /**
     * An accepted connection. Its streams block; a read that gets nothing for the socket's SO_TIMEOUT throws
     * {@link java.net.SocketTimeoutException}. Closing it from another thread ends a blocked read.
     */
    record Connection(Socket socket, Peer peer) {}
}
