package io.jsupervise.sim;

import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.spec.Signal;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/** One process: a main process that was spawned, a member of its group, one that left it, or somebody else's. */
final class SimulatedProcess {
    final ProcessIdentity identity;
    final int group;
    final boolean isMain;
    final Map<String, String> environment;
    final Program program;
    final long bornAt;

    /** Whether the daemon that runs now is its parent: it was spawned by that, or lost its own parent below it. */
    boolean ours;

    /** Of a worker or a stray: the main process that made it. */
    Optional<SimulatedProcess> maker = Optional.empty();

    /** Whether it leads a session of its own, though it is no main process. */
    boolean isStray;

    /** Whether nobody of ours started it, whatever mark it bears. */
    boolean isStranger;

    Optional<ExitStatus> ended = Optional.empty();
    boolean reaped;
    long lastSaidAt;
    long said;
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

    /** Whether it is a hook, or what one has made. */
    boolean isHook() {
        return environment.containsKey("JSUPERVISE_HOOK") || !check().isEmpty();
    }

    /** The name of the check that it is of; empty where it is of none. */
    String check() {
        return environment.getOrDefault(CheckWatch.NAME, "");
    }

    /** Whether it is a hook that only tells of its service, or what one has made: nothing waits for it. */
    boolean isAlert() {
        return hook().startsWith("on_");
    }

    /** The kind of hook that it is, as in services.yml; empty where it is none. */
    String hook() {
        return environment.getOrDefault("JSUPERVISE_HOOK", "");
    }

    /** Whether it is what its service is there for: neither a hook nor anything that was left behind. */
    boolean isMainOfService() {
        return isMain && !isHook();
    }

    int session() {
        return isMain || isStray ? pid() : group;
    }

    static long nanos(Duration duration) {
        return duration.toNanos();
    }

    @Override
    public String toString() {
        if (environment.containsKey(SimulatedOs.KEEPER)) {
            return "keeper " + pid();
        }
        String what =
                isMain ? !check().isEmpty() ? "check " : isHook() ? "hook " : "main " : isStray ? "stray " : "worker ";
        return what + pid() + " of " + service() + " (" + run() + ")";
    }
}
