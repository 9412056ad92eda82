package io.jsupervise.sim;

import io.jsupervise.daemon.ForwardingOutlets;
import io.jsupervise.daemon.Outlets;
import io.jsupervise.journal.JournalCodec;
import io.jsupervise.journal.JournalException;
import io.jsupervise.journal.SupervisorRecord;
import io.jsupervise.os.OsException;
import io.jsupervise.supervision.Happening;
import io.jsupervise.supervision.ResetMemory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;

/**
 * A hardware watchdog that really resets the machine, looked after from outside, in one life or over many:
 *
 * <ul>
 *   <li>it is written to only while the loop carries out the core's order to feed it;
 *   <li>it is fed in time by whoever turns, unless it was told that it is not, and for whom;
 *   <li>it is not fed for long when a service is beyond its ladder that asks for a reset, unless that was told to be one reset too
 *       many;
 *   <li>nobody but such a service keeps it from being fed, and who that is stands on the disk before;
 *   <li>there are no more such resets in a row than {@code reboot_limit} says.
 * </ul>
 */
final class FeedWatch {
    private static final Path RECORD = Scenario.STATE.resolve("journal/@supervisor.json");
    private static final long INTERVAL = Ladders.INTERVAL.toNanos();

    /** Recorded at one timer, withheld at the next; a record that does not come is waited for until the journal is stale. */
    private static final long SOON_WITHHELD = 3 * INTERVAL + 3_000_000_000L;

    private final SimulatedOs os;
    private final LadderWatch ladders;
    private final Invariants.Excuses excuses;
    private final SimulatedWatchdog device;
    private boolean ordered;
    private boolean lives;
    private boolean isLeaving;

    /** It disarms the device, which is a feed as well. */
    private boolean isEnded;

    private long lastFeed;
    private long bootAt;

    /** For whom it is not fed, as told in this life; and since when. */
    private Optional<String> withheld = Optional.empty();

    private long withheldAt;
    private boolean isAtLimit;
    private boolean recordsMayBeLost;
    private Optional<Reset> reset = Optional.empty();
    private int row;

    /** Who is broken, and since when that is the same. */
    private Map<String, Long> broken = Map.of();

    private long sameSince;

    /** @param isOurs it comes about while the loop turns, and does not feed */
    private record Reset(long at, boolean lived, Optional<String> withheld) {}

    FeedWatch(SimulatedOs os, LadderWatch ladders, Invariants.Excuses excuses) {
        this.os = os;
        this.ladders = ladders;
        this.excuses = excuses;
        this.device = new SimulatedWatchdog(os.world, false, this::reset);
        device.onFeed(() -> {
            if (!ordered && !isEnded) {
                throw new Violation("promise 11", "the watchdog is fed, and nobody ordered it");
            }
        });
        try {
            os.watchdog(device);
        } catch (OsException e) {
            throw new AssertionError("there is no watchdog", e);
        }
    }

    Outlets see(Outlets outlets) {
        return new ForwardingOutlets(outlets) {
            @Override
            public void feedWatchdog() {
                ordered = true;
                super.feedWatchdog();
                ordered = false;
                lastFeed = os.world.nanos();
            }
        };
    }

    // ---- for whoever drives ----

    void lifeBegins() {
        lives = true;
        isLeaving = false;
        isEnded = false;
        ordered = false;
        lastFeed = os.world.nanos();
        withheld = Optional.empty();
        isAtLimit = false;
        broken = Map.of();
    }

    void lifeEnds() {
        lives = false;
    }

    boolean wasReset() {
        return reset.isPresent();
    }

    private void reset() {
        reset = Optional.of(new Reset(os.world.nanos(), lives, withheld));
        os.killDaemonIn(1);
    }

    /** A machine whose loop had the time to feed is reset only for a service. */
    void isExplained() {
        Reset last = reset.orElseThrow();
        boolean hadTime = last.lived && last.at - lastFeed - excuses.between(lastFeed, last.at) > INTERVAL + 1_000_000;
        if (hadTime && last.withheld.isEmpty()) {
            throw new Violation("promise 11", "the machine is reset, and nobody told why");
        }
    }

