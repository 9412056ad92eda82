package io.jsupervise.os.linux;

import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.os.Fd;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.OsException;
import io.jsupervise.os.ProcessStat;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What proc(5) tells of processes. */
final class Proc {
    private final LinuxFiles files;

    /**
     * A process, as its {@code stat} file has it.
     *
     * @param state    R, S, D, T, Z, X ...
     * @param parent   0 where we may not see it
     * @param exitCode of a zombie, as wait(2) gives it; 0 also where we may not know it: {@link Proc#mayInspect}
     */
    record Stat(char state, int parent, int group, int session, long startTime, int exitCode) {
        boolean isZombie() {
            return state == 'Z';
        }

        boolean isAlive() {
            return state != 'Z' && state != 'X' && state != 'x';
        }
    }

    Proc(LinuxFiles files) {
        this.files = files;
    }

    /** {@code /proc/PID/stat}; empty where there is no such process. */
    Optional<Stat> stat(Pid pid) {
        return stat("/proc/" + pid.value() + "/stat");
    }

    Optional<Stat> self() {
        return stat("/proc/self/stat");
    }

    private Optional<Stat> stat(String file) {
        byte[] text = new byte[1024];
        return parse(text, read(file, text));
    }

    /** Bytes read; 0 where there is no such process (ENOENT, or ESRCH for one that ends while we read). */
    private int read(String file, byte[] text) {
        try {
            Fd fd = files.open(Path.of(file), OpenMode.READ, 0);
            try {
                return files.read(fd, text, 0, text.length);
            } finally {
                files.close(fd);
            }
        } catch (OsException e) {
            return 0;
        }
    }

    /** The same with the name of its program. */
    Optional<ProcessStat> look(Pid pid) {
        byte[] text = new byte[1024];
        int length = read("/proc/" + pid.value() + "/stat", text);
        Optional<Stat> stat = parse(text, length);
        if (stat.isEmpty()) {
            return Optional.empty();
        }
        Stat of = stat.get();
        ProcessIdentity identity = new ProcessIdentity(pid, of.startTime());
        return Optional.of(
                new ProcessStat(identity, of.parent(), of.group(), of.session(), of.state(), name(text, length)));
    }

    private static String name(byte[] text, int length) {
        int from = 0;
        while (text[from] != '(') {
            from++;
        }
        int to = length - 1;
        while (text[to] != ')') {
            to--;
        }
        return new String(text, from + 1, to - from - 1, StandardCharsets.UTF_8);
    }

    /** All processes, zombies included. */
    List<ProcessStat> processes() throws OsException {
        List<ProcessStat> all = new ArrayList<>();
        for (Pid pid : pids()) {
            look(pid).ifPresent(all::add);
        }
        return all;
    }

    /**
     * Field 3 is the state, 4 the parent, 5 the process group, 6 the session, 22 the start time, 52 the exit code. Field 2, the name, may hold blanks and parentheses; the last closing one
     * ends it.
     */
    static Optional<Stat> parse(byte[] text, int length) {
        int at = length - 1;
        while (at >= 0 && text[at] != ')') {
            at--;
        }
        if (at < 0 || at + 2 >= length) {
            return Optional.empty();
        }
        char state = (char) text[at + 2];
        int field = 2;
        int parent = 0;
        int group = 0;
        int session = 0;
        long startTime = 0;
        int exitCode = 0;
        for (int i = at + 1; i < length; i++) {
            if (text[i] == ' ') {
                field++;
            } else if (field == 4) {
                parent = 10 * parent + text[i] - '0';
            } else if (field == 5) {
                group = 10 * group + text[i] - '0';
            } else if (field == 6) {
                session = 10 * session + text[i] - '0';
            } else if (field == 22) {
                startTime = 10 * startTime + text[i] - '0';
            } else if (field == 52 && text[i] >= '0' && text[i] <= '9') {
                exitCode = 10 * exitCode + text[i] - '0';
            }
        }
        return field >= 22
                ? Optional.of(new Stat(state, parent, group, session, startTime, exitCode))
                : Optional.empty();
    }

    /**
     * Whether we may see what only the owner of a zombie may (ptrace(2), PTRACE_MODE_READ_FSCREDS). Where we may not, the
     * kernel writes 0 for its exit code without a mark; but the link to its working directory, which is gone with its end
     * (ENOENT), is guarded by the same check (EACCES).
     */
    boolean mayInspect(Pid zombie) {
        try {
            files.stat(Path.of("/proc/" + zombie.value() + "/cwd"));
            return true;
        } catch (OsException e) {
            return false;
        }
    }

    /** The groups that have a member which is no zombie. */
    Set<Integer> livingGroups() throws OsException {
        Set<Integer> groups = new HashSet<>();
        for (Pid pid : pids()) {
            Optional<Stat> stat = stat(pid);
            if (stat.isPresent() && stat.get().isAlive()) {
                groups.add(stat.get().group());
            }
        }
        return groups;
    }

    /** Of all processes, zombies included. */
    List<Pid> pids() throws OsException {
        List<Pid> pids = new ArrayList<>();
        for (String name : files.list(Path.of("/proc"))) {
            if (name.charAt(0) >= '1' && name.charAt(0) <= '9') {
                pids.add(new Pid(Integer.parseInt(name)));
            }
        }
        return pids;
    }

    /** What {@code process} executes, by the name in its {@code stat}; empty where it has been reaped. */
    Optional<String> programName(ProcessIdentity process) {
        String stat;
        try {
            stat = text("/proc/" + process.pid().value() + "/stat", 1024);
        } catch (OsException e) {
            return Optional.empty();
        }
        byte[] bytes = stat.getBytes(StandardCharsets.ISO_8859_1);
        Optional<Stat> parsed = parse(bytes, bytes.length);
        int from = stat.indexOf('(');
        int to = stat.lastIndexOf(')');
        boolean isIts = parsed.isPresent() && parsed.get().startTime() == process.startTime() && from >= 0 && from < to;
        return isIts
                ? Optional.of(new String(bytes, from + 1, to - from - 1, StandardCharsets.UTF_8))
                : Optional.empty();
    }

    /** One line of a file below /proc. */
    String line(String file) throws OsException {
        return text(file, 256).trim();
    }

    /** The beginning of a file below /proc, each byte as one character up to 255. */
    String text(String file, int most) throws OsException {
        byte[] text = new byte[most];
        Fd fd = files.open(Path.of(file), OpenMode.READ, 0);
        try {
            int length = files.read(fd, text, 0, text.length);
            return new String(text, 0, length, StandardCharsets.ISO_8859_1);
        } finally {
            files.close(fd);
        }
    }
}
