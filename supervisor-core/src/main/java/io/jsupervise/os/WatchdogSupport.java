package io.jsupervise.os;

/**
 * What a watchdog's driver can do (WDIOC_GETSUPPORT).
 *
 * @param identity name of the hardware, or of the driver
 * @param options  bits of linux/watchdog.h
 */
public record WatchdogSupport(String identity, int options) {
    /** Of the boot status: power came back after it had been too low. */
    public static final int POWER_UNDER = 0x10;

    /** Of the boot status: the watchdog reset the machine. */
    public static final int CARD_RESET = 0x20;

    /** Of the boot status: power was too high. */
    public static final int POWER_OVER = 0x40;

    /** Of the options: only a {@code V} before the close disarms; without it every close does. */
    public static final int MAGIC_CLOSE = 0x100;

    public boolean hasMagicClose() {
        return (options & MAGIC_CLOSE) != 0;
    }
}
