package io.jsupervise.sim;

import io.jsupervise.journal.JournalCodec;
import io.jsupervise.journal.JournalException;
import io.jsupervise.journal.ServiceRecord;
import io.jsupervise.lifecycle.End;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.Credentials;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import io.jsupervise.supervision.Answer;
import io.jsupervise.supervision.Ask;
import io.jsupervise.supervision.Happening;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

/**
 * The promises, as far as one life of a supervisor can break them, looked after from outside: against the processes
 * that there really are, the disk as a power cut would leave it, and the words that the supervisor itself told.
 *
 * <table>
 *   <caption>Which promise is looked after where</caption>
 *   <tr><td>1 one live main process per service<td>{@link #attempted}: at each call of spawn, also at one that will be
 *       refused
 *   <tr><td>2 the death is recorded before the respawn<td>{@link #attempted}: the record as it is on the disk now
 *   <tr><td>6 stopped stays stopped, FATAL and EXITED too; operators count for nothing<td>{@link ServiceWatch#mayStart},
 *       {@link ServiceWatch#gaveUp}; {@link #answered}: who hears "recorded" finds it on the disk
 *   <tr><td>7 intensity and backoff<td>{@link ServiceWatch}: each delay is one that the backoff gives, no restart comes
 *       before it, none is one too many in its window
 *   <tr><td>9 a hang is found in time, a beat in time is never taken for one, whatever the clocks do<td>
 *       {@link ServiceWatch#hungIsFound}, {@link ServiceWatch#condemned}
 *   <tr><td>10 nothing of the group is left after a stop or before a respawn<td>{@link #nothingRemains}
 *   <tr><td>12 everything gets where it should<td>{@link ServiceWatch#movesOn}: no state but RUNNING and the final
 *       ones lasts longer than it may; {@link #allIsWell}; {@link #afterEnd}
 *   <tr><td>a reload touches what the file says differently, and nothing else<td>{@link #configured}
 *   <tr><td>starts are staggered<td>{@link #startsAreStaggered}
 *   <tr><td>what a service's user must open is its own<td>{@link #heartbeatIsIts}
 *   <tr><td>the order of starts and stops, and hooks<td>{@link OrderWatch}
 *   <tr><td>a reload that is refused changes nothing<td>{@link #configured}, {@link #told}
 *   <tr><td>where there are only oneshots: the exit code<td>{@link #exitCode}
 *   <tr><td>the exit of a loader is none of the program<td>{@link ServiceWatch#recorded}
 * </table>
 *
 * Whatever comes late because somebody of the daemon was held up has an excuse for exactly that long.
 */
final class Invariants implements Witness {
    private static final long LONGEST_HOLD_OF_A_SLOT = 1_000_000_000L;

    /** Of so many attempts to start, the record of the death is decoded at one. */
    private static final int DECODED = 32;

    private final World world;
    private final SimulatedOs os;
    private final Configuration configuration;
    private final Path journal;
    private final Transcript transcript;
    private final Map<String, ServiceWatch> services = new LinkedHashMap<>();
    private final List<Asked> unanswered = new ArrayList<>();

    /** Of each service that somebody asked for: whoever asked before may hear of it only now. */
    private final Map<String, Asked> newest = new HashMap<>();

    private final JournalCodec codec = new JournalCodec();
    private final Excuses excuses = new Excuses();
    private final OrderWatch order;
    private final Map<String, Wanted> wanted = new HashMap<>();
    private Optional<Boolean> endedWithFailures = Optional.empty();
    private boolean hasReloaded;
    private boolean journalIsStale;
    private long shutdownAt = Long.MAX_VALUE;
    private long restarts;
    private final Map<String, Long> told = new TreeMap<>();
    private long attempts;
    private Optional<Violation> brokenByAnAnswer = Optional.empty();

    /** Why something may come late, or the moment of a beat not be known exactly. */
    static final class Excuses {
        final Spans held = new Spans();
        final Spans stepped = new Spans();
        long heldSince = Long.MAX_VALUE;

