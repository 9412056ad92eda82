package io.jsupervise.supervision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Bench;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.TimerKind;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.spec.Dependency;
import io.jsupervise.spec.Dependency.Condition;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.supervision.Ask.Act.Verb;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Those that depend on others end first. */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class StopOrderTest {
    private static ServiceSpec service(String name, String... needs) {
        List<Dependency> all = new ArrayList<>();
        for (String need : needs) {
            all.add(new Dependency(new ServiceName(need), Condition.READY));
        }
        return Herd.service(name).dependsOn(all).build();
    }

    /** All running; each starts when what it needs is ready. */
    private static Herd running(ServiceSpec... specs) {
        Service[] services = new Service[specs.length];
        for (int i = 0; i < specs.length; i++) {
            services[i] = Bench.fresh(specs[i]);
        }
        Herd herd = new Herd(0, Set.of(), services).begin();
        for (ServiceSpec spec : specs) {
            herd.spawned(spec.name().value()).fires(spec.name().value(), TimerKind.READY);
        }
        return herd.committed();
    }

    /** web and mail depend on db, web on cache too; lone on nobody. */
    private static Herd shop() {
        return running(
                service("db"), service("cache"), service("web", "db", "cache"), service("mail", "db"), service("lone"));
    }

    @Test
    void a_shutdown_ends_dependents_first_and_all_others_at_once() {
        Herd herd = shop().end().committed();
        assertEquals("RUNNING RUNNING STOPPING STOPPING STOPPING", herd.states());
        herd.exits("web", 0).committed();
        assertEquals("RUNNING STOPPING STOPPED STOPPING STOPPING", herd.states());
        herd.exits("mail", 0).committed();
        assertEquals("STOPPING STOPPING STOPPED STOPPED STOPPING", herd.states());
        herd.exits("db", 0).committed().exits("cache", 0).committed().exits("lone", 0);
        assertEquals("exit", herd.committed().words());
    }

    @Test
    void a_second_stop_of_one_that_is_down_does_not_end_the_wait_for_the_others() {
        Herd herd = shop().actAndLeave(Verb.STOP).committed().exits("web", 0).committed();
        assertEquals("RUNNING STOPPING STOPPED STOPPING STOPPING", herd.states());
        herd.actAndLeave(Verb.STOP, "web").committed();
        assertEquals("RUNNING STOPPING STOPPED STOPPING STOPPING", herd.states());
        herd.exits("mail", 0).committed();
        assertEquals("STOPPING STOPPING STOPPED STOPPED STOPPING", herd.states());
    }

    @Test
    void a_start_of_all_leaves_alone_what_only_waited_with_its_end() {
        Herd herd = running(service("db"), service("web", "db"));
        herd.actAndLeave(Verb.STOP).committed();
        assertEquals("RUNNING STOPPING", herd.states());
        herd.actAndLeave(Verb.START, "web", "db").committed();
        assertEquals("RUNNING STOPPING", herd.states());
        herd.exits("web", 0).committed();
        assertEquals("RUNNING STARTING", herd.states());
    }

    @Test
    void a_chain_ends_link_by_link() {
        Herd herd = running(service("a"), service("b", "a"), service("c", "b"))
                .end()
                .committed();
        assertEquals("RUNNING RUNNING STOPPING", herd.states());
        herd.exits("c", 0).committed();
        assertEquals("RUNNING STOPPING STOPPED", herd.states());
        herd.exits("b", 0).committed();
        assertEquals("STOPPING STOPPED STOPPED", herd.states());
    }

    @Test
    void a_oneshot_that_has_ended_links_its_dependents_to_what_it_depends_on() {
        ServiceSpec migrate = Herd.service("migrate")
                .oneshot()
                .dependsOn(List.of(new Dependency(new ServiceName("db"), Condition.READY)))
                .build();
        for (boolean byOperator : new boolean[] {true, false}) {
            Herd herd = new Herd(
                            0,
                            Set.of(),
                            Bench.fresh(service("db")),
                            Bench.fresh(migrate),
                            Bench.fresh(service("web", "migrate")))
                    .begin();
            herd.spawned("db")
                    .fires("db", TimerKind.READY)
                    .committed()
                    .spawned("migrate")
                    .exits("migrate", 0);
            herd.committed().spawned("web").fires("web", TimerKind.READY).committed();
            assertEquals("RUNNING EXITED RUNNING", herd.states());
            (byOperator ? herd.act(Verb.STOP) : herd.end()).committed();
            assertEquals("RUNNING EXITED STOPPING", herd.states());
            herd.exits("web", 0).committed();
            assertEquals(byOperator ? "STOPPING STOPPED STOPPED" : "STOPPING EXITED STOPPED", herd.states());
        }
    }

    @Test
    void a_dependent_that_does_not_end_is_killed_and_waited_for_no_longer_than_that() {
        Herd herd = running(service("db"), service("web", "db")).end().committed();
        herd.fires("web", TimerKind.STOP).committed();
        assertEquals("RUNNING STOPPING", herd.states());
        herd.exits("web", 0).committed();
        assertEquals("STOPPING STOPPED", herd.states());
    }

    @Test
    void a_hurry_kills_all_at_once() {
        Herd herd = running(service("db"), service("web", "db"))
                .end()
                .committed()
                .end()
                .committed();
        assertEquals("STOPPING STOPPING", herd.states());
        assertTrue(herd.deeds().contains("SIGKILL to group db"), herd.deeds());
    }

    @Test
    void what_crashes_while_it_waits_for_its_dependents_is_not_restarted() {
        Herd herd = running(service("db"), service("web", "db")).end().committed();
        herd.exits("db", 1).committed();
        assertEquals("STOPPED STOPPING", herd.states());
        herd.exits("web", 0).committed();
        assertEquals("exit", herd.words());
    }

    @Test
    void what_waits_to_be_restarted_does_not_wait_for_its_dependents() {
        Herd herd = running(service("db"), service("web", "db"))
                .exits("db", 1)
                .committed()
                .end()
                .committed();
        assertEquals("STOPPED STOPPING", herd.states());
    }

    @Test
    void a_stop_of_several_ends_dependents_first_and_all_are_unwanted_at_once() {
        Herd herd = running(service("db"), service("web", "db")).act(Verb.STOP);
        assertTrue(herd.deeds().contains("record db"), herd.deeds());
        herd.committed();
        assertEquals("RUNNING STOPPING", herd.states());
        assertEquals(Wanted.DOWN, herd.serviceOf("db").wanted());
        herd.exits("web", 0).committed();
        assertEquals("STOPPING STOPPED", herd.states());
        herd.exits("db", 0).committed();
        assertEquals("reply 1 [web STOPPED (stopped), db STOPPED (stopped)]", herd.words());
    }

    @Test
    void a_stop_of_one_waits_for_nobody() {
        Herd herd = running(service("db"), service("web", "db"))
                .act(Verb.STOP, "db")
                .committed();
        assertEquals("STOPPING RUNNING", herd.states());
    }

    @Test
    void what_crashes_while_its_stop_is_queued_is_stopped() {
        Herd herd = running(service("db"), service("web", "db")).act(Verb.STOP).committed();
        herd.exits("db", 1).committed();
        assertEquals("STOPPED STOPPING", herd.states());
        assertEquals(0, herd.serviceOf("db").history().restarts());
    }

    @Test
    void a_dependent_that_is_started_again_is_not_waited_for() {
        Herd herd = running(service("db"), service("web", "db")).act(Verb.STOP).committed();
        herd.act(Verb.START, "web").committed();
        assertEquals("STOPPING STOPPING", herd.states());
        assertEquals(Wanted.UP, herd.serviceOf("web").wanted());
    }

    @Test
    void a_start_takes_a_queued_stop_back() {
        Herd herd = running(service("db"), service("web", "db")).act(Verb.STOP).committed();
        herd.act(Verb.START, "db").committed().exits("web", 0).committed();
        assertEquals("RUNNING STOPPED", herd.states());
        assertEquals(Wanted.UP, herd.serviceOf("db").wanted());
    }

    @Test
    void a_shutdown_after_a_stop_keeps_the_order() {
        Herd herd = running(service("db"), service("web", "db"))
                .act(Verb.STOP)
                .committed()
                .end()
                .committed();
        assertEquals("RUNNING STOPPING", herd.states());
        herd.exits("web", 0).committed().exits("db", 0).committed();
        assertEquals("reply 1 [web STOPPED (stopped), db STOPPED (stopped)], exit", herd.words());
        assertEquals(Wanted.DOWN, herd.serviceOf("db").wanted());
    }
}
