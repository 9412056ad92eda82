package io.jsupervise.os.linux;

import io.jsupervise.lifecycle.Bearer;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.os.Child;
import io.jsupervise.os.Datagram;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.Listener;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.Parcel;
import io.jsupervise.os.Poller;
import io.jsupervise.os.ProcessStat;
import io.jsupervise.os.Signals;
import io.jsupervise.os.SpawnException;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.os.WatchdogCall;
import io.jsupervise.os.WatchdogSupport;
import io.jsupervise.spec.Signal;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Linux 5.4 or later with glibc 2.34 or later. Making one sets the umask of the process to 022, so that modes are what
 * the code says; the thread that spawns has an umask of its own.
 */
public final class LinuxOs implements Os {
    private final Kernel kernel = new Kernel();
    private final LinuxFiles files = new LinuxFiles(kernel);
    private final Proc proc = new Proc(files);
    private final PidFd pidFd = new PidFd(kernel, proc);
    private final Orphans orphans = new Orphans(kernel, files, proc);
    private final Parcels parcels = new Parcels(kernel);
    private final Datagrams datagrams = new Datagrams(kernel);
    private final ProgramPath programPath = new ProgramPath(files);
    private final int uid;
    private WatchdogIoctl watchdogs;
    private PosixSpawn posixSpawn;
    private PrivilegedSpawn privilegedSpawn;

    public LinuxOs() {
        kernel.call(Syscall.UMASK, 022, 0, 0);
        uid = (int) kernel.call(Syscall.GETEUID, 0, 0, 0);
    }

    /**
     * Loads what {@link #listen} needs, which takes as long as all else of a start: by any thread, before there is
     * anything to listen to. What fails here fails there again.
     */
    public void prepareToListen() {
        UnixListener.load();
    }

    /** Users and groups. A new one each time; it takes some milliseconds to make. */
    public Accounts accounts() {
        return new Accounts(kernel);
    }

    /** What we may do ourselves. */
    public Rights rights() {
        return new Rights(kernel, proc);
    }

    /** The path of one of {@link io.jsupervise.spec.Privileges#loaders} on this machine. */
    public Optional<Path> loader(String name) {
        return new LoaderPath(files, System.getenv()).find(name);
    }

    /** Signals to this process. */
    public Signals signals() {
        return new JvmSignals(kernel);
    }

    /** System.nanoTime is CLOCK_MONOTONIC in HotSpot on Linux (os::javaTimeNanos); a test compares them. */
    @Override
    public MonotonicTime now() {
        return new MonotonicTime(System.nanoTime());
    }

    @Override
    public Instant wallClock() {
        return Instant.now();
    }

    @Override
    public String bootId() {
        try {
            return proc.line("/proc/sys/kernel/random/boot_id");
        } catch (OsException e) {
            throw new IllegalStateException("cannot tell this boot from others, /proc must be mounted: " + e, e);
        }
    }

    @Override
    public ProcessIdentity self() {
        Pid pid = new Pid((int) kernel.call(Syscall.GETPID, 0, 0, 0));
        return new ProcessIdentity(
                pid,
                proc.self()
                        .orElseThrow(() -> new IllegalStateException("cannot read /proc/self/stat"))
                        .startTime());
    }

    @Override
    public int uid() {
        return uid;
    }

    @Override
    public void checkProgram(SpawnRequest request) throws SpawnException {
        privilegedSpawn().check(request);
    }

    @Override
    public Child spawn(SpawnRequest request) throws SpawnException {
        if (posixSpawn == null) {
            posixSpawn = new PosixSpawn(kernel);
        }
        if (request.isLoaded() || privilegedSpawn != null) {
            return privilegedSpawn().spawn(request);
        }
        return spawn(request, posixSpawn::spawn);
    }

    /** Made when a service asks for privileges or has hooks. */
    private PrivilegedSpawn privilegedSpawn() {
        if (posixSpawn == null) {
            posixSpawn = new PosixSpawn(kernel);
        }
        if (privilegedSpawn == null) {
            privilegedSpawn = new PrivilegedSpawn(kernel, files, rights(), posixSpawn, this::spawn);
        }
        return privilegedSpawn;
    }