        /** How long somebody of the daemon was held up from {@code from} until {@code to}. */
        long between(long from, long to) {
            return held.between(from, to) + Math.max(0, to - Math.max(from, heldSince));
        }
    }

    /** What the core has taken over, and what it said of that last. */
    private Configuration taken;

    private Happening saidOfIt;

    /** Those that the last reload says it restarts or removes: nobody else may be ended for a reload. */
    private final Set<String> reloaded = new HashSet<>();

    private final Set<String> endedByReload = new HashSet<>();

    private record Asked(Ask.Act act, CompletableFuture<Answer> answer, long at) {}

    Invariants(World world, SimulatedOs os, Configuration configuration, Transcript transcript, boolean choreographed) {
        this.world = world;
        this.os = os;
        this.configuration = configuration;
        this.taken = configuration;
        this.journal = configuration.supervisor().stateDir().resolve("journal");
        this.transcript = transcript;
        this.order = new OrderWatch(os, excuses);
        order.lifeBegins(configuration, service -> Optional.empty());
        for (ServiceSpec spec : configuration.services()) {
            services.put(
                    spec.name().value(),
                    new ServiceWatch(
                            spec, world, excuses, configuration.services().size(), choreographed));
        }
    }

    // ---- for whoever drives ----

    /** Somebody is held up since then, and still is. */
    @Override
    public void heldSince(long from) {
        excuses.heldSince = from;
    }

    /** Somebody was held up. */
    @Override
    public void held(long from, long to) {
        excuses.heldSince = Long.MAX_VALUE;
        excuses.held.add(from, to);
    }

    /** The wall clock has moved against the monotonic one. */
    @Override
    public void stepped() {
        excuses.stepped.add(world.nanos(), world.nanos());
    }

    /** Automatic restarts that were tried. */
    long restarts() {
        return restarts;
    }

    /** How often each event was told; of "stopping" for a hang as "hang". */
    Map<String, Long> told() {
        return told;
    }

    @Override
    public void asked(Ask ask, CompletableFuture<Answer> answer) {
        if (ask instanceof Ask.Act act) {
            Asked one = new Asked(act, answer, world.nanos());
            unanswered.add(one);
            Collection<String> names = act.services().isEmpty()
                    ? services.keySet()
                    : act.services().stream().map(ServiceName::value).toList();
            names.forEach(name -> newest.put(name, one));
            answer.thenAccept(said -> {
                try {
                    answered(one, said);
                } catch (Violation e) {
                    // A future would keep it to itself.
                    brokenByAnAnswer = Optional.of(e);
                }
            });
        }
    }

    private void answered(Asked asked, Answer answer) {
        unanswered.remove(asked);
        transcript.add(answer);
        if (!(answer instanceof Answer.Acted acted)) {
            return;
        }
        for (Answer.Result result : acted.results()) {
            ServiceWatch service = services.get(result.service().value());
            boolean isNewest = newest.get(result.service().value()) == asked;
            if (acted.recorded() && isNewest && service.lastAsked() == asked.act.verb()) {
                Wanted wish = asked.act.verb() == Ask.Act.Verb.STOP ? Wanted.DOWN : Wanted.UP;
                Optional<ServiceRecord> record = onDisk(service.name());
                if (record.isEmpty() || record.get().wanted() != wish) {
                    throw new Violation(
                            "promise 6", "the answer says recorded, the disk does not want it " + wish + ": " + record);
                }
            }
        }
    }

    /** The loop has had a turn. */
    @Override
    public void afterTurn() {
        if (brokenByAnAnswer.isPresent()) {
            throw brokenByAnAnswer.get();
        }
        order.afterTurn();
        for (ServiceWatch service : services.values()) {
            service.hungIsFound();
            service.movesOn(order.unmetAt(service.name()));
        }
        for (Asked asked : unanswered) {
            long latest = asked.at + asked.act.timeout().toNanos() + ServiceWatch.SOON + 2_000_000_000L;
            if (late(asked.at, latest)) {
                throw new Violation("an answer", "does not come: " + asked.act);
            }
        }
        long latestEnd = shutdownAt == Long.MAX_VALUE ? Long.MAX_VALUE : shutdownAt + longestShutdown();
        if (late(shutdownAt, latestEnd)) {
            throw new Violation("promise 12", "a shutdown does not end");
        }
    }

