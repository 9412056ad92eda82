package io.jsupervise.os.linux;

import io.jsupervise.os.Errno;
import io.jsupervise.os.OsException;
import io.jsupervise.os.SpawnException;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.spec.Credentials;
import java.nio.file.Path;
import java.util.Optional;
import jnr.ffi.Pointer;

/**
 * Finds out before a chain of loaders begins whether its last one will be able to execute the program of the service: with
 * the rights of the service's user, and with an errno and a path where it will not. What execve(2) refuses at the end of a
 * chain, the supervisor only learns as exit 126 or 127 of a loader.
 */
final class LoadedProgram {
    /** What execvp(3), by which loaders execute, searches where there is no PATH. */
    private static final String DEFAULT_PATH = "/bin:/usr/bin";

    private static final int STATX_BASIC_STATS = 0x7ff;

    private final Kernel kernel;
    private final LinuxFiles files;
    private final FileRights rights;

    LoadedProgram(Kernel kernel, LinuxFiles files, FileRights rights) {
        this.kernel = kernel;
        this.files = files;
        this.rights = rights;
    }

    /**
     * @return whether the last loader has to look the program up with the rights of the user, because with ours it would find
     *     another one: setpriv(1) still has our capabilities when it executes the next
     */
    boolean check(SpawnRequest request, boolean asItsUser) throws SpawnException {
        Optional<Credentials> who = request.privileges().credentials();
        if (asItsUser && who.isPresent()) {
            Path[] found = new Path[1];
            rights.as(
                    who.get(),
                    () -> found[0] = check(request, " for user " + who.get().user()));
            return !found[0].equals(found(request));
        }
        check(request, "");
        return false;
    }

    /** What we would execute ourselves; null where nothing. */
    private Path found(SpawnRequest request) {
        String name = request.argv().get(0);
        try {
            return name.indexOf('/') >= 0 ? request.workingDir().resolve(name) : byName(request, name, "");
        } catch (SpawnException e) {
            return null;
        }
    }

    /** The program. */
    private Path check(SpawnRequest request, String whom) throws SpawnException {
        int errno = whyNotReachable(request.workingDir());
        if (errno != 0) {
            throw new SpawnException(Errno.of(errno), "working directory " + request.workingDir() + whom);
        }
        String name = request.argv().get(0);
        Path program = name.indexOf('/') >= 0 ? byPath(request, name, whom) : byName(request, name, whom);
        interpreter(request, program, whom);
        return program;
    }

    /** To search a directory takes more than to reach it: its own entry for itself has to be found in it. */
    private int whyNotReachable(Path directory) {
        Pointer struct = kernel.scratch().struct();
        try {
            return (int) -kernel.call(
                    Syscall.STATX,
                    Kernel.AT_FDCWD,
                    kernel.path(directory.resolve(".")),
                    0,
                    STATX_BASIC_STATS,
                    struct.address(),
                    0);
        } catch (OsException e) {
            return e.errno().number();
        }
    }

    private Path byPath(SpawnRequest request, String name, String whom) throws SpawnException {
        Path program = request.workingDir().resolve(name);
        int errno = rights.whyNotExecutable(program);
        if (errno != 0) {
            throw refused(errno, name, whom);
        }
        return program;
    }

    /** As execvp(3) does it: what is missing or forbidden is passed over, any other refusal ends the search. */
    private Path byName(SpawnRequest request, String name, String whom) throws SpawnException {
        String path = request.environment().getOrDefault("PATH", DEFAULT_PATH);
        String forbidden = "";
        int from = 0;
        while (from <= path.length()) {
            int colon = path.indexOf(':', from);
            int to = colon < 0 ? path.length() : colon;
            Path candidate =
                    request.workingDir().resolve(path.substring(from, to)).resolve(name);
            int errno = rights.whyNotExecutable(candidate);
            if (errno == 0) {
                return candidate;
            } else if (errno == Errno.EACCES.number()) {
                forbidden = forbidden.isEmpty() ? candidate.toString() : forbidden;
            } else if (errno != Errno.ENOENT.number() && errno != Errno.ENOTDIR.number()) {
                throw refused(errno, candidate.toString(), whom);
            }
            from = to + 1;
        }
        if (!forbidden.isEmpty()) {
            throw refused(Errno.EACCES.number(), forbidden, whom);
        }
        throw new SpawnException(Errno.ENOENT, name + " in PATH " + path);
    }

    private static SpawnException refused(int errno, String program, String whom) {
        boolean forbidden = errno == Errno.EACCES.number();
        return new SpawnException(Errno.of(errno), program + (forbidden ? " is not executable" + whom : ""));
    }

    /** The one that a script names, or the dynamic loader. A file that may be executed but not read tells nothing. */
    private void interpreter(SpawnRequest request, Path program, String whom) throws SpawnException {
        byte[] head;
        try {
            head = Script.head(files, program);
        } catch (OsException e) {
            return;
        }
        Optional<Script> script = Script.parse(head);
        if (script.isPresent()) {
            if (script.get().interpreter().isEmpty()) {
                throw new SpawnException(Errno.ENOEXEC, program + " names no interpreter after #!");
            }
            if (script.get().carriageReturn()) {
                throw new SpawnException(Errno.ENOENT, script.get().of(program));
            }
            execute(request, script.get().interpreter(), script.get().of(program), whom);
        } else {
            Optional<String> loader = DynamicLoader.of(head);
            if (loader.isPresent()) {
                execute(request, loader.get(), "the dynamic loader " + loader.get() + " of " + program, whom);
            }
        }
    }

    private void execute(SpawnRequest request, String interpreter, String what, String whom) throws SpawnException {
        int errno = rights.whyNotExecutable(request.workingDir().resolve(interpreter));
        if (errno != 0) {
            throw refused(errno, what, whom);
        }
    }
}
