package io.jsupervise.supervision;

import static io.jsupervise.supervision.Herd.service;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Bench;
import io.jsupervise.lifecycle.Cause;
import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.TimerKind;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.spec.Command;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.Dependency;
import io.jsupervise.spec.Readiness;
import io.jsupervise.spec.RestartIntensity;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import io.jsupervise.spec.StopSequence;
import io.jsupervise.spec.SupervisorSpec;
import io.jsupervise.supervision.Ask.Act.Verb;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(10)
class ReloadTest {
    private static ServiceSpec.Builder other(String name) {
        return ServiceSpec.of(new ServiceName(name), Command.of("y"))
                .ready(new Readiness.Delay(Duration.ofMillis(500)))
                .backoff(service(name).build().backoff());
    }

    // ---- reading ----

    @Test
    void the_file_is_read_off_the_loop_and_two_hangups_meanwhile_are_one_more_reading() {
        Herd herd = new Herd(0, "a").allRunning("a");
        assertEquals("read 1", herd.on(new SupervisorEvent.ReloadRequested()).words());
        assertEquals("", herd.on(new SupervisorEvent.ReloadRequested()).words());
        assertEquals("", herd.on(new SupervisorEvent.ReloadRequested()).words());
        assertEquals(
                "tell reloaded, configured 1, read 2", herd.read(service("a")).words());
        assertEquals("tell reloaded, configured 1", herd.read(service("a")).words());
        assertEquals("read 3", herd.on(new SupervisorEvent.ReloadRequested()).words());
    }

    @Test
    void a_bad_file_changes_nothing_and_all_problems_are_told() {
        Herd herd = new Herd(0, "a", "b").allRunning("a", "b").askReload(true);
        assertEquals("tell asked, read 1", herd.words());
        herd.unreadable("f:1:1: x; y", "f:2:1: z; w");
        assertEquals("tell reload-refused, reply 1 bad-configuration: f:1:1: x; y\nf:2:1: z; w", herd.words());
        assertEquals(
                List.of("f:1:1: x; y", "f:2:1: z; w"),
                herd.told().get(0).details().get("problems"));
        assertEquals("RUNNING RUNNING", herd.states());
    }

    @Test
    void a_dry_run_says_what_it_would_do_and_does_nothing() {
        Herd herd = new Herd(0, "a", "b").allRunning("a", "b");
        herd.ask(new Ask.Reload(true, Optional.of(Path.of("/tmp/x.yml")), false, Duration.ZERO));
        assertEquals("read 1 /tmp/x.yml", herd.words());
        assertEquals(
                "reply 1 would +c -b !a[command] =0 []",
                herd.read(other("a"), service("c")).words());
        assertEquals("RUNNING RUNNING", herd.states());
    }

    @Test
    void whoever_asks_while_a_file_is_being_read_hears_of_the_next_reading() {
        Herd herd = new Herd(0, "a").allRunning("a").askReload(true).askReload(true);
        assertEquals("tell asked", herd.words());
        assertTrue(herd.read(service("a")).words().endsWith("reply 1 =1 [], read 2"), herd.words());
        assertTrue(herd.read(service("a")).words().endsWith("reply 2 =1 []"), herd.words());
    }

    @Test
    void a_reading_that_hangs_is_given_up_and_later_ones_go_on() {
        Herd herd = new Herd(0, "a").allRunning("a").askReload(true).askReload(true);
        herd.on(new SupervisorEvent.ReloadRequested()).fires(SupervisorTimer.READING);
        assertTrue(
                herd.words()
                        .startsWith(
                                "tell reload-refused, reply 1 failed: cannot read /etc/services.yml: nothing has come"
                                        + " of it"),
                herd.words());
        assertTrue(herd.words().endsWith(", read 2"), herd.words());
        assertEquals("uid 1000", herd.told().get(0).details().get("by"));
        assertEquals(
                "tell reloaded, configured 1, reply 2 =1 []",
                herd.read(service("a")).words());
        herd.on(new SupervisorEvent.ConfigurationRead(1, Herd.file(service("b"))));
        assertEquals("", herd.words(), "what comes of it after all is of yesterday");
        assertEquals("RUNNING", herd.states());
    }

