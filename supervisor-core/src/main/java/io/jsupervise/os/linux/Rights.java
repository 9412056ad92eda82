package io.jsupervise.os.linux;

import io.jsupervise.os.OsException;
import io.jsupervise.spec.Limit;
import io.jsupervise.spec.ResourceLimit;
import java.util.OptionalLong;
import jnr.ffi.Pointer;

/** What this process may do (capabilities(7), getrlimit(2)), and so what it can give to its children. Any thread. */
public final class Rights {
    private static final int CAP_SETGID = 6;
    private static final int CAP_SETUID = 7;
    private static final int CAP_SYS_NICE = 23;
    private static final int CAP_SYS_RESOURCE = 24;
    private static final long RLIM_INFINITY = -1;

    private static final int LONGEST_STATUS = 8192;

    private final Kernel kernel;
    private final Proc proc;

    Rights(Kernel kernel, Proc proc) {
        this.kernel = kernel;
        this.proc = proc;
    }

    public int gid() {
        return (int) kernel.call(Syscall.GETEGID, 0, 0, 0);
    }

    public boolean maySwitchUser() {
        return has(CAP_SETUID) && has(CAP_SETGID);
    }

    public boolean mayRaiseLimits() {
        return has(CAP_SYS_RESOURCE);
    }

    /** Whether a thread of ours may take {@code nice}, and any other after that. */
    boolean mayReturnFromNice() {
        return has(CAP_SYS_NICE);
    }

    /** Whether a child of ours may have {@code nice}: a lower one than ours takes a privilege, or a limit (sched(7)). */
    public boolean mayHaveNice(int nice) {
        OptionalLong limit = limit(Limit.NICE).soft();
        return nice >= nice() || has(CAP_SYS_NICE) || limit.isEmpty() || nice >= 20 - limit.getAsLong();
    }

    /** Of the thread that asks. */
    int nice() {
        return (int) (20 - kernel.call(Syscall.GETPRIORITY, 0, 0, 0));
    }

    /** How much we may have of something ourselves. */
    public ResourceLimit limit(Limit what) {
        Pointer struct = kernel.scratch().struct();
        struct.putLong(0, RLIM_INFINITY);
        struct.putLong(8, RLIM_INFINITY);
        kernel.call(Syscall.PRLIMIT64, 0, what.number(), 0, struct.address(), 0, 0);
        return new ResourceLimit(what, bound(struct.getLong(0)), bound(struct.getLong(8)));
    }

    private static OptionalLong bound(long value) {
        return value < 0 ? OptionalLong.empty() : OptionalLong.of(value);
    }

    /** A number from a file below /proc. */
    private long number(String file, long otherwise) {
        try {
            return Long.parseLong(proc.line(file));
        } catch (OsException | NumberFormatException e) {
            return otherwise;
        }
    }

    /** More open files than this are given to nobody, root included. */
    public long mostOpenFiles() {
        return number("/proc/sys/fs/nr_open", Long.MAX_VALUE);
    }

    public int oomScoreAdj() {
        return (int) number("/proc/self/oom_score_adj", 0);
    }

    /** Effective, by {@code /proc/self/status}; root in a container has some of them only. */
    private boolean has(int capability) {
        try {
            String status = proc.text("/proc/thread-self/status", LONGEST_STATUS);
            int at = status.indexOf("CapEff:");
            if (at < 0) {
                return false;
            }
            int end = status.indexOf('\n', at);
            long effective =
                    Long.parseUnsignedLong(status.substring(at + 7, end).strip(), 16);
            return (effective >> capability & 1) != 0;
        } catch (OsException e) {
            return false;
        }
    }
}
