package io.jsupervise.spec;

import java.util.Optional;

/** The resource limits of Linux (getrlimit(2)), under the names that prlimit(1) gives them. */
public enum Limit {
    CPU(0, Unit.COUNT),
    FSIZE(1, Unit.BYTES),
    DATA(2, Unit.BYTES),
    STACK(3, Unit.BYTES),
    CORE(4, Unit.BYTES),
    RSS(5, Unit.BYTES),
    NPROC(6, Unit.COUNT),
    NOFILE(7, Unit.COUNT),
    MEMLOCK(8, Unit.BYTES),
    AS(9, Unit.BYTES),
    LOCKS(10, Unit.COUNT),
    SIGPENDING(11, Unit.COUNT),
    MSGQUEUE(12, Unit.BYTES),
    NICE(13, Unit.COUNT),
    RTPRIO(14, Unit.COUNT),
    RTTIME(15, Unit.COUNT);

    private enum Unit {
        BYTES,
        COUNT
    }

    private final int number;
    private final Unit unit;

    Limit(int number, Unit unit) {
        this.number = number;
        this.unit = unit;
    }

    /** As in services.yml and in the options of prlimit(1): {@code nofile}. */
    public String word() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }

    public static Optional<Limit> of(String word) {
        for (Limit limit : values()) {
            if (limit.word().equals(word)) {
                return Optional.of(limit);
            }
        }
        return Optional.empty();
    }

    /** RLIMIT_NOFILE and so on; the same on x86 and ARM. */
    public int number() {
        return number;
    }

    /** Whether it is an amount of memory or of disk. */
    public boolean isInBytes() {
        return unit == Unit.BYTES;
    }
}
