package io.jsupervise.lifecycle;

/**
 * One process within one boot: its pid and its start time, field 22 of {@code /proc/PID/stat} in clock ticks since
 * boot (proc(5)). Together with the boot id it names a process for ever.
 */
public record ProcessIdentity(Pid pid, long startTime) {}
