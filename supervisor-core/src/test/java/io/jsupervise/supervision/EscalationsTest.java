package io.jsupervise.supervision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Bench;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.TimerKind;
import io.jsupervise.spec.Dependency;
import io.jsupervise.spec.Dependency.Condition;
import io.jsupervise.spec.Escalation;
import io.jsupervise.spec.RestartIntensity;
import io.jsupervise.spec.Rung;
import io.jsupervise.spec.ServiceGroup;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.WatchdogSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What ladders ask of the whole: nothing of it before it is recorded, and told as done when that is recorded as well. */
@Timeout(30)
class EscalationsTest {
    private static final ServiceGroup GROUP = new ServiceGroup("pair", ServiceGroup.Strategy.ONE_FOR_ONE);

    private static ServiceSpec.Builder db(Rung... ladder) {
        return Herd.service("db")
                .startLimit(new RestartIntensity(0, Duration.ofMinutes(1)))
                .escalation(new Escalation(Duration.ofSeconds(10), List.of(ladder)));
    }

    /** All run, and the db has ended once too often; the record of that is on its way. */
    private static Herd climbing(ServiceSpec.Builder... specs) {
        io.jsupervise.lifecycle.Service[] services = new io.jsupervise.lifecycle.Service[specs.length];
        String[] names = new String[specs.length];
        for (int i = 0; i < specs.length; i++) {
            services[i] = Bench.fresh(specs[i].build());
            names[i] = services[i].name().value();
        }
        Herd herd = new Herd(0, Set.of(), services);
        herd.begin();
        for (String name : names) {
            herd.spawned(name);
            herd.fires(name, TimerKind.READY);
        }
        herd.committed();
        return herd.exits("db", 1);
    }

    private static ServiceSpec.Builder web() {
        return Herd.service("web").dependsOn(List.of(new Dependency(new ServiceName("db"), Condition.READY)));
    }

    @Test
    void dependents_end_when_the_rung_is_recorded_and_the_service_starts_when_their_ends_are() {
        Herd herd = climbing(db(new Rung.RestartDependents()), web());
        assertFalse(herd.words().contains("web"), herd.words());
        herd.committed();
        assertTrue(herd.words().contains("tell db restarting-others"), herd.words());
        assertEquals("STOPPING", herd.state("web").toString());
        assertTrue(herd.serviceOf("db").history().climb().due().isPresent());
        herd.committed();
        herd.killed("web");
        assertTrue(herd.serviceOf("db").history().climb().due().isPresent(), "its end is not recorded yet");
        herd.committed();
        assertTrue(herd.serviceOf("db").history().climb().due().isEmpty());
        herd.fires("db", TimerKind.RESTART);
        herd.committed();
        assertEquals("STARTING WAITING", herd.states());
        herd.spawned("db");
        herd.fires("db", TimerKind.READY);
        assertEquals("RUNNING STARTING", herd.states());
        assertEquals(0, herd.serviceOf("web").history().restarts());
    }

    @Test
    void a_rung_without_anybody_to_restart_is_done_at_once() {
        Herd herd = climbing(db(new Rung.RestartDependents()), Herd.service("other"));
        herd.committed();
        assertTrue(herd.serviceOf("db").history().climb().due().isEmpty());
        herd.fires("db", TimerKind.RESTART);
        assertEquals("STARTING RUNNING", herd.states());
    }

    @Test
    void a_group_of_which_each_ends_alone_is_restarted_as_one_by_a_ladder() {
        Herd herd = climbing(
                db(new Rung.RestartGroup()).group(GROUP), Herd.service("mate").group(GROUP), Herd.service("other"));
        herd.committed();
        assertEquals("BACKOFF STOPPING RUNNING", herd.states());
    }

    @Test
    void an_operator_who_stops_the_service_before_that_spares_the_others() {
        Herd herd = climbing(db(new Rung.RestartDependents()), web());
        herd.actAndLeave(Ask.Act.Verb.STOP, "db");
        herd.committed();
        assertEquals("RUNNING", herd.state("web").toString());
        assertEquals("STOPPED", herd.state("db").toString());
    }

