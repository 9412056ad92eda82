package io.jsupervise.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Reachable.Passage;
import io.jsupervise.lifecycle.Reachable.Situation;
import io.jsupervise.spec.HookKind;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What holds of hooks in every situation that a service with all of them can get into, whatever fails or hangs, and when. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class ReachableHooksTest {
    private static final Reachable REACHABLE = Reachable.exploreHooks();

    private static String told(Passage passage) {
        return passage.what() + " in " + passage.from().sort() + " gives " + passage.orders() + " and "
                + passage.to().sort();
    }

    private static List<Effect.Spawn> spawns(Passage passage) {
        List<Effect.Spawn> spawns = new ArrayList<>();
        for (Effect effect : passage.orders()) {
            if (effect instanceof Effect.Spawn spawn) {
                spawns.add(spawn);
            }
        }
        return spawns;
    }

    @Test
    void each_hook_is_reached_alive_doomed_and_ended() {
        Set<HookKind> doomed = EnumSet.noneOf(HookKind.class);
        Set<HookKind> ended = EnumSet.noneOf(HookKind.class);
        for (Situation situation : REACHABLE.situations()) {
            situation.service().hooks().running().ifPresent(hook -> {
                if (hook.doomed().isPresent()) {
                    doomed.add(hook.kind());
                }
                if (hook.status().isPresent()) {
                    ended.add(hook.kind());
                }
            });
        }
        Set<HookKind> around = EnumSet.range(HookKind.PRE_START, HookKind.POST_STOP);
        around.add(HookKind.ESCALATE);
        assertEquals(around, doomed);
        assertEquals(around, ended);
        assertTrue(
                REACHABLE.situations().size() > 500,
                "only " + REACHABLE.situations().size() + " situations");
    }

    @Test
    void no_hook_begins_beside_another_one() {
        for (Passage passage : REACHABLE.passages()) {
            List<Effect.Spawn> spawns = spawns(passage);
            assertTrue(spawns.size() <= 1, () -> told(passage));
            boolean hookLives = passage.from()
                    .service()
                    .hooks()
                    .running()
                    .filter(hook -> hook.status().isEmpty() && hook.process().isPresent())
                    .isPresent();
            assertFalse(hookLives && !spawns.isEmpty(), () -> told(passage));
        }
    }

    @Test
    void a_process_is_made_only_where_nothing_is_left_to_be_done_for_the_run_before() {
        for (Passage passage : REACHABLE.passages()) {
            for (Effect.Spawn spawn : spawns(passage)) {
                boolean begins = spawn.hook().isEmpty() || spawn.hook().get().kind() == HookKind.PRE_START;
                if (begins) {
                    Service after = passage.to().service();
                    assertTrue(after.grave().isEmpty() && after.hooks().due().isEmpty(), () -> told(passage));
                    assertTrue(after.process().isEmpty(), () -> told(passage));
                }
            }
        }
    }

    @Test
    void post_stop_is_due_when_a_process_has_ended_and_runs_when_nothing_of_it_is_left() {
        for (Passage passage : REACHABLE.passages()) {
            Service before = passage.from().service();
            Service after = passage.to().service();
            if (before.process().isPresent() && after.run().isEmpty()) {
                assertTrue(after.hooks().isDue(HookKind.POST_STOP), () -> told(passage));
            }
            for (Effect.Spawn spawn : spawns(passage)) {
                if (spawn.hook().isPresent() && spawn.hook().get().kind() == HookKind.POST_STOP) {
                    assertTrue(after.run().isEmpty() && after.grave().isEmpty(), () -> told(passage));
                }
            }
        }
    }

    @Test
    void whatever_is_due_or_runs_comes_to_an_end() {
        for (Situation situation : REACHABLE.situations()) {
            Service service = situation.service();
            boolean adopted = service.run().filter(Run::adopted).isPresent();
            boolean toCome = !situation.timers().isEmpty()
                    || !situation.spawning().isEmpty()
                    || !situation.burying().isEmpty()
                    || adopted;
            assertTrue(service.hooks().isIdle() || toCome, situation::sort);
            boolean kills = service.hooks()
                    .running()
                    .filter(hook -> hook.process().isPresent() && hook.status().isEmpty())
                    .isPresent();
            assertTrue(!kills || situation.timers().containsKey(TimerKind.HOOK), situation::sort);
        }
    }

    @Test
    void a_service_that_is_down_has_no_process() {
        for (Situation situation : REACHABLE.situations()) {
            Service service = situation.service();
            if (service.state() == ServiceState.STOPPED && service.isCleared()) {
                assertTrue(service.run().isEmpty() && situation.spawning().isEmpty(), situation::sort);
            }
        }
    }
}
