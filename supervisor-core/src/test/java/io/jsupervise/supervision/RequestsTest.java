package io.jsupervise.supervision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Bench;
import io.jsupervise.lifecycle.Cause;
import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.TimerKind;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.spec.RestartPolicy;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.Signal;
import io.jsupervise.supervision.Ask.Act.Verb;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is asked, who hears when that it is done, and what is told about it. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class RequestsTest {
    private static final Ask.Act BRIEF_START =
            new Ask.Act(Verb.START, List.of(new ServiceName("web")), true, Duration.ofMillis(100));

    @Test
    void who_starts_a_service_hears_when_it_is_ready() {
        Herd herd = stopped().act(Verb.START, "web").committed();
        assertEquals("spawn web", herd.deeds());
        assertEquals("record web", herd.spawned("web").deeds());
        herd.fires("web", TimerKind.READY);
        assertEquals("record web", herd.deeds(), "that it is ready is recorded before it is answered");
        assertEquals(
                "reply 2 [web RUNNING (running, pid 102)]", herd.committed().deeds());
    }

    @Test
    void who_starts_what_runs_hears_at_once() {
        Herd herd = new Herd(0, "web").allRunning("web").act(Verb.START, "web");
        assertEquals("record web", herd.deeds());
        assertEquals(
                "reply 1 [web RUNNING (running, pid 101)]", herd.committed().deeds());
    }

    @Test
    void who_starts_what_is_given_up_hears_why() {
        Herd herd = new Herd(
                        0,
                        Set.of(),
                        Bench.fresh(
                                Herd.service("web").giveUpExitCodes(Set.of(3)).build()))
                .begin()
                .act(Verb.START, "web")
                .spawned("web");
        herd.exits("web", 3).committed();
        assertEquals("reply 1 [web not FATAL (exit 3 is one of its give_up_exit_codes)]", herd.deeds());
    }

    @Test
    void who_starts_what_ends_as_it_should_is_told_so() {
        Herd herd = new Herd(
                        0,
                        Set.of(),
                        Bench.fresh(
                                Herd.service("web").restart(RestartPolicy.NEVER).build()))
                .begin()
                .act(Verb.START, "web")
                .spawned("web");
        herd.exits("web", 0).committed();
        assertEquals("reply 1 [web EXITED (ended: exit 0)]", herd.deeds());
    }

    @Test
    void who_does_not_want_to_wait_any_longer_hears_how_far_it_is() {
        Herd herd = stopped().ask(BRIEF_START).committed();
        herd.spawned("web").exits("web", 1).committed();
        assertEquals(
                "reply 2 [web not BACKOFF (still BACKOFF after 100ms: exit 1)]",
                herd.fires(SupervisorTimer.ANSWER).deeds());
        assertEquals("spawn web", herd.fires("web", TimerKind.RESTART).deeds(), "it is tried on all the same");
    }

    @Test
    void each_who_waits_hears_at_their_own_time() {
        Herd herd = stopped().ask(BRIEF_START);
        herd.ask(new Ask.Act(Verb.START, List.of(new ServiceName("web")), true, Duration.ofMillis(50)));
        herd.committed().fires(SupervisorTimer.ANSWER);
        assertEquals("reply 3 [web not STARTING (still STARTING after 50ms)]", herd.deeds());
        assertEquals(
                "reply 2 [web not STARTING (still STARTING after 100ms)]",
                herd.fires(SupervisorTimer.ANSWER).deeds());
    }

    @Test
    void a_stop_is_answered_when_nothing_is_left() {
        Herd herd = new Herd(0, "web").allRunning("web").act(Verb.STOP, "web").committed();
        assertEquals("SIGTERM to group web, SIGCONT to group web", herd.deeds());
        herd.exits("web", 0);
        assertEquals("record web, clear group web, record web", herd.deeds());
        assertEquals("reply 1 [web STOPPED (stopped)]", herd.committed().deeds());
    }

    @Test
    void who_waits_for_a_stop_hears_that_another_started_it_meanwhile() {
        Herd herd = new Herd(0, "web").allRunning("web").act(Verb.STOP, "web");
        herd.actAndLeave(Verb.START, "web").committed();
        assertTrue(herd.deeds().contains("reply 1 [web not STOPPING (was started meanwhile)]"), herd.deeds());
    }

    @Test
    void a_restart_is_answered_by_the_new_run_not_by_the_old_one() {
        Herd herd =
                new Herd(0, "web").allRunning("web").act(Verb.RESTART, "web").committed();
        assertEquals("SIGTERM to group web, SIGCONT to group web", herd.deeds());
        herd.exits("web", 0).committed();
        assertEquals("spawn web", herd.deeds());
        herd.spawned("web").fires("web", TimerKind.READY).committed();
        assertEquals("reply 1 [web RUNNING (running, pid 102)]", herd.deeds());
        assertEquals(0, herd.serviceOf("web").history().restarts());
    }

    @Test
    void all_means_all_and_each_result_is_in_the_answer() {
        Herd herd = new Herd(0, "a", "b").allRunning("a", "b").act(Verb.STOP).committed();
        herd.exits("b", 0).committed();
        assertEquals("", herd.deeds());
        herd.exits("a", 0).committed();
        assertEquals("reply 1 [b STOPPED (stopped), a STOPPED (stopped)]", herd.deeds());
    }

    @Test
    void a_service_named_twice_is_asked_once() {
        Herd herd = new Herd(0, "a")
                .allRunning("a")
                .actAndLeave(Verb.RESTART, "a", "a")
                .committed();
        assertEquals("SIGTERM to group a, SIGCONT to group a, reply 1 [a STOPPING (asked to restart)]", herd.deeds());
    }

    @Test
    void one_unknown_name_and_nothing_is_done_at_all() {
        Herd herd = new Herd(0, "a").allRunning("a").act(Verb.STOP, "a", "wbe");
        assertEquals("reply 1 no-such-service: no service \"wbe\"", herd.words());
        assertEquals(ServiceState.RUNNING, herd.state("a"));
    }

    @Test
    void every_request_is_answered_exactly_once() {
        Herd herd = new Herd(0, "a", "b").allRunning("a", "b");
        StringBuilder all = new StringBuilder();
        for (Verb verb : Verb.values()) {
            all.append(herd.act(verb, "a", "b").deeds()).append(' ');
            all.append(herd.actAndLeave(verb).deeds()).append(' ');
        }
        all.append(herd.committed().deeds()).append(' ');
        for (String name : new String[] {"a", "b"}) {
            all.append(herd.exits(name, 0).committed().deeds()).append(' ');
            all.append(herd.spawned(name)
                            .fires(name, TimerKind.READY)
                            .committed()
                            .deeds())
                    .append(' ');
        }
        for (int request = 1; request <= 6; request++) {
            assertEquals(2, all.toString().split("reply " + request + " ", -1).length, request + " in " + all);
        }
    }

    @Test
    void every_action_is_told_with_who_asked_for_it() {
        Herd herd = new Herd(0, "a", "b").allRunning("a", "b").actAndLeave(Verb.STOP, "b", "a");
        Happening asked = herd.told().get(0);
        assertEquals("asked", asked.event());
        assertEquals(
                "{what=stop, services=[b, a], by_pid=77, by_uid=1000}",
                asked.details().toString());
    }

    @Test
    void a_signal_goes_to_the_main_process_and_is_told() {
        Herd herd = new Herd(0, "web").allRunning("web");
        herd.ask(herd.signal("web", Signal.HUP));
        assertEquals("tell asked, SIGHUP to main web, reply 1 [web RUNNING (SIGHUP sent to pid 101)]", herd.words());
    }

    @Test
    void what_has_no_process_cannot_be_signalled() {
        Herd herd = stopped();
        herd.ask(herd.signal("web", Signal.HUP));
        assertEquals("reply 2 not-running: cannot signal \"web\": it is STOPPED and has no process", herd.words());
        herd.ask(herd.signal("wbe", Signal.HUP));
        assertEquals("reply 3 no-such-service: no service \"wbe\"", herd.words());
    }

    @Test
    void a_status_of_one_service_shows_it_alone() {
        Herd herd = new Herd(0, "a", "b").begin();
        herd.ask(new Ask.ShowStatus(Optional.of(new ServiceName("b"))));
        assertEquals("reply 1 status", herd.words());
        herd.ask(new Ask.ShowStatus(Optional.of(new ServiceName("c"))));
        assertEquals("reply 2 no-such-service: no service \"c\"", herd.words());
        assertEquals(2, herd.status().services().size());
    }

    @Test
    void a_status_is_a_picture_of_its_moment() {
        Herd herd = new Herd(0, "a").allRunning("a");
        Status before = herd.status();
        herd.exits("a", 1);
        assertEquals(ServiceState.RUNNING, before.services().get(0).state());
        assertEquals(ServiceState.BACKOFF, herd.status().services().get(0).state());
    }

    // ---- services that the file no longer names ----

    @Test
    void a_retired_service_is_ended_and_then_forgotten() {
        Herd herd = withRetired().begin();
        assertEquals(2, herd.status().services().size());
        herd.of("old", new Event.LeftoverFound(new RunId("old-1"), Bench.process(99)));
        assertEquals("SIGTERM to group old, SIGCONT to group old", herd.deeds());
        herd.of("old", new Event.ChildExited(new RunId("old-1"), new ExitStatus.Exited(0)));
        assertEquals(1, herd.status().services().size());
        assertEquals("", herd.of("old", new Event.StopAsked()).words());
    }

    @Test
    void a_retired_service_cannot_be_started_again() {
        Herd herd = withRetired().begin();
        herd.act(Verb.START, "old");
        assertEquals("reply 1 no-such-service: no service \"old\"", herd.words());
        herd.actAndLeave(Verb.RESTART).committed();
        assertEquals("reply 2 [web STOPPING (asked to restart)]", herd.deeds(), "all are those of the file");
        assertEquals(Wanted.DOWN, herd.serviceOf("old").wanted());
    }

    @Test
    void the_supervisor_does_not_end_before_a_retired_service_did() {
        Herd herd = withRetired().begin();
        herd.of("old", new Event.LeftoverFound(new RunId("old-1"), Bench.process(99)));
        herd.end().spawnFails("web");
        assertTrue(!herd.words().contains("supervisor-ended"), herd.words());
        herd.of("old", new Event.ChildExited(new RunId("old-1"), new ExitStatus.Exited(0)));
        assertTrue(herd.words().contains("supervisor-ended"), herd.words());
    }

    // ---- what else is told ----

    @Test
    void what_the_shell_noticed_is_told_as_it_is() {
        Herd herd = new Herd(0, "web").begin();
        herd.on(new SupervisorEvent.Noticed(
                Optional.of(new ServiceName("web")), "log-dropped", Map.of("bytes", 4096L)));
        Happening told = herd.told().get(0);
        assertEquals("log-dropped", told.event());
        assertEquals(Optional.of(new ServiceName("web")), told.service());
        assertEquals(Map.of("bytes", 4096L), told.details());
        assertEquals("", herd.deeds());
    }

    @Test
    void events_are_numbered_without_gaps_after_those_of_the_supervisor_before() {
        Herd herd = new Herd(0, "a", "b").begin();
        long next = 42;
        for (int i = 0; i < 5; i++) {
            for (Happening happening : herd.told()) {
                assertEquals(next++, happening.seq());
            }
            if (i < 2) {
                herd.spawned(i == 0 ? "a" : "b");
            } else {
                herd.actAndLeave(Verb.RESTART);
            }
        }
        assertTrue(next > 45, "something was told");
    }

    @Test
    void what_cannot_happen_is_told_and_changes_nothing() {
        Herd herd = new Herd(0, "web").allRunning("web");
        herd.spawnFails("web");
        assertEquals("tell web ignored", herd.words());
        assertTrue(herd.told().get(0).details().get("what").toString().endsWith(" in RUNNING"));
        assertEquals("", herd.of("unknown", new Event.StopAsked()).words());
    }

    @Test
    void its_own_heartbeat_is_touched_once_per_interval() {
        Herd herd = new Herd(0).begin();
        assertEquals("tell supervisor-started, record supervisor, touch", herd.words());
        for (int i = 1; i <= 5; i++) {
            assertEquals("touch", herd.fires(SupervisorTimer.HEARTBEAT).words());
            assertEquals(Duration.ofSeconds(5L * i), herd.status().now().mono().since(Bench.BEGIN.mono()));
        }
    }

    @Test
    void a_timer_that_was_replaced_does_nothing() {
        Herd herd = new Herd(0).begin();
        herd.on(new SupervisorEvent.TimerFired(SupervisorTimer.HEARTBEAT, 1_000));
        herd.on(new SupervisorEvent.TimerFired(SupervisorTimer.ANSWER, 0));
        assertEquals("", herd.words());
    }

    private static Herd stopped() {
        Herd herd = new Herd(0, "web").allRunning("web").actAndLeave(Verb.STOP, "web");
        return herd.exits("web", 0).committed();
    }

    private static Herd withRetired() {
        return new Herd(
                0,
                Set.of("old"),
                Herd.fresh("web")[0],
                Bench.recorded(
                        Herd.service("old").autostart(false).build(),
                        ServiceState.STOPPING,
                        Optional.of(new Service.Ending(Cause.TAKEOVER, "its supervisor had died")),
                        Wanted.DOWN));
    }
}
