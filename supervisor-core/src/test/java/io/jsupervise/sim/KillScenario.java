package io.jsupervise.sim;

import io.jsupervise.sim.Program.Beats;
import io.jsupervise.sim.Program.Workers;
import io.jsupervise.sim.Program.Writes;
import io.jsupervise.spec.Backoff;
import io.jsupervise.spec.Command;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.Dependency;
import io.jsupervise.spec.Dependency.Condition;
import io.jsupervise.spec.Escalation;
import io.jsupervise.spec.Heartbeat;
import io.jsupervise.spec.HookKind;
import io.jsupervise.spec.Hooks;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.Readiness;
import io.jsupervise.spec.RestartIntensity;
import io.jsupervise.spec.RestartPolicy;
import io.jsupervise.spec.Rung;
import io.jsupervise.spec.ServiceGroup;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import io.jsupervise.spec.StopSequence;
import io.jsupervise.supervision.Ask;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A short story in which everything happens that a kill could spoil, to be told again and again with the kill at each
 * of its system calls.
 *
 * @param programs what the processes do, by the name of the service and which one of it this is
 * @param before   happens in the life of an earlier supervisor that is killed then, or has ended
 * @param acts     happens in the life in which the kills come, and in those after it
 */
record KillScenario(String name, Configuration configuration, Programs programs, List<Act> before, List<Act> acts) {
    /**
     * @param service {@code s0}, or {@code s0.pre_start} for a hook of it
     * @param number  1 for the first process of the service, or of this hook
     */
    interface Programs {
        Program of(String service, int number);
    }

    /** Every service that any of its files names. */
    Configuration everybody() {
        Map<String, ServiceSpec> all = new LinkedHashMap<>();
        configuration.services().forEach(spec -> all.put(spec.name().value(), spec));
        for (Act act : acts) {
            act.file().ifPresent(file -> file.services()
                    .forEach(spec -> all.putIfAbsent(spec.name().value(), spec)));
        }
        return Scenario.configuration(0, List.copyOf(all.values()));
    }

    /**
     * @param after how long everybody does what there is to do after {@code what}
     * @param file  what the services file says from now on; empty where nobody edits it
     */
    record Act(Duration after, Consumer<Life> what, Optional<Configuration> file) {
        Act(Duration after, Consumer<Life> what) {
            this(after, what, Optional.empty());
        }
    }

    private static final Backoff SHORT = new Backoff(ms(100), 2, ms(1_000), 0.2, ms(5_000));
    private static final StopSequence STOP = new StopSequence(Signal.TERM, ms(500), Optional.empty());
    private static final Writes CHATTER = new Writes(ms(3), "line # " + "of many words ".repeat(15) + "\n");

    static List<KillScenario> all() {
        return List.of(
                start(),
                crashes(),
                spentLimit(),
                stop(),
                stopThatIsIgnored(),
                startAgain(),
                restart(),
                hang(),
                workers(),
                rotation(),
                shutdown(),
                adoption(),
                afterAnEnd(),
                takingOverAStop(),
                deathsInTheGap(),
                deathOfTheKeeper(),
                handOver(),
                afterAHandOver(),
                reload(),
                hooks(),
                migration(),
                together(),
                alerts(),
                ladder(),
                ladderThatEndsIt());
    }

    static KillScenario named(String name) {
        for (KillScenario scenario : all()) {
            if (scenario.name.equals(name)) {
                return scenario;
            }
        }
        throw new IllegalArgumentException("no scenario " + name);
    }

    // ---- the stories ----

    private static KillScenario start() {
        return of(
                "start",
                steady(),
                List.of(run(400)),
                service("s0"),
                service("s1").startJitter(ms(150)),
                beating("s2"));
    }

    private static KillScenario crashes() {
        Programs programs = (service, number) -> service.equals("s0")
                ? Program.steady().exits(ms(70), number % 3)
                : Program.steady().dies(ms(350), Signal.SEGV);
        return of(
                "crashes",
                programs,
                List.of(run(1_500)),
                service("s0").startLimit(new RestartIntensity(20, ms(60_000))),
                service("s1"));
    }

