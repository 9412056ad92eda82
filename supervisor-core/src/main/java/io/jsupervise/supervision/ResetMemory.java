package io.jsupervise.supervision;

import io.jsupervise.lifecycle.Now;
import io.jsupervise.spec.ServiceName;
import java.util.Optional;

/**
 * What the supervisor's own record keeps of resets, so that the next boot can tell of this one.
 *
 * @param boot      how this boot came about; empty in the first one that is known
 * @param crashLogs names of what crashed kernels had left when this boot was looked at; empty where nobody looked
 * @param withheld  stands from before the first feed that is withheld until feeding goes on
 */
public record ResetMemory(Optional<BootReport> boot, Optional<String> crashLogs, Optional<Withheld> withheld) {
    public static final ResetMemory NONE = new ResetMemory(Optional.empty(), Optional.empty(), Optional.empty());

    /**
     * Why the watchdog is not fed, which will reset the machine.
     *
     * @param reason for people
     * @param since  on both clocks; the monotonic one says how old the boot was
     */
    public record Withheld(ServiceName service, String reason, Now since) {}

    ResetMemory with(Optional<Withheld> now) {
        return new ResetMemory(boot, crashLogs, now);
    }

    /** How many boots before this one were ended early by us, in a row. */
    public int resets() {
        return boot.isPresent() ? boot.get().resets() : 0;
    }
}