    @Test
    void a_stale_journal_keeps_nobody_from_a_remedy() {
        Herd herd = climbing(db(new Rung.RestartDependents()), web());
        herd.journalFails();
        assertEquals("STOPPING", herd.state("web").toString());
    }

    @Test
    void a_shutdown_ends_everything_in_order_and_as_failed() {
        Herd herd = climbing(db(new Rung.Shutdown()), Herd.service("other"));
        assertFalse(herd.words().contains("shutdown-begun"), herd.words());
        herd.committed();
        assertTrue(herd.words().contains("tell shutdown-begun"), herd.words());
        assertEquals("the ladder of \"db\"", herd.told().get(0).details().get("by"));
        herd.committed();
        herd.killed("other");
        herd.committed();
        assertEquals("exit as failed", herd.deeds());
    }

    @Test
    void without_a_watchdog_a_reboot_is_told_to_be_impossible() {
        Herd herd = climbing(db(new Rung.Reboot()));
        herd.committed();
        assertTrue(herd.words().contains("tell db reboot-impossible"), herd.words());
        assertEquals("FATAL", herd.state("db").toString());
        assertFalse(herd.committed().words().contains("reboot-impossible"), "told once");
    }

    @Test
    void a_reboot_withholds_the_feed_of_a_service_that_is_not_critical() {
        WatchdogReport armed = armed();
        Herd herd = watched(armed, ResetMemory.NONE);
        assertEquals(
                "feed, record supervisor withholding for db",
                herd.fires(SupervisorTimer.WATCHDOG).deeds());
        herd.committed();
        assertEquals(
                "tell watchdog-withheld", herd.fires(SupervisorTimer.WATCHDOG).words());
        herd.act(Ask.Act.Verb.STOP, "db");
        assertTrue(herd.fires(SupervisorTimer.WATCHDOG).words().startsWith("feed"), herd.words());
    }

    @Test
    void the_reboot_limit_stops_the_ladder_short_of_the_reboot() {
        ResetMemory before = new ResetMemory(
                Optional.of(new BootReport(BootReport.Cause.WATCHDOG, "withheld", 3)),
                Optional.of(""),
                Optional.empty());
        Herd herd = watched(armed(), before);
        assertEquals(
                "feed, tell reboot-limit-reached",
                herd.fires(SupervisorTimer.WATCHDOG).words());
        assertEquals("feed", herd.fires(SupervisorTimer.WATCHDOG).words());
        assertEquals(ServiceState.FATAL, herd.state("db"));
    }

    @Test
    void a_device_that_is_not_open_is_tried_on_and_withheld_when_it_is() {
        Herd herd = watched(new WatchdogReport.Failed("open: ENOENT", "ENOENT"), ResetMemory.NONE);
        assertEquals("feed", herd.fires(SupervisorTimer.WATCHDOG).deeds());
        assertEquals("feed", herd.fires(SupervisorTimer.WATCHDOG).deeds());
        herd.on(new SupervisorEvent.WatchdogReported(armed()));
        assertEquals(
                "feed, record supervisor withholding for db",
                herd.fires(SupervisorTimer.WATCHDOG).deeds());
    }

    private static WatchdogReport armed() {
        return new WatchdogReport.Armed(
                Optional.of("w"), Optional.of(Duration.ofSeconds(60)), Optional.empty(), Optional.of(false), List.of());
    }

    /** Its db is given up, and its ladder ends with a reboot. */
    private static Herd watched(WatchdogReport report, ResetMemory memory) {
        Watchers.Hardware hardware = new Watchers.Hardware(WatchdogSpec.of(Path.of("/dev/watchdog")), report);
        Herd herd = new Herd(0, Set.of(), Bench.fresh(db(new Rung.Reboot()).build()))
                .watchedBy(new Watchers(Optional.of(hardware), Optional.empty(), memory, false));
        herd.allRunning("db").exits("db", 1).committed();
        assertEquals(ServiceState.FATAL, herd.state("db"));
        return herd;
    }
}
