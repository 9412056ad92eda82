package io.jsupervise.spec;

/** When a hook runs. */
public enum HookKind {
    /** Before the main process is made, which needs its success. */
    PRE_START,
    /** When the main process was made; the service is not ready before it has succeeded. */
    POST_START,
    /** In place of the signal that asks the main process to end. */
    STOP_COMMAND,
    /** When nothing is left of a run, whatever ended it, and before the next one. */
    POST_STOP,
    /** Beside the service, when a run has failed; how often, is limited. */
    ON_FAILURE,
    /** Beside the service, when it is given up. */
    ON_GIVE_UP,
    /** Beside the service, when it is well again after it had failed. */
    ON_RECOVERED,
    /** When restarts did not help: a rung of the ladder, before the next run. */
    ESCALATE;

    private final String word = name().toLowerCase(java.util.Locale.ROOT);

    /** As written in services.yml: {@code pre_start}. */
    public String word() {
        return word;
    }

    /** Whether it only tells somebody: nothing of the service ever waits for it. */
    public boolean isAlert() {
        return this == ON_FAILURE || this == ON_GIVE_UP || this == ON_RECOVERED;
    }
}