    private static KillScenario spentLimit() {
        Programs programs = (service, number) -> switch (service) {
            case "s0" -> Program.steady().exits(ms(50), 1);
            case "s1" -> Program.steady().exits(ms(100), number == 1 ? 1 : 0);
            default -> Program.steady().exits(ms(30), 77);
        };
        return of(
                "spent-limit",
                programs,
                List.of(run(2_000)),
                service("s0").startLimit(new RestartIntensity(3, ms(60_000))),
                service("s1").restart(RestartPolicy.ON_FAILURE),
                service("s2").giveUpExitCodes(java.util.Set.of(77)));
    }

    private static KillScenario stop() {
        Programs programs = (service, number) -> Program.steady().onTerm(Optional.of(ms(80)));
        return of(
                "stop",
                programs,
                List.of(run(300), ask(Ask.Act.Verb.STOP, "s0", 50), ask(Ask.Act.Verb.STOP, "s1", 20), run(1_000)),
                service("s0"),
                service("s1"),
                service("s2"));
    }

    private static KillScenario stopThatIsIgnored() {
        Programs programs =
                (service, number) -> Program.steady().onTerm(Optional.empty()).onKill(ms(40));
        return of(
                "ignored-stop",
                programs,
                List.of(run(200), ask(Ask.Act.Verb.STOP, "s0", 1_000), run(500)),
                service("s0"),
                service("s1"));
    }

    private static KillScenario startAgain() {
        Programs programs =
                (service, number) -> service.equals("s1") ? Program.steady().exits(ms(40), 0) : Program.steady();
        return of(
                "start-again",
                programs,
                List.of(
                        run(100),
                        ask(Ask.Act.Verb.STOP, "s0", 100),
                        ask(Ask.Act.Verb.START, "s0", 5),
                        ask(Ask.Act.Verb.START, "s1", 5),
                        ask(Ask.Act.Verb.STOP, "s0", 0),
                        ask(Ask.Act.Verb.START, "s0", 100),
                        run(300)),
                service("s0"),
                service("s1").restart(RestartPolicy.NEVER));
    }

    private static KillScenario restart() {
        Programs programs = (service, number) -> service.equals("s1")
                ? Program.steady().exits(ms(150), 3)
                : Program.steady().onTerm(Optional.of(ms(30)));
        return of(
                "restart",
                programs,
                List.of(run(200), ask(Ask.Act.Verb.RESTART, "s0", 10), ask(Ask.Act.Verb.RESTART, "s1", 300), run(300)),
                service("s0"),
                service("s1"));
    }

    private static KillScenario hang() {
        Programs programs = (service, number) -> Program.steady()
                .beats(new Beats(ms(50), ms(100), ms(number == 1 ? 300 : 400)))
                .onTerm(number == 2 ? Optional.empty() : Optional.of(Duration.ZERO));
        return of(
                "hang",
                programs,
                List.of(run(4_000)),
                beating("s0").stop(new StopSequence(Signal.TERM, ms(500), Optional.of(Signal.QUIT))));
    }

    private static KillScenario workers() {
        Programs programs = (service, number) -> Program.steady()
                .exits(ms(150), 1)
                .leaves(new Workers(2, ms(number == 1 ? 30 : 0), Program.FOREVER, ms(10)));
        return of("workers", programs, List.of(run(600)), service("s0"));
    }

    private static KillScenario rotation() {
        Programs programs = (service, number) -> number == 1
                ? Program.steady().exits(ms(250), 1).writes(CHATTER)
                : Program.steady().exits(ms(100), 0).writes(CHATTER);
        return of("rotation", programs, List.of(run(600)), service("s0").log(log("s0", 64)));
    }

