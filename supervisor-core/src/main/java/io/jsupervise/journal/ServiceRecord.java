package io.jsupervise.journal;

import io.jsupervise.lifecycle.History;
import io.jsupervise.lifecycle.MonotonicTime;
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
import java.time.Instant;
import java.util.Optional;

/**
 * What is remembered of a service: who it was, what was wanted of it, what it has been through, and what is needed to
 * stop it without its entry in the services file.
 *
 * @param bootId the boot in which it was written; monotonic times and processes mean nothing in another one
 * @param living present while there was a main process
 * @param ending present in STOPPING
 * @param next   present in BACKOFF
 * @param fatal  why it was given up; present in FATAL
 * @param log    the log file, where it has one
 */
public record ServiceRecord(
        ServiceName name,
        String bootId,
        ServiceState state,
        Wanted wanted,
        boolean commanded,
        Optional<Living> living,
        Optional<Service.Ending> ending,
        Optional<Service.NextStart> next,
        Optional<String> fatal,
        History history,
        StopSequence stop,
        Optional<Path> log) {

    /** A main process. */
    public record Living(RunId run, ProcessIdentity process, MonotonicTime startedAt, Instant startedAtWall) {}

    public static ServiceRecord of(Service service, String bootId) {
        Optional<Path> log =
                service.spec().log() instanceof LogSpec.ToFile file ? Optional.of(file.file()) : Optional.empty();
        return new ServiceRecord(
                service.name(),
                bootId,
                service.state(),
                service.wanted(),
                service.commanded(),
                service.run().flatMap(ServiceRecord::living),
                service.ending(),
                service.next(),
                service.fatalReason(),
                service.history(),
                service.spec().stop(),
                log);
    }

    private static Optional<Living> living(Run run) {
        return run.process()
                .map(process -> new Living(
                        run.id(),
                        process,
                        run.orderedAt().mono(),
                        run.orderedAt().wall()));
    }
}
