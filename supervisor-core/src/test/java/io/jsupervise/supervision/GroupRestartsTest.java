package io.jsupervise.supervision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Bench;
import io.jsupervise.lifecycle.Cause;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.TimerKind;
import io.jsupervise.spec.Backoff;
import io.jsupervise.spec.Dependency;
import io.jsupervise.spec.Dependency.Condition;
import io.jsupervise.spec.ServiceGroup;
import io.jsupervise.spec.ServiceGroup.Strategy;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.supervision.Ask.Act.Verb;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** One ends and is restarted, and others with it. */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class GroupRestartsTest {
    private static ServiceSpec.Builder service(String name, Strategy strategy) {
        return Herd.service(name).group(new ServiceGroup("all", strategy));
    }

    private static List<Dependency> on(boolean restart, String... names) {
        List<Dependency> all = new ArrayList<>();
        for (String name : names) {
            all.add(new Dependency(new ServiceName(name), Condition.READY, restart));
        }
        return all;
    }

    private static Herd running(ServiceSpec.Builder... specs) {
        Service[] services = new Service[specs.length];
        List<String> names = new ArrayList<>();
        for (int i = 0; i < specs.length; i++) {
            services[i] = Bench.fresh(specs[i].build());
            names.add(services[i].name().value());
        }
        Herd herd = new Herd(0, Set.of(), services).begin();
        for (String name : names) {
            herd.spawned(name).fires(name, TimerKind.READY);
        }
        return herd.committed();
    }

    private static Herd group(Strategy strategy) {
        return running(service("a", strategy), service("b", strategy), service("c", strategy), Herd.service("lone"));
    }

    /** Everything that is being ended ends, the last one first. */
    private static void ends(Herd herd, String... names) {
        for (String name : names) {
            herd.exits(name, 0).committed();
        }
    }

    // ---- who ----

    @Test
    void the_strategy_says_who_is_restarted_with_the_one_that_has_ended() {
        Map<Strategy, String> expected = Map.of(
                Strategy.ONE_FOR_ONE, "RUNNING BACKOFF RUNNING RUNNING",
                Strategy.ONE_FOR_ALL, "STOPPING BACKOFF STOPPING RUNNING",
                Strategy.REST_FOR_ONE, "RUNNING BACKOFF STOPPING RUNNING");
        for (Strategy strategy : Strategy.values()) {
            Herd herd = group(strategy).exits("b", 1).committed();
            assertEquals(expected.get(strategy), herd.states(), strategy.word());
        }
    }

    @Test
    void all_end_before_one_starts_and_the_others_start_with_the_one_that_has_ended() {
        Herd herd = group(Strategy.ONE_FOR_ALL).exits("b", 1).committed();
        ends(herd, "a");
        assertEquals("WAITING BACKOFF STOPPING RUNNING", herd.states());
        herd.fires("b", TimerKind.RESTART).committed();
        assertEquals("WAITING WAITING STOPPING RUNNING", herd.states());
        ends(herd, "c");
        assertEquals("WAITING STARTING WAITING RUNNING", herd.states());
        herd.spawned("b").committed();
        assertEquals("STARTING STARTING STARTING RUNNING", herd.states());
    }

    @Test
    void a_restart_with_others_counts_neither_as_restart_nor_as_failure() {
        Herd herd = group(Strategy.ONE_FOR_ALL).exits("b", 1).committed();
        ends(herd, "a", "c");
        herd.fires("b", TimerKind.RESTART).committed().spawned("b").committed();
        herd.spawned("a").committed();
        Service a = herd.serviceOf("a");
        assertEquals(0, a.history().restarts());
        assertEquals(0, a.history().failures());
        assertEquals(Cause.GROUP, a.history().lastEnd().orElseThrow().cause());
        assertEquals("restarted with b: exit 1", a.history().lastEnd().get().reason());
        assertEquals(1, herd.serviceOf("b").history().restarts());
    }

    @Test
    void one_that_ends_as_it_should_takes_nobody_along() {
        ServiceSpec.Builder job =
                service("job", Strategy.ONE_FOR_ALL).restart(io.jsupervise.spec.RestartPolicy.ON_FAILURE);
        Herd herd =
                running(job, service("a", Strategy.ONE_FOR_ALL)).exits("job", 0).committed();
        assertEquals("EXITED RUNNING", herd.states());
    }

    @Test
    void those_that_depend_on_it_with_restart_go_along_and_so_do_theirs_in_reverse_order() {
        Herd herd = running(
                Herd.service("db"),
                Herd.service("app").dependsOn(on(true, "db")),
                Herd.service("web").dependsOn(on(true, "app")),
                Herd.service("mail").dependsOn(on(false, "db")));
        herd.exits("db", 1).committed();
        assertEquals("BACKOFF RUNNING STOPPING RUNNING", herd.states());
        ends(herd, "web");
        assertEquals("BACKOFF STOPPING WAITING RUNNING", herd.states());
        ends(herd, "app");
        herd.fires("db", TimerKind.RESTART).committed().spawned("db").committed();
        assertEquals("STARTING WAITING WAITING RUNNING", herd.states());
        herd.fires("db", TimerKind.READY).committed();
        assertEquals("RUNNING STARTING WAITING RUNNING", herd.states());
        herd.spawned("app").committed().fires("app", TimerKind.READY).committed();
        assertEquals("RUNNING RUNNING STARTING RUNNING", herd.states());
        assertEquals(
                Cause.DEPENDENCY,
                herd.serviceOf("web").history().lastEnd().orElseThrow().cause());
    }

    @Test
    void a_ladder_may_restart_all_dependents_or_the_group() {
        Herd herd = running(
                service("db", Strategy.REST_FOR_ONE),
                Herd.service("app").dependsOn(on(false, "db")),
                service("web", Strategy.REST_FOR_ONE).dependsOn(on(false, "app")),
                Herd.service("mail"));
        List<Service> services = herd.status().services();
        StartOrder order = new StartOrder(services);
        ServiceName db = new ServiceName("db");
        ServiceName web = new ServiceName("web");
        assertEquals(
                Set.of(new ServiceName("app"), web),
                RestartScope.dependents(db, order).keySet());
        assertEquals(
                Set.of(web),
                RestartScope.group(herd.serviceOf("db"), services, order).keySet());
        assertEquals(
                Set.of(),
                RestartScope.group(herd.serviceOf("web"), services, order).keySet());
    }

    // ---- what operators and reloads do ----

    private static Herd shop() {
        return running(Herd.service("db"), Herd.service("web").dependsOn(on(true, "db")));
    }

    @Test
    void an_operators_restart_ends_those_that_are_restarted_with_it_before_it_starts() {
        Herd herd = shop().act(Verb.RESTART, "db").committed();
        assertEquals("STOPPING STOPPING", herd.states());
        ends(herd, "db");
        assertEquals("WAITING STOPPING", herd.states());
        ends(herd, "web");
        assertEquals("STARTING WAITING", herd.states());
        herd.spawned("db").committed().fires("db", TimerKind.READY).committed();
        assertEquals("reply 1 [db RUNNING (running, pid 103)]", herd.deeds().replaceAll(".*(reply.*])", "$1"));
        assertEquals("RUNNING STARTING", herd.states());
        assertEquals(
                "restarted with db: asked for by an operator",
                herd.serviceOf("web").history().lastEnd().orElseThrow().reason());
    }

    @Test
    void a_start_of_one_that_was_down_restarts_those_that_ran_on_without_it() {
        Herd herd = shop().act(Verb.STOP, "db").committed();
        ends(herd, "db");
        assertEquals("STOPPED RUNNING", herd.states());
        herd.act(Verb.START, "db").committed();
        assertEquals("WAITING STOPPING", herd.states());
        ends(herd, "web");
        assertEquals("STARTING WAITING", herd.states());
        assertEquals("STARTING WAITING", herd.act(Verb.START, "db").committed().states());
    }

    @Test
    void a_stop_while_others_end_for_a_restart_takes_the_restart_back() {
        Herd herd = shop().act(Verb.RESTART, "db").committed();
        herd.act(Verb.STOP, "db").committed();
        ends(herd, "web", "db");
        assertEquals("STOPPED WAITING", herd.states());
        assertEquals(
                "[db: ready, but an operator stopped it]",
                herd.serviceOf("web").waitingFor().toString());
    }

    @Test
    void a_reload_that_restarts_one_restarts_those_with_it() {
        Herd herd = shop().reload(
                        Herd.service("db").environment(Map.of("A", "b")),
                        Herd.service("web").dependsOn(on(true, "db")))
                .committed();
        assertEquals("STOPPING STOPPING", herd.states());
        ends(herd, "db");
        assertEquals("WAITING STOPPING", herd.states());
        ends(herd, "web");
        assertEquals("STARTING WAITING", herd.states());
    }

    @Test
    void a_restart_of_all_is_one_restart_of_each() {
        Herd herd = shop().act(Verb.RESTART).committed();
        assertEquals("STOPPING STOPPING", herd.states());
        ends(herd, "web", "db");
        herd.spawned("db").committed().fires("db", TimerKind.READY).committed();
        herd.spawned("web").committed().fires("web", TimerKind.READY).committed();
        assertEquals("RUNNING RUNNING", herd.states());
        assertEquals(1, herd.serviceOf("web").history().ends().size());
        assertEquals(1, herd.serviceOf("db").history().ends().size());
    }

    @Test
    void another_strategy_counts_from_the_next_end_on() {
        Herd herd = running(service("a", Strategy.ONE_FOR_ONE), service("b", Strategy.ONE_FOR_ONE))
                .reload(service("a", Strategy.ONE_FOR_ALL), service("b", Strategy.ONE_FOR_ALL))
                .committed();
        assertEquals("RUNNING RUNNING", herd.states());
        assertEquals("BACKOFF STOPPING", herd.exits("a", 1).committed().states());
    }

    @Test
    void one_that_is_removed_no_longer_keeps_others_from_starting() {
        Herd herd = group(Strategy.ONE_FOR_ALL).exits("b", 1).committed();
        ends(herd, "a", "c");
        herd.reload(service("a", Strategy.ONE_FOR_ALL), service("c", Strategy.ONE_FOR_ALL))
                .committed();
        assertEquals("STARTING STARTING STOPPING", herd.states());
    }

    @Test
    void one_that_waited_for_what_a_reload_removes_starts_as_the_new_file_says() {
        Herd herd = group(Strategy.REST_FOR_ONE).exits("a", 1).committed();
        ends(herd, "c", "b");
        assertEquals("BACKOFF WAITING WAITING RUNNING", herd.states());
        herd.reload(service("b", Strategy.REST_FOR_ONE).environment(Map.of("EDIT", "1")), Herd.service("lone"));
        assertFalse(herd.words().contains("tell b stopping"), herd.words());
        assertEquals("1", herd.serviceOf("b").spec().spawn().environment().get("EDIT"));
        assertEquals("STARTING RUNNING", herd.committed().states());
    }

    // ---- what may come between ----

    @Test
    void what_an_operator_has_stopped_is_not_started_by_its_group() {
        Herd herd = group(Strategy.ONE_FOR_ALL).act(Verb.STOP, "a").committed();
        ends(herd, "a");
        herd.exits("b", 1).committed();
        ends(herd, "c");
        herd.fires("b", TimerKind.RESTART).committed().spawned("b").committed();
        assertEquals("STOPPED STARTING STARTING RUNNING", herd.states());
    }

    @Test
    void an_operators_stop_while_all_end_for_a_restart_stays_one() {
        Herd herd = group(Strategy.ONE_FOR_ALL).exits("b", 1).committed();
        herd.act(Verb.STOP, "a").committed();
        ends(herd, "a", "c");
        assertEquals("STOPPED BACKOFF WAITING RUNNING", herd.states());
        herd.fires("b", TimerKind.RESTART).committed().spawned("b").committed();
        assertEquals("STOPPED STARTING STARTING RUNNING", herd.states());
    }

    @Test
    void others_do_not_wait_for_one_that_is_stopped_meanwhile() {
        Herd herd = group(Strategy.ONE_FOR_ALL).exits("b", 1).committed();
        ends(herd, "a", "c");
        assertEquals("WAITING BACKOFF WAITING RUNNING", herd.states());
        herd.act(Verb.STOP, "b").committed();
        assertEquals("STARTING STOPPED STARTING RUNNING", herd.states());
    }

    @Test
    void others_start_again_when_the_one_is_given_up() {
        Herd herd = running(
                service("a", Strategy.ONE_FOR_ALL),
                service("b", Strategy.ONE_FOR_ALL)
                        .startLimit(new io.jsupervise.spec.RestartIntensity(1, java.time.Duration.ofHours(1))));
        herd.exits("b", 1).committed();
        ends(herd, "a");
        herd.fires("b", TimerKind.RESTART).committed().spawnFails("b").committed();
        assertEquals("STARTING FATAL", herd.states());
    }

    @Test
    void one_that_its_root_depends_on_starts_first() {
        Herd herd = running(
                service("db", Strategy.ONE_FOR_ALL),
                service("web", Strategy.ONE_FOR_ALL).dependsOn(on(false, "db")));
        herd.exits("web", 1).committed();
        assertEquals("STOPPING BACKOFF", herd.states());
        ends(herd, "db");
        assertEquals("STARTING BACKOFF", herd.states());
        herd.spawned("db").committed().fires("web", TimerKind.RESTART).committed();
        assertEquals("STARTING WAITING", herd.states());
        herd.fires("db", TimerKind.READY).committed();
        assertEquals("RUNNING STARTING", herd.states());
    }

    @Test
    void two_that_are_restarted_with_each_other_do_not_wait_for_each_other() {
        Herd herd = running(
                service("a", Strategy.ONE_FOR_ONE),
                service("b", Strategy.ONE_FOR_ONE),
                service("c", Strategy.ONE_FOR_ONE));
        herd.exits("b", 1).exits("a", 1).committed();
        herd.reload(
                        service("a", Strategy.ONE_FOR_ALL),
                        service("b", Strategy.ONE_FOR_ALL),
                        service("c", Strategy.ONE_FOR_ALL))
                .committed();
        herd.fires("b", TimerKind.RESTART).fires("a", TimerKind.RESTART).committed();
        assertEquals("WAITING WAITING STOPPING", herd.states());
        ends(herd, "c");
        assertEquals(1, herd.states().split("STARTING", -1).length - 1, herd.states());
        herd.spawned(herd.states().startsWith("STARTING") ? "a" : "b").committed();
        herd.spawned(herd.serviceOf("a").process().isPresent() ? "b" : "a").committed();
        assertEquals("STARTING STARTING STARTING", herd.states());
    }

    @Test
    void a_start_that_fails_in_the_moment_of_the_end_before_it_ends_the_others_once_more() {
        Dependency started = new Dependency(new ServiceName("db"), Condition.STARTED);
        Backoff none = new Backoff(Duration.ZERO, 1, Duration.ZERO, 0, Duration.ofMinutes(1));
        Herd herd = running(
                service("db", Strategy.ONE_FOR_ALL),
                service("web", Strategy.ONE_FOR_ALL).dependsOn(List.of(started)).backoff(none));
        herd.exits("web", 1).committed();
        ends(herd, "db");
        assertEquals("STARTING WAITING", herd.states());
        herd.spawned("db").committed();
        assertEquals("STARTING STARTING", herd.states());
        herd.spawnFails("web").committed();
        assertEquals("STOPPING BACKOFF", herd.states());
    }

    @Test
    void of_several_that_the_first_depends_on_those_that_run_wait_for_one_that_fails() {
        Herd herd = running(
                service("a", Strategy.ONE_FOR_ALL),
                service("b", Strategy.ONE_FOR_ALL),
                service("c", Strategy.ONE_FOR_ALL).dependsOn(on(false, "a", "b")));
        herd.exits("c", 1).committed();
        ends(herd, "b", "a");
        assertEquals("STARTING STARTING BACKOFF", herd.states());
        herd.spawned("a").spawnFails("b").committed();
        ends(herd, "a");
        assertEquals("WAITING BACKOFF BACKOFF", herd.states());
        herd.fires("c", TimerKind.RESTART).committed();
        assertEquals("WAITING BACKOFF WAITING", herd.states());
        herd.fires("b", TimerKind.RESTART).committed().spawned("b").committed();
        assertEquals("STARTING STARTING WAITING", herd.states());
    }

    @Test
    void one_that_somebody_else_depends_on_still_waits_for_the_one_that_has_ended() {
        Herd herd = running(
                service("a", Strategy.REST_FOR_ONE),
                service("b", Strategy.REST_FOR_ONE),
                Herd.service("web").dependsOn(on(false, "a", "b")),
                Herd.service("proxy").dependsOn(on(true, "web")));
        herd.act(Verb.STOP, "web").committed();
        ends(herd, "web");
        herd.exits("a", 1).committed();
        assertEquals("BACKOFF STOPPING STOPPED RUNNING", herd.states());
        herd.act(Verb.START, "web").committed();
        ends(herd, "proxy", "b");
        assertEquals("BACKOFF WAITING WAITING WAITING", herd.states());
        herd.fires("a", TimerKind.RESTART).committed().spawned("a").committed();
        assertEquals("STARTING STARTING WAITING WAITING", herd.states());
    }

    @Test
    void a_restart_with_others_waits_for_none_that_is_not_restarted() {
        Herd herd = running(
                Herd.service("logger"),
                Herd.service("db"),
                Herd.service("web")
                        .dependsOn(List.of(
                                new Dependency(new ServiceName("db"), Condition.READY, true),
                                new Dependency(new ServiceName("logger"), Condition.READY))));
        herd.act(Verb.STOP, "logger").committed();
        ends(herd, "logger");
        herd.exits("db", 1).committed();
        ends(herd, "web");
        herd.fires("db", TimerKind.RESTART).committed().spawned("db").committed();
        herd.fires("db", TimerKind.READY).committed();
        assertEquals("STOPPED RUNNING STARTING", herd.states());
    }

    @Test
    void two_that_end_at_once_wait_for_each_other_no_longer_than_both_are_down() {
        Herd herd = group(Strategy.ONE_FOR_ALL).exits("a", 1).exits("b", 1).committed();
        ends(herd, "c");
        herd.fires("a", TimerKind.RESTART).committed().spawned("a").committed();
        assertEquals("STARTING STARTING STARTING RUNNING", herd.states());
    }

    @Test
    void a_shutdown_ends_it() {
        Herd herd = group(Strategy.ONE_FOR_ALL).exits("b", 1).committed().end().committed();
        ends(herd, "a", "c", "lone");
        assertTrue(herd.words().contains("exit"), herd.words());
        assertFalse(herd.words().contains("spawn"), herd.words());
    }
}