    private static KillScenario shutdown() {
        Programs programs = (service, number) ->
                service.equals("s0") ? Program.steady().onTerm(Optional.of(ms(120))) : Program.steady();
        return of(
                "shutdown",
                programs,
                List.of(
                        run(100),
                        new Act(Duration.ZERO, Life::terminate),
                        run(50),
                        new Act(Duration.ZERO, Life::terminate),
                        run(2_000)),
                service("s0"),
                service("s1").log(log("s1", 64)));
    }

    /** The same supervisor that was killed while all was well, once more. */
    private static KillScenario adoption() {
        Programs programs = (service, number) -> switch (service) {
            case "s1" -> Program.steady().exits(ms(700), 1);
            case "s2" -> Program.steady().beats(new Beats(ms(50), ms(100), Program.FOREVER));
            case "s3" -> Program.steady().exits(ms(900), 1).writes(new Writes(ms(60), CHATTER.line()));
            default -> Program.steady();
        };
        return new KillScenario(
                "adoption",
                Scenario.configuration(
                        0,
                        List.of(
                                service("s0").build(),
                                service("s1").build(),
                                beating("s2").build(),
                                service("s3").log(log("s3", 200)).build())),
                programs,
                List.of(run(500)),
                List.of(run(300), ask(Ask.Act.Verb.STOP, "s0", 200), run(300)));
    }

    private static KillScenario afterAnEnd() {
        return new KillScenario(
                "after-an-end",
                Scenario.configuration(
                        1, List.of(service("s0").build(), service("s1").build())),
                (service, number) -> number == 1 ? Program.steady().exits(ms(50), 0) : Program.steady(),
                List.of(
                        run(300),
                        ask(Ask.Act.Verb.STOP, "s1", 100),
                        new Act(Duration.ZERO, Life::terminate),
                        run(2_000)),
                List.of(run(500)));
    }

    /** The supervisor before was killed while it stopped one, killed another, and shut down. */
    private static KillScenario takingOverAStop() {
        return new KillScenario(
                "stop-taken-over",
                Scenario.configuration(
                        0, List.of(service("s0").build(), service("s1").build())),
                (service, number) -> Program.steady().onTerm(Optional.of(ms(300))),
                List.of(run(100), ask(Ask.Act.Verb.STOP, "s0", 20), new Act(Duration.ZERO, Life::terminate), run(30)),
                List.of(run(900)));
    }

    /** The supervisor before was killed, and its processes end while nobody supervises, with last words or without. */
    private static KillScenario deathsInTheGap() {
        Programs programs = (service, number) -> switch (service) {
            case "s0" -> Program.steady().exits(ms(number == 1 ? 310 : 200), 3);
            case "s1" -> Program.steady().dies(ms(320), Signal.SEGV).writes(new Writes(ms(7), CHATTER.line()));
            case "s2" -> Program.steady().exits(ms(330), 77).leaves(new Workers(1, ms(0), Program.FOREVER, ms(10)));
            default -> Program.steady().exits(ms(300), 0).writes(new Writes(ms(299), "last words #\n"));
        };
        return new KillScenario(
                "deaths-in-the-gap",
                Scenario.configuration(
                        0,
                        List.of(
                                service("s0").build(),
                                service("s1").log(log("s1", 200)).build(),
                                service("s2")
                                        .giveUpExitCodes(java.util.Set.of(77))
                                        .build(),
                                service("s3")
                                        .restart(RestartPolicy.ON_FAILURE)
                                        .log(log("s3", 200))
                                        .build())),
                programs,
                List.of(run(299)),
                List.of(run(400)));
    }

    /** Somebody kills the keeper, and the next one too. */
    private static KillScenario deathOfTheKeeper() {
        Programs programs = (service, number) -> service.equals("s0")
                ? Program.steady().exits(ms(70), number % 3).writes(CHATTER)
                : Program.steady();
        Act kill = new Act(Duration.ZERO, Life::killKeeper);
        return of(
                "death-of-the-keeper",
                programs,
                List.of(run(150), kill, run(60), kill, run(1_500), kill, run(200)),
                service("s0").startLimit(new RestartIntensity(40, ms(60_000))).log(log("s0", 200)),
                service("s1"));
    }

