package io.jsupervise.io;

import io.jsupervise.lifecycle.Effect;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.os.Child;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.SpawnException;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.spec.SpawnSpec;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * An order to make the process of a check. It runs as and where its service runs, in a session of its own, and bears a mark of its own, so
 * that whoever supervises next finds and ends it. What it says goes into a pipe that only we read: of a program that asks
 * every few seconds, nobody wants to have each answer in the log.
 *
 * @param id     of the process
 * @param answer gets what came of it, on the thread that spawns
 */
public record CheckCall(Effect.RunCheck order, RunId id, Answer answer) {
    /** What came of it. */
    public interface Answer {
        /** @param output where what it says can be read; not to be waited for */
        void spawned(Child child, Fd output);

        /** @param ours whether it is for lack of something of the supervisor's own, which says nothing of the service */
        void failed(String reason, boolean ours);
    }

    /**
     * Spawns it, and answers.
     *
     * @param inherited what a child of the service inherits
     * @param group     the control group that it enters
     */
    void spawn(Os os, Map<String, String> inherited, Optional<Path> group) {
        Fd[] pipe;
        try {
            pipe = os.outputPipe();
        } catch (OsException e) {
            answer.failed(e.getMessage(), true);
            return;
        }
        SpawnSpec how = order.spec().spawn();
        Map<String, String> environment = new HashMap<>(inherited);
        environment.put("JSUPERVISE_RUN_ID", id.value());
        environment.put("JSUPERVISE_CHECK_NAME", order.check().orElse("ready"));
        environment.put("JSUPERVISE_PID", order.main().toString());
        try {
            Child child = os.spawn(new SpawnRequest(
                    order.command().argv(),
                    how.workingDir(),
                    environment,
                    how.umask(),
                    new SpawnRequest.Output.Descriptor(pipe[1]),
                    new SpawnRequest.Output.SameAsStdout(),
                    how.privileges(),
                    group,
                    Optional.empty()));
            os.close(pipe[1]);
            answer.spawned(child, pipe[0]);
        } catch (SpawnException e) {
            os.close(pipe[1]);
            os.close(pipe[0]);
            answer.failed(e.getMessage(), isOurs(e.errno()));
        }
    }

    private static boolean isOurs(Errno errno) {
        return errno == Errno.EMFILE || errno == Errno.ENFILE || errno == Errno.ENOMEM || errno == Errno.EAGAIN;
    }
}
