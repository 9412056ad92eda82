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
import io.jsupervise.spec.Signal;
import io.jsupervise.supervision.Ask.Act.Verb;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A supervisor that leaves its services to the next one: it starts nothing, signals nobody, and forgets nothing. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class HandOverTest {
    private static Herd handedOver(Herd herd) {
        return herd.ask(new Ask.HandOver());
    }

    @Test
    void what_runs_is_left_alone_and_who_asked_hears_of_it_when_all_is_recorded() {
        Herd herd = handedOver(new Herd(0, "a", "b").allRunning("a", "b"));
        assertEquals("tell asked, tell hand-over-begun, record supervisor", herd.words());
        assertEquals("RUNNING RUNNING", herd.states());
        assertTrue(herd.status().supervisor().shuttingDown());
        assertEquals(
                "tell supervisor-ended, "
                        + "reply 1 [a RUNNING (left running, pid 101), b RUNNING (left running, pid 102)], exit",
                herd.committed().words());
        assertEquals(2L, herd.told().get(0).details().get("left_running"));
    }

    @Test
    void a_spawn_under_way_is_waited_for_and_its_process_recorded() {
        Herd herd = handedOver(new Herd(0, "a").begin());
        assertEquals("", herd.deeds());
        herd.spawned("a");
        assertEquals("record a, record supervisor", herd.deeds());
        assertEquals(
                "reply 1 [a STARTING (left running, pid 101)], exit",
                herd.committed().deeds());
    }

    @Test
    void a_spawn_that_still_waits_for_its_record_is_not_made() {
        Herd herd = new Herd(0, "a").allRunning("a");
        herd.actAndLeave(Verb.STOP, "a").committed();
        herd.exits("a", 0).committed();
        herd.actAndLeave(Verb.START, "a");
        assertEquals("record a", herd.deeds());
        handedOver(herd);
        assertEquals(
                "reply 2 [a STARTING (asked to start)], record supervisor",
                herd.committed().deeds(),
                "the spawn of a is not among them");
        assertEquals(Wanted.UP, herd.serviceOf("a").wanted());
        assertEquals("reply 3 [], exit", herd.committed().deeds());
    }

    @Test
    void a_restart_that_falls_due_is_left_to_the_next() {
        Herd herd = new Herd(0, "a", "b").allRunning("a", "b");
        handedOver(herd.exits("a", 1).committed());
        assertEquals("", herd.fires("a", TimerKind.RESTART).deeds());
        assertEquals("BACKOFF RUNNING", herd.states(), "its record says when it is due");
        assertEquals(1, herd.serviceOf("a").history().restarts());
        assertEquals(
                "reply 1 [b RUNNING (left running, pid 102)], exit",
                herd.committed().deeds());
    }

    @Test
    void a_start_that_fails_meanwhile_is_recorded_and_not_tried_again() {
        Herd herd = handedOver(new Herd(0, "a").begin());
        assertEquals("record a, record supervisor", herd.spawnFails("a").deeds());
        assertEquals("BACKOFF", herd.states());
        assertEquals("reply 1 [], exit", herd.committed().deeds());
    }

    @Test
    void a_stop_under_way_goes_on_without_another_signal() {
        Herd herd = new Herd(0, "a").allRunning("a");
        handedOver(herd.actAndLeave(Verb.STOP, "a").committed());
        assertEquals("", herd.fires("a", TimerKind.STOP).deeds(), "no SIGKILL any more");
        assertEquals("STOPPING", herd.states());
        assertEquals(
                "reply 2 [a STOPPING (left running, pid 101)], exit",
                herd.committed().deeds());
    }

    @Test
    void the_signal_of_a_stop_that_waits_for_its_record_is_the_next_ones_to_send() {
        Herd herd = new Herd(0, "a").allRunning("a");
        handedOver(herd.actAndLeave(Verb.STOP, "a"));
        assertEquals(
                "reply 1 [a STOPPING (asked to stop)], " + "reply 2 [a STOPPING (left running, pid 101)], exit",
                herd.committed().deeds());
    }

    @Test
    void what_is_spawned_though_it_was_stopped_is_not_signalled() {
        Herd herd = new Herd(0, "a").begin();
        handedOver(herd.actAndLeave(Verb.STOP, "a").committed());
        assertEquals("record a, record supervisor", herd.spawned("a").deeds());
        assertEquals(
                "reply 2 [a STOPPING (left running, pid 101)], exit",
                herd.committed().deeds());
    }

    @Test
    void a_death_meanwhile_is_recorded_before_the_end() {
        Herd herd = handedOver(new Herd(0, "a", "b").allRunning("a", "b"));
        long last = herd.recorded();
        assertEquals("record a, clear group a", herd.exits("a", 7).deeds());
        assertEquals("", herd.committed(last).deeds(), "the record of the death is not in place");
        assertEquals("BACKOFF RUNNING", herd.states());
        assertEquals(
                "reply 1 [b RUNNING (left running, pid 102)], exit",
                herd.committed().deeds());
    }

    @Test
    void what_happens_after_the_end_is_left_to_the_next() {
        Herd herd = handedOver(new Herd(0, "a").allRunning("a")).committed();
        assertEquals("", herd.exits("a", 7).words(), "neither recorded nor reaped");
    }

    @Test
    void who_waits_for_something_hears_that_there_will_be_another_supervisor() {
        Herd herd = new Herd(0, "a").allRunning("a").act(Verb.RESTART, "a").committed();
        handedOver(herd);
        assertEquals(
                "reply 1 shutting-down: the supervisor hands over; what was begun goes on with the next one, "
                        + "reply 2 [a STOPPING (left running, pid 101)], exit",
                herd.committed().deeds());
    }

    @Test
    void who_asks_for_more_than_the_status_is_refused() {
        Herd herd = handedOver(new Herd(0, "a").allRunning("a"));
        Ask[] asks = {
            new Ask.HandOver(), new Ask.Shutdown(), herd.signal("a", Signal.HUP),
        };
        for (int i = 0; i < asks.length; i++) {
            assertEquals(
                    "reply " + (i + 2) + " shutting-down: the supervisor hands over to the next one",
                    herd.ask(asks[i]).words());
        }
    }

    @Test
    void a_leftover_that_is_found_meanwhile_is_left_for_the_next_to_find() {
        Service left = Bench.recorded(Herd.service("a").build(), ServiceState.RUNNING, Optional.empty(), Wanted.UP);
        Herd herd = handedOver(new Herd(0, Set.of(), left).begin());
        herd.of("a", new Event.LeftoverFound(new RunId("old-1"), Bench.process(99)));
        assertEquals("", herd.words());
        assertEquals(
                "reply 1 [a RUNNING (left running, pid 99)], exit",
                herd.committed().deeds());
    }

    @Test
    void a_journal_that_cannot_be_written_forbids_it() {
        Herd herd = new Herd(0, "a").allRunning("a").journalFails();
        handedOver(herd);
        assertTrue(herd.words().startsWith("reply 1 failed: cannot hand over: the journal is stale"), herd.words());
        herd.exits("a", 1);
        assertEquals("record a, clear group a", herd.deeds());
        assertEquals("spawn a", herd.fires("a", TimerKind.RESTART).deeds(), "supervision goes on");
    }

    @Test
    void a_journal_that_fails_meanwhile_calls_it_off_and_everything_goes_on() {
        Herd herd = new Herd(0, "a", "b", "c").allRunning("a", "b", "c");
        herd.actAndLeave(Verb.STOP, "c").committed();
        handedOver(herd.exits("a", 1).committed());
        herd.fires("a", TimerKind.RESTART);
        herd.fires("c", TimerKind.STOP);
        assertEquals("", herd.deeds());
        herd.journalFails();
        assertEquals(
                "tell journal-stale, tell hand-over-given-up, reply 2 failed: cannot hand over: "
                        + "the journal is stale, so the next supervisor would not know what runs: "
                        + "write /s/journal/web.json: ENOSPC (no space left on device), "
                        + "spawn a, tell c killing, SIGKILL to group c",
                herd.words());
        assertEquals("record b, clear group b", herd.exits("b", 1).deeds());
    }

    @Test
    void a_signal_to_end_stops_everything_after_all() {
        Herd herd = handedOver(new Herd(0, "a").allRunning("a")).end();
        assertEquals(
                "tell hand-over-given-up, reply 1 failed: cannot hand over: SIGINT came, so everything is stopped, "
                        + "tell shutdown-begun, record a, tell a stopping",
                herd.words());
        assertEquals("SIGTERM to group a, SIGCONT to group a", herd.committed().deeds());
        assertEquals(
                "record a, clear group a, record a, record supervisor as ended",
                herd.exits("a", 0).deeds());
        assertEquals("exit", herd.committed().deeds());
    }

    @Test
    void a_spawn_that_does_not_come_to_an_end_calls_it_off() {
        Herd herd = new Herd(0, "a", "b").begin().spawned("b").committed();
        handedOver(herd);
        herd.fires(SupervisorTimer.HAND_OVER);
        assertTrue(
                herd.words()
                        .contains(
                                "reply 1 failed: cannot hand over: a start or an end of \"a\" takes longer than 15 s"),
                herd.words());
        assertEquals("record a", herd.spawned("a").deeds(), "supervision goes on");
    }

    @Test
    void a_start_for_which_there_was_no_slot_is_made_where_it_is_called_off() {
        Herd herd = new Herd(1, "a", "b").begin();
        handedOver(herd);
        assertEquals("record a, record supervisor", herd.spawned("a").deeds());
        assertEquals("STARTING WAITING", herd.states());
        herd.journalFails();
        herd.fires("a", TimerKind.READY);
        assertTrue(herd.deeds().contains("spawn b"), herd.deeds());
    }
}