    private static final Act HAND_OVER = new Act(ms(500), life -> life.ask(new Ask.HandOver()));

    private static KillScenario handOver() {
        Programs programs = (service, number) -> switch (service) {
            case "s0" -> Program.steady().writes(new Writes(ms(30), CHATTER.line()));
            case "s1" -> Program.steady().exits(ms(290), 1);
            default -> Program.steady();
        };
        return of(
                "hand-over",
                programs,
                List.of(run(250), HAND_OVER),
                service("s0").log(log("s0", 200)),
                service("s1"),
                service("s2"));
    }

    /** What ran then ends before the next supervisor begins. */
    private static KillScenario afterAHandOver() {
        Programs programs = (service, number) -> switch (service) {
            case "s0" -> Program.steady().exits(ms(720), 5).writes(new Writes(ms(50), CHATTER.line()));
            case "s1" -> Program.steady().exits(ms(900), 0);
            default -> Program.steady();
        };
        return new KillScenario(
                "after-a-hand-over",
                Scenario.configuration(
                        0,
                        List.of(
                                service("s0").log(log("s0", 200)).build(),
                                service("s1").build(),
                                service("s2").build())),
                programs,
                List.of(run(200), HAND_OVER),
                List.of(run(500)));
    }

    /** The file adds one, removes one that others depended on, changes one in its process and one in place. */
    private static KillScenario reload() {
        Programs programs = (service, number) -> Program.steady().onTerm(Optional.of(ms(30)));
        Map<String, String> edit = Map.of(Scenario.EDIT, "1");
        Configuration before = Scenario.configuration(
                0,
                List.of(
                        service("s0").build(),
                        service("s1").dependsOn(needs("s0", Condition.READY)).build(),
                        service("s2").dependsOn(needs("s1", Condition.STARTED)).build(),
                        service("s3").hooks(hooks(HookKind.POST_STOP)).build()));
        Configuration after = Scenario.configuration(
                0,
                List.of(
                        service("s2")
                                .dependsOn(needs("s4", Condition.READY))
                                .environment(edit)
                                .build(),
                        service("s0").description("another").build(),
                        service("s3").hooks(hooks(HookKind.POST_STOP)).build(),
                        service("s4").dependsOn(needs("s0", Condition.READY)).build()));
        Act reload = new Act(
                ms(400),
                life -> life.ask(new Ask.Reload(false, Optional.empty(), true, ms(5_000))),
                Optional.of(after));
        return new KillScenario("reload", before, programs, List.of(), List.of(run(300), reload, run(300)));
    }

    /** Hooks of each kind, that succeed, fail, hang, and leave something behind. */
    private static KillScenario hooks() {
        Programs programs = (service, number) -> {
            if (service.endsWith(".post_start") && number == 1) {
                return Program.steady().onTerm(Optional.empty());
            }
            if (service.endsWith(".pre_start") && number == 2) {
                return Program.steady().exits(ms(5), 1);
            }
            if (service.endsWith(".post_stop")) {
                return Program.steady()
                        .exits(ms(20), number % 2)
                        .leaves(new Workers(1, ms(10), Program.FOREVER, ms(5)));
            }
            if (service.contains(".")) {
                return Program.steady().exits(ms(15), 0);
            }
            return number == 2 ? Program.steady().exits(ms(120), 1) : Program.steady();
        };
        return of(
                "hooks",
                programs,
                List.of(
                        run(700),
                        ask(Ask.Act.Verb.STOP, "s0", 60),
                        ask(Ask.Act.Verb.START, "s0", 30),
                        ask(Ask.Act.Verb.RESTART, "s0", 500)),
                service("s0").hooks(hooks(HookKind.values())));
    }

