package io.jsupervise.os;

import io.jsupervise.lifecycle.Bearer;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.spec.Signal;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What the supervisor asks of the operating system, one method per system call or nearly so: the simulator can fail
 * or end the daemon between any two of them. All methods may be called from any thread unless said otherwise; none
 * retries anything but EINTR. Descriptors are close-on-exec.
 */
public interface Os {
    // ---- time and identity ----

    /** CLOCK_MONOTONIC. */
    MonotonicTime now();

    /** CLOCK_REALTIME; may step in either direction. */
    Instant wallClock();

    /** {@code /proc/sys/kernel/random/boot_id}: another one after each boot. */
    String bootId();

    /** The process that we are. */
    ProcessIdentity self();

    int uid();

    // ---- processes ----

    /**
     * Starts a process (posix_spawn(3)). Called by the spawner thread only, whose umask it changes; blocks as long
     * as exec does.
     */
    Child spawn(SpawnRequest request) throws SpawnException;

    /**
     * Looks whether {@link #spawn} would find a program for this that its user may execute, and executes nothing. By the time
     * of a spawn it may be otherwise. On the thread that spawns.
     *
     * @throws SpawnException with the path and why
     */
    void checkProgram(SpawnRequest request) throws SpawnException;

    /**
     * The process of this identity, to be watched though it is not our child; empty once it has been reaped. It may have
     * ended: {@link #hasEnded}.
     */
    Optional<Child> find(ProcessIdentity identity) throws OsException;

    /**
     * All living processes that bear a mark of ours (environ in proc(5), or an output that is a FIFO below
     * {@code fifos}), as far as we may read those; in order of their numbers. Reads all of /proc.
     */
    List<Bearer> bearers(Path fifos) throws OsException;

    /** The mark that one process bears, as {@link #bearers} has it; empty where it bears none, or has ended. */
    Optional<Bearer> bearer(Pid pid, Path fifos) throws OsException;

    /** All processes, zombies included, as far as we may see them. Reads all of /proc, so not for every death. */
    List<ProcessStat> processes() throws OsException;

    /** One process; empty where there is none of that number. */
    Optional<ProcessStat> process(Pid pid);

    // ---- orphans ----

    /** From now on whatever loses its parent below us becomes our child (PR_SET_CHILD_SUBREAPER, kernel 3.4). */
    void becomeParentOfOrphans() throws OsException;

    /**
     * Our children that we did not spawn, zombies included. Takes a time that depends on their number alone where the
     * kernel lists children (CONFIG_PROC_CHILDREN); otherwise reads all of /proc.
     */
    List<Pid> orphans() throws OsException;

    /**
     * Removes an orphan from the process table if it has ended; false where it lives. Until then its number is its own;
     * whoever signals orphans therefore has to be the one thread that reaps them.
     */
    boolean reapOrphan(Pid orphan);

    /** Signals one of {@link #orphans}, which has not been reaped since. */
    void signalOrphan(Pid orphan, Signal signal) throws OsException;

    /** Whether {@code child} has ended, reaped or not. */
    boolean hasEnded(Child child) throws OsException;

    /**
     * How {@code child} ended, without reaping it (WNOWAIT); empty while it runs. How a process ended that is not ours
     * may be told to nobody but its parent until it is reaped: empty until then too ({@link Poller#awaitReap} reports
     * it). {@link ExitStatus.Unknown} where this kernel will never tell us.
     */
    Optional<ExitStatus> peekExit(Child child) throws OsException;

    /**
     * The name that the kernel has for what {@code child} executes (comm in proc(5)): the last part of the path, 15 bytes at
     * the most. Also of one that has ended; empty once it has been reaped.
     */
    Optional<String> programName(Child child) throws OsException;

    /** Removes an ended child of ours from the process table. Its pidfd stays usable for {@link #signalGroup}. */
    void reap(Child child) throws OsException;

    /** Closes the pidfd. */
    void release(Child child);

    /** pidfd_send_signal(2). False where the process has ended. */
    boolean signal(Child child, Signal signal) throws OsException;

    /**
     * Signals the process group that {@code child} leads, through the pidfd where the kernel can (6.9,
     * PIDFD_SIGNAL_PROCESS_GROUP), otherwise by kill(2) as long as {@code child} has not been reaped: after that the number
     * may be that of another group, and nothing is signalled. False where no member is left; an unreaped leader counts.
     */
    boolean signalGroup(Child child, Signal signal) throws OsException;

