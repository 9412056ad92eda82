package io.jsupervise.io;

import io.jsupervise.control.NotifyCodec;
import io.jsupervise.lifecycle.Bearer;
import io.jsupervise.lifecycle.Effect;
import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.os.Child;
import io.jsupervise.os.Datagram;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.Poller;
import io.jsupervise.os.ProcessStat;
import io.jsupervise.spec.Credentials;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.SupervisorSpec;
import io.jsupervise.supervision.SupervisorEvent;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.BiConsumer;

/**
 * The sockets at which services say how they are (sd_notify(3)): one for each service that asks for it, at
 * {@code <runtime_dir>/notify/NAME}, which only its user may write to. A client opens its own socket anew for each
 * message, so whoever supervises next binds another one at the same path, and nobody has to be told.
 *
 * <p>A message counts when the kernel says that its sender is of the service's own tree: the main process, whatever is of
 * its session or descends from it, or bears the mark of the run. A shell script says its word by a child of it
 * (systemd-notify), so the main process alone would be too few; but nobody else, though it be of the same user, can keep a
 * hung service alive. A sender that is gone by the time is refused: nobody can tell any more whose it was.
 *
 * <p>While a service is being spawned its socket is not read: who sends can be judged when the number of the main
 * process is known. Somebody who sends too much is made to wait, in its own sendmsg(2): after {@value #MOST_AT_ONCE}
 * messages within a tenth of a second a socket rests for the rest of that. One thread turns; all else may be called from any thread.
 */
public final class NotifySockets {
    /** Of all services together; no file of a service has it, because names begin with a letter or a digit. */
    private static final String FRESH = ".new-";

    private static final int LONGEST_MESSAGE = 4096;
    private static final int MOST_AT_ONCE = 64;

    /** net.unix.max_dgram_qlen is 10, or 512 where systemd runs. */
    private static final int MOST_IN_QUEUE = 1024;

    private static final int MOST_ANCESTORS = 64;
    private static final Duration WINDOW = Duration.ofMillis(100);

    private final Os os;
    private final Path directory;
    private final Path fifos;
    private final Belongings belongings;
    private final BiConsumer<SupervisorEvent, Optional<Child>> results;
    private final Runnable begun;
    private final Map<ServiceName, Socket> sockets = new HashMap<>();
    private final Map<Long, Socket> byToken = new HashMap<>();

    /** Filled without a lock: the loop must not wait for somebody who makes a socket in a slow directory. */
    private final Queue<Effect.HearOut> toHearOut = new ConcurrentLinkedQueue<>();

    private volatile Optional<Poller> poller = Optional.empty();
    private long lastToken;

    /** Of one service. */
    private static final class Socket {
        final ServiceName service;
        final Path path;
        Optional<Credentials> owner;
        Fd fd;
        long inode;
        long token;
        Optional<RunId> run = Optional.empty();
        ProcessIdentity main;

        /** The one that was started; {@code main} may have been named since. */
        ProcessIdentity started;

        boolean polled;
        boolean complained;
        Optional<String> deaf = Optional.empty();
        Optional<MonotonicTime> restsUntil = Optional.empty();
        MonotonicTime windowEnd = MonotonicTime.BOOT;
        int inWindow;

        Socket(ServiceName service, Path path) {
            this.service = service;
            this.path = path;
        }
    }

    /**
     * @param results gets what is said, and what was refused, on the thread that turns; with a process that is to be the
     *                main process from then on
     * @param begun   is called once, when the first service has asked for a socket: somebody has to turn from then on
     */
    public NotifySockets(
            Os os,
            SupervisorSpec spec,
            Belongings belongings,
            BiConsumer<SupervisorEvent, Optional<Child>> results,
            Runnable begun) {
        this.os = os;
        this.directory = spec.runtimeDir().resolve("notify");
        this.fifos = spec.stateDir().resolve("fifo");
        this.belongings = belongings;
        this.results = results;
        this.begun = begun;
    }

    public static Path path(SupervisorSpec spec, ServiceName service) {
        return spec.runtimeDir().resolve("notify").resolve(service.value());
    }

