package io.jsupervise.supervision;

/** The timers of the supervisor itself; arming one replaces the one of the same kind. */
public enum SupervisorTimer {
    /** Our own heartbeat is due. */
    HEARTBEAT,
    /** A start has held its slot for long enough. */
    SLOT,
    /** A commit of the journal takes too long. */
    JOURNAL,
    /** Somebody has waited for an answer for as long as they wanted. */
    ANSWER,
    /** A hand-over takes too long. */
    HAND_OVER,
    /** A reading of the services file takes too long. */
    READING,
    /** The hardware watchdog, or the service manager above us, awaits a sign of life. */
    WATCHDOG
}
