package io.jsupervise.lifecycle;

/** The timers of one service. Arming one replaces the one of the same kind. */
public enum TimerKind {
    /** A random wait before an automatic start. */
    START_JITTER,
    /** The wait before a restart. */
    RESTART,
    /** The service is ready when this fires, or is to be asked whether it is. */
    READY,
    /** The service had its time to become ready. */
    START_TIMEOUT,
    /** A service that is on its ladder had its time to show that it works. */
    VERIFY,
    /** The next WATCHDOG=1 is due. */
    WATCHDOG,
    /** The next check is due. */
    CHECK,
    /** The next look at the heartbeat file. */
    HEARTBEAT,
    /** A hung process had its time to dump. */
    DUMP,
    /** A stopping process had its time. */
    STOP,
    /** The next look whether the group of an ended process is empty. */
    GROUP,
    /** A hook, or a stop after its stop_command, had its time; or the next look at the group of a hook. */
    HOOK,
    /** It has been ready for as long as it takes to count as well again. */
    STABLE,
    /** A hook that tells had its time; or the next look at its group. */
    ALERT,
    /** Failures that were not told yet may be told now. */
    ALERT_QUIET
}
