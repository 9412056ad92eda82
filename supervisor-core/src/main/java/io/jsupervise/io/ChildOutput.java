package io.jsupervise.io;

import io.jsupervise.lifecycle.Pid;
import io.jsupervise.os.Fd;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Finds the FIFO that a living child of an earlier supervisor writes into. Mostly that is the one at its path: device and
 * inode say so. Where somebody has removed that path, or put something else there, the FIFO lives on without a name for
 * as long as the child has it open, and is opened through {@code /proc/PID/fd}; a FIFO without a name cannot get one again
 * (linkat(2)). What a child has put in the place of its output itself, a file, or a pipe of its own, is none of ours: only
 * a FIFO counts that has, or had, the name that we give (proc(5) tells that too).
 */
final class ChildOutput {
    private static final String REMOVED = " (deleted)";

    private final Os os;
    private final Path fifoDirectory;

    private static final int LOOKS = 20;

    ChildOutput(Os os, Path fifoDirectory) {
        this.os = os;
        this.fifoDirectory = fifoDirectory;
    }

    /**
     * The FIFO that a child writes into.
     *
     * @param nameless the FIFO, opened, where it is not the one at its path; to be closed by the caller
     */
    record Found(Optional<Fd> nameless) {}

    /**
     * Empty where the descriptor of {@code pid} is no FIFO of this name, or where we may not know: a child of another user
     * (proc(5), PTRACE_MODE_READ).
     */
    Optional<Found> find(Pid pid, int descriptor, String name) throws OsException {
        Optional<Found> found = look(pid, descriptor, name);
        // A shell points its descriptors elsewhere for a moment, as "echo >&2" does.
        for (int again = 0; found.isEmpty() && again < LOOKS; again++) {
            found = look(pid, descriptor, name);
        }
        return found;
    }

    private Optional<Found> look(Pid pid, int descriptor, String name) throws OsException {
        Path link = Path.of("/proc/" + pid.value() + "/fd/" + descriptor);
        try {
            Optional<FileStat> its = os.stat(link);
            if (its.isEmpty() || its.get().kind() != FileStat.Kind.FIFO) {
                return Optional.empty();
            }
            Optional<FileStat> there = os.stat(fifoDirectory.resolve(name));
            if (there.isPresent() && there.get().sameFile(its.get())) {
                return Optional.of(new Found(Optional.empty()));
            }
            return isNamed(link, name) ? open(link, name) : Optional.empty();
        } catch (OsException e) {
            return switch (e.errno()) {
                case EACCES, EPERM, ENOENT, ESRCH -> Optional.empty();
                default -> throw e;
            };
        }
    }

    /** The kernel names files without symbolic links on their way; so it does the directory, if that is asked for alike. */
    private boolean isNamed(Path link, String name) throws OsException {
        String target = os.readLink(link).orElse("");
        os.mkdir(fifoDirectory, 0755);
        Fd directory = os.open(fifoDirectory, OpenMode.DIRECTORY, 0);
        try {
            String here =
                    os.readLink(Path.of("/proc/self/fd/" + directory.number())).orElse(fifoDirectory.toString());
            return target.equals(here + "/" + name) || target.equals(here + "/" + name + REMOVED);
        } finally {
            os.close(directory);
        }
    }

    /** What was opened is asked for its name: the link may lead to another FIFO than a moment before. */
    private Optional<Found> open(Path link, String name) throws OsException {
        Fd fifo = os.open(link, OpenMode.FIFO, 0);
        boolean same = false;
        try {
            same = isNamed(Path.of("/proc/self/fd/" + fifo.number()), name);
        } finally {
            if (!same) {
                os.close(fifo);
            }
        }
        return same ? Optional.of(new Found(Optional.of(fifo))) : Optional.empty();
    }
}
