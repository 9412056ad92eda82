package io.jsupervise.os.linux;

import io.jsupervise.lifecycle.Pid;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.OsException;
import io.jsupervise.spec.Signal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Children that we did not spawn. As subreaper (prctl(2), PR_SET_CHILD_SUBREAPER), or as the first process of a container,
 * we become the parent of whatever loses its own below us. The kernel gives orphans to the first thread of our process
 * that lives (kernel/exit.c, find_alive_thread), which is the primordial one, and keeps children by thread; since the
 * thread that spawns is another, what proc(5) lists as children of the primordial thread is orphans and nothing else, in a
 * time that depends on them alone. A kernel without that file (CONFIG_PROC_CHILDREN) costs a look at every process.
 *
 * <p>A child of ours keeps its number until we reap it, so it may be signalled by that number as long as nobody reaps it
 * meanwhile: one thread does both.
 */
final class Orphans {
    private static final int PR_SET_CHILD_SUBREAPER = 36;
    private static final int P_PID = 1;
    private static final int WNOHANG = 1;
    private static final int WEXITED = 4;

    private final Kernel kernel;
    private final LinuxFiles files;
    private final Proc proc;
    private final String children;
    private final int self;

    /** Also of other threads than the primordial one, whose children it inherits should they end. */
    private final Set<Integer> spawned = ConcurrentHashMap.newKeySet();

    private volatile boolean spawning;
    private boolean listed = true;
    private byte[] text = new byte[4096];

    Orphans(Kernel kernel, LinuxFiles files, Proc proc) {
        this(kernel, files, proc, true);
    }

    /** @param listed false for a kernel without the list of children */
    Orphans(Kernel kernel, LinuxFiles files, Proc proc, boolean listed) {
        this.kernel = kernel;
        this.files = files;
        this.proc = proc;
        this.listed = listed;
        this.self = (int) kernel.call(Syscall.GETPID, 0, 0, 0);
        this.children = "/proc/self/task/" + self + "/children";
    }

    void becomeParent() throws OsException {
        Kernel.check(kernel.call(Syscall.PRCTL, PR_SET_CHILD_SUBREAPER, 1, 0), "prctl", "PR_SET_CHILD_SUBREAPER");
    }

    /** From here to {@link #hasSpawned} there may be a child whose number we do not know yet. */
    void willSpawn() {
        spawning = true;
    }

    void hasSpawned(Optional<Pid> child) {
        child.ifPresent(pid -> spawned.add(pid.value()));
        spawning = false;
    }

    void reaped(Pid child) {
        spawned.remove(child.value());
    }

    List<Pid> list() throws OsException {
        if (listed) {
            try {
                return parse(read());
            } catch (OsException e) {
                if (e.errno() != Errno.ENOENT) {
                    throw e;
                }
                listed = false;
            }
        }
        return byParent();
    }

    private int read() throws OsException {
        Fd fd = files.open(Path.of(children), OpenMode.READ, 0);
        try {
            int length = 0;
            for (int count = 1; count > 0; length += count) {
                if (length == text.length) {
                    text = java.util.Arrays.copyOf(text, 2 * length);
                }
                count = files.read(fd, text, length, text.length - length);
            }
            return length;
        } finally {
            files.close(fd);
        }
    }

    /** Numbers, a blank behind each. */
    private List<Pid> parse(int length) {
        if (length == 0) {
            return List.of();
        }
        List<Pid> pids = new ArrayList<>();
        int number = 0;
        for (int i = 0; i < length; i++) {
            if (text[i] >= '0' && text[i] <= '9') {
                number = 10 * number + text[i] - '0';
            } else {
                add(number, pids);
                number = 0;
            }
        }
        add(number, pids);
        return pids;
    }

    private void add(int number, List<Pid> pids) {
        if (number > 0 && !spawned.contains(number)) {
            pids.add(new Pid(number));
        }
    }

    private List<Pid> byParent() throws OsException {
        List<Pid> pids = new ArrayList<>();
        if (spawning) {
            // What has just been spawned could not be told from an orphan; the next look will.
            return pids;
        }
        for (Pid pid : proc.pids()) {
            Optional<Proc.Stat> stat = proc.stat(pid);
            if (stat.isPresent() && stat.get().parent() == self) {
                add(pid.value(), pids);
            }
        }
        return spawning ? List.of() : pids;
    }

    boolean reap(Pid orphan) {
        jnr.ffi.Pointer info = kernel.scratch().struct();
        info.putInt(0, 0);
        long result = kernel.call(Syscall.WAITID, P_PID, orphan.value(), info.address(), WEXITED | WNOHANG, 0, 0);
        return result == -Errno.ECHILD.number() || result == 0 && info.getInt(0) != 0;
    }

    void signal(Pid orphan, Signal signal) throws OsException {
        long result = kernel.call(Syscall.KILL, orphan.value(), signal.number(), 0);
        if (result != -Errno.ESRCH.number()) {
            Kernel.check(result, "signal", orphan);
        }
    }
}
