package io.jsupervise.lifecycle;

import io.jsupervise.lifecycle.Reachable.Passage;
import io.jsupervise.spec.Backoff;
import io.jsupervise.spec.Heartbeat;
import io.jsupervise.spec.Privileges;
import io.jsupervise.spec.Readiness;
import io.jsupervise.spec.RestartIntensity;
import io.jsupervise.spec.RestartPolicy;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import io.jsupervise.spec.StopSequence;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;

/**
 * Writes docs/states.md out of the core: no line of its diagram and tables is known here, all are found by driving
 * {@link Lifecycle}. The words around them, and those on each state, are the page's own.
 */
final class StatesPage {
    /** What a row tells apart: several orders of the world may lead the same way. */
    private record Way(ServiceState from, String what, ServiceState to) {}

    private static final Privileges NO_NEW_PRIVS =
            new Privileges(Optional.empty(), List.of(), OptionalInt.empty(), OptionalInt.empty(), true);

    private final Map<Way, Set<String>> ways = new LinkedHashMap<>();
    private final Set<ServiceState> withProcess = EnumSet.noneOf(ServiceState.class);
    private final Set<ServiceState> withoutProcess = EnumSet.noneOf(ServiceState.class);

    StatesPage(Reachable reachable) {
        for (Reachable.Situation situation : reachable.situations()) {
            Service service = situation.service();
            (service.process().isPresent() ? withProcess : withoutProcess).add(service.state());
        }
        for (Passage passage : reachable.passages()) {
            ServiceState from = passage.from().service().state();
            Way way = new Way(from, passage.what(), passage.to().service().state());
            Set<String> orders = ways.computeIfAbsent(way, key -> new TreeSet<>());
            for (Effect effect : passage.orders()) {
                word(effect, passage).ifPresent(orders::add);
            }
        }
    }

    /** Timers and questions within the core are not what readers look for. */
    private static Optional<String> word(Effect effect, Passage passage) {
        if (effect instanceof Effect.SendSignal send) {
            return Optional.of(signal(send, passage));
        }
        boolean inner = effect instanceof Effect.ArmTimer
                || effect instanceof Effect.CancelTimer
                || effect instanceof Effect.AskToStart;
        return inner ? Optional.empty() : Optional.of(Bench.wordOf(effect));
    }

    /** Signals that the services file chooses go by their key; one of the services tried has KILL as stop_signal. */
    private static String signal(Effect.SendSignal send, Passage passage) {
        StopSequence stop = passage.from().service().spec().stop();
        boolean timeout = passage.event() instanceof Event.TimerFired fired && fired.kind() == TimerKind.STOP;
        boolean patient = !timeout && !(passage.event() instanceof Event.ShutdownHurried);
        if (!send.wholeTree()) {
            return "dump_signal to main process";
        }
        return (patient && send.signal().equals(stop.signal())
                        ? "stop_signal"
                        : send.signal().fullName()) + " to group";
    }

