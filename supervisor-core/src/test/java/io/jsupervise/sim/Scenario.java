package io.jsupervise.sim;

import io.jsupervise.os.SpawnRequest;
import io.jsupervise.sim.Program.Beats;
import io.jsupervise.sim.Program.Strays;
import io.jsupervise.sim.Program.Workers;
import io.jsupervise.spec.Backoff;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.Credentials;
import io.jsupervise.spec.Heartbeat;
import io.jsupervise.spec.Privileges;
import io.jsupervise.spec.Readiness;
import io.jsupervise.spec.RestartIntensity;
import io.jsupervise.spec.RestartPolicy;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import io.jsupervise.spec.StopSequence;
import io.jsupervise.spec.SupervisorSpec;
import io.jsupervise.spec.WatchdogSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SplittableRandom;

/** What is supervised in one simulation, drawn from its seed: services, and what their processes do each time. */
final class Scenario {
    static final Path STATE = Path.of("/var/lib/sup");
    static final Path RUNTIME = Path.of("/run/sup");
    static final Duration LONGEST_CLING = Duration.ofSeconds(14);

    /** How long a process may sleep in the kernel before SIGKILL takes effect. */
    static final Duration LONGEST_KILL = Duration.ofSeconds(8);

    private final SplittableRandom random;
    private final boolean isPlain;
    private Configuration configuration;
    private final Set<String> unnamed = new HashSet<>();
    private int edits;
    private final Map<String, ServiceSpec> byName = new LinkedHashMap<>();
    private final Set<String> crashLoops = new HashSet<>();
    private final Optional<Choreography> choreography;
    private final Optional<Ladders> ladders;
    private boolean calm;

    /** What there is in it. */
    enum Kind {
        /** Services that stand each for itself. */
        PLAIN,
        /** The same, with dependencies, hooks, one-shots and kill modes. */
        CHOREOGRAPHED,
        /** The same, with groups, and dependencies that restart their dependents. */
        GROUPED,
        /** The choreographed, maybe with groups, with ladders, critical services and a hardware watchdog. */
        LADDERED
    }

    /** Which test plays such scenarios, for the line that plays one again; {@code test} plays all others. */
    static String testOf(String test, Kind kind) {
        return switch (kind) {
            case PLAIN -> test;
            case CHOREOGRAPHED -> test + "#*order*";
            case GROUPED -> "GroupsSimulationTest";
            case LADDERED -> "LaddersSimulationTest";
        };
    }

    Scenario(SplittableRandom random) {
        this(random, Kind.PLAIN);
    }

    Scenario(SplittableRandom random, Kind kind) {
        this.random = random;
        List<ServiceSpec> services = new ArrayList<>();
        this.isPlain = kind == Kind.PLAIN;
        int count = 1 + random.nextInt(random.nextInt(10) == 0 ? 12 : 5);
        for (int i = 0; i < count; i++) {
            services.add(service("s" + i));
        }
        services.forEach(service -> byName.put(service.name().value(), service));
        int slots = number(0, 0, 1, 3);
        this.choreography = kind == Kind.PLAIN
                ? Optional.empty()
                : Optional.of(new Choreography(random.split(), services, crashLoops));
        this.ladders = kind == Kind.LADDERED
                ? Optional.of(new Ladders(random.split(), List.copyOf(byName.values())))
                : Optional.empty();
        if (kind == Kind.GROUPED || kind == Kind.LADDERED && chance(0.5)) {
            choreography.orElseThrow().groups(new Groupings(random.split(), List.copyOf(byName.keySet())));
        }
        Configuration drawn = configuration(slots, dressed(services));
        this.configuration = ladders.isPresent() ? ladders.get().watched(drawn) : drawn;
    }

    private List<ServiceSpec> dressed(List<ServiceSpec> services) {
        if (choreography.isEmpty()) {
            return services;
        }
        Set<String> named = new HashSet<>();
        services.forEach(service -> named.add(service.name().value()));
        List<ServiceSpec> dressed = new ArrayList<>();
        for (ServiceSpec service : services) {
            ServiceSpec plain = ladders.isPresent() ? ladders.get().dress(service) : service;
            dressed.add(choreography.get().dress(plain, named));
        }
        return dressed;
    }