    /** All at once; or, at the worst, one after another, with all their hooks. */
    private long longestShutdown() {
        long longest = 60_000_000_000L;
        for (ServiceWatch service : services.values()) {
            longest += service.longestStopAfterOthers();
        }
        return longest;
    }

    private boolean late(long since, long latest) {
        return world.nanos() > latest && world.nanos() - excuses.between(since, world.nanos()) > latest;
    }

    /** Faults have ceased, programs are good, and everything was told to start a while ago. */
    void allIsWell() {
        if (journalIsStale) {
            throw new Violation("promise 12", "the journal is still stale");
        }
        for (ServiceWatch service : services.values()) {
            if (byName(taken).get(service.name()).isOneshot()) {
                hasCompleted(service);
                continue;
            }
            if (service.state() != ServiceState.RUNNING || livingMains(service.name()) != 1) {
                throw new Violation(
                        "promise 12",
                        service.name() + " is " + service.state() + " with " + livingMains(service.name())
                                + " processes, though nothing is in its way");
            }
            ServiceSpec spec = byName(taken).get(service.name());
            String edit = spec.spawn().environment().getOrDefault(Scenario.EDIT, "");
            if (!edit.equals(service.main().environment.getOrDefault(Scenario.EDIT, ""))) {
                throw new Violation("a reload", service.name() + " runs with what an earlier file said");
            }
            onDisk(service.name())
                    .flatMap(ServiceRecord::living)
                    .filter(living -> living.process().equals(service.main().identity))
                    .orElseThrow(() -> new Violation("promise 4", service.name() + " runs and is not in the journal"));
        }
    }

    private void hasCompleted(ServiceWatch service) {
        if (!order.hasSucceeded(service.name())) {
            throw new Violation(
                    "promise 12",
                    service.name() + " is " + service.state() + " and has not completed, though nothing is in its way");
        }
        nothingRemains(service, "after it has completed");
    }

    /** The daemon was to end with its oneshots, and has ended. */
    void exitCode(boolean failed) {
        if (failed != endedWithFailures.orElse(false)) {
            throw new Violation(
                    "the exit code", "tells " + (failed ? "of failures" : "of success") + ", and it was otherwise");
        }
    }

    /** Whether all oneshots have ended, by the only file that there was. */
    boolean shouldHaveEnded() {
        boolean someWanted = false;
        for (ServiceWatch service : services.values()) {
            boolean over = service.state() == ServiceState.STOPPED
                    || service.state() == ServiceState.EXITED
                    || service.state() == ServiceState.FATAL;
            if (!over) {
                return false;
            }
            someWanted |= byName(configuration).get(service.name()).autostart();
        }
        return someWanted && !hasReloaded;
    }

    private boolean someHaveFailed() {
        for (ServiceSpec spec : taken.services()) {
            String name = spec.name().value();
            Wanted unlessRecorded = spec.autostart() ? Wanted.UP : Wanted.DOWN;
            boolean isWanted = wanted.getOrDefault(name, unlessRecorded) == Wanted.UP;
            if (isWanted && !order.hasSucceeded(name)) {
                return true;
            }
        }
        return false;
    }

    private int livingMains(String service) {
        int living = 0;
        for (SimulatedProcess process : os.processes.all()) {
            living += process.isMainOfService()
                            && process.isAlive()
                            && process.service().equals(service)
                    ? 1
                    : 0;
        }
        return living;
    }

    /** The loop has ended. */
    @Override
    public void afterEnd() {
        order.afterEnd();
        for (ServiceWatch service : services.values()) {
            nothingRemains(service, "after the end");
            if (livingMains(service.name()) > 0) {
                throw new Violation("promise 12", service.name() + " outlives its supervisor");
            }
        }
        for (SimulatedProcess process : os.watched()) {
            if (!services.get(process.service()).hasGivenUp()) {
                throw new Violation("no leak", "the pidfd of " + process + " is still open");
            }
        }
        for (String file : os.openFiles()) {
            if (file.contains("/journal")) {
                throw new Violation("no leak", file + " is still open; all: " + os.openFiles());
            }
        }
    }

