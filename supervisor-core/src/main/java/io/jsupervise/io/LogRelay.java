package io.jsupervise.io;

import io.jsupervise.io.Spawner.Streams;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.Poller;
import io.jsupervise.os.SpawnRequest.Output;
import io.jsupervise.spec.LinePattern;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.supervision.Answer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/**
 * Carries the output of all services into their logs. A service writes into a FIFO that lies in the state directory and
 * that both it and we hold open for reading and writing, so it sees neither SIGPIPE nor an end, whoever dies; one
 * thread moves what waits in any FIFO into the log. Each FIFO that has something gets its share in turn, so a flood
 * holds nobody up. A single line is moved at once. A stream that goes on writing is busy: the poller no longer watches
 * it, which would cost its writer a wakeup for every write(2), and it is looked at once in a while.
 *
 * <p>The daemon gives it a thread that calls {@link #turn} again and again. {@link #prepare}, {@link #remove} and
 * {@link #droppedBytes} may be called from any thread.
 */
public final class LogRelay implements Spawner.Outputs {
    /** What one stream may move before the others have their turn. */
    private static final long SHARE = 1 << 20;

    /** Who is silent for as long is not busy. */
    private static final Duration SILENCE = Duration.ofMillis(3);

    /**
     * Without privileges all pipes of a user together may have 64 MiB (pipe(7), pipe-user-pages-soft), and once that is
     * used up new ones get 8 KiB. So only this much goes into larger pipes; the others stay at 64 KiB.
     */
    private static final long UNPRIVILEGED_PIPES = 16 << 20;

    private static final int USUAL_PIPE = 1 << 16;

    private static final Duration SCAN_AGAIN = Duration.ofSeconds(1);
    private static final int FIFO_MODE = 0600;

    private static final List<String> SUFFIXES = List.of(".out", ".err");

    private final Os os;
    private final Keeping keeping;
    private final Path fifoDirectory;
    private final Poller poller;
    private final RelayParts parts;
    private final Optional<Console> console;
    private volatile int nameWidth;
    private final Consumer<LogNotice> notices;
    private final LongConsumer ready = this::ready;

    private final Object registry = new Object();
    private final Map<String, RelayedStream> streams = new HashMap<>();
    private final Map<ServiceName, AtomicLong> dropped = new HashMap<>();

    /** Lines that runs of earlier supervisors may have written meanwhile. */
    private final Map<ServiceName, Awaited> awaited = new HashMap<>();

    private volatile RelayedStream[] byToken = new RelayedStream[16];
    private int lastToken;
    private long pipeBytes;

    private final Queue<Retired> retired = new ConcurrentLinkedQueue<>();
    private volatile boolean fdsAreShort;

    private long[] tokens = new long[64];
    private int tokenCount;
    private final List<RelayedStream> failing = new ArrayList<>();
    private final List<RelayedStream> busy = new ArrayList<>();
    private MonotonicTime busyAt = MonotonicTime.BOOT;
    private MonotonicTime scanAt = MonotonicTime.BOOT;

    private final Queue<RotationOrder> rotationOrders = new ConcurrentLinkedQueue<>();
    private final List<AskedRotation> rotating = new ArrayList<>();

    private record Awaited(RunId run, LinePattern pattern) {}

    private record RotationOrder(List<ServiceSpec> services, Consumer<List<Answer.Rotation>> done) {}

    /** @param removed the name of its FIFO, where that is to go once it is empty */
    private record Retired(RelayedStream stream, boolean drain, Optional<String> removed) {}

    /**
     * @param fifoDirectory where FIFOs are made, and what must survive a kill is noted
     * @param console       for services that want their lines there
     * @param nameWidth     of the longest name of a service, so that lines on the console begin in one column
     * @param notices       on the relay's thread; must not wait
     * @param compressor    gets rotations whose files are to be compressed; must not wait
     */
    public LogRelay(
            Os os,
            Path fifoDirectory,
            Optional<Console> console,
            int nameWidth,
            Consumer<LogNotice> notices,
            Consumer<LogRotation> compressor)
            throws OsException {
        this(os, fifoDirectory, console, nameWidth, notices, compressor, Keeping.nothing(os));
    }

