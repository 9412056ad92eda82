package io.jsupervise.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Bearer;
import io.jsupervise.lifecycle.Cause;
import io.jsupervise.lifecycle.End;
import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.History;
import io.jsupervise.lifecycle.HookState;
import io.jsupervise.lifecycle.Lifecycle;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Now;
import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.spec.HookKind;
import io.jsupervise.spec.KillMode;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import io.jsupervise.spec.StopSequence;
import java.nio.file.Path;
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
            new RunId("r-1-5"),
            PROCESS,
            new Now(new MonotonicTime(900_000_000_000L), NOON.minusSeconds(100)),
            Optional.of(new MonotonicTime(901_000_000_000L)),
            Optional.of("0123456789abcdef"));
    private static final Service.LastRun LAST = new Service.LastRun(LIVING.run(), PROCESS);
    private static final Now SINCE = new Now(new MonotonicTime(902_000_000_000L), NOON.minusSeconds(98));
    private static final Recovery.Here HERE = new Recovery.Here("r", 7, "b1", NOW, 99);
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
        return record(state, boot, wanted, commanded, alive, ServiceRecord.LeftHooks.NONE);
    }

    private static ServiceRecord record(
            ServiceState state,
            String boot,
            Wanted wanted,
            boolean commanded,
            boolean alive,
            ServiceRecord.LeftHooks hooks) {
        return new ServiceRecord(
                WEB,
                boot,
                state,
                Optional.of(SINCE),
                wanted,
                commanded,
                alive ? Optional.of(LIVING) : Optional.empty(),
                Optional.of(LAST),
                state == ServiceState.STOPPING
                        ? Optional.of(new Service.Ending(Cause.OPERATOR, "stop asked"))
                        : Optional.empty(),
                state == ServiceState.BACKOFF ? Optional.of(NEXT) : Optional.empty(),
                state == ServiceState.FATAL ? Optional.of("too often") : Optional.empty(),
                HISTORY,
                StopSequence.DEFAULT,
                Optional.empty(),
                hooks);
    }

    private static SupervisorRecord supervisor(String boot, boolean inOrder) {
        return new SupervisorRecord(boot, "0.1", NOON.minusSeconds(1000), inOrder, 12, Optional.empty());
    }

    private static Recovery.Recovered recover(ServiceSpec spec, ServiceRecord record, SupervisorRecord supervisor) {
        return recover(List.of(spec), Map.of(record.name(), record), Optional.of(supervisor));
    }

    private static Recovery.Recovered recover(
            List<ServiceSpec> specs,
            Map<ServiceName, ServiceRecord> records,
            Optional<SupervisorRecord> supervisor,
            Bearer... bearers) {
        return Recovery.recover(specs, new Recovery.Before(records, supervisor, List.of(bearers)), HERE);
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
                toFind
                        ? List.of(new Recovery.Left(
                                WEB,
                                LIVING.run(),
                                PROCESS,
                                List.of(),
                                List.of(),
                                false,
                                spec(true).log(),
                                record.log()))
                        : List.of(),
                recovered.toFind());
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
                record.since(),
                record.wanted(),
                false,
                record.living(),
                record.lastRun(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                new History(30, 0, List.of(), ends),
                record.stop(),
                Optional.empty(),
                ServiceRecord.LeftHooks.NONE);
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
                record.since(),
                Wanted.UP,
                false,
                record.living(),
                record.lastRun(),
                Optional.of(new Service.Ending(Cause.SHUTDOWN, "the supervisor ends")),
                Optional.empty(),
                Optional.empty(),
                HISTORY,
                StopSequence.DEFAULT,
                Optional.empty(),
                ServiceRecord.LeftHooks.NONE);
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
                record.since(),
                record.wanted(),
                false,
                record.living(),
                record.lastRun(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                HISTORY,
                stop,
                Optional.of(Path.of("/var/log/old.log")),
                ServiceRecord.LeftHooks.NONE);
        Recovery.Recovered recovered = recover(spec(true), old, supervisor("b1", false));
        assertEquals(2, recovered.services().size());
        Service retired = recovered.services().get(1);
        assertEquals(ServiceState.STOPPING, retired.state());
        assertEquals(Wanted.DOWN, retired.wanted());
        assertEquals(stop, retired.spec().stop());
        assertEquals(Set.of(old.name()), recovered.retired());
        LogSpec log = LogSpec.ToFile.keepingAll(Path.of("/var/log/old.log"));
        assertEquals(log, recovered.toFind().get(0).log(), "its last words would be lost");
        assertEquals(old.log(), ServiceRecord.of(retired, "b1").log(), "the next supervisor would not know it");
        assertEquals(old.name(), recovered.toFind().get(0).service());
    }

    @ParameterizedTest
    @CsvSource({"b1, false", "b0, true"})
    void what_is_no_longer_in_the_file_and_does_not_run_is_left_alone(String boot, boolean alive) {
        ServiceRecord record = record(ServiceState.BACKOFF, boot, Wanted.UP, false, alive);
        Recovery.Recovered recovered = recover(List.of(), Map.of(WEB, record), Optional.of(supervisor(boot, false)));
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
        Recovery.Recovered recovered =
                recover(List.of(db, spec(true), off), records, Optional.of(supervisor("b1", false)));
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
            Recovery.Recovered recovered = recover(
                    List.of(spec(true)), Map.of(WEB, record(state, "b1", Wanted.UP, false, false)), Optional.empty());
            assertEquals(ServiceState.STOPPED, recovered.services().get(0).state());
        }
        Recovery.Recovered recovered = recover(
                List.of(spec(true)),
                Map.of(WEB, record(ServiceState.RUNNING, "b1", Wanted.UP, false, true)),
                Optional.empty());
        assertEquals(PROCESS, recovered.toFind().get(0).process());
    }

    @Test
    void services_draw_different_random_numbers() {
        ServiceSpec db = ServiceSpec.of("db", "/bin/true").build();
        List<Service> services =
                recover(List.of(spec(true), db), Map.of(), Optional.empty()).services();
        assertNotEquals(services.get(0).seed(), services.get(1).seed());
        assertTrue(services.stream().allMatch(service -> service.process().isEmpty()));
    }

    // ---- what was found by its mark ----

    private static Bearer bearer(int pid, int group, long startTime, String run, String service) {
        return new Bearer(
                new ProcessIdentity(new Pid(pid), startTime),
                group,
                group,
                Duration.ofSeconds(30),
                run.isEmpty() ? Optional.empty() : Optional.of(new RunId(run)),
                service);
    }

    /** Its leader is dead, and recorded as that or not known at all: the rest has to go before another is started. */
    @ParameterizedTest
    @CsvSource({"r-1-5", "r-1-6"})
    void the_rest_of_a_group_without_its_leader_is_a_grave(String run) {
        Recovery.Recovered recovered = recover(
                List.of(spec(true)),
                Map.of(WEB, record(ServiceState.BACKOFF, "b1", Wanted.UP, false, false)),
                Optional.of(supervisor("b1", false)),
                bearer(51, 50, 9, run, "web"));
        Recovery.Left left = recovered.toFind().get(0);
        assertTrue(left.buried());
        assertEquals(List.of(new ProcessIdentity(new Pid(51), 9)), left.others());
        assertEquals(
                Optional.of(new RunId(run)), recovered.services().get(0).grave().map(Service.Grave::run));
        assertEquals(ServiceState.BACKOFF, recovered.services().get(0).state());
    }

    /** {@code last}: whether the record still has a living process. The last recorded run is r-1-5, of start time 7. */
    @ParameterizedTest(name = "{0}: {1} in group {2}, started at {3}, run {4} of {5} -> found {7}")
    @CsvSource({
        // what, pid, group, start, run, service, living recorded, found
        "a later run of the same life,      50, 50, 9, r-1-6,  web, false, true",
        "of a later life,                   50, 50, 9, r-2-1,  web, false, true",
        "a worker of it,                    51, 50, 9, r-1-6,  web, false, false",
        "the last recorded run,             50, 50, 9, r-1-5,  web, false, false",
        "an older run,                      50, 50, 9, r-1-4,  web, false, false",
        "of another state directory,        50, 50, 9, q-1-6,  web, false, false",
        "of another one that begins alike,  50, 50, 9, rr-1-6, web, false, false",
        "a mark that is no number,          50, 50, 9, r-x-y,  web, false, false",
        "a later run started before,        50, 50, 6, r-1-6,  web, false, false",
        "an unread mark started later,      50, 50, 9, '',     web, false, true",
        "an unread mark started before,     50, 50, 6, '',     web, false, false",
        "an unread mark of a worker,        51, 50, 9, '',     web, false, false",
        "unread beside a recorded process,  50, 50, 9, '',     web, true,  false",
        "later than a recorded process,     50, 50, 9, r-1-6,  web, true,  true",
        "of another service,                50, 50, 9, r-1-6,  db,  false, false",
    })
    void a_process_with_our_mark_is_taken_for_a_main_process(
            String what, int pid, int group, long start, String run, String service, boolean living, boolean found) {
        ServiceState state = living ? ServiceState.RUNNING : ServiceState.BACKOFF;
        ServiceRecord record = record(state, "b1", Wanted.UP, false, living);
        Recovery.Recovered recovered = recover(
                List.of(spec(true)),
                Map.of(WEB, record),
                Optional.of(supervisor("b1", false)),
                bearer(pid, group, start, run, service));
        Service web = recovered.services().get(0);
        if (!found) {
            assertEquals(state, web.state(), what);
            assertEquals(
                    living ? 1 : 0,
                    recovered.toFind().stream()
                            .filter(left -> left.service().equals(WEB) && !left.buried())
                            .count());
            return;
        }
        assertEquals(ServiceState.STARTING, web.state());
        assertTrue(web.run().orElseThrow().adopted());
        assertEquals(new Pid(pid), web.process().orElseThrow().pid());
        assertNotEquals(
                web.process(), web.lastRun().map(Service.LastRun::process), "recorded when it is found to be alive");
        assertEquals(Optional.empty(), web.next());
        assertEquals(
                NOW.mono().minus(Duration.ofSeconds(30)),
                web.run().get().orderedAt().mono());
        assertEquals(1, recovered.toFind().size());
        assertEquals(new Pid(pid), recovered.toFind().get(0).process().pid());
        assertEquals(HISTORY.restarts(), web.history().restarts(), "it was counted when it was decided");
    }

    @Test
    void what_was_found_and_has_ended_is_the_last_run_of_the_next_record() {
        Recovery.Recovered recovered = recover(
                List.of(spec(true)),
                Map.of(WEB, record(ServiceState.BACKOFF, "b1", Wanted.UP, false, false)),
                Optional.of(supervisor("b1", false)),
                bearer(50, 50, 9, "r-1-6", "web"));
        Service web = recovered.services().get(0);
        Event.ChildExited exited = new Event.ChildExited(web.run().orElseThrow().id(), new ExitStatus.Unknown());
        Service after = Lifecycle.step(web, exited, NOW).service();
        assertEquals(new RunId("r-1-6"), after.lastRun().orElseThrow().run());
        assertEquals(HISTORY.restarts() + 1, after.history().restarts());
    }

    @Test
    void of_several_bearers_of_one_run_the_first_that_was_started_is_the_main_process() {
        Recovery.Recovered recovered = recover(
                List.of(spec(true)),
                Map.of(),
                Optional.of(supervisor("b1", false)),
                bearer(40, 40, 12, "r-1-1", "web"),
                bearer(50, 50, 9, "r-1-1", "web"),
                bearer(60, 60, 8, "", "web"));
        assertEquals(new Pid(50), recovered.toFind().get(0).process().pid());
    }

    @Test
    void what_was_told_to_stop_while_it_was_being_spawned_is_ended() {
        ServiceRecord record = record(ServiceState.STOPPED, "b1", Wanted.DOWN, true, false);
        Recovery.Recovered recovered = recover(
                List.of(spec(true)),
                Map.of(WEB, record),
                Optional.of(supervisor("b1", false)),
                bearer(50, 50, 9, "r-1-6", "web"));
        Service web = recovered.services().get(0);
        assertEquals(ServiceState.STOPPING, web.state());
        assertEquals(Wanted.DOWN, web.wanted());
    }

    @Test
    void what_was_never_recorded_and_is_no_longer_in_the_file_is_retired() {
        Recovery.Recovered recovered = recover(
                List.of(),
                Map.of(),
                Optional.of(supervisor("b1", false)),
                bearer(50, 50, 9, "r-1-1", "old"),
                bearer(60, 60, 9, "r-1-2", "no name!"));
        assertEquals(Set.of(new ServiceName("old")), recovered.retired());
        assertEquals(ServiceState.STOPPING, recovered.services().get(0).state());
    }

    /** In this boot the journal was stale. Start times of two boots tell nothing. */
    @Test
    void what_runs_and_is_no_longer_named_is_retired_also_where_its_record_is_of_an_earlier_boot() {
        for (String mark : List.of("r-1-1", "r-1-1.pre_start")) {
            Recovery.Recovered recovered = recover(
                    List.of(),
                    Map.of(WEB, record(ServiceState.STOPPED, "b0", Wanted.DOWN, true, false)),
                    Optional.of(supervisor("b1", false)),
                    bearer(50, 50, 1, mark, "web"));
            assertEquals(Set.of(WEB), recovered.retired(), mark);
            assertEquals(1, recovered.toFind().size() + recovered.hooks().size(), mark);
        }
    }

    @Test
    void the_rest_of_a_recorded_group_is_named() {
        Recovery.Recovered recovered = recover(
                List.of(spec(true)),
                Map.of(WEB, record(ServiceState.RUNNING, "b1", Wanted.UP, false, true)),
                Optional.of(supervisor("b1", false)),
                bearer(42, 42, 7, "r-1-5", "web"),
                bearer(43, 42, 8, "r-1-5", "web"),
                bearer(44, 42, 8, "", "web"),
                bearer(45, 42, 8, "r-1-4", "web"),
                bearer(46, 46, 8, "r-1-5", "web"));
        List<ProcessIdentity> others = recovered.toFind().get(0).others();
        assertEquals(
                List.of(43, 44, 45, 46),
                others.stream().map(one -> one.pid().value()).toList());
        assertEquals(
                List.of(new ProcessIdentity(new Pid(45), 8)),
                recovered.toFind().get(0).ended(),
                "what is left of an earlier run goes also where the main process lives");
    }

    @Test
    void a_daemon_of_an_ended_run_is_left_of_it_though_it_leads_a_session_of_its_own() {
        Recovery.Recovered recovered = recover(
                List.of(spec(true)),
                Map.of(WEB, record(ServiceState.BACKOFF, "b1", Wanted.UP, false, false)),
                Optional.of(supervisor("b1", false)),
                bearer(46, 46, 8, "r-1-5", "web"),
                bearer(47, 47, 8, "r-1-3", "web"),
                bearer(48, 48, 8, "q-1-3", "web"));
        Recovery.Left left = recovered.toFind().get(0);
        assertTrue(left.buried());
        assertEquals(
                List.of(46, 47),
                left.others().stream().map(one -> one.pid().value()).toList());
        assertTrue(recovered.services().get(0).grave().isPresent(), "no start before it is gone");
    }

    @Test
    void nothing_is_left_to_end_where_only_main_processes_are_to_be_ended() {
        ServiceSpec process = ServiceSpec.of("web", "/bin/true")
                .stop(StopSequence.DEFAULT.with(KillMode.PROCESS))
                .build();
        Recovery.Recovered recovered = recover(
                List.of(process), Map.of(), Optional.of(supervisor("b1", false)), bearer(46, 40, 8, "r-1-5", "web"));
        assertEquals(List.of(), recovered.toFind());
        assertTrue(recovered.services().get(0).grave().isEmpty());
    }

    @Test
    void a_service_that_the_file_no_longer_names_loses_what_it_left() {
        Recovery.Recovered recovered = recover(
                List.of(),
                Map.of(WEB, record(ServiceState.STOPPED, "b1", Wanted.DOWN, false, false)),
                Optional.of(supervisor("b1", false)),
                bearer(46, 46, 8, "r-1-5", "web"));
        assertEquals(Set.of(WEB), recovered.retired());
        assertEquals(1, recovered.toFind().size());
    }

    /** A stale journal: run 6 was noted and is dead, nobody knows of run 7 but by a worker that outlived it. */
    @Test
    void what_is_left_of_a_later_run_goes_with_the_group_of_a_noted_one() {
        Recovery.Recovered recovered = recover(
                List.of(spec(true)),
                Map.of(WEB, record(ServiceState.BACKOFF, "b1", Wanted.UP, false, false)),
                Optional.of(supervisor("b1", false)),
                bearer(50, 50, 9, "r-1-6", "web"),
                bearer(61, 60, 12, "r-1-7", "web"));
        assertEquals(new Pid(50), recovered.toFind().get(0).process().pid());
        assertEquals(
                List.of(new Pid(61)),
                recovered.toFind().get(0).others().stream()
                        .map(ProcessIdentity::pid)
                        .toList());
    }

    /** As long as FATAL holds, a note of a later run is one that a stale journal knew nothing of. */
    @ParameterizedTest
    @CsvSource({"b1, b1, false, 0", "b0, b1, false, 1", "b0, b0, false, 1", "b1, b1, true, 1"})
    void a_noted_start_counts_where_what_was_recorded_before_holds_no_more(
            String bootOfRecord, String bootOfSupervisor, boolean inOrder, int counts) {
        Bearer noted = bearer(50, 50, 9, "r-1-6", "web");
        assertEquals(
                counts,
                Recovery.withNoted(
                                List.of(),
                                List.of(noted),
                                Map.of(WEB, record(ServiceState.FATAL, bootOfRecord, Wanted.UP, false, false)),
                                Optional.of(supervisor(bootOfSupervisor, inOrder)),
                                "b1")
                        .size());
    }

    /** It was about to be started afresh after an end in order, and the supervisor was killed before it had recorded that. */
    @ParameterizedTest
    @CsvSource({"-1, FATAL, 0", "0, FATAL, 0", "1, STOPPED, 1"})
    void what_was_recorded_before_a_fresh_start_does_not_hold_after_a_kill(long fresh, ServiceState state, int counts) {
        MonotonicTime freshSince = SINCE.mono().plus(Duration.ofSeconds(fresh));
        SupervisorRecord killed = new SupervisorRecord("b1", "0.1", NOON, false, 12, Optional.of(freshSince));
        ServiceRecord fatal = record(ServiceState.FATAL, "b1", Wanted.UP, false, false);
        Service web = recover(spec(true), fatal, killed).services().get(0);
        assertEquals(state, web.state());
        assertEquals(counts == 1 ? 0 : HISTORY.failures(), web.history().failures());
        Bearer noted = bearer(50, 50, 9, "r-1-6", "web");
        assertEquals(
                counts,
                Recovery.withNoted(List.of(), List.of(noted), Map.of(WEB, fatal), Optional.of(killed), "b1")
                        .size());
    }

    @Test
    void a_fresh_start_is_that_of_the_first_supervisor_since_the_end_in_order() {
        Optional<MonotonicTime> now = Optional.of(NOW.mono());
        Optional<MonotonicTime> before = Optional.of(SINCE.mono());
        SupervisorRecord killed = new SupervisorRecord("b1", "0.1", NOON, false, 12, before);
        assertEquals(before, Recovery.freshSince(Optional.of(killed), "b1", NOW));
        assertEquals(now, Recovery.freshSince(Optional.of(killed), "b2", NOW));
        assertEquals(now, Recovery.freshSince(Optional.of(supervisor("b1", true)), "b1", NOW));
        assertEquals(now, Recovery.freshSince(Optional.empty(), "b1", NOW));
        assertEquals(
                Optional.empty(), Recovery.freshSince(Optional.of(SupervisorRecord.presumedKilled("b1")), "b1", NOW));
    }

    @Test
    void nobody_waits_for_a_noted_process_whose_end_is_recorded() {
        Bearer noted = bearer(
                LAST.process().pid().value(),
                50,
                LAST.process().startTime(),
                LAST.run().value(),
                "web");
        for (boolean inOrder : new boolean[] {true, false}) {
            SupervisorRecord supervisor = supervisor("b1", inOrder);
            ServiceRecord stopped = record(ServiceState.STOPPED, "b1", Wanted.UP, false, false);
            assertEquals(
                    List.of(),
                    Recovery.withNoted(List.of(), List.of(noted), Map.of(WEB, stopped), Optional.of(supervisor), "b1"));
            ServiceRecord ran = record(ServiceState.RUNNING, "b1", Wanted.UP, false, true);
            assertEquals(
                    List.of(noted),
                    Recovery.withNoted(List.of(), List.of(noted), Map.of(WEB, ran), Optional.of(supervisor), "b1"));
        }
    }

    /** Both bear the mark of its run, and the kernel tells their start times in ticks of 10 ms. */
    @Test
    void of_two_that_were_started_in_the_same_tick_the_noted_one_is_the_main_process() {
        Bearer noted = bearer(50, 50, 9, "r-1-6", "web");
        Bearer daemon = bearer(51, 51, 9, "r-1-6", "web");
        List<Bearer> all = Recovery.withNoted(
                List.of(daemon), List.of(noted), Map.of(), Optional.of(supervisor("b1", false)), "b1");
        Recovery.Recovered recovered = recover(
                List.of(spec(true)), Map.of(), Optional.of(supervisor("b1", false)), all.toArray(new Bearer[0]));
        assertEquals(Optional.of(noted.identity()), recovered.services().get(0).process());
    }

    @Test
    void an_adopted_process_keeps_when_it_started_was_ready_and_with_what() {
        Recovery.Recovered recovered = recover(
                spec(true), record(ServiceState.RUNNING, "b1", Wanted.UP, false, true), supervisor("b1", false));
        Service web = recovered.services().get(0);
        assertEquals(SINCE, web.since());
        assertEquals(LIVING.startedAt(), web.run().orElseThrow().orderedAt());
        assertEquals(LIVING.readyAt(), web.run().get().readyAt());
        assertEquals(LIVING.spec(), web.run().get().spec());
        assertEquals(Optional.of(LAST), web.lastRun());
    }

    @Test
    void each_life_is_larger_than_the_one_before_it_also_when_the_clock_was_set_back() {
        long wall = NOON.toEpochMilli();
        assertEquals(wall, Recovery.nextLife(Map.of(), Optional.empty(), List.of(), "12ab34cd", NOW));
        SupervisorRecord later = new SupervisorRecord("b1", "0.1", NOON.plusSeconds(5), false, 1, Optional.empty());
        assertEquals(wall + 5001, Recovery.nextLife(Map.of(), Optional.of(later), List.of(), "12ab34cd", NOW));
        ServiceRecord record = record(ServiceState.RUNNING, "b1", Wanted.UP, false, true);
        assertEquals(wall, Recovery.nextLife(Map.of(WEB, record), Optional.empty(), List.of(), "12ab34cd", NOW));
        RunId unborn = new RunId("r-" + Long.toHexString(wall + 7) + "-1");
        ServiceRecord.LeftHooks left = new ServiceRecord.LeftHooks(
                Optional.of(new HookState.Due(HookKind.POST_STOP, unborn)), Optional.empty());
        ServiceRecord due = record(ServiceState.BACKOFF, "b1", Wanted.UP, false, false, left);
        assertEquals(wall + 8, Recovery.nextLife(Map.of(WEB, due), Optional.empty(), List.of(), "12ab34cd", NOW));
    }
}