    @Test
    void what_is_removed_while_it_waits_with_its_end_for_others_is_gone_at_once() {
        Dependency onMigrate = new Dependency(new ServiceName("migrate"), Dependency.Condition.READY);
        Dependency onOther = new Dependency(new ServiceName("other"), Dependency.Condition.READY);
        Service migrate = Bench.fresh(service("migrate").oneshot().build());
        Service web = Bench.fresh(service("web").dependsOn(List.of(onMigrate)).build());
        Service other = Bench.fresh(service("other").build());
        Herd herd = new Herd(0, Set.of(), migrate, web, other).begin().spawned("other");
        herd.fires("other", TimerKind.READY).spawned("migrate").exits("migrate", 0);
        herd.committed().spawned("web").fires("web", TimerKind.READY).committed();
        herd.actAndLeave(Verb.STOP, "migrate", "web").committed();
        assertEquals("EXITED STOPPING RUNNING", herd.states());
        herd.askReload(false).read(service("web").dependsOn(List.of(onOther)), service("other"));
        assertTrue(herd.words().contains("tell reloaded"), herd.words());
        assertEquals("STOPPING RUNNING", herd.states());
    }

    /** Its end linked those of others: without it they are not waited for any more, nor is it. */
    @Test
    void what_is_removed_and_gone_at_once_is_not_stopped_again_when_another_removed_one_ends() {
        Dependency onMigrate = new Dependency(new ServiceName("migrate"), Dependency.Condition.READY);
        Dependency onOther = new Dependency(new ServiceName("other"), Dependency.Condition.READY);
        Service migrate = Bench.fresh(service("migrate").oneshot().build());
        Service web = Bench.fresh(service("web").dependsOn(List.of(onMigrate)).build());
        Service late = Bench.fresh(service("late").build());
        Service other = Bench.fresh(service("other").build());
        Herd herd = new Herd(0, Set.of(), migrate, web, late, other).begin();
        herd.spawned("other").fires("other", TimerKind.READY);
        herd.spawned("late").fires("late", TimerKind.READY);
        herd.spawned("migrate").exits("migrate", 0);
        herd.committed().spawned("web").fires("web", TimerKind.READY).committed();
        herd.actAndLeave(Verb.STOP, "migrate", "web").committed();
        assertEquals("EXITED STOPPING RUNNING RUNNING", herd.states());
        herd.askReload(false).read(service("late").dependsOn(List.of(onOther)), service("other"));
        assertEquals("RUNNING RUNNING STOPPING", herd.states());
        herd.killed("web").committed();
        assertEquals("RUNNING RUNNING", herd.states());
    }

    @Test
    void what_waits_with_its_end_for_one_that_no_longer_depends_on_it_waits_no_more() {
        Dependency onDb = new Dependency(new ServiceName("db"), Dependency.Condition.READY);
        Service db = Bench.fresh(service("db").build());
        Service web = Bench.fresh(service("web").dependsOn(List.of(onDb)).build());
        Herd herd = new Herd(0, Set.of(), db, web).begin().spawned("db").fires("db", TimerKind.READY);
        herd.spawned("web").fires("web", TimerKind.READY).committed();
        herd.actAndLeave(Verb.STOP).committed();
        assertEquals("RUNNING STOPPING", herd.states());
        herd.askReload(false).read(service("db"), service("web"));
        assertEquals("STOPPING STOPPING", herd.states());
    }

