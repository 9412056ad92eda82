package io.jsupervise.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.daemon.ForwardingOutlets;
import io.jsupervise.daemon.Outlets;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.spec.Backoff;
import io.jsupervise.spec.Command;
import io.jsupervise.spec.Dependency;
import io.jsupervise.spec.Escalation;
import io.jsupervise.spec.Hooks;
import io.jsupervise.spec.Readiness;
import io.jsupervise.spec.RestartIntensity;
import io.jsupervise.spec.Rung;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.supervision.Ask;
import io.jsupervise.supervision.Happening;
import io.jsupervise.supervision.Order;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A service that is broken for good walks its ladder while its supervisor is killed: at every one of its system calls, and
 * again soon after that. Whatever comes between, the rungs come in their order, none is left out, one that is done twice is told as
 * that, and at the end of the ladder the service is given up.
 */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class LadderLivesTest {
    private static final long NEVER = Long.MAX_VALUE / 2;
    private static final Duration WALK = Duration.ofSeconds(4);

    private final List<Integer> commands = new ArrayList<>();
    private final List<Happening> told = new ArrayList<>();
    private int dependents;
    private Lives lives;

    private static Rung run(String name) {
        return new Rung.Run(new Hooks.Hook(Command.of("/bin/" + name), Duration.ofSeconds(1)));
    }

    private static ServiceSpec.Builder service(String name, Rung... ladder) {
        return ServiceSpec.of(name, "/bin/" + name)
                .ready(new Readiness.Delay(Duration.ZERO))
                .escalation(new Escalation(Duration.ofMillis(500), List.of(ladder)))
                .backoff(new Backoff(Duration.ofMillis(20), 1, Duration.ofMillis(20), 0, Duration.ofHours(1)));
    }

    private void machine(long seed, Rung... ladder) {
        commands.clear();
        told.clear();
        dependents = 0;
        List<ServiceSpec> specs = List.of(
                service("s0", ladder)
                        .startLimit(new RestartIntensity(1, Duration.ofHours(1)))
                        .build(),
                service("s1")
                        .dependsOn(List.of(new Dependency(new ServiceName("s0"), Dependency.Condition.STARTED)))
                        .build());
        lives = new Lives(Scenario.configuration(0, specs), this::program, new SplittableRandom(seed), 200);
        lives.outlets(outlets -> new Heard(outlets, told));
    }

    private Program program(SpawnRequest request) {
        if (request.environment().containsKey("JSUPERVISE_RUNG")) {
            commands.add(Integer.parseInt(request.environment().get("JSUPERVISE_RUNG")));
            return Program.steady().exits(Duration.ofMillis(15), commands.size() % 2);
        }
        boolean isBroken = request.environment().get("JSUPERVISE_SERVICE").equals("s0");
        dependents += isBroken ? 0 : 1;
        return isBroken ? Program.steady().exits(Duration.ofMillis(10), 1) : Program.steady();
    }

    /** Hears what is told. */
    private static final class Heard extends ForwardingOutlets {
        private final List<Happening> told;

        Heard(Outlets outlets, List<Happening> told) {
            super(outlets);
            this.told = told;
        }

        @Override
        public void tell(Order.Tell order) {
            told.add(order.happening());
            super.tell(order);
        }
    }

    private List<String> escalations() {
        List<String> all = new ArrayList<>();
        for (Happening one : told) {
            if (one.event().equals("escalating")) {
                all.add(one.details().get("rung") + (one.details().containsKey("again") ? " again" : ""));
            }
        }
        return all;
    }

    private long count(String event) {
        return told.stream().filter(one -> one.event().equals(event)).count();
    }

    @Test
    void a_ladder_is_walked_once_where_nothing_comes_between() {
        machine(1, run("a"), new Rung.RestartDependents(), run("b"));
        assertTrue(lives.live(NEVER, life -> life.run(WALK)));
        assertEquals(List.of("1", "2", "3"), escalations());
        assertEquals(List.of(1, 3), commands);
        assertEquals(2, dependents, "restarted once");
        assertEquals(1, count("gave-up"));
    }

    @Test
    void a_kill_at_any_call_neither_leaves_out_a_rung_nor_repeats_one_unnoticed() {
        machine(1, run("a"), new Rung.RestartDependents(), run("b"));
        lives.live(NEVER, life -> life.run(WALK));
        long calls = lives.mostCalls();
        assertTrue(calls > 200, "only " + calls);
        for (long call = 1; call <= calls; call++) {
            machine(1, run("a"), new Rung.RestartDependents(), run("b"));
            String kills = call + (call % 3 == 0 ? " and soon again" : "");
            assertFalse(lives.live(call, life -> life.run(WALK)), kills);
            lives.unsupervised(Duration.ofMillis(call % 2 == 0 ? 60 : 5));
            if (call % 3 == 0 && !lives.live(1 + call * 31 % 300, life -> life.run(WALK))) {
                lives.unsupervised(Duration.ofMillis(5));
            }
            lives.live(NEVER, life -> {
                life.run(WALK);
                assertWalked(kills);
                life.terminate();
                life.run(Duration.ofSeconds(5));
                life.end();
            });
        }
    }

    private void assertWalked(String kills) {
        String how =
                "killed at " + kills + ": " + escalations() + ", commands " + commands + "\n" + lives.transcript.text();
        assertTrue(commands.contains(1) && commands.contains(3), how);
        assertTrue(count("gave-up") >= 1, how);
        assertTrue(dependents >= 2, how);
        int last = 0;
        for (int rung : commands) {
            assertTrue(rung >= last, how);
            last = rung;
        }
        int before = 0;
        for (String one : escalations()) {
            int rung = Integer.parseInt(one.replace(" again", ""));
            assertTrue(rung == before + 1 || rung == before, how);
            before = rung;
        }
        // Told twice without that word: the end that led to it was not recorded yet, and nothing was done.
        for (int rung : new int[] {1, 3}) {
            long done = commands.stream().filter(one -> one == rung).count();
            long again =
                    escalations().stream().filter((rung + " again")::equals).count();
            assertTrue(done - 1 <= again, how);
        }
    }

    @Test
    void the_supervisor_that_its_ladder_ends_says_so_and_the_next_one_goes_on_behind_that() throws Exception {
        machine(1, new Rung.Shutdown(), run("a"));
        assertTrue(lives.live(NEVER, life -> {
            life.run(WALK);
            assertTrue(life.isOver());
            assertTrue(life.failed(), "its exit code is that of an end in order");
            life.end();
        }));
        lives.dies();
        assertEquals(List.of("1"), escalations());
        told.clear();
        lives.live(NEVER, life -> life.run(WALK));
        assertEquals(List.of("2"), escalations());
        assertEquals(List.of(2), commands);
        assertEquals(1, count("gave-up"));
    }

    @Test
    void a_kill_on_the_way_to_that_end_does_not_keep_the_supervisor_from_it() {
        machine(1, new Rung.Shutdown());
        lives.live(NEVER, life -> life.run(WALK));
        long calls = lives.mostCalls();
        for (long call = 1; call <= calls; call++) {
            machine(1, new Rung.Shutdown());
            assertFalse(lives.live(call, life -> life.run(WALK)), "killed at " + call);
            lives.unsupervised(Duration.ofMillis(5));
            boolean[] ended = new boolean[1];
            lives.live(NEVER, life -> {
                life.run(WALK);
                ended[0] = life.isOver();
                if (ended[0]) {
                    life.end();
                }
            });
            // One that was killed when its last record was in place had come to its end: the next one begins behind it.
            boolean endedBefore = count("gave-up") == 1;
            assertTrue(ended[0] || endedBefore, "killed at " + call + "\n" + lives.transcript.text());
        }
    }

    @Test
    void an_operator_who_stops_it_on_its_ladder_has_it_stopped() {
        for (int ms = 0; ms < 300; ms += 7) {
            machine(ms, run("a"), new Rung.RestartDependents(), run("b"));
            int when = ms;
            lives.live(NEVER, life -> {
                life.run(Duration.ofMillis(when));
                life.ask(new Ask.Act(Ask.Act.Verb.STOP, List.of(new ServiceName("s0")), false, Duration.ofSeconds(5)));
                life.run(Duration.ofSeconds(2));
                int begun = commands.size();
                life.run(WALK);
                assertEquals(begun, commands.size(), "stopped after " + when + " ms\n" + lives.transcript.text());
                assertEquals(0, count("gave-up") > 0 && when < 60 ? 1 : 0);
                life.terminate();
                life.run(Duration.ofSeconds(5));
                life.end();
            });
        }
    }
}
