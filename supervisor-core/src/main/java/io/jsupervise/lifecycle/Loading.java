package io.jsupervise.lifecycle;

import io.jsupervise.spec.ServiceSpec;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Set;

/**
 * Whether the program of a service was ever executed, where loaders are executed in front of it: a process keeps the name of
 * what it executed last, also when it has ended. One that ended under the name of a loader has not come as far as to its
 * program, so its exit code is none of the program's. But a program, too, may execute one of these in its place, as scripts
 * do with {@code exec env ..} and {@code exec sh ..}: so only ends that loaders come to are theirs.
 */
final class Loading {
    /** TASK_COMM_LEN without its NUL: what the kernel keeps of a name. */
    private static final int LONGEST_NAME = 15;

    /** What programs execute in their place more often than they fail in front of one; exit 125 where they do (env(1), nice(1)). */
    private static final Set<String> EVERYDAY = Set.of("sh", "env", "nice");

    private Loading() {}

    /** Why there was no program, for people; empty where there was one, or where nobody knows. */
    static Optional<String> failure(ServiceSpec spec, Event.ChildExited event) {
        if (event.program().isEmpty()) {
            return Optional.empty();
        }
        String last = event.program().get();
        String program = spec.spawn().command().program();
        boolean isLoader = spec.loaders().contains(last) && comesTo(event.status(), EVERYDAY.contains(last));
        if (!isLoader || last.equals(kept(program.substring(program.lastIndexOf('/') + 1)))) {
            return Optional.empty();
        }
        return Optional.of("cannot execute " + program + ": " + last + "(1), executed in front of it, ended with "
                + event.status() + "; its output says why");
    }

    /** 126 and 127 are of whoever cannot execute the next one; a signal may end anybody. */
    private static boolean comesTo(ExitStatus status, boolean everyday) {
        if (status instanceof ExitStatus.Exited exited) {
            return exited.code() >= 125 && exited.code() <= 127 || exited.code() == 1 && !everyday;
        }
        return true;
    }

    /** How a run ended, for people. */
    static String reason(Event.ChildExited event) {
        long killed = event.killedForMemory();
        if (killed == 0) {
            return event.status().toString();
        }
        return event.status()
                + "; the memory that its resources allow, or all of the machine, was used up, and the kernel killed "
                + (killed == 1 ? "one process" : killed + " processes") + " of it since it was started";
    }

    private static String kept(String name) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        return bytes.length <= LONGEST_NAME ? name : new String(bytes, 0, LONGEST_NAME, StandardCharsets.UTF_8);
    }
}
