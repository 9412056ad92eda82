package io.jsupervise.supervision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Bench;
import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.TimerKind;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.spec.Dependency;
import io.jsupervise.spec.Dependency.Condition;
import io.jsupervise.spec.Readiness;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.supervision.Ask.Act.Verb;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who waits for whom, for what, and what ends the wait. */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class StartOrderTest {
    private static ServiceSpec.Builder service(String name, String... needs) {
        return Herd.service(name).dependsOn(needs(needs));
    }

    private static ServiceSpec.Builder oneshot(String name, String... needs) {
        return service(name, needs).oneshot();
    }

    /** {@code db}, or {@code db completed}. */
    private static List<Dependency> needs(String... needs) {
        List<Dependency> all = new ArrayList<>();
        for (String need : needs) {
            String[] words = need.split(" ");
            Condition condition = words.length == 1 ? Condition.READY : Condition.valueOf(words[1].toUpperCase());
            all.add(new Dependency(new ServiceName(words[0]), condition));
        }
        return all;
    }

    /** A service and what it needs. */
    private static Herd bothRun() {
        return herd(service("db"), service("web", "db"))
                .begin()
                .spawned("db")
                .fires("db", TimerKind.READY)
                .spawned("web")
                .fires("web", TimerKind.READY)
                .committed();
    }

    private static Herd herd(ServiceSpec.Builder... specs) {
        Service[] services = new Service[specs.length];
        for (int i = 0; i < specs.length; i++) {
            services[i] = Bench.fresh(specs[i].build());
        }
        return new Herd(0, Set.of(), services);
    }

    @Test
    void a_service_starts_when_what_it_depends_on_is_ready() {
        Herd herd = herd(service("web", "db"), service("db")).begin();
        assertEquals("WAITING STARTING", herd.states());
        assertEquals(List.of("db: ready"), herd.serviceOf("web").waitingFor());
        assertEquals("record db", herd.spawned("db").deeds());
        assertEquals("record db, spawn web", herd.fires("db", TimerKind.READY).deeds());
        assertEquals("STARTING RUNNING", herd.states());
    }

    @Test
    void started_is_reached_with_the_process() {
        Herd herd = herd(service("web", "db started"), service("db")).begin();
        assertEquals("WAITING STARTING", herd.states());
        assertEquals("record db, spawn web", herd.spawned("db").deeds());
    }

    @Test
    void a_oneshot_is_ready_when_it_has_completed_with_success() {
        for (String condition : new String[] {"ready", "completed"}) {
            Herd herd = herd(oneshot("migrate"), service("web", "migrate " + condition))
                    .begin();
            herd.spawned("migrate").committed();
            assertEquals("RUNNING WAITING", herd.states());
            assertEquals(
                    "record migrate, clear group migrate, spawn web",
                    herd.exits("migrate", 0).deeds());
            assertEquals("EXITED STARTING", herd.states());
        }
    }

    @Test
    void a_oneshot_that_was_started_is_enough_for_started() {
        Herd herd = herd(oneshot("migrate"), service("web", "migrate started")).begin();
        assertEquals(
                "record migrate, spawn web", herd.spawned("migrate").deeds().replace("tell", ""));
    }

    @Test
    void a_oneshot_that_failed_keeps_its_dependents_waiting_and_says_so() {
        Herd herd =
                herd(oneshot("migrate"), service("web", "migrate completed")).begin();
        herd.spawned("migrate").exits("migrate", 3).committed();
        assertEquals("EXITED WAITING", herd.states());
        assertEquals(
                List.of("migrate: completed, but it has ended: exit 3"),
                herd.serviceOf("web").waitingFor());
    }

    @Test
    void a_oneshot_that_failed_and_is_run_again_with_success_ends_the_wait() {
        Herd herd =
                herd(oneshot("migrate"), service("web", "migrate completed")).begin();
        herd.spawned("migrate")
                .exits("migrate", 3)
                .committed()
                .act(Verb.START, "migrate")
                .committed();
        assertEquals(List.of("migrate: completed"), herd.serviceOf("web").waitingFor());
        herd.spawned("migrate").exits("migrate", 0).committed();
        assertEquals("EXITED STARTING", herd.states());
    }

    /** Named the other way round, and by what was true before the request the server might start at once. */
    @Test
    void a_oneshot_that_is_run_again_by_the_same_request_is_waited_for() {
        Herd herd =
                herd(service("web", "migrate completed"), oneshot("migrate")).begin();
        herd.spawned("migrate").exits("migrate", 0).committed();
        herd.spawned("web").fires("web", TimerKind.READY).act(Verb.STOP, "web").committed();
        herd.exits("web", 0).committed();
        assertEquals("STOPPED EXITED", herd.states());
        herd.act(Verb.START, "web", "migrate").committed();
        assertEquals("WAITING STARTING", herd.states());
        herd.spawned("migrate").exits("migrate", 0).committed();
        assertEquals("STARTING EXITED", herd.states());
    }

    @Test
    void what_is_needed_is_told_before_who_needs_it_also_through_others() {
        StartOrder order = new StartOrder(List.of(
                service("a", "b").build(),
                service("b", "c").build(),
                service("c").build(),
                service("d").build()));
        List<ServiceName> names = List.of(new ServiceName("a"), new ServiceName("d"), new ServiceName("c"));
        assertEquals("[c, a, d]", order.dependenciesFirst(names).toString());
    }

    @Test
    void what_gives_up_is_told_to_those_who_wait() {
        Herd herd = herd(service("db").giveUpExitCodes(Set.of(9)), service("web", "db"))
                .begin();
        herd.spawned("db").exits("db", 9);
        assertTrue(herd.words().contains("tell web waiting"), herd.words());
        assertEquals(
                List.of("db: ready, but it is FATAL: exit 9 is one of its give_up_exit_codes"),
                herd.serviceOf("web").waitingFor());
        herd.committed().act(Verb.START, "db").committed().spawned("db").fires("db", TimerKind.READY);
        assertEquals("RUNNING STARTING", herd.states());
    }

    @Test
    void all_dependencies_have_to_hold() {
        Herd herd = herd(service("a"), service("b"), oneshot("c"), service("web", "a", "b started", "c completed"));
        herd.begin();
        assertEquals(
                List.of("a: ready", "b: started", "c: completed"),
                herd.serviceOf("web").waitingFor());
        herd.spawned("b");
        assertEquals(List.of("a: ready", "c: completed"), herd.serviceOf("web").waitingFor());
        herd.spawned("a").fires("a", TimerKind.READY).spawned("c");
        assertEquals(List.of("c: completed"), herd.serviceOf("web").waitingFor());
        herd.exits("c", 0);
        assertEquals("RUNNING STARTING EXITED STARTING", herd.states());
    }

    @Test
    void a_chain_starts_link_by_link() {
        Herd herd = herd(service("c", "b"), service("b", "a"), service("a")).begin();
        assertEquals("WAITING WAITING STARTING", herd.states());
        herd.spawned("a").fires("a", TimerKind.READY);
        assertEquals("WAITING STARTING RUNNING", herd.states());
        herd.spawned("b").fires("b", TimerKind.READY);
        assertEquals("STARTING RUNNING RUNNING", herd.states());
    }

    @Test
    void a_restart_after_a_crash_waits_for_nobody() {
        Herd herd = bothRun();
        herd.exits("db", 1).exits("web", 1).committed().fires("web", TimerKind.RESTART);
        assertEquals("BACKOFF STARTING", herd.states());
    }

    @Test
    void a_restart_by_an_operator_waits_as_a_start_does() {
        Herd herd = bothRun();
        herd.exits("db", 1).act(Verb.RESTART, "web").committed().exits("web", 0).committed();
        assertEquals("BACKOFF WAITING", herd.states());
        herd.fires("db", TimerKind.RESTART).committed().spawned("db").fires("db", TimerKind.READY);
        assertEquals("RUNNING STARTING", herd.states());
    }

    @Test
    void a_start_takes_along_what_it_needs() {
        Herd herd = herd(
                        service("web", "app").autostart(false),
                        service("app", "db").autostart(false),
                        service("db").autostart(false))
                .begin();
        assertEquals("STOPPED STOPPED STOPPED", herd.states());
        herd.act(Verb.START, "web").committed();
        assertEquals("WAITING WAITING STARTING", herd.states());
        assertEquals(Wanted.UP, herd.serviceOf("db").wanted());
        herd.spawned("db").fires("db", TimerKind.READY).spawned("app").fires("app", TimerKind.READY);
        assertEquals("STARTING RUNNING RUNNING", herd.states());
    }

    @Test
    void what_an_operator_stopped_is_not_taken_along() {
        Herd herd = bothRun();
        herd.act(Verb.STOP, "db", "web")
                .committed()
                .exits("web", 0)
                .exits("db", 0)
                .committed();
        assertEquals("STOPPED STOPPED", herd.states());
        herd.act(Verb.START, "web").committed();
        assertEquals("STOPPED WAITING", herd.states());
        assertEquals(
                List.of("db: ready, but an operator stopped it"),
                herd.serviceOf("web").waitingFor());
        herd.fires(SupervisorTimer.ANSWER);
        assertTrue(
                herd.words()
                        .contains(
                                "[web not WAITING (still WAITING after 30s, for db: ready, but an operator stopped it)]"),
                herd.words());
    }

    @Test
    void a_stop_ends_the_wait() {
        Herd herd = herd(service("db"), service("web", "db"))
                .begin()
                .act(Verb.STOP, "web")
                .committed();
        assertEquals("STARTING STOPPED", herd.states());
        herd.spawned("db").fires("db", TimerKind.READY);
        assertEquals("RUNNING STOPPED", herd.states());
    }

    @Test
    void a_stop_of_a_dependency_leaves_its_dependents_alone() {
        Herd herd = bothRun();
        herd.act(Verb.STOP, "db").committed().exits("db", 0).committed();
        assertEquals("STOPPED RUNNING", herd.states());
    }

    @Test
    void a_start_of_a_oneshot_is_answered_when_it_has_ended() {
        Herd herd = herd(oneshot("migrate").autostart(false))
                .begin()
                .act(Verb.START, "migrate")
                .committed();
        assertEquals("", herd.spawned("migrate").committed().words());
        herd.exits("migrate", 0).committed();
        assertEquals("reply 1 [migrate EXITED (ended: exit 0)]", herd.words());
        herd.act(Verb.START, "migrate")
                .committed()
                .spawned("migrate")
                .exits("migrate", 3)
                .committed();
        assertEquals("reply 2 [migrate not EXITED (ended: exit 3)]", herd.words());
    }

    @Test
    void what_an_earlier_supervisor_left_counts_when_somebody_has_looked() {
        Service db = Bench.recorded(service("db").build(), ServiceState.RUNNING, Optional.empty(), Wanted.UP);
        Service web = Bench.fresh(service("web", "db").build());
        Herd found = new Herd(0, Set.of(), db, web).begin();
        assertEquals("RUNNING WAITING", found.states());
        found.of("db", new Event.LeftoverFound(new RunId("old-1"), Bench.process(99)));
        assertEquals("RUNNING STARTING", found.states());

        Herd dead = new Herd(0, Set.of(), db, web).begin();
        dead.of("db", new Event.ChildExited(new RunId("old-1"), new io.jsupervise.lifecycle.ExitStatus.Unknown()));
        assertEquals("BACKOFF WAITING", dead.states());
    }

    @Test
    void a_slot_of_a_oneshot_is_held_while_it_runs() {
        Service a = Bench.fresh(oneshot("a").build());
        Service b = Bench.fresh(oneshot("b").build());
        Herd herd = new Herd(1, Set.of(), a, b).begin();
        herd.spawned("a").committed();
        assertEquals("RUNNING WAITING", herd.states());
        herd.exits("a", 0).committed();
        assertEquals("EXITED STARTING", herd.states());
    }

    @Test
    void what_goes_away_while_a_dependent_queues_for_a_slot_is_waited_for_again() {
        Service db = Bench.fresh(service("db").build());
        Service slow = Bench.fresh(service("slow").build());
        Service web = Bench.fresh(service("web", "db").build());
        Service last = Bench.fresh(service("last", "db").build());
        Herd herd = new Herd(1, Set.of(), db, slow, web, last).begin();
        herd.spawned("db").fires("db", TimerKind.READY).committed();
        assertEquals("RUNNING STARTING WAITING WAITING", herd.states());
        herd.exits("db", 1).committed();
        herd.spawned("slow").fires("slow", TimerKind.READY).committed();
        assertEquals("BACKOFF RUNNING WAITING WAITING", herd.states());
        assertEquals(List.of("db: ready"), herd.serviceOf("web").waitingFor());
        assertEquals(List.of("db: ready"), herd.serviceOf("last").waitingFor());
        herd.fires("db", TimerKind.RESTART).spawned("db");
        herd.fires("db", TimerKind.READY).committed();
        assertEquals("RUNNING RUNNING STARTING WAITING", herd.states());
    }

    @Test
    void a_restart_while_it_queues_for_a_slot_waits_for_what_it_depends_on() {
        Service db = Bench.fresh(service("db").build());
        Service slow = Bench.fresh(service("slow").build());
        Service web = Bench.fresh(service("web", "db").build());
        Herd herd = new Herd(1, Set.of(), db, slow, web).begin();
        herd.spawned("db").fires("db", TimerKind.READY).committed();
        herd.exits("db", 1).committed();
        herd.actAndLeave(Verb.RESTART, "web");
        assertEquals(List.of("db: ready"), herd.serviceOf("web").waitingFor());
        herd.spawned("slow").fires("slow", TimerKind.READY).committed();
        assertEquals("BACKOFF RUNNING WAITING", herd.states());
    }

    @Test
    void a_thousand_dependents_and_a_chain_of_five_thousand_are_no_matter() {
        List<ServiceSpec.Builder> star = new ArrayList<>();
        star.add(service("hub").ready(new Readiness.Delay(Duration.ZERO)));
        for (int i = 0; i < 5000; i++) {
            star.add(service("s" + i, "hub"));
        }
        Herd herd = herd(star.toArray(ServiceSpec.Builder[]::new)).begin();
        herd.spawned("hub");
        assertEquals(ServiceState.STARTING, herd.state("s4999"));

        List<ServiceSpec.Builder> chain = new ArrayList<>();
        for (int i = 5000; i > 0; i--) {
            chain.add(service("c" + i, "c" + (i - 1)).autostart(false));
        }
        chain.add(service("c0").autostart(false));
        Herd line = herd(chain.toArray(ServiceSpec.Builder[]::new)).begin();
        line.act(Verb.START, "c5000").committed();
        assertEquals(ServiceState.STARTING, line.state("c0"));
        assertEquals(ServiceState.WAITING, line.state("c2500"));
    }
}