    private Child spawn(SpawnRequest request, PrivilegedSpawn.Call call) throws SpawnException {
        Path program = programPath.of(request);
        Pid pid;
        orphans.willSpawn();
        try {
            pid = call.spawn(program, request);
            orphans.hasSpawned(Optional.of(pid));
        } catch (SpawnException e) {
            orphans.hasSpawned(Optional.empty());
            throw new SpawnRefusal(files, program, request).explain(e);
        }
        try {
            Fd fd = pidFd.open(pid);
            // Not reaped yet, so it is there even if it has ended by now.
            Optional<Proc.Stat> stat = proc.stat(pid);
            if (stat.isPresent()) {
                return new Child(new ProcessIdentity(pid, stat.get().startTime()), fd, true);
            }
            files.close(fd);
            throw new OsException(Errno.EMFILE, "read /proc/" + pid + "/stat");
        } catch (OsException e) {
            pidFd.destroy(pid);
            orphans.reaped(pid);
            throw new SpawnException(e.errno(), "cannot watch pid " + pid + " of " + program + ", ended it");
        }
    }

    @Override
    public Optional<Child> find(ProcessIdentity identity) throws OsException {
        Fd fd;
        try {
            fd = pidFd.open(identity.pid());
        } catch (OsException e) {
            if (e.errno() == Errno.ESRCH || e.errno() == Errno.EINVAL) {
                return Optional.empty();
            }
            throw e;
        }
        // Looked at after the pidfd was opened: if it is the right process now, the pidfd is that of the right one.
        Optional<Proc.Stat> stat = proc.stat(identity.pid());
        if (stat.isEmpty() || stat.get().startTime() != identity.startTime()) {
            files.close(fd);
            return Optional.empty();
        }
        return Optional.of(new Child(identity, fd, false));
    }

    @Override
    public boolean hasEnded(Child child) throws OsException {
        return pidFd.hasEnded(child);
    }

    @Override
    public List<Bearer> bearers(Path fifos) throws OsException {
        return new Marks(proc, files, fifos).bearers();
    }

    @Override
    public Optional<Bearer> bearer(Pid pid, Path fifos) throws OsException {
        return new Marks(proc, files, fifos).bearer(pid);
    }

    @Override
    public List<ProcessStat> processes() throws OsException {
        return proc.processes();
    }

    @Override
    public Optional<ProcessStat> process(Pid pid) {
        return proc.look(pid);
    }

    @Override
    public void becomeParentOfOrphans() throws OsException {
        orphans.becomeParent();
    }

    @Override
    public List<Pid> orphans() throws OsException {
        return orphans.list();
    }

    @Override
    public boolean reapOrphan(Pid orphan) {
        return orphans.reap(orphan);
    }

    @Override
    public void signalOrphan(Pid orphan, Signal signal) throws OsException {
        orphans.signal(orphan, signal);
    }

    @Override
    public Optional<ExitStatus> peekExit(Child child) throws OsException {
        return pidFd.peekExit(child);
    }

    @Override
    public Optional<String> programName(Child child) {
        return proc.programName(child.identity());
    }

    @Override
    public void reap(Child child) throws OsException {
        // First: once it is reaped, its number may be that of the next one that is spawned.
        orphans.reaped(child.pid());
        pidFd.reap(child);
    }

    @Override
    public void release(Child child) {
        files.close(child.pidfd());
    }

    @Override
    public boolean signal(Child child, Signal signal) throws OsException {
        return pidFd.signal(child, signal);
    }

    @Override
    public boolean signalGroup(Child child, Signal signal) throws OsException {
        return pidFd.signalGroup(child, signal);
    }

    @Override
    public boolean groupExists(Child child) throws OsException {
        return pidFd.groupExists(child);
    }

    @Override
    public Set<Integer> livingGroups() throws OsException {
        return proc.livingGroups();
    }

    @Override
    public Poller poller() throws OsException {
        return new Epoll(kernel);
    }

    @Override
    public Fd open(Path path, OpenMode openMode, int mode) throws OsException {
        return files.open(path, openMode, mode);
    }

    @Override
    public void close(Fd fd) {
        files.close(fd);
    }

    @Override
    public int read(Fd fd, byte[] buffer, int offset, int length) throws OsException {
        return files.read(fd, buffer, offset, length);
    }

    @Override
    public int write(Fd fd, byte[] buffer, int offset, int length) throws OsException {
        return files.write(fd, buffer, offset, length);
    }

    @Override
    public int readAt(Fd fd, long position, byte[] buffer, int offset, int length) throws OsException {
        return files.readAt(fd, position, buffer, offset, length);
    }

    @Override
    public int writeAt(Fd fd, long position, byte[] buffer, int offset, int length) throws OsException {
        return files.writeAt(fd, position, buffer, offset, length);
    }

    @Override
    public void fsync(Fd fd) throws OsException {
        files.fsync(fd);
    }

    @Override
    public void fdatasync(Fd fd) throws OsException {
        files.fdatasync(fd);
    }

    @Override
    public void beginSync(Fd fd) {
        files.beginSync(fd);
    }

