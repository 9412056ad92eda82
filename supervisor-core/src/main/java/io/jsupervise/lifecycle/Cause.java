package io.jsupervise.lifecycle;

import java.util.Locale;

/** Why a run of a service ended. The words are part of the public interface. */
public enum Cause {
    /** It exited by itself. */
    EXIT,
    /** A signal that we did not send ended it. */
    SIGNAL,
    /** Its heartbeat stopped, so we ended it. */
    HEARTBEAT,
    /** It missed a WATCHDOG=1, or asked for its end with WATCHDOG=trigger, so we ended it. */
    NOTIFY,
    /** A check failed too often in a row, so we ended it. */
    CHECK,
    /** It was not ready in time, so we ended it. */
    START_TIMEOUT,
    /** It could not be spawned at all. */
    START_FAILED,
    /** Its pre_start hook failed, so it was not spawned. */
    PRE_START,
    /** Its post_start hook failed, so we ended it. */
    POST_START,
    /** An operator stopped or restarted it. */
    OPERATOR,
    /** The services file was read again, and names it no more or asks for something else. */
    RELOAD,
    /** One of its group is restarted, and the strategy of the group has it restarted as well. */
    GROUP,
    /** What it depends on is restarted, and it with that. */
    DEPENDENCY,
    /** The supervisor was asked to end. */
    SHUTDOWN,
    /** It was left over from a supervisor that died, and was ended before a new start. */
    TAKEOVER,
    /** It ended while no supervisor ran. */
    UNSUPERVISED;

    /** Whether it means that the process lived and did nothing any more. */
    public boolean isHang() {
        return this == HEARTBEAT || this == NOTIFY || this == CHECK;
    }

    /** As in the journal and in JSON: {@code start-failed}. */
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
