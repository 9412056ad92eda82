package io.jsupervise.io;

import io.jsupervise.journal.JournalCodec;
import io.jsupervise.journal.JournalException;
import io.jsupervise.journal.ServiceRecord;
import io.jsupervise.journal.SupervisorRecord;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.spec.ServiceName;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The journal on the disk: a folder with one file per service and one for the supervisor, each of which is old or new at
 * any instant ({@link RecordFiles}). Records that come while a batch is being written wait for the next one, and of several
 * about the same service only the newest is written.
 *
 * <p>Numbers of records grow. {@link Results#committed} names the highest number such that every record up to it is in
 * place, or a newer one of the same service is. After a failure the whole batch is tried again every second.
 */
public final class JournalFile implements Actor {
    private static final String RECORD = RecordFiles.RECORD;
    private static final String DAMAGED = ".damaged";
    private static final String LATER = ".from-version-";

    /** No service can have this name. */
    private static final String SUPERVISOR = "@supervisor";

    /** A storm is cut into batches, so that the first may go on while the next are being written. */
    private static final int LARGEST_BATCH = 128;

    private static final Duration RETRY = Duration.ofSeconds(1);

    /** What makes later records quicker is done when nothing has come for so long, and a few at a time. */
    private static final Duration IDLE = Duration.ofSeconds(1);

    private static final int READY_AT_ONCE = 4;
    private static final Duration READY_RETRY = Duration.ofMinutes(1);
    private static final int LARGEST_FILE = 1 << 20;

    private final Os os;
    private final Path folder;
    private final String bootId;
    private final Results results;
    private final RecordFiles files;
    private final JournalCodec codec = new JournalCodec();

    /** By file name, in the order of the oldest number that waits; guarded by itself. */
    private final Map<String, Waiting> inbox = new LinkedHashMap<>();

    /** Damaged files that could not be renamed at the start, and what they shall be called: not to be overwritten. */
    private final Map<Path, Path> inTheWay = new LinkedHashMap<>();

    private long lastSubmitted;
    private Optional<MonotonicTime> retryAt = Optional.empty();
    private MonotonicTime idleAt = MonotonicTime.BOOT;

    /** Told by the thread that steps. */
    public interface Results {
        void committed(long seq);

        /** It is tried again. The message of {@code why} names file and errno. */
        void failed(OsException why);
    }

    /** The newest record for one file, and the oldest number that it stands for. */
    private record Waiting(long oldest, Object record) {}

    /**
     * What was found.
     *
     * @param supervisor one that was killed in this boot is presumed where its record is unreadable, or missing beside
     *                   those of services: so that what it may have left is looked for
     * @param setAside   records that could not be read
     */
    public record Found(
            Map<ServiceName, ServiceRecord> services, Optional<SupervisorRecord> supervisor, List<SetAside> setAside) {}

    /**
     * A record that could not be read: its service begins without a history, but a process of it may still run.
     *
     * @param service empty where it is the record of the supervisor, or the file has no name of a service
     * @param as      where it lies now
     * @param what    what is wrong, and what became of it, for people
     */
    public record SetAside(Optional<ServiceName> service, Path as, String what) {}

    /** @param folder exists */
    public JournalFile(Os os, Path folder, String bootId, Results results) {
        this.os = os;
        this.folder = folder;
        this.bootId = bootId;
        this.results = results;
        this.files = new RecordFiles(os, folder);
    }

    /** Orders a write; never waits. */
    public void submit(long seq, Service service) {
        submit(seq, service.name().value(), service);
    }

    /** Orders a write; never waits. */
    public void submit(long seq, SupervisorRecord record) {
        submit(seq, SUPERVISOR, record);
    }

    private void submit(long seq, String file, Object record) {
        synchronized (inbox) {
            Waiting before = inbox.get(file);
            inbox.put(file, new Waiting(before == null ? seq : before.oldest, record));
            lastSubmitted = seq;
        }
    }

    @Override
    public void step() {
        if (retryAt.isPresent() && os.now().isBefore(retryAt.get())) {
            return;
        }
        Map<String, Waiting> batch = takeBatch();
        if (batch.isEmpty()) {
            makeReady();
            return;
        }
        try {
            write(batch);
            retryAt = Optional.empty();
            idleAt = os.now().plus(IDLE);
            results.committed(watermark());
        } catch (OsException e) {
            putBack(batch);
            retryAt = Optional.of(os.now().plus(RETRY));
            results.failed(e);
        }
    }

    private void makeReady() {
        if (!files.someAreUnready() || os.now().isBefore(idleAt)) {
            return;
        }
        try {
            files.makeReady(READY_AT_ONCE);
        } catch (OsException e) {
            // Nothing is lost: the next records make their own, and tell if they cannot.
            idleAt = os.now().plus(READY_RETRY);
        }
    }

    @Override
    public Optional<MonotonicTime> nextStep() {
        synchronized (inbox) {
            if (!inbox.isEmpty()) {
                return Optional.of(retryAt.orElse(MonotonicTime.BOOT));
            }
        }
        return files.someAreUnready() ? Optional.of(idleAt) : Optional.empty();
    }

    private Map<String, Waiting> takeBatch() {
        Map<String, Waiting> batch = new LinkedHashMap<>();
        synchronized (inbox) {
            Iterator<Map.Entry<String, Waiting>> oldest = inbox.entrySet().iterator();
            while (oldest.hasNext() && batch.size() < LARGEST_BATCH) {
                Map.Entry<String, Waiting> entry = oldest.next();
                batch.put(entry.getKey(), entry.getValue());
                oldest.remove();
            }
        }
        return batch;
    }

    /** What came meanwhile is newer; the batch keeps its place at the front. */
    private void putBack(Map<String, Waiting> batch) {
        synchronized (inbox) {
            Map<String, Waiting> newer = new LinkedHashMap<>(inbox);
            inbox.clear();
            inbox.putAll(batch);
            for (Map.Entry<String, Waiting> entry : newer.entrySet()) {
                Waiting before = inbox.get(entry.getKey());
                long oldest = before == null ? entry.getValue().oldest : before.oldest;
                inbox.put(entry.getKey(), new Waiting(oldest, entry.getValue().record));
            }
        }
    }

    private long watermark() {
        synchronized (inbox) {
            return inbox.isEmpty() ? lastSubmitted : inbox.values().iterator().next().oldest - 1;
        }
    }

    private void write(Map<String, Waiting> batch) throws OsException {
        clearTheWay();
        Map<String, byte[]> texts = new LinkedHashMap<>();
        for (Map.Entry<String, Waiting> entry : batch.entrySet()) {
            texts.put(entry.getKey(), encode(entry.getValue().record));
        }
        files.replace(texts);
    }

    private byte[] encode(Object record) {
        return record instanceof Service service
                ? codec.encode(ServiceRecord.of(service, bootId))
                : codec.encode((SupervisorRecord) record);
    }

    /**
     * Reads everything, before the first step. What cannot be read is set aside under a name that says why, and never over
     * what was set aside before; its service begins without a history rather than not at all.
     *
     * @throws OsException where nothing can be read, or we lack what reading takes
     */
    public Found load() throws OsException {
        Map<ServiceName, ServiceRecord> services = new LinkedHashMap<>();
        Optional<SupervisorRecord> supervisor = Optional.empty();
        List<SetAside> setAside = new ArrayList<>();
        Map<String, Integer> sizes = new HashMap<>();
        Set<String> second = new HashSet<>();
        List<String> names = os.list(folder);
        for (String name : names) {
            Path file = folder.resolve(name);
            if (name.endsWith(RecordFiles.SECOND)) {
                second.add(name.substring(0, name.length() - RecordFiles.SECOND.length()));
            } else if (name.endsWith(RECORD)) {
                try {
                    byte[] text = read(file);
                    if (name.equals(SUPERVISOR + RECORD)) {
                        supervisor = Optional.of(codec.decodeSupervisor(text));
                    } else {
                        ServiceRecord record = codec.decodeService(text);
                        if (!name.equals(record.name().value() + RECORD)) {
                            throw new JournalException(
                                    "it is a record of \"" + record.name() + "\", a copy by its name");
                        }
                        services.put(record.name(), record);
                    }
                    sizes.put(name.substring(0, name.length() - RECORD.length()), text.length);
                } catch (JournalException e) {
                    String mark = e.laterVersion().isPresent()
                            ? LATER + e.laterVersion().get()
                            : DAMAGED;
                    setAside.add(setAside(name, mark, e.getMessage(), names));
                } catch (OsException e) {
                    if (isOurs(e.errno())) {
                        throw e;
                    }
                    setAside.add(setAside(name, DAMAGED, e.getMessage(), names));
                }
            }
        }
        if (makeLast()) {
            files.found(sizes, second);
        }
        for (String name : second) {
            if (!sizes.containsKey(name)) {
                remove(folder.resolve(name + RecordFiles.SECOND));
            }
        }
        if (supervisor.isEmpty() && !(services.isEmpty() && setAside.isEmpty())) {
            supervisor = Optional.of(SupervisorRecord.presumedKilled(bootId));
        }
        return new Found(services, supervisor, setAside);
    }

    /**
     * Who was killed between renaming and syncing has left names that a power cut would take back, and we act by what is
     * behind them.
     */
    private boolean makeLast() throws OsException {
        try {
            files.sync();
            return true;
        } catch (OsException e) {
            if (isOurs(e.errno())) {
                throw e;
            }
            results.failed(e);
            return false;
        }
    }

    /** The failure would be the same with any other file: to call this one damaged would be wrong. */
    private static boolean isOurs(Errno errno) {
        return errno == Errno.EMFILE || errno == Errno.ENFILE || errno == Errno.ENOMEM;
    }

    /** Of a first record that was being written when its writer was killed. Where it stays, it is written over later. */
    private void remove(Path file) throws OsException {
        try {
            os.unlink(file);
        } catch (OsException e) {
            if (isOurs(e.errno())) {
                throw e;
            }
        }
    }

    private SetAside setAside(String name, String mark, String reason, List<String> taken) {
        Path file = folder.resolve(name);
        String free = name + mark;
        for (int i = 2; taken.contains(free); i++) {
            free = name + mark + "." + i;
        }
        Path as = folder.resolve(free);
        String outcome;
        try {
            os.rename(file, as);
            outcome = "it was set aside as " + free;
        } catch (OsException e) {
            inTheWay.put(file, as);
            outcome = "it could not be set aside as " + free + " (" + e.getMessage()
                    + "), which is tried again before anything is recorded";
        }
        String service = name.substring(0, name.length() - RECORD.length());
        return new SetAside(
                ServiceName.isValid(service) ? Optional.of(new ServiceName(service)) : Optional.empty(),
                as,
                "cannot read journal file " + file + ": " + reason + "; " + outcome
                        + ", and its history starts afresh");
    }

    private void clearTheWay() throws OsException {
        Iterator<Map.Entry<Path, Path>> files = inTheWay.entrySet().iterator();
        while (files.hasNext()) {
            Map.Entry<Path, Path> file = files.next();
            os.rename(file.getKey(), file.getValue());
            files.remove();
        }
    }

    private byte[] read(Path file) throws OsException {
        Fd fd = os.open(file, OpenMode.READ, 0);
        try {
            int size = (int) Math.min(os.stat(fd).size(), LARGEST_FILE);
            byte[] text = new byte[size];
            int done = 0;
            while (done < size) {
                int count = os.read(fd, text, done, size - done);
                if (count == 0) {
                    break;
                }
                done += count;
            }
            return done == size ? text : Arrays.copyOf(text, done);
        } finally {
            os.close(fd);
        }
    }
}