    /** Whether there are only oneshots, for ever. */
    boolean hasOnlyOneshots() {
        return choreography.isPresent() && choreography.get().onlyOneshots();
    }

    /** Whoever it is, a loader has to be executed first. */
    private static final Privileges SOMEBODY = new Privileges(
            Optional.of(new Credentials("somebody", 7, 7, List.of(), Map.of())),
            List.of(),
            OptionalInt.empty(),
            OptionalInt.empty(),
            false);

    /** What a process was started with that an edit of the file has changed. */
    static final String EDIT = "EDIT";

    /**
     * Somebody edits the services file: of each service it may change what its process is born with, or something that
     * concerns nobody but the supervisor; or it goes, or comes back. Programs and promises about times stay the same.
     */
    void edit() {
        edits++;
        choreography.ifPresent(Choreography::edit);
        ladders.ifPresent(Ladders::edit);
        List<ServiceSpec> services = new ArrayList<>();
        for (ServiceSpec before : byName.values()) {
            String name = before.name().value();
            if (unnamed.contains(name)) {
                if (chance(0.6)) {
                    unnamed.remove(name);
                }
            } else if (chance(0.06)) {
                unnamed.add(name);
            }
            ServiceSpec spec = before;
            if (chance(0.2)) {
                spec = edited(spec, Map.of(EDIT, Integer.toString(edits)), spec.description(), spec.autostart());
            }
            if (chance(0.2)) {
                spec = edited(spec, spec.spawn().environment(), Optional.of("edit " + edits), chance(0.8));
            }
            byName.put(name, spec);
            if (!unnamed.contains(name)) {
                services.add(spec);
            }
        }
        if (chance(0.5)) {
            Collections.reverse(services);
        }
        configuration = new Configuration(configuration.source(), configuration.supervisor(), dressed(services));
    }

    /** Every service is named again. */
    void nameAll() {
        unnamed.clear();
        configuration = new Configuration(
                configuration.source(), configuration.supervisor(), dressed(List.copyOf(byName.values())));
    }

    private static ServiceSpec edited(
            ServiceSpec spec, Map<String, String> environment, Optional<String> description, boolean autostart) {
        ServiceSpec.Builder builder = copy(spec).environment(environment).autostart(autostart);
        description.ifPresent(builder::description);
        return builder.build();
    }

    /** One of the same, of whatever a plain service has. */
    static ServiceSpec.Builder copy(ServiceSpec spec) {
        ServiceSpec.Builder builder = ServiceSpec.of(spec.name(), spec.spawn().command())
                .environment(spec.spawn().environment())
                .privileges(spec.spawn().privileges())
                .autostart(spec.autostart())
                .restart(spec.restart())
                .successExitCodes(spec.successExitCodes())
                .giveUpExitCodes(spec.giveUpExitCodes())
                .startJitter(spec.startJitter())
                .ready(spec.ready())
                .startTimeout(spec.startTimeout())
                .health(spec.health())
                .backoff(spec.backoff())
                .stop(spec.stop())
                .log(spec.log());
        spec.description().ifPresent(builder::description);
        spec.startLimit().ifPresent(builder::startLimit);
        spec.heartbeat().ifPresent(builder::heartbeat);
        return builder;
    }

    /** A supervisor of {@code services}. */
    static Configuration configuration(int maxParallelStarts, List<ServiceSpec> services) {
        SupervisorSpec supervisor = new SupervisorSpec(
                "default",
                STATE,
                RUNTIME,
                RUNTIME.resolve("control.sock"),
                Optional.empty(),
                maxParallelStarts,
                RUNTIME.resolve("heartbeat"),
                Duration.ofSeconds(10));
        return new Configuration(Path.of("/etc/services.yml"), supervisor, services);
    }

