package io.jsupervise.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Alerts;
import io.jsupervise.lifecycle.Bearer;
import io.jsupervise.lifecycle.History;
import io.jsupervise.lifecycle.HookState;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Now;
import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.spec.Command;
import io.jsupervise.spec.HookKind;
import io.jsupervise.spec.Hooks;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.StopSequence;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Hooks that a killed supervisor left: ended, never taken for the service, and what they were to do is begun anew. */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class LeftHooksTest {
    private static final ServiceName WEB = new ServiceName("web");
    private static final Now NOW =
            new Now(new MonotonicTime(1_000_000_000_000L), Instant.parse("2026-01-31T12:00:00Z"));
    private static final RunId RUN = RunId.of("r", 5, 9);
    private static final ProcessIdentity MAIN = new ProcessIdentity(new Pid(40), 100);
    private static final ProcessIdentity HOOK = new ProcessIdentity(new Pid(50), 200);

    private static ServiceSpec spec() {
        Optional<Hooks.Hook> hook = Optional.of(new Hooks.Hook(Command.of("x"), Duration.ofSeconds(9)));
        return ServiceSpec.of("web", "/bin/true")
                .hooks(new Hooks(hook, hook, hook, hook))
                .build();
    }

    private static Bearer bearer(ProcessIdentity process, Optional<RunId> run) {
        int pid = process.pid().value();
        return new Bearer(process, pid, pid, Duration.ofSeconds(1), run, "web");
    }

    private static ServiceRecord record(
            ServiceState state, boolean alive, Optional<HookKind> due, Optional<ProcessIdentity> running) {
        Optional<ServiceRecord.Living> living = alive
                ? Optional.of(new ServiceRecord.Living(RUN, MAIN, NOW, Optional.empty(), Optional.empty()))
                : Optional.empty();
        return new ServiceRecord(
                WEB,
                "b1",
                state,
                Optional.of(NOW),
                Wanted.UP,
                false,
                living,
                Optional.of(new Service.LastRun(RUN, MAIN)),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                History.EMPTY,
                StopSequence.DEFAULT,
                Optional.empty(),
                new ServiceRecord.LeftHooks(
                        due.map(kind -> new HookState.Due(kind, RUN)),
                        running.map(process -> new Service.LastRun(RUN.ofHook(HookKind.POST_STOP), process))));
    }

    private static ServiceRecord with(ServiceRecord record, Alerts alerts) {
        return new ServiceRecord(
                record.name(),
                record.bootId(),
                record.state(),
                record.since(),
                record.wanted(),
                record.commanded(),
                record.living(),
                record.lastRun(),
                record.ending(),
                record.next(),
                record.fatal(),
                record.history(),
                record.stop(),
                record.log(),
                record.hooks().with(alerts));
    }

    private static Recovery.Recovered recover(
            Optional<ServiceRecord> record, List<ServiceSpec> specs, Bearer... bearers) {
        SupervisorRecord killed =
                new SupervisorRecord("b1", "0.1", NOW.wall().minusSeconds(1000), false, 12, Optional.empty());
        Map<ServiceName, ServiceRecord> records = record.isPresent() ? Map.of(WEB, record.get()) : Map.of();
        return Recovery.recover(
                specs,
                new Recovery.Before(records, Optional.of(killed), List.of(bearers)),
                new Recovery.Here("r", 7, "b1", NOW, 99));
    }

    @Test
    void what_is_to_be_told_bears_the_mark_of_the_state_directory_as_it_is_now() {
        // A power cut took the file with the identity, and left the records.
        RunId old = RunId.of("lost", 5, 9);
        ServiceRecord record = record(ServiceState.STOPPED, false, Optional.empty(), Optional.empty());
        Alerts.Alert alert = new Alerts.Alert(HookKind.ON_FAILURE, old, 2, "exit 1");
        Alerts left = new Alerts(true, Optional.of(alert), Optional.empty(), List.of(alert), Optional.empty());
        Recovery.Recovered recovered = recover(Optional.of(with(record, left)), List.of(spec()));
        Alerts found = recovered.services().get(0).hooks().alerts();
        assertEquals(RUN, found.due().get(0).run());
        assertEquals(RUN, found.untold().orElseThrow().run());
        assertEquals(2, found.due().get(0).failures());
    }

    @Test
    void a_hook_of_a_later_run_is_not_taken_for_its_main_process() {
        RunId later = RunId.of("r", 5, 10);
        Recovery.Recovered recovered = recover(
                Optional.of(record(ServiceState.STOPPED, false, Optional.empty(), Optional.empty())),
                List.of(spec()),
                bearer(HOOK, Optional.of(later.ofHook(HookKind.PRE_START))));
        Service web = recovered.services().get(0);
        assertEquals(ServiceState.STOPPED, web.state());
        assertTrue(web.run().isEmpty() && web.grave().isPresent());
        assertEquals(List.of(), recovered.toFind());
        assertEquals(List.of(HOOK), recovered.hooks().get(0).processes());
        assertEquals(web.grave().get().run(), recovered.hooks().get(0).run());
    }

    @Test
    void a_hook_that_has_overwritten_its_mark_is_known_by_its_record() {
        Recovery.Recovered recovered = recover(
                Optional.of(record(ServiceState.STOPPED, false, Optional.of(HookKind.POST_STOP), Optional.of(HOOK))),
                List.of(spec()),
                bearer(HOOK, Optional.empty()));
        assertTrue(recovered.services().get(0).run().isEmpty());
        assertEquals(List.of(HOOK), recovered.hooks().get(0).processes());
    }

    @Test
    void a_post_stop_that_was_due_is_due_again() {
        Recovery.Recovered recovered = recover(
                Optional.of(record(ServiceState.EXITED, false, Optional.of(HookKind.POST_STOP), Optional.empty())),
                List.of(spec()));
        Service web = recovered.services().get(0);
        assertEquals(
                Optional.of(new HookState.Due(HookKind.POST_STOP, RUN)),
                web.hooks().due());
        assertEquals(ServiceState.EXITED, web.state());
    }

    @Test
    void a_post_start_is_due_again_where_its_process_lives() {
        Recovery.Recovered recovered = recover(
                Optional.of(record(ServiceState.STARTING, true, Optional.of(HookKind.POST_START), Optional.of(HOOK))),
                List.of(spec()),
                bearer(MAIN, Optional.of(RUN)),
                bearer(HOOK, Optional.of(RUN.ofHook(HookKind.POST_START))));
        Service web = recovered.services().get(0);
        assertEquals(Optional.of(MAIN), web.process());
        assertEquals(
                Optional.of(new HookState.Due(HookKind.POST_START, RUN)),
                web.hooks().due());
        assertEquals(1, recovered.toFind().size());
        assertEquals(List.of(HOOK), recovered.hooks().get(0).processes());
    }

    @Test
    void what_was_due_is_forgotten_where_the_file_knows_of_it_no_more() {
        Recovery.Recovered recovered = recover(
                Optional.of(record(ServiceState.EXITED, false, Optional.of(HookKind.POST_STOP), Optional.empty())),
                List.of(ServiceSpec.of("web", "/bin/true").build()));
        assertTrue(recovered.services().get(0).hooks().isIdle());
    }

    @Test
    void a_hook_of_a_service_that_the_file_no_longer_names_is_ended() {
        Recovery.Recovered recovered =
                recover(Optional.empty(), List.of(), bearer(HOOK, Optional.of(RUN.ofHook(HookKind.PRE_START))));
        assertEquals(Set.of(WEB), recovered.retired());
        assertEquals(List.of(HOOK), recovered.hooks().get(0).processes());
    }
}
