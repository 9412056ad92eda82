package io.jsupervise.supervision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Bench;
import io.jsupervise.lifecycle.TimerKind;
import io.jsupervise.spec.Command;
import io.jsupervise.spec.Hooks;
import io.jsupervise.spec.Hooks.Hook;
import io.jsupervise.supervision.Ask.Act.Verb;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Hooks wait for the record of what was before them, like main processes; only those of no use are taken back. */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class HeldHooksTest {
    private static final Optional<Hook> HOOK = Optional.of(new Hook(Command.of("x"), Duration.ofSeconds(20)));

    private static Herd herd(Hooks hooks) {
        return new Herd(0, Set.of(), Bench.fresh(Herd.service("a").hooks(hooks).build()));
    }

    @Test
    void a_stop_command_waits_for_the_record_of_the_stop_and_is_run() {
        Herd herd = herd(new Hooks(Optional.empty(), Optional.empty(), HOOK, Optional.empty()));
        herd.begin().spawned("a").fires("a", TimerKind.READY).committed();
        assertFalse(herd.act(Verb.STOP, "a").deeds().contains("stop_command"), herd.deeds());
        assertEquals("look at tree a, spawn stop_command a", herd.committed().deeds());
    }

    @Test
    void a_post_stop_waits_for_the_record_of_the_end_and_is_run() {
        Herd herd = herd(new Hooks(Optional.empty(), Optional.empty(), Optional.empty(), HOOK));
        herd.begin().spawned("a").fires("a", TimerKind.READY).committed();
        herd.act(Verb.STOP, "a").committed();
        assertFalse(herd.exits("a", 0).deeds().contains("spawn"), herd.deeds());
        assertEquals("spawn post_stop a", herd.committed().deeds());
    }

    @Test
    void a_pre_start_that_waits_for_a_record_is_taken_back_by_a_stop() {
        Herd herd = herd(new Hooks(HOOK, Optional.empty(), Optional.empty(), Optional.empty()));
        herd.begin().act(Verb.STOP, "a");
        assertTrue(herd.words().contains("tell a stopped"), herd.words());
        assertFalse(herd.committed().deeds().contains("spawn"), herd.deeds());
    }
}
