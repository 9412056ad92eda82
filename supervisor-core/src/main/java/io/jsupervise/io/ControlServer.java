package io.jsupervise.io;

import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.os.Errno;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.Listener;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.SupervisorSpec;
import io.jsupervise.supervision.Answer;
import io.jsupervise.supervision.Ask;
import io.jsupervise.supervision.Asker;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.function.BiConsumer;
import java.util.function.ToLongFunction;

/**
 * Whoever wants something of a running supervisor connects here. One thread accepts ({@link #run}), and each connection
 * has a thread of its own while it lasts, so one that follows a stream, or stalls, holds up nobody; their number is
 * bounded. All that they can do to supervision is to put a question into the loop's inbox. The thread that accepts also
 * looks every few seconds whether the socket and what surrounds it are still there, and makes again what is not: a
 * supervisor that nobody can ask is as good as dead to its operator.
 */
public final class ControlServer implements Runnable {
    /** A further one is told to come again, and closed. */
    static final int MOST_CONNECTIONS = 64;

    private static final Duration LOOK_AGAIN = Duration.ofSeconds(5);
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
    private final Surroundings surroundings;
    private final Set<ControlConnection> connections = new HashSet<>();
    private Listener listener;
    private FileStat socketFile;
    private String obstacle = "";
    private volatile boolean closed;

    /** The supervisor, as far as a client can reach it. Any thread; the answer may take as long as what was asked. */
    public interface Core {
        Future<Answer> ask(Ask ask, Asker asker);
    }

    /**
     * What clients need beside the socket. Each method makes again what is missing, and adds its path to {@code
     * restored}; where something else is in the way it throws, and leaves that alone.
     */
    public interface Surroundings {
        /** Before the socket. */
        void restoreDirectories(List<String> restored) throws IOException;

        /** Once the socket is ours: the file that tells where we are. */
        void restoreWhereabouts(List<String> restored) throws IOException;
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
            NamedServices services,
            ToLongFunction<ServiceName> droppedBytes,
            BiConsumer<String, String> trouble,
            Executor clients,
            Surroundings surroundings)
            throws OsException {
        Routes routes = new Routes(core, services, spec.stateDir(), droppedBytes, os.uid());
        ControlServer server = new ControlServer(os, spec, routes, trouble, clients, surroundings);
        server.listen();
        return server;
    }

    private ControlServer(
            Os os,
            SupervisorSpec spec,
            Routes routes,
            BiConsumer<String, String> trouble,
            Executor clients,
            Surroundings surroundings) {
        this.os = os;
        this.spec = spec;
        this.routes = routes;
        this.trouble = trouble;
        this.clients = clients;
        this.surroundings = surroundings;
    }

    private void listen() throws OsException {
        listener = os.listen(spec.socket(), spec.socketGroup());
        socketFile =
                os.stat(spec.socket()).orElseThrow(() -> new OsException(Errno.ENOENT, "listen on " + spec.socket()));
    }

    /** Accepts until closed. */
    @Override
    public void run() {
        MonotonicTime look = os.now().plus(LOOK_AGAIN);
        while (!closed) {
            try {
                Optional<Listener.Connection> connection = listener.accept(look);
                if (connection.isPresent()) {
                    serve(connection.get());
                }
                if (!os.now().isBefore(look)) {
                    lookAround();
                    look = os.now().plus(LOOK_AGAIN);
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

    /** An obstacle is told of once, and looked at again each time: it may go away. */
    private synchronized void lookAround() {
        if (closed) {
            return;
        }
        List<String> restored = new ArrayList<>();
        String inTheWay = "";
        try {
            surroundings.restoreDirectories(restored);
            restoreSocket(restored);
            surroundings.restoreWhereabouts(restored);
        } catch (IOException e) {
            inTheWay = String.valueOf(e.getMessage());
        }
        if (!restored.isEmpty()) {
            trouble.accept("runtime-restored", String.join(", ", restored) + ": removed, and made again");
        }
        if (!inTheWay.isEmpty() && !inTheWay.equals(obstacle)) {
            trouble.accept("runtime-not-restored", inTheWay + "; looking again every " + LOOK_AGAIN.toSeconds() + " s");
        }
        obstacle = inTheWay;
    }

    /** The socket of a living process is never taken away from it, and a file of another kind is somebody's. */
    private void restoreSocket(List<String> restored) throws IOException {
        Optional<FileStat> there = os.stat(spec.socket());
        if (there.isEmpty() || !there.get().sameFile(socketFile)) {
            Listener removed = listener;
            // Where that fails, the old one stays, and at the next look it is tried again.
            listen();
            end(removed);
            restored.add(spec.socket().toString());
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
            Optional<FileStat> there = os.stat(spec.socket());
            if (there.isPresent() && there.get().sameFile(socketFile)) {
                os.unlink(spec.socket());
            }
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
