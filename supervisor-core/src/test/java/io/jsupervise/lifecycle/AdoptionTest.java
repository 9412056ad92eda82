package io.jsupervise.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.spec.Heartbeat;
import io.jsupervise.spec.ServiceSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What runs though its supervisor died is taken over as it is. The bench leaves run old-1 with pid 99. */
@Timeout(value = 10, unit = TimeUnit.SECONDS)
class AdoptionTest {
    private static final Event FOUND = new Event.LeftoverFound(new RunId("old-1"), Bench.process(99));

    private static Bench left(ServiceSpec.Builder spec, ServiceState state) {
        return new Bench(Bench.recorded(spec.build(), state, Optional.empty(), Wanted.UP));
    }

    /** Run old-1 is known by its mark; whether its process lives is not known yet, nor is it in the record. */
    private static Service found() {
        Service recorded =
                Bench.recorded(ServiceSpec.of("web", "x").build(), ServiceState.STARTING, Optional.empty(), Wanted.UP);
        Run known = recorded.run().orElseThrow();
        Run unknown = new Run(
                known.id(),
                Optional.empty(),
                known.orderedAt(),
                Optional.empty(),
                Optional.empty(),
                true,
                Optional.empty());
        return Bench.with(recorded, Optional.of(unknown), Optional.empty(), recorded.seed());
    }

    @ParameterizedTest
    @EnumSource(
            value = ServiceState.class,
            names = {"STARTING", "RUNNING"})
    void a_living_process_is_adopted_and_nothing_is_done_to_it(ServiceState state) {
        Bench bench = left(ServiceSpec.of("web", "x"), state).begin();
        assertEquals("", bench.words());
        bench.on(FOUND);
        assertEquals(state, bench.state());
        assertEquals(99, bench.service().process().orElseThrow().pid().value());
        assertTrue(bench.words().contains("tell adopted"), bench.words());
        assertFalse(bench.words().contains("SIG"), bench.words());
        assertFalse(bench.words().contains("spawn"), bench.words());
        assertEquals(0, bench.service().history().restarts());
    }

    @Test
    void what_was_not_ready_has_its_whole_time_to_become_so() {
        Bench bench = left(ServiceSpec.of("web", "x"), ServiceState.STARTING).begin();
        bench.on(FOUND).fires(TimerKind.READY);
        assertEquals(ServiceState.RUNNING, bench.state());
    }

    @Test
    void its_death_is_judged_like_any_other() {
        Bench bench = left(ServiceSpec.of("web", "x"), ServiceState.RUNNING).begin();
        bench.on(FOUND).exits(3);
        assertEquals(ServiceState.BACKOFF, bench.state());
        assertEquals(1, bench.service().history().restarts());
        bench.groupEmpty().fires(TimerKind.RESTART).spawned();
        assertFalse(bench.service().run().orElseThrow().adopted(), "that is our own");
    }

    @Test
    void one_that_was_found_by_its_mark_is_recorded() {
        Bench bench = new Bench(found()).begin();
        bench.on(FOUND);
        assertTrue(bench.words().startsWith("record"), bench.words());
        assertEquals(ServiceState.STARTING, bench.state());
        assertEquals(
                new Service.LastRun(new RunId("old-1"), Bench.process(99)),
                bench.service().lastRun().orElseThrow());
    }

    @Test
    void one_that_was_found_by_its_mark_and_ended_at_once_is_started_again() {
        Bench bench = new Bench(found()).begin();
        bench.on(new Event.ChildExited(new RunId("old-1"), new ExitStatus.Unknown()));
        assertEquals(ServiceState.BACKOFF, bench.state());
        assertEquals(
                Cause.UNSUPERVISED,
                bench.service().history().lastEnd().orElseThrow().cause());
    }

    /** The file may be as old as the time without a supervisor was long: nobody could have ended the process for it. */
    @Test
    void the_grace_of_a_heartbeat_is_armed_anew() {
        Heartbeat heartbeat = new Heartbeat(Bench.beat(), Duration.ofSeconds(10), Duration.ofSeconds(30));
        Bench bench = left(ServiceSpec.of("web", "x").heartbeat(heartbeat), ServiceState.RUNNING)
                .later(Duration.ofHours(1))
                .begin();
        bench.on(FOUND);
        MonotonicTime adopted = bench.now().mono();
        Optional<Instant> old = Optional.of(bench.now().wall().minusSeconds(600));
        bench.looked(old);
        while (bench.state() == ServiceState.RUNNING) {
            bench.fires(TimerKind.HEARTBEAT).looked(old);
        }
        assertEquals(Duration.ofSeconds(30), bench.now().mono().since(adopted), "an old beat is not judged");
        assertEquals(Cause.HEARTBEAT, bench.service().ending().orElseThrow().cause());
    }

    /** The look was begun at once, and the file system answered after the grace: beats before the answer are nobody's. */
    @Test
    void after_a_first_look_that_takes_long_a_whole_timeout_is_left() {
        Heartbeat heartbeat = new Heartbeat(Bench.beat(), Duration.ofSeconds(10), Duration.ofSeconds(10));
        Bench bench = left(ServiceSpec.of("web", "x").heartbeat(heartbeat), ServiceState.RUNNING)
                .begin();
        bench.on(FOUND);
        MonotonicTime begun = bench.now().mono();
        bench.later(Duration.ofSeconds(12));
        Instant beat = bench.now().wall().minusSeconds(1);
        MonotonicTime answered = bench.now().mono();
        bench.on(new Event.HeartbeatLookedAt(
                new RunId("old-1"),
                new Look(begun, bench.now(), Optional.of(new Look.Stamp(1, beat)), Optional.empty())));
        bench.fires(TimerKind.HEARTBEAT);
        assertEquals(Duration.ofSeconds(10), bench.now().mono().since(answered));
        assertEquals(ServiceState.RUNNING, bench.state());
    }
}
