package io.jsupervise.supervision;

import io.jsupervise.lifecycle.Bench;
import io.jsupervise.lifecycle.Effect;
import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Now;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.TimerKind;
import io.jsupervise.spec.Backoff;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.Readiness;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import io.jsupervise.spec.SupervisorSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * A supervisor with several services on a test bench. The clocks stand still until the test moves them; groups of
 * ended processes are always found empty; everything else that was ordered is noted, and answered by the test: the
 * journal commits only when it is told to.
 */
final class Herd {
    private final Supervisor supervisor;
    private final Map<String, RunId> runs = new HashMap<>();
    private final Map<String, Map<TimerKind, Effect.ArmTimer>> timers = new HashMap<>();
    private final Map<SupervisorTimer, Order.ArmTimer> ownTimers = new EnumMap<>(SupervisorTimer.class);
    private final List<Order> last = new ArrayList<>();
    private Now now = Bench.BEGIN;
    private long recorded;
    private long requests;
    private long reading;
    private int pids = 100;

    Herd(int maxParallelStarts, Set<String> retired, Service... services) {
        Set<ServiceName> names = new TreeSet<>();
        retired.forEach(name -> names.add(new ServiceName(name)));
        supervisor = new Supervisor(spec(maxParallelStarts), identity(), List.of(services), names, List.of(), 41);
    }

    Herd(int maxParallelStarts, String... names) {
        this(maxParallelStarts, Set.of(), fresh(names));
    }

    static Service[] fresh(String... names) {
        Service[] services = new Service[names.length];
        for (int i = 0; i < names.length; i++) {
            services[i] = Bench.fresh(service(names[i]).build());
        }
        return services;
    }

    /** Ready after 500 ms; restarts after 1 s; 10 s to stop. */
    static ServiceSpec.Builder service(String name) {
        return ServiceSpec.of(name, "x")
                .ready(new Readiness.Delay(Duration.ofMillis(500)))
                .backoff(new Backoff(Duration.ofSeconds(1), 1, Duration.ofSeconds(1), 0, Duration.ofMinutes(1)));
    }

    static SupervisorSpec spec(int maxParallelStarts) {
        Path run = Path.of("/run/jsupervise");
        return new SupervisorSpec(
                SupervisorSpec.DEFAULT_NAME,
                Path.of("/var/lib/jsupervise"),
                run,
                run.resolve("control.sock"),
                Optional.empty(),
                maxParallelStarts,
                run.resolve("heartbeat"),
                Duration.ofSeconds(5));
    }

    static Identity identity() {
        return new Identity(
                Bench.process(1), "1", Path.of("/etc/services.yml"), Bench.BEGIN, "id", 1, Map.of("host", "h"));
    }

    Herd watchedBy(Watchers who) {
        supervisor.watchedBy(who);
        return this;
    }

    /** It ends when all oneshots have. */
    Herd endsWithOneshots() {
        supervisor.endsWithOneshots();
        return this;
    }

    // ---- what happens ----

    Herd on(SupervisorEvent event) {
        last.clear();
        step(event);
        return this;
    }

    private void step(SupervisorEvent event) {
        List<Order> orders = new ArrayList<>(supervisor.step(event, now));
        while (supervisor.isUnfinished()) {
            orders.addAll(supervisor.goOn(now));
        }
        last.addAll(orders);
        for (Order order : orders) {
            note(order);
        }
    }

    private void note(Order order) {
        if (order instanceof Order.Record record) {
            recorded = record.seq();
        } else if (order instanceof Order.RecordSupervisor record) {
            recorded = record.seq();
        } else if (order instanceof Order.ReadConfiguration read) {
            reading = read.reading();
        } else if (order instanceof Order.ArmTimer arm) {
            ownTimers.put(arm.timer(), arm);
        } else if (order instanceof Order.ForService of) {
            String name = of.effect().service().value();
            if (of.effect() instanceof Effect.Spawn spawn) {
                runs.put(name, spawn.run());
            } else if (of.effect() instanceof Effect.ArmTimer arm) {
                timers.computeIfAbsent(name, key -> new EnumMap<>(TimerKind.class))
                        .put(arm.kind(), arm);
            } else if (of.effect() instanceof Effect.CancelTimer cancel) {
                timers.get(name).remove(cancel.kind());
            } else if (of.effect() instanceof Effect.Bury bury) {
                step(new SupervisorEvent.OfService(bury.service(), new Event.GroupLookedAt(bury.run(), true)));
            }
        }
    }

    Herd of(String service, Event event) {
        return on(new SupervisorEvent.OfService(new ServiceName(service), event));
    }

    Herd begin() {
        return on(new SupervisorEvent.Began(List.of()));
    }

    Herd spawned(String service) {
        return of(service, new Event.Spawned(runs.get(service), Bench.process(++pids), "root", List.of()));
    }

