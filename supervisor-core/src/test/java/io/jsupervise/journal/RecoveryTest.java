package io.jsupervise.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Cause;
import io.jsupervise.lifecycle.End;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.History;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Now;
import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import io.jsupervise.spec.StopSequence;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What becomes of a recorded service: a table of what the record says, and what the supervisor before it came to. */
@Timeout(value = 10, unit = TimeUnit.SECONDS)
class RecoveryTest {
    private static final ServiceName WEB = new ServiceName("web");
    private static final Instant NOON = Instant.parse("2026-01-31T12:00:00Z");
    private static final Now NOW = new Now(new MonotonicTime(1_000_000_000_000L), NOON);
    private static final ProcessIdentity PROCESS = new ProcessIdentity(new Pid(42), 7);
    private static final ServiceRecord.Living LIVING = new ServiceRecord.Living(
            new RunId("r-1"), PROCESS, new MonotonicTime(900_000_000_000L), NOON.minusSeconds(100));
    private static final Service.NextStart NEXT =
            new Service.NextStart(new MonotonicTime(1_001_000_000_000L), NOON.plusSeconds(1), Duration.ofSeconds(2));
    private static final End END = new End(
            NOON.minusSeconds(5),
            Optional.of(new ExitStatus.Exited(1)),
            Cause.EXIT,
            "exit 1",
            Duration.ofSeconds(3),
            Optional.of(Duration.ofSeconds(2)));
    private static final History HISTORY =
            new History(5, 2, List.of(new MonotonicTime(990_000_000_000L)), List.of(END, END));

    private static ServiceSpec spec(boolean autostart) {
        return ServiceSpec.of("web", "/bin/true").autostart(autostart).build();
    }

    private static ServiceRecord record(
            ServiceState state, String boot, Wanted wanted, boolean commanded, boolean alive) {
        return new ServiceRecord(
                WEB,
                boot,
                state,
                wanted,
                commanded,
                alive ? Optional.of(LIVING) : Optional.empty(),
                state == ServiceState.STOPPING
                        ? Optional.of(new Service.Ending(Cause.OPERATOR, "stop asked"))
                        : Optional.empty(),
                state == ServiceState.BACKOFF ? Optional.of(NEXT) : Optional.empty(),
                state == ServiceState.FATAL ? Optional.of("too often") : Optional.empty(),
                HISTORY,
                StopSequence.DEFAULT,
                Optional.empty());
    }

    private static SupervisorRecord supervisor(String boot, boolean inOrder) {
        return new SupervisorRecord(boot, "0.1", NOON.minusSeconds(1000), inOrder, 12);
    }

    private static Recovery.Recovered recover(ServiceSpec spec, ServiceRecord record, SupervisorRecord supervisor) {
        return Recovery.recover(List.of(spec), Map.of(record.name(), record), Optional.of(supervisor), "b1", NOW, 99);
    }