    /** @param keeping keeps FIFOs open when we are killed */
    public LogRelay(
            Os os,
            Path fifoDirectory,
            Optional<Console> console,
            int nameWidth,
            Consumer<LogNotice> notices,
            Consumer<LogRotation> compressor,
            Keeping keeping)
            throws OsException {
        this.os = os;
        this.keeping = keeping;
        this.fifoDirectory = fifoDirectory;
        this.console = console;
        this.nameWidth = nameWidth;
        this.notices = notices;
        this.poller = os.poller();
        // No service can have this name.
        RelayReceipt receipt = new RelayReceipt(os, fifoDirectory.resolve("@receipt"));
        this.parts = new RelayParts(new RelayBuffers(os), receipt, compressor, notices);
        try {
            receipt.finish();
        } catch (OsException e) {
            // A disk that fails must not keep services from being supervised: one portion may come twice.
        }
        receipt.close();
    }

    // ---- any thread ----

    /** Makes what a service needs before it is started; one stat(2) per stream where nothing has changed. */
    @Override
    public Streams prepare(ServiceName service, LogSpec log) throws OsException {
        synchronized (registry) {
            if (log instanceof LogSpec.ToFile to) {
                return prepare(service, to);
            }
            retire(service, ".out");
            retire(service, ".err");
            boolean none = log instanceof LogSpec.None;
            Output output = none ? new Output.Null() : new Output.Inherit();
            return new Streams(output, output);
        }
    }

    private Streams prepare(ServiceName service, LogSpec.ToFile to) throws OsException {
        Output stdout = stream(service, ".out", to, to.file());
        Optional<Path> own = to.stderrFile();
        if (own.isPresent()) {
            return new Streams(stdout, stream(service, ".err", to, own.get()));
        }
        retire(service, ".err");
        boolean merged = to.stderr() instanceof LogSpec.Stderr.Merge;
        return new Streams(stdout, merged ? new Output.SameAsStdout() : new Output.Null());
    }

    @Override
    public void awaitLine(ServiceName service, RunId run, LinePattern pattern) {
        synchronized (registry) {
            awaited.remove(service);
            for (String suffix : SUFFIXES) {
                RelayedStream stream = streams.get(service.value() + suffix);
                if (stream != null) {
                    await(stream.log(), service, new Awaited(run, pattern), false);
                }
            }
        }
    }

    /** To be called before {@link #adopt}: also what it has written while nobody supervised is looked at. */
    public void willAwaitLine(ServiceName service, RunId run, LinePattern pattern) {
        synchronized (registry) {
            awaited.put(service, new Awaited(run, pattern));
        }
    }

    private void await(RelayedLog log, ServiceName service, Awaited line, boolean all) {
        try {
            log.await(line.pattern(), all, () -> notices.accept(new LogNotice.LineSeen(service, line.run())));
        } catch (OsException e) {
            notices.accept(new LogNotice.CannotWrite(service, log.path(), e.getMessage()));
        }
    }

    /**
     * Goes on with the output of a living child of an earlier supervisor, also where the path of its FIFO has vanished or is
     * another's by now, and where its service no longer has a log of its own in the services file.
     *
     * @param log    of its service by the services file
     * @param before the log that it had when it was recorded last
     */
    public void adopt(ServiceName service, Pid pid, LogSpec log, Optional<Path> before) throws OsException {
        synchronized (registry) {
            boolean hasLog = log instanceof LogSpec.ToFile;
            LogSpec.ToFile to =
                    hasLog ? (LogSpec.ToFile) log : LogSpec.ToFile.keepingAll(before.orElse(usualLog(service)));
            ChildOutput outputs = new ChildOutput(os, fifoDirectory);
            Optional<ChildOutput.Found> stdout = outputs.find(pid, 1, service.value() + ".out");
            if (hasLog || stdout.isPresent()) {
                takeOver(service, ".out", to, to.file(), stdout);
            }
            Optional<ChildOutput.Found> stderr = outputs.find(pid, 2, service.value() + ".err");
            if (to.stderrFile().isPresent() || stderr.isPresent()) {
                Path file = to.stderrFile().orElse(LogSpec.ToFile.errorFile(to.file()));
                takeOver(service, ".err", to, file, stderr);
            }
        }
    }