    @Override
    public void truncate(Fd fd, long size) throws OsException {
        files.truncate(fd, size);
    }

    @Override
    public boolean lock(Fd fd) throws OsException {
        return files.lock(fd);
    }

    @Override
    public FileStat stat(Fd fd) throws OsException {
        return files.stat(fd);
    }

    @Override
    public Optional<FileStat> stat(Path path) throws OsException {
        return files.stat(path);
    }

    @Override
    public Optional<String> readLink(Path path) throws OsException {
        return files.readLink(path);
    }

    @Override
    public void exchange(Path one, Path other) throws OsException {
        files.exchange(one, other);
    }

    @Override
    public void rename(Path from, Path to) throws OsException {
        files.rename(from, to);
    }

    @Override
    public void unlink(Path path) throws OsException {
        files.unlink(path);
    }

    @Override
    public void rmdir(Path path) throws OsException {
        files.rmdir(path);
    }

    @Override
    public void mkdir(Path path, int mode) throws OsException {
        files.mkdir(path, mode);
    }

    @Override
    public void chmod(Path path, int mode) throws OsException {
        files.chmod(path, mode);
    }

    @Override
    public void chgrp(Path path, String group) throws OsException {
        files.chgrp(path, Groups.gid(group));
    }

    @Override
    public void chown(Path path, int newUid, int newGid) throws OsException {
        files.chown(path, newUid, newGid);
    }

    @Override
    public void setModified(Path path, Instant time) throws OsException {
        files.setModified(path, time);
    }

    @Override
    public List<String> list(Path directory) throws OsException {
        return files.list(directory);
    }

    @Override
    public void touch(Path path) throws OsException {
        files.touch(path);
    }

    @Override
    public void mkfifo(Path path, int mode) throws OsException {
        files.mkfifo(path, mode);
    }

    @Override
    public Fd[] pipe() throws OsException {
        return files.pipe();
    }

    @Override
    public Fd[] outputPipe() throws OsException {
        return files.outputPipe();
    }

    @Override
    public int setPipeSize(Fd pipe, int bytes) {
        return files.setPipeSize(pipe, bytes);
    }

    @Override
    public int available(Fd pipe) throws OsException {
        return files.available(pipe);
    }

    @Override
    public long splice(Fd pipe, Fd file, long offset, long max) throws OsException {
        return files.splice(pipe, file, offset, max);
    }

    @Override
    public long tee(Fd from, Fd to, long max) throws OsException {
        return files.tee(from, to, max);
    }

    @Override
    public Fd[] socketPair() throws OsException {
        return parcels.socketPair();
    }

    @Override
    public void send(Fd socket, Parcel message) throws OsException {
        parcels.send(socket, message);
    }

    @Override
    public Optional<Parcel> peek(Fd socket) throws OsException {
        return parcels.peek(socket);
    }

    @Override
    public boolean discard(Fd socket) throws OsException {
        return parcels.discard(socket);
    }

    @Override
    public Fd bindDatagrams(Path path) throws OsException {
        return new Datagrams(kernel).bind(path);
    }

    @Override
    public Optional<Datagram> receive(Fd socket, int most) throws OsException {
        return new Datagrams(kernel).receive(socket, most);
    }

    @Override
    public Fd takeFd(Child process, int number) throws OsException {
        return pidFd.takeFd(process, number);
    }

    @Override
    public List<ProcessIdentity> started(String program, String variable, String value) throws OsException {
        return new Marks(proc, files, Path.of("/")).started(program, variable, value);
    }

    @Override
    public int watchdog(Fd device, WatchdogCall call, int argument) throws OsException {
        return watchdogs().call(device, call, argument);
    }

    @Override
    public WatchdogSupport watchdogSupport(Fd device) throws OsException {
        return watchdogs().support(device);
    }

    @Override
    public Optional<String> watchdogAttribute(Fd device, String name) throws OsException {
        return watchdogs().attribute(device, name);
    }

    /** Stateless, so it does no harm if two threads make one each. */
    private WatchdogIoctl watchdogs() {
        if (watchdogs == null) {
            watchdogs = new WatchdogIoctl(kernel, files);
        }
        return watchdogs;
    }

    @Override
    public void sendTo(String address, byte[] message) throws OsException {
        datagrams.send(address, message);
    }

    @Override
    public Listener listen(Path socket, Optional<String> group) throws OsException {
        return UnixListener.listen(kernel, files, socket, group);
    }

    @Override
    public boolean isAlive(Pid pid) {
        return kernel.call(Syscall.KILL, pid.value(), 0, 0) != -Errno.ESRCH.number();
    }
}
