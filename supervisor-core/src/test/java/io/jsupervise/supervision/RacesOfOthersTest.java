package io.jsupervise.supervision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Bench;
import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.Run;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.TimerKind;
import io.jsupervise.spec.Check;
import io.jsupervise.spec.Dependency;
import io.jsupervise.spec.Dependency.Condition;
import io.jsupervise.spec.HealthSpec;
import io.jsupervise.spec.Probe;
import io.jsupervise.spec.ServiceGroup;
import io.jsupervise.spec.ServiceGroup.Strategy;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.supervision.Ask.Act.Verb;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Races that other supervisors have had to learn from, each told as the story of a bug report of theirs, with the end
 * that it has to have here.
 */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class RacesOfOthersTest {

    private static List<Dependency> on(String name, Condition condition, boolean restart) {
        return List.of(new Dependency(new ServiceName(name), condition, restart));
    }

    private static Herd herd(ServiceSpec.Builder... specs) {
        Service[] services = new Service[specs.length];
        for (int i = 0; i < specs.length; i++) {
            services[i] = Bench.fresh(specs[i].build());
        }
        return new Herd(0, Set.of(), services).begin();
    }

    private static int spawns(Herd herd, String name) {
        int spawns = 0;
        for (String word : herd.words().split(", ")) {
            spawns += word.equals("spawn " + name) ? 1 : 0;
        }
        return spawns;
    }

    /**
     * process-compose #530: to restart a process that is parked on a dependency wedged it while it was being ended, and a
     * second copy could be started.
     */
    @Nested
    class Restart_of_one_that_is_parked_on_a_dependency {
        /** a is slow to get ready, b waits for that. */
        private Herd parked() {
            return herd(Herd.service("a"), Herd.service("b").dependsOn(on("a", Condition.READY, false)))
                    .spawned("a")
                    .committed();
        }

        @Test
        void it_goes_on_waiting_and_starts_once() {
            Herd herd = parked().actAndLeave(Verb.RESTART, "b").committed();
            assertEquals("STARTING WAITING", herd.states());
            assertEquals(0, spawns(herd, "b"));
            herd.actAndLeave(Verb.RESTART, "b").committed();
            assertEquals("STARTING WAITING", herd.states());
            herd.fires("a", TimerKind.READY);
            assertEquals(1, spawns(herd, "b"));
            herd.spawned("b").committed().fires("b", TimerKind.READY);
            assertEquals("RUNNING RUNNING", herd.states());
        }

        @Test
        void a_stop_of_it_is_not_undone_when_the_dependency_gets_ready() {
            Herd herd = parked().actAndLeave(Verb.RESTART, "b")
                    .actAndLeave(Verb.STOP, "b")
                    .committed();
            assertEquals("STARTING STOPPED", herd.states());
            herd.fires("a", TimerKind.READY);
            assertEquals(0, spawns(herd, "b"));
            assertEquals("RUNNING STOPPED", herd.states());
        }

        @Test
        void a_restart_of_both_makes_one_of_each() {
            Herd herd = parked().actAndLeave(Verb.RESTART).committed();
            assertEquals("STOPPING WAITING", herd.states());
            herd.exits("a", 0).committed();
            assertEquals(1, spawns(herd, "a"));
            herd.spawned("a").committed();
            assertEquals("STARTING WAITING", herd.states());
            herd.fires("a", TimerKind.READY);
            assertEquals(1, spawns(herd, "b"));
        }

        @Test
        void a_restart_while_its_spawn_is_under_way_ends_that_one_before_the_next() {
            Herd herd = parked().fires("a", TimerKind.READY);
            assertEquals(1, spawns(herd, "b"));
            herd.actAndLeave(Verb.RESTART, "b").committed();
            assertEquals("RUNNING STOPPING", herd.states());
            herd.spawned("b").committed();
            assertEquals(0, spawns(herd, "b"));
            herd.killed("b");
            assertEquals("RUNNING STARTING", herd.states());
            assertEquals(1, herd.serviceOf("b").history().ends().size());
        }

        @Test
        void one_that_is_parked_on_a_restart_with_others_does_the_same() {
            Herd herd = herd(Herd.service("a"), Herd.service("b").dependsOn(on("a", Condition.READY, true)))
                    .spawned("a")
                    .fires("a", TimerKind.READY)
                    .spawned("b")
                    .fires("b", TimerKind.READY)
                    .committed();
            herd.exits("a", 1).committed().killed("b").committed();
            assertEquals("BACKOFF WAITING", herd.states());
            herd.actAndLeave(Verb.RESTART, "b").committed();
            assertEquals("BACKOFF WAITING", herd.states());
            herd.fires("a", TimerKind.RESTART).committed().spawned("a").committed();
            assertEquals("STARTING WAITING", herd.states());
            herd.fires("a", TimerKind.READY);
            assertEquals(1, spawns(herd, "b"));
        }
    }

    /** kubernetes #53530: the failures of a probe before a restart counted against the next process. */
    @Nested
    class Failures_of_checks_that_survive_a_restart {
        private Herd checked() {
            Check check = new Check(
                    "door",
                    new Probe.Tcp("127.0.0.1", 80),
                    Duration.ofSeconds(10),
                    Duration.ofSeconds(3),
                    3,
                    Duration.ZERO);
            return herd(
                            Herd.service("db"),
                            Herd.service("web")
                                    .health(new HealthSpec(Optional.empty(), List.of(check)))
                                    .dependsOn(on("db", Condition.STARTED, true)))
                    .spawned("db")
                    .fires("db", TimerKind.READY)
                    .spawned("web")
                    .fires("web", TimerKind.READY)
                    .committed();
        }

        private static Herd fails(Herd herd, int times) {
            for (int i = 0; i < times; i++) {
                herd.fires("web", TimerKind.CHECK);
                Run run = herd.serviceOf("web").run().orElseThrow();
                herd.of("web", new Event.Probed(run.id(), Optional.of("door"), Optional.of("ECONNREFUSED")));
            }
            return herd.committed();
        }

        @Test
        void by_an_operator() {
            Herd herd = fails(checked(), 2).actAndLeave(Verb.RESTART, "web").committed();
            herd.killed("web").committed().spawned("web").committed().fires("web", TimerKind.READY);
            assertEquals("RUNNING RUNNING", fails(herd, 2).states());
            assertEquals("RUNNING STOPPING", fails(herd, 1).states());
        }

        @Test
        void with_what_it_depends_on() {
            Herd herd =
                    fails(checked(), 2).exits("db", 1).committed().killed("web").committed();
            herd.fires("db", TimerKind.RESTART).committed().spawned("db").committed();
            herd.spawned("web").committed().fires("web", TimerKind.READY);
            assertEquals("STARTING RUNNING", fails(herd, 2).states());
            assertEquals("STARTING STOPPING", fails(herd, 1).states());
        }
    }

    /** circus #965: an operator stopped a watcher, and the supervisor, which was about to restart it, started it again. */
    @Nested
    class Start_of_what_an_operator_has_stopped {
        @Test
        void while_its_restart_is_due() {
            Herd herd = herd(Herd.service("web"))
                    .spawned("web")
                    .committed()
                    .exits("web", 1)
                    .committed();
            herd.act(Verb.STOP, "web").committed();
            assertEquals("STOPPED", herd.states());
            assertEquals(0, herd.serviceOf("web").history().restarts());
            assertTrue(herd.serviceOf("web").next().isEmpty());
        }

        @Test
        void while_it_hangs_and_is_being_ended_for_that() {
            Herd herd = herd(Herd.service("web")).spawned("web").committed();
            herd.actAndLeave(Verb.RESTART, "web").actAndLeave(Verb.STOP, "web").committed();
            herd.killed("web").committed();
            assertEquals("STOPPED", herd.states());
        }

        @Test
        void while_its_spawn_is_ordered_and_held_for_the_journal() {
            Herd herd = herd(Herd.service("web")).spawned("web").committed().exits("web", 1);
            herd.fires("web", TimerKind.RESTART);
            herd.actAndLeave(Verb.STOP, "web").committed();
            assertFalse(herd.words().contains("spawn web"), herd.words());
            assertEquals("STOPPED", herd.states());
        }

        @Test
        void by_the_restart_of_its_group() {
            ServiceGroup all = new ServiceGroup("all", Strategy.ONE_FOR_ALL);
            Herd herd = herd(Herd.service("web").group(all), Herd.service("db").group(all));
            herd.spawned("web").spawned("db").committed();
            herd.exits("db", 1).actAndLeave(Verb.STOP, "web").committed();
            herd.killed("web").committed();
            herd.fires("db", TimerKind.RESTART).committed().spawned("db").committed();
            herd.exits("db", 1).committed().fires("db", TimerKind.RESTART).committed();
            assertEquals("STOPPED STARTING", herd.states());
        }
    }
}