    private void takeOver(
            ServiceName service, String suffix, LogSpec.ToFile spec, Path log, Optional<ChildOutput.Found> found)
            throws OsException {
        Optional<Fd> nameless = found.flatMap(ChildOutput.Found::nameless);
        if (nameless.isEmpty()) {
            stream(service, suffix, spec, log);
            return;
        }
        String name = service.value() + suffix;
        RelayedStream fresh = streamOf(nameless.get(), service, name, spec, log);
        Optional<RelayedStream> present = Optional.ofNullable(streams.get(name));
        begin(name, fresh);
        present.ifPresent(stream -> end(stream, !stream.fifoStat.sameFile(fresh.fifoStat)));
    }

    /**
     * Opens the FIFO of a service that does not run, if it has one: what it wrote before its end may wait there, as long as
     * somebody holds it open.
     */
    public void goOn(ServiceName service, LogSpec log) throws OsException {
        synchronized (registry) {
            if (log instanceof LogSpec.ToFile to) {
                goOn(service, ".out", to, to.file());
                if (to.stderrFile().isPresent()) {
                    goOn(service, ".err", to, to.stderrFile().get());
                }
            }
        }
    }

    private void goOn(ServiceName service, String suffix, LogSpec.ToFile spec, Path log) throws OsException {
        String name = service.value() + suffix;
        if (!streams.containsKey(name) && os.stat(fifoDirectory.resolve(name)).isPresent()) {
            stream(service, suffix, spec, log);
        }
    }

    private Output stream(ServiceName service, String suffix, LogSpec.ToFile spec, Path log) throws OsException {
        String name = service.value() + suffix;
        Path path = fifoDirectory.resolve(name);
        RelayedStream present = streams.get(name);
        Optional<FileStat> there = os.stat(path);
        boolean sameFifo = present != null && there.isPresent() && there.get().sameFile(present.fifoStat);
        // Mostly the very same; the equality of records is made at run time, in the middle of the first restart.
        if (sameFifo && (present.spec == spec || present.spec.equals(spec))) {
            return new Output.Fifo(path);
        }
        if (there.isEmpty()) {
            make(path);
        }
        begin(name, streamOf(open(path), service, name, spec, log));
        if (present != null) {
            // What waits in the same FIFO is moved by the new stream; another FIFO has to be emptied first.
            end(present, !sameFifo);
        }
        return new Output.Fifo(path);
    }

    private void begin(String name, RelayedStream fresh) throws OsException {
        streams.put(name, fresh);
        publish(fresh);
        fresh.watch();
    }

    private void end(RelayedStream stream, boolean drain) {
        end(new Retired(stream, drain, Optional.empty()));
    }

    private void end(Retired order) {
        retired.add(order);
        poller.wakeup();
    }

    private void make(Path fifo) throws OsException {
        try {
            os.mkfifo(fifo, FIFO_MODE);
        } catch (OsException e) {
            if (e.errno() != Errno.ENOENT) {
                throw e;
            }
            os.mkdir(fifoDirectory, 0755);
            os.mkfifo(fifo, FIFO_MODE);
        }
    }

    private Fd open(Path path) throws OsException {
        try {
            return os.open(path, OpenMode.FIFO, 0);
        } catch (OsException e) {
            if (e.errno() == Errno.EMFILE) {
                // The relay closes idle logs; the start is tried again later.
                fdsAreShort = true;
                poller.wakeup();
            }
            throw e;
        }
    }

    /** Closes {@code fifo} where it fails. */
    private RelayedStream streamOf(Fd fifo, ServiceName service, String name, LogSpec.ToFile spec, Path log)
            throws OsException {
        try {
            FileStat stat = os.stat(fifo);
            if (stat.kind() != FileStat.Kind.FIFO) {
                throw new OsException(
                        Errno.EEXIST,
                        "mkfifo " + fifoDirectory.resolve(name) + ", where something else lies; remove it");
            }
            int pipeSize = enlarge(fifo, spec.pipeSize());
            RelayedLog relayed = new RelayedLog(os, parts, service, name, fifo, spec, log, echo(service, spec));
            Awaited line = awaited.get(service);
            if (line != null) {
                await(relayed, service, line, true);
            }
            AtomicLong counter = dropped.computeIfAbsent(service, key -> new AtomicLong());
            keeping.hold(fifo);
            return new RelayedStream(
                    os,
                    poller,
                    keeping,
                    service,
                    spec,
                    lastToken++,
                    fifo,
                    stat,
                    pipeSize,
                    relayed,
                    counter,
                    notices,
                    this::remedy);
        } catch (OsException e) {
            keeping.release(fifo);
            throw e;
        }
    }

