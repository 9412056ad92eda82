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
    POST_STOP;

    private final String word = name().toLowerCase(java.util.Locale.ROOT);

    /** As written in services.yml: {@code pre_start}. */
    public String word() {
        return word;
    }
}
