package io.jsupervise.io;

import io.jsupervise.lifecycle.Pid;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.ProcessStat;
import io.jsupervise.os.WatchdogCall;
import io.jsupervise.os.WatchdogSupport;
import io.jsupervise.spec.WatchdogSpec;
import io.jsupervise.supervision.WatchdogReport;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The device that resets the machine unless it is written to in time. Opening it arms it; from then on one byte for each
 * order of the core keeps the machine up, and a {@code V} before the close disarms it ("magic close"). Whatever else becomes of
 * us leaves it armed.
 *
 * <p>There is no thread and no timer here. Each write is made on the loop's own thread, in the turn in which the core ordered
 * it: a thread of its own could go on feeding while the loop hangs, which is the one thing that must not happen. For a driver
 * the write is a few register accesses; one that takes longer shows in the longest turn of the loop.
 *
 * <p>A FIFO may stand in for the device, to see in a test what would be written; it has no timeout that could be set. Nothing else
 * may, and nothing is ever made: a regular file would take all writes and never reset anything.
 */
public final class HardwareWatchdog {
    private static final byte[] FEED = {'k'};
    private static final byte[] DISARM = {'V'};

    private final Os os;
    private final WatchdogSpec spec;
    private final Consumer<WatchdogReport> reports;
    private Optional<Fd> device = Optional.empty();
    private Optional<Integer> bootStatus = Optional.empty();
    private boolean isFailing;

    /** @param reports gets what changes after {@link #open}; on the loop's thread */
    public HardwareWatchdog(Os os, WatchdogSpec spec, Consumer<WatchdogReport> reports) {
        this.os = os;
        this.spec = spec;
        this.reports = reports;
    }

    /**
     * Opens the device, which arms it, and sets its times.
     *
     * @throws OsException with what stands in the way; nothing is armed then
     */
    public WatchdogReport.Armed open() throws OsException {
        Optional<FileStat> stat = os.stat(spec.device());
        if (stat.isPresent() && !mayBeWatchdog(stat.get())) {
            throw notOne(stat.get());
        }
        Fd fd;
        try {
            fd = os.open(spec.device(), OpenMode.DEVICE, 0);
        } catch (OsException e) {
            throw e.errno() == Errno.EBUSY && !isFailing
                    ? new OsException(Errno.EBUSY, "open " + spec.device() + holders())
                    : e;
        }
        // What was looked at may have been replaced before it was opened.
        FileStat opened = os.stat(fd);
        if (!mayBeWatchdog(opened)) {
            os.close(fd);
            throw notOne(opened);
        }
        device = Optional.of(fd);
        return configure(fd);
    }

    private OsException notOne(FileStat stat) {
        return new OsException(
                Errno.ENODEV,
                "open " + spec.device() + ", which is " + stat.kind().words() + " and no watchdog");
    }

    private static boolean mayBeWatchdog(FileStat stat) {
        return stat.kind() == FileStat.Kind.DEVICE || stat.kind() == FileStat.Kind.FIFO;
    }

    /** Who has a watchdog open; only one process may. Told to people, never decided by. */
    private String holders() {
        List<String> names = new ArrayList<>();
        try {
            for (ProcessStat process : os.processes()) {
                Pid pid = process.pid();
                if (holdsWatchdog(pid)) {
                    names.add(
                            pid.equals(os.self().pid())
                                    ? "this supervisor itself, which was started with it and should not be"
                                    : "pid " + pid + " (" + process.name() + ")");
                }
            }
        } catch (OsException e) {
            return "";
        }
        return names.isEmpty() ? ", which another process has open" : ", which is open in " + String.join(", ", names);
    }

    private boolean holdsWatchdog(Pid pid) {
        Path folder = Path.of("/proc/" + pid + "/fd");
        try {
            for (String number : os.list(folder)) {
                Optional<String> file = os.readLink(folder.resolve(number));
                if (file.isPresent()
                        && (file.get().equals(spec.device().toString())
                                || file.get().startsWith("/dev/watchdog"))) {
                    return true;
                }
            }
        } catch (OsException e) {
            // Another user's, or it has ended.
            return false;
        }
        return false;
    }

