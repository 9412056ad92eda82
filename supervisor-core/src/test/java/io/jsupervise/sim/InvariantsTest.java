package io.jsupervise.sim;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.daemon.Outlets;
import io.jsupervise.io.Belongings;
import io.jsupervise.io.HeartbeatFiles;
import io.jsupervise.io.Spawner;
import io.jsupervise.lifecycle.Effect;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.sim.Program.Beats;
import io.jsupervise.spec.Backoff;
import io.jsupervise.spec.Heartbeat;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.supervision.Ask;
import io.jsupervise.supervision.Happening;
import io.jsupervise.supervision.Order;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Each promise is broken once on purpose: an invariant that nothing can break would prove nothing. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class InvariantsTest {
    private static final Heartbeat HEARTBEAT =
            new Heartbeat(Scenario.RUNTIME.resolve("heartbeats/web"), Duration.ofSeconds(1), Duration.ofSeconds(5));
    private static final ServiceSpec WEB = ServiceSpec.of("web", "/bin/web")
            .backoff(new Backoff(Duration.ofSeconds(3), 1, Duration.ofSeconds(3), 0, Duration.ofMinutes(1)))
            .heartbeat(HEARTBEAT)
            .build();
    private static final Beats IN_TIME = new Beats(Duration.ofMillis(100), Duration.ofMillis(500), Program.FOREVER);
    private static final Program STEADY = Program.steady().beats(IN_TIME);
    private static final Program CRASHES = STEADY.exits(Duration.ofSeconds(2), 1);
    private static final Program HANGS =
            STEADY.beats(new Beats(Duration.ofMillis(100), Duration.ofMillis(500), Duration.ofSeconds(2)));

    @Test
    void without_sabotage_nothing_is_broken() {
        for (Program program : List.of(STEADY, CRASHES, HANGS)) {
            begin(program, UnaryOperator.identity()).run(Duration.ofMinutes(1));
        }
    }

    @Test
    void a_second_process_breaks_promise_1() {
        broken("promise 1", begin(STEADY, outlets -> new StartsAfter(outlets, "ready", 0)));
    }

    @Test
    void a_death_that_is_not_in_the_journal_breaks_promise_2() {
        broken("promise 2", begin(CRASHES, WithholdsDeaths::new));
    }

    @Test
    void a_start_of_what_was_stopped_breaks_promise_6() {
        Simulation simulation = begin(STEADY, outlets -> new StartsAfter(outlets, "stopped", 2));
        simulation.run(Duration.ofSeconds(2));
        simulation.ask(new Ask.Act(Ask.Act.Verb.STOP, List.of(WEB.name()), false, Duration.ofSeconds(1)));
        broken("promise 6", simulation);
    }

    @Test
    void a_restart_without_backoff_breaks_promise_7() {
        broken("promise 7", begin(CRASHES, outlets -> new StartsAfter(outlets, "exited", 2)));
    }

    @Test
    void a_hang_that_nobody_looks_for_breaks_promise_9() {
        broken("promise 9", begin(HANGS, LooksAway::new));
    }

    @Test
    void a_hang_that_is_none_breaks_promise_9() {
        broken("promise 9", begin(STEADY, SaysItHangs::new));
    }

    // ---- what comes before what ----

    private final OrderBench bench = new OrderBench();

    @Test
    void a_start_before_what_it_depends_on_breaks_depends_on() {
        bench.broken("depends_on", order -> order.attempted(bench.request("web", "1", "")));
    }

    @Test
    void an_end_before_that_of_a_dependent_breaks_the_stop_order() {
        bench.broken("stop order", order -> {
            bench.runs(order, "db");
            bench.runs(order, "web");
            order.told(bench.happens(Optional.empty(), "shutdown-begun", Optional.empty(), Map.of("by", "SIGTERM")));
            Map<String, Object> why = Map.of("cause", "shutdown");
            order.told(bench.happens(Optional.of("db"), "stopping", Optional.of(ServiceState.STOPPING), why));
        });
    }

    @Test
    void two_hooks_at_once_break_the_promise_on_hooks() {
        bench.broken("hooks", order -> {
            bench.spawn(order, "db", "1.pre_start", "pre_start");
            order.attempted(bench.request("db", "1", ""));
        });
    }

    @Test
    void a_start_without_its_pre_start_is_noticed() {
        bench.broken("pre_start", order -> {
            order.attempted(bench.request("db", "1.pre_start", "pre_start"));
            order.attempted(bench.request("db", "1", ""));
        });
    }

    @Test
    void a_hook_that_outlives_its_time_is_noticed() {
        bench.broken("a hook", order -> {
            bench.spawn(order, "db", "1.pre_start", "pre_start");
            bench.world().advanceTo(bench.world().nanos() + 2_000_000_000L);
            order.afterTurn();
        });
    }

    @Test
    void a_service_that_never_comes_up_breaks_promise_12_and_the_message_says_how_to_see_it_again() {
        AssertionError error = assertThrows(
                AssertionError.class, () -> new RandomRun(4, Scenario.Kind.PLAIN, NeverStarts::new, 100).play());
        assertTrue(error.getMessage().contains("promise 12"), error.getMessage());
        assertTrue(error.getMessage().contains("-Dsim.seed=4\n"), error.getMessage());
    }

    private static Simulation begin(Program program, UnaryOperator<Outlets> saboteur) {
        Simulation.Setup setup = new Simulation.Setup(
                Scenario.configuration(0, List.of(WEB)),
                () -> Scenario.configuration(0, List.of(WEB)),
                request -> program,
                Faults::none,
                saboteur,
                100,
                Scenario.Kind.PLAIN);
        return new Simulation(setup, 1);
    }

    private static void broken(String promise, Simulation simulation) {
        Violation violation = assertThrows(Violation.class, () -> simulation.run(Duration.ofMinutes(1)));
        assertTrue(violation.getMessage().startsWith(promise + ":"), violation.getMessage());
    }

    /** Starts a process of its own when the core has told of {@code event}, so many turns later. */
    private static final class StartsAfter extends Saboteur {
        private final String event;
        private final int turns;
        private int wait = Integer.MAX_VALUE;

        StartsAfter(Outlets outlets, String event, int turns) {
            super(outlets);
            this.event = event;
            this.turns = turns;
        }

        @Override
        public void tell(Order.Tell order) {
            super.tell(order);
            if (order.happening().event().equals(event)) {
                wait = turns;
            }
        }

        @Override
        public void endOfTurn() {
            super.endOfTurn();
            if (wait-- == 0) {
                spawner().spawn(new Effect.Spawn(WEB, new RunId("sabotage")));
            }
        }
    }

    /** Hands the journal what was before, under the number of the death. */
    private static final class WithholdsDeaths extends Saboteur {
        private Service before;

        WithholdsDeaths(Outlets outlets) {
            super(outlets);
        }

        @Override
        public void record(Order.Record order) {
            if (order.service().state() == ServiceState.BACKOFF) {
                super.record(new Order.Record(order.seq(), before));
            } else {
                before = order.service();
                super.record(order);
            }
        }
    }

    private static final class LooksAway extends Saboteur {
        LooksAway(Outlets outlets) {
            super(outlets);
        }

        @Override
        public HeartbeatFiles heartbeats() {
            SimulatedOs elsewhere = new SimulatedOs(new World());
            return new HeartbeatFiles(elsewhere, HEARTBEAT.file(), look -> {}, result -> {}, failure -> {});
        }
    }

    private static final class SaysItHangs extends Saboteur {
        SaysItHangs(Outlets outlets) {
            super(outlets);
        }

        @Override
        public void tell(Order.Tell order) {
            Happening told = order.happening();
            super.tell(
                    told.event().equals("ready")
                            ? new Order.Tell(new Happening(
                                    told.seq(),
                                    told.at(),
                                    told.service(),
                                    "stopping",
                                    told.to(),
                                    Optional.of(ServiceState.STOPPING),
                                    Map.of("cause", "heartbeat")))
                            : order);
        }
    }

    /** Orders to start get lost. */
    private static final class NeverStarts extends Saboteur {
        private final SimulatedOs elsewhere = new SimulatedOs(new World());

        NeverStarts(Outlets outlets) {
            super(outlets);
        }

        @Override
        public Spawner spawner() {
            return new Spawner(
                    elsewhere,
                    Map.of(),
                    "nobody",
                    new Belongings(
                            elsewhere, Scenario.configuration(0, List.of()).supervisor()),
                    super.notifySockets(),
                    Optional.empty(),
                    (service, log) -> null,
                    null);
        }
    }
}