    /** One that fails until it is given up, and one that recovers; those that are told succeed, fail, hang, and leave something. */
    private static KillScenario alerts() {
        Programs programs = (service, number) -> {
            if (service.contains(".")) {
                Program told = Program.steady().exits(ms(15), number % 2);
                return number == 2
                        ? Program.steady().onTerm(Optional.empty())
                        : told.leaves(new Workers(1, ms(10), Program.FOREVER, ms(5)));
            }
            return service.equals("s0") || number < 3 ? Program.steady().exits(ms(30), 1) : Program.steady();
        };
        Hooks hooks = Hooks.NONE.telling(
                hook(List.of(HookKind.values()), HookKind.ON_FAILURE),
                hook(List.of(HookKind.values()), HookKind.ON_GIVE_UP),
                hook(List.of(HookKind.values()), HookKind.ON_RECOVERED));
        return of(
                "alerts",
                programs,
                List.of(run(900), ask(Ask.Act.Verb.START, "s0", 400), run(11_000), ask(Ask.Act.Verb.STOP, "s1", 100)),
                service("s0").startLimit(new RestartIntensity(2, ms(60_000))).hooks(hooks),
                service("s1").hooks(hooks));
    }

    /** A one-shot that has to succeed before its dependents start, and does so the second time only. */
    private static KillScenario migration() {
        Programs programs = (service, number) -> service.equals("s1")
                ? Program.steady().exits(ms(60), number == 1 ? 1 : 0)
                : service.contains(".") ? Program.steady().exits(ms(10), 0) : Program.steady();
        return of(
                "migration",
                programs,
                List.of(run(900), ask(Ask.Act.Verb.RESTART, "s1", 200), ask(Ask.Act.Verb.STOP, "s2", 200)),
                service("s0"),
                service("s1")
                        .oneshot()
                        .restart(RestartPolicy.ON_FAILURE)
                        .hooks(hooks(HookKind.PRE_START, HookKind.POST_STOP))
                        .dependsOn(needs("s0", Condition.READY)),
                service("s2").dependsOn(needs("s1", Condition.COMPLETED)));
    }

    /** s1 crashes and takes s2 along, and with it s3, which ends so slowly that the restart of s1 is due before; s0 comes before it in the group, and stays. */
    private static KillScenario together() {
        Programs programs = (service, number) -> service.equals("s1") && number < 3
                ? Program.steady().exits(ms(200), 1)
                : service.equals("s3") ? Program.steady().onTerm(Optional.of(ms(300))) : Program.steady();
        ServiceGroup rest = new ServiceGroup("rest", ServiceGroup.Strategy.REST_FOR_ONE);
        return of(
                "together",
                programs,
                List.of(run(1_200), ask(Ask.Act.Verb.RESTART, "s2", 400)),
                service("s0").group(rest),
                service("s1").group(rest).backoff(new Backoff(ms(20), 1, ms(20), 0, ms(5_000))),
                service("s2").group(rest).dependsOn(needs("s1", Condition.STARTED)),
                service("s3").dependsOn(List.of(new Dependency(new ServiceName("s2"), Condition.READY, true))));
    }

    // ---- their parts ----

    private static List<Dependency> needs(String other, Condition condition) {
        return List.of(new Dependency(new ServiceName(other), condition));
    }

    /** One that is broken for good takes all rungs that leave the supervisor alone, and works after that. */
    private static KillScenario ladder() {
        Rung repair = new Rung.Run(new Hooks.Hook(Command.of("/bin/repair"), ms(500)));
        Programs programs = (service, number) -> switch (service) {
            case "s0" -> number <= 4 ? Program.steady().exits(ms(20), 1) : Program.steady();
            case "s0.escalate" -> Program.steady().exits(ms(15), number % 2);
            default -> Program.steady().onTerm(Optional.of(ms(25)));
        };
        return of(
                "ladder",
                programs,
                List.of(run(900)),
                broken("s0", repair, new Rung.RestartDependents(), new Rung.RestartGroup())
                        .group(new ServiceGroup("g", ServiceGroup.Strategy.ONE_FOR_ONE)),
                service("s1").dependsOn(needs("s0", Condition.STARTED)),
                service("s2").group(new ServiceGroup("g", ServiceGroup.Strategy.ONE_FOR_ONE)));
    }

