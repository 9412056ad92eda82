package io.jsupervise.sim;

import io.jsupervise.os.SpawnRequest;
import io.jsupervise.sim.Program.Strays;
import io.jsupervise.sim.Program.Workers;
import io.jsupervise.spec.Command;
import io.jsupervise.spec.Dependency;
import io.jsupervise.spec.Dependency.Condition;
import io.jsupervise.spec.HookKind;
import io.jsupervise.spec.Hooks;
import io.jsupervise.spec.Hooks.Hook;
import io.jsupervise.spec.KillMode;
import io.jsupervise.spec.RestartPolicy;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.ServiceType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * What a scenario of plain services is given beside these, drawn from a random stream of its own: who depends on whom,
 * hooks, one-shots, kill modes, and what all that does each time. Who depends on whom has no circle because nobody
 * depends on one that comes later in the list of names.
 */
final class Choreography {
    /** The longest time that a hook may take. */
    static final Duration LONGEST_HOOK = Duration.ofSeconds(3);

    private final SplittableRandom random;
    private final Map<String, Part> parts = new HashMap<>();
    private final boolean onlyOneshots;
    private boolean calm;
    private Optional<Groupings> groupings = Optional.empty();

    /** What is added to one service. */
    private static final class Part {
        boolean mayBeOneshot;
        boolean isOneshot;
        KillMode killMode = KillMode.TREE;
        final Map<HookKind, Duration> hooks = new HashMap<>();
        final Set<HookKind> used = new HashSet<>();
        final Map<String, Condition> needs = new HashMap<>();
        final List<String> before = new ArrayList<>();
        int edition;
    }

    /** @param plain the services, in an order in which none depends on a later one */
    Choreography(SplittableRandom random, List<ServiceSpec> plain, Set<String> crashLoops) {
        this.random = random;
        this.onlyOneshots = chance(0.15);
        List<String> before = new ArrayList<>();
        for (ServiceSpec spec : plain) {
            String name = spec.name().value();
            Part part = new Part();
            part.mayBeOneshot = onlyOneshots || spec.heartbeat().isEmpty() && !crashLoops.contains(name);
            part.isOneshot = onlyOneshots || part.mayBeOneshot && chance(0.4);
            part.killMode = pick(KillMode.TREE, KillMode.TREE, KillMode.MIXED, KillMode.PROCESS);
            for (HookKind kind : HookKind.values()) {
                part.hooks.put(kind, Duration.ofMillis(pick(200, 1_000, (int) LONGEST_HOOK.toMillis())));
                if (chance(0.35)) {
                    part.used.add(kind);
                }
            }
            part.before.addAll(before);
            needOthers(part, 0.5);
            parts.put(name, part);
            before.add(name);
        }
    }

    private void needOthers(Part part, double probability) {
        part.needs.clear();
        for (String other : part.before) {
            if (chance(probability)) {
                part.needs.put(other, pick(Condition.values()));
            }
        }
    }

    /** Some are restarted together. */
    void groups(Groupings drawn) {
        groupings = Optional.of(drawn);
    }

    /** Whether all are oneshots, for ever. */
    boolean onlyOneshots() {
        return onlyOneshots;
    }

    void calm() {
        calm = true;
    }

    /** Somebody edits the file. */
    void edit() {
        groupings.ifPresent(Groupings::edit);
        for (Part part : parts.values()) {
            if (chance(0.15)) {
                needOthers(part, 0.4);
            }
            if (part.mayBeOneshot && !onlyOneshots && chance(0.08)) {
                part.isOneshot = !part.isOneshot;
            }
            if (chance(0.15)) {
                HookKind kind = pick(HookKind.values());
                if (!part.used.remove(kind)) {
                    part.used.add(kind);
                }
            }
            if (chance(0.1)) {
                part.edition++;
            }
        }
    }

