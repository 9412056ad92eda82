package io.jsupervise.os.linux;

import io.jsupervise.os.Errno;
import io.jsupervise.os.OsException;
import io.jsupervise.os.SpawnException;
import io.jsupervise.spec.Credentials;
import java.nio.file.Path;
import java.util.List;
import jnr.ffi.Pointer;

/**
 * Asks the kernel what another user may do with files, as that user: modes, access lists and security modules all have
 * their say then. The asking thread takes the user's rights on files for the moment of a question (setfsuid(2), setfsgid(2)
 * and setgroups(2), as raw system calls, which change one thread only). Its real, effective and saved user stay ours, so
 * nobody gets to signal or trace us meanwhile (kill(2), ptrace(2)), and no privilege is needed to go back.
 *
 * <p>The kernel takes such a change for a reason to forbid core dumps of the whole process (prctl(2), PR_SET_DUMPABLE);
 * that is allowed again afterwards, where it was. Of one thread, the one that spawns.
 */
final class FileRights {
    private static final int PR_GET_DUMPABLE = 3;
    private static final int PR_SET_DUMPABLE = 4;
    private static final int NOBODY = -1;

    /** No address of a program, on any architecture: reading there fails, always. */
    private static final long UNREADABLE = -4096;

    private final Kernel kernel;
    private final int uid;
    private final int gid;
    private final int[] groups;

    /** Whether our own rights could not be taken back; nothing may be spawned or asked before they are. */
    private boolean lost;

    FileRights(Kernel kernel) {
        this.kernel = kernel;
        this.uid = (int) kernel.call(Syscall.GETEUID, 0, 0, 0);
        this.gid = (int) kernel.call(Syscall.GETEGID, 0, 0, 0);
        int count = (int) kernel.call(Syscall.GETGROUPS, 0, 0, 0);
        Pointer list = kernel.memory(Math.max(4, 4 * count));
        kernel.call(Syscall.GETGROUPS, count, list.address(), 0);
        this.groups = new int[count];
        list.get(0, groups, 0, count);
    }

    /** Something that is asked with the rights of another. */
    interface Question {
        void ask() throws SpawnException;
    }

    /** @throws SpawnException what the question threw, or that those rights cannot be had, or not be given up */
    void as(Credentials who, Question question) throws SpawnException {
        takeBack();
        long dumpable = kernel.call(Syscall.PRCTL, PR_GET_DUMPABLE, 0, 0);
        lost = true;
        try {
            List<Integer> its = who.groups();
            int[] theirs = new int[its.size()];
            for (int i = 0; i < theirs.length; i++) {
                theirs[i] = its.get(i);
            }
            if (!take(who.uid(), who.gid(), theirs)) {
                throw new SpawnException(Errno.EPERM, "look at its files as user " + who.user());
            }
            question.ask();
        } finally {
            takeBack();
            if (dumpable == 1) {
                kernel.call(Syscall.PRCTL, PR_SET_DUMPABLE, 1, 0);
            }
        }
    }

    /**
     * Makes sure that this thread is itself again. As long as it is not, it has fewer rights than it should, never more, and
     * must not spawn: children would inherit the groups.
     */
    void takeBack() throws SpawnException {
        if (lost) {
            if (!take(uid, gid, groups)) {
                throw new SpawnException(
                        Errno.ENOMEM, "take back our own rights on files, nothing is started before that");
            }
            lost = false;
        }
    }

    /** These calls tell no errors, only who it was before. */
    private boolean take(int newUid, int newGid, int[] newGroups) {
        Pointer list = kernel.memory(Math.max(4, 4 * newGroups.length));
        list.put(0, newGroups, 0, newGroups.length);
        boolean done = kernel.call(Syscall.SETGROUPS, newGroups.length, list.address(), 0) == 0;
        kernel.call(Syscall.SETFSGID, newGid, 0, 0);
        kernel.call(Syscall.SETFSUID, newUid, 0, 0);
        done &= (int) kernel.call(Syscall.SETFSGID, NOBODY, 0, 0) == newGid;
        return done && (int) kernel.call(Syscall.SETFSUID, NOBODY, 0, 0) == newUid;
    }

    /**
     * Why {@code file} cannot be executed by whose rights this thread has now; 0 where it can. Asked of execve(2) itself,
     * since access(2) knows nothing of a file that is being written (ETXTBSY), nor, before kernel 5.8, of other rights than
     * those of the real user: it opens the file first, then fails to read the arguments (EFAULT), so that nothing is ever
     * executed. (An absent list of arguments would be taken for an empty one.) What the file holds is not looked at.
     */
    int whyNotExecutable(Path file) {
        try {
            int errno = (int) -kernel.call(Syscall.EXECVE, kernel.path(file), UNREADABLE, UNREADABLE);
            return errno == Errno.EFAULT.number() ? 0 : errno;
        } catch (OsException e) {
            return e.errno().number();
        }
    }
}
