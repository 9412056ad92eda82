package io.jsupervise.lifecycle;

import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * One service at one moment. Immutable; {@link Lifecycle} makes the next from it.
 *
 * @param since       when the present state began
 * @param commanded   whether an operator decided what is wanted; otherwise {@code autostart} did
 * @param run         the present run; empty where no process is, or is being made
 * @param grave       an ended run whose process group may still have members
 * @param ending      present in STOPPING: why
 * @param next        the automatic start that is due; present in BACKOFF
 * @param fatalReason present in FATAL
 * @param waitingFor  in WAITING: for what, in words; otherwise empty
 * @param lastRun     the last process that it had, or has
 * @param timers      which timers are armed
 * @param seed        of the next random number
 */
public record Service(
        ServiceSpec spec,
        ServiceState state,
        Now since,
        Wanted wanted,
        boolean commanded,
        Optional<Run> run,
        Optional<Grave> grave,
        Optional<Ending> ending,
        History history,
        Optional<NextStart> next,
        Optional<String> fatalReason,
        List<String> waitingFor,
        Optional<LastRun> lastRun,
        Timers timers,
        long seed,
        HookState hooks) {

    /** One that has nothing to do with hooks at present. */
    public Service(
            ServiceSpec spec,
            ServiceState state,
            Now since,
            Wanted wanted,
            boolean commanded,
            Optional<Run> run,
            Optional<Grave> grave,
            Optional<Ending> ending,
            History history,
            Optional<NextStart> next,
            Optional<String> fatalReason,
            List<String> waitingFor,
            Optional<LastRun> lastRun,
            Timers timers,
            long seed) {
        this(
                spec,
                state,
                since,
                wanted,
                commanded,
                run,
                grave,
                ending,
                history,
                next,
                fatalReason,
                waitingFor,
                lastRun,
                timers,
                seed,
                HookState.NONE);
    }

    public Service with(HookState newHooks) {
        Draft draft = new Draft(this);
        draft.hooks = newHooks;
        return draft.toService();
    }

    public Service with(Grave newGrave) {
        Draft draft = new Draft(this);
        draft.grave = Optional.of(newGrave);
        return draft.toService();
    }

    /** Whether nothing of its last run is left to be cleared: neither processes nor hooks. */
    public boolean isCleared() {
        return grave.isEmpty() && hooks.isIdle();
    }

    /**
     * Why a run is being ended.
     *
     * @param cause  what will be recorded
     * @param reason for people
     */
    public record Ending(Cause cause, String reason) {}

    /** An automatic start that is due. */
    public record NextStart(MonotonicTime at, Instant wall, Duration delay) {}

    /**
     * An ended run whose group is being cleared; or a hook that an earlier supervisor left, maybe beside the present run.
     *
     * @param looks how often it was found not empty
     * @param then  the main process that has ended beside a hook of an earlier supervisor: buried when that is gone
     */
    public record Grave(RunId run, MonotonicTime since, int looks, Optional<RunId> then) {
        public Grave(RunId run, MonotonicTime since, int looks) {
            this(run, since, looks, Optional.empty());
        }

        Grave lookedAt() {
            return new Grave(run, since, looks + 1, then);
        }

        Grave then(RunId main) {
            return new Grave(run, since, looks, Optional.of(main));
        }
    }

    /** What is needed to tell whether a process that bears our mark was started later. */
    public record LastRun(RunId run, ProcessIdentity process) {}

    /** Of the random numbers of one service among all that draw from {@code seed}: each has its own, whatever the others do. */
    public static long seedOf(ServiceName name, long seed) {
        return seed ^ name.value().hashCode() * 0x9E3779B97F4A7C15L;
    }

    /** One that nothing is known of yet. */
    public static Service fresh(ServiceSpec spec, Now now, long seed) {
        return new Service(
                spec,
                ServiceState.STOPPED,
                now,
                spec.autostart() ? Wanted.UP : Wanted.DOWN,
                false,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                History.EMPTY,
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Optional.empty(),
                Timers.NONE,
                seed);
    }

    public ServiceName name() {
        return spec.name();
    }

    /** Whether it has ended as it was meant to: with success, which nobody had to ask for. */
    public boolean hasSucceeded() {
        End end = history.lastEnd().orElse(null);
        return state == ServiceState.EXITED && end != null && end.isSuccessOf(spec);
    }

    /** The living main process, where there is one. */
    public Optional<ProcessIdentity> process() {
        return run.flatMap(Run::process);
    }
}
