package io.jsupervise.journal;

import io.jsupervise.lifecycle.Alerts;
import io.jsupervise.lifecycle.History;
import io.jsupervise.lifecycle.HookState;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Now;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.Run;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.StopSequence;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * What is remembered of a service: who it was, what was wanted of it, what it has been through, and what is needed to
 * stop it without its entry in the services file.
 *
 * @param bootId the boot in which it was written; monotonic times and processes mean nothing in another one
 * @param since   when the state began; empty in a record of version 1
 * @param living  present while there was a main process
 * @param lastRun the last process that it had: whatever bears our mark and was started later is not recorded yet
 * @param ending present in STOPPING
 * @param next   present in BACKOFF
 * @param fatal  why it was given up; present in FATAL
 * @param log    the log file, where it has one
 * @param hooks  a hook that ran, or had to
 */
public record ServiceRecord(
        ServiceName name,
        String bootId,
        ServiceState state,
        Optional<Now> since,
        Wanted wanted,
        boolean commanded,
        Optional<Living> living,
        Optional<Service.LastRun> lastRun,
        Optional<Service.Ending> ending,
        Optional<Service.NextStart> next,
        Optional<String> fatal,
        History history,
        StopSequence stop,
        Optional<Path> log,
        LeftHooks hooks) {

    /**
     * What is to be taken up of hooks.
     *
     * @param due     see {@link HookState}
     * @param running the process of one that ran
     * @param alerts  what is to be told of the service; without a process
     */
    public record LeftHooks(Optional<HookState.Due> due, Optional<Service.LastRun> running, Alerts alerts) {
        public static final LeftHooks NONE = new LeftHooks(Optional.empty(), Optional.empty());

        /** With nothing to tell. */
        public LeftHooks(Optional<HookState.Due> due, Optional<Service.LastRun> running) {
            this(due, running, Alerts.NONE);
        }

        public LeftHooks with(Alerts other) {
            return new LeftHooks(due, running, other);
        }

        static LeftHooks of(HookState hooks) {
            if (hooks == HookState.NONE) {
                return NONE;
            }
            return new LeftHooks(
                    hooks.due(),
                    hooks.running()
                            .flatMap(hook -> hook.process().map(process -> new Service.LastRun(hook.id(), process))),
                    hooks.alerts().withoutProcess());
        }
    }

    /**
     * A main process.
     *
     * @param readyAt empty before it was ready
     * @param spec    fingerprint of what it was started with; empty in a record of version 1
     * @param watchdog the time between two pings that it asked for itself (WATCHDOG_USEC); empty where it did not
     */
    public record Living(
            RunId run,
            ProcessIdentity process,
            Now startedAt,
            Optional<MonotonicTime> readyAt,
            Optional<String> spec,
            Optional<Duration> watchdog) {
        /** One that asked for nothing. */
        public Living(
                RunId run,
                ProcessIdentity process,
                Now startedAt,
                Optional<MonotonicTime> readyAt,
                Optional<String> spec) {
            this(run, process, startedAt, readyAt, spec, Optional.empty());
        }
    }

    public static ServiceRecord of(Service service, String bootId) {
        Optional<Path> log =
                service.spec().log() instanceof LogSpec.ToFile file ? Optional.of(file.file()) : Optional.empty();
        return new ServiceRecord(
                service.name(),
                bootId,
                service.state(),
                Optional.of(service.since()),
                service.wanted(),
                service.commanded(),
                service.run().flatMap(ServiceRecord::living),
                service.lastRun(),
                service.ending(),
                service.next(),
                service.fatalReason(),
                service.history(),
                service.spec().stop(),
                log,
                LeftHooks.of(service.hooks()));
    }

    /** The same, but for what is wanted and by whom. */
    ServiceRecord wanting(Wanted other, boolean byOperator) {
        return new ServiceRecord(
                name,
                bootId,
                state,
                since,
                other,
                byOperator,
                living,
                lastRun,
                ending,
                next,
                fatal,
                history,
                stop,
                log,
                hooks);
    }

    private static Optional<Living> living(Run run) {
        return run.process()
                .map(process -> new Living(
                        run.id(),
                        process,
                        run.orderedAt(),
                        run.readyAt(),
                        run.spec(),
                        run.health().watchdog()));
    }
}