    @Test
    void each_reading_has_its_own_time() {
        Herd herd = new Herd(0, "a").allRunning("a").askReload(true);
        herd.later(Duration.ofSeconds(4));
        herd.ask(new Ask.Reload(true, Optional.of(Path.of("/tmp/x.yml")), false, Duration.ZERO));
        herd.fires(SupervisorTimer.READING);
        assertTrue(herd.words().contains("reply 1 failed"), herd.words());
        assertFalse(herd.words().contains("reply 2"), herd.words());
        herd.fires(SupervisorTimer.READING);
        assertTrue(herd.words().startsWith("reply 2 failed: cannot read /tmp/x.yml: "), herd.words());
        herd.on(new SupervisorEvent.ConfigurationRefused(2, List.of("f:1:1: x; y")));
        assertEquals("", herd.words());
    }

    @Test
    void so_many_readings_may_hang_and_no_more_until_one_comes_back() {
        Herd herd = new Herd(0, "a").allRunning("a");
        for (int i = 0; i < 8; i++) {
            herd.on(new SupervisorEvent.ReloadRequested());
            assertEquals("read " + (i + 1), herd.words());
            herd.fires(SupervisorTimer.READING);
        }
        herd.askReload(true);
        assertTrue(
                herd.words().contains("reply 1 failed: cannot read /etc/services.yml: 8 earlier readings hang"),
                herd.words());
        assertEquals(
                "tell reload-refused",
                herd.on(new SupervisorEvent.ReloadRequested()).words());
        herd.on(new SupervisorEvent.ConfigurationRefused(3, List.of("f:1:1: x; y")));
        assertEquals("", herd.words());
        herd.on(new SupervisorEvent.ReloadRequested());
        assertTrue(herd.words().startsWith("read "), herd.words());
        assertEquals("tell reloaded, configured 1", herd.read(service("a")).words());
    }

    @Test
    void nothing_is_reloaded_while_the_supervisor_ends() {
        Herd herd = new Herd(0, "a").allRunning("a").askReload(true);
        herd.end();
        herd.read(service("b"));
        assertEquals("tell reload-refused, reply 1 shutting-down: the supervisor is shutting down", herd.words());
        assertEquals(
                "tell reload-refused",
                herd.on(new SupervisorEvent.ReloadRequested()).words());
        assertEquals(1, herd.status().services().size());
    }

    @Test
    void nothing_is_reloaded_during_a_hand_over() {
        Herd herd = new Herd(0, "a").begin().ask(new Ask.HandOver());
        assertEquals(
                "tell reload-refused",
                herd.on(new SupervisorEvent.ReloadRequested()).words());
    }

    @Test
    void directories_cannot_be_changed_and_then_nothing_else_is_either() {
        Herd herd = new Herd(0, "a").allRunning("a").askReload(false);
        Configuration same = Herd.file(other("a"));
        SupervisorSpec ours = same.supervisor();
        SupervisorSpec moved = new SupervisorSpec(
                ours.name(),
                Path.of("/elsewhere"),
                ours.runtimeDir(),
                ours.socket(),
                Optional.empty(),
                0,
                ours.heartbeatFile(),
                ours.heartbeatInterval());
        herd.on(new SupervisorEvent.ConfigurationRead(1, new Configuration(same.source(), moved, same.services())));
        assertTrue(herd.words().contains("reply 1 bad-configuration: /etc/services.yml: supervisor.state_dir cannot"));
        assertEquals("RUNNING", herd.states());
    }

    // ---- what becomes of each ----

    @Test
    void only_what_has_changed_is_touched_and_the_order_is_that_of_the_file() {
        Herd herd = new Herd(0, "a", "b", "c", "d").allRunning("a", "b", "c", "d");
        herd.reload(service("e"), service("d"), other("c"), service("a"));
        assertEquals(
                "tell reloaded, configured 4, record b, tell b stopping, record c, tell c stopping, tell e starting"
                        .replace(", tell e starting", ""),
                herd.words().replace(", spawn e", ""));
        assertTrue(herd.words().endsWith("spawn e"), herd.words());
        assertEquals("STARTING RUNNING STOPPING RUNNING STOPPING", herd.states());
        assertEquals(List.of("e"), herd.told().get(0).details().get("added"));
        assertEquals(List.of("b"), herd.told().get(0).details().get("removed"));
        assertEquals(List.of("c"), herd.told().get(0).details().get("restarted"));
        assertEquals(2L, herd.told().get(0).details().get("unchanged"));
    }

