package io.jsupervise.journal;

import io.jsupervise.lifecycle.Cause;
import io.jsupervise.lifecycle.End;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.History;
import io.jsupervise.lifecycle.Now;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.Run;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.Timers;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.spec.Command;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * From the journal and the services file to the services as they stand when a supervisor begins.
 *
 * <p>What always survives: restarts, ends, and what an operator wanted. What survives a supervisor that died, within
 * the boot: also the state (EXITED and FATAL stay so, BACKOFF keeps its time), the backoff and the count against the
 * start limit, and the process, if it still runs. A reboot, or an end in order, clears these: then everything that is
 * wanted starts afresh.
 */
public final class Recovery {
    private final String bootId;
    private final Now now;
    private final long seed;
    private final boolean crashed;

    /**
     * @param services in the order of the services file, then those that it no longer names but that may still run
     * @param retired  the names of the latter
     * @param toFind   recorded processes of this boot, each of one of {@code services}
     */
    public record Recovered(List<Service> services, Set<ServiceName> retired, List<Recorded> toFind) {}

    /** A process that ran when its service was last recorded. */
    public record Recorded(ServiceName service, RunId run, ProcessIdentity process) {}

    private Recovery(String bootId, Now now, long seed, boolean crashed) {
        this.bootId = bootId;
        this.now = now;
        this.seed = seed;
        this.crashed = crashed;
    }

    /**
     * @param supervisor the record of the supervisor before; empty where there was none
     * @param seed       of the random numbers of all services
     */
    public static Recovered recover(
            List<ServiceSpec> specs,
            Map<ServiceName, ServiceRecord> records,
            Optional<SupervisorRecord> supervisor,
            String bootId,
            Now now,
            long seed) {
        boolean crashed = supervisor.isPresent()
                && supervisor.get().bootId().equals(bootId)
                && !supervisor.get().endedInOrder();
        return new Recovery(bootId, now, seed, crashed).recover(specs, records);
    }

    private Recovered recover(List<ServiceSpec> specs, Map<ServiceName, ServiceRecord> records) {
        List<Service> services = new ArrayList<>();
        List<Recorded> toFind = new ArrayList<>();
        Set<ServiceName> known = new HashSet<>();
        for (ServiceSpec spec : specs) {
            known.add(spec.name());
            Optional<ServiceRecord> record = Optional.ofNullable(records.get(spec.name()));
            Service service = record.isPresent() ? from(spec, record.get()) : fresh(spec);
            services.add(service);
            remember(service, toFind);
        }
        Set<ServiceName> retired = new HashSet<>();
        for (ServiceRecord record : records.values()) {
            if (!known.contains(record.name())
                    && isOfThisBoot(record)
                    && record.living().isPresent()) {
                Service service = retired(record);
                retired.add(service.name());
                services.add(service);
                remember(service, toFind);
            }
        }
        return new Recovered(services, retired, toFind);
    }

    private static void remember(Service service, List<Recorded> toFind) {
        if (service.process().isPresent()) {
            toFind.add(new Recorded(
                    service.name(),
                    service.run().orElseThrow().id(),
                    service.process().get()));
        }
    }

    private boolean isOfThisBoot(ServiceRecord record) {
        return record.bootId().equals(bootId);
    }

    private Service fresh(ServiceSpec spec) {
        return service(spec, spec.autostart() ? Wanted.UP : Wanted.DOWN, false, History.EMPTY);
    }

    private Service from(ServiceSpec spec, ServiceRecord record) {
        Wanted wanted = record.commanded() ? record.wanted() : spec.autostart() ? Wanted.UP : Wanted.DOWN;
        if (!isOfThisBoot(record)) {
            History history = record.history();
            if (record.living().isPresent()) {
                history = history.ended(lostWithTheMachine(record.living().get()));
            }
            return service(spec, wanted, record.commanded(), history.forgiven());
        }
        if (record.living().isPresent()) {
            return running(spec, record, wanted);
        }
        if (!crashed) {
            return service(spec, wanted, record.commanded(), record.history().forgiven());
        }
        return switch (record.state()) {
            case EXITED, FATAL -> asRecorded(spec, record, record.state(), wanted);
            case BACKOFF ->
                asRecorded(
                        spec,
                        record,
                        wanted == Wanted.UP && record.next().isPresent() ? record.state() : ServiceState.STOPPED,
                        wanted);
            case STOPPED, WAITING, STARTING, RUNNING, STOPPING ->
                service(spec, wanted, record.commanded(), record.history());
        };
    }

    private End lostWithTheMachine(ServiceRecord.Living living) {
        return new End(
                now.wall(),
                Optional.of(new ExitStatus.Unknown()),
                Cause.UNSUPERVISED,
                "the machine was started anew",
                Duration.ZERO,
                Optional.empty());
    }

    private Service asRecorded(ServiceSpec spec, ServiceRecord record, ServiceState state, Wanted wanted) {
        Service plain = service(spec, wanted, record.commanded(), record.history());
        return new Service(
                spec,
                state,
                now,
                wanted,
                record.commanded(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                record.history(),
                state == ServiceState.BACKOFF ? record.next() : Optional.empty(),
                state == ServiceState.FATAL ? Optional.of(record.fatal().orElse("unknown")) : Optional.empty(),
                Optional.empty(),
                Timers.NONE,
                plain.seed());
    }

    /** It ran when it was recorded; whether it still does is for the caller to find out. */
    private Service running(ServiceSpec spec, ServiceRecord record, Wanted wanted) {
        ServiceRecord.Living living = record.living().orElseThrow();
        Run run = new Run(
                living.run(),
                Optional.of(living.process()),
                new Now(living.startedAt(), living.startedAtWall()),
                Optional.empty(),
                Optional.empty(),
                true);
        boolean stopping = record.state() == ServiceState.STOPPING || wanted == Wanted.DOWN;
        return new Service(
                spec,
                stopping ? ServiceState.STOPPING : record.state(),
                now,
                wanted,
                record.commanded(),
                Optional.of(run),
                Optional.empty(),
                stopping ? Optional.of(ending(record)) : Optional.empty(),
                record.history(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Timers.NONE,
                seedOf(spec.name()));
    }

    /** A shutdown that was never finished no longer counts: we are here to run what is wanted. */
    private static Service.Ending ending(ServiceRecord record) {
        Service.Ending takeover = new Service.Ending(Cause.TAKEOVER, "its supervisor had died");
        return record.ending()
                .filter(ending -> ending.cause() != Cause.SHUTDOWN)
                .orElse(takeover);
    }

    private Service retired(ServiceRecord record) {
        ServiceSpec.Builder spec = ServiceSpec.of(record.name(), Command.of("removed-from-the-services-file"));
        return running(spec.autostart(false).stop(record.stop()).build(), record, Wanted.DOWN);
    }

    private Service service(ServiceSpec spec, Wanted wanted, boolean commanded, History history) {
        return new Service(
                spec,
                ServiceState.STOPPED,
                now,
                wanted,
                commanded,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                history,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Timers.NONE,
                seedOf(spec.name()));
    }

    private long seedOf(ServiceName name) {
        return seed ^ name.value().hashCode() * 0x9E3779B97F4A7C15L;
    }
}
