package io.jsupervise.config;

import io.jsupervise.config.Value.Mapping;
import io.jsupervise.config.Value.Place;
import io.jsupervise.spec.Check;
import io.jsupervise.spec.Command;
import io.jsupervise.spec.HookKind;
import io.jsupervise.spec.Hooks;
import io.jsupervise.spec.Probe;
import io.jsupervise.spec.Readiness;
import io.jsupervise.spec.Rung;
import io.jsupervise.spec.ServiceSpec;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Looks whether programs can be executed here and now. A command that cannot be shows at its first start, a post_stop perhaps months
 * later. It is no fault of the file: a disk may be mounted later, or a pre_start may put it in place. So hooks are told of as
 * warnings, for people who wrote a path wrong. Only a command that is there, and forbidden to the user whom the file names, is a
 * problem, as that user would be if he was not there: the two have to be brought together. A supervisor tries that again, too.
 */
final class Programs {
    private final Machine machine;
    private final Set<ConfigProblem> found = new LinkedHashSet<>();
    private final Set<ConfigProblem> forbidden = new LinkedHashSet<>();

    Programs(Machine machine) {
        this.machine = machine;
    }

    void look(Section section, ServiceSpec spec) {
        // A directory that is not there is in the way of each of them, and is told once.
        Set<String> told = new HashSet<>();
        Optional<Machine.Refusal> refusal = machine.whyNotExecutable(spec.spawn());
        if (refusal.isPresent() && refusal.get().ofItsUser()) {
            told.add(refusal.get().why());
            forbidden.add(problem(
                    section.placeOf("command"),
                    "command cannot be executed: " + refusal.get().why(),
                    "let the user do so, or name another"));
        }
        for (HookKind kind : HookKind.values()) {
            Optional<Hooks.Hook> hook = spec.hooks().of(kind);
            if (hook.isPresent()) {
                Place place = placeOf(section, kind.word());
                look(kind.word(), place, spec, hook.get().command(), told);
            }
        }
        for (Rung rung : spec.escalation().ladder()) {
            if (rung instanceof Rung.Run run) {
                look("escalate", section.placeOf("escalate"), spec, run.hook().command(), told);
            }
        }
        lookAtChecks(section, spec, told);
    }

    /** A check whose program cannot be executed would end the service again and again. */
    private void lookAtChecks(Section section, ServiceSpec spec, Set<String> told) {
        for (Check check : spec.health().checks()) {
            if (check.probe() instanceof Probe.Exec exec) {
                Section all = section.section("checks").orElseThrow();
                Place place = all.section(check.name()).orElseThrow().placeOf("exec");
                look("check " + check.name(), place, spec, exec.command(), told);
            }
        }
        if (spec.ready() instanceof Readiness.Answering answering && answering.probe() instanceof Probe.Exec exec) {
            look("ready", section.section("ready").orElseThrow().placeOf("exec"), spec, exec.command(), told);
        }
    }

    private static Place placeOf(Section section, String key) {
        return section.value(key).orElseThrow() instanceof Mapping
                ? section.section(key).orElseThrow().placeOf("command")
                : section.placeOf(key);
    }

    private void look(String key, Place place, ServiceSpec spec, Command command, Set<String> told) {
        Optional<String> why =
                machine.whyNotExecutable(spec.spawn().with(command)).map(Machine.Refusal::why);
        if (why.isPresent() && told.add(why.get())) {
            found.add(problem(
                    place,
                    "warning: " + key + " cannot be executed by now: " + why.get(),
                    "see that it can when the service starts"));
        }
    }

    private static ConfigProblem problem(Place place, String what, String fix) {
        return new ConfigProblem(place.file(), place.line(), place.column(), what, fix, false);
    }

    /** One for each place, though a service has it from defaults as others do. */
    void tell(Consumer<ConfigProblem> warnings) throws ConfigException {
        List.copyOf(found).forEach(warnings);
        if (!forbidden.isEmpty()) {
            throw new ConfigException(List.copyOf(forbidden));
        }
    }
}
