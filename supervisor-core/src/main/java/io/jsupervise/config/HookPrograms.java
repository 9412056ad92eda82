package io.jsupervise.config;

import io.jsupervise.config.Value.Mapping;
import io.jsupervise.config.Value.Place;
import io.jsupervise.spec.Command;
import io.jsupervise.spec.HookKind;
import io.jsupervise.spec.Hooks;
import io.jsupervise.spec.ServiceSpec;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Looks whether hooks can be executed here and now. A command that cannot be shows at its first start, a post_stop perhaps months
 * later. It is no fault of the file: a disk may be mounted later, or a pre_start may put it in place. So these are warnings, for
 * people who wrote a path wrong.
 */
final class HookPrograms {
    private final Machine machine;
    private final Set<ConfigProblem> found = new LinkedHashSet<>();

    HookPrograms(Machine machine) {
        this.machine = machine;
    }

    void look(Section section, ServiceSpec spec) {
        // A directory that is not there is in the way of each of them, and is told once.
        Set<String> told = new HashSet<>();
        for (HookKind kind : HookKind.values()) {
            Optional<Hooks.Hook> hook = spec.hooks().of(kind);
            if (hook.isPresent()) {
                look(
                        kind.word(),
                        placeOf(section, kind.word()),
                        spec,
                        hook.get().command(),
                        told);
            }
        }
    }

    private static Place placeOf(Section section, String key) {
        return section.value(key).orElseThrow() instanceof Mapping
                ? section.section(key).orElseThrow().placeOf("command")
                : section.placeOf(key);
    }

    private void look(String key, Place place, ServiceSpec spec, Command command, Set<String> told) {
        Optional<String> why = machine.whyNotExecutable(spec.spawn().with(command));
        if (why.isPresent() && told.add(why.get())) {
            found.add(new ConfigProblem(
                    place.file(),
                    place.line(),
                    place.column(),
                    "warning: " + key + " cannot be executed by now: " + why.get(),
                    "see that it can when the service starts",
                    false));
        }
    }

    /** One for each place, though a service has it from defaults as others do. */
    void tell(Consumer<ConfigProblem> warnings) {
        List.copyOf(found).forEach(warnings);
    }
}