    Herd spawnFails(String service) {
        return of(service, new Event.SpawnFailed(runs.get(service), "ENOENT"));
    }

    Herd exits(String service, int code) {
        return of(service, new Event.ChildExited(runs.get(service), new ExitStatus.Exited(code)));
    }

    Herd killed(String service) {
        return of(service, new Event.ChildExited(runs.get(service), new ExitStatus.Killed(Signal.TERM, false)));
    }

    Herd fires(String service, TimerKind kind) {
        Effect.ArmTimer timer = timers.getOrDefault(service, Map.of()).remove(kind);
        if (timer == null) {
            throw new AssertionError(kind + " of " + service + " is not armed");
        }
        laterUntil(timer.deadline());
        return of(service, new Event.TimerFired(kind, timer.generation()));
    }

    Herd fires(SupervisorTimer kind) {
        Order.ArmTimer timer = ownTimers.remove(kind);
        if (timer == null) {
            throw new AssertionError(kind + " is not armed");
        }
        laterUntil(timer.deadline());
        return on(new SupervisorEvent.TimerFired(kind, timer.generation()));
    }

    private void laterUntil(MonotonicTime deadline) {
        if (now.mono().isBefore(deadline)) {
            later(deadline.since(now.mono()));
        }
    }

    Herd later(Duration time) {
        now = new Now(now.mono().plus(time), now.wall().plus(time));
        return this;
    }

    /** Everything that was recorded so far is in place. */
    Herd committed() {
        return committed(recorded);
    }

    Herd committed(long seq) {
        return on(new SupervisorEvent.JournalCommitted(seq));
    }

    Herd journalFails() {
        return on(new SupervisorEvent.JournalFailed(
                "write /s/journal/web.json: ENOSPC (no space left on device)", "ENOSPC"));
    }

    /** Asks as uid 1000, pid 77; the number of the request is that of the asking, from 1. */
    Herd ask(Ask ask) {
        return on(new SupervisorEvent.Asked(++requests, ask, new Asker(Optional.of(77), 1000)));
    }

    Herd act(Ask.Act.Verb verb, String... names) {
        return ask(new Ask.Act(verb, names(names), true, Duration.ofSeconds(30)));
    }

    Herd actAndLeave(Ask.Act.Verb verb, String... names) {
        return ask(new Ask.Act(verb, names(names), false, Duration.ofSeconds(30)));
    }

    private static List<ServiceName> names(String... names) {
        List<ServiceName> all = new ArrayList<>();
        for (String name : names) {
            all.add(new ServiceName(name));
        }
        return all;
    }

    Herd end() {
        return on(new SupervisorEvent.EndRequested("SIGINT"));
    }

    /** From the beginning until all that were to start are ready and recorded. */
    Herd allRunning(String... names) {
        begin();
        for (String name : names) {
            spawned(name);
        }
        for (String name : names) {
            fires(name, TimerKind.READY);
        }
        return committed();
    }

    // ---- what is seen ----

    long recorded() {
        return recorded;
    }

    /** The orders of the last step in words; timers are left out. */
    String words() {
        List<String> words = new ArrayList<>();
        for (Order order : last) {
            word(order).ifPresent(words::add);
        }
        return String.join(", ", words);
    }

    /** Those of the last step that tell no one anything: what is really done. */
    String deeds() {
        List<String> words = new ArrayList<>();
        for (Order order : last) {
            if (!(order instanceof Order.Tell)) {
                word(order).ifPresent(words::add);
            }
        }
        return String.join(", ", words);
    }

    private static Optional<String> word(Order order) {
        if (order instanceof Order.ForService of) {
            boolean timer = of.effect() instanceof Effect.ArmTimer || of.effect() instanceof Effect.CancelTimer;
            return timer
                    ? Optional.empty()
                    : Optional.of(Bench.wordOf(of.effect()) + " " + of.effect().service());
        } else if (order instanceof Order.Record record) {
            return Optional.of("record " + record.service().name());
        } else if (order instanceof Order.RecordSupervisor record) {
            return Optional.of("record supervisor" + (record.endedInOrder() ? " as ended" : "")
                    + record.resets()
                            .withheld()
                            .map(withheld -> " withholding for " + withheld.service())
                            .orElse(""));
        } else if (order instanceof Order.Tell tell) {
            Happening happening = tell.happening();
            return Optional.of(
                    "tell " + happening.service().map(name -> name + " ").orElse("") + happening.event());
        } else if (order instanceof Order.Reply reply) {
            return Optional.of("reply " + reply.request() + " " + word(reply.answer()));
        } else if (order instanceof Order.Exit exit) {
            return Optional.of(exit.failed() ? "exit as failed" : "exit");
        } else if (order instanceof Order.ReadConfiguration read) {
            return Optional.of("read " + read.reading()
                    + read.file().map(file -> " " + file).orElse(""));
        } else if (order instanceof Order.Configured configured) {
            return Optional.of(
                    "configured " + configured.configuration().services().size());
        } else if (order instanceof Order.TouchHeartbeat) {
            return Optional.of("touch");
        } else if (order instanceof Order.FeedWatchdog) {
            return Optional.of("feed");
        } else if (order instanceof Order.TellManager manager) {
            return Optional.of("manager " + manager.assignments().replace('\n', ' '));
        } else {
            return Optional.empty();
        }
    }