    // ---- from birth to death ----

    /** Before a spawn: the socket is there, and nobody reads it until {@link #began}. The thread that spawns. */
    public synchronized Path expect(ServiceSpec service) throws OsException {
        Socket socket = of(service);
        rest(socket);
        socket.run = Optional.empty();
        socket.complained = false;
        socket.restsUntil = Optional.empty();
        if (!isThere(socket)) {
            make(socket);
        }
        // Whatever still waits was said of an earlier run.
        for (int i = 0; i < MOST_IN_QUEUE; i++) {
            Optional<Datagram> old = os.receive(socket.fd, 1);
            if (old.isEmpty()) {
                break;
            }
            old.get().descriptors().forEach(os::close);
        }
        return socket.path;
    }

    /** Its process is known: what it says counts. */
    public synchronized void began(ServiceName service, RunId run, ProcessIdentity main) throws OsException {
        Socket socket = sockets.get(service);
        if (socket == null || socket.fd == null) {
            return;
        }
        socket.run = Optional.of(run);
        socket.main = main;
        socket.started = main;
        listen(socket);
    }

    /** A process of an earlier supervisor goes on; that one's socket is dead. */
    public synchronized void adopt(ServiceSpec service, RunId run, ProcessIdentity main) throws OsException {
        Socket socket = of(service);
        make(socket);
        began(service.name(), run, main);
    }

    /** The service is gone for good. */
    public synchronized void forget(ServiceName service) throws OsException {
        Socket socket = sockets.remove(service);
        if (socket != null) {
            close(socket);
            os.unlink(socket.path);
        }
    }

    /** What vanished is made again; what was said meanwhile is lost, and nobody is judged by that. Names what was restored. */
    public synchronized List<Path> restore() throws OsException {
        List<Path> restored = new ArrayList<>();
        for (Socket socket : sockets.values()) {
            if ((socket.fd != null || socket.run.isPresent()) && !isThere(socket)) {
                remake(socket);
                restored.add(socket.path);
            }
        }
        return restored;
    }

    private void remake(Socket socket) throws OsException {
        make(socket);
        socket.deaf = Optional.of(socket.path + " was not there");
        if (socket.run.isPresent()) {
            listen(socket);
        }
    }

    private Socket of(ServiceSpec service) throws OsException {
        Socket socket = sockets.get(service.name());
        if (socket == null) {
            if (poller.isEmpty()) {
                poller = Optional.of(os.poller());
                begun.run();
            }
            socket = new Socket(service.name(), directory.resolve(service.name().value()));
            socket.owner = Optional.empty();
            sockets.put(service.name(), socket);
        }
        Optional<Credentials> owner = service.spawn().privileges().credentials();
        if (!owner.map(Credentials::uid).equals(socket.owner.map(Credentials::uid))) {
            // Made anew: what a former owner has open is not for the next one.
            close(socket);
        }
        socket.owner = owner;
        return socket;
    }

    private boolean isThere(Socket socket) throws OsException {
        if (socket.fd == null) {
            return false;
        }
        Optional<FileStat> there = os.stat(socket.path);
        return there.isPresent()
                && there.get().kind() == FileStat.Kind.SOCKET
                && there.get().inode() == socket.inode;
    }

    /** Under another name first: nobody may send before it has its owner and mode, and a dead one is replaced at one instant. */
    private void make(Socket socket) throws OsException {
        close(socket);
        if (os.stat(directory).isEmpty()) {
            os.mkdir(directory, 0711);
        }
        if (socket.owner.isPresent()) {
            belongings.letPassOnTheWay();
        }
        Path fresh = directory.resolve(FRESH + socket.service.value());
        os.unlink(fresh);
        Fd fd = os.bindDatagrams(fresh);
        try {
            os.chmod(fresh, 0600);
            if (socket.owner.isPresent()) {
                os.chown(fresh, socket.owner.get().uid(), socket.owner.get().gid());
            }
            socket.inode = os.stat(fresh)
                    .orElseThrow(() -> new OsException(Errno.ENOENT, "stat " + fresh))
                    .inode();
            os.rename(fresh, socket.path);
        } catch (OsException e) {
            os.close(fd);
            throw e;
        }
        socket.fd = fd;
    }

