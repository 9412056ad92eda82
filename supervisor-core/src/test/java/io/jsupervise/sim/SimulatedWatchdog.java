package io.jsupervise.sim;

import io.jsupervise.os.Errno;
import io.jsupervise.os.OsException;
import io.jsupervise.os.WatchdogCall;
import io.jsupervise.os.WatchdogSupport;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A hardware watchdog as watchdog_dev.c of the kernel makes it of one: opened by one at a time, armed by the opening, fed by each
 * write, disarmed by a close only where the last write had a {@code V} in it. Its clock stops for nothing but that.
 */
final class SimulatedWatchdog {
    static final Path PATH = Path.of("/dev/watchdog");

    private final World world;
    private final boolean nowayout;
    private final Runnable reset;
    private int timeoutSeconds = 30;
    private int bootStatus;
    private Runnable written = () -> {};
    private boolean armed;
    private boolean open;
    private boolean mayDisarm;
    private long generation;
    private long feeds;

    /** @param reset happens to the machine when it was not fed in time */
    SimulatedWatchdog(World world, boolean nowayout, Runnable reset) {
        this.world = world;
        this.nowayout = nowayout;
        this.reset = reset;
    }

    /** Happens before each write that is no disarming. */
    void onFeed(Runnable before) {
        written = before;
    }

    void open() throws OsException {
        if (open) {
            throw new OsException(Errno.EBUSY, "open " + PATH);
        }
        open = true;
        armed = true;
        mayDisarm = false;
        feed();
    }

    int write(byte[] buffer, int offset, int length) {
        mayDisarm = false;
        for (int i = offset; i < offset + length; i++) {
            mayDisarm |= buffer[i] == 'V';
        }
        feeds++;
        if (!mayDisarm) {
            written.run();
        }
        feed();
        return length;
    }

    void close() {
        open = false;
        if (mayDisarm && !nowayout) {
            armed = false;
            generation++;
        } else {
            feed();
        }
    }

    /** The kernel closes what a killed process had open. */
    void holderDied() {
        if (open) {
            close();
        }
    }

    /** The machine has booted. */
    void booted(boolean wasReset) {
        open = false;
        armed = false;
        generation++;
        bootStatus = wasReset ? WatchdogSupport.CARD_RESET : 0;
        timeoutSeconds = 30;
    }

    boolean isArmed() {
        return armed;
    }

    /** How often it was written to. */
    long feeds() {
        return feeds;
    }

    private void feed() {
        long now = ++generation;
        world.plan(Duration.ofSeconds(timeoutSeconds), () -> {
            if (armed && generation == now) {
                reset.run();
            }
        });
    }

    int call(WatchdogCall call, int argument) throws OsException {
        return switch (call) {
            case SET_TIMEOUT -> {
                if (argument < 1 || argument > 2046) {
                    throw new OsException(Errno.EINVAL, "ioctl WDIOC_" + call + " " + PATH);
                }
                timeoutSeconds = argument;
                feed();
                yield argument;
            }
            case GET_TIMEOUT -> timeoutSeconds;
            case SET_PRETIMEOUT, GET_PRETIMEOUT ->
                throw new OsException(Errno.ENOTSUP, "ioctl WDIOC_" + call + " " + PATH);
            case GET_BOOT_STATUS -> bootStatus;
        };
    }

    WatchdogSupport support() {
        return new WatchdogSupport("simulated watchdog", WatchdogSupport.MAGIC_CLOSE | WatchdogSupport.CARD_RESET);
    }

    String nowayout() {
        return nowayout ? "1" : "0";
    }
}