    // ---- what really happens ----

    @Override
    public void attempted(SpawnRequest request) {
        if (AlertWatch.isAlert(request)) {
            order.attempted(request);
            return;
        }
        if (CheckWatch.attempted(request, os.processes.all())) {
            return;
        }
        attempts++;
        ServiceWatch service = services.get(request.environment().get("JSUPERVISE_SERVICE"));
        boolean begins = order.attempted(request);
        String hook = request.environment().getOrDefault("JSUPERVISE_HOOK", "");
        if (hook.equals("post_start") || hook.equals("stop_command")) {
            return;
        }
        if (livingMains(service.name()) > 0) {
            throw new Violation("promise 1", "a second process of " + service.name() + " is being started");
        }
        nothingRemains(service, "before a start");
        if (hook.equals("post_stop")) {
            return;
        }
        if (hook.isEmpty()) {
            service.mayStart(order.isWaitedFor(service.name()));
            heartbeatIsIts(request);
        } else {
            service.mayPrepare(order.isWaitedFor(service.name()));
        }
        theDeathIsRecorded(service);
        if (begins) {
            restarts += service.startAttempted() ? 1 : 0;
        }
        startsAreStaggered();
    }

    /** Its user cannot make a file where only we may, nor touch one that is somebody else's. */
    private void heartbeatIsIts(SpawnRequest request) {
        String file = request.environment().get("JSUPERVISE_HEARTBEAT");
        Optional<Credentials> who = request.privileges().credentials();
        if (file != null && who.isPresent()) {
            int owner = os.disk.find(Path.of(file)).map(node -> node.uid).orElse(-1);
            if (owner != who.get().uid()) {
                throw new Violation("heartbeat file", file + " belongs to " + owner + " and not to " + who.get());
            }
        }
    }

    /** Members of the group that no signal ends are told of after 10 s, and no longer waited for. */
    private void nothingRemains(ServiceWatch service, String when) {
        for (SimulatedProcess process : os.processes.all()) {
            boolean mayRemain = service.isGivenUp(process) || service.spares(process);
            mayRemain |= process.isAlert() && !when.equals("after the end");
            if (process.isAlive() && process.service().equals(service.name()) && !mayRemain) {
                throw new Violation("promise 10", process + " still lives " + when);
            }
        }
    }

    private void theDeathIsRecorded(ServiceWatch service) {
        if (service.endsOfProcesses() != service.spawned()) {
            throw new Violation(
                    "promise 2",
                    service.name() + " is started though of " + service.spawned() + " processes only "
                            + service.endsOfProcesses() + " ends were recorded");
        }
        if (journalIsStale || service.lastEnd().isEmpty()) {
            return;
        }
        End end = service.lastEnd().get();
        boolean recorded = attempts % DECODED == 0
                ? onDisk(service.name())
                        .flatMap(record -> record.history().lastEnd())
                        .filter(last -> isSame(last, end))
                        .isPresent()
                : contentOf(service.name()).filter(text -> names(text, end)).isPresent();
        if (!recorded) {
            throw new Violation(
                    "promise 2",
                    service.name() + " is started, and its last end " + end + " is not on the disk, where there is "
                            + onDisk(service.name()));
        }
    }

    /** Decoding is most of the work; a look for the moment of the end will do mostly. */
    private static boolean names(byte[] record, End end) {
        return new String(record, StandardCharsets.ISO_8859_1).contains("\"at\":\"" + end.at() + "\"");
    }

    /** The journal keeps durations in milliseconds. */
    private static boolean isSame(End recorded, End end) {
        return recorded.at().equals(end.at())
                && recorded.status().equals(end.status())
                && recorded.cause() == end.cause()
                && recorded.reason().equals(end.reason());
    }