    private void close(Socket socket) {
        if (socket.fd != null) {
            rest(socket);
            os.close(socket.fd);
            socket.fd = null;
        }
    }

    private void listen(Socket socket) throws OsException {
        if (!socket.polled) {
            // Another number each time: a report that comes late finds nothing.
            socket.token = ++lastToken;
            poller.orElseThrow().add(socket.fd, socket.token);
            byToken.put(socket.token, socket);
            socket.polled = true;
        }
    }

    private void rest(Socket socket) {
        if (socket.polled) {
            byToken.remove(socket.token);
            socket.polled = false;
            try {
                poller.orElseThrow().remove(socket.fd);
            } catch (OsException e) {
                trouble(socket, "cannot stop listening: " + e.getMessage());
            }
        }
    }

    // ---- listening ----

    /** Orders that what waits is read, and then a HeardOut; never waits. */
    public void hearOut(Effect.HearOut order) {
        toHearOut.add(order);
        poller.ifPresent(Poller::wakeup);
    }

    /** Waits until somebody says something, for as long as {@code until} says, and passes it on. */
    public void turn(Optional<MonotonicTime> until) throws OsException {
        Poller waiting;
        Optional<MonotonicTime> deadline;
        synchronized (this) {
            if (poller.isEmpty()) {
                return;
            }
            waiting = poller.get();
            deadline = earliest(until);
        }
        List<Long> tokens = new ArrayList<>();
        waiting.poll(deadline, tokens::add);
        synchronized (this) {
            for (long token : tokens) {
                Socket socket = byToken.get(token);
                if (socket != null) {
                    readSome(socket);
                }
            }
            for (Effect.HearOut order = toHearOut.poll(); order != null; order = toHearOut.poll()) {
                hearOutNow(order);
            }
            wakeRested();
        }
    }

    private Optional<MonotonicTime> earliest(Optional<MonotonicTime> until) {
        Optional<MonotonicTime> first = toHearOut.isEmpty() ? until : Optional.of(MonotonicTime.BOOT);
        for (Socket socket : sockets.values()) {
            if (socket.restsUntil.isPresent()) {
                MonotonicTime end = socket.restsUntil.get();
                first = Optional.of(first.isEmpty() ? end : MonotonicTime.min(first.get(), end));
            }
        }
        return first;
    }

    private void wakeRested() throws OsException {
        MonotonicTime now = os.now();
        for (Socket socket : sockets.values()) {
            if (socket.restsUntil.isPresent() && !now.isBefore(socket.restsUntil.get())) {
                socket.restsUntil = Optional.empty();
                if (socket.fd != null && socket.run.isPresent()) {
                    listen(socket);
                }
            }
        }
    }

    private void hearOutNow(Effect.HearOut order) {
        MonotonicTime at = os.now();
        Optional<String> deaf;
        try {
            deaf = readAll(order);
        } catch (OsException e) {
            deaf = Optional.of(e.getMessage());
        }
        tell(new SupervisorEvent.OfService(order.service(), new Event.HeardOut(order.run(), at, deaf)));
    }

    /** Why some of it may not have been heard; empty as a rule. */
    private Optional<String> readAll(Effect.HearOut order) throws OsException {
        Socket socket = sockets.get(order.service());
        if (socket == null || socket.fd == null || !socket.run.equals(Optional.of(order.run()))) {
            return Optional.of("there is no socket");
        }
        // Also of one that is made to wait: no queue holds more than that.
        read(socket, MOST_IN_QUEUE);
        if (!isThere(socket)) {
            remake(socket);
        }
        Optional<String> deaf = socket.deaf;
        socket.deaf = Optional.empty();
        return deaf;
    }