    private Optional<ConsoleEcho> echo(ServiceName service, LogSpec.ToFile spec) {
        if (!spec.console() || console.isEmpty()) {
            return Optional.empty();
        }
        String name = service.value();
        String padding = " ".repeat(Math.max(0, nameWidth - name.length()));
        return Optional.of(new ConsoleEcho(console.get(), name + padding + " | "));
    }

    /** Returns the size that the pipe has then. */
    private int enlarge(Fd fifo, int bytes) {
        if (os.uid() == 0 || pipeBytes + bytes <= UNPRIVILEGED_PIPES) {
            int size = os.setPipeSize(fifo, bytes);
            pipeBytes += size;
            return size;
        }
        return USUAL_PIPE;
    }

    private void publish(RelayedStream stream) {
        int index = (int) stream.token;
        RelayedStream[] table = byToken;
        if (index >= table.length) {
            table = Arrays.copyOf(table, 2 * table.length);
        }
        table[index] = stream;
        // Written after the content: whoever reads the field sees the stream in it.
        byToken = table;
    }

    private void retire(ServiceName service, String suffix) {
        RelayedStream present = streams.remove(service.value() + suffix);
        if (present != null) {
            end(present, true);
        }
    }

    /** Another width of the longest name, for streams that begin from now on. Any thread. */
    public void nameWidth(int width) {
        nameWidth = width;
    }

    /**
     * The service is gone for good: what waits goes into its log, and only then are its FIFOs removed, on the relay's thread.
     * Were we killed in between, the next supervisor would not find in them what has no name any more.
     */
    @Override
    public void remove(ServiceName service) {
        synchronized (registry) {
            for (String suffix : SUFFIXES) {
                String name = service.value() + suffix;
                RelayedStream present = streams.remove(name);
                if (present != null) {
                    end(new Retired(present, true, Optional.of(name)));
                }
            }
            dropped.remove(service);
        }
    }

    /**
     * Of a service that does not run, and that no services file names: whoever should have removed it was killed.
     *
     * @param log that it had when it was recorded last
     */
    public void finish(ServiceName service, LogSpec log) throws OsException {
        synchronized (registry) {
            LogSpec.ToFile to =
                    log instanceof LogSpec.ToFile file ? file : LogSpec.ToFile.keepingAll(usualLog(service));
            goOn(service, ".out", to, to.file());
            goOn(service, ".err", to, to.stderrFile().orElse(LogSpec.ToFile.errorFile(to.file())));
            remove(service);
        }
    }

    private Path usualLog(ServiceName service) {
        return fifoDirectory.resolveSibling("logs").resolve(service.value() + ".log");
    }

    @Override
    public void rotate(List<ServiceSpec> services, Consumer<List<Answer.Rotation>> done) {
        rotationOrders.add(new RotationOrder(services, done));
        poller.wakeup();
    }

    /** Bytes of output that were dropped since we began, because a log could not be written. */
    public long droppedBytes(ServiceName service) {
        synchronized (registry) {
            AtomicLong counter = dropped.get(service);
            return counter == null ? 0 : counter.get();
        }
    }

    /** Ends the present or the next wait of {@link #turn}. */
    public void wakeup() {
        poller.wakeup();
    }

    // ---- the relay's thread ----

    /**
     * Waits until some output is there, something was ordered, or {@code until}, and moves what there is.
     *
     * What goes wrong with a log is told as a notice.
     *
     * @throws IllegalStateException where it cannot wait
     */
    public void turn(Optional<MonotonicTime> until) {
        try {
            turnOrFail(until);
        } catch (OsException e) {
            throw new IllegalStateException("cannot wait for output: " + e.getMessage(), e);
        }
    }

