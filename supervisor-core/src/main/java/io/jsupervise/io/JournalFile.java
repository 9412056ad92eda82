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
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The journal on the disk: a folder with one file per service and one for the supervisor. A file is never changed, only
 * replaced: a new one is written beside it, synced, and renamed over it, and then the folder is synced (rename(2),
 * fsync(2)); so each file is old or new at any instant. Records that come while a batch is being written wait for the
 * next one, and of several about the same service only the newest is written.
 *
 * <p>Numbers of records grow. {@link Results#committed} names the highest number such that every record up to it is in
 * place, or a newer one of the same service is. After a failure the whole batch is tried again every second.
 */
public final class JournalFile implements Actor {
    /** Record files end in this, temporary ones in {@link #NEW}. */
    private static final String RECORD = ".json";

    private static final String NEW = ".json.new";
    private static final String DAMAGED = ".damaged";

    /** No service can have this name. */
    private static final String SUPERVISOR = "@supervisor";

    /** A storm is cut into batches, so that the first may go on while the next are being written. */
    private static final int LARGEST_BATCH = 128;

    private static final Duration RETRY = Duration.ofSeconds(1);
    private static final int LARGEST_FILE = 1 << 20;

    private final Os os;
    private final Path folder;
    private final String bootId;
    private final Results results;
    private final JournalCodec codec = new JournalCodec();

    /** By file name, in the order of the oldest number that waits; guarded by itself. */
    private final Map<String, Waiting> inbox = new LinkedHashMap<>();

    private long lastSubmitted;
    private Optional<MonotonicTime> retryAt = Optional.empty();

    /** Told by the thread that steps. */
    public interface Results {
        void committed(long seq);

        /** @param reason names file and errno */
        void failed(String reason);
    }

    /** The newest record for one file, and the oldest number that it stands for. */
    private record Waiting(long oldest, Object record) {}

    /**
     * What was found.
     *
     * @param notes what was wrong, for people
     */
    public record Found(
            Map<ServiceName, ServiceRecord> services, Optional<SupervisorRecord> supervisor, List<String> notes) {}

    /** @param folder exists */
    public JournalFile(Os os, Path folder, String bootId, Results results) {
        this.os = os;
        this.folder = folder;
        this.bootId = bootId;
        this.results = results;
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
            return;
        }
        try {
            write(batch);
            retryAt = Optional.empty();
            results.committed(watermark());
        } catch (OsException e) {
            putBack(batch);
            retryAt = Optional.of(os.now().plus(RETRY));
            results.failed(e.getMessage());
        }
    }

    @Override
    public Optional<MonotonicTime> nextStep() {
        synchronized (inbox) {
            if (inbox.isEmpty()) {
                return Optional.empty();
            }
        }
        return Optional.of(retryAt.orElse(MonotonicTime.BOOT));
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

    /**
     * The first sync of a batch pays for most of the others: all are written, and on their way to the disk, before any
     * is synced. Otherwise ext4 finds room for each file, and commits that, when it is synced.
     */
    private void write(Map<String, Waiting> batch) throws OsException {
        List<Fd> open = new ArrayList<>(batch.size());
        try {
            for (Map.Entry<String, Waiting> entry : batch.entrySet()) {
                Path file = folder.resolve(entry.getKey() + NEW);
                Fd fd = os.open(file, OpenMode.REPLACE, 0644);
                open.add(fd);
                writeAll(fd, encode(entry.getValue().record), file);
                if (batch.size() > 1) {
                    os.beginSync(fd);
                }
            }
            for (Fd fd : open) {
                os.fsync(fd);
            }
        } finally {
            for (Fd fd : open) {
                os.close(fd);
            }
        }
        for (String name : batch.keySet()) {
            os.rename(folder.resolve(name + NEW), folder.resolve(name + RECORD));
        }
        syncFolder();
    }

    private byte[] encode(Object record) {
        return record instanceof Service service
                ? codec.encode(ServiceRecord.of(service, bootId))
                : codec.encode((SupervisorRecord) record);
    }

    private void writeAll(Fd fd, byte[] bytes, Path file) throws OsException {
        int done = 0;
        while (done < bytes.length) {
            int count = os.write(fd, bytes, done, bytes.length - done);
            if (count == 0) {
                throw new OsException(Errno.ENOSPC, "write " + file);
            }
            done += count;
        }
    }

    private void syncFolder() throws OsException {
        Fd fd = os.open(folder, OpenMode.DIRECTORY, 0);
        try {
            os.fsync(fd);
        } finally {
            os.close(fd);
        }
    }

    /**
     * Reads everything, before the first step. A damaged file is set aside and told of: its service begins without a
     * history rather than not at all. One that a later version wrote stops us, since we would overwrite it.
     *
     * @throws JournalException where a later version has been here
     */
    public Found load() throws OsException, JournalException {
        Map<ServiceName, ServiceRecord> services = new LinkedHashMap<>();
        Optional<SupervisorRecord> supervisor = Optional.empty();
        List<String> notes = new ArrayList<>();
        for (String name : os.list(folder)) {
            Path file = folder.resolve(name);
            if (name.endsWith(NEW)) {
                os.unlink(file);
            } else if (name.endsWith(RECORD)) {
                try {
                    byte[] text = read(file);
                    if (name.equals(SUPERVISOR + RECORD)) {
                        supervisor = Optional.of(codec.decodeSupervisor(text));
                    } else {
                        ServiceRecord record = codec.decodeService(text);
                        if (!name.equals(record.name().value() + RECORD)) {
                            throw new JournalException("is a record of \"" + record.name() + "\", a copy by its name");
                        }
                        services.put(record.name(), record);
                    }
                } catch (JournalException e) {
                    if (e.isNewer()) {
                        throw e.in(file.toString());
                    }
                    os.rename(file, folder.resolve(name + DAMAGED));
                    notes.add("journal file " + file + " " + e.getMessage() + "; it was set aside as " + name + DAMAGED
                            + " and its history starts afresh");
                }
            }
        }
        return new Found(services, supervisor, notes);
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
