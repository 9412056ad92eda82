package io.jsupervise.lifecycle;

import io.jsupervise.spec.Signal;

/** How a process ended, as waitid(2) tells it. */
public sealed interface ExitStatus {
    /** It called exit; 0 to 255. */
    record Exited(int code) implements ExitStatus {
        @Override
        public String toString() {
            return "exit " + code;
        }
    }

    /** A signal ended it; {@code core} where a core was dumped. */
    record Killed(Signal signal, boolean core) implements ExitStatus {
        @Override
        public String toString() {
            return signal.fullName() + (core ? " (core dumped)" : "");
        }
    }

    /** It ended where nobody could see how. */
    record Unknown() implements ExitStatus {
        @Override
        public String toString() {
            return "unknown exit";
        }
    }
}
