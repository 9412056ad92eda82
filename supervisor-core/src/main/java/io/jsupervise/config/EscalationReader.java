package io.jsupervise.config;

import io.jsupervise.config.Value.Mapping;
import io.jsupervise.config.Value.Member;
import io.jsupervise.config.Value.Sequence;
import io.jsupervise.config.Value.Text;
import io.jsupervise.spec.Escalation;
import io.jsupervise.spec.Hooks;
import io.jsupervise.spec.Readiness;
import io.jsupervise.spec.RestartIntensity;
import io.jsupervise.spec.RestartPolicy;
import io.jsupervise.spec.Rung;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.text.Nearest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** {@code verify}, {@code escalate} and the start limit of those that have a ladder or are critical. */
final class EscalationReader {
    private static final List<String> WORDS = List.of("restart-dependents", "restart-group", "shutdown", "reboot");
    private static final List<String> RUN = List.of("run");
    private static final int STANDARD_COUNT = 5;
    private static final Duration STANDARD_WITHIN = Duration.ofMinutes(5);

    /** Reads the command of a rung as those of hooks are read; key and section say where it stands. */
    interface Commands {
        Optional<Hooks.Hook> read(Section section, String key);
    }

    private final Section section;
    private final Problems problems;
    private final Commands commands;

    EscalationReader(Section section, Problems problems, Commands commands) {
        this.section = section;
        this.problems = problems;
        this.commands = commands;
    }

    Escalation read() {
        if (!section.has("verify") && !section.has("escalate")) {
            return Escalation.NONE;
        }
        Duration stableFor = Escalation.DEFAULT_STABLE_FOR;
        Optional<Section> verify = section.section("verify");
        if (verify.isPresent()) {
            stableFor = verify.get().knows(Keys.VERIFY).duration("stable_for", stableFor);
        }
        return new Escalation(stableFor, ladder());
    }

    private List<Rung> ladder() {
        List<Rung> ladder = new ArrayList<>();
        Optional<Value> value = section.value("escalate");
        if (value.isEmpty()) {
            return ladder;
        }
        List<Value> values = value.get() instanceof Sequence sequence ? sequence.values() : List.of(value.get());
        for (Value one : values) {
            if (!ladder.isEmpty() && ladder.get(ladder.size() - 1) instanceof Rung.Reboot) {
                section.problem(
                        one.place(),
                        "escalate has a rung behind reboot, which nothing can follow",
                        "make reboot the last one");
                ladder.remove(ladder.size() - 1);
            }
            rung(one).ifPresent(ladder::add);
        }
        return ladder;
    }

    private Optional<Rung> rung(Value value) {
        if (value instanceof Mapping map) {
            return run(map);
        }
        if (!(value instanceof Text text)) {
            section.problem(
                    value.place(), "a rung of escalate is " + value.kind(), "write " + words() + ", one in each line");
            return Optional.empty();
        }
        switch (text.text()) {
            case "restart-dependents":
                return Optional.of(new Rung.RestartDependents());
            case "restart-group":
                return Optional.of(new Rung.RestartGroup());
            case "shutdown":
                return Optional.of(new Rung.Shutdown());
            case "reboot":
                return Optional.of(new Rung.Reboot());
            default:
                Optional<String> near = Nearest.of(text.text(), WORDS);
                String fix = text.text().equals("run")
                        ? "write run: [/usr/bin/program, --option]"
                        : near.isPresent()
                                ? "did you mean \"" + near.get() + "\"? It can be " + words()
                                : "use " + words();
                section.problem(text.place(), "rung " + text.kind() + " of escalate is unknown", fix);
                return Optional.empty();
        }
    }

    private static String words() {
        return String.join(", ", WORDS) + " or run: [/usr/bin/program, --option]";
    }

    private Optional<Rung> run(Mapping map) {
        Section rung = new Section("escalate", map, problems).knows(RUN);
        for (Map.Entry<String, Member> member : map.members().entrySet()) {
            if (!member.getKey().equals("run")) {
                return Optional.empty();
            }
        }
        if (!rung.has("run")) {
            section.problem(map.place(), "a rung of escalate is empty", "write " + words());
            return Optional.empty();
        }
        return commands.read(rung, "run").map(Rung.Run::new);
    }

    // ---- what has to go with it ----

    /**
     * Nothing is given up that is never restarted, or restarted for ever.
     *
     * @param plain all that is said of the service
     */
    Optional<RestartIntensity> limit(ServiceSpec plain) {
        boolean hasLadder = !plain.escalation().ladder().isEmpty();
        if (hasLadder && plain.restart() == RestartPolicy.NEVER) {
            section.problem(
                    section.placeOf("escalate"),
                    "escalate is set for a service with restart: never, which is never found to be restarted in vain",
                    "write restart: on-failure, or escalate: [] where it comes from defaults");
        }
        if (plain.group().isEmpty() && plain.escalation().ladder().contains(new Rung.RestartGroup())) {
            section.problem(
                    section.placeOf("escalate"),
                    "escalate has restart-group for a service that is in no group",
                    "add it to one of the groups at the top of the file, or remove the rung");
        }
        return section.has("start_limit") || !plain.critical() && !hasLadder
                ? plain.startLimit()
                : Optional.of(new RestartIntensity(STANDARD_COUNT, longer(STANDARD_WITHIN, fiveInVain(plain))));
    }

    /** Five restarts that come to nothing, each as slowly as it can, have to be within the limit. */
    private static Duration fiveInVain(ServiceSpec spec) {
        Duration untilReady = spec.ready() instanceof Readiness.Delay delay ? delay.after() : spec.startTimeout();
        Duration wait = spec.backoff()
                .max()
                .plus(fraction(spec.backoff().max(), spec.backoff().jitter()));
        return untilReady
                .plus(spec.escalation().stableFor())
                .plus(spec.longestHang())
                .plus(spec.stop().timeout())
                .plus(wait)
                .plus(spec.startJitter())
                .multipliedBy(STANDARD_COUNT);
    }

    private static Duration fraction(Duration whole, double part) {
        return Duration.ofMillis((long) (whole.toMillis() * part));
    }

    private static Duration longer(Duration a, Duration b) {
        return a.compareTo(b) >= 0 ? a : b;
    }
}
