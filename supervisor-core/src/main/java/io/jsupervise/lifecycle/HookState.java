package io.jsupervise.lifecycle;

import io.jsupervise.spec.HookKind;
import java.util.Optional;

/**
 * Where a service stands with its hooks. At most one runs at a time.
 *
 * @param running the one that runs, or whose process group is being cleared
 * @param due     a POST_START or POST_STOP, from the moment from which it has to run until it has: whoever dies meanwhile
 *                leaves it to the next supervisor, which runs it again
 * @param alerts  those that run beside it, and nothing waits for
 */
public record HookState(Optional<Hook> running, Optional<Due> due, Alerts alerts) {
    public static final HookState NONE = new HookState(Optional.empty(), Optional.empty());

    /** Nothing to tell. */
    public HookState(Optional<Hook> running, Optional<Due> due) {
        this(running, due, Alerts.NONE);
    }

    /** @param run the run of the service that it belongs to */
    public record Due(HookKind kind, RunId run) {}

    /**
     * One that runs.
     *
     * @param id      of its own, so that its process is never taken for a main process
     * @param process empty until the spawn is known to have worked
     * @param begun   when its process was made; before that, when it was ordered
     * @param doomed  why it is being killed; empty where it is not
     * @param status  how it ended; empty while it lives
     * @param looks   how often its group was found not to be empty
     */
    public record Hook(
            HookKind kind,
            RunId id,
            Optional<ProcessIdentity> process,
            MonotonicTime begun,
            Optional<String> doomed,
            Optional<Ended> status,
            int looks) {

        /** @param status empty where no process could be made; {@code reason} says why */
        public record Ended(Optional<ExitStatus> status, String reason, MonotonicTime at) {}

        Hook spawned(ProcessIdentity identity, MonotonicTime at) {
            return new Hook(kind, id, Optional.of(identity), at, doomed, status, looks);
        }

        Hook doomed(String reason) {
            return new Hook(kind, id, process, begun, Optional.of(reason), status, looks);
        }

        Hook ended(Ended how) {
            return new Hook(kind, id, process, begun, doomed, Optional.of(how), looks);
        }

        Hook lookedAt() {
            return new Hook(kind, id, process, begun, doomed, status, looks + 1);
        }
    }

    /** Whether the service need not wait for any: nothing is done or has to be done before it goes on. */
    public boolean isIdle() {
        return running.isEmpty() && due.isEmpty();
    }

    HookState running(Hook hook) {
        return new HookState(Optional.of(hook), due, alerts);
    }

    HookState ended() {
        return new HookState(Optional.empty(), due, alerts);
    }

    HookState due(HookKind kind, RunId run) {
        return new HookState(running, Optional.of(new Due(kind, run)), alerts);
    }

    HookState nothingDue() {
        return due.isEmpty() ? this : new HookState(running, Optional.empty(), alerts);
    }

    public HookState with(Alerts next) {
        return new HookState(running, due, next);
    }

    /** Whether the journal would tell something else of {@code other}. */
    boolean differsForTheRecord(HookState other) {
        return this != other
                && (running != other.running || due != other.due || alerts.differForTheRecord(other.alerts));
    }

    boolean isDue(HookKind kind) {
        return due.isPresent() && due.get().kind() == kind;
    }

    boolean runs(HookKind kind) {
        return running.isPresent() && running.get().kind() == kind;
    }
}
