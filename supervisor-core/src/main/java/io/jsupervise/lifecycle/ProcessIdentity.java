package io.jsupervise.lifecycle;

/**
 * One process within one boot: its pid and its start time, field 22 of {@code /proc/PID/stat} in clock ticks since
 * boot (proc(5)). Together with the boot id it names a process for ever.
 */
public record ProcessIdentity(Pid pid, long startTime) {
    /** Written out, as is {@link #hashCode}: those of records are made at run time, when the first one is needed. */
    @Override
    public boolean equals(Object other) {
        return other instanceof ProcessIdentity process
                && process.startTime == startTime
                && process.pid.value() == pid.value();
    }

    @Override
    public int hashCode() {
        return pid.value() * 31 + Long.hashCode(startTime);
    }
}
