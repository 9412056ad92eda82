package io.jsupervise.journal;

import io.jsupervise.lifecycle.Alerts;
import io.jsupervise.lifecycle.Bearer;
import io.jsupervise.lifecycle.Cause;
import io.jsupervise.lifecycle.Climb;
import io.jsupervise.lifecycle.End;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.Health;
import io.jsupervise.lifecycle.History;
import io.jsupervise.lifecycle.HookState;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Now;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.Run;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.Timers;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.spec.Command;
import io.jsupervise.spec.HookKind;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.Rung;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * From the journal, the services file and the processes that bear our mark to the services as they stand when a
 * supervisor begins.
 *
 * <p>What always survives: restarts, ends, and what an operator wanted. What survives a supervisor that died, within
 * the boot: also the state (EXITED and FATAL stay so, BACKOFF keeps its time), the backoff and the count against the
 * start limit, and the process, if it still runs, whether it had been recorded or not. A reboot, or an end in order,
 * clears these: then everything that is wanted starts afresh.
 */
public final class Recovery {
    private static final Command NO_COMMAND = Command.of("removed-from-the-services-file");
    private static final Service.Ending TAKEOVER =
            new Service.Ending(Cause.TAKEOVER, "it was found running, though it is not wanted");

    private final Before before;
    private final Here here;
    private final Marked marked;
    private final List<LeftHook> leftHooks = new ArrayList<>();

    /**
     * What an earlier supervisor left.
     *
     * @param supervisor empty where there was none, or its record is damaged
     * @param bearers    the processes that bear our mark
     */
    public record Before(
            Map<ServiceName, ServiceRecord> records, Optional<SupervisorRecord> supervisor, List<Bearer> bearers) {}

    /**
     * Who we are.
     *
     * @param stateId identity of the state directory
     * @param life    see {@link #nextLife}
     * @param seed    of the random numbers of all services
     */
    public record Here(String stateId, long life, String bootId, Now now, long seed) {}

    /**
     * @param services in the order of the services file, then those that it no longer names but that may still run
     * @param retired  the names of the latter
     * @param absent   those that it no longer names and that do not run: should they come back, so does their history
     * @param toFind   processes of this boot, each of one of {@code services}
     * @param hooks    hooks that still run, to be ended
     */
    public record Recovered(
            List<Service> services,
            Set<ServiceName> retired,
            List<Service> absent,
            List<Left> toFind,
            List<LeftHook> hooks) {}

    /**
     * A hook that was left running, with what it has started. What it was to do is begun anew when it is gone.
     *
     * @param run as which the service waits for its end
     */
    public record LeftHook(ServiceName service, RunId run, List<ProcessIdentity> processes) {}

    /**
     * A main process that ran when its service was last recorded, or that was found by its mark.
     *
     * @param others what else bears a mark of its service: to be ended where the main process is dead by now
     * @param ended  those of them that are of runs which have ended before: to be ended in any case
     * @param buried whether nothing more is to be said of the main process: it is dead, and recorded as that or not known
     * @param log    where the output of its service goes now
     * @param logBefore the file that it went to when the service was recorded
     */
    public record Left(
            ServiceName service,
            RunId run,
            ProcessIdentity process,
            List<ProcessIdentity> others,
            List<ProcessIdentity> ended,
            boolean buried,
            LogSpec log,
            Optional<Path> logBefore) {}

    private Recovery(Before before, Here here) {
        this.before = before;
        this.here = here;
        this.marked = new Marked(before.bearers(), here.stateId());
    }

    public static Recovered recover(List<ServiceSpec> specs, Before before, Here here) {
        return new Recovery(before, here).recover(specs);
    }

    /**
     * Whether the supervisor before us died in the boot {@code bootId}, as far as the journal knows: one after it may
     * have been killed before its first record was in place.
     */
    public static boolean maySomeRun(Optional<SupervisorRecord> supervisor, String bootId) {
        return supervisor.isEmpty()
                || supervisor.get().bootId().equals(bootId) && !supervisor.get().endedInOrder();
    }

    /** For the record of the supervisor that begins at {@code now}. */
    public static Optional<MonotonicTime> freshSince(Optional<SupervisorRecord> supervisor, String bootId, Now now) {
        boolean goesOn = supervisor.isPresent() && maySomeRun(supervisor, bootId);
        return goesOn ? supervisor.get().freshSince() : Optional.of(now.mono());
    }