    /** Another boot, after a reset. */
    void boots(Lives machine, long seed) {
        isExplained();
        Reset last = reset.orElseThrow();
        reset = Optional.empty();
        String endedBoot = os.bootNow();
        os.resetByWatchdog();
        machine.powerCut(seed);
        if (last.lived && last.withheld.isPresent() && !recordsMayBeLost) {
            Optional<ResetMemory.Withheld> recorded = record().filter(
                            record -> record.bootId().equals(endedBoot))
                    .flatMap(record -> record.resets().withheld());
            if (recorded.isEmpty() || !recorded.get().service().value().equals(last.withheld.get())) {
                throw new Violation(
                        "promise 11",
                        "the machine is reset for " + last.withheld.get() + ", and on the disk there is " + record());
            }
            boolean early = last.at - bootAt < Ladders.REBOOT_LIMIT.within().toNanos();
            row = early ? row + 1 : 0;
            if (row > Ladders.REBOOT_LIMIT.count()) {
                throw new Violation("reboot_limit", row + " resets in a row");
            }
        } else {
            row = 0;
        }
        recordsMayBeLost = false;
        bootAt = os.world.nanos();
    }

    /** The power has failed, whatever was withheld. */
    void powerFailed() {
        row = 0;
        reset = Optional.empty();
        recordsMayBeLost = false;
        bootAt = os.world.nanos();
    }

    private Optional<SupervisorRecord> record() {
        return os.disk.find(RECORD).map(record -> {
            try {
                return new JournalCodec().decodeSupervisor(Arrays.copyOf(record.bytes, record.size));
            } catch (JournalException e) {
                throw new Violation("promise 3", "the supervisor's record does not decode: " + e.getMessage());
            }
        });
    }

    /** The loop has had a turn. */
    void afterTurn() {
        if (reset.isPresent()) {
            return;
        }
        long now = os.world.nanos();
        Map<String, Long> others = ladders.broken();
        if (!others.equals(broken)) {
            broken = others;
            sameSince = now;
        }
        long changedAt = Math.max(sameSince, ladders.recoveredAt());
        boolean isLate = now - lastFeed - excuses.between(lastFeed, now) > INTERVAL + 1_000_000;
        if (isLate && withheld.isEmpty()) {
            throw new Violation("promise 11", "the watchdog is not fed, and nobody told why");
        }
        if (isLate && !isLeaving && !withheld.filter(ladders::mayBeBroken).isPresent() && isLongAgo(changedAt)) {
            throw new Violation("promise 11", "the watchdog is not fed for " + withheld + ", which may be well");
        }
        if (withheld.isPresent() && lastFeed > withheldAt) {
            throw new Violation("promise 11", "the watchdog is fed, though that is withheld for " + withheld);
        }
        boolean isDue = !broken.isEmpty() && !isLeaving && !isAtLimit;
        long enough = SOON_WITHHELD + excuses.between(sameSince, now);
        if (isDue && now - sameSince > enough && withheld.isEmpty()) {
            throw new Violation("promise 11", "the watchdog is fed, and beyond their ladders are " + broken);
        }
    }

    private boolean isLongAgo(long time) {
        return os.world.nanos() - time - excuses.between(time, os.world.nanos()) > INTERVAL + 1_000_000;
    }

    // ---- what the supervisor says ----

    void told(Happening happening) {
        switch (happening.event()) {
            case "watchdog-withheld" -> {
                String service = String.valueOf(happening.details().get("critical"));
                if (!ladders.mayBeBroken(service) || isLeaving) {
                    throw new Violation("promise 11", "the watchdog is not fed for " + service + ": " + happening);
                }
                isRecorded(service);
                withheld = Optional.of(service);
                withheldAt = os.world.nanos();
            }
            case "watchdog-fed-again" -> withheld = Optional.empty();
            case "reboot-limit-reached" -> {
                isAtLimit = true;
                if ((Long) happening.details().get("resets") < Ladders.REBOOT_LIMIT.count()) {
                    throw new Violation("reboot_limit", "is told too soon: " + happening);
                }
            }
            case "supervisor-ended" -> isEnded = true;
            case "shutdown-begun", "hand-over-begun" -> isLeaving = true;
            case "hand-over-given-up" -> {
                isLeaving = false;
                sameSince = os.world.nanos();
            }
            case "journal-stale", "journal-damaged" -> recordsMayBeLost = true;
            default -> {}
        }
    }

    /** What a power cut would leave now. */
    private void isRecorded(String service) {
        try {
            Optional<byte[]> content = os.disk.durableContent(RECORD);
            boolean isThere = content.isPresent()
                    && new JournalCodec()
                            .decodeSupervisor(content.get())
                            .resets()
                            .withheld()
                            .filter(one -> one.service().value().equals(service))
                            .isPresent();
            if (!isThere && !recordsMayBeLost) {
                throw new Violation("promise 11", "for " + service + " nothing is fed, and the disk does not say so");
            }
        } catch (JournalException e) {
            throw new Violation("promise 3", "the supervisor's record does not decode: " + e.getMessage());
        }
    }
}