    @Test
    void what_is_changed_ends_after_its_record_and_starts_with_the_new_spec() {
        Herd herd = new Herd(0, "a").allRunning("a").reload(other("a"));
        assertFalse(herd.words().contains("SIGTERM"), herd.words());
        assertEquals("SIGTERM to group a, SIGCONT to group a", herd.committed().words());
        herd.exits("a", 0);
        assertTrue(herd.committed().words().contains("spawn a"), herd.words());
        assertEquals("y", herd.serviceOf("a").spec().spawn().command().program());
        assertEquals(
                Cause.RELOAD,
                herd.serviceOf("a").history().lastEnd().orElseThrow().cause());
        assertEquals(0, herd.serviceOf("a").history().restarts());
        assertFalse(herd.serviceOf("a").commanded());
    }

    @Test
    void what_is_removed_is_stopped_as_it_was_told_and_then_forgotten() {
        Herd herd = new Herd(0, "a", "b").allRunning("a", "b").reload(service("b"));
        assertEquals("SIGTERM to group a, SIGCONT to group a", herd.committed().words());
        herd.exits("a", 0);
        assertTrue(herd.words().endsWith("tell a stopped, forget a"), herd.words());
        assertEquals("RUNNING", herd.states());
    }

    @Test
    void what_comes_back_while_it_is_still_stopping_starts_again_when_it_is_down() {
        Herd herd = new Herd(0, "a").allRunning("a").reload(service("z")).committed();
        herd.reload(other("a")).committed();
        assertEquals(ServiceState.STOPPING, herd.state("a"));
        herd.exits("a", 0).committed();
        assertTrue(herd.words().contains("spawn a"), herd.words());
        assertEquals("y", herd.serviceOf("a").spec().spawn().command().program());
    }

    @Test
    void what_comes_back_later_has_its_history() {
        Herd herd = new Herd(0, "a").allRunning("a").exits("a", 1).reload(service("z"));
        assertEquals("STARTING", herd.states());
        herd.reload(service("a"), service("z"));
        assertEquals("STARTING STARTING", herd.states());
        assertEquals(1, herd.serviceOf("a").history().ends().size());
    }

    @Test
    void what_an_operator_stopped_stays_stopped_and_takes_the_new_spec() {
        Herd herd = new Herd(0, "a").allRunning("a").act(Verb.STOP, "a").committed();
        herd.exits("a", 0).committed().reload(other("a"));
        assertEquals("STOPPED", herd.states());
        assertEquals("y", herd.serviceOf("a").spec().spawn().command().program());
        herd.reload(service("z")).reload(other("a"));
        assertEquals(ServiceState.STOPPED, herd.state("a"));
        assertEquals(Wanted.DOWN, herd.serviceOf("a").wanted());
    }

    @Test
    void an_operators_start_does_not_outlive_the_removal() {
        Herd herd = new Herd(0, "a").allRunning("a").act(Verb.START, "a").committed();
        herd.reload(service("z")).committed().exits("a", 0);
        assertEquals("STARTING", herd.states());
        herd.reload(service("z"), service("a").autostart(false));
        assertEquals("STARTING STOPPED", herd.states());
    }

