package io.jsupervise.lifecycle;

/** Where a service is. The names are part of the public interface. */
public enum ServiceState {
    /** Not running, and not meant to. */
    STOPPED,
    /** Meant to start, waiting for its turn. */
    WAITING,
    /** Being spawned, or spawned and not ready yet. */
    STARTING,
    /** Ready. */
    RUNNING,
    /** Ended, waiting to be started again. */
    BACKOFF,
    /** Asked to end. */
    STOPPING,
    /** Ended, and its policy says that this is fine. */
    EXITED,
    /** Given up; says why. */
    FATAL
}
