package io.jsupervise.supervision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Bench;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.TimerKind;
import io.jsupervise.spec.Dependency;
import io.jsupervise.spec.Dependency.Condition;
import io.jsupervise.spec.RestartPolicy;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.supervision.Ask.Act.Verb;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Where there are only oneshots, the supervisor ends when all have, and tells whether they succeeded. */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class OneshotsTest {
    private static ServiceSpec.Builder oneshot(String name, String... needs) {
        List<Dependency> all = new ArrayList<>();
        for (String need : needs) {
            all.add(new Dependency(new ServiceName(need), Condition.COMPLETED));
        }
        return Herd.service(name).oneshot().dependsOn(all);
    }

    private static Herd herd(ServiceSpec.Builder... specs) {
        Service[] services = new Service[specs.length];
        for (int i = 0; i < specs.length; i++) {
            services[i] = Bench.fresh(specs[i].build());
        }
        return new Herd(0, Set.of(), services).endsWithOneshots().begin();
    }

    private static void assertStays(Herd herd) {
        assertFalse(herd.words().contains("shutdown-begun"), herd.words());
        assertFalse(herd.status().supervisor().shuttingDown());
    }

    @Test
    void it_ends_well_when_all_have_succeeded() {
        Herd herd = herd(oneshot("a"), oneshot("b")).spawned("a").spawned("b").committed();
        assertStays(herd.exits("a", 0).committed());
        assertTrue(herd.exits("b", 0).words().contains("tell shutdown-begun"), herd.words());
        assertEquals("exit", herd.committed().words());
    }

    @Test
    void it_ends_as_failed_when_one_has_failed() {
        Herd herd = herd(oneshot("a"), oneshot("b")).spawned("a").spawned("b").committed();
        herd.exits("a", 3).committed();
        herd.exits("b", 0);
        assertEquals("exit as failed", herd.committed().words());
    }

    @Test
    void it_ends_as_failed_when_one_cannot_be_spawned() {
        Herd herd = herd(oneshot("a")).spawnFails("a");
        assertEquals("exit as failed", herd.committed().words());
    }

    @Test
    void it_waits_for_a_oneshot_that_is_tried_again() {
        Herd herd = herd(oneshot("a").restart(RestartPolicy.ON_FAILURE))
                .spawned("a")
                .committed();
        assertStays(herd.exits("a", 1).committed());
        herd.fires("a", TimerKind.RESTART).committed().spawned("a").committed().exits("a", 0);
        assertEquals("exit", herd.committed().words());
    }

    @Test
    void it_does_not_wait_for_those_that_wait_for_one_that_has_failed() {
        Herd herd = herd(oneshot("a"), oneshot("b", "a"), oneshot("c", "b"))
                .spawned("a")
                .committed();
        herd.exits("a", 1);
        assertEquals("exit as failed", herd.committed().words());
    }

    @Test
    void it_does_not_wait_for_those_that_are_restarted_with_one_that_waits_in_vain() {
        Dependency along = new Dependency(new ServiceName("b"), Condition.COMPLETED, true);
        Herd herd = herd(oneshot("a"), oneshot("b", "a"), oneshot("c").dependsOn(List.of(along)), oneshot("d"));
        herd.spawned("a").spawned("d").committed().exits("a", 0).committed();
        herd.spawned("b").exits("b", 0).committed().spawned("c").committed();
        herd.act(Verb.START, "a").committed().spawned("a").exits("a", 1).committed();
        herd.actAndLeave(Verb.START, "b").committed().exits("c", 0).committed();
        assertStays(herd);
        assertEquals("EXITED WAITING WAITING RUNNING", herd.states());
        herd.exits("d", 0);
        assertEquals("exit as failed", herd.committed().words());
    }

    @Test
    void it_runs_a_chain_to_its_end() {
        Herd herd = herd(oneshot("c", "b"), oneshot("b", "a"), oneshot("a"))
                .spawned("a")
                .committed();
        assertStays(herd.exits("a", 0).committed());
        assertStays(herd.spawned("b").exits("b", 0).committed());
        herd.spawned("c").exits("c", 0);
        assertEquals("exit", herd.committed().words());
    }

    @Test
    void it_stays_where_a_service_is_to_run_on() {
        Herd herd = herd(oneshot("a"), Herd.service("web").autostart(false))
                .spawned("a")
                .exits("a", 0);
        assertStays(herd.committed());
    }

    @Test
    void it_stays_where_nothing_was_wanted_at_the_beginning() {
        Herd herd = herd(oneshot("a").autostart(false));
        assertStays(herd);
        assertStays(
                herd.act(Verb.START, "a").committed().spawned("a").exits("a", 0).committed());
    }

    @Test
    void what_is_not_wanted_does_not_count() {
        Herd herd =
                herd(oneshot("a"), oneshot("b").autostart(false)).spawned("a").exits("a", 0);
        assertEquals("exit", herd.committed().words());
    }

    @Test
    void what_an_operator_stopped_neither_succeeds_nor_fails() {
        Herd herd = herd(oneshot("a"), oneshot("b")).spawned("a").spawned("b").committed();
        herd.act(Verb.STOP, "a").committed().killed("a").committed().exits("b", 0);
        assertEquals("exit", herd.committed().words());
    }

    @Test
    void a_signal_that_ends_the_supervisor_is_no_failure() {
        Herd herd =
                herd(oneshot("a")).spawned("a").committed().end().committed().killed("a");
        assertEquals("exit", herd.committed().words());
    }

    @Test
    void it_stays_where_it_was_told_to() {
        Service a = Bench.fresh(oneshot("a").build());
        Herd herd = new Herd(0, Set.of(), a).begin().spawned("a").exits("a", 0);
        assertStays(herd.committed());
    }
}