    /** Whether the group of {@code child} still has a member (signal 0); ask after {@link #reap}. */
    boolean groupExists(Child child) throws OsException;

    /**
     * The process groups, by the pid of their first leader, that have a living member: zombies do not count, whose
     * parent may take its time. Reads all of /proc, so not for every death.
     */
    Set<Integer> livingGroups() throws OsException;

    // ---- waiting ----

    Poller poller() throws OsException;

    // ---- files ----

    /** @param mode permission bits for a file that is made, before the umask */
    Fd open(Path path, OpenMode openMode, int mode) throws OsException;

    void close(Fd fd);

    /** read(2): bytes read, 0 at the end of a file; EAGAIN is thrown like any other error. */
    int read(Fd fd, byte[] buffer, int offset, int length) throws OsException;

    /** write(2): bytes written, maybe fewer than asked. */
    int write(Fd fd, byte[] buffer, int offset, int length) throws OsException;

    /** pread(2): like {@link #read}, from {@code position}, wherever the descriptor stands. */
    int readAt(Fd fd, long position, byte[] buffer, int offset, int length) throws OsException;

    /** pwrite(2): like {@link #write}, at {@code position}; for files opened without O_APPEND. */
    int writeAt(Fd fd, long position, byte[] buffer, int offset, int length) throws OsException;

    void fsync(Fd fd) throws OsException;

    /**
     * fdatasync(2): the content of a file, and of what is known about it only what reading takes. Where a file was written
     * over that had its size and its place before, file systems with a journal need not write that.
     */
    void fdatasync(Fd fd) throws OsException;

    /**
     * Begins to write a file's content to the disk and does not wait for it (sync_file_range(2)). Promises nothing; where
     * it is called for many files before the first fsync, that one takes the others along.
     */
    void beginSync(Fd fd) throws OsException;

    void truncate(Fd fd, long size) throws OsException;

    /** Tries to get the exclusive lock of an open file (flock(2)); false where another has it. Kept until closed. */
    boolean lock(Fd fd) throws OsException;

    FileStat stat(Fd fd) throws OsException;

    /** Follows symbolic links; empty where there is no such file (ENOENT, ENOTDIR). */
    Optional<FileStat> stat(Path path) throws OsException;

    /**
     * What a symbolic link says (readlink(2)), as it stands: in {@code /proc/PID/fd} with {@code " (deleted)"} behind the
     * path of a file that has been removed. Empty where there is no file or it is no link.
     */
    Optional<String> readLink(Path path) throws OsException;

    void rename(Path from, Path to) throws OsException;

    /**
     * Two files of one directory change names, in one step (renameat2(2), RENAME_EXCHANGE). ENOENT where one is missing,
     * EINVAL where the file system cannot.
     */
    void exchange(Path one, Path other) throws OsException;

    /** Removes a file; nothing happens where there is none. */
    void unlink(Path path) throws OsException;

    /** Removes an empty directory; nothing happens where there is none. EBUSY for a control group in which something lives. */
    void rmdir(Path path) throws OsException;

    /** Makes one directory; an existing directory is fine. The mode is exact, whatever the umask. */
    void mkdir(Path path, int mode) throws OsException;

    void chmod(Path path, int mode) throws OsException;

    /** Gives a file to a group by name; ENOENT where there is no such group. */
    void chgrp(Path path, String group) throws OsException;

    /** Gives a file to a user and a group; of a symbolic link, the link itself. */
    void chown(Path path, int uid, int gid) throws OsException;

    /** Sets mtime (and atime), to full seconds. */
    void setModified(Path path, Instant time) throws OsException;

    /** Names in a directory, sorted, without {@code .} and {@code ..}. */
    List<String> list(Path directory) throws OsException;

    /** Sets mtime to now, making an empty file (0644) where there is none. */
    void touch(Path path) throws OsException;

    // ---- pipes ----

    /** Makes a FIFO; an existing one is fine (EEXIST is thrown where it is something else). */
    void mkfifo(Path path, int mode) throws OsException;

    /** A pipe of our own, both ends non-blocking: [read end, write end]. */
    Fd[] pipe() throws OsException;

    /**
     * A pipe for what a child says: [our read end, non-blocking; the write end for the child, which has to wait when the pipe
     * is full].
     */
    Fd[] outputPipe() throws OsException;

