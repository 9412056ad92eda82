package io.jsupervise.sim;

import io.jsupervise.journal.JournalCodec;
import io.jsupervise.journal.JournalException;
import io.jsupervise.journal.ServiceRecord;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import io.jsupervise.supervision.Answer;
import io.jsupervise.supervision.Ask;
import io.jsupervise.supervision.Happening;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * The promises that hold across the lives of many supervisors on one machine, each killed at any instruction: checked
 * against the processes that there really are, and against the disk, as everybody sees it and as a power cut would
 * leave it.
 *
 * <table>
 *   <caption>Which promise is looked after where</caption>
 *   <tr><td>1 one live main process per service, whoever started it<td>{@link #attempted}
 *   <tr><td>2 the death is recorded before the respawn<td>{@link #attempted}: no living process is in the record
 *   <tr><td>3 the journal always decodes, and is not older than what was synced<td>{@link #lifeBegins}
 *   <tr><td>4 who cannot be identified is never signalled; who runs well is adopted and left alone<td>
 *       {@link #signalled}, {@link CrashWatch#mayBeSignalled}
 *   <tr><td>5 no output is lost or repeated<td>{@link LogWatch}, {@link KeeperWatch}
 *   <tr><td>6 stopped stays stopped, FATAL and EXITED too within the boot<td>{@link CrashWatch#mayStart}
 *   <tr><td>no restart and no end that was recorded is forgotten<td>{@link CrashWatch#recorded}
 *   <tr><td>how a process ended is known, also of one that died between two supervisors<td>{@link KeeperWatch}
 *   <tr><td>10 nothing of a service is left before a respawn, after a stop and after the end<td>{@link #attempted},
 *       {@link #afterEnd}
 *   <tr><td>12 everything gets up again once faults cease<td>{@link #allIsWell}
 *   <tr><td>the order of starts and stops, and hooks<td>{@link OrderWatch}
 *   <tr><td>a reload ends nobody whom it does not touch, and one that is refused nobody at all<td>{@link #told}
 * </table>
 *
 * What a record does not hold because the journal was stale is excused, until it is recovered.
 */
final class CrashInvariants implements Witness {
    private final World world;
    private final SimulatedOs os;
    private final Path journal;
    private final Transcript transcript;
    private final Map<String, CrashWatch> services = new LinkedHashMap<>();
    private final Set<SimulatedProcess> strangers = new HashSet<>();
    private final JournalCodec codec = new JournalCodec();
    private final LogWatch logs;
    private final KeeperWatch keepers;
    private final Invariants.Excuses excuses = new Invariants.Excuses();
    private final OrderWatch order;
    private final Set<String> reloaded = new HashSet<>();
    private Configuration file;
    private Happening saidOfReload;
    private final Map<String, Decoded> lastDecoded = new HashMap<>();
    /** In this life. */
    private final Set<String> recorded = new HashSet<>();

    private boolean journalIsStale;
    private Optional<Violation> brokenByAnAnswer = Optional.empty();

    /** Mostly the same is asked for again. */
    private record Decoded(byte[] content, ServiceRecord record) {}

    /** @param configuration names every service that there will ever be */
    CrashInvariants(SimulatedOs os, Configuration configuration, Transcript transcript) {
        this.file = configuration;
        this.order = new OrderWatch(os, excuses);
        this.world = os.world;
        this.os = os;
        this.journal = configuration.supervisor().stateDir().resolve("journal");
        this.transcript = transcript;
        for (ServiceSpec spec : configuration.services()) {
            services.put(spec.name().value(), new CrashWatch(spec, os, this::wasNoted));
        }
        this.logs = new LogWatch(os, configuration);
        this.keepers = new KeeperWatch(os);
    }

    // ---- for whoever drives ----

    private boolean wasNoted(SimulatedProcess process) {
        Optional<byte[]> notes = visible(Scenario.RUNTIME.resolve("starts"));
        return notes.isPresent()
                && new String(notes.get(), StandardCharsets.US_ASCII)
                        .contains(" " + process.run() + " " + process.pid() + " ");
    }

    /** Has the hardware watchdog looked after as well. */
    FeedWatch watchFeed() {
        FeedWatch watch = new FeedWatch(os, order.ladders(), excuses);
        order.ladders().watch(watch);
        return watch;
    }

    /** It will, now and then. */
    void diskMayFail() {
        order.recordsMayBeLost();
        services.values().forEach(CrashWatch::diskMayFail);
    }

    /** There is somebody else now. */
    void stranger(SimulatedProcess process) {
        transcript.add("a stranger: pid " + process.pid());
        strangers.add(process);
    }

    /** Who lives by the records that everybody can see on the disk. */
    List<ProcessIdentity> recordedProcesses() {
        List<ProcessIdentity> recorded = new ArrayList<>();
        for (CrashWatch service : services.values()) {
            decoded(service.name(), visible(file(service.name())))
                    .flatMap(ServiceRecord::living)
                    .ifPresent(living -> recorded.add(living.process()));
        }
        return recorded;
    }

    /** Nobody wants anything of anybody any more: whoever runs now has to be left alone from now on. */
    void settled() {
        services.values().forEach(CrashWatch::settled);
    }

    /** What the services are called. */
    List<ServiceName> names() {
        List<ServiceName> names = new ArrayList<>();
        services.keySet().forEach(name -> names.add(new ServiceName(name)));
        return names;
    }

    /** The daemon was killed, has ended or has refused to begin; processes live on. */
    void lifeEnds() {
        checkAnswers();
        logs.daemonIsDead();
        keepers.lifeEnds();
    }

    /** What has to be kept if the power goes now; to be called before it does. */
    void powerGoes() {
        for (CrashWatch service : services.values()) {
            service.powerGoes(decoded(service.name(), os.disk.durableContent(file(service.name()))));
        }
        order.powerGoes();
        logs.powerGoes();
        keepers.powerGoes();
        strangers.clear();
    }

    /** Another daemon will begin, which reads {@code newFile}. */
    void lifeBegins(Configuration newFile) {
        journalIsStale = false;
        file = newFile;
        reloaded.clear();
        recorded.clear();
        Map<String, ServiceSpec> named = named();
        keepers.lifeBegins();
        for (CrashWatch service : services.values()) {
            Optional<ServiceRecord> found = decoded(service.name(), visible(file(service.name())));
            if (found.isEmpty()) {
                maybeLost(service);
            }
            if (found.flatMap(ServiceRecord::ending).isPresent()) {
                // What the supervisor before had begun is brought to its end, for a reload as well.
                reloaded.add(service.name());
            }
            service.lifeBegins(
                    Optional.ofNullable(named.get(service.name())),
                    found,
                    livingMain(service.name()),
                    os.bootNow(),
                    endedInOrder());
        }
        order.lifeBegins(
                newFile,
                service -> endedInOrder()
                        ? Optional.empty()
                        : decoded(service, visible(file(service)))
                                .filter(record -> record.bootId().equals(os.bootNow())));
    }

    private Map<String, ServiceSpec> named() {
        Map<String, ServiceSpec> named = new HashMap<>();
        file.services().forEach(spec -> named.put(spec.name().value(), spec));
        return named;
    }

    private void maybeLost(CrashWatch service) {
        if (isSetAside(service.name())) {
            service.recordIsLost();
            keepers.recordIsLost(service.name());
        }
    }

    /**
     * A record that could not be read once: who set it aside was killed before that was told, or has something to record
     * first.
     */
    private boolean isSetAside(String service) {
        Optional<byte[]> content = visible(journal.resolve(service + ".json.damaged"));
        return content.isPresent() && decoded(service, content).isPresent();
    }

    private boolean endedInOrder() {
        Optional<byte[]> content = visible(file("@supervisor"));
        try {
            return content.isPresent() && codec.decodeSupervisor(content.get()).endedInOrder();
        } catch (JournalException e) {
            throw new Violation("promise 3", "the supervisor's record does not decode: " + e.getMessage());
        }
    }

    private Path file(String service) {
        return journal.resolve(service + ".json");
    }

    private Optional<byte[]> visible(Path file) {
        return os.disk.find(file).map(os.disk::content);
    }

    private Optional<ServiceRecord> decoded(String service, Optional<byte[]> content) {
        if (content.isEmpty()) {
            return Optional.empty();
        }
        Decoded last = lastDecoded.get(service);
        if (last != null && Arrays.equals(last.content, content.get())) {
            return Optional.of(last.record);
        }
        try {
            ServiceRecord record = codec.decodeService(content.get());
            lastDecoded.put(service, new Decoded(content.get(), record));
            return Optional.of(record);
        } catch (JournalException e) {
            throw new Violation("promise 3", "the record of " + service + " does not decode: " + e.getMessage());
        }
    }

    /** Faults have ceased, programs are good, and everything was told to start a while ago. */
    void allIsWell() {
        checkAnswers();
        if (journalIsStale) {
            throw new Violation("promise 12", "the journal is still stale");
        }
        keepers.allIsWell();
        Map<String, ServiceSpec> named = named();
        for (CrashWatch service : services.values()) {
            Optional<SimulatedProcess> main = livingMain(service.name());
            if (!named.containsKey(service.name())) {
                nothingRemains(service, "though the file no longer names it");
                continue;
            }
            if (named.get(service.name()).isOneshot()) {
                if (!order.hasSucceeded(service.name())) {
                    throw new Violation(
                            "promise 12",
                            service.name() + " is " + service.state()
                                    + " and has not completed, though nothing is in its way");
                }
                nothingRemains(service, "after it has completed");
                continue;
            }
            if (service.state() != ServiceState.RUNNING || main.isEmpty()) {
                throw new Violation(
                        "promise 12",
                        service.name() + " is " + service.state() + " with " + main
                                + " as its process, though nothing is in its way");
            }
            decoded(service.name(), os.disk.durableContent(file(service.name())))
                    .flatMap(ServiceRecord::living)
                    .filter(living -> living.process().equals(main.get().identity))
                    .orElseThrow(() -> new Violation("promise 4", service.name() + " runs and is not in the journal"));
        }
    }

    private Optional<SimulatedProcess> livingMain(String service) {
        Optional<SimulatedProcess> found = Optional.empty();
        for (SimulatedProcess process : os.processes.all()) {
            if (process.isMainOfService() && process.isAlive() && isOf(service, process)) {
                if (found.isPresent()) {
                    throw new Violation("promise 1", "there are " + process + " and " + found.get());
                }
                found = Optional.of(process);
            }
        }
        return found;
    }

    private boolean isOf(String service, SimulatedProcess process) {
        return process.service().equals(service) && !strangers.contains(process);
    }

    private void nothingRemains(CrashWatch service, String when) {
        for (SimulatedProcess process : os.processes.all()) {
            boolean mayRemain = service.isGivenUp(process) || service.spares(process);
            mayRemain |= process.isAlert() && !when.equals("after the end");
            if (process.isAlive() && isOf(service.name(), process) && !mayRemain) {
                throw new Violation("promise 10", process + " still lives " + when);
            }
        }
    }

    // ---- what is asked ----

    @Override
    public void asked(Ask ask, CompletableFuture<Answer> answer) {
        if (ask instanceof Ask.SendSignal send) {
            services.get(send.service().value()).disturbed();
        } else if (ask instanceof Ask.Act act) {
            Set<CrashWatch> asked = new HashSet<>();
            act.services().forEach(name -> asked.add(services.get(name.value())));
            for (CrashWatch service : act.services().isEmpty() ? services.values() : asked) {
                long number = service.asked(act.verb());
                answer.thenAccept(said -> answered(service, number, act.verb(), said));
            }
        }
    }

    private void answered(CrashWatch service, long number, Ask.Act.Verb verb, Answer said) {
        if (said instanceof Answer.Acted acted && acted.recorded() && isNamed(service, acted)) {
            try {
                service.answered(number, verb, decoded(service.name(), os.disk.durableContent(file(service.name()))));
            } catch (Violation e) {
                // A future would keep it to itself.
                brokenByAnAnswer = Optional.of(e);
            }
        }
    }

    /** By a request for all, only those are asked that the services file names. */
    private static boolean isNamed(CrashWatch service, Answer.Acted acted) {
        for (Answer.Result result : acted.results()) {
            if (result.service().value().equals(service.name())) {
                return true;
            }
        }
        return false;
    }

    private void checkAnswers() {
        if (brokenByAnAnswer.isPresent()) {
            throw brokenByAnAnswer.get();
        }
    }

    @Override
    public void terminated() {
        services.values().forEach(CrashWatch::disturbed);
    }

    @Override
    public void afterTurn() {
        checkAnswers();
        keepers.afterTurn();
        order.afterTurn();
    }

    @Override
    public void heldSince(long from) {
        excuses.heldSince = from;
        keepers.heldSince();
    }

    @Override
    public void held(long from, long to) {
        excuses.heldSince = Long.MAX_VALUE;
        excuses.held.add(from, to);
        keepers.held();
    }

    @Override
    public void afterHandOver() {
        keepers.afterHandOver();
    }

    @Override
    public void afterEnd() {
        keepers.afterEnd();
        for (CrashWatch service : services.values()) {
            nothingRemains(service, "after the end");
        }
        logs.afterEnd();
    }

    // ---- what really happens ----

    @Override
    public void attempted(SpawnRequest request) {
        if (CheckWatch.attempted(request, os.processes.all())) {
            return;
        }
        if (request.environment().containsKey(SimulatedOs.KEEPER)) {
            return;
        }
        CrashWatch service = services.get(request.environment().get("JSUPERVISE_SERVICE"));
        order.attempted(request);
        String hook = request.environment().getOrDefault("JSUPERVISE_HOOK", "");
        if (hook.equals("post_start") || hook.equals("stop_command") || AlertWatch.isAlert(request)) {
            return;
        }
        Optional<SimulatedProcess> main = livingMain(service.name());
        if (main.isPresent()) {
            throw new Violation("promise 1", "a second process is being started beside " + main.get());
        }
        nothingRemains(service, "before a start");
        if (hook.equals("post_stop")) {
            return;
        }
        service.mayStart();
        if (!journalIsStale) {
            Optional<ServiceRecord> record = decoded(service.name(), os.disk.durableContent(file(service.name())));
            // Who lived in another boot is dead, whatever becomes of us before that is recorded.
            boolean isOfThisBoot = record.isPresent() && record.get().bootId().equals(os.bootNow());
            if (isOfThisBoot && record.get().living().isPresent()) {
                throw new Violation(
                        "promise 2",
                        service.name() + " is started, and in its record on the disk there still lives "
                                + record.get().living().get());
            }
        }
    }

    @Override
    public void spawned(SimulatedProcess process) {
        transcript.add("spawned " + process);
        if (isKeeper(process)) {
            keepers.keeperBegun();
            return;
        }
        order.spawned(process);
        keepers.spawned(process);
        services.get(process.service()).spawned(process);
    }

    private static boolean isKeeper(SimulatedProcess process) {
        return process.environment.containsKey(SimulatedOs.KEEPER);
    }

    @Override
    public void refused(SpawnRequest request) {
        if (request.environment().containsKey(SimulatedOs.KEEPER)) {
            transcript.add("no keeper can be started");
            keepers.keeperRefused();
        }
    }

    @Override
    public void sendRefused() {
        transcript.add("nothing can be sent to the keeper");
        keepers.trouble();
    }

    @Override
    public void keeperKilled(SimulatedProcess keeper) {
        transcript.add("somebody kills the keeper, pid " + keeper.pid());
        keepers.trouble();
    }

    @Override
    public void died(SimulatedProcess process) {
        transcript.add("ended " + process + ": " + process.ended.orElseThrow());
    }

    @Override
    public void signalled(SimulatedProcess process, Signal signal, boolean wholeGroup) {
        transcript.add("signal " + signal + " to " + (wholeGroup ? "the group of " : "") + process);
        if (strangers.contains(process)) {
            throw new Violation("promise 4", "a stranger is signalled: pid " + process.pid());
        }
        if (!isKeeper(process)) {
            order.signalled(process, signal, wholeGroup);
        }
        if (process.isAlive() && !isKeeper(process)) {
            services.get(process.service()).mayBeSignalled(process);
        }
    }

    @Override
    public void wrote(SimulatedProcess process, Path fifo, byte[] bytes, int count) {
        logs.wrote(fifo, bytes, count);
    }

    @Override
    public void contentLost(Path fifo, int count) {
        transcript.add(count + " bytes are lost in " + fifo);
        logs.contentLost(fifo, count);
        keepers.contentLost(fifo, count);
    }

    // ---- what the supervisor says ----

    @Override
    public void told(Happening happening) {
        transcript.add(happening);
        order.told(happening);
        switch (happening.event()) {
            case "reloaded" -> saidOfReload = happening;
            case "ignored" -> throw new Violation("the core", "got an event that cannot be: " + happening);
            case "journal-damaged" -> damaged(happening);
            case "journal-stale" -> {
                journalIsStale = true;
                keepers.journalIsStale();
            }
            case "journal-recovered" -> {
                journalIsStale = false;
                keepers.journalIsRecovered();
            }
            case "shutdown-begun" -> services.values().forEach(CrashWatch::disturbed);
            case "log-dropping", "log-lost", "log-removed" -> logs.excused();
            default -> {}
        }
        if (happening.service().isPresent()) {
            CrashWatch service = services.get(happening.service().get().value());
            boolean isEnded =
                    happening.event().equals("stopping") || happening.event().equals("stopped");
            if (isEnded
                    && "reload".equals(happening.details().get("cause"))
                    && named().containsKey(service.name())
                    && !reloaded.contains(service.name())) {
                throw new Violation("a reload", "ends " + service.name() + ", which it does not touch");
            }
            service.told(happening, livingMain(service.name()));
            if (happening.to().equals(Optional.of(ServiceState.STOPPED))) {
                nothingRemains(service, "after a stop");
            } else if (happening.event().equals("group-remains")) {
                service.giveUp(os.processes.all());
            }
        }
    }

    /** Only a disk that cannot be read may lose what was recorded; that is told, and then it begins afresh. */
    private void damaged(Happening happening) {
        if (!((String) happening.details().get("what")).contains("EIO")) {
            throw new Violation("promise 3", "the journal is damaged: " + happening);
        }
        if (happening.service().isPresent()) {
            services.get(happening.service().get().value()).recordIsLost();
            keepers.recordIsLost(happening.service().get().value());
        } else {
            services.values().forEach(CrashWatch::beginsAfresh);
        }
    }

    @Override
    public void configured(Configuration next) {
        if (next.source().equals(Scenario.REFUSED)) {
            throw new Violation("a reload", "that has to be refused is taken over");
        }
        file = next;
        Map<String, ServiceSpec> named = named();
        Set<String> removed = Invariants.names(saidOfReload, "removed");
        Set<String> afresh = Invariants.names(saidOfReload, "restarted");
        afresh.addAll(Invariants.names(saidOfReload, "added"));
        for (CrashWatch service : services.values()) {
            service.configured(
                    Optional.ofNullable(named.get(service.name())),
                    removed.contains(service.name()),
                    afresh.contains(service.name()));
        }
        order.configured(next, removed, afresh);
        reloaded.addAll(removed);
        reloaded.addAll(afresh);
    }

    @Override
    public void recorded(Service service) {
        order.recorded(service);
        CrashWatch watch = services.get(service.name().value());
        if (recorded.add(watch.name()) && visible(file(watch.name())).isEmpty()) {
            maybeLost(watch);
        }
        keepers.ended(watch.name(), watch.recorded(ServiceRecord.of(service, os.bootNow())));
    }
}
