package io.jsupervise.os.linux;

import io.jsupervise.os.Errno;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.OsException;
import io.jsupervise.os.SpawnException;
import io.jsupervise.os.SpawnRequest;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Why exec refused: the errno alone does not tell whether the working directory, the program, its interpreter or a FIFO
 * is at fault. Looked for after the refusal, so that a spawn that works pays nothing for it.
 */
final class SpawnRefusal {
    private final LinuxFiles files;
    private final Path program;
    private final SpawnRequest request;

    SpawnRefusal(LinuxFiles files, Path program, SpawnRequest request) {
        this.files = files;
        this.program = program;
        this.request = request;
    }

    /** The most exact account of {@code refusal}; itself where no more can be said. */
    SpawnException explain(SpawnException refusal) {
        Errno errno = refusal.errno();
        if (errno == Errno.EAGAIN || errno == Errno.ENOMEM || errno == Errno.E2BIG) {
            return refusal;
        }
        try {
            Optional<SpawnException> cause = workingDir();
            if (cause.isEmpty()) {
                cause = fifo(request.stdout());
            }
            if (cause.isEmpty()) {
                cause = fifo(request.stderr());
            }
            if (cause.isEmpty()) {
                cause = program(errno);
            }
            return cause.orElse(refusal);
        } catch (OsException e) {
            return refusal;
        }
    }

    private Optional<SpawnException> workingDir() throws OsException {
        Path dir = request.workingDir();
        String what = "working directory " + dir;
        Optional<FileStat> stat = files.stat(dir);
        if (stat.isEmpty()) {
            return Optional.of(new SpawnException(Errno.ENOENT, what));
        }
        if (stat.get().kind() != FileStat.Kind.DIRECTORY) {
            return Optional.of(new SpawnException(Errno.ENOTDIR, what));
        }
        return files.isExecutable(dir) ? Optional.empty() : Optional.of(new SpawnException(Errno.EACCES, what));
    }

    private Optional<SpawnException> fifo(SpawnRequest.Output output) throws OsException {
        if (output instanceof SpawnRequest.Output.Fifo fifo
                && files.stat(fifo.path()).isEmpty()) {
            return Optional.of(new SpawnException(Errno.ENOENT, "log FIFO " + fifo.path()));
        }
        return Optional.empty();
    }

    private Optional<SpawnException> program(Errno errno) throws OsException {
        Path file = request.workingDir().resolve(program);
        Optional<FileStat> stat = files.stat(file);
        if (stat.isEmpty()) {
            return Optional.of(new SpawnException(Errno.ENOENT, program.toString()));
        }
        if (stat.get().kind() == FileStat.Kind.DIRECTORY) {
            return Optional.of(new SpawnException(Errno.EISDIR, program.toString()));
        }
        if (!files.isExecutable(file)) {
            return Optional.of(new SpawnException(Errno.EACCES, program + " is not executable"));
        }
        return interpreter(file, errno);
    }

    /** The first line of a script names a program too (execve(2)). */
    private Optional<SpawnException> interpreter(Path file, Errno errno) throws OsException {
        byte[] head = Script.head(files, file);
        Optional<Script> script = Script.parse(head);
        if (script.isEmpty()) {
            return errno == Errno.ENOENT && head.length > 4 && head[0] == 0x7f && head[1] == 'E'
                    ? Optional.of(new SpawnException(Errno.ENOENT, "the dynamic loader of " + program))
                    : Optional.empty();
        }
        String name = script.get().interpreter();
        if (name.isEmpty()) {
            return Optional.of(new SpawnException(Errno.ENOEXEC, program + " names no interpreter after #!"));
        }
        String what = script.get().of(program);
        Path interpreter = request.workingDir().resolve(name);
        if (script.get().carriageReturn() || files.stat(interpreter).isEmpty()) {
            return Optional.of(new SpawnException(Errno.ENOENT, what));
        }
        return files.isExecutable(interpreter) ? Optional.empty() : Optional.of(new SpawnException(Errno.EACCES, what));
    }
}
