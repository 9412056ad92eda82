package io.jsupervise.io;

import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.os.Fd;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.Poller;
import io.jsupervise.os.SpawnRequest.Output;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.ServiceName;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;

/**
 * The output of all services, from their FIFOs into their logs, on one thread of its own that waits for all of them at
 * once. Each stream has a named FIFO in the state directory that both sides open for reading and writing: a child
 * never sees SIGPIPE or an end of file, whatever becomes of us.
 */
public final class LogRelay implements Spawner.Outputs, LogChannel.Relay {
    /** A turn that moved less than this waits a little before the next, so that a flood of lines is moved in bulk. */
    private static final int SMALL = 64 << 10;

    private static final Duration BREATH = Duration.ofMillis(1);
    private static final int PEEK = 64 << 10;

    private final Os os;
    private final Poller poller;
    private final Path fifos;
    private final Optional<Console> console;
    private final Consumer<LogNotice> notices;
    private final Consumer<LogRotation> compressor;
    private final int nameWidth;

    /** By service; the list is replaced, never changed. Guarded by itself. */
    private final Map<ServiceName, List<LogChannel>> byService = new HashMap<>();

    private final Queue<LogChannel> added = new ConcurrentLinkedQueue<>();
    private final Queue<LogChannel> removed = new ConcurrentLinkedQueue<>();

    // The relay's thread only:
    private final Map<Long, LogChannel> byToken = new HashMap<>();
    private final Map<LogChannel, Long> tokens = new HashMap<>();
    private final Queue<LogChannel> ready = new ArrayDeque<>();
    private final List<LogChannel> resting = new ArrayList<>();
    private final byte[] peekBytes = new byte[PEEK];
    private Fd[] scratch;
    private long lastToken;

    /**
     * @param fifos      where the FIFOs are made; exists
     * @param console    for services that want their lines there
     * @param nameWidth  of the longest name of a service, so that lines on the console begin in one column
     * @param notices    on the relay's thread
     * @param compressor gets rotations whose files are to be compressed; must not wait
     */
    public LogRelay(
            Os os,
            Path fifos,
            Optional<Console> console,
            int nameWidth,
            Consumer<LogNotice> notices,
            Consumer<LogRotation> compressor)
            throws OsException {
        this.os = os;
        this.poller = os.poller();
        this.fifos = fifos;
        this.console = console;
        this.nameWidth = nameWidth;
        this.notices = notices;
        this.compressor = compressor;
    }

    // ---- any thread ----

    /** Makes and opens what a service needs, unless that is done already. */
    @Override
    public Spawner.Streams prepare(ServiceName service, LogSpec log) throws OsException {
        if (log instanceof LogSpec.None) {
            return new Spawner.Streams(new Output.Null(), new Output.SameAsStdout());
        } else if (log instanceof LogSpec.Inherit) {
            return new Spawner.Streams(new Output.Inherit(), new Output.Inherit());
        }
        LogSpec.ToFile spec = (LogSpec.ToFile) log;
        List<LogChannel> channels = channels(service, spec);
        Output stdout = new Output.Fifo(channels.get(0).fifoPath());
        if (channels.size() > 1) {
            return new Spawner.Streams(stdout, new Output.Fifo(channels.get(1).fifoPath()));
        }
        return new Spawner.Streams(
                stdout, spec.stderr() instanceof LogSpec.Stderr.Null ? new Output.Null() : new Output.SameAsStdout());
    }

    private List<LogChannel> channels(ServiceName service, LogSpec.ToFile spec) throws OsException {
        synchronized (byService) {
            List<LogChannel> known = byService.get(service);
            if (known != null && known.get(0).isFor(spec)) {
                return known;
            }
            List<LogChannel> channels = new ArrayList<>(2);
            channels.add(open(service, spec, spec.file(), ".out"));
            if (spec.stderrFile().isPresent()) {
                channels.add(open(service, spec, spec.stderrFile().get(), ".err"));
            }
            if (known != null) {
                removed.addAll(known);
            }
            byService.put(service, channels);
            added.addAll(channels);
            poller.wakeup();
            return channels;
        }
    }

    private LogChannel open(ServiceName service, LogSpec.ToFile spec, Path file, String ending) throws OsException {
        Optional<ConsoleEcho> echo =
                spec.console() ? console.map(to -> new ConsoleEcho(to, prefix(service))) : Optional.empty();
        boolean looked = spec.timestamps() || echo.isPresent();
        Optional<LogLines> lines = looked ? Optional.of(new LogLines(spec.timestamps(), echo)) : Optional.empty();
        return new LogChannel(os, service, spec, file, fifos.resolve(service.value() + ending), this, lines);
    }

    private String prefix(ServiceName service) {
        StringBuilder text = new StringBuilder(service.value());
        while (text.length() < nameWidth) {
            text.append(' ');
        }
        return text.append(" | ").toString();
    }

    /** The service is gone for good: moves what is left, and closes its FIFOs. */
    public void remove(ServiceName service) {
        synchronized (byService) {
            List<LogChannel> channels = byService.remove(service);
            if (channels != null) {
                removed.addAll(channels);
                poller.wakeup();
            }
        }
    }

