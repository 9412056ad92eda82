package io.jsupervise.daemon;

import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.spec.SupervisorSpec;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * The two directories of a supervisor, made and checked before anything else happens. Whoever holds the lock of the
 * state directory is the only supervisor of it; the lock is let go by the kernel however its holder ends, and the file
 * also carries the identity of the directory, which every child is marked with.
 */
final class Directories {
    private static final int OTHERS_MAY_WRITE = 0022;

    private final Os os;
    private final SupervisorSpec spec;

    Directories(Os os, SupervisorSpec spec) {
        this.os = os;
        this.spec = spec;
    }

    /** Makes what is missing, with parents. What is made for the state directory survives a power cut from then on. */
    void prepare() throws DaemonException {
        make(spec.stateDir(), 0755, true);
        check("state_dir", spec.stateDir());
        make(spec.stateDir().resolve("journal"), 0700, true);
        make(spec.stateDir().resolve("logs"), 0755, true);
        make(spec.stateDir().resolve("fifo"), 0755, true);
        prepareRuntime();
    }

    /** The one that may vanish while a supervisor runs. */
    void prepareRuntime() throws DaemonException {
        make(spec.runtimeDir(), 0700, false);
        check("runtime_dir", spec.runtimeDir());
        openToSocketGroup();
        make(heartbeats(spec), 0755, false);
    }

    /** Where services beat that name no file of their own. */
    static Path heartbeats(SupervisorSpec spec) {
        return spec.runtimeDir().resolve("heartbeats");
    }

    /** Its members have to reach the socket. A directory that somebody has given another mode is left as it is. */
    private void openToSocketGroup() throws DaemonException {
        if (spec.socketGroup().isPresent()) {
            String group = spec.socketGroup().get();
            try {
                Optional<FileStat> stat = os.stat(spec.runtimeDir());
                if (stat.isEmpty() || (stat.get().mode() & 07777) != 0700) {
                    return;
                }
                os.chgrp(spec.runtimeDir(), group);
                os.chmod(spec.runtimeDir(), 0750);
            } catch (OsException e) {
                if (e.errno() == Errno.ENOENT) {
                    throw new DaemonException(
                            DaemonException.CONFIG,
                            "cannot give runtime_dir " + spec.runtimeDir() + " to socket_group " + group
                                    + ": there is no such group; make it with groupadd, or name another");
                }
                throw failure("cannot give runtime_dir " + spec.runtimeDir() + " to socket_group " + group, e);
            }
        }
    }

    private void make(Path directory, int mode, boolean durably) throws DaemonException {
        try {
            if (os.stat(directory).isPresent()) {
                return;
            }
            Path parent = directory.getParent();
            if (parent != null) {
                make(parent, 0755, durably);
            }
            os.mkdir(directory, mode);
            if (durably && parent != null) {
                sync(parent);
            }
        } catch (OsException e) {
            throw failure("cannot make directory " + directory, e);
        }
    }

    /**
     * A new directory lasts once the one that names it is synced (fsync(2)). One that we may write to but not read cannot be
     * opened for that; this is no reason to refuse it.
     */
    private void sync(Path directory) throws OsException {
        Fd fd;
        try {
            fd = os.open(directory, OpenMode.DIRECTORY, 0);
        } catch (OsException e) {
            if (e.errno() == Errno.EACCES) {
                return;
            }
            throw e;
        }
        try {
            os.fsync(fd);
        } finally {
            os.close(fd);
        }
    }

    /** Nobody else may be able to put files there: a child's log or the socket could be swapped. */
    private void check(String key, Path directory) throws DaemonException {
        FileStat stat;
        try {
            stat = os.stat(directory)
                    .orElseThrow(() -> new DaemonException(
                            DaemonException.IO, "cannot use " + key + " " + directory + ": it has just been removed"));
        } catch (OsException e) {
            throw failure("cannot use " + key + " " + directory, e);
        }
        String what = "cannot use " + key + " " + directory + ": ";
        if (stat.kind() != FileStat.Kind.DIRECTORY) {
            throw new DaemonException(
                    DaemonException.IO, what + "it is " + stat.kind().words() + "; remove it or name another");
        }
        if (stat.uid() != os.uid()) {
            throw new DaemonException(
                    DaemonException.NOT_PERMITTED,
                    what + "it belongs to uid " + stat.uid() + ", not to " + os.uid() + "; chown it or name another");
        }
        if ((stat.mode() & OTHERS_MAY_WRITE) != 0) {
            throw new DaemonException(
                    DaemonException.NOT_PERMITTED,
                    what + "others may write there (mode " + Integer.toOctalString(stat.mode() & 07777)
                            + "); chmod go-w it");
        }
    }

    /**
     * A state directory.
     *
     * @param id       its identity, 8 hexadecimal digits
     * @param firstUse whether it was given that just now
     */
    record State(String id, boolean firstUse) {}

    /**
     * Locks the state directory for as long as this process lives.
     *
     * @return what it is known by
     */
    State lock(RandomGenerator random) throws DaemonException {
        Path file = spec.stateDir().resolve("lock");
        try {
            Fd fd = os.open(file, OpenMode.WRITE, 0600);
            if (!os.lock(fd)) {
                throw new DaemonException(
                        DaemonException.ALREADY_RUNNING,
                        "cannot supervise: another supervisor holds " + file
                                + "; stop that one, or name another state_dir");
            }
            Optional<String> known = read(file);
            if (known.isPresent()) {
                return new State(known.get(), false);
            }
            // Before the identity: who finds one knows that all beside it lasts, also after a kill in between.
            for (Path above = spec.stateDir(); above != null; above = above.getParent()) {
                sync(above);
            }
            String id = Integer.toHexString(random.nextInt() | 0x80000000);
            byte[] line = (id + "\n").getBytes(StandardCharsets.US_ASCII);
            os.truncate(fd, 0);
            if (os.write(fd, line, 0, line.length) != line.length) {
                throw new OsException(Errno.ENOSPC, "write " + file);
            }
            os.fsync(fd);
            return new State(id, true);
        } catch (OsException e) {
            throw failure("cannot lock " + file, e);
        }
    }

    private Optional<String> read(Path file) throws OsException {
        Fd fd = os.open(file, OpenMode.READ, 0);
        try {
            byte[] buffer = new byte[9];
            int length = os.read(fd, buffer, 0, buffer.length);
            String text = new String(buffer, 0, Math.max(0, length), StandardCharsets.US_ASCII);
            return length == 9 && text.charAt(8) == '\n' ? Optional.of(text.substring(0, 8)) : Optional.empty();
        } finally {
            os.close(fd);
        }
    }

    static DaemonException failure(String what, OsException e) {
        boolean permission = e.errno() == Errno.EACCES || e.errno() == Errno.EPERM;
        return new DaemonException(
                permission ? DaemonException.NOT_PERMITTED : DaemonException.IO, what + ": " + e.getMessage());
    }
}
