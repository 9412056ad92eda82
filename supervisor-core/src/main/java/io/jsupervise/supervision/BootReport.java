package io.jsupervise.supervision;

/**
 * How the boot before this one ended, as far as that can be known.
 *
 * @param evidence for people: what the cause was told from
 * @param resets   how many boots in a row up to that one ended early by a reset that a supervisor brought about
 */
public record BootReport(Cause cause, String evidence, int resets) {
    /** Why the machine booted. */
    public enum Cause {
        /** The hardware watchdog reset it. */
        WATCHDOG("watchdog"),
        /** The power failed, says the device. */
        POWER("power"),
        /** The kernel panicked. */
        PANIC("panic"),
        /** The supervisor had ended in order, so nobody but an operator can have had a hand in it. */
        ORDERLY("orderly"),
        /** Nothing tells: a power cut and a reset button leave no trace. */
        UNKNOWN("unknown");

        private final String word;

        Cause(String word) {
            this.word = word;
        }

        public String word() {
            return word;
        }
    }
}
