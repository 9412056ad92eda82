package io.jsupervise.spec;

/** How much of what a service has started ends with it. */
public enum KillMode {
    /** The stop signal goes to the whole tree, and when the main process has ended, all that is left is killed. */
    TREE("tree"),

    /** The stop signal goes to the main process alone; when it has ended, all that is left is killed. */
    MIXED("mixed"),

    /** Only the main process is ever signalled, and nothing else is touched, also not before the next start. */
    PROCESS("process");

    private final String word;

    KillMode(String word) {
        this.word = word;
    }

    /** As in services.yml. */
    public String word() {
        return word;
    }

    /** Whether nothing of an ended run may remain. */
    public boolean endsTree() {
        return this != PROCESS;
    }
}
