package io.jsupervise.os.linux;

import io.jsupervise.lifecycle.Bearer;
import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.os.Fd;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.OsException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The search for processes that a supervisor started, by what they carry (proc(5): environ, fd). A process that ends
 * while it is looked at, or that belongs to somebody whose processes we may not read, is passed over.
 */
final class Marks {
    private static final byte[] RUN = "JSUPERVISE_RUN_ID=".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] SERVICE = "JSUPERVISE_SERVICE=".getBytes(StandardCharsets.US_ASCII);

    /** What the kernel says behind the path of a file that has lost it. */
    private static final String REMOVED = " (deleted)";

    /** USER_HZ: start times in /proc are counted in it on every architecture that Linux and Java share. */
    private static final long TICKS_PER_SECOND = 100;

    private static final int LARGEST_ENVIRONMENT = 4 << 20;

    private final Proc proc;
    private final LinuxFiles files;
    private final String fifos;
    private byte[] text = new byte[16 << 10];

    Marks(Proc proc, LinuxFiles files, Path fifos) {
        this.proc = proc;
        this.files = files;
        this.fifos = fifos + "/";
    }

    List<Bearer> bearers() throws OsException {
        long ticks = ticksSinceBoot();
        List<Bearer> bearers = new ArrayList<>();
        for (Pid pid : proc.pids()) {
            look(pid, ticks).ifPresent(bearers::add);
        }
        bearers.sort((a, b) ->
                Integer.compare(a.identity().pid().value(), b.identity().pid().value()));
        return bearers;
    }

    Optional<Bearer> bearer(Pid pid) throws OsException {
        return look(pid, ticksSinceBoot());
    }

    List<ProcessIdentity> started(String program, String variable, String value) throws OsException {
        byte[] name = (variable + "=").getBytes(StandardCharsets.UTF_8);
        List<ProcessIdentity> started = new ArrayList<>();
        for (Pid pid : proc.pids()) {
            boolean isIt = nameOf(pid).equals(program)
                    && value(name, readEnvironment(pid)).equals(Optional.of(value));
            if (isIt) {
                Optional<Proc.Stat> stat = proc.stat(pid);
                if (stat.isPresent() && stat.get().isAlive()) {
                    started.add(new ProcessIdentity(pid, stat.get().startTime()));
                }
            }
        }
        return started;
    }

    private String nameOf(Pid pid) {
        try {
            return proc.line("/proc/" + pid + "/comm");
        } catch (OsException e) {
            return "";
        }
    }

    private Optional<Bearer> look(Pid pid, long ticks) {
        int length = readEnvironment(pid);
        Optional<String> run = value(RUN, length);
        String service = run.isPresent() ? value(SERVICE, length).orElse("") : serviceOfOutput(pid);
        if (service.isEmpty()) {
            return Optional.empty();
        }
        // After the marks: if the process is the same now, so it was when they were read.
        Optional<Proc.Stat> stat = proc.stat(pid);
        if (stat.isEmpty() || !stat.get().isAlive()) {
            return Optional.empty();
        }
        long age = Math.max(0, ticks - stat.get().startTime());
        return Optional.of(new Bearer(
                new ProcessIdentity(pid, stat.get().startTime()),
                stat.get().group(),
                stat.get().session(),
                Duration.ofMillis(age * 1000 / TICKS_PER_SECOND),
                run.map(RunId::new),
                service));
    }

    /** Bytes of the environment in {@link #text}; 0 where it cannot be read. A large one is read in many pieces. */
    private int readEnvironment(Pid pid) {
        int length = 0;
        try {
            Fd fd = files.open(Path.of("/proc/" + pid + "/environ"), OpenMode.READ, 0);
            try {
                for (int count = 1; count > 0 && length < LARGEST_ENVIRONMENT; length += count) {
                    if (length == text.length) {
                        text = Arrays.copyOf(text, 2 * length);
                    }
                    count = files.read(fd, text, length, text.length - length);
                }
            } finally {
                files.close(fd);
            }
        } catch (OsException e) {
            // ENOENT or ESRCH: it has ended; EACCES: it belongs to somebody else.
            return 0;
        }
        return length;
    }

    private Optional<String> value(byte[] name, int length) {
        for (int start = 0; start + name.length <= length; start = afterZero(start, length)) {
            if (Arrays.equals(text, start, start + name.length, name, 0, name.length)) {
                int end = afterZero(start, length);
                boolean closed = text[end - 1] == 0;
                int from = start + name.length;
                return Optional.of(new String(text, from, end - from - (closed ? 1 : 0), StandardCharsets.UTF_8));
            }
        }
        return Optional.empty();
    }

    private int afterZero(int start, int length) {
        int at = start;
        while (at < length && text[at] != 0) {
            at++;
        }
        return Math.min(length, at + 1);
    }

    /** {@code NAME} where standard output or error is {@code FIFOS/NAME.out} or {@code NAME.err}; or nothing. */
    private String serviceOfOutput(Pid pid) {
        for (int fd = 1; fd <= 2; fd++) {
            try {
                String target =
                        files.readLink(Path.of("/proc/" + pid + "/fd/" + fd)).orElse("");
                if (target.isEmpty()) {
                    return "";
                }
                if (target.endsWith(REMOVED)) {
                    target = target.substring(0, target.length() - REMOVED.length());
                }
                if (target.startsWith(fifos) && (target.endsWith(".out") || target.endsWith(".err"))) {
                    return target.substring(fifos.length(), target.length() - 4);
                }
            } catch (OsException e) {
                return "";
            }
        }
        return "";
    }

    /** On the clock of start times, which counts the time that the machine slept (CLOCK_BOOTTIME). */
    private long ticksSinceBoot() throws OsException {
        String line = proc.line("/proc/uptime");
        int dot = line.indexOf('.');
        return Long.parseLong(line.substring(0, dot)) * TICKS_PER_SECOND
                + Long.parseLong(line.substring(dot + 1, dot + 3));
    }
}
