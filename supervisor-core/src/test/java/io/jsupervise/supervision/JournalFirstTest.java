package io.jsupervise.supervision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Bench;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.TimerKind;
import io.jsupervise.spec.Backoff;
import io.jsupervise.supervision.Ask.Act.Verb;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Nothing is done about a service before its newest record is in place, unless the journal is declared stale. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class JournalFirstTest {
    @Test
    void a_service_is_not_spawned_again_before_the_record_of_its_death_is_in_place() {
        Herd herd = new Herd(0, "web").allRunning("web").exits("web", 1);
        assertEquals("record web, clear group web", herd.deeds());
        herd.fires("web", TimerKind.RESTART);
        assertEquals("", herd.deeds());
        assertEquals(ServiceState.STARTING, herd.state("web"));
        herd.committed(herd.recorded() - 1);
        assertEquals("", herd.deeds());
        herd.committed();
        assertEquals("spawn web", herd.deeds());
        herd.committed();
        assertEquals("", herd.deeds());
    }

    @Test
    void a_restart_whose_record_is_in_place_already_waits_for_nothing() {
        Herd herd = new Herd(0, "web").allRunning("web").exits("web", 1).committed();
        assertEquals("spawn web", herd.fires("web", TimerKind.RESTART).deeds());
    }

    @Test
    void even_a_restart_without_any_wait_comes_after_the_record() {
        Backoff atOnce = new Backoff(Duration.ZERO, 1, Duration.ZERO, 0, Duration.ZERO);
        Herd herd = new Herd(
                0, Set.of(), Bench.fresh(Herd.service("web").backoff(atOnce).build()));
        herd.allRunning("web").exits("web", 1);
        assertEquals(ServiceState.STARTING, herd.state("web"));
        assertEquals("record web, clear group web", herd.deeds());
        assertEquals("spawn web", herd.committed().deeds());
    }

    @Test
    void one_service_does_not_wait_for_the_record_of_another() {
        Herd herd = new Herd(0, "web", "db").allRunning("web", "db");
        herd.exits("web", 1).committed();
        herd.exits("db", 1);
        assertEquals("spawn web", herd.fires("web", TimerKind.RESTART).deeds());
    }

    @Test
    void a_signal_waits_for_the_record_of_why() {
        Herd herd = new Herd(0, "web").allRunning("web").actAndLeave(Verb.STOP, "web");
        assertEquals("record web", herd.deeds());
        assertEquals(
                "SIGTERM to group web, SIGCONT to group web, reply 1 [web STOPPING (asked to stop)]",
                herd.committed().deeds());
    }

    @Test
    void a_stop_takes_back_a_spawn_that_still_waits() {
        Herd herd = new Herd(0, "web").allRunning("web").exits("web", 1);
        herd.fires("web", TimerKind.RESTART).actAndLeave(Verb.STOP, "web");
        assertEquals(ServiceState.STOPPED, herd.state("web"));
        herd.committed();
        assertEquals("reply 1 [web STOPPED (asked to stop)]", herd.deeds());
    }

    @Test
    void a_restart_takes_back_a_spawn_that_still_waits_and_makes_another() {
        Herd herd = new Herd(0, "web").allRunning("web").exits("web", 1);
        herd.fires("web", TimerKind.RESTART).actAndLeave(Verb.RESTART, "web");
        assertEquals(ServiceState.STARTING, herd.state("web"));
        herd.committed();
        assertEquals("spawn web, reply 1 [web STARTING (asked to restart)]", herd.deeds());
        assertEquals("record web, tell web started", herd.spawned("web").words());
    }

    @Test
    void when_the_journal_cannot_be_written_nothing_waits_any_more() {
        Herd herd = new Herd(0, "web", "db").allRunning("web", "db").exits("web", 1);
        herd.fires("web", TimerKind.RESTART).journalFails();
        assertEquals("tell journal-stale, spawn web", herd.words());
        Optional<Status.JournalHealth.Stale> stale =
                herd.status().supervisor().journal().stale();
        assertEquals(
                "write /s/journal/web.json: ENOSPC (no space left on device)",
                stale.orElseThrow().reason());
        herd.exits("db", 1);
        assertEquals("spawn db", herd.fires("db", TimerKind.RESTART).deeds());
    }

    @Test
    void what_was_done_while_the_journal_is_stale_says_so() {
        Herd herd = new Herd(0, "web").allRunning("web").journalFails();
        herd.actAndLeave(Verb.STOP, "web");
        assertEquals(
                "record web, SIGTERM to group web, SIGCONT to group web, "
                        + "reply 1 [web STOPPING (asked to stop)] not recorded",
                herd.deeds());
    }

    @Test
    void a_reply_that_waited_when_the_journal_became_stale_says_so_too() {
        Herd herd = new Herd(0, "web")
                .allRunning("web")
                .actAndLeave(Verb.STOP, "web")
                .journalFails();
        assertTrue(herd.deeds().endsWith("reply 1 [web STOPPING (asked to stop)] not recorded"), herd.deeds());
    }

    @Test
    void the_journal_is_well_again_when_everything_is_in_place() {
        Herd herd = new Herd(0, "web").allRunning("web").exits("web", 1).journalFails();
        herd.fires("web", TimerKind.RESTART).spawned("web");
        herd.committed(herd.recorded() - 1);
        assertTrue(herd.status().supervisor().journal().stale().isPresent());
        assertEquals("tell journal-recovered", herd.committed().words());
        assertFalse(herd.status().supervisor().journal().stale().isPresent());
        herd.exits("web", 1);
        assertEquals("", herd.fires("web", TimerKind.RESTART).deeds(), "from now on spawns wait again");
    }

    @Test
    void a_second_failure_changes_the_reason_and_is_not_told_again() {
        Herd herd = new Herd(0, "web").allRunning("web").exits("web", 1).journalFails();
        Status.JournalHealth.Stale first =
                herd.status().supervisor().journal().stale().orElseThrow();
        herd.later(Duration.ofSeconds(5)).on(new SupervisorEvent.JournalFailed("fsync /s: EIO", "EIO"));
        assertEquals("", herd.words());
        assertEquals(
                Optional.of(new Status.JournalHealth.Stale(first.since(), "fsync /s: EIO", Optional.of("EIO"))),
                herd.status().supervisor().journal().stale());
    }

    @Test
    void a_commit_that_takes_longer_than_two_seconds_makes_the_journal_stale() {
        Backoff atOnce = new Backoff(Duration.ZERO, 1, Duration.ZERO, 0, Duration.ZERO);
        Herd herd = new Herd(
                0, Set.of(), Bench.fresh(Herd.service("web").backoff(atOnce).build()));
        herd.allRunning("web").later(Duration.ofHours(1)).exits("web", 1);
        MonotonicTime died = herd.status().now().mono();
        for (int fired = 0; herd.status().supervisor().journal().stale().isEmpty(); fired++) {
            assertTrue(fired < 5, "it never becomes stale");
            herd.fires(SupervisorTimer.JOURNAL);
        }
        assertEquals("tell journal-stale, spawn web", herd.words());
        assertEquals(Duration.ofSeconds(2), herd.status().now().mono().since(died));
    }

    @Test
    void a_slow_journal_that_moves_on_is_not_stale() {
        Herd herd = new Herd(0, "web", "db").allRunning("web", "db").exits("web", 1);
        for (int i = 0; i < 10; i++) {
            herd.later(Duration.ofMillis(1900)).exits("db", 1);
            long newest = herd.recorded();
            herd.committed(newest - 1);
            herd.fires("db", TimerKind.RESTART).committed(newest);
            herd.spawned("db").fires("db", TimerKind.READY);
            assertTrue(herd.status().supervisor().journal().stale().isEmpty(), "round " + i);
        }
    }
}