    /** The record of a service as a power cut would leave it. */
    private Optional<ServiceRecord> onDisk(String service) {
        Optional<byte[]> content = contentOf(service);
        try {
            return content.isPresent() ? Optional.of(codec.decodeService(content.get())) : Optional.empty();
        } catch (JournalException e) {
            throw new Violation("promise 3", "the record of " + service + " does not decode: " + e.getMessage());
        }
    }

    private Optional<byte[]> contentOf(String service) {
        return os.disk.durableContent(journal.resolve(service + ".json"));
    }

    private void startsAreStaggered() {
        int most = configuration.supervisor().maxParallelStarts();
        if (most == 0) {
            return;
        }
        int underWay = 0;
        for (ServiceWatch service : services.values()) {
            underWay += service.holdsSlot(LONGEST_HOLD_OF_A_SLOT) ? 1 : 0;
        }
        if (underWay > most) {
            throw new Violation("max_parallel_starts", underWay + " starts are under way, " + most + " may be");
        }
    }

    @Override
    public void spawned(SimulatedProcess process) {
        if (!process.check().isEmpty()) {
            transcript.add("spawned check " + process.check() + " of " + process.service() + " " + process.pid());
            return;
        }
        transcript.add("spawned " + process.hook() + (process.isHook() ? " of " : "") + process.service() + " "
                + process.pid());
        order.spawned(process);
        if (!process.isHook()) {
            services.get(process.service()).spawned(process);
        }
    }

    @Override
    public void died(SimulatedProcess process) {
        transcript.add(new Death(process.isMain, process.service(), process.pid(), process.ended));
    }

    private record Death(boolean main, String service, int pid, Optional<?> how) {
        @Override
        public String toString() {
            return (main ? "ended " : "ended worker of ") + service + " " + pid + ": " + how.orElseThrow();
        }
    }

    @Override
    public void signalled(SimulatedProcess process, Signal signal, boolean wholeGroup) {
        transcript.add(new Sent(process.service(), process.pid(), signal, wholeGroup));
        order.signalled(process, signal, wholeGroup);
    }

    private record Sent(String service, int pid, Signal signal, boolean group) {
        @Override
        public String toString() {
            return "signal " + signal + " to " + (group ? "the group of " : "") + service + " " + pid;
        }
    }

    // ---- what the supervisor says ----

    @Override
    public void told(Happening happening) {
        transcript.add(happening);
        told.merge(happening.event(), 1L, Long::sum);
        order.told(happening);
        if (happening.event().equals("ignored")) {
            throw new Violation("the core", "got an event that cannot be: " + happening);
        }
        if (happening.service().isPresent()) {
            ServiceWatch service = services.get(happening.service().get().value());
            boolean begins =
                    happening.event().equals("stopping") || happening.event().equals("stopped");
            if (begins && "reload".equals(happening.details().get("cause"))) {
                if (!reloaded.contains(service.name())) {
                    throw new Violation("a reload", "ends " + service.name() + ", which it does not touch");
                }
                endedByReload.add(service.name());
            }
            boolean isTried = happening.event().equals("start-failed");
            if (isTried || happening.to().equals(Optional.of(ServiceState.WAITING))) {
                service.takenAlong(order.isWaitedFor(service.name()));
            }
            if (service.told(happening)) {
                told.merge("hang", 1L, Long::sum);
            }
            if (happening.to().equals(Optional.of(ServiceState.STOPPED))) {
                nothingRemains(service, "after a stop");
            } else if (happening.event().equals("group-remains")) {
                service.giveUp(os.processes.all());
            }
        } else {
            switch (happening.event()) {
                case "journal-stale" -> journalIsStale = true;
                case "journal-recovered" -> journalIsStale = false;
                case "shutdown-begun" -> {
                    if (happening.details().get("by").equals("the end of all oneshots")) {
                        endedWithFailures = Optional.of(someHaveFailed());
                    }
                    if (String.valueOf(happening.details().get("by")).startsWith("the ladder of ")) {
                        endedWithFailures = Optional.of(true);
                    }
                    shutdownAt = world.nanos();
                    services.values().forEach(ServiceWatch::shutdownBegun);
                }
                case "asked" -> taken(happening);
                case "reloaded" -> saidOfIt = happening;
                default -> {}
            }
        }
    }