    @Test
    void a_backoff_ends_where_the_command_was_changed_and_goes_on_otherwise() {
        Herd herd = new Herd(0, "a").allRunning("a").exits("a", 1).committed();
        herd.reload(service("a").startJitter(Duration.ofSeconds(1)));
        assertEquals("BACKOFF", herd.states());
        herd.reload(other("a")).committed();
        assertEquals("STARTING", herd.states());
        assertEquals(0, herd.serviceOf("a").history().restarts());
    }

    @Test
    void what_was_given_up_starts_afresh_where_something_was_mended() {
        ServiceSpec.Builder picky = service("a").giveUpExitCodes(Set.of(1));
        Herd herd = new Herd(0, Set.of(), Service.fresh(picky.build(), io.jsupervise.lifecycle.Bench.BEGIN, 1));
        herd.allRunning("a").exits("a", 1).committed();
        assertEquals("FATAL", herd.states());
        herd.reload(service("a").giveUpExitCodes(Set.of(1)).description("the same"));
        assertEquals("FATAL", herd.states());
        herd.reload(service("a"));
        assertEquals("STARTING", herd.states());
    }

    @Test
    void autostart_that_is_switched_on_starts_and_off_leaves_what_runs() {
        Herd herd = new Herd(0, "a")
                .allRunning("a")
                .reload(service("a").autostart(false), service("b").autostart(false));
        assertEquals("RUNNING STOPPED", herd.states());
        herd.reload(service("a").autostart(false), service("b"));
        assertEquals("RUNNING STARTING", herd.states());
    }

    @Test
    void a_spawn_that_waits_for_its_record_is_withdrawn_or_made_by_the_new_spec() {
        Herd herd = new Herd(0, "a").allRunning("a").exits("a", 1).act(Verb.START, "a");
        assertEquals("STARTING", herd.states());
        herd.reload(other("a"));
        herd.committed();
        assertTrue(herd.words().contains("spawn a"), herd.words());
        assertEquals("y", herd.serviceOf("a").spec().spawn().command().program());
    }

    @Test
    void a_spawn_that_waits_for_its_record_takes_up_what_needs_no_other_process() {
        Herd herd = new Herd(0, "a").allRunning("a").exits("a", 1).act(Verb.START, "a");
        herd.reload(service("a").description("new")).committed();
        assertTrue(herd.words().contains("spawn a"), herd.words());
        assertEquals("new", herd.spawnedSpec("a").description().orElseThrow());
    }

    @Test
    void a_restart_that_is_under_way_is_followed_by_the_new_spec_at_once() {
        Herd herd = new Herd(0, "a").allRunning("a").act(Verb.RESTART, "a").committed();
        herd.reload(other("a")).exits("a", 0).committed();
        assertTrue(herd.words().contains("spawn a"), herd.words());
        assertEquals("y", herd.serviceOf("a").spec().spawn().command().program());
    }

    @Test
    void the_same_file_again_is_nothing_new_for_what_is_still_ending() {
        Herd herd = new Herd(0, "a")
                .allRunning("a")
                .reload(other("a"))
                .askReload(false)
                .read(other("a"));
        assertTrue(herd.words().endsWith("reply 1 =1 []"), herd.words());
    }

    @Test
    void the_new_stop_sequence_holds_at_once() {
        Herd herd = new Herd(0, "a").allRunning("a");
        StopSequence quick = new StopSequence(Signal.INT, Duration.ZERO, Optional.empty());
        herd.reload(service("a").stop(quick)).committed().act(Verb.STOP, "a").committed();
        assertEquals("SIGINT to group a, SIGCONT to group a", herd.words());
    }

    @Test
    void a_start_limit_holds_from_now_on() {
        Herd herd = new Herd(0, "a").allRunning("a");
        herd.reload(service("a").startLimit(new RestartIntensity(0, Duration.ofHours(1))))
                .exits("a", 1);
        assertEquals("FATAL", herd.states());
    }

    // ---- answers ----

