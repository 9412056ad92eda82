package io.jsupervise.lifecycle;

import io.jsupervise.spec.Command;
import io.jsupervise.spec.LinePattern;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.Probe;
import io.jsupervise.spec.Rung;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * Orders of the core about one service. They are carried out in list order. A {@link Spawn} or {@link SendSignal} is
 * held back until the newest {@link Persist} before it is in place (unless the journal is declared stale), so a crash
 * never finds less in the journal than was done. The result of an order comes back as an {@link Event}. Arming a timer
 * replaces the armed one of the same kind; a timer of an older generation changes nothing when it fires.
 */
public sealed interface Effect {
    ServiceName service();

    /** Record this service; of several in one turn the newest counts. */
    record Persist(Service record) implements Effect {
        @Override
        public ServiceName service() {
            return record.name();
        }
    }

    /**
     * Make the main process, or the process of a hook; answered by Spawned or SpawnFailed.
     *
     * @param hook what to spawn in place of the command of the service; empty for the main process
     */
    record Spawn(ServiceSpec spec, RunId run, Optional<HookCall> hook) implements Effect {
        public Spawn(ServiceSpec spec, RunId run) {
            this(spec, run, Optional.empty());
        }

        @Override
        public ServiceName service() {
            return spec.name();
        }
    }

    /** Signal the main process, or it and all that hangs on it. */
    record SendSignal(ServiceName service, RunId run, Signal signal, boolean wholeTree) implements Effect {}

    /**
     * Note who hangs on the main process by now. When that has ended, whoever has lost its parent and bears no mark is known
     * by nothing else; a signal to the whole tree does the same by itself.
     */
    record LookAtTree(ServiceName service, RunId run) implements Effect {}

    /**
     * The main process has ended: kill what is left of its tree, reap it, and look whether anything lives; answered by
     * GroupLookedAt. May be ordered again until nothing does.
     *
     * @param wholeTree false to reap the main process and touch nothing else
     */
    record Bury(ServiceName service, RunId run, boolean wholeTree) implements Effect {}

    record ArmTimer(ServiceName service, TimerKind kind, long generation, MonotonicTime deadline) implements Effect {}

    record CancelTimer(ServiceName service, TimerKind kind) implements Effect {}

    /** Look at a heartbeat file off the loop; answered by HeartbeatLookedAt. */
    record LookAtHeartbeat(ServiceName service, RunId run, Path file) implements Effect {}

    /** Look at the file that says that it is ready, off the loop; answered by ReadyFileLookedAt. */
    record LookAtReadyFile(ServiceName service, RunId run, Path file) implements Effect {}

    /** Tell whatever waits in its notify socket, then answer with HeardOut: nobody is judged by what nobody has read. */
    record HearOut(ServiceName service, RunId run) implements Effect {}

    /**
     * Ask the service from outside, off the loop; answered by Probed, at the latest when {@code timeout} is over.
     *
     * @param check the name of the check; empty for the probe of {@code ready}
     */
    record AskProbe(ServiceName service, RunId run, Optional<String> check, Probe.Remote probe, Duration timeout)
            implements Effect {}

    /**
     * Have a program tell how the service is; answered by Probed, at the latest when {@code timeout} is over. Of one check
     * there is never more than one process: what is left of it is ended before the next, and all of a run before that is
     * buried.
     *
     * @param check the name of the check; empty for the probe of {@code ready}
     * @param main  the main process
     */
    record RunCheck(ServiceSpec spec, RunId run, Optional<String> check, Command command, Duration timeout, Pid main)
            implements Effect {
        @Override
        public ServiceName service() {
            return spec.name();
        }
    }

    /** Look for a line of a run in what it writes from now on; answered by LineSeen. */
    record AwaitLine(ServiceName service, RunId run, LogSpec log, LinePattern pattern) implements Effect {}

    /** What a running process writes goes on as this says; its FIFOs stay the same. */
    record TakeLog(ServiceName service, LogSpec log) implements Effect {}

    /** The services file no longer names it, and it is down: what was made for it is not needed any more. */
    record Forget(ServiceName service) implements Effect {}

    /**
     * Do what this rung of its ladder asks for; never leaves the core as such. Answered by RungTaken, unless it is a shutdown
     * or a reboot.
     *
     * @param after the run after whose end it was taken
     */
    record Escalate(ServiceName service, Rung rung, RunId after) implements Effect {}

    /** May it start now? Answered by StartPermitted or StartPostponed; never leaves the core. */
    record AskToStart(ServiceName service) implements Effect {}

    /**
     * Tell the world.
     *
     * @param event   a word of the public interface, such as {@code exited}
     * @param details what belongs to it, in order: String, Long, Boolean or List of String
     */
    record Announce(
            ServiceName service,
            String event,
            Optional<ServiceState> from,
            Optional<ServiceState> to,
            Map<String, Object> details)
            implements Effect {}
}