    /** A plain service, with all that. */
    ServiceSpec dress(ServiceSpec plain, Set<String> named) {
        Part part = parts.get(plain.name().value());
        List<Dependency> needs = new ArrayList<>();
        for (String other : part.before) {
            Condition condition = part.needs.get(other);
            if (condition != null && named.contains(other)) {
                boolean mayComplete = parts.get(other).isOneshot;
                needs.add(new Dependency(
                        new io.jsupervise.spec.ServiceName(other),
                        condition == Condition.COMPLETED && !mayComplete ? Condition.READY : condition,
                        groupings.isPresent()
                                && groupings.get().along(plain.name().value(), other)));
            }
        }
        RestartPolicy restart = plain.restart();
        if (part.isOneshot) {
            restart = restart == RestartPolicy.ON_FAILURE ? restart : RestartPolicy.NEVER;
        }
        return new ServiceSpec(
                plain.name(),
                plain.description(),
                part.isOneshot ? ServiceType.ONESHOT : ServiceType.SERVICE,
                plain.spawn(),
                plain.autostart(),
                needs,
                groupings.flatMap(drawn -> drawn.of(plain.name().value())),
                plain.startJitter(),
                plain.ready(),
                plain.startTimeout(),
                restart,
                plain.successExitCodes(),
                plain.giveUpExitCodes(),
                plain.backoff(),
                plain.startLimit(),
                plain.critical(),
                plain.escalation(),
                onlyOneshots ? Optional.empty() : plain.heartbeat(),
                plain.health(),
                plain.stop().with(part.killMode),
                new Hooks(
                                hook(part, HookKind.PRE_START),
                                part.isOneshot ? Optional.empty() : hook(part, HookKind.POST_START),
                                hook(part, HookKind.STOP_COMMAND),
                                hook(part, HookKind.POST_STOP))
                        .telling(
                                hook(part, HookKind.ON_FAILURE),
                                hook(part, HookKind.ON_GIVE_UP),
                                hook(part, HookKind.ON_RECOVERED)),
                plain.log());
    }

    private static Optional<Hook> hook(Part part, HookKind kind) {
        return part.used.contains(kind)
                ? Optional.of(
                        new Hook(Command.of("/bin/" + kind.word(), String.valueOf(part.edition)), part.hooks.get(kind)))
                : Optional.empty();
    }

    /** What a hook does. */
    Program hook(SpawnRequest request) {
        Program program = Program.steady().exits(upTo(80), 0);
        if (calm) {
            return program;
        }
        int kind = random.nextInt(20);
        if (kind < 4) {
            program = program.exits(upTo(chance(0.8) ? 80 : 4_000), 1);
        } else if (kind < 6) {
            program = Program.steady().onTerm(Optional.empty());
        } else if (kind < 8) {
            program = program.exits(upTo(4_000), 0);
        }
        if (chance(0.1)) {
            program = program.leaves(new Workers(
                    1,
                    chance(0.3) ? upTo(3_000) : Duration.ZERO,
                    Program.FOREVER,
                    chance(0.3) ? upTo(500) : Duration.ZERO));
        }
        return chance(0.04) ? program.onKill(upTo(3_000)) : program;
    }

    /** What a main process does, given what it would do if it were that of a plain service. */
    Program main(Program plain, String service) {
        Part part = parts.get(service);
        Program program = plain;
        if (part.isOneshot) {
            boolean fails = !calm && chance(0.3);
            program = !calm && chance(0.05) ? program : program.exits(upTo(chance(0.8) ? 300 : 5_000), fails ? 1 : 0);
        }
        if (part.killMode == KillMode.PROCESS) {
            // Nobody ends them, so they have to end by themselves.
            Workers workers = program.workers();
            program = program.strays(Strays.NONE)
                    .leaves(new Workers(workers.count(), Duration.ZERO, upTo(1_000), workers.zombieFor()));
        }
        return program;
    }

    private boolean chance(double probability) {
        return random.nextDouble() < probability;
    }

    private Duration upTo(int mostMs) {
        return Duration.ofNanos(random.nextLong(mostMs * 1_000_000L) + 1);
    }

    @SafeVarargs
    private <T> T pick(T... of) {
        return of[random.nextInt(of.length)];
    }
}
