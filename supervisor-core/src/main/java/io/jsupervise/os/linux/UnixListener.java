package io.jsupervise.os.linux;

import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Pid;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.Listener;
import io.jsupervise.os.OsException;
import io.jsupervise.os.Peer;
import java.io.File;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.LongConsumer;
import jnr.unixsocket.Credentials;
import jnr.unixsocket.UnixServerSocketChannel;
import jnr.unixsocket.UnixSocketAddress;
import jnr.unixsocket.UnixSocketChannel;
import jnr.unixsocket.UnixSocketOptions;

/**
 * The control socket, by jnr-unixsocket, which tells who connects. It is bound under another name, given its mode and
 * group there, and renamed into place: nobody can connect before the mode is right, and a dead socket that lies there
 * is replaced at one instant.
 */
final class UnixListener implements Listener {
    /** The size of sun_path in unix(7), less the final zero. */
    private static final int LONGEST_PATH = 107;

    private static final String NEW = ".new";
    private static final int F_SETFD = 2;
    private static final int FD_CLOEXEC = 1;

    private final Kernel kernel;
    private final UnixServerSocketChannel channel;
    private final Epoll epoll;
    private final LongConsumer noteWaiting = token -> waiting = true;
    private boolean waiting;
    private volatile boolean closed;

    private UnixListener(Kernel kernel, UnixServerSocketChannel channel) throws IOException {
        this.kernel = kernel;
        this.channel = channel;
        this.epoll = new Epoll(kernel);
        channel.configureBlocking(false);
        setCloseOnExec(kernel, channel.getFD());
        epoll.add(new Fd(channel.getFD()), 0);
    }

    static UnixListener listen(Kernel kernel, LinuxFiles files, Path socket, Optional<String> group)
            throws OsException {
        Path fresh = socket.resolveSibling(socket.getFileName() + NEW);
        if (fresh.toString().getBytes(StandardCharsets.UTF_8).length > LONGEST_PATH) {
            int most = LONGEST_PATH - NEW.length();
            throw new OsException(
                    Errno.ENAMETOOLONG, "listen on " + socket + ", a socket's path may have " + most + " bytes");
        }
        Optional<FileStat> there = files.stat(socket);
        if (there.isPresent() && there.get().kind() != FileStat.Kind.SOCKET) {
            // Somebody's file: a mistyped path must not cost it.
            throw new OsException(
                    Errno.EEXIST,
                    "listen on " + socket + ", which is " + there.get().kind().words());
        }
        if (isAlive(socket.toFile())) {
            throw new OsException(Errno.EADDRINUSE, "listen on " + socket + ", where a living process listens");
        }
        files.unlink(fresh);
        try {
            UnixServerSocketChannel channel = UnixServerSocketChannel.open();
            // With our umask of 022 only we can connect to it under this name.
            channel.socket().bind(new UnixSocketAddress(fresh.toFile()));
            if (group.isPresent()) {
                files.chgrp(fresh, Groups.gid(group.get()));
            }
            files.chmod(fresh, group.isPresent() ? 0660 : 0600);
            files.rename(fresh, socket);
            return new UnixListener(kernel, channel);
        } catch (OsException e) {
            throw e;
        } catch (IOException e) {
            throw new OsException(Errno.EIO, "listen on " + socket + ": " + e.getMessage());
        }
    }

    static void load() {
        try {
            UnixServerSocketChannel.open().close();
        } catch (IOException | LinkageError e) {
            // It will be told where somebody wants to listen.
        }
    }

    private static boolean isAlive(File socket) {
        if (!socket.exists()) {
            return false;
        }
        try (UnixSocketChannel probe = UnixSocketChannel.open(new UnixSocketAddress(socket))) {
            return probe.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    private static void setCloseOnExec(Kernel kernel, int fd) {
        kernel.call(Syscall.FCNTL, fd, F_SETFD, FD_CLOEXEC);
    }

    @Override
    public Optional<Connection> accept(MonotonicTime until) throws IOException {
        waiting = false;
        if (!closed) {
            epoll.poll(Optional.of(until), noteWaiting);
        }
        if (closed) {
            channel.close();
            epoll.close();
            throw new ClosedChannelException();
        }
        // accept(2) with nobody there makes jnr-enxio throw and catch an exception.
        UnixSocketChannel accepted = waiting ? channel.accept() : null;
        if (accepted == null) {
            return Optional.empty();
        }
        setCloseOnExec(kernel, accepted.getFD());
        accepted.configureBlocking(false);
        Credentials peer = accepted.getOption(UnixSocketOptions.SO_PEERCRED);
        Optional<Pid> pid = peer.getPid() > 0 ? Optional.of(new Pid(peer.getPid())) : Optional.empty();
        return Optional.of(
                new Connection(new UnixConnection(kernel, accepted), new Peer(pid, peer.getUid(), peer.getGid())));
    }

    /** The thread that accepts ends it; what it waits on is closed by itself, so that no number is used twice. */
    @Override
    public void close() {
        closed = true;
        epoll.wakeup();
    }
}