    String text() {
        StringBuilder page = new StringBuilder();
        page.append(
                """
                # The states of a service

                This page is generated: the core is driven into every situation that a service can get into, and what
                it does there is written down. A test fails when the page no longer tells what the core does; to write
                it anew: `mvn -pl supervisor-core test -Dtest=StatesPageTest -Ddocs.write=true`

                ## What each state means

                | state | meaning | a process | what can follow |
                |---|---|---|---|
                """);
        for (ServiceState state : ServiceState.values()) {
            page.append("| ").append(state).append(" | ").append(meaning(state));
            page.append(" | ").append(process(state));
            page.append(" | ").append(join(targets(state))).append(" |\n");
        }
        page.append(
                """

                ## The ways between them

                ```mermaid
                stateDiagram-v2
                    [*] --> STOPPED
                """);
        edges().forEach((edge, whats) -> page.append("    ")
                .append(edge)
                .append(" : ")
                .append(String.join(" / ", whats))
                .append('\n'));
        page.append(
                """
                ```

                ## How an end is judged

                What follows when a service ends, or cannot be started, without having been asked to end. The start limit is
                `start_limit: {count: 1, within: 1h}`, and "beyond it" means that one restart was made already.

                """);
        judgements(page);
        page.append(
                """

                [Programs in front of its own](configuration.md#another-user), which give it its user, limits or control
                group, are executed in the same process. Where the main process ends under the name of one of them, by a signal or with an exit
                code that such a program comes to, the program of the service never ran: it is told as `start-failed`, and is a
                failed start like one that could not be spawned, since the exit code is none of the program's.

                ## How long the backoff is

                """);
        backoff(page);
        page.append(
                """

                ## Everything that can happen

                Per state: what changes something there, where it can lead, and what the supervisor may do on the way, in
                no particular order. `record` writes the service's file in the journal; it is in place before a process is
                spawned or signalled. `tell` names the event in the event stream. `clear group` kills what is left of the
                process group of an ended main process and looks whether anything remains. `dump_signal` is sent only to
                a process that hangs, and SIGCONT only after a `stop_signal` that is not KILL.
                """);
        for (ServiceState state : ServiceState.values()) {
            page.append("\n### ").append(state).append("\n\n| when | to | does |\n|---|---|---|\n");
            for (Map.Entry<Way, Set<String>> way : sorted(state)) {
                if (way.getKey().to() == state && way.getValue().isEmpty()) {
                    continue;
                }
                page.append("| ").append(way.getKey().what());
                page.append(" | ")
                        .append(
                                way.getKey().to() == state
                                        ? "stays"
                                        : way.getKey().to());
                page.append(" | ").append(join(way.getValue())).append(" |\n");
            }
        }
        return page.toString();
    }

    private static String meaning(ServiceState state) {
        return switch (state) {
            case STOPPED -> "down, and not about to start";
            case WAITING ->
                "about to start: waits for its start jitter, a start slot, or the rest of its last process group";
            case STARTING -> "being spawned, or spawned and not ready yet";
            case RUNNING -> "ready";
            case BACKOFF -> "ended; will be started again when its backoff is over";
            case STOPPING -> "being ended, or ended while some of its process group remain";
            case EXITED -> "ended, and its restart policy says that it stays so";
            case FATAL -> "given up; the status says why";
        };
    }

    /** Whether a main process runs in this state, as found. */
    private String process(ServiceState state) {
        boolean with = withProcess.contains(state);
        boolean without = withoutProcess.contains(state);
        return with && without ? "perhaps" : with ? "yes" : "no";
    }

    private Set<String> targets(ServiceState from) {
        Set<ServiceState> targets = EnumSet.noneOf(ServiceState.class);
        ways.keySet().stream().filter(way -> way.from() == from).forEach(way -> targets.add(way.to()));
        targets.remove(from);
        Set<String> names = new LinkedHashSet<>();
        targets.forEach(state -> names.add(state.toString()));
        return names;
    }

    private Map<String, Set<String>> edges() {
        Map<String, Set<String>> edges = new LinkedHashMap<>();
        for (ServiceState from : ServiceState.values()) {
            for (Map.Entry<Way, Set<String>> way : sorted(from)) {
                if (way.getKey().to() != from) {
                    String edge = from + " --> " + way.getKey().to();
                    edges.computeIfAbsent(edge, key -> new TreeSet<>())
                            .add(way.getKey().what());
                }
            }
        }
        return edges;
    }

    private List<Map.Entry<Way, Set<String>>> sorted(ServiceState from) {
        List<Map.Entry<Way, Set<String>>> rows = new ArrayList<>();
        ways.entrySet().stream().filter(way -> way.getKey().from() == from).forEach(rows::add);
        rows.sort(java.util.Comparator.comparing(
                        (Map.Entry<Way, Set<String>> way) -> way.getKey().what())
                .thenComparing(way -> way.getKey().to()));
        return rows;
    }

    private static String join(Set<String> names) {
        return names.isEmpty() ? "nothing" : String.join(", ", names);
    }

