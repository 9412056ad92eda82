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
import io.jsupervise.spec.RestartPolicy;
import io.jsupervise.supervision.Ask.Act.Verb;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How a supervisor ends: everything stops, the last record says so, and only then may the process end. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class ShutdownTest {
    @Test
    void all_services_are_asked_to_end_at_once() {
        Herd herd = new Herd(0, "a", "b", "c").allRunning("a", "b", "c").end();
        assertEquals("record a, record b, record c", herd.deeds());
        assertEquals("STOPPING STOPPING STOPPING", herd.states());
        assertEquals(
                "SIGTERM to group a, SIGCONT to group a, SIGTERM to group b, SIGCONT to group b, "
                        + "SIGTERM to group c, SIGCONT to group c",
                herd.committed().deeds());
    }

    @Test
    void the_supervisor_ends_when_the_last_service_is_down_and_that_is_recorded() {
        Herd herd = new Herd(0, "a", "b").allRunning("a", "b").end().committed();
        herd.exits("a", 0);
        assertEquals("record a, clear group a, record a", herd.deeds());
        herd.exits("b", 0);
        assertEquals("record b, clear group b, record b, record supervisor as ended", herd.deeds());
        herd.committed(herd.recorded() - 1);
        assertEquals("", herd.deeds());
        assertEquals("exit", herd.committed().deeds());
    }

    @Test
    void a_shutdown_changes_nobodys_wish_and_counts_for_nothing() {
        Herd herd = new Herd(0, "a", "b").allRunning("a", "b");
        herd.actAndLeave(Verb.STOP, "b").committed();
        herd.exits("b", 0).exits("a", 1).end();
        assertEquals(Wanted.UP, herd.serviceOf("a").wanted());
        assertEquals(Wanted.DOWN, herd.serviceOf("b").wanted());
        assertEquals(0, herd.serviceOf("a").history().restarts(), "the restart that was due is not made");
        assertEquals("STOPPED STOPPED", herd.states());
    }

    @Test
    void what_had_ended_before_stays_as_it_was() {
        Service once =
                Bench.fresh(Herd.service("once").restart(RestartPolicy.NEVER).build());
        Service fatal =
                Bench.fresh(Herd.service("fatal").giveUpExitCodes(Set.of(3)).build());
        Herd herd = new Herd(0, Set.of(), once, fatal).allRunning("once", "fatal");
        herd.exits("once", 0).exits("fatal", 3).committed();
        assertEquals("record supervisor as ended", herd.end().deeds());
        assertEquals("EXITED FATAL", herd.states());
        assertEquals("exit", herd.committed().deeds());
    }

    @Test
    void a_supervisor_without_services_ends_as_well() {
        Herd herd = new Herd(0).begin().committed();
        assertEquals("record supervisor as ended", herd.end().deeds());
        assertEquals("exit", herd.committed().deeds());
    }

    @Test
    void a_journal_that_cannot_be_written_does_not_hold_the_end_up() {
        Herd herd = new Herd(0, "a").allRunning("a").journalFails().end();
        assertEquals("record a, SIGTERM to group a, SIGCONT to group a", herd.deeds());
        assertEquals(
                "record a, clear group a, record a, record supervisor as ended, exit",
                herd.exits("a", 0).deeds());
    }

    @Test
    void a_second_signal_hurries() {
        Herd herd = new Herd(0, "a", "b").allRunning("a", "b").end().committed();
        herd.exits("a", 0).committed().end();
        assertEquals("tell shutdown-hurried, SIGKILL to group b", herd.words());
        assertEquals(
                "tell b killing, SIGKILL to group b",
                herd.fires("b", TimerKind.STOP).words());
    }

    @Test
    void a_hurry_kills_what_is_spawned_late() {
        Herd herd = new Herd(0, "a").begin().end().end().committed();
        assertEquals("STOPPING", herd.states());
        herd.spawned("a").committed();
        assertEquals("SIGTERM to group a, SIGCONT to group a, SIGKILL to group a", herd.deeds());
    }

    @Test
    void a_hurry_kills_what_an_earlier_supervisor_left_and_is_found_late() {
        Service left = Bench.recorded(Herd.service("a").build(), ServiceState.RUNNING, Optional.empty(), Wanted.UP);
        Herd herd = new Herd(0, Set.of(), left).begin().end().end().committed();
        herd.of("a", new Event.LeftoverFound(new RunId("old-1"), Bench.process(99)));
        assertEquals("SIGTERM to group a, SIGCONT to group a, SIGKILL to group a", herd.deeds());
    }

    @Test
    void nothing_starts_any_more() {
        Herd herd = new Herd(1, "a", "b", "c").begin().end().committed();
        assertEquals("STOPPING STOPPED STOPPED", herd.states());
        assertEquals(
                "record a, tell a stopped, tell supervisor-ended, record supervisor as ended",
                herd.spawnFails("a").words());
    }

    @Test
    void who_asks_for_more_than_the_status_is_refused() {
        Herd herd = new Herd(0, "a").allRunning("a").end();
        herd.act(Verb.START, "a");
        assertEquals("reply 1 shutting-down: the supervisor is shutting down", herd.words());
        herd.ask(new Ask.Shutdown());
        assertEquals("reply 2 shutting-down: the supervisor is shutting down", herd.words());
        assertTrue(herd.status().supervisor().shuttingDown());
    }

    @Test
    void who_waits_for_a_start_hears_that_it_was_stopped() {
        Herd herd = new Herd(0, "a").begin().act(Verb.START, "a").end().committed();
        herd.spawnFails("a").committed();
        assertTrue(herd.words().contains("reply 1 [a not STOPPED (was stopped meanwhile)]"), herd.words());
    }

    @Test
    void a_shutdown_that_was_asked_for_is_answered_told_and_done() {
        Herd herd = new Herd(0, "a").allRunning("a").ask(new Ask.Shutdown());
        assertEquals("tell asked, reply 1 [], tell shutdown-begun, record a, tell a stopping", herd.words());
        assertEquals("uid 1000", herd.told().get(1).details().get("by"));
    }
}