    /** Whether state, backoff and start limits go on as recorded. */
    private static boolean holds(ServiceRecord record, Optional<SupervisorRecord> supervisor, String bootId) {
        return supervisor.isPresent()
                && maySomeRun(supervisor, bootId)
                && record.bootId().equals(bootId)
                && supervisor.get().stillHolds(record);
    }

    /**
     * What bears our mark, and what was noted as started and bears none any more: mostly because it has ended, which may be
     * recorded. Such a one does not lead out of EXITED and FATAL where these still hold, which a start does only once that
     * is recorded, or while the journal is stale. What was noted comes first: it is the main process of its run, also where the clock of start
     * times cannot tell it from what it had started within the same tick.
     */
    public static List<Bearer> withNoted(
            List<Bearer> bearers,
            List<Bearer> noted,
            Map<ServiceName, ServiceRecord> records,
            Optional<SupervisorRecord> supervisor,
            String bootId) {
        List<Bearer> all = new ArrayList<>();
        Set<ProcessIdentity> known = new HashSet<>();
        for (Bearer bearer : bearers) {
            if (bearer.run().isPresent()) {
                known.add(bearer.identity());
            }
        }
        for (Bearer one : noted) {
            ServiceRecord record = records.get(new ServiceName(one.service()));
            boolean isFinal = record != null
                    && holds(record, supervisor, bootId)
                    && (record.state() == ServiceState.EXITED || record.state() == ServiceState.FATAL);
            if (!isFinal && !isRecorded(one, record, bootId) && !known.contains(one.identity())) {
                all.add(one);
            }
        }
        all.addAll(bearers);
        return all;
    }

    /** Nothing of it is left, or that bears its mark: nobody has to wait for it. */
    private static boolean isRecorded(Bearer noted, ServiceRecord record, String bootId) {
        return record != null
                && record.bootId().equals(bootId)
                && record.living().isEmpty()
                && record.lastRun().map(Service.LastRun::run).equals(noted.run());
    }

    /** A start whose pre_start failed has left no process, and yet its post_stop may be due, and somebody to be told of it. */
    private static List<RunId> runs(ServiceRecord record) {
        List<RunId> runs = new ArrayList<>();
        record.lastRun().ifPresent(last -> runs.add(last.run()));
        record.hooks().due().ifPresent(due -> runs.add(due.run()));
        record.hooks().running().ifPresent(hook -> runs.add(hook.run()));
        record.hooks().alerts().untold().ifPresent(alert -> runs.add(alert.run()));
        record.hooks().alerts().due().forEach(alert -> runs.add(alert.run()));
        return runs;
    }

    /** Larger than that of every supervisor before us, also where the wall clock was set back meanwhile. */
    public static long nextLife(
            Map<ServiceName, ServiceRecord> records,
            Optional<SupervisorRecord> supervisor,
            List<Bearer> bearers,
            String stateId,
            Now now) {
        long life = now.wall().toEpochMilli();
        if (supervisor.isPresent()) {
            life = Math.max(life, supervisor.get().startedAt().toEpochMilli() + 1);
        }
        for (ServiceRecord record : records.values()) {
            for (RunId run : runs(record)) {
                life = Math.max(life, run.life() + 1);
            }
        }
        for (Bearer bearer : bearers) {
            if (bearer.run().isPresent() && bearer.run().get().isOf(stateId)) {
                life = Math.max(life, bearer.run().get().life() + 1);
            }
        }
        return life;
    }

    private Recovered recover(List<ServiceSpec> specs) {
        List<Service> services = new ArrayList<>();
        List<Left> toFind = new ArrayList<>();
        Set<ServiceName> retired = new HashSet<>();
        List<Service> absent = new ArrayList<>();
        Set<ServiceName> known = new HashSet<>();
        for (ServiceSpec spec : specs) {
            known.add(spec.name());
            add(spec, Optional.ofNullable(before.records().get(spec.name())), services, toFind);
        }
        for (ServiceRecord record : before.records().values()) {
            if (known.add(record.name())) {
                ServiceSpec spec = unnamed(record);
                if (mayRun(record)) {
                    retired.add(record.name());
                    add(spec, Optional.of(record.wanting(Wanted.DOWN, isStopped(record))), services, toFind);
                } else {
                    absent.add(service(
                            spec,
                            Wanted.DOWN,
                            isStopped(record),
                            historyOfAnotherBoot(record),
                            isOfThisBoot(record) ? record.lastRun() : Optional.empty()));
                }
            }
        }
        for (ServiceName name : marked.names()) {
            boolean some = marked.unrecorded(name, Optional.empty()).isPresent()
                    || !marked.hooks(name, Optional.empty()).isEmpty();
            if (some && known.add(name)) {
                retired.add(name);
                add(ServiceSpec.of(name, NO_COMMAND).autostart(false).build(), Optional.empty(), services, toFind);
            }
        }
        return new Recovered(services, retired, absent, toFind, leftHooks);
    }

