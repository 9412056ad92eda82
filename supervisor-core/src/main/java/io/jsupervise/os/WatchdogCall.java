package io.jsupervise.os;

/** What can be asked of a hardware watchdog; each takes and gives one number. See watchdog-api in the kernel's documentation. */
public enum WatchdogCall {
    /** Seconds from the last feed to the reset; gives what the driver really set, which may be another number. */
    SET_TIMEOUT,
    /** The argument is ignored. */
    GET_TIMEOUT,
    /** Seconds before the reset at which the driver warns; 0 for never. */
    SET_PRETIMEOUT,
    /** The argument is ignored. */
    GET_PRETIMEOUT,
    /** Why the machine was reset last, in bits of {@link WatchdogSupport}; the argument is ignored. */
    GET_BOOT_STATUS
}
