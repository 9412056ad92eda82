package io.jsupervise.supervision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Bench;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.TimerKind;
import io.jsupervise.spec.RestartIntensity;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.WatchdogSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** When the hardware watchdog is fed, when it is not, and what is recorded before that. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class WatchdogFeedTest {
    private static final WatchdogSpec SPEC = new WatchdogSpec(
            Path.of("/dev/watchdog"),
            Duration.ofSeconds(60),
            Duration.ofSeconds(15),
            Duration.ZERO,
            new WatchdogSpec.RebootLimit(3, Duration.ofHours(1)));

    @Test
    void each_answer_to_the_timer_is_one_feed() {
        Herd herd = herd(armed(60), ResetMemory.NONE).begin();
        assertEquals(1, feeds(herd));
        for (int i = 0; i < 5; i++) {
            assertEquals("feed", herd.fires(SupervisorTimer.WATCHDOG).deeds());
        }
        assertEquals(0, feeds(herd.committed()));
    }

    @Test
    void no_watchdog_arms_no_timer() {
        Herd herd = new Herd(0, "web").begin();
        assertEquals(0, feeds(herd));
        assertEquals("off", herd.status().supervisor().watchdog().word());
    }

    @Test
    void a_driver_with_a_shorter_timeout_is_fed_more_often() {
        assertEquals(Optional.of(Duration.ofSeconds(15)), interval(herd(armed(60), ResetMemory.NONE)));
        assertEquals(Optional.of(Duration.ofSeconds(10)), interval(herd(armed(30), ResetMemory.NONE)));
        WatchdogReport silent = new WatchdogReport.Armed(
                Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), List.of());
        assertEquals(Optional.of(Duration.ofSeconds(15)), interval(herd(silent, ResetMemory.NONE)));
    }

    @Test
    void the_feed_is_withheld_only_when_it_is_recorded_why() {
        Herd herd = givenUp(herd(armed(60), ResetMemory.NONE));
        assertEquals("feed, record supervisor withholding for db", fire(herd).deeds());
        assertEquals("armed", herd.status().supervisor().watchdog().word());
        // The disk takes its time: fed until it has it.
        assertEquals("feed", fire(herd).deeds());
        herd.committed();
        assertEquals("tell watchdog-withheld", fire(herd).words());
        assertEquals("withheld", herd.status().supervisor().watchdog().word());
        assertEquals("", fire(herd).words());
    }

    @Test
    void a_stale_journal_does_not_keep_the_machine_from_its_reset() {
        Herd herd = givenUp(herd(armed(60), ResetMemory.NONE));
        fire(herd);
        herd.journalFails();
        assertEquals("tell watchdog-withheld", fire(herd).words());
    }

    @Test
    void what_an_operator_stops_withholds_nothing() {
        Herd herd = givenUp(herd(armed(60), ResetMemory.NONE));
        fire(herd);
        herd.committed();
        fire(herd);
        herd.act(Ask.Act.Verb.STOP, "db");
        assertEquals(ServiceState.STOPPED, herd.state("db"));
        herd.committed();
        assertEquals(
                "feed, record supervisor, tell watchdog-fed-again", fire(herd).words());
        assertEquals("armed", herd.status().supervisor().watchdog().word());
        assertEquals("feed", fire(herd.committed()).words());
    }

    @Test
    void what_an_operator_starts_again_is_fed_for() {
        Herd herd = givenUp(herd(armed(60), ResetMemory.NONE));
        fire(herd);
        herd.act(Ask.Act.Verb.START, "db");
        herd.committed();
        assertEquals("feed, record supervisor", fire(herd).words());
    }

    @Test
    void a_second_service_that_is_given_up_does_not_put_off_the_reset() {
        Herd herd = new Herd(
                        0,
                        Set.of(),
                        Bench.fresh(db("cache").critical().build()),
                        Bench.fresh(db("db").critical().build()))
                .watchedBy(watchers(armed(60), ResetMemory.NONE));
        herd.allRunning("cache", "db").exits("db", 1).committed();
        fire(herd);
        herd.committed();
        assertEquals("tell watchdog-withheld", fire(herd).words());
        herd.exits("cache", 1).committed();
        assertEquals(ServiceState.FATAL, herd.state("cache"));
        assertEquals("", fire(herd).words());
        herd.act(Ask.Act.Verb.STOP, "db").committed();
        assertEquals(
                "feed, tell watchdog-fed-again, record supervisor withholding for cache",
                fire(herd).words());
        herd.committed();
        assertEquals("tell watchdog-withheld", fire(herd).words());
    }

    @Test
    void another_service_that_is_given_up_withholds_nothing() {
        Herd herd = new Herd(0, Set.of(), Bench.fresh(db().build())).watchedBy(watchers(armed(60), ResetMemory.NONE));
        herd.allRunning("db").exits("db", 1).committed();
        assertEquals(ServiceState.FATAL, herd.state("db"));
        assertEquals("feed", fire(herd).deeds());
        assertEquals("feed", fire(herd).deeds());
    }

    @Test
    void an_end_that_was_asked_for_is_fed_to_its_last_turn() {
        Herd herd = givenUp(herd(armed(60), ResetMemory.NONE));
        fire(herd);
        herd.committed();
        fire(herd);
        herd.end();
        assertTrue(fire(herd).deeds().startsWith("feed"), herd.words());
    }

    @Test
    void after_enough_early_resets_the_feed_goes_on_and_it_is_told_once() {
        Herd herd = givenUp(herd(armed(60), resets(3)));
        assertEquals("feed, tell reboot-limit-reached", fire(herd).words());
        assertEquals("feed", fire(herd).words());
        assertTrue(herd.status().supervisor().watchdog().limitReached());
        Herd earlier = givenUp(herd(armed(60), resets(2)));
        assertFalse(earlier.status().supervisor().watchdog().limitReached());
        assertEquals("feed, record supervisor withholding for db", fire(earlier).deeds());
    }

    @Test
    void a_device_that_fails_is_tried_again_and_told_once_each_way() {
        Herd herd = herd(armed(60), ResetMemory.NONE).begin();
        herd.on(new SupervisorEvent.WatchdogReported(new WatchdogReport.Failed("write: ENODEV", "ENODEV")));
        assertEquals("tell watchdog-failed", herd.words());
        assertEquals("failed", herd.status().supervisor().watchdog().word());
        assertEquals("feed", fire(herd).words());
        assertEquals(
                "tell watchdog-armed",
                herd.on(new SupervisorEvent.WatchdogReported(armed(60))).words());
    }

    @Test
    void a_device_that_cannot_be_disarmed_is_told_of_at_the_end() {
        WatchdogReport nowayout = new WatchdogReport.Armed(
                Optional.of("w"), Optional.of(Duration.ofSeconds(60)), Optional.empty(), Optional.of(true), List.of());
        Herd herd = herd(nowayout, ResetMemory.NONE).allRunning("db").end();
        assertTrue(herd.killed("db").words().contains("tell watchdog-stays-armed"), herd.words());
        herd = herd(armed(60), ResetMemory.NONE).allRunning("db").end();
        assertFalse(herd.killed("db").words().contains("tell watchdog-stays-armed"), herd.words());
    }

    @Test
    void a_new_boot_is_told_of_once() {
        ResetMemory memory = resets(1);
        Herd first = new Herd(0, "db")
                .watchedBy(new Watchers(Optional.empty(), Optional.empty(), memory, true))
                .begin();
        assertTrue(first.words().contains("tell machine-booted"), first.words());
        Herd second = new Herd(0, "db")
                .watchedBy(new Watchers(Optional.empty(), Optional.empty(), memory, false))
                .begin();
        assertFalse(second.words().contains("tell machine-booted"), second.words());
        assertEquals(
                memory.boot(), second.status().supervisor().watchdog().memory().boot());
    }

    @Test
    void the_service_manager_hears_of_beginning_life_reload_and_end() {
        Watchers watchers = new Watchers(
                Optional.empty(),
                Optional.of(new Watchers.Manager(Optional.of(Duration.ofSeconds(3)))),
                ResetMemory.NONE,
                false);
        Herd herd = new Herd(0, "db").watchedBy(watchers).begin();
        assertTrue(herd.deeds().contains("manager READY=1 MAINPID=1 STATUS=1 service: 1 STARTING"), herd.deeds());
        herd.spawned("db").committed();
        assertEquals("manager WATCHDOG=1", herd.fires(SupervisorTimer.WATCHDOG).deeds());
        herd.fires("db", TimerKind.READY);
        assertEquals(
                "touch, manager STATUS=1 service: 1 RUNNING",
                herd.fires(SupervisorTimer.HEARTBEAT).deeds());
        assertEquals("touch", herd.fires(SupervisorTimer.HEARTBEAT).deeds());
        herd.on(new SupervisorEvent.ReloadRequested());
        assertTrue(herd.deeds().startsWith("manager RELOADING=1 MONOTONIC_USEC="), herd.deeds());
        assertTrue(herd.unreadable("s.yml:1:1: no").deeds().contains("manager READY=1"), herd.deeds());
        assertTrue(herd.end().deeds().startsWith("manager STOPPING=1"), herd.deeds());
    }

    @Test
    void who_asks_why_is_told_what_becomes_of_the_machine() {
        Herd herd = givenUp(herd(armed(60), ResetMemory.NONE));
        assertEquals(
                "the hardware watchdog will be fed no more from its next feed on, since it is critical: the machine will"
                        + " be reset, at most 60s after its last feed",
                next(herd).replace("1m after", "60s after"));
        fire(herd);
        herd.committed();
        fire(herd);
        assertTrue(next(herd).startsWith("the hardware watchdog is fed no more, since it is critical"), next(herd));
        assertTrue(next(givenUp(herd(armed(60), resets(3)))).contains("3 resets of the machine did not help"));
        herd.on(new SupervisorEvent.WatchdogReported(new WatchdogReport.Failed("write: ENODEV", "ENODEV")));
        assertTrue(next(herd).contains("cannot be opened or written to"), next(herd));
        Herd without = new Herd(0, Set.of(), Bench.fresh(db().critical().build()));
        assertEquals("nothing until somebody starts it: no restart is tried any more", next(givenUp(without)));
    }

    private static String next(Herd herd) {
        return Explaining.of(herd.status(), new ServiceName("db")).next().text();
    }

    private static Herd fire(Herd herd) {
        return herd.fires(SupervisorTimer.WATCHDOG);
    }

    private static int feeds(Herd herd) {
        int feeds = 0;
        for (String word : herd.words().split(", ")) {
            feeds += word.equals("feed") ? 1 : 0;
        }
        return feeds;
    }

    private static Optional<Duration> interval(Herd herd) {
        return herd.begin().status().supervisor().watchdog().interval();
    }

    /** Its critical service ends once too often. */
    private static Herd givenUp(Herd herd) {
        herd.allRunning("db").exits("db", 1).committed();
        assertEquals(ServiceState.FATAL, herd.state("db"));
        return herd;
    }

    private static ServiceSpec.Builder db() {
        return db("db");
    }

    private static ServiceSpec.Builder db(String name) {
        return Herd.service(name).startLimit(new RestartIntensity(0, Duration.ofMinutes(1)));
    }

    private static Herd herd(WatchdogReport report, ResetMemory memory) {
        return new Herd(0, Set.of(), Bench.fresh(db().critical().build())).watchedBy(watchers(report, memory));
    }

    private static Watchers watchers(WatchdogReport report, ResetMemory memory) {
        return new Watchers(Optional.of(new Watchers.Hardware(SPEC, report)), Optional.empty(), memory, false);
    }

    private static WatchdogReport armed(int seconds) {
        return new WatchdogReport.Armed(
                Optional.of("w"),
                Optional.of(Duration.ofSeconds(seconds)),
                Optional.empty(),
                Optional.of(false),
                new ArrayList<>());
    }

    private static ResetMemory resets(int count) {
        return new ResetMemory(
                Optional.of(new BootReport(BootReport.Cause.WATCHDOG, "withheld", count)),
                Optional.of(""),
                Optional.empty());
    }
}