    /** Bytes of output that were thrown away since we began, because the log could not be written. */
    public long droppedBytes(ServiceName service) {
        synchronized (byService) {
            long sum = 0;
            for (LogChannel channel : byService.getOrDefault(service, List.of())) {
                sum += channel.dropped();
            }
            return sum;
        }
    }

    /** Ends the present or the next wait. */
    public void wakeup() {
        poller.wakeup();
    }

    // ---- the relay's thread ----

    /** Waits until there is output, until {@code until}, or until woken; moves it; and waits a breath. */
    public void turn(Optional<MonotonicTime> until) {
        takeChanges();
        try {
            poller.poll(deadline(until), this::ready);
        } catch (OsException e) {
            throw new IllegalStateException("cannot wait for output: " + e.getMessage(), e);
        }
        takeChanges();
        long moved = 0;
        boolean any = !ready.isEmpty();
        for (LogChannel channel = ready.poll(); channel != null; channel = ready.poll()) {
            moved += channel.move();
            rest(channel);
        }
        wakeResting();
        if (any && moved < SMALL) {
            breathe();
        }
    }

    private void ready(long token) {
        LogChannel channel = byToken.get(token);
        if (channel != null) {
            ready.add(channel);
        }
    }

    /** A flood of one write a line would wake us for each; a wait of a millisecond makes a thousand of them one. */
    private void breathe() {
        java.util.concurrent.locks.LockSupport.parkNanos(this, BREATH.toNanos());
    }

    private Optional<MonotonicTime> deadline(Optional<MonotonicTime> until) {
        Optional<MonotonicTime> first = until;
        for (LogChannel channel : resting) {
            MonotonicTime again = channel.resting().orElse(MonotonicTime.BOOT);
            first = Optional.of(first.isPresent() ? MonotonicTime.min(first.get(), again) : again);
        }
        return first;
    }

    /** A log that cannot be written is not asked about until its next try: the FIFO would be readable all the time. */
    private void rest(LogChannel channel) {
        if (channel.resting().isPresent()) {
            unpoll(channel);
            resting.add(channel);
        }
    }

    private void wakeResting() {
        MonotonicTime now = os.now();
        for (LogChannel channel : List.copyOf(resting)) {
            if (channel.resting().isEmpty() || !now.isBefore(channel.resting().get())) {
                resting.remove(channel);
                poll(channel);
            }
        }
    }

    private void takeChanges() {
        for (LogChannel channel = added.poll(); channel != null; channel = added.poll()) {
            poll(channel);
        }
        for (LogChannel channel = removed.poll(); channel != null; channel = removed.poll()) {
            channel.move();
            unpoll(channel);
            resting.remove(channel);
            ready.remove(channel);
            channel.close();
        }
    }

    private void poll(LogChannel channel) {
        long token = lastToken++;
        try {
            poller.add(channel.fifo(), token);
            byToken.put(token, channel);
            tokens.put(channel, token);
        } catch (OsException e) {
            notices.accept(new LogNotice.CannotWrite(channel.service(), channel.fifoPath(), e.getMessage()));
        }
    }

    private void unpoll(LogChannel channel) {
        Long token = tokens.remove(channel);
        if (token != null) {
            byToken.remove(token);
            try {
                poller.remove(channel.fifo());
            } catch (OsException e) {
                notices.accept(new LogNotice.CannotWrite(channel.service(), channel.fifoPath(), e.getMessage()));
            }
        }
    }

    /** Moves everything that is there. Called at the end, when the services are down. */
    public void drain() {
        takeChanges();
        for (LogChannel channel : List.copyOf(tokens.keySet())) {
            long moved = channel.move();
            while (moved > 0 && channel.resting().isEmpty()) {
                moved = channel.move();
            }
        }
    }

    @Override
    public LogChannel.Peek peek(Fd fifo, long max) throws OsException {
        if (scratch == null) {
            scratch = os.pipe();
            os.setPipeSize(scratch[1], 2 * PEEK);
        }
        long count = os.tee(fifo, scratch[1], Math.min(max, PEEK));
        int got = 0;
        while (got < count) {
            got += os.read(scratch[0], peekBytes, got, (int) count - got);
        }
        return new LogChannel.Peek(peekBytes, got);
    }

    @Override
    public void rotated(LogRotation rotation) {
        if (rotation.compresses()) {
            compressor.accept(rotation);
        }
    }

    /** Its own oldest first, then anybody's. */
    @Override
    public boolean makeRoom(LogChannel first) throws OsException {
        if (removedOldest(first)) {
            return true;
        }
        for (LogChannel channel : tokens.keySet()) {
            if (channel != first && removedOldest(channel)) {
                return true;
            }
        }
        return false;
    }

    private boolean removedOldest(LogChannel channel) throws OsException {
        Optional<Path> removedFile = channel.rotation().removeOldest();
        removedFile.ifPresent(file -> notices.accept(new LogNotice.RemovedToMakeRoom(channel.service(), file)));
        return removedFile.isPresent();
    }

    @Override
    public Consumer<LogNotice> notices() {
        return notices;
    }
}