    private void turnOrFail(Optional<MonotonicTime> until) throws OsException {
        tokenCount = 0;
        poller.poll(deadline(until), ready);
        MonotonicTime begun = os.now();
        takeOrders(begun);
        if (!begun.isBefore(busyAt) || until.isPresent() && !begun.isBefore(until.get())) {
            turnOfBusy(begun);
        }
        RelayedStream[] table = byToken;
        for (int i = 0; i < tokenCount; i++) {
            RelayedStream stream = table[(int) tokens[i]];
            // It is null where it has been retired in this turn.
            if (stream != null && turnOf(stream, begun) > 0 && stream.moved(begun, SILENCE)) {
                stream.unwatch();
                busy.add(stream);
            }
        }
        retryFailing(begun);
        if (!rotating.isEmpty()) {
            rotating.removeIf(asked -> asked.tryAgain(begun));
        }
    }

    private void turnOfBusy(MonotonicTime now) throws OsException {
        Duration rest = SILENCE;
        for (int i = busy.size() - 1; i >= 0; i--) {
            RelayedStream stream = busy.get(i);
            long moved = turnOf(stream, now);
            if (stream.retryAt().isPresent()) {
                busy.remove(i);
            } else if (moved > 0) {
                Duration its = stream.rest(moved);
                rest = its.compareTo(rest) < 0 ? its : rest;
                stream.moved(now, SILENCE);
            } else if (stream.isSilentFor(SILENCE, now)) {
                busy.remove(i);
                stream.watch();
            }
        }
        busyAt = os.now().plus(rest);
    }

    private Optional<MonotonicTime> deadline(Optional<MonotonicTime> until) {
        Optional<MonotonicTime> deadline = until;
        for (RelayedStream stream : failing) {
            MonotonicTime retry = stream.retryAt().orElse(MonotonicTime.BOOT);
            deadline = earlier(deadline, retry);
        }
        for (AskedRotation asked : rotating) {
            deadline = earlier(deadline, asked.nextTry(os.now()));
        }
        return busy.isEmpty() ? deadline : earlier(deadline, busyAt);
    }

    private static Optional<MonotonicTime> earlier(Optional<MonotonicTime> deadline, MonotonicTime than) {
        return Optional.of(deadline.isPresent() ? MonotonicTime.min(deadline.get(), than) : than);
    }

    private void ready(long token) {
        if (tokenCount == tokens.length) {
            tokens = Arrays.copyOf(tokens, 2 * tokenCount);
        }
        tokens[tokenCount++] = token;
    }

    private void takeOrders(MonotonicTime now) {
        for (Retired order = retired.poll(); order != null; order = retired.poll()) {
            retire(order.stream, now, order.drain);
            if (order.removed.isPresent()) {
                removeFifo(order.stream.service, order.removed.get());
            }
        }
        for (RotationOrder order = rotationOrders.poll(); order != null; order = rotationOrders.poll()) {
            rotating.add(begin(order, now));
        }
        if (fdsAreShort) {
            fdsAreShort = false;
            closeLogs();
        }
    }

    private AskedRotation begin(RotationOrder order, MonotonicTime now) {
        List<RelayedStream> open = new ArrayList<>();
        List<Answer.Rotation> closed = new ArrayList<>();
        synchronized (registry) {
            for (ServiceSpec service : order.services) {
                if (service.log() instanceof LogSpec.ToFile log) {
                    find(service.name(), ".out", log, log.file(), open, closed);
                    log.stderrFile().ifPresent(file -> find(service.name(), ".err", log, file, open, closed));
                }
            }
        }
        AskedRotation asked = new AskedRotation(open, now, order.done);
        closed.forEach(asked::add);
        return asked;
    }

    /** A service that has not run since we began has no stream, but maybe a log of earlier. */
    private void find(
            ServiceName service,
            String suffix,
            LogSpec.ToFile log,
            Path file,
            List<RelayedStream> open,
            List<Answer.Rotation> closed) {
        RelayedStream stream = streams.get(service.value() + suffix);
        if (stream != null) {
            open.add(stream);
            return;
        }
        try {
            Optional<FileStat> there = os.stat(file);
            if (there.isEmpty() || there.get().size() == 0) {
                closed.add(AskedRotation.empty(service, file));
                return;
            }
            LogRotation rotation = new LogRotation(os, file, log.maxFiles(), log.compress());
            rotation.rotate();
            if (rotation.compresses()) {
                parts.compressor().accept(rotation);
            }
            closed.add(AskedRotation.rotated(service, file));
        } catch (OsException e) {
            closed.add(AskedRotation.failed(service, file, e));
        }
    }