    /** The same, and the machine watches who supervises. */
    static Configuration watched(Configuration plain, WatchdogSpec watchdog) {
        SupervisorSpec ours = plain.supervisor();
        SupervisorSpec watched = new SupervisorSpec(
                ours.name(),
                ours.stateDir(),
                ours.runtimeDir(),
                ours.socket(),
                ours.socketGroup(),
                ours.maxParallelStarts(),
                ours.heartbeatFile(),
                ours.heartbeatInterval(),
                Optional.of(watchdog));
        return new Configuration(plain.source(), watched, plain.services());
    }

    Configuration configuration() {
        return configuration;
    }

    /** Where a file comes from that has to be refused. */
    static final Path REFUSED = Path.of("/etc/refused.yml");

    /** What a file says that has to be refused, though each service in it is in order. */
    Configuration refused() {
        SupervisorSpec ours = configuration.supervisor();
        SupervisorSpec elsewhere = new SupervisorSpec(
                ours.name(),
                Path.of("/var/lib/elsewhere"),
                ours.runtimeDir(),
                ours.socket(),
                ours.socketGroup(),
                ours.maxParallelStarts(),
                ours.heartbeatFile(),
                ours.heartbeatInterval());
        return new Configuration(REFUSED, elsewhere, configuration.services());
    }

    ServiceSpec spec(String name) {
        return byName.get(name);
    }

    /** From now on every process that is started is a good one. */
    void calm() {
        calm = true;
        choreography.ifPresent(Choreography::calm);
    }

    private ServiceSpec service(String name) {
        ServiceSpec.Builder service = ServiceSpec.of(name, "/bin/" + name)
                .autostart(chance(0.85))
                .restart(pick(
                        RestartPolicy.ALWAYS,
                        RestartPolicy.ALWAYS,
                        RestartPolicy.ALWAYS,
                        RestartPolicy.ON_FAILURE,
                        RestartPolicy.NEVER))
                .successExitCodes(chance(0.3) ? Set.of(0, 2) : Set.of(0))
                .giveUpExitCodes(chance(0.2) ? Set.of(77) : Set.of())
                .startJitter(ms(number(0, 0, 0, 200)))
                .ready(new Readiness.Delay(ms(number(0, 0, 30, 1000))))
                .backoff(backoff())
                .stop(new StopSequence(
                        pick(Signal.TERM, Signal.TERM, Signal.INT, Signal.KILL),
                        ms(number(0, 100, 1000, 10_000)),
                        chance(0.3) ? Optional.of(Signal.QUIT) : Optional.empty()));
        if (chance(0.3)) {
            service.privileges(SOMEBODY);
        }
        if (chance(0.25)) {
            // These make most of the restarts.
            crashLoops.add(name);
            Backoff hardlyAny =
                    new Backoff(ms(number(0, 2, 10)), part(1, 1.5), ms(number(10, 50)), part(0, 0.5), ms(100));
            return service.restart(RestartPolicy.ALWAYS)
                    .giveUpExitCodes(Set.of())
                    .backoff(hardlyAny)
                    .build();
        }
        if (chance(0.4)) {
            service.startLimit(new RestartIntensity(number(0, 1, 3, 5, 20), ms(number(500, 5_000, 60_000))));
        }
        if (chance(0.4)) {
            service.heartbeat(new Heartbeat(
                    RUNTIME.resolve("heartbeats").resolve(name),
                    ms(number(300, 1_000, 5_000, 30_000)),
                    ms(number(500, 3_000, 30_000))));
        }
        if (isPlain && chance(0.3)) {
            Sayings.ask(service, random);
        }
        return service.build();
    }

    private Backoff backoff() {
        int initial = number(0, 10, 100, 500);
        int max = initial + number(0, 100, 2_000, 30_000);
        return new Backoff(
                ms(initial), part(1.0, 1.5, 2.0, 4.0), ms(max), part(0, 0.1, 0.5, 1), ms(number(0, 50, 1_000, 60_000)));
    }

