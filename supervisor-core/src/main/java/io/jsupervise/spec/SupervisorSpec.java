package io.jsupervise.spec;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * What the operator asked for of the supervisor itself. All paths are absolute; {@code stateDir} and
 * {@code runtimeDir} already end in the subdirectory of a supervisor that is not called {@code default}.
 *
 * @param stateDir          journal, logs, FIFOs, events: survives a reboot
 * @param runtimeDir        control socket, heartbeats, supervisor.json
 * @param socket            the control socket
 * @param socketGroup       members of this group may read through the socket
 * @param maxParallelStarts starts under way at once; 0 means no limit
 * @param heartbeatFile     our own heartbeat, for watchdog(8)
 * @param heartbeatInterval time between two touches of it
 * @param watchdog          the hardware that watches us; empty for none
 */
public record SupervisorSpec(
        String name,
        Path stateDir,
        Path runtimeDir,
        Path socket,
        Optional<String> socketGroup,
        int maxParallelStarts,
        Path heartbeatFile,
        Duration heartbeatInterval,
        Optional<WatchdogSpec> watchdog) {
    public static final String DEFAULT_NAME = "default";

    public SupervisorSpec {
        for (Path path : new Path[] {stateDir, runtimeDir, socket, heartbeatFile}) {
            if (!path.isAbsolute()) {
                throw new IllegalArgumentException("path must be absolute: " + path);
            }
        }
        if (maxParallelStarts < 0) {
            throw new IllegalArgumentException("max_parallel_starts must not be negative");
        }
        if (heartbeatInterval.isZero() || heartbeatInterval.isNegative()) {
            throw new IllegalArgumentException("heartbeat interval must be longer than zero");
        }
    }

    /** One that no hardware watches. */
    public SupervisorSpec(
            String name,
            Path stateDir,
            Path runtimeDir,
            Path socket,
            Optional<String> socketGroup,
            int maxParallelStarts,
            Path heartbeatFile,
            Duration heartbeatInterval) {
        this(
                name,
                stateDir,
                runtimeDir,
                socket,
                socketGroup,
                maxParallelStarts,
                heartbeatFile,
                heartbeatInterval,
                Optional.empty());
    }
}
