package io.jsupervise.supervision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Effect;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the gate lets through, and when. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class JournalGateTest {
    private static final MonotonicTime NOW = new MonotonicTime(1);

    private final JournalGate gate = new JournalGate();
    private final List<Order> out = new ArrayList<>();

    @Test
    void what_needs_no_record_passes_at_once() {
        gate.pass(gate.needs(new ServiceName("a")), spawn("a"), out);
        assertEquals(List.of(spawn("a")), out);
        assertFalse(gate.isBehind());
    }

    @Test
    void what_is_released_keeps_its_order() {
        hold("a", "b", "c");
        gate.committed(3, NOW, out);
        assertEquals(List.of(spawn("a"), spawn("b"), spawn("c")), out);
    }

    @Test
    void a_commit_releases_only_what_needs_no_later_record() {
        hold("a", "b", "c");
        gate.committed(2, NOW, out);
        assertEquals(List.of(spawn("a"), spawn("b")), out);
        gate.committed(3, NOW, out);
        assertEquals(List.of(spawn("a"), spawn("b"), spawn("c")), out);
    }

    @Test
    void a_commit_that_comes_late_takes_nothing_back() {
        hold("a", "b");
        gate.committed(2, NOW, out);
        gate.committed(1, NOW, out);
        assertFalse(gate.isBehind());
        assertEquals(2, out.size());
    }

    @Test
    void what_is_withdrawn_never_passes_also_after_a_commit_in_between() {
        hold("a", "b", "c");
        gate.committed(1, NOW, out);
        assertFalse(gate.withdrawSpawn(new ServiceName("a")), "it is on its way already");
        assertTrue(gate.withdrawSpawn(new ServiceName("c")));
        assertFalse(gate.withdrawSpawn(new ServiceName("c")));
        gate.committed(3, NOW, out);
        assertEquals(List.of(spawn("a"), spawn("b")), out);
    }

    @Test
    void a_withdrawn_spawn_does_not_take_the_next_one_with_it() {
        hold("a");
        assertTrue(gate.withdrawSpawn(new ServiceName("a")));
        hold("a");
        gate.committed(2, NOW, out);
        assertEquals(List.of(spawn("a")), out);
    }

    /** Looking through all that is held for each one would take minutes here. */
    @Test
    void taking_back_many_spawns_takes_no_longer_for_each() {
        String[] names = new String[200_000];
        for (int i = 0; i < names.length; i++) {
            names[i] = "s" + i;
        }
        hold(names);
        for (int i = names.length - 1; i >= 0; i--) {
            assertTrue(gate.withdrawSpawn(new ServiceName(names[i])));
        }
        gate.committed(names.length, NOW, out);
        assertEquals(List.of(), out);
    }

    private void hold(String... names) {
        for (String name : names) {
            ServiceName service = new ServiceName(name);
            gate.next(service, NOW);
            gate.pass(gate.needs(service), spawn(name), out);
        }
    }

    private static Order spawn(String name) {
        return new Order.ForService(new Effect.Spawn(ServiceSpec.of(name, "x").build(), new RunId("run")));
    }
}