    /** What is left to know of a service that the file no longer names. Its record goes on to tell where its output goes. */
    private static ServiceSpec unnamed(ServiceRecord record) {
        ServiceSpec.Builder spec = ServiceSpec.of(record.name(), NO_COMMAND);
        record.log().ifPresent(file -> spec.log(LogSpec.ToFile.keepingAll(file)));
        return spec.autostart(false).stop(record.stop()).build();
    }

    /** Whether an operator wanted it down: should it come back, it stays so. */
    private static boolean isStopped(ServiceRecord record) {
        return record.commanded() && record.wanted() == Wanted.DOWN;
    }

    /** Where the journal was stale, it may run though its record is of an earlier boot. */
    private boolean mayRun(ServiceRecord record) {
        Optional<ServiceRecord> ofThisBoot = Optional.of(record).filter(this::isOfThisBoot);
        boolean leftSomething = record.stop().killMode().endsTree()
                && !marked.others(record.name(), Optional.empty()).isEmpty();
        return ofThisBoot.flatMap(ServiceRecord::living).isPresent()
                || leftSomething
                || marked.unrecorded(record.name(), ofThisBoot).isPresent()
                || !marked.hooks(record.name(), ofThisBoot).isEmpty();
    }

    private void add(ServiceSpec spec, Optional<ServiceRecord> record, List<Service> services, List<Left> toFind) {
        Optional<ServiceRecord> ofThisBoot = record.filter(this::isOfThisBoot);
        Optional<Bearer> unrecorded = marked.unrecorded(spec.name(), ofThisBoot);
        boolean endsTree =
                record.map(ServiceRecord::stop).orElse(spec.stop()).killMode().endsTree();
        Service service;
        if (unrecorded.isPresent()) {
            service = found(spec, record, unrecorded.get());
        } else {
            service = record.isPresent() ? from(spec, record.get()) : fresh(spec);
        }
        // Several runs may have left something, where the journal was stale, or a kill came while it was being ended.
        List<Bearer> others = endsTree ? marked.others(spec.name(), service.process()) : List.of();
        if (service.process().isPresent()) {
            toFind.add(left(service, service.process().get(), others));
        } else if (!others.isEmpty()) {
            Left remains = remains(service, others);
            service = withGrave(service, remains.run());
            toFind.add(remains);
        }
        services.add(withAlerts(withoutHooks(withDue(service, ofThisBoot), ofThisBoot), record));
    }

    /** What was due is due again, unless the services file knows of it no more. */
    private Service withDue(Service service, Optional<ServiceRecord> record) {
        Optional<HookState.Due> due = record.flatMap(one -> one.hooks().due());
        boolean isFound = service.state() == ServiceState.STARTING
                && !record.flatMap(ServiceRecord::living)
                        .map(ServiceRecord.Living::run)
                        .equals(service.run().map(Run::id));
        if (isFound) {
            // Nobody recorded how far it had come.
            due = service.run().map(run -> new HookState.Due(HookKind.POST_START, run.id()));
        }
        boolean postStop = due.isPresent() && due.get().kind() == HookKind.POST_STOP;
        boolean holds = due.isPresent()
                && service.spec().hooks().has(due.get().kind())
                && postStop == service.run().isEmpty();
        return holds ? service.with(new HookState(Optional.empty(), due)) : service;
    }

    /** What was not told yet is told, also in another boot. */
    private Service withAlerts(Service service, Optional<ServiceRecord> record) {
        Alerts alerts = record.isPresent() ? record.get().hooks().alerts() : Alerts.NONE;
        if (alerts.equals(Alerts.NONE)) {
            return service;
        }
        Alerts here = (isOfThisBoot(record.get()) ? alerts : alerts.ofAnotherBoot()).under(this.here.stateId());
        return service.with(service.hooks().with(here));
    }