    /** F_SETPIPE_SZ; the size it really has afterwards (a refusal leaves it as it is and is no error). */
    int setPipeSize(Fd pipe, int bytes);

    /** FIONREAD: bytes in a pipe. */
    int available(Fd pipe) throws OsException;

    /**
     * splice(2) with SPLICE_F_NONBLOCK from a pipe into a file at {@code offset}: bytes moved. What was not written is
     * not consumed. 0 where the pipe is empty (EAGAIN).
     */
    long splice(Fd pipe, Fd file, long offset, long max) throws OsException;

    /** tee(2): copies up to {@code max} bytes into another pipe without consuming them. 0 where nothing can be. */
    long tee(Fd from, Fd to, long max) throws OsException;

    // ---- descriptors that are sent ----

    /**
     * Two connected sockets that keep messages apart (AF_UNIX, SOCK_SEQPACKET), with as large a queue as we may have and
     * non-blocking: what is sent into the first waits in the second. It waits for as long as the second is open anywhere,
     * in whatever process.
     */
    Fd[] socketPair() throws OsException;

    /**
     * Sends a message and with it descriptors (SCM_RIGHTS), 253 at the most: what they refer to stays open while the
     * message waits, also once we have closed it. EAGAIN where the queue is full, ETOOMANYREFS where a user without
     * privileges has as many on their way as RLIMIT_NOFILE allows.
     */
    void send(Fd socket, Parcel message) throws OsException;

    /**
     * A copy of the message that has waited longest in the second socket of a pair, with descriptors of our own for what
     * came with it; it goes on waiting. Fewer descriptors than were sent where we may not have more open.
     */
    Optional<Parcel> peek(Fd socket) throws OsException;

    /** Removes the message that has waited longest, and what came with it; false where none waits. */
    boolean discard(Fd socket) throws OsException;

    /**
     * A descriptor of our own for what {@code number} is in {@code process} (pidfd_getfd(2), kernel 5.6). EPERM without
     * the right to trace it, EBADF where it has none of that number.
     */
    Fd takeFd(Child process, int number) throws OsException;

    /**
     * The living processes that run {@code program}, by its name without a path, and were started with that value of a
     * variable, as far as we may read it. Reads all of /proc.
     */
    List<ProcessIdentity> started(String program, String variable, String value) throws OsException;

    // ---- watchdogs ----

    /**
     * One request to a hardware watchdog that was opened as {@link OpenMode#DEVICE}, which armed it. ENOTTY where the file
     * is none, ENOTSUP or EINVAL where its driver cannot do that.
     */
    int watchdog(Fd device, WatchdogCall call, int argument) throws OsException;

    /** What the driver of a watchdog can do. */
    WatchdogSupport watchdogSupport(Fd device) throws OsException;

    /** What sysfs says of a watchdog, such as {@code nowayout}; empty where it says nothing (CONFIG_WATCHDOG_SYSFS). */
    Optional<String> watchdogAttribute(Fd device, String name) throws OsException;

    /**
     * Sends a message to a unix datagram socket, without waiting: EAGAIN where there is no room, ECONNREFUSED or ENOENT
     * where nobody listens.
     *
     * @param address a path, or an abstract name with {@code @} in front
     */
    void sendTo(String address, byte[] message) throws OsException;
    // ---- datagrams ----

    /**
     * A socket that takes datagrams (unix(7), SOCK_DGRAM) and is told who sends them (SO_PASSCRED), bound to {@code path},
     * where nothing may be yet: EADDRINUSE otherwise. Non-blocking. Its mode is what our umask leaves of 0777, until
     * {@link #chmod}.
     */
    Fd bindDatagrams(Path path) throws OsException;

    /**
     * The message that has waited longest; empty where none waits. More than {@code most} bytes of it are cut off. What came
     * with it is ours to close.
     */
    Optional<Datagram> receive(Fd socket, int most) throws OsException;

    // ---- control ----

    /**
     * Listens on a unix socket that nobody else can have connected to before its mode is right: 0600, or 0660 and
     * {@code group}. An existing dead socket there is replaced. EADDRINUSE where a living process listens, EEXIST where
     * something else than a socket is.
     */
    Listener listen(Path socket, Optional<String> group) throws OsException;

    /** Whether {@code pid} names a living process; for messages only, never to decide by. */
    boolean isAlive(Pid pid);
}