    /**
     * Only what the file says differently is touched. That is found here by comparing what was read with what was there, as
     * a person would.
     */
    @Override
    public void configured(Configuration next) {
        Happening happening = saidOfIt;
        Map<String, ServiceSpec> before = byName(taken);
        Map<String, ServiceSpec> after = byName(next);
        Set<String> added = names(happening, "added");
        Set<String> removed = names(happening, "removed");
        Set<String> restarted = names(happening, "restarted");
        Set<String> changed = names(happening, "changed");
        if (next.source().equals(Scenario.REFUSED)) {
            throw new Violation("a reload", "that has to be refused is taken over");
        }
        taken = next;
        hasReloaded = true;
        for (ServiceWatch service : services.values()) {
            String name = service.name();
            ServiceSpec old = before.get(name);
            ServiceSpec young = after.get(name);
            expect(added.contains(name) == (old == null && young != null), name, "is added", happening);
            expect(removed.contains(name) == (old != null && young == null), name, "is removed", happening);
            boolean touched = restarted.contains(name) || changed.contains(name);
            boolean stays = old != null && young != null;
            expect(touched == (stays && !old.equals(young)), name, "is touched", happening);
            boolean another =
                    stays && !old.spawn().environment().equals(young.spawn().environment());
            boolean runs = service.state() == ServiceState.RUNNING || service.state() == ServiceState.STARTING;
            expect(!another || !runs || restarted.contains(name), name, "is not restarted", happening);
            expect(another || !runs || !restarted.contains(name), name, "is restarted for nothing", happening);
            if (young != null) {
                service.configured(young);
            }
            if (added.contains(name)) {
                service.added(young.autostart());
            } else if (removed.contains(name)) {
                service.removed();
            } else if (restarted.contains(name)) {
                service.restartedByReload();
            }
        }
        // What an earlier one ends may wait for its turn still.
        reloaded.removeAll(endedByReload);
        endedByReload.clear();
        reloaded.addAll(removed);
        reloaded.addAll(restarted);
        Set<String> afresh = new HashSet<>(added);
        afresh.addAll(restarted);
        order.configured(next, removed, afresh);
    }

    private static void expect(boolean right, String name, String what, Happening happening) {
        if (!right) {
            throw new Violation("a reload", "of which it is not true that " + name + " " + what + ": " + happening);
        }
    }

    private static Map<String, ServiceSpec> byName(Configuration file) {
        Map<String, ServiceSpec> byName = new HashMap<>();
        file.services().forEach(spec -> byName.put(spec.name().value(), spec));
        return byName;
    }

    static Set<String> names(Happening happening, String detail) {
        Set<String> names = new HashSet<>();
        ((List<?>) happening.details().get(detail)).forEach(name -> names.add((String) name));
        return names;
    }

    /** The core has taken up what somebody asked. */
    private void taken(Happening asked) {
        for (Ask.Act.Verb verb : Ask.Act.Verb.values()) {
            if (asked.details().get("what").equals(verb.word())) {
                for (Object name : (List<?>) asked.details().get("services")) {
                    services.get((String) name).asked(verb);
                }
            }
        }
    }

    @Override
    public void recorded(Service service) {
        wanted.put(service.name().value(), service.wanted());
        order.recorded(service);
        services.get(service.name().value()).recorded(service);
    }

    /** What the services are asked to be by name. */
    List<ServiceName> names() {
        List<ServiceName> names = new ArrayList<>();
        configuration.services().forEach(service -> names.add(service.name()));
        return names;
    }

    /** Has the hardware watchdog looked after as well. */
    FeedWatch watchFeed() {
        FeedWatch watch = new FeedWatch(os, order.ladders(), excuses);
        order.ladders().watch(watch);
        return watch;
    }

    /** Calls of spawn, refused ones included. */
    long attempts() {
        return attempts;
    }
}