    /** Hooks that still run are ended, and nothing begins before that. */
    private Service withoutHooks(Service service, Optional<ServiceRecord> record) {
        List<Bearer> hooks = marked.hooks(service.name(), record);
        if (hooks.isEmpty()) {
            return service;
        }
        List<ProcessIdentity> processes = new ArrayList<>();
        hooks.forEach(hook -> processes.add(hook.identity()));
        RunId first = hooks.get(0)
                .run()
                .orElseGet(() ->
                        record.orElseThrow().hooks().running().orElseThrow().run());
        RunId run = service.grave().map(Service.Grave::run).orElse(first);
        leftHooks.add(new LeftHook(service.name(), run, processes));
        return service.grave().isPresent() ? service : withGrave(service, run);
    }

    /** A service has one run at a time, so whatever bears the mark of another one is left of one that has ended. */
    private Left left(Service service, ProcessIdentity process, List<Bearer> others) {
        RunId run = service.run().orElseThrow().id();
        List<ProcessIdentity> ended = new ArrayList<>();
        for (Bearer other : others) {
            if (!run.isUnread() && other.run().isPresent() && !other.run().get().equals(run)) {
                ended.add(other.identity());
            }
        }
        return left(service, run, process, others, ended, false);
    }

    /** What has lost its main process. */
    private Left remains(Service service, List<Bearer> others) {
        Bearer first = others.get(0);
        RunId run = first.run()
                .orElse(RunId.unread(
                        here.stateId(), here.life(), first.identity().pid()));
        return left(service, run, first.identity(), others, List.of(), true);
    }

    private Service withGrave(Service service, RunId run) {
        return service.with(new Service.Grave(run, here.now().mono(), 0));
    }

    private Left left(
            Service service,
            RunId run,
            ProcessIdentity process,
            List<Bearer> others,
            List<ProcessIdentity> ended,
            boolean buried) {
        List<ProcessIdentity> identities = new ArrayList<>();
        others.forEach(other -> identities.add(other.identity()));
        return new Left(
                service.name(),
                run,
                process,
                List.copyOf(identities),
                List.copyOf(ended),
                buried,
                service.spec().log(),
                Optional.ofNullable(before.records().get(service.name())).flatMap(ServiceRecord::log));
    }

    private boolean holds(ServiceRecord record) {
        return holds(record, before.supervisor(), here.bootId());
    }

    private boolean isOfThisBoot(ServiceRecord record) {
        return record.bootId().equals(here.bootId());
    }

    /** It was spawned, and the supervisor died before that was recorded. */
    private Service found(ServiceSpec spec, Optional<ServiceRecord> record, Bearer bearer) {
        Service plain = fresh(spec);
        History history = record.map(one -> historyBeforeTheFound(spec, one)).orElse(History.EMPTY);
        RunId id = bearer.run()
                .orElse(RunId.unread(
                        here.stateId(), here.life(), bearer.identity().pid()));
        Now startedAt =
                new Now(here.now().mono().minus(bearer.age()), here.now().wall().minus(bearer.age()));
        Optional<ProcessIdentity> process = Optional.of(bearer.identity());
        Run run = new Run(id, process, startedAt, Optional.empty(), Optional.empty(), true, Optional.empty());
        boolean commanded = record.map(ServiceRecord::commanded).orElse(false);
        Wanted wanted = plain.wanted();
        if (record.isPresent() && (commanded || isOfThisBoot(record.get()))) {
            wanted = commanded ? record.get().wanted() : goesOn(spec, record.get());
        }
        boolean stopping = wanted == Wanted.DOWN;
        return new Service(
                spec,
                stopping ? ServiceState.STOPPING : ServiceState.STARTING,
                startedAt,
                wanted,
                commanded,
                Optional.of(run),
                Optional.empty(),
                stopping ? Optional.of(TAKEOVER) : Optional.empty(),
                history,
                Optional.empty(),
                Optional.empty(),
                List.of(),
                record.filter(this::isOfThisBoot).flatMap(ServiceRecord::lastRun),
                Timers.NONE,
                plain.seed());
    }

    /** The ladder of a service may have ended the supervisor: then that was its last rung so far. */
    private static History afterOrderlyEnd(ServiceSpec spec, ServiceRecord record) {
        History history = record.history();
        Climb climb = history.climb();
        boolean endedUs =
                climb.due().isPresent() && spec.escalation().rung(climb.taken()).orElse(null) instanceof Rung.Shutdown;
        return endedUs ? history.outlivingItsShutdown() : history.forgiven();
    }