    /** What a process does that is being spawned. */
    Program program(SpawnRequest request) {
        if (request.environment().containsKey("JSUPERVISE_HOOK")) {
            return choreography.orElseThrow().hook(request);
        }
        Program plain = plainProgram(request);
        return choreography.isEmpty()
                ? plain
                : choreography.get().main(plain, request.environment().get("JSUPERVISE_SERVICE"));
    }

    private Program plainProgram(SpawnRequest request) {
        ServiceSpec spec = byName.get(request.environment().get("JSUPERVISE_SERVICE"));
        Program program = Program.steady();
        if (!calm) {
            program = life(program, spec);
            if (chance(0.1)) {
                program = program.onTerm(chance(0.5) ? Optional.empty() : Optional.of(upTo(3_000)));
            }
            if (chance(0.02)) {
                program = program.onKill(upTo((int) LONGEST_KILL.toMillis()));
            }
            if (chance(0.1)) {
                program = program.leaves(new Workers(
                        1 + random.nextInt(2),
                        chance(0.3) ? upTo((int) LONGEST_CLING.toMillis()) : Duration.ZERO,
                        chance(0.3) ? upTo(2_000) : Program.FOREVER,
                        chance(0.3) ? upTo(2_000) : Duration.ZERO));
            }
            if (chance(0.1)) {
                program = program.strays(new Strays(
                        1 + random.nextInt(2),
                        upTo(500).plusMillis(20),
                        chance(0.3) ? upTo((int) LONGEST_CLING.toMillis()) : Duration.ZERO));
            }
        }
        if (spec.isHeard()) {
            program = Sayings.speaking(program, spec, calm, random);
        }
        return spec.heartbeat().isPresent()
                ? program.beats(beats(spec.heartbeat().get()))
                : program;
    }

    private Program life(Program program, ServiceSpec spec) {
        if (crashLoops.contains(spec.name().value())) {
            return program.exits(upTo(80), number(0, 1, 2));
        }
        Duration lives = chance(0.8) ? upTo(600) : upTo(40_000);
        return switch (random.nextInt(5)) {
            case 0 -> program;
            case 1 -> program.dies(lives, pick(Signal.SEGV, Signal.ABRT, Signal.KILL));
            default -> program.exits(lives, number(0, 0, 1, 1, 1, 2, 77, 126));
        };
    }

    /**
     * In time, by a margin: an mtime is up to a tick old, and steps of the clock that are smaller than the core can tell
     * from drift go unseen.
     */
    private Beats beats(Heartbeat heartbeat) {
        Duration slowest = heartbeat.timeout().minus(margin(heartbeat));
        Duration every = ms((int) Math.max(1, slowest.toMillis() * (20 + random.nextInt(80)) / 100));
        Duration latest = heartbeat.grace().minus(margin(heartbeat));
        Duration first = ms((int) (latest.toMillis() * random.nextInt(100) / 100));
        Duration hangsAt = Program.FOREVER;
        if (!calm && chance(0.4)) {
            hangsAt = chance(0.2) ? Duration.ZERO : upTo(6_000);
        }
        return new Beats(first, every, hangsAt);
    }

    /** What the core may take for drift of a clock: 50 ms and one in a thousand; and one tick of the file system. */
    static Duration margin(Heartbeat heartbeat) {
        Duration longer =
                heartbeat.timeout().compareTo(heartbeat.grace()) > 0 ? heartbeat.timeout() : heartbeat.grace();
        return ms(60).plus(longer.dividedBy(500));
    }

    private boolean chance(double probability) {
        return random.nextDouble() < probability;
    }

    private Duration upTo(int mostMs) {
        return Duration.ofNanos(random.nextLong(mostMs * 1_000_000L) + 1);
    }

    private static Duration ms(int ms) {
        return Duration.ofMillis(ms);
    }

    private int number(int... of) {
        return of[random.nextInt(of.length)];
    }

    private double part(double... of) {
        return of[random.nextInt(of.length)];
    }

    @SafeVarargs
    private <T> T pick(T... of) {
        return of[random.nextInt(of.length)];
    }
}