    /** What a driver refuses is told and no reason not to be watched. */
    private WatchdogReport.Armed configure(Fd fd) {
        List<String> notes = new ArrayList<>();
        Optional<WatchdogSupport> support = Optional.empty();
        try {
            support = Optional.of(os.watchdogSupport(fd));
        } catch (OsException e) {
            notes.add(
                    e.errno() == Errno.ENOTTY
                            ? "it is no watchdog: no timeout can be set, and nothing will be reset"
                            : "the driver does not tell what it is: " + e.getMessage());
            if (e.errno() == Errno.ENOTTY) {
                return new WatchdogReport.Armed(
                        Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), notes);
            }
        }
        Optional<Duration> timeout = timeout(fd, notes);
        Optional<Duration> pretimeout = pretimeout(fd, notes);
        bootStatus = ask(fd, WatchdogCall.GET_BOOT_STATUS);
        Optional<Boolean> nowayout = nowayout(fd);
        if (nowayout.orElse(false)) {
            notes.add(
                    "nowayout: it cannot be disarmed, so an orderly stop resets the machine unless another supervisor comes in time");
        } else if (support.isPresent() && !support.get().hasMagicClose()) {
            notes.add("the driver has no magic close: should the supervisor be killed, it disarms itself");
        }
        return new WatchdogReport.Armed(support.map(WatchdogSupport::identity), timeout, pretimeout, nowayout, notes);
    }

    private Optional<Duration> timeout(Fd fd, List<String> notes) {
        int wanted = (int) spec.timeout().toSeconds();
        try {
            os.watchdog(fd, WatchdogCall.SET_TIMEOUT, wanted);
        } catch (OsException e) {
            notes.add("the timeout cannot be set to " + wanted + " s: " + e.getMessage());
        }
        // Read back: some drivers round without a word, and with a refusal the old one stands.
        Optional<Integer> given = ask(fd, WatchdogCall.GET_TIMEOUT);
        if (given.isPresent() && given.get() != wanted) {
            notes.add("the driver's timeout is " + given.get() + " s instead of " + wanted + " s");
        }
        return given.map(Duration::ofSeconds);
    }

    private Optional<Duration> pretimeout(Fd fd, List<String> notes) {
        int wanted = (int) spec.pretimeout().toSeconds();
        if (wanted == 0) {
            return Optional.empty();
        }
        try {
            os.watchdog(fd, WatchdogCall.SET_PRETIMEOUT, wanted);
        } catch (OsException e) {
            notes.add("the pretimeout cannot be set to " + wanted + " s: " + e.getMessage());
        }
        Optional<Integer> given = ask(fd, WatchdogCall.GET_PRETIMEOUT);
        if (given.isPresent() && given.get() != wanted) {
            notes.add("the driver's pretimeout is " + given.get() + " s instead of " + wanted + " s");
        }
        return given.isPresent() && given.get() > 0 ? given.map(Duration::ofSeconds) : Optional.empty();
    }

    private Optional<Integer> ask(Fd fd, WatchdogCall call) {
        try {
            return Optional.of(os.watchdog(fd, call, 0));
        } catch (OsException e) {
            // Not all drivers can; whoever asks does without.
            return Optional.empty();
        }
    }

    private Optional<Boolean> nowayout(Fd fd) {
        try {
            return os.watchdogAttribute(fd, "nowayout").map(text -> text.equals("1"));
        } catch (OsException e) {
            return Optional.empty();
        }
    }

    /** Why the machine was reset last, in bits, as the device told when it was opened. */
    public Optional<Integer> bootStatus() {
        return bootStatus;
    }

    /** Takes down that {@link #open} has failed and was told: the next feed tries again. */
    public void isFailing() {
        isFailing = true;
    }

    /** One feed; where the device is not open, a try to open it, which feeds it as well. The loop's thread. */
    public void feed() {
        try {
            if (device.isEmpty()) {
                WatchdogReport.Armed armed = open();
                isFailing = false;
                reports.accept(armed);
                return;
            }
            os.write(device.get(), FEED, 0, FEED.length);
            if (isFailing) {
                isFailing = false;
                reports.accept(configure(device.get()));
            }
        } catch (OsException e) {
            if (!isFailing) {
                isFailing = true;
                reports.accept(
                        new WatchdogReport.Failed(e.getMessage(), e.errno().name()));
            }
            giveUp(e);
        }
    }

    /** A device that went and came back is another one; one that is only full or slow is still the same. */
    private void giveUp(OsException why) {
        if (device.isPresent() && why.errno() != Errno.EAGAIN) {
            os.close(device.get());
            device = Optional.empty();
        }
    }

    /** Disarms it, where that is possible. False where it could not be told so, and will reset the machine. */
    public boolean disarm() {
        if (device.isEmpty()) {
            return true;
        }
        boolean told = true;
        try {
            os.write(device.get(), DISARM, 0, DISARM.length);
        } catch (OsException e) {
            told = false;
        }
        os.close(device.get());
        device = Optional.empty();
        return told;
    }

    /** Leaves it armed for the next supervisor, which has the whole timeout to come. */
    public void leave() {
        if (device.isPresent()) {
            feed();
            device.ifPresent(os::close);
            device = Optional.empty();
        }
    }
}
