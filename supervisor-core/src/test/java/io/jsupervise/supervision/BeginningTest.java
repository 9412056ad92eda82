package io.jsupervise.supervision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Bench;
import io.jsupervise.lifecycle.Effect;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.spec.Dependency;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A thousand services are too many for one turn of the loop, and still they all begin at one moment. */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class BeginningTest {
    private static final int MANY = 3 * Supervisor.BEGUN_AT_ONCE + 1;

    private final Supervisor supervisor = supervisor();

    /** Everybody waits for the last, which is a oneshot. */
    private static Supervisor supervisor() {
        List<Service> services = new ArrayList<>();
        for (int i = 0; i < MANY; i++) {
            ServiceSpec.Builder spec = Herd.service("s" + i);
            if (i < MANY - 1) {
                ServiceName last = new ServiceName("s" + (MANY - 1));
                spec.dependsOn(List.of(new Dependency(last, Dependency.Condition.COMPLETED)));
            } else {
                spec.oneshot();
            }
            services.add(Bench.fresh(spec.build()));
        }
        Supervisor all = new Supervisor(Herd.spec(0), Herd.identity(), services, Set.of(), List.of(), 0);
        all.watchedBy(new Watchers(
                Optional.empty(),
                Optional.of(new Watchers.Manager(Optional.of(Duration.ofSeconds(10)))),
                ResetMemory.NONE,
                false));
        return all;
    }

    /** How many services have come into another state. */
    private static int begun(List<Order> orders) {
        Set<ServiceName> names = new HashSet<>();
        for (Order order : orders) {
            if (order instanceof Order.Tell tell && tell.happening().to().isPresent()) {
                names.add(tell.happening().service().orElseThrow());
            }
        }
        return names.size();
    }

    private static boolean saysReady(List<Order> orders) {
        return orders.stream()
                .anyMatch(order -> order instanceof Order.TellManager tell
                        && tell.assignments().contains("READY=1"));
    }

    @Test
    void each_step_begins_with_some_and_the_last_one_says_that_all_is_ready() {
        List<Order> orders = supervisor.step(new SupervisorEvent.Began(List.of()), Bench.BEGIN);
        int steps = 1;
        while (supervisor.isUnfinished()) {
            assertEquals(Supervisor.BEGUN_AT_ONCE, begun(orders), orders::toString);
            assertFalse(saysReady(orders), orders::toString);
            orders = supervisor.goOn(Bench.BEGIN);
            steps++;
        }
        assertEquals(4, steps);
        assertTrue(saysReady(orders), orders::toString);
    }

    @Test
    void nothing_else_happens_until_all_have_begun() {
        supervisor.step(new SupervisorEvent.Began(List.of()), Bench.BEGIN);
        SupervisorEvent end = new SupervisorEvent.EndRequested("SIGTERM");
        assertThrows(IllegalStateException.class, () -> supervisor.step(end, Bench.BEGIN));
    }

    @Test
    void one_that_others_wait_for_begins_in_its_turn_and_once() {
        List<Order> orders = new ArrayList<>(supervisor.step(new SupervisorEvent.Began(List.of()), Bench.BEGIN));
        while (supervisor.isUnfinished()) {
            orders.addAll(supervisor.goOn(Bench.BEGIN));
        }
        orders.addAll(supervisor.step(new SupervisorEvent.JournalCommitted(Long.MAX_VALUE), Bench.BEGIN));
        List<String> spawned = new ArrayList<>();
        for (Order order : orders) {
            if (order instanceof Order.ForService of && of.effect() instanceof Effect.Spawn spawn) {
                spawned.add(spawn.service().value());
            }
        }
        assertEquals(List.of("s" + (MANY - 1)), spawned);
    }
}
