package io.jsupervise.io;

import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.os.Child;
import io.jsupervise.os.Fd;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.Parcel;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Descriptors in the queue of a socket that nobody reads. What is sent through a unix socket stays open while it waits
 * there (unix(7), SCM_RIGHTS), in no process at all, so whoever has the socket open keeps all of it.
 *
 * <p>One message tells of up to {@link Parcel#MOST_DESCRIPTORS} pidfds and FIFOs. What is new is appended; what is of no
 * use any more stays until the queue has grown too long for what it holds, and then what still counts is gathered from
 * its oldest messages, appended as one, and only then are those removed: a kill in between leaves something twice, never
 * nowhere. One thread at a time.
 */
final class KeptQueue {
    /** How many messages there may be beyond those that are needed: each counts with some 800 bytes, of 208 KiB at least. */
    private static final int SLACK = 64;

    /** How many descriptors of no use may wait: without privileges all that wait count against RLIMIT_NOFILE. */
    private static final int USELESS = 256;

    private static final int GATHERED = 64;

    /** First byte of each entry, and of a message that only marks a place. */
    private static final byte FIFO = 'f';

    private static final byte PROCESS = 'p';
    private static final byte PLACE = 'm';
    private static final int PROCESS_BYTES = 1 + Integer.BYTES + Long.BYTES;

    private final Os os;
    private final Fd in;
    private final Fd out;
    private final Deque<List<Kept>> messages = new ArrayDeque<>();
    private int waiting;
    private final Map<ProcessIdentity, Kept> processes = new HashMap<>();
    private final Map<FileKey, Kept> fifos = new HashMap<>();

    /** Its equality is written out: that of records is made at run time, which takes longer than all the rest here. */
    private record FileKey(long device, long inode) {
        @Override
        public boolean equals(Object other) {
            return other instanceof FileKey key && key.device == device && key.inode == inode;
        }

        @Override
        public int hashCode() {
            return Long.hashCode(device * 31 + inode);
        }
    }

    /** One thing that is kept. */
    private static final class Kept {
        final Optional<ProcessIdentity> process;
        final FileKey file;
        Fd fd;

        /** Whether the descriptor was found in the queue, and nobody else here has it. */
        boolean found;

        boolean current = true;

        Kept(Optional<ProcessIdentity> process, FileKey file, Fd fd, boolean found) {
            this.process = process;
            this.file = file;
            this.fd = fd;
            this.found = found;
        }
    }

    private static final FileKey NO_FILE = new FileKey(0, 0);

    private KeptQueue(Os os, Fd in, Fd out) {
        this.os = os;
        this.in = in;
        this.out = out;
    }

    /** An empty one. */
    static KeptQueue make(Os os) throws OsException {
        Fd[] pair = os.socketPair();
        return new KeptQueue(os, pair[0], pair[1]);
    }

    /** On a pair of sockets that may hold something already, which {@link #readAll} finds. */
    static KeptQueue on(Os os, Fd in, Fd out) {
        return new KeptQueue(os, in, out);
    }

    /**
     * The one that {@code holder} has as its standard output and standard error.
     *
     * @throws OsException EPERM where we may not take descriptors from it
     */
    static KeptQueue of(Os os, Child holder) throws OsException {
        Fd in = os.takeFd(holder, 1);
        try {
            return new KeptQueue(os, in, os.takeFd(holder, 2));
        } catch (OsException e) {
            os.close(in);
            throw e;
        }
    }

    /** Where messages are sent to. */
    Fd in() {
        return in;
    }

    /** Where they wait. */
    Fd out() {
        return out;
    }

    // ---- what a supervisor before us left ----

    /**
     * Learns what is in the queue, each message of which is moved to its end on the way, and has it all open.
     *
     * @param place something that no other supervisor marks its place with
     */
    void readAll(ProcessIdentity place) throws OsException {
        byte[] mark = ByteBuffer.allocate(PROCESS_BYTES)
                .put(PLACE)
                .putInt(place.pid().value())
                .putLong(place.startTime())
                .array();
        os.send(in, new Parcel(mark, List.of()));
        while (true) {
            Optional<Parcel> parcel = os.peek(out);
            if (parcel.isEmpty() || ByteBuffer.wrap(parcel.get().content()).equals(ByteBuffer.wrap(mark))) {
                os.discard(out);
                return;
            }
            List<Kept> found = decode(parcel.get());
            if (!found.isEmpty()) {
                append(found);
            }
            os.discard(out);
        }
    }

    /** What is told of that we know not yet; the other descriptors are closed. */
    private List<Kept> decode(Parcel parcel) throws OsException {
        ByteBuffer content = ByteBuffer.wrap(parcel.content());
        List<Kept> found = new ArrayList<>();
        for (Fd fd : parcel.descriptors()) {
            byte kind = content.get();
            Optional<ProcessIdentity> process = Optional.empty();
            FileKey file = NO_FILE;
            if (kind == PROCESS) {
                process = Optional.of(new ProcessIdentity(new Pid(content.getInt()), content.getLong()));
            } else {
                file = keyOf(fd);
            }
            boolean known = process.isPresent() ? processes.containsKey(process.get()) : fifos.containsKey(file);
            if (known) {
                os.close(fd);
            } else {
                Kept kept = new Kept(process, file, fd, true);
                remember(kept);
                found.add(kept);
            }
        }
        return found;
    }

    /** The pidfd of {@code identity}, as it was found; the caller's from then on. */
    Optional<Fd> pidfdOf(ProcessIdentity identity) {
        Kept kept = processes.get(identity);
        if (kept == null || !kept.found) {
            return Optional.empty();
        }
        kept.found = false;
        return Optional.of(kept.fd);
    }

    /** Nobody will ask for what was found and is not in use by now. */
    void forgetTheRest() {
        List<Kept> unused = new ArrayList<>();
        for (List<Kept> message : messages) {
            for (Kept kept : message) {
                if (kept.current && kept.found) {
                    unused.add(kept);
                }
            }
        }
        for (Kept kept : unused) {
            os.close(kept.fd);
            forget(kept);
        }
    }

    // ---- what is to be kept ----

    /** Several at once make one message. */
    void holdAll(List<Child> children) throws OsException {
        List<Kept> fresh = new ArrayList<>();
        for (Child child : children) {
            Kept known = processes.get(child.identity());
            if (known != null) {
                use(known, child.pidfd());
            } else {
                Kept kept = new Kept(Optional.of(child.identity()), NO_FILE, child.pidfd(), false);
                remember(kept);
                fresh.add(kept);
            }
        }
        add(fresh);
    }

    void hold(Fd fifo) throws OsException {
        FileKey file = keyOf(fifo);
        Kept known = fifos.get(file);
        if (known != null) {
            use(known, fifo);
        } else {
            Kept kept = new Kept(Optional.empty(), file, fifo, false);
            remember(kept);
            add(List.of(kept));
        }
    }

    /** Its descriptor is about to be closed. */
    void release(Child child) {
        Kept kept = processes.get(child.identity());
        if (kept != null && kept.fd.equals(child.pidfd())) {
            forget(kept);
        }
    }

    /** Its descriptor is about to be closed; another one may keep the same FIFO by now. */
    void release(Fd fifo) throws OsException {
        Kept kept = fifos.get(keyOf(fifo));
        if (kept != null && kept.fd.equals(fifo)) {
            forget(kept);
        }
    }

    private void use(Kept known, Fd fd) {
        if (known.found) {
            known.found = false;
            os.close(known.fd);
        }
        known.fd = fd;
    }

    private void remember(Kept kept) {
        if (kept.process.isPresent()) {
            processes.put(kept.process.get(), kept);
        } else {
            fifos.put(kept.file, kept);
        }
    }

    private void forget(Kept kept) {
        kept.current = false;
        kept.found = false;
        if (kept.process.isPresent()) {
            processes.remove(kept.process.get());
        } else {
            fifos.remove(kept.file);
        }
    }

    private FileKey keyOf(Fd fd) throws OsException {
        FileStat stat = os.stat(fd);
        return new FileKey(stat.device(), stat.inode());
    }

    private void add(List<Kept> fresh) throws OsException {
        if (fresh.isEmpty()) {
            return;
        }
        try {
            for (int from = 0; from < fresh.size(); from += Parcel.MOST_DESCRIPTORS) {
                List<Kept> some = fresh.subList(from, Math.min(fresh.size(), from + Parcel.MOST_DESCRIPTORS));
                try {
                    append(some);
                } catch (OsException e) {
                    // The queue may be full of what is of no use.
                    tidy(0, 0);
                    append(some);
                }
            }
            tidy(SLACK, USELESS);
        } catch (OsException e) {
            for (Kept kept : fresh) {
                if (!isSent(kept)) {
                    forget(kept);
                }
            }
            throw e;
        }
    }

    private boolean isSent(Kept kept) {
        for (List<Kept> message : messages) {
            if (message.contains(kept)) {
                return true;
            }
        }
        return false;
    }

    private void append(List<Kept> some) throws OsException {
        ByteBuffer content = ByteBuffer.allocate(PROCESS_BYTES * some.size());
        List<Fd> descriptors = new ArrayList<>(some.size());
        for (Kept kept : some) {
            if (kept.process.isPresent()) {
                ProcessIdentity identity = kept.process.get();
                content.put(PROCESS).putInt(identity.pid().value()).putLong(identity.startTime());
            } else {
                content.put(FIFO);
            }
            descriptors.add(kept.fd);
        }
        byte[] bytes = new byte[content.position()];
        content.flip().get(bytes);
        os.send(in, new Parcel(bytes, descriptors));
        messages.add(List.copyOf(some));
        waiting += some.size();
    }

    // ---- keeping the queue short ----

    /** Goes through the queue once at the most, and only as long as it is too long or holds too much. */
    private void tidy(int slack, int useless) throws OsException {
        int current = processes.size() + fifos.size();
        int needed = current / Parcel.MOST_DESCRIPTORS + 1;
        int end = messages.size();
        while (end > 0 && (messages.size() > slack + 2 * needed || waiting > 2 * current + useless)) {
            end -= gather(end);
        }
    }

    /** Makes one message of the oldest ones, {@code most} at the most: of how many. */
    private int gather(int most) throws OsException {
        List<Kept> together = new ArrayList<>();
        int count = 0;
        for (List<Kept> message : messages) {
            List<Kept> current = currentOf(message);
            if (count == GATHERED || count == most || together.size() + current.size() > Parcel.MOST_DESCRIPTORS) {
                break;
            }
            together.addAll(current);
            count++;
        }
        if (!together.isEmpty()) {
            append(together);
        }
        for (int i = 0; i < count; i++) {
            os.discard(out);
            waiting -= messages.remove().size();
        }
        return count;
    }

    private static List<Kept> currentOf(List<Kept> message) {
        List<Kept> current = new ArrayList<>();
        for (Kept kept : message) {
            if (kept.current) {
                current.add(kept);
            }
        }
        return current;
    }

    void close() {
        os.close(in);
        os.close(out);
    }

    /** How many messages wait. */
    int length() {
        return messages.size();
    }
}
