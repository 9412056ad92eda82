package io.jsupervise.io;

import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.os.Errno;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.Listener;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.SupervisorSpec;
import io.jsupervise.supervision.Answer;
import io.jsupervise.supervision.Ask;
import io.jsupervise.supervision.Asker;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.function.BiConsumer;
import java.util.function.ToLongFunction;

/**
 * Whoever wants something of a running supervisor connects here. One thread accepts ({@link #run}), and each connection
 * has a thread of its own while it lasts, so one that follows a stream, or stalls, holds up nobody; their number is
 * bounded. All that they can do to supervision is to put a question into the loop's inbox. The socket is made again if
 * somebody removes it.
 */
public final class ControlServer implements Runnable {
    /** A further one is told to come again, and closed. */
    static final int MOST_CONNECTIONS = 64;

    private static final Duration LOOK_AGAIN = Duration.ofSeconds(10);
    private static final String TOO_MANY = "{\"error\":{\"code\":\"too-many-connections\",\"message\":\""
            + MOST_CONNECTIONS + " connections are open already; try again\"}}";
    private static final byte[] TOO_MANY_ANSWER =
            ("HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
                            + TOO_MANY.length() + "\r\n\r\n" + TOO_MANY)
                    .getBytes(StandardCharsets.US_ASCII);

    private final Os os;
    private final SupervisorSpec spec;
    private final Routes routes;
    private final BiConsumer<String, String> trouble;
    private final Executor clients;
    private final Set<ControlConnection> connections = new HashSet<>();
    private Listener listener;
    private FileStat socketFile;
    private volatile boolean closed;

    /** The supervisor, as far as a client can reach it. Any thread; the answer may take as long as what was asked. */
    public interface Core {
        Future<Answer> ask(Ask ask, Asker asker);
    }

    /**
     * Listens from now on; clients wait until {@link #run} accepts them.
     *
     * @param droppedBytes output of a service that was thrown away
     * @param trouble      is told an event and what happened
     * @param clients      runs each connection at once on a thread of its own, at most {@value #MOST_CONNECTIONS}
     * @throws OsException EADDRINUSE where a living process listens there
     */
    public static ControlServer listen(
            Os os,
            SupervisorSpec spec,
            Core core,
            Configuration configuration,
            ToLongFunction<ServiceName> droppedBytes,
            BiConsumer<String, String> trouble,
            Executor clients)
            throws OsException {
        Routes routes = new Routes(core, configuration, droppedBytes, os.uid());
        ControlServer server = new ControlServer(os, spec, routes, trouble, clients);
        server.listen();
        return server;
    }

    private ControlServer(
            Os os, SupervisorSpec spec, Routes routes, BiConsumer<String, String> trouble, Executor clients) {
        this.os = os;
        this.spec = spec;
        this.routes = routes;
        this.trouble = trouble;
        this.clients = clients;
    }

    private void listen() throws OsException {
        listener = os.listen(spec.socket(), spec.socketGroup());
        socketFile =
                os.stat(spec.socket()).orElseThrow(() -> new OsException(Errno.ENOENT, "listen on " + spec.socket()));
    }

    /** Accepts until closed. */
    @Override
    public void run() {
        while (!closed) {
            try {
                MonotonicTime until = os.now().plus(LOOK_AGAIN);
                Optional<Listener.Connection> connection = listener.accept(until);
                if (connection.isPresent()) {
                    serve(connection.get());
                } else {
                    listenAgainIfRemoved();
                }
            } catch (IOException | RuntimeException e) {
                if (!closed) {
                    trouble.accept("trouble", "cannot accept on " + spec.socket() + ": " + e.getMessage());
                    pause();
                }
            }
        }
    }

    /** Out of descriptors, most likely: others have to close theirs first. */
    private static void pause() {
        java.util.concurrent.locks.LockSupport.parkNanos(Duration.ofSeconds(1).toNanos());
    }

    private synchronized void listenAgainIfRemoved() throws IOException {
        Optional<FileStat> there = os.stat(spec.socket());
        if (!closed && (there.isEmpty() || !there.get().sameFile(socketFile))) {
            Listener removed = listener;
            // Where that fails, the old one stays, and at the next look it is tried again.
            listen();
            end(removed);
            trouble.accept("control-socket-made-again", spec.socket() + " was removed");
        }
    }

    /** The thread that accepts lets go of what a listener holds. */
    private void end(Listener removed) throws IOException {
        removed.close();
        try {
            removed.accept(os.now());
        } catch (ClosedChannelException e) {
            // This is how it ends.
        }
    }

    private void serve(Listener.Connection accepted) throws IOException {
        ControlConnection connection = new ControlConnection(accepted, routes, this::ended);
        synchronized (connections) {
            if (connections.size() >= MOST_CONNECTIONS) {
                accepted.socket().setSoTimeout(100);
                try (accepted) {
                    accepted.socket().getOutputStream().write(TOO_MANY_ANSWER);
                }
                return;
            }
            connections.add(connection);
        }
        try {
            clients.execute(connection);
        } catch (RuntimeException | Error e) {
            // No thread could be made (EAGAIN): this client is turned away, the next may have more luck.
            ended(connection);
            accepted.close();
            trouble.accept("trouble", "cannot serve a client: " + e);
        }
    }

    private void ended(ControlConnection connection) {
        synchronized (connections) {
            connections.remove(connection);
            connections.notifyAll();
        }
    }

    /**
     * Ends everything: nobody new, idle clients are hung up on, answers and streams under way are finished within
     * {@code patience}. The socket's file goes, so that nobody waits on it.
     */
    public void close(Duration patience) {
        synchronized (this) {
            closed = true;
            listener.close();
        }
        try {
            os.unlink(spec.socket());
        } catch (OsException e) {
            trouble.accept("trouble", "cannot remove " + spec.socket() + ": " + e.getMessage());
        }
        MonotonicTime deadline = os.now().plus(patience);
        synchronized (connections) {
            connections.forEach(ControlConnection::finish);
            long left = deadline.since(os.now()).toMillis();
            while (!connections.isEmpty() && left > 0) {
                try {
                    connections.wait(left);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return;
                }
                left = deadline.since(os.now()).toMillis();
            }
        }
    }
}
