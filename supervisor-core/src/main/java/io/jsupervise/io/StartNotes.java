package io.jsupervise.io;

import io.jsupervise.lifecycle.Bearer;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.os.Fd;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.spec.ServiceName;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32;

/**
 * Which process each service had last, noted by one pwrite(2) in the moment after it was started. The journal tells the
 * same some milliseconds later, when the record is on the disk. A child that is started and not recorded when we are
 * killed is found by its mark, but only while it lives: one that has ended by the time the next supervisor looks would
 * be known to nobody, and its end, and the restart that follows, not be counted.
 *
 * <p>Notes are for the time after a kill, in this boot, so they are never synced, and lie in the runtime directory, which
 * is mostly in memory: a start never waits for a disk. They are needless where all goes well, so a failure is no reason
 * to do anything else but say so.
 *
 * <p>Each service has a slot, which does not cross a page: a kill cannot tear it. A full file system can: what it wrote of
 * a note, and the rest of the one before, would name an old process as of the new run. So a note ends with its checksum.
 * The first slot tells the boot. What an earlier supervisor noted stays until its service starts again, which waits for the
 * record of that run's end. Opened by the main thread; then only the spawner's.
 */
public final class StartNotes {
    /** A divisor of all page sizes; a name, a run, three numbers and the checksum need less than 190. */
    private static final int SLOT = 256;

    private final Os os;
    private final Path path;
    private final Map<ServiceName, Integer> slots = new HashMap<>();
    private final byte[] line = new byte[SLOT];
    private int lastSlot;
    private boolean opened;
    private Optional<Fd> file = Optional.empty();

    public StartNotes(Os os, Path path) {
        this.os = os;
        this.path = path;
    }

    /**
     * Goes on with the file that is there; where this is not called it begins empty.
     *
     * @return main processes that were noted in this boot, living or not
     */
    public List<Bearer> takeOver() throws OsException {
        return open(read());
    }

    private List<Bearer> open(byte[] text) throws OsException {
        opened = true;
        List<Bearer> noted = new ArrayList<>();
        MonotonicTime now = os.now();
        if (os.bootId().equals(wordsAt(text, 0)[0])) {
            for (int slot = 1; slot * SLOT < text.length; slot++) {
                note(wordsAt(text, slot), slot, now).ifPresent(noted::add);
            }
        }
        Fd fd = os.open(path, OpenMode.WRITE, 0600);
        file = Optional.of(fd);
        if (noted.isEmpty()) {
            slots.clear();
            os.truncate(fd, 0);
            write(0, os.bootId());
        }
        return noted;
    }

    private byte[] read() throws OsException {
        opened = true;
        Optional<FileStat> there = os.stat(path);
        if (there.isEmpty()) {
            return new byte[0];
        }
        byte[] text = new byte[(int) Math.min(there.get().size(), Integer.MAX_VALUE / 2)];
        Fd fd = os.open(path, OpenMode.READ, 0);
        try {
            int length = 0;
            for (int count = 1; count > 0 && length < text.length; length += count) {
                count = os.read(fd, text, length, text.length - length);
            }
            return Arrays.copyOf(text, length);
        } finally {
            os.close(fd);
        }
    }

    private static String[] wordsAt(byte[] text, int slot) {
        int from = Math.min(text.length, slot * SLOT);
        int length = Math.min(text.length - from, SLOT);
        return new String(text, from, length, StandardCharsets.US_ASCII).trim().split(" ", 7);
    }

    /** Empty where this is no note: a slot that was never written, or in pieces, or by another version. */
    private Optional<Bearer> note(String[] words, int slot, MonotonicTime now) {
        if (words.length != 6 || !ServiceName.isValid(words[0]) || !isWhole(words)) {
            return Optional.empty();
        }
        try {
            int pid = Integer.parseInt(words[2]);
            ProcessIdentity identity = new ProcessIdentity(new Pid(pid), Long.parseLong(words[3]));
            Duration age = now.since(new MonotonicTime(Long.parseLong(words[4])));
            slots.put(new ServiceName(words[0]), slot);
            lastSlot = slot;
            return Optional.of(new Bearer(
                    identity,
                    pid,
                    pid,
                    age.isNegative() ? Duration.ZERO : age,
                    Optional.of(new RunId(words[1])),
                    words[0]));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private static boolean isWhole(String[] words) {
        return words[5].equals(checksum(String.join(" ", Arrays.copyOf(words, 5))));
    }

    private static String checksum(String note) {
        CRC32 crc = new CRC32();
        crc.update(note.getBytes(StandardCharsets.US_ASCII));
        return Long.toHexString(crc.getValue());
    }

    /** A process was started. Nothing happens where the file could not be opened once. */
    public void started(ServiceName service, RunId run, ProcessIdentity process) throws OsException {
        if (!opened) {
            open(new byte[0]);
        }
        if (file.isEmpty()) {
            return;
        }
        Integer slot = slots.get(service);
        if (slot == null) {
            lastSlot++;
            slot = lastSlot;
            slots.put(service, slot);
        }
        String note = service.value() + " " + run.value() + " " + process.pid().value() + " " + process.startTime()
                + " " + os.now().nanos();
        write(slot, note + " " + checksum(note));
    }

    private void write(int slot, String text) throws OsException {
        Arrays.fill(line, (byte) ' ');
        line[SLOT - 1] = '\n';
        for (int i = 0; i < text.length() && i < SLOT - 1; i++) {
            line[i] = (byte) text.charAt(i);
        }
        // A short write would be a page that cannot be had, and there is no more to be done about that.
        os.writeAt(file.orElseThrow(), (long) slot * SLOT, line, 0, SLOT);
    }
}
