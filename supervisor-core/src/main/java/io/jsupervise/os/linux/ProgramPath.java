package io.jsupervise.os.linux;

import io.jsupervise.os.Errno;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.OsException;
import io.jsupervise.os.SpawnException;
import io.jsupervise.os.SpawnRequest;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Which file a command means: a name with a slash is a path, any other is looked up in the PATH of the child, not in
 * ours, as execvp(3) would do it in the child.
 */
final class ProgramPath {
    /** What execvp(3) searches where there is no PATH. */
    private static final String DEFAULT = "/bin:/usr/bin";

    private final LinuxFiles files;

    ProgramPath(LinuxFiles files) {
        this.files = files;
    }

    /** @return absolute, or relative to the working directory of the request */
    Path of(SpawnRequest request) throws SpawnException {
        String name = request.argv().get(0);
        if (name.indexOf('/') >= 0) {
            return Path.of(name);
        }
        String path = request.environment().getOrDefault("PATH", DEFAULT);
        Path refused = null;
        int from = 0;
        while (from <= path.length()) {
            int colon = path.indexOf(':', from);
            int to = colon < 0 ? path.length() : colon;
            Path candidate = Path.of(path.substring(from, to)).resolve(name);
            if (isFile(request.workingDir().resolve(candidate))) {
                if (isExecutable(request.workingDir().resolve(candidate))) {
                    return to == from ? Path.of("./" + name) : candidate;
                }
                refused = candidate;
            }
            from = to + 1;
        }
        if (refused != null) {
            throw new SpawnException(Errno.EACCES, refused + " is not executable");
        }
        throw new SpawnException(Errno.ENOENT, name + " in PATH " + path);
    }

    private boolean isFile(Path file) {
        try {
            Optional<FileStat> stat = files.stat(file);
            return stat.isPresent() && stat.get().kind() == FileStat.Kind.REGULAR;
        } catch (OsException e) {
            return false;
        }
    }

    private boolean isExecutable(Path file) {
        try {
            return files.isExecutable(file);
        } catch (OsException e) {
            return false;
        }
    }
}
