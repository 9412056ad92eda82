package io.jsupervise.spec;

/**
 * One rung of the ladder of a service: what is done when its restarts alone did not help. Each but the last remedies is
 * followed by another start of the service, with a start limit that counts from nothing.
 */
public sealed interface Rung {
    /** As written in services.yml. */
    String word();

    /** Restart what depends on it, too: they may hold what it trips over. */
    record RestartDependents() implements Rung {
        @Override
        public String word() {
            return "restart-dependents";
        }
    }

    /** Restart its group: all of it where the strategy is one_for_one, else those whom the strategy names. */
    record RestartGroup() implements Rung {
        @Override
        public String word() {
            return "restart-group";
        }
    }

    /** Run a command, as hooks are run, and wait for its end. */
    record Run(Hooks.Hook hook) implements Rung {
        @Override
        public String word() {
            return "run";
        }
    }

    /** End the supervisor in order, with an exit code that says that this was no operator's wish. */
    record Shutdown() implements Rung {
        @Override
        public String word() {
            return "shutdown";
        }
    }

    /** Have the hardware watchdog reset the machine; the last rung, behind which there is none. */
    record Reboot() implements Rung {
        @Override
        public String word() {
            return "reboot";
        }
    }
}