    // ---- how an end is judged ----

    private static void judgements(StringBuilder page) {
        Map<String, UnaryOperator<Bench>> ends = new LinkedHashMap<>();
        ends.put("exit 0, one of the success_exit_codes", bench -> bench.running()
                .exits(0));
        ends.put("exit 1", bench -> bench.running().exits(1));
        ends.put("exit 1 before it was ready", bench -> bench.begin().spawned().exits(1));
        ends.put("exit 9, one of the give_up_exit_codes", bench -> bench.running()
                .exits(9));
        ends.put(
                "killed by a signal that was not ours", bench -> bench.running().killedBy(Signal.SEGV));
        ends.put("no heartbeat, so it was ended", StatesPage::hangs);
        ends.put("ended while no supervisor ran", bench -> bench.running().ended(new ExitStatus.Unknown()));
        ends.put("could not be spawned", bench -> bench.begin().spawnFails());
        ends.put(
                "a program in front of its own ended: `setpriv`, with exit 127, one of the success_exit_codes",
                bench -> endsAsLoader(bench, 127));
        ends.put(
                "a program in front of its own ended: `setpriv`, with exit 126, one of the give_up_exit_codes",
                bench -> endsAsLoader(bench, 126));
        ends.put("exit 1, beyond the start limit", StatesPage::endsTwice);
        page.append("| it ended so |");
        for (RestartPolicy policy : RestartPolicy.values()) {
            page.append(" `restart: ").append(policy.word()).append("` |");
        }
        page.append("\n|---|---|---|---|\n");
        ends.forEach((words, way) -> {
            page.append("| ").append(words).append(" |");
            for (RestartPolicy policy : RestartPolicy.values()) {
                page.append(' ').append(outcome(way, policy)).append(" |");
            }
            page.append('\n');
        });
    }

    private static String outcome(UnaryOperator<Bench> way, RestartPolicy policy) {
        ServiceSpec.Builder spec = ServiceSpec.of("web", "x")
                .restart(policy)
                .privileges(NO_NEW_PRIVS)
                .successExitCodes(Set.of(0, 127))
                .giveUpExitCodes(Set.of(9, 126))
                .startLimit(new RestartIntensity(1, Duration.ofHours(1)))
                .ready(new Readiness.Delay(Duration.ofSeconds(1)))
                .heartbeat(new Heartbeat(Bench.beat(), Duration.ofSeconds(10), Duration.ofSeconds(30)));
        Service after = way.apply(new Bench(spec)).service();
        return after.fatalReason()
                .map(reason -> after.state() + ": " + reason)
                .orElse(after.state().toString());
    }

    private static Bench hangs(Bench bench) {
        bench.begin().looked(Optional.empty()).spawned();
        bench.later(Duration.ofSeconds(30)).looked(Optional.empty());
        return bench.killedBy(Signal.TERM);
    }

    private static Bench endsAsLoader(Bench bench, int code) {
        bench.begin().spawned();
        return bench.on(new Event.ChildExited(bench.run(), new ExitStatus.Exited(code), Optional.of("setpriv")));
    }

    private static Bench endsTwice(Bench bench) {
        bench.running().exits(1);
        return bench.state() == ServiceState.BACKOFF ? bench.runsAgain().exits(1) : bench;
    }

    private static void backoff(StringBuilder page) {
        Backoff backoff = Backoff.DEFAULT;
        page.append("| failures in a row | shortest | middle | longest |\n|---|---|---|---|\n");
        for (int failures = 0; failures < 9; failures++) {
            page.append("| ").append(failures + 1);
            for (double unit : new double[] {0, 0.5, 1}) {
                page.append(" | ")
                        .append(backoff.delay(failures, unit).toMillis())
                        .append(" ms");
            }
            page.append(" |\n");
        }
        page.append("\nThis is the default backoff. A service that was ready for ")
                .append(backoff.resetAfter().toSeconds())
                .append(" s (`reset_after`) before it ended begins with the first row again.\n");
    }
}