    /**
     * {@code before}: the supervisor before us was killed, ended in order, or belongs to another boot. {@code who}:
     * "file" where autostart decides, "operator" where an operator did. {@code counts}: whether backoff and start limit
     * remember what was before.
     */
    @ParameterizedTest(name = "{0} of a supervisor {1}: alive {2}, {3} by {4} -> {5} {6}")
    @CsvSource({
        // recorded, before, alive, wanted, who, -> state, wanted, counts, to find
        "RUNNING,  killed,  true,  UP,   file,     RUNNING,  UP,   true,  true",
        "STARTING, killed,  true,  UP,   file,     STARTING, UP,   true,  true",
        "STOPPING, killed,  true,  UP,   operator, STOPPING, UP,   true,  true",
        "STOPPING, killed,  true,  DOWN, operator, STOPPING, DOWN, true,  true",
        "RUNNING,  killed,  true,  DOWN, operator, STOPPING, DOWN, true,  true",
        "RUNNING,  ended,   true,  UP,   file,     RUNNING,  UP,   true,  true",
        "BACKOFF,  killed,  false, UP,   file,     BACKOFF,  UP,   true,  false",
        "BACKOFF,  killed,  false, DOWN, operator, STOPPED,  DOWN, true,  false",
        "FATAL,    killed,  false, UP,   file,     FATAL,    UP,   true,  false",
        "FATAL,    killed,  false, UP,   operator, FATAL,    UP,   true,  false",
        "EXITED,   killed,  false, UP,   file,     EXITED,   UP,   true,  false",
        "STOPPED,  killed,  false, UP,   file,     STOPPED,  UP,   true,  false",
        "STOPPED,  killed,  false, DOWN, operator, STOPPED,  DOWN, true,  false",
        "WAITING,  killed,  false, UP,   file,     STOPPED,  UP,   true,  false",
        "STARTING, killed,  false, UP,   file,     STOPPED,  UP,   true,  false",
        "RUNNING,  killed,  false, UP,   file,     STOPPED,  UP,   true,  false",
        "STOPPING, killed,  false, DOWN, operator, STOPPED,  DOWN, true,  false",
        "BACKOFF,  ended,   false, UP,   file,     STOPPED,  UP,   false, false",
        "FATAL,    ended,   false, UP,   file,     STOPPED,  UP,   false, false",
        "EXITED,   ended,   false, UP,   file,     STOPPED,  UP,   false, false",
        "STOPPED,  ended,   false, DOWN, operator, STOPPED,  DOWN, false, false",
        "STOPPED,  ended,   false, UP,   operator, STOPPED,  UP,   false, false",
        "RUNNING,  rebooted, true, UP,   file,     STOPPED,  UP,   false, false",
        "RUNNING,  rebooted, true, DOWN, operator, STOPPED,  DOWN, false, false",
        "BACKOFF,  rebooted, false, UP,  file,     STOPPED,  UP,   false, false",
        "FATAL,    rebooted, false, UP,  file,     STOPPED,  UP,   false, false",
        "EXITED,   rebooted, false, UP,  file,     STOPPED,  UP,   false, false",
        "STOPPED,  rebooted, false, DOWN, operator, STOPPED, DOWN, false, false",
    })
    void a_recorded_service_becomes(
            ServiceState recorded,
            String before,
            boolean alive,
            Wanted wanted,
            String who,
            ServiceState state,
            Wanted wantedNow,
            boolean counts,
            boolean toFind) {
        String boot = before.equals("rebooted") ? "b0" : "b1";
        ServiceRecord record = record(recorded, boot, wanted, who.equals("operator"), alive);

        Recovery.Recovered recovered = recover(spec(true), record, supervisor(boot, before.equals("ended")));

        Service service = recovered.services().get(0);
        assertEquals(state, service.state());
        assertEquals(wantedNow, service.wanted());
        assertEquals(who.equals("operator"), service.commanded());
        assertEquals(5, service.history().restarts(), "restarts always survive");
        assertEquals(counts ? 2 : 0, service.history().failures());
        assertEquals(
                counts ? HISTORY.restartTimes() : List.of(), service.history().restartTimes());
        assertEquals(
                toFind ? List.of(new Recovery.Recorded(WEB, LIVING.run(), PROCESS)) : List.of(), recovered.toFind());
        assertEquals(toFind, service.process().isPresent());
        assertEquals(state == ServiceState.BACKOFF, service.next().isPresent());
        assertEquals(state == ServiceState.FATAL ? Optional.of("too often") : Optional.empty(), service.fatalReason());
        assertEquals(state == ServiceState.STOPPING, service.ending().isPresent());
        assertEquals(Set.of(), recovered.retired());
    }

    @Test
    void a_process_that_the_machine_took_along_has_an_end_in_the_history() {
        Recovery.Recovered recovered = recover(
                spec(true), record(ServiceState.RUNNING, "b0", Wanted.UP, false, true), supervisor("b0", false));
        List<End> ends = recovered.services().get(0).history().ends();
        assertEquals(3, ends.size());
        assertEquals(Cause.UNSUPERVISED, ends.get(2).cause());
        assertEquals(Optional.of(new ExitStatus.Unknown()), ends.get(2).status());
    }

