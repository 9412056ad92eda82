package io.jsupervise.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Reachable.Passage;
import io.jsupervise.lifecycle.Reachable.Situation;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Rules that hold in every situation that a service can get into, whatever the world does. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class ReachableTest {
    private static final Reachable REACHABLE = Reachable.explore();

    @Test
    void every_state_is_reached() {
        Set<ServiceState> seen = EnumSet.noneOf(ServiceState.class);
        REACHABLE.situations().forEach(situation -> seen.add(situation.service().state()));
        assertEquals(EnumSet.allOf(ServiceState.class), seen);
        assertTrue(
                REACHABLE.situations().size() > 200,
                "only " + REACHABLE.situations().size() + " situations");
    }

    @Test
    void there_are_never_two_runs_of_a_service() {
        for (Passage passage : REACHABLE.passages()) {
            if (count(passage, Effect.Spawn.class) > 0) {
                Service before = passage.from().service();
                assertTrue(before.process().isEmpty(), () -> told(passage));
                assertTrue(passage.to().service().grave().isEmpty(), () -> told(passage));
                assertEquals(1, count(passage, Effect.Spawn.class), () -> told(passage));
            }
            assertTrue(passage.to().spawning().size() <= 1, () -> told(passage));
        }
    }

    @Test
    void only_what_is_wanted_is_spawned_and_never_while_the_supervisor_ends() {
        for (Passage passage : REACHABLE.passages()) {
            if (count(passage, Effect.Spawn.class) > 0) {
                assertEquals(Wanted.UP, passage.to().service().wanted(), () -> told(passage));
                assertFalse(passage.to().ending(), () -> told(passage));
            }
        }
    }

    @Test
    void a_record_precedes_every_other_order_of_its_step() {
        for (Passage passage : REACHABLE.passages()) {
            List<Effect> orders = passage.orders();
            for (int i = 1; i < orders.size(); i++) {
                // A step that asks whether it may start is followed by another one, which may record again.
                boolean newStep = orders.get(i - 1) instanceof Effect.AskToStart;
                assertFalse(orders.get(i) instanceof Effect.Persist && !newStep, () -> told(passage));
            }
        }
    }

    @Test
    void an_end_and_a_process_are_recorded_at_once() {
        for (Passage passage : REACHABLE.passages()) {
            Service before = passage.from().service();
            Service after = passage.to().service();
            boolean news = !before.process().equals(after.process())
                    || !before.history().ends().equals(after.history().ends())
                    || before.wanted() != after.wanted()
                    || before.history().restarts() != after.history().restarts();
            if (news) {
                assertTrue(count(passage, Effect.Persist.class) > 0, () -> told(passage));
            }
        }
    }

    @Test
    void a_run_exists_exactly_where_its_state_says_so() {
        for (Situation situation : REACHABLE.situations()) {
            Service service = situation.service();
            boolean run = service.run().isPresent();
            switch (service.state()) {
                case STARTING -> assertTrue(run, situation::sort);
                case RUNNING -> assertTrue(run && service.process().isPresent(), situation::sort);
                case STOPPING -> assertTrue(run || service.grave().isPresent(), situation::sort);
                case STOPPED -> assertFalse(run || service.grave().isPresent(), situation::sort);
                case WAITING, BACKOFF, EXITED, FATAL -> assertFalse(run, situation::sort);
            }
            assertEquals(
                    service.state() == ServiceState.FATAL, service.fatalReason().isPresent(), situation::sort);
            assertEquals(
                    service.state() == ServiceState.STOPPING, service.ending().isPresent(), situation::sort);
            assertEquals(
                    service.state() == ServiceState.WAITING,
                    !service.waitingFor().isEmpty(),
                    situation::sort);
        }
    }

    /** A service that waits for nothing would wait for ever. */
    @Test
    void what_is_on_its_way_always_has_something_to_come() {
        for (Situation situation : REACHABLE.situations()) {
            boolean onItsWay =
                    switch (situation.service().state()) {
                        case STOPPED, EXITED, FATAL ->
                            situation.service().grave().isPresent();
                        case RUNNING -> false;
                        case WAITING, STARTING, BACKOFF, STOPPING -> true;
                    };
            boolean someThingToCome = situation.queued()
                    || situation.rung().isPresent()
                    || isToBegin(situation)
                    || !situation.timers().isEmpty()
                    || !situation.spawning().isEmpty()
                    || !situation.burying().isEmpty()
                    || situation.service().run().filter(Run::adopted).isPresent();
            assertTrue(!onItsWay || someThingToCome, situation::sort);
        }
    }

    /** A supervisor takes it over. */
    private static boolean isToBegin(Situation situation) {
        return situation.now().equals(Bench.BEGIN)
                && situation.service().history().restarts() == 4;
    }

    @Test
    void a_stop_that_was_asked_for_always_ends_in_a_kill() {
        for (Situation situation : REACHABLE.situations()) {
            Service service = situation.service();
            boolean adopted = service.run().filter(Run::adopted).isPresent();
            if (service.state() == ServiceState.STOPPING && service.process().isPresent() && !adopted) {
                boolean armed = situation.timers().containsKey(TimerKind.STOP)
                        || situation.timers().containsKey(TimerKind.DUMP);
                assertTrue(armed, situation::sort);
            }
        }
    }

    @Test
    void no_timer_is_armed_for_what_is_over() {
        for (Situation situation : REACHABLE.situations()) {
            Service service = situation.service();
            Set<TimerKind> armed = situation.timers().keySet();
            boolean process = service.process().isPresent();
            boolean alive = service.state() == ServiceState.STARTING || service.state() == ServiceState.RUNNING;
            boolean stopping = service.state() == ServiceState.STOPPING && process;
            assertTrue(!armed.contains(TimerKind.HEARTBEAT) || alive && process, situation::sort);
            assertTrue(
                    !armed.contains(TimerKind.READY) || service.state() == ServiceState.STARTING && process,
                    situation::sort);
            assertTrue(!armed.contains(TimerKind.STOP) || stopping, situation::sort);
            assertTrue(!armed.contains(TimerKind.DUMP) || stopping, situation::sort);
            assertTrue(!armed.contains(TimerKind.GROUP) || service.grave().isPresent(), situation::sort);
            assertTrue(!armed.contains(TimerKind.RESTART) || service.state() == ServiceState.BACKOFF, situation::sort);
            assertTrue(
                    !armed.contains(TimerKind.START_JITTER) || service.state() == ServiceState.WAITING,
                    situation::sort);
        }
    }

    @Test
    void a_heartbeat_that_matters_is_always_looked_at_again() {
        for (Situation situation : REACHABLE.situations()) {
            Service service = situation.service();
            boolean alive = service.state() == ServiceState.STARTING || service.state() == ServiceState.RUNNING;
            boolean adopted = service.run().filter(Run::adopted).isPresent();
            if (alive && !adopted && service.spec().heartbeat().isPresent()) {
                boolean look =
                        situation.looking().contains(service.run().orElseThrow().id());
                boolean due = situation.timers().containsKey(TimerKind.HEARTBEAT);
                boolean spawning = !situation.spawning().isEmpty();
                assertTrue(look ^ due || spawning, situation::sort);
            }
        }
    }

    @Test
    void the_core_and_the_bench_agree_on_which_timers_are_armed() {
        for (Situation situation : REACHABLE.situations()) {
            for (TimerKind kind : TimerKind.values()) {
                assertEquals(
                        situation.timers().containsKey(kind),
                        situation.service().timers().isArmed(kind),
                        () -> kind + " in " + situation.sort());
            }
        }
    }

    @Test
    void a_shutdown_leads_down_and_changes_no_wish() {
        for (Passage passage : REACHABLE.passages()) {
            if (passage.event() instanceof Event.ShutdownBegun) {
                Service after = passage.to().service();
                assertEquals(passage.from().service().wanted(), after.wanted(), () -> told(passage));
                switch (after.state()) {
                    case STOPPED, STOPPING, EXITED, FATAL -> {}
                    case WAITING, STARTING, RUNNING, BACKOFF -> throw new AssertionError(told(passage));
                }
            }
            if (passage.from().ending()) {
                switch (passage.to().service().state()) {
                    case STOPPED, STOPPING, EXITED, FATAL -> {}
                    case WAITING, STARTING, RUNNING, BACKOFF -> throw new AssertionError(told(passage));
                }
            }
        }
    }

    @Test
    void what_an_operator_asks_for_never_counts_as_a_restart() {
        for (Passage passage : REACHABLE.passages()) {
            boolean operator = passage.event() instanceof Event.StartAsked
                    || passage.event() instanceof Event.StopAsked
                    || passage.event() instanceof Event.RestartAsked;
            if (operator) {
                History before = passage.from().service().history();
                History after = passage.to().service().history();
                assertTrue(after.restarts() <= before.restarts(), () -> told(passage));
                assertEquals(before.ends(), after.ends(), () -> told(passage));
            }
        }
    }

    /** Events of runs that are over, and timers that were cancelled, arrive late by nature. */
    @Test
    void what_comes_too_late_changes_nothing() {
        RunId old = new RunId("long-gone");
        List<Event> late = List.of(
                new Event.Spawned(old, Bench.process(5), "root", List.of()),
                new Event.SpawnFailed(old, "ENOENT"),
                new Event.ChildExited(old, new ExitStatus.Exited(0)),
                new Event.GroupLookedAt(old, true),
                new Event.LeftoverFound(old, Bench.process(5)),
                new Event.HeartbeatLookedAt(
                        old, new Look(Bench.BEGIN, java.util.Optional.empty(), java.util.Optional.empty())),
                new Event.TimerFired(TimerKind.STOP, 1_000_000),
                new Event.TimerFired(TimerKind.RESTART, 1_000_000));
        for (Situation situation : REACHABLE.situations()) {
            for (Event event : late) {
                Step step = Lifecycle.step(situation.service(), event, situation.now());
                assertEquals(situation.service(), step.service(), () -> event + " in " + situation.sort());
                assertEquals(List.of(), step.effects(), () -> event + " in " + situation.sort());
            }
        }
    }

    private static long count(Passage passage, Class<? extends Effect> kind) {
        return passage.orders().stream().filter(kind::isInstance).count();
    }

    private static String told(Passage passage) {
        return passage.what() + " in " + passage.from().sort() + " led to "
                + passage.to().sort() + " with "
                + passage.orders().stream().map(Bench::wordOf).toList();
    }
}
