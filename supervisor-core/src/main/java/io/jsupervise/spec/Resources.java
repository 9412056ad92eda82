package io.jsupervise.spec;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * How much a service may have, all of its processes together, by a control group of its own (cgroups(7), version 2). Where no
 * limit is set it is a group all the same, out of which no process gets that has no right to, so that a tree is ended whole.
 *
 * @param memoryMax in bytes (memory.max)
 * @param cpuQuota  microseconds of processor time in each {@link #PERIOD} (cpu.max); more than that for several processors
 * @param pidsMax   processes and threads (pids.max)
 * @param optional  whether it is started all the same where this cannot be had
 */
public record Resources(OptionalLong memoryMax, OptionalLong cpuQuota, OptionalInt pidsMax, boolean optional) {
    /** The kernel's own default, in microseconds. */
    public static final long PERIOD = 100_000;

    /** What the kernel takes, in microseconds. */
    public static final long LEAST_QUOTA = 1_000;

    public Resources {
        if (cpuQuota.isPresent() && cpuQuota.getAsLong() < LEAST_QUOTA) {
            throw new IllegalArgumentException("cpu_max must be at least one percent of a processor");
        }
        if (pidsMax.isPresent() && pidsMax.getAsInt() < 1) {
            throw new IllegalArgumentException("pids_max must be at least 1");
        }
    }

    /** The controllers that it takes, as the kernel calls them. */
    public List<String> controllers() {
        List<String> names = new ArrayList<>();
        if (memoryMax.isPresent()) {
            names.add("memory");
        }
        if (cpuQuota.isPresent()) {
            names.add("cpu");
        }
        if (pidsMax.isPresent()) {
            names.add("pids");
        }
        return names;
    }

    /** What the file of a limit is to hold, {@code memory.max} and so on. */
    public String value(String controller) {
        return switch (controller) {
            case "memory" -> memoryMax.isPresent() ? Long.toString(memoryMax.getAsLong()) : "max";
            case "cpu" -> (cpuQuota.isPresent() ? Long.toString(cpuQuota.getAsLong()) : "max") + " " + PERIOD;
            case "pids" -> pidsMax.isPresent() ? Integer.toString(pidsMax.getAsInt()) : "max";
            default -> throw new IllegalArgumentException(controller);
        };
    }
}
