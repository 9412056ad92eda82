package io.jsupervise.io;

import io.jsupervise.lifecycle.Effect;
import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.Look;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Now;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.supervision.SupervisorEvent;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/**
 * Looks at the heartbeat files of services, and touches our own. Each look is a task of its own for the executor: a
 * file system that hangs holds up one of its threads and nobody else.
 */
public final class HeartbeatFiles {
    private final Os os;
    private volatile Path ours;
    private final Executor executor;
    private final Consumer<SupervisorEvent> results;
    private final Consumer<OsException> failures;

    /**
     * @param ours     our own heartbeat file, for watchdog(8)
     * @param results  gets a HeartbeatLookedAt for each look, on the executor's threads
     * @param failures is told when our own heartbeat cannot be written
     */
    public HeartbeatFiles(
            Os os, Path ours, Executor executor, Consumer<SupervisorEvent> results, Consumer<OsException> failures) {
        this.os = os;
        this.ours = ours;
        this.executor = executor;
        this.results = results;
        this.failures = failures;
    }

    /** Another file of ours from now on. */
    public void ours(Path file) {
        ours = file;
    }

    /** Orders a look; never waits. */
    public void look(Effect.LookAtHeartbeat order) {
        executor.execute(() -> results.accept(new SupervisorEvent.OfService(
                order.service(), new Event.HeartbeatLookedAt(order.run(), lookAt(order.file())))));
    }

    /** The same for a file that says that a service is ready. */
    public void look(Effect.LookAtReadyFile order) {
        executor.execute(() -> results.accept(new SupervisorEvent.OfService(
                order.service(), new Event.ReadyFileLookedAt(order.run(), lookAt(order.file())))));
    }

    /** Orders a touch of our own heartbeat file; never waits. */
    public void touchOurs() {
        executor.execute(() -> {
            try {
                os.touch(ours);
            } catch (OsException e) {
                failures.accept(e);
            }
        });
    }

    /**
     * One stat(2) between two readings of the clock, since there may be any time between them: a beat that comes
     * meanwhile must neither seem to lie in the future, nor be missing at a moment at which nobody looked any more.
     */
    private Look lookAt(Path file) {
        MonotonicTime begun = os.now();
        Optional<Look.Stamp> stamp = Optional.empty();
        Optional<String> problem = Optional.empty();
        try {
            Optional<FileStat> stat = os.stat(file);
            if (stat.isPresent() && isUntouched(stat.get())) {
                stat = Optional.empty();
            }
            if (stat.isPresent() && stat.get().kind() == FileStat.Kind.REGULAR) {
                stamp = Optional.of(
                        new Look.Stamp(stat.get().inode(), stat.get().mtime()));
            } else if (stat.isPresent()) {
                problem = Optional.of("is " + stat.get().kind().words());
            }
        } catch (OsException e) {
            problem = Optional.of(e.getMessage());
        }
        return new Look(begun, new Now(os.now(), os.wallClock()), stamp, problem);
    }

    /** Made by us for a service that may not make it itself: see {@link Belongings}. */
    private static boolean isUntouched(FileStat stat) {
        return stat.mtime().equals(Instant.EPOCH);
    }
}
