package io.jsupervise.sim;

import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.spec.Signal;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/** One process: a main process that was spawned, a member of its group, or somebody else's. */
final class SimulatedProcess {
    final ProcessIdentity identity;
    final int group;
    final boolean isMain;
    final Map<String, String> environment;
    final Program program;
    final long bornAt;

    /** Whether the daemon that runs now is its parent. */
    boolean ours;

    Optional<ExitStatus> ended = Optional.empty();
    boolean reaped;
    long lastBeatAt;
    long beats;
    long lines;
    Optional<Signal> fatal = Optional.empty();

    SimulatedProcess(
            ProcessIdentity identity,
            int group,
            boolean isMain,
            Map<String, String> environment,
            Program program,
            long bornAt) {
        this.identity = identity;
        this.group = group;
        this.isMain = isMain;
        this.environment = environment;
        this.program = program;
        this.bornAt = bornAt;
    }

    int pid() {
        return identity.pid().value();
    }

    boolean isAlive() {
        return ended.isEmpty();
    }

    String service() {
        return environment.getOrDefault("JSUPERVISE_SERVICE", "");
    }

    String run() {
        return environment.getOrDefault("JSUPERVISE_RUN_ID", "");
    }

    /** Whether it still beats when {@code at} has come. */
    boolean beatsUntil(long at) {
        return at < bornAt + nanos(program.beats().hangsAt());
    }

    static long nanos(Duration duration) {
        return duration.toNanos();
    }

    @Override
    public String toString() {
        if (environment.containsKey(SimulatedOs.KEEPER)) {
            return "keeper " + pid();
        }
        return (isMain ? "main " : "worker ") + pid() + " of " + service() + " (" + run() + ")";
    }
}