    private History historyBeforeTheFound(ServiceSpec spec, ServiceRecord record) {
        if (!isOfThisBoot(record)) {
            return historyOfAnotherBoot(record);
        }
        if (record.living().isPresent()) {
            return record.history().ended(unknown("it was not recorded how it ended"));
        }
        if (!holds(record)) {
            return afterOrderlyEnd(spec, record);
        }
        return record.next().isPresent()
                ? record.history().restartMade(here.now().mono())
                : record.history();
    }

    private History historyOfAnotherBoot(ServiceRecord record) {
        History history = record.history();
        if (record.living().isPresent()) {
            history = history.ended(unknown("the machine was started anew"));
        }
        return history.forgiven();
    }

    private Service fresh(ServiceSpec spec) {
        return Service.fresh(spec, here.now(), Service.seedOf(spec.name(), here.seed()));
    }

    private Service from(ServiceSpec spec, ServiceRecord record) {
        boolean starts = record.commanded() ? record.wanted() == Wanted.UP : spec.autostart();
        Wanted wanted = starts ? Wanted.UP : Wanted.DOWN;
        if (!isOfThisBoot(record)) {
            // Its last run was another boot's: nothing of it runs, and start times mean nothing any more.
            return service(spec, wanted, record.commanded(), historyOfAnotherBoot(record), Optional.empty());
        }
        if (record.living().isPresent()) {
            // As at a reload: autostart is about starts, and nothing that goes on is one.
            return running(spec, record, record.commanded() ? wanted : goesOn(spec, record));
        }
        if (!holds(record)) {
            return service(spec, wanted, record.commanded(), afterOrderlyEnd(spec, record), record.lastRun());
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
                service(spec, wanted, record.commanded(), record.history(), record.lastRun());
        };
    }

    private static Wanted goesOn(ServiceSpec spec, ServiceRecord record) {
        return spec.autostart() ? Wanted.UP : record.wanted();
    }

    private End unknown(String reason) {
        return new End(
                here.now().wall(),
                Optional.of(new ExitStatus.Unknown()),
                Cause.UNSUPERVISED,
                reason,
                Duration.ZERO,
                Optional.empty());
    }

    private Service asRecorded(ServiceSpec spec, ServiceRecord record, ServiceState state, Wanted wanted) {
        return new Service(
                spec,
                state,
                record.since().orElse(here.now()),
                wanted,
                record.commanded(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                record.history(),
                state == ServiceState.BACKOFF ? record.next() : Optional.empty(),
                state == ServiceState.FATAL ? Optional.of(record.fatal().orElse("unknown")) : Optional.empty(),
                List.of(),
                record.lastRun(),
                Timers.NONE,
                Service.seedOf(spec.name(), here.seed()));
    }

    /** It ran when it was recorded; whether it still does is for the caller to find out. */
    private Service running(ServiceSpec spec, ServiceRecord record, Wanted wanted) {
        ServiceRecord.Living living = record.living().orElseThrow();
        Run run = new Run(
                living.run(),
                Optional.of(living.process()),
                living.startedAt(),
                living.readyAt(),
                Optional.empty(),
                true,
                living.spec());
        if (living.watchdog().isPresent()) {
            run = run.with(Health.UNKNOWN.watchdog(living.watchdog().get()));
        }
        boolean stopping = record.state() == ServiceState.STOPPING || wanted == Wanted.DOWN;
        return new Service(
                spec,
                stopping ? ServiceState.STOPPING : record.state(),
                stopping && record.state() != ServiceState.STOPPING
                        ? here.now()
                        : record.since().orElse(here.now()),
                wanted,
                record.commanded(),
                Optional.of(run),
                Optional.empty(),
                stopping ? Optional.of(ending(record)) : Optional.empty(),
                record.history(),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                record.lastRun(),
                Timers.NONE,
                Service.seedOf(spec.name(), here.seed()));
    }

    /** A shutdown that was never finished no longer counts: we are here to run what is wanted. */
    private static Service.Ending ending(ServiceRecord record) {
        return record.ending()
                .filter(ending -> ending.cause() != Cause.SHUTDOWN)
                .orElse(TAKEOVER);
    }

    private Service service(
            ServiceSpec spec, Wanted wanted, boolean commanded, History history, Optional<Service.LastRun> lastRun) {
        return new Service(
                spec,
                ServiceState.STOPPED,
                here.now(),
                wanted,
                commanded,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                history,
                Optional.empty(),
                Optional.empty(),
                List.of(),
                lastRun,
                Timers.NONE,
                Service.seedOf(spec.name(), here.seed()));
    }
}