    @Test
    void who_waits_hears_when_all_is_done() {
        Herd herd = new Herd(0, "a", "b", "c").allRunning("a", "b", "c").askReload(true);
        herd.read(other("b"), service("c"), service("d")).committed();
        assertFalse(herd.words().contains("reply"), herd.words());
        herd.exits("a", 0).exits("b", 0).committed().spawned("b").spawned("d").fires("b", TimerKind.READY);
        assertFalse(herd.words().contains("reply"), herd.words());
        herd.fires("d", TimerKind.READY).committed();
        assertEquals(
                "reply 1 +d -a !b[command] =1 [a STOPPED (stopped), b RUNNING (running, pid 104), d RUNNING (running, pid"
                        + " 105)]",
                herd.words());
    }

    @Test
    void who_does_not_wait_hears_at_once() {
        Herd herd = new Herd(0, "a").allRunning("a").askReload(false).read(other("a"));
        assertTrue(herd.words().endsWith("reply 1 !a[command] =0 []"), herd.words());
    }

    @Test
    void who_waited_for_a_service_that_is_removed_hears_that_it_was_stopped() {
        Herd herd = new Herd(0, "a").allRunning("a").act(Verb.RESTART, "a").committed();
        herd.reload(service("z")).exits("a", 0).committed();
        assertTrue(herd.words().contains("reply 1 [a not STOPPED (was stopped meanwhile)]"), herd.words());
    }

    // ---- order and slots ----

    @Test
    void what_is_added_waits_for_what_it_depends_on() {
        Herd herd = new Herd(0, "a").allRunning("a");
        Dependency onDb = new Dependency(new ServiceName("db"), Dependency.Condition.READY);
        herd.reload(service("a"), service("web").dependsOn(List.of(onDb)), service("db"));
        assertEquals("RUNNING WAITING STARTING", herd.states());
        herd.spawned("db").fires("db", TimerKind.READY);
        assertEquals("RUNNING STARTING RUNNING", herd.states());
    }

    @Test
    void who_no_longer_depends_on_what_it_waits_for_starts() {
        Dependency onDb = new Dependency(new ServiceName("db"), Dependency.Condition.READY);
        Herd herd = new Herd(0, "a").allRunning("a");
        herd.reload(service("web").dependsOn(List.of(onDb)), service("db"));
        assertEquals(ServiceState.WAITING, herd.state("web"));
        herd.reload(service("web"), service("db"));
        assertEquals(ServiceState.STARTING, herd.state("web"));
    }

    @Test
    void who_waits_for_a_slot_gets_one_when_there_is_no_limit_any_more() {
        Herd herd = new Herd(1, "a", "b").begin();
        assertEquals("STARTING WAITING", herd.states());
        herd.reload(service("a"), service("b"));
        assertEquals("STARTING STARTING", herd.states());
    }

    @Test
    void what_is_adopted_and_was_started_with_something_else_takes_part_though_the_file_is_the_same() {
        Service old = io.jsupervise.lifecycle.Bench.startedWith(service("a").build(), "0123456789abcdef");
        Herd herd = new Herd(0, Set.of(), old).begin();
        herd.of(
                "a",
                new Event.LeftoverFound(
                        old.run().orElseThrow().id(), old.process().orElseThrow()));
        herd.askReload(false).read(service("a"));
        assertTrue(herd.words().endsWith("reply 1 !a[] =0 []"), herd.words());
        assertEquals("STOPPING", herd.states());
    }

    @Test
    void what_is_adopted_and_not_known_with_what_it_was_started_is_left_alone() {
        Service old = io.jsupervise.lifecycle.Bench.recorded(
                service("a").build(), ServiceState.RUNNING, Optional.empty(), Wanted.UP);
        Herd herd = new Herd(0, Set.of(), old).begin();
        herd.of(
                "a",
                new Event.LeftoverFound(
                        old.run().orElseThrow().id(), old.process().orElseThrow()));
        herd.reload(service("a"));
        assertEquals("RUNNING", herd.states());
    }
}