    private static String word(Answer answer) {
        if (answer instanceof Answer.Refused refused) {
            return refused.reason().code() + ": " + refused.message();
        } else if (answer instanceof Answer.Acted acted) {
            List<String> results = new ArrayList<>();
            for (Answer.Result result : acted.results()) {
                results.add(result.service() + (result.done() ? " " : " not ") + result.state() + " ("
                        + result.message() + ")");
            }
            return results + (acted.recorded() ? "" : " not recorded");
        } else if (answer instanceof Answer.Reloaded reloaded) {
            return (reloaded.dryRun() ? "would " : "") + word(reloaded.diff()) + " "
                    + word(new Answer.Acted(reloaded.results(), reloaded.recorded()));
        } else {
            return "status";
        }
    }

    private static String word(ReloadDiff diff) {
        StringBuilder words = new StringBuilder();
        diff.added().forEach(name -> words.append('+').append(name).append(' '));
        diff.removed().forEach(name -> words.append('-').append(name).append(' '));
        diff.restarted().forEach(change -> words.append('!')
                .append(change.service())
                .append(change.keys())
                .append(' '));
        diff.changed().forEach(change -> words.append('~')
                .append(change.service())
                .append(change.keys())
                .append(' '));
        return words.append('=').append(diff.unchanged()).toString();
    }

    /** The services file now has these. */
    static Configuration file(ServiceSpec.Builder... services) {
        List<ServiceSpec> specs = new ArrayList<>();
        for (ServiceSpec.Builder service : services) {
            specs.add(service.build());
        }
        return new Configuration(Path.of("/etc/services.yml"), spec(0), specs);
    }

    /** HUP came, and the file was read; what was ordered before it was read is forgotten. */
    Herd reload(ServiceSpec.Builder... services) {
        on(new SupervisorEvent.ReloadRequested());
        return read(services);
    }

    /** The reading that was ordered last has come to its end. */
    Herd read(ServiceSpec.Builder... services) {
        return on(new SupervisorEvent.ConfigurationRead(reading, file(services)));
    }

    /** The reading that was ordered last has found nothing but problems. */
    Herd unreadable(String... problems) {
        return on(new SupervisorEvent.ConfigurationRefused(reading, List.of(problems)));
    }

    Herd askReload(boolean wait) {
        return ask(new Ask.Reload(false, Optional.empty(), wait, Duration.ofSeconds(30)));
    }

    List<Happening> told() {
        List<Happening> told = new ArrayList<>();
        for (Order order : last) {
            if (order instanceof Order.Tell tell) {
                told.add(tell.happening());
            }
        }
        return told;
    }

    /** Asked beside the test: the orders of the last step stay what they are. */
    Status status() {
        Ask show = new Ask.ShowStatus(Optional.empty());
        SupervisorEvent asked = new SupervisorEvent.Asked(0, show, new Asker(Optional.empty(), 0));
        for (Order order : supervisor.step(asked, now)) {
            if (order instanceof Order.Reply reply && reply.answer() instanceof Answer.Shown shown) {
                return shown.status();
            }
        }
        throw new AssertionError("no status");
    }

    Duration untilJitterOf(String name) {
        return timers.get(name).get(TimerKind.START_JITTER).deadline().since(now.mono());
    }

    /** With which spec it was spawned in the last step. */
    ServiceSpec spawnedSpec(String name) {
        for (Order order : last) {
            if (order instanceof Order.ForService of
                    && of.effect() instanceof Effect.Spawn spawn
                    && spawn.service().value().equals(name)) {
                return spawn.spec();
            }
        }
        throw new AssertionError(name + " was not spawned");
    }

    ServiceState state(String name) {
        return service(status(), name).state();
    }

    /** The states of all services, in their order. */
    String states() {
        List<String> states = new ArrayList<>();
        status().services().forEach(service -> states.add(service.state().toString()));
        return String.join(" ", states);
    }

    Service serviceOf(String name) {
        return service(status(), name);
    }

    private static Service service(Status status, String name) {
        for (Service service : status.services()) {
            if (service.name().value().equals(name)) {
                return service;
            }
        }
        throw new AssertionError("no service " + name);
    }

    Ask.SendSignal signal(String name, Signal signal) {
        return new Ask.SendSignal(new ServiceName(name), signal);
    }
}