    private void readSome(Socket socket) throws OsException {
        MonotonicTime now = os.now();
        if (!now.isBefore(socket.windowEnd)) {
            socket.windowEnd = now.plus(WINDOW);
            socket.inWindow = 0;
        }
        socket.inWindow += read(socket, MOST_AT_ONCE - socket.inWindow);
        if (socket.inWindow >= MOST_AT_ONCE) {
            rest(socket);
            socket.restsUntil = Optional.of(socket.windowEnd);
        }
    }

    /** How many there were. */
    private int read(Socket socket, int most) throws OsException {
        for (int i = 0; i < most; i++) {
            Optional<Datagram> message = os.receive(socket.fd, LONGEST_MESSAGE);
            if (message.isEmpty()) {
                return i;
            }
            take(socket, message.get());
        }
        return most;
    }

    /** What came along is closed last: a BARRIER says that all before it has been taken. */
    private void take(Socket socket, Datagram message) {
        try {
            if (isOfTree(socket, message.sender())) {
                NotifyCodec.Message said = NotifyCodec.decode(message.content(), Errno::words);
                if (said.problem().isPresent()) {
                    refuse(socket, said.problem().get());
                }
                if (said.notice().mainPid().isPresent()) {
                    nameMain(socket, said.notice().mainPid().get());
                }
                tell(new SupervisorEvent.OfService(
                        socket.service, new Event.Notified(socket.run.orElseThrow(), said.notice())));
            } else {
                refuse(
                        socket,
                        "pid " + message.sender() + " of uid " + message.uid()
                                + " is none of its processes, or had ended before it could be told whose it was");
            }
        } finally {
            message.descriptors().forEach(os::close);
        }
    }

    /**
     * Another process is the main process from now on, if it lives and is of the tree. It is looked for by its number, and known by its
     * start time from then on: the second look tells that both were of the same process.
     */
    private void nameMain(Socket socket, Pid pid) {
        if (pid.equals(socket.main.pid())) {
            return;
        }
        try {
            Optional<ProcessStat> process = os.process(pid);
            boolean isItsOwn = process.isPresent() && process.get().isAlive() && isOfTree(socket, pid.value());
            Optional<Child> named = isItsOwn ? os.find(process.get().identity()) : Optional.empty();
            if (named.isPresent()) {
                socket.main = named.get().identity();
                Event event = new Event.MainNamed(socket.run.orElseThrow(), socket.main);
                results.accept(new SupervisorEvent.OfService(socket.service, event), named);
            } else {
                refuse(socket, "MAINPID=" + pid + ": no living process of its own has this number");
            }
        } catch (OsException e) {
            refuse(socket, "MAINPID=" + pid + ": " + e.getMessage());
        }
    }

    private void tell(SupervisorEvent event) {
        results.accept(event, Optional.empty());
    }

    private boolean isOfTree(Socket socket, int sender) {
        int main = socket.main.pid().value();
        int started = socket.started.pid().value();
        if (sender == main || sender == started) {
            return true;
        }
        int pid = sender;
        for (int i = 0; i < MOST_ANCESTORS && pid > 1; i++) {
            Optional<ProcessStat> process = os.process(new Pid(pid));
            if (process.isEmpty()) {
                break;
            }
            int session = process.get().session();
            int parent = process.get().parent();
            if (session == main || session == started || parent == main || parent == started) {
                return true;
            }
            pid = process.get().parent();
        }
        return bearsMark(socket, sender);
    }

    /** A daemon that left its session, and whose parent has gone. */
    private boolean bearsMark(Socket socket, int sender) {
        try {
            Optional<Bearer> bearer = sender <= 0 ? Optional.empty() : os.bearer(new Pid(sender), fifos);
            return bearer.isPresent() && bearer.get().run().equals(socket.run);
        } catch (OsException e) {
            return false;
        }
    }

    /** Told once a run: whoever says nonsense may say it again and again. */
    private void refuse(Socket socket, String what) {
        if (!socket.complained) {
            socket.complained = true;
            trouble(socket, what);
        }
    }

    private void trouble(Socket socket, String what) {
        tell(new SupervisorEvent.Noticed(Optional.of(socket.service), "notify-refused", Map.of("what", what)));
    }
}