    @Test
    void the_last_twenty_ends_are_kept_and_the_oldest_goes() {
        List<End> ends = new ArrayList<>();
        for (int i = 0; i < History.MAX_ENDS; i++) {
            ends.add(new End(
                    NOON.plusSeconds(i), Optional.empty(), Cause.EXIT, "end " + i, Duration.ZERO, Optional.empty()));
        }
        ServiceRecord record = record(ServiceState.RUNNING, "b0", Wanted.UP, false, true);
        ServiceRecord full = new ServiceRecord(
                WEB,
                "b0",
                record.state(),
                record.wanted(),
                false,
                record.living(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                new History(30, 0, List.of(), ends),
                record.stop(),
                Optional.empty());
        List<End> kept = recover(spec(true), full, supervisor("b0", false))
                .services()
                .get(0)
                .history()
                .ends();
        assertEquals(20, kept.size());
        assertEquals("end 1", kept.get(0).reason());
        assertEquals("the machine was started anew", kept.get(19).reason());
    }

    @Test
    void without_a_word_of_the_operator_the_file_decides_also_when_it_was_changed() {
        ServiceRecord up = record(ServiceState.STOPPED, "b1", Wanted.UP, false, false);
        ServiceRecord down = record(ServiceState.STOPPED, "b1", Wanted.DOWN, false, false);
        assertEquals(
                Wanted.DOWN,
                recover(spec(false), up, supervisor("b1", false))
                        .services()
                        .get(0)
                        .wanted());
        assertEquals(
                Wanted.UP,
                recover(spec(true), down, supervisor("b1", false))
                        .services()
                        .get(0)
                        .wanted());
    }

    @Test
    void a_shutdown_that_was_never_finished_no_longer_counts() {
        ServiceRecord record = record(ServiceState.STOPPING, "b1", Wanted.UP, false, true);
        ServiceRecord shutdown = new ServiceRecord(
                WEB,
                "b1",
                ServiceState.STOPPING,
                Wanted.UP,
                false,
                record.living(),
                Optional.of(new Service.Ending(Cause.SHUTDOWN, "the supervisor ends")),
                Optional.empty(),
                Optional.empty(),
                HISTORY,
                StopSequence.DEFAULT,
                Optional.empty());
        Service service = recover(spec(true), shutdown, supervisor("b1", false))
                .services()
                .get(0);
        assertEquals(Cause.TAKEOVER, service.ending().orElseThrow().cause());
    }

    @Test
    void what_runs_but_is_no_longer_in_the_file_is_stopped_as_its_record_says() {
        StopSequence stop = new StopSequence(Signal.INT, Duration.ofSeconds(3), Optional.empty());
        ServiceRecord record = record(ServiceState.RUNNING, "b1", Wanted.UP, false, true);
        ServiceRecord old = new ServiceRecord(
                new ServiceName("old"),
                "b1",
                record.state(),
                record.wanted(),
                false,
                record.living(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                HISTORY,
                stop,
                Optional.empty());
        Recovery.Recovered recovered = recover(spec(true), old, supervisor("b1", false));
        assertEquals(2, recovered.services().size());
        Service retired = recovered.services().get(1);
        assertEquals(ServiceState.STOPPING, retired.state());
        assertEquals(Wanted.DOWN, retired.wanted());
        assertEquals(stop, retired.spec().stop());
        assertEquals(Set.of(old.name()), recovered.retired());
        assertEquals(old.name(), recovered.toFind().get(0).service());
    }

    @ParameterizedTest
    @CsvSource({"b1, false", "b0, true"})
    void what_is_no_longer_in_the_file_and_does_not_run_is_left_alone(String boot, boolean alive) {
        ServiceRecord record = record(ServiceState.BACKOFF, boot, Wanted.UP, false, alive);
        Recovery.Recovered recovered =
                Recovery.recover(List.of(), Map.of(WEB, record), Optional.of(supervisor(boot, false)), "b1", NOW, 1);
        assertEquals(List.of(), recovered.services());
        assertEquals(List.of(), recovered.toFind());
    }

    /** So too a service whose record was damaged and set aside. */
    @Test
    void a_service_without_a_record_starts_afresh_beside_others_that_have_one() {
        ServiceSpec db = ServiceSpec.of("db", "/bin/true").build();
        ServiceSpec off = ServiceSpec.of("off", "/bin/true").autostart(false).build();
        Map<ServiceName, ServiceRecord> records = new LinkedHashMap<>();
        records.put(WEB, record(ServiceState.FATAL, "b1", Wanted.UP, false, false));
        Recovery.Recovered recovered = Recovery.recover(
                List.of(db, spec(true), off), records, Optional.of(supervisor("b1", false)), "b1", NOW, 1);
        assertEquals(
                List.of(ServiceState.STOPPED, ServiceState.FATAL, ServiceState.STOPPED),
                recovered.services().stream().map(Service::state).toList());
        assertEquals(
                List.of(Wanted.UP, Wanted.UP, Wanted.DOWN),
                recovered.services().stream().map(Service::wanted).toList());
        assertEquals(History.EMPTY, recovered.services().get(0).history());
    }

    /** A first start, or the supervisor's own record was damaged: nothing says that what is recorded was a crash. */
    @Test
    void without_the_supervisors_record_nothing_stays_fatal_but_a_recorded_process_is_looked_for() {
        for (ServiceState state : new ServiceState[] {ServiceState.FATAL, ServiceState.EXITED, ServiceState.BACKOFF}) {
            Recovery.Recovered recovered = Recovery.recover(
                    List.of(spec(true)),
                    Map.of(WEB, record(state, "b1", Wanted.UP, false, false)),
                    Optional.empty(),
                    "b1",
                    NOW,
                    1);
            assertEquals(ServiceState.STOPPED, recovered.services().get(0).state());
        }
        Recovery.Recovered recovered = Recovery.recover(
                List.of(spec(true)),
                Map.of(WEB, record(ServiceState.RUNNING, "b1", Wanted.UP, false, true)),
                Optional.empty(),
                "b1",
                NOW,
                1);
        assertEquals(PROCESS, recovered.toFind().get(0).process());
    }

    @Test
    void services_draw_different_random_numbers() {
        ServiceSpec db = ServiceSpec.of("db", "/bin/true").build();
        List<Service> services = Recovery.recover(List.of(spec(true), db), Map.of(), Optional.empty(), "b1", NOW, 1234)
                .services();
        assertNotEquals(services.get(0).seed(), services.get(1).seed());
        assertTrue(services.stream().allMatch(service -> service.process().isEmpty()));
    }
}