    private void retire(RelayedStream stream, MonotonicTime now, boolean drain) {
        failing.remove(stream);
        busy.remove(stream);
        stream.retire(now, drain);
        synchronized (registry) {
            byToken[(int) stream.token] = null;
        }
    }

    /** Not where the service has come back meanwhile, and goes on with it. */
    private void removeFifo(ServiceName service, String name) {
        Path fifo = fifoDirectory.resolve(name);
        try {
            synchronized (registry) {
                if (!streams.containsKey(name)) {
                    os.unlink(fifo);
                }
            }
        } catch (OsException e) {
            notices.accept(new LogNotice.FifoRemains(service, fifo, e.getMessage()));
        }
    }

    private long turnOf(RelayedStream stream, MonotonicTime now) throws OsException {
        boolean failed = stream.retryAt().isPresent();
        long moved = stream.turn(now, SHARE);
        if (!failed && stream.retryAt().isPresent()) {
            failing.add(stream);
        }
        return moved;
    }

    private void retryFailing(MonotonicTime now) throws OsException {
        for (int i = failing.size() - 1; i >= 0; i--) {
            RelayedStream stream = failing.get(i);
            Optional<MonotonicTime> retryAt = stream.retryAt();
            if (retryAt.isPresent() && !now.isBefore(retryAt.get())) {
                stream.turn(now, SHARE);
            }
            if (stream.retryAt().isEmpty()) {
                failing.remove(i);
            }
        }
    }

    /** The end: moves everything that is there, and closes all. The services should be down by then. */
    public void drain() {
        MonotonicTime now = os.now();
        takeOrders(now);
        for (RelayedStream stream : byToken) {
            if (stream != null) {
                stream.retire(now, true);
            }
        }
        close();
    }

    /** The same where services run on: they hold their pipes open, and what comes later waits there for the next relay. */
    public void leave() {
        MonotonicTime now = os.now();
        takeOrders(now);
        for (RelayedStream stream : byToken) {
            if (stream != null) {
                stream.leave(now);
            }
        }
        close();
    }

    private void close() {
        parts.receipt().close();
        parts.buffers().close();
        poller.close();
    }

    // ---- logs that cannot be written ----

    private boolean remedy(RelayedStream stream, OsException failure) throws OsException {
        return switch (failure.errno()) {
            case ENOSPC, EDQUOT -> removeRotated(stream);
            case EMFILE -> closeLogs();
            default -> false;
        };
    }

    private boolean closeLogs() {
        boolean closed = false;
        for (RelayedStream stream : byToken) {
            closed |= stream != null && stream.log().closeFile();
        }
        return closed;
    }

    /** Our own oldest rotated file goes: of this log first, then of any other on the same disk. */
    private boolean removeRotated(RelayedStream full) throws OsException {
        Optional<LogRotation.Rotated> own = full.log().rotation().oldest();
        if (own.isPresent()) {
            return remove(full, own.get());
        }
        MonotonicTime now = os.now();
        if (now.isBefore(scanAt)) {
            return false;
        }
        Optional<FileStat> directory = os.stat(full.log().path().getParent());
        Optional<LogRotation.Rotated> oldest = Optional.empty();
        RelayedStream owner = full;
        for (RelayedStream stream : byToken) {
            Optional<LogRotation.Rotated> file =
                    stream == null ? Optional.empty() : stream.log().rotation().oldest();
            if (file.isPresent()
                    && directory.isPresent()
                    && file.get().stat().device() == directory.get().device()
                    && (oldest.isEmpty()
                            || file.get()
                                    .stat()
                                    .mtime()
                                    .isBefore(oldest.get().stat().mtime()))) {
                oldest = file;
                owner = stream;
            }
        }
        if (oldest.isEmpty()) {
            scanAt = now.plus(SCAN_AGAIN);
            return false;
        }
        return remove(owner, oldest.get());
    }

    private boolean remove(RelayedStream owner, LogRotation.Rotated file) throws OsException {
        if (owner.log().rotation().remove(file)) {
            notices.accept(new LogNotice.RemovedToMakeRoom(owner.service, file.path()));
        }
        return true;
    }
}