    /** One that is broken ends the supervisor; the next one begins with what is behind that rung. */
    private static KillScenario ladderThatEndsIt() {
        Programs programs = (service, number) ->
                service.equals("s0") && number <= 3 ? Program.steady().exits(ms(20), 1) : Program.steady();
        return of(
                "ladder-that-ends-it",
                programs,
                List.of(run(700)),
                broken("s0", new Rung.Shutdown(), new Rung.RestartDependents()),
                service("s1").dependsOn(needs("s0", Condition.STARTED)));
    }

    /** May be restarted no more often than its ladder has rungs. */
    private static ServiceSpec.Builder broken(String name, Rung... rungs) {
        return service(name)
                .ready(new Readiness.Delay(Duration.ZERO))
                .backoff(new Backoff(ms(20), 1, ms(20), 0, ms(5_000)))
                .startLimit(new RestartIntensity(0, ms(60_000)))
                .escalation(new Escalation(ms(500), List.of(rungs)));
    }

    private static Hooks hooks(HookKind... kinds) {
        List<HookKind> some = List.of(kinds);
        return new Hooks(
                hook(some, HookKind.PRE_START),
                hook(some, HookKind.POST_START),
                hook(some, HookKind.STOP_COMMAND),
                hook(some, HookKind.POST_STOP));
    }

    private static Optional<Hooks.Hook> hook(List<HookKind> some, HookKind kind) {
        return some.contains(kind)
                ? Optional.of(new Hooks.Hook(Command.of("/bin/" + kind.word()), ms(100)))
                : Optional.empty();
    }

    private static KillScenario of(String name, Programs programs, List<Act> acts, ServiceSpec.Builder... services) {
        List<ServiceSpec> specs = new ArrayList<>();
        for (ServiceSpec.Builder service : services) {
            specs.add(service.build());
        }
        return new KillScenario(name, Scenario.configuration(0, specs), programs, List.of(), acts);
    }

    private static Programs steady() {
        return (service, number) -> service.equals("s2")
                ? Program.steady().beats(new Beats(ms(50), ms(100), Program.FOREVER))
                : Program.steady();
    }

    private static ServiceSpec.Builder service(String name) {
        return ServiceSpec.of(name, "/bin/" + name)
                .ready(new Readiness.Delay(ms(20)))
                .backoff(SHORT)
                .stop(STOP);
    }

    static final Heartbeat HEARTBEAT = new Heartbeat(Scenario.RUNTIME.resolve("heartbeats/s"), ms(400), ms(300));

    private static ServiceSpec.Builder beating(String name) {
        Path file = Scenario.RUNTIME.resolve("heartbeats").resolve(name);
        return service(name).heartbeat(new Heartbeat(file, HEARTBEAT.timeout(), HEARTBEAT.grace()));
    }

    private static LogSpec log(String name, int files) {
        Path file = Scenario.STATE.resolve("logs").resolve(name + ".log");
        return new LogSpec.ToFile(file, new LogSpec.Stderr.Merge(), 4096, files, false, false, false, 65_536);
    }

    private static Act run(int ms) {
        return new Act(ms(ms), life -> {});
    }

    private static Act ask(Ask.Act.Verb verb, String service, int thenMs) {
        List<ServiceName> services = List.of(new ServiceName(service));
        return new Act(ms(thenMs), life -> life.ask(new Ask.Act(verb, services, true, ms(5_000))));
    }

    private static Duration ms(int ms) {
        return Duration.ofMillis(ms);
    }
}
