package io.jsupervise.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.daemon.ForwardingOutlets;
import io.jsupervise.daemon.Outlets;
import io.jsupervise.journal.JournalCodec;
import io.jsupervise.journal.JournalException;
import io.jsupervise.journal.SupervisorRecord;
import io.jsupervise.os.OsException;
import io.jsupervise.spec.Backoff;
import io.jsupervise.spec.Command;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.Escalation;
import io.jsupervise.spec.Hooks;
import io.jsupervise.spec.RestartIntensity;
import io.jsupervise.spec.Rung;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.WatchdogSpec;
import io.jsupervise.spec.WatchdogSpec.RebootLimit;
import io.jsupervise.supervision.Ask;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A machine with a hardware watchdog that really resets it. Supervisors are killed, stand still and come back too late; a critical
 * service is broken for good; and what holds all the same:
 *
 * <ul>
 *   <li>The device is written to only while the loop carries out the core's order to feed it.
 *   <li>A machine whose loop turns is reset only if the disk says why, as a power cut leaves it.
 *   <li>There are no more such resets in a row than {@code reboot_limit} says.
 *   <li>A machine on which nobody turns in time is reset; one whose supervisor ended in order is not.
 * </ul>
 */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class WatchedMachineTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final Duration INTERVAL = Duration.ofSeconds(2);
    private static final int LIMIT = 3;
    private static final long NEVER = Long.MAX_VALUE / 2;
    private static final Path RECORD = Scenario.STATE.resolve("journal/@supervisor.json");

    private static final Rung FIX = new Rung.Run(new Hooks.Hook(Command.of("/bin/fix"), Duration.ofSeconds(1)));

    private final boolean[] ordered = new boolean[1];
    private boolean reset;
    private boolean resetWhileTurning;
    private boolean turning;
    private String endedBoot = "";
    private Lives lives;
    private SimulatedWatchdog device;

    private void machine(long seed, boolean broken) throws OsException {
        ServiceSpec.Builder lost = service("s1").startLimit(new RestartIntensity(2, Duration.ofMinutes(1)));
        if (seed % 2 == 0) {
            lost.critical();
        } else {
            // What a ladder ends with is the same to the machine.
            lost.escalation(new Escalation(Duration.ofSeconds(5), List.of(FIX, new Rung.Reboot())));
        }
        List<ServiceSpec> specs = List.of(service("s0").build(), lost.build());
        Configuration plain = Scenario.configuration(0, specs);
        SimulatedOs.Programs programs = request -> request.environment().containsKey("JSUPERVISE_HOOK")
                ? Program.steady().exits(Duration.ofMillis(20), 0)
                : broken && request.environment().get("JSUPERVISE_SERVICE").equals("s1")
                        ? Program.steady().exits(Duration.ofMillis(30), 1)
                        : Program.steady();
        lives = new Lives(watched(plain), programs, new SplittableRandom(seed), 200);
        device = new SimulatedWatchdog(lives.world, false, this::reset);
        device.onFeed(() -> assertTrue(ordered[0], "fed though nobody ordered it"));
        lives.os.watchdog(device);
        lives.outlets(outlets -> new Ordered(outlets, ordered));
    }

    private static Configuration watched(Configuration plain) {
        WatchdogSpec watchdog = new WatchdogSpec(
                SimulatedWatchdog.PATH, TIMEOUT, INTERVAL, Duration.ZERO, new RebootLimit(LIMIT, Duration.ofHours(1)));
        return Scenario.watched(plain, watchdog);
    }

    private static ServiceSpec.Builder service(String name) {
        return ServiceSpec.of(name, "/bin/" + name)
                .backoff(new Backoff(Duration.ofMillis(50), 1, Duration.ofMillis(50), 0, Duration.ofHours(1)));
    }

    /** Knows whether an order to feed is being carried out. */
    private static final class Ordered extends ForwardingOutlets {
        private static final Rung FIX = new Rung.Run(new Hooks.Hook(Command.of("/bin/fix"), Duration.ofSeconds(1)));

        private final boolean[] ordered;

        Ordered(Outlets outlets, boolean[] ordered) {
            super(outlets);
            this.ordered = ordered;
        }

        @Override
        public void feedWatchdog() {
            ordered[0] = true;
            super.feedWatchdog();
            ordered[0] = false;
        }
    }

    private void reset() {
        reset = true;
        resetWhileTurning = turning;
        lives.os.killDaemonIn(1);
    }

    /** Turns for so long, unless the machine is reset meanwhile. */
    private void turn(Life life, Duration time) {
        turning = true;
        life.run(time);
        turning = false;
    }

    /** After a life that ended with a reset: another boot. Gives what the disk says. */
    private SupervisorRecord boot(long seed) throws JournalException {
        assertTrue(reset);
        reset = false;
        turning = false;
        ordered[0] = false;
        endedBoot = lives.os.bootNow();
        lives.os.resetByWatchdog();
        lives.powerCut(seed);
        CrashDisk.Node record = lives.os.disk.find(RECORD).orElseThrow();
        byte[] text = Arrays.copyOf(record.bytes, record.size);
        return new JournalCodec().decodeSupervisor(text);
    }

    @Test
    void a_loop_that_turns_is_never_reset_and_an_end_in_order_disarms() throws OsException {
        machine(1, false);
        assertTrue(lives.live(NEVER, life -> {
            turn(life, Duration.ofMinutes(10));
            assertTrue(device.isArmed());
            assertTrue(device.feeds() >= 295, "only " + device.feeds() + " feeds in ten minutes");
            life.terminate();
            life.run(Duration.ofSeconds(5));
            life.end();
        }));
        assertFalse(device.isArmed());
        lives.unsupervised(Duration.ofMinutes(1));
        assertFalse(reset);
    }

    @Test
    void a_loop_that_stands_still_is_reset_in_time() throws OsException {
        machine(2, false);
        assertFalse(lives.live(NEVER, life -> {
            turn(life, Duration.ofSeconds(30));
            life.pause(TIMEOUT.plusSeconds(1));
            life.run(Duration.ofSeconds(1));
        }));
        assertTrue(reset);
        assertFalse(resetWhileTurning);
    }

    @Test
    void a_supervisor_that_comes_within_the_timeout_prevents_the_reset_and_a_later_one_does_not() throws Exception {
        machine(3, false);
        lives.live(NEVER, life -> turn(life, Duration.ofSeconds(30)));
        lives.dies();
        lives.unsupervised(TIMEOUT.minusSeconds(1));
        assertFalse(reset);
        lives.live(NEVER, life -> turn(life, Duration.ofSeconds(30)));
        assertFalse(reset);
        lives.dies();
        lives.unsupervised(TIMEOUT.plusSeconds(1));
        assertTrue(reset);
        assertTrue(boot(3).resets().withheld().isEmpty());
    }

    @ParameterizedTest
    @ValueSource(longs = {4, 5})
    void a_service_that_is_broken_for_good_resets_the_machine_as_often_as_the_limit_says(long seed) throws Exception {
        machine(seed, true);
        for (int boot = 0; boot < LIMIT; boot++) {
            assertFalse(lives.live(NEVER, life -> turn(life, Duration.ofMinutes(5))), "boot " + boot);
            assertTrue(resetWhileTurning);
            SupervisorRecord record = boot(boot);
            assertEquals(
                    "s1", record.resets().withheld().orElseThrow().service().value());
            assertEquals(boot, record.resets().resets());
        }
        assertTrue(lives.live(NEVER, life -> turn(life, Duration.ofMinutes(30))), "one reset too many");
        assertFalse(reset);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 40, 80, 120})
    void whatever_happens_a_reset_is_explained_and_does_not_go_on_for_ever(long from) throws Exception {
        for (long seed = from; seed < from + 40; seed++) {
            play(seed);
        }
    }

    private void play(long seed) throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        boolean broken = random.nextInt(4) > 0;
        machine(seed, broken);
        int row = 0;
        for (int life = 0; life < 12; life++) {
            long killAt = random.nextInt(3) == 0 ? 1 + random.nextInt(900) : NEVER;
            boolean survived = lives.live(killAt, one -> story(one, random));
            if (survived) {
                lives.dies();
            }
            if (!reset) {
                turning = false;
                lives.unsupervised(Duration.ofMillis(random.nextInt(1, 14_000)));
                resetWhileTurning = false;
            }
            if (reset) {
                boolean ours = resetWhileTurning;
                SupervisorRecord record = boot(seed * 100 + life);
                if (ours) {
                    assertTrue(broken, "seed " + seed + ": reset a machine that was well");
                    assertEquals(endedBoot, record.bootId(), "seed " + seed);
                    assertTrue(
                            record.resets().withheld().isPresent(),
                            "seed " + seed + ": reset without a word on the disk: " + record);
                }
                // One that was killed before it had recorded anything leaves the record of the boot before.
                if (record.bootId().equals(endedBoot)) {
                    row = record.resets().withheld().isPresent() ? row + 1 : 0;
                }
                assertTrue(row <= LIMIT, "seed " + seed + ": " + row + " resets in a row");
            }
        }
    }

    private void story(Life life, SplittableRandom random) {
        for (int i = 0; i < 3; i++) {
            turn(life, Duration.ofMillis(random.nextInt(1, 12_000)));
            if (random.nextInt(6) == 0) {
                life.pause(Duration.ofMillis(random.nextInt(1, 12_000)));
                // Whatever it was left with, it has to turn before it can feed.
                turn(life, Duration.ofMillis(1));
            }
            if (random.nextInt(3) == 0) {
                Ask.Act.Verb verb = random.nextBoolean() ? Ask.Act.Verb.STOP : Ask.Act.Verb.START;
                life.ask(new Ask.Act(verb, List.of(new ServiceName("s1")), false, Duration.ofSeconds(10)));
            }
        }
    }
}
