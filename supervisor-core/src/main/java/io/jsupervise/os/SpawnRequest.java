package io.jsupervise.os;

import io.jsupervise.spec.Privileges;
import io.jsupervise.spec.SpawnSpec;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What to spawn. The child gets its own session and process group, an empty signal mask, default dispositions,
 * /dev/null as standard input, and no other descriptor than 0, 1 and 2.
 *
 * @param argv        program and arguments; the program is looked up in the PATH of {@code environment} unless it
 *                    holds a slash; a relative one with a slash is relative to {@code workingDir}
 * @param workingDir  absolute
 * @param environment the whole environment of the child
 * @param umask       0 to 0777
 * @param stdout      where standard output goes
 * @param stderr      where standard error goes
 * @param privileges  as whom, within which limits
 * @param group       the directory of the control group that it enters before anything else; it stays in ours where empty
 * @param pidVariable the name of a variable in which it finds its own number, where the machine has a shell to set it
 */
public record SpawnRequest(
        List<String> argv,
        Path workingDir,
        Map<String, String> environment,
        int umask,
        Output stdout,
        Output stderr,
        Privileges privileges,
        Optional<Path> group,
        Optional<String> pidVariable) {
    public SpawnRequest {
        argv = List.copyOf(argv);
        environment = Map.copyOf(environment);
    }

    /** What {@code how} asks for, only to be looked at ({@link Os#checkProgram}): it would write to nowhere. */
    public static SpawnRequest toLookAt(SpawnSpec how, Map<String, String> environment) {
        return new SpawnRequest(
                how.command().argv(),
                how.workingDir(),
                environment,
                how.umask(),
                new Output.Null(),
                new Output.Null(),
                how.privileges());
    }

    /** With the privileges that we have ourselves. */
    public SpawnRequest(
            List<String> argv,
            Path workingDir,
            Map<String, String> environment,
            int umask,
            Output stdout,
            Output stderr) {
        this(argv, workingDir, environment, umask, stdout, stderr, Privileges.NONE);
    }

    /** In the control group that we are in, and without knowing its number. */
    public SpawnRequest(
            List<String> argv,
            Path workingDir,
            Map<String, String> environment,
            int umask,
            Output stdout,
            Output stderr,
            Privileges privileges) {
        this(argv, workingDir, environment, umask, stdout, stderr, privileges, Optional.empty(), Optional.empty());
    }

    /** Whether other programs are executed in front of it. */
    public boolean isLoaded() {
        return !privileges.areOurs() || pidVariable.isPresent();
    }

    /** One output stream of a child. */
    public sealed interface Output {
        /** /dev/null. */
        record Null() implements Output {}

        /** The same descriptor of the supervisor: 1 for standard output, 2 for standard error. */
        record Inherit() implements Output {}

        /** A FIFO that the child opens O_RDWR, so that it sees neither SIGPIPE nor end of file. */
        record Fifo(Path path) implements Output {}

        /** A descriptor that we have open. */
        record Descriptor(Fd fd) implements Output {}

        /** Standard error only: whatever standard output is. */
        record SameAsStdout() implements Output {}
    }
}
