package io.jsupervise.supervision;

import io.jsupervise.lifecycle.MonotonicTime;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Who wants the services file to be read, and which readings are under way. A reading may take long on a slow disk, so it
 * is ordered and its result comes back as an event. There is one at a time that will be applied; whoever asks while it
 * goes on may mean a file that has changed since it began, so all of those get one more reading together. A reading that
 * only shows what it would change stands apart, each for itself.
 *
 * <p>A reading can hang: open(2) of a FIFO waits for a writer, a dead network file system for its server, and nothing ends such
 * a wait from outside. So it is given up after a while and left behind with its thread, and later ones go on. As each of
 * these costs a thread until it comes back, there is a limit to their number.
 */
final class Reloads {
    /** A file that is not read by then is not being read. */
    static final Duration PATIENCE = Duration.ofSeconds(10);

    private static final int MOST_HANGING = 8;

    /** In the order of their deadlines. */
    private final Map<Long, Reading> readings = new LinkedHashMap<>();

    /** Given up, and not yet come back. */
    private final Set<Long> hanging = new HashSet<>();

    private Optional<Reading> applying = Optional.empty();
    private Optional<Reading> next = Optional.empty();
    private long lastReading;

    /**
     * Somebody who waits for the answer.
     *
     * @param asker who asked, as events name them
     */
    record Waiter(long request, Ask.Reload ask, String asker) {}

    /** One reading, and on whose behalf it is made. */
    static final class Reading {
        final long number;
        final Optional<Path> file;
        final boolean dry;
        final List<Waiter> waiters = new ArrayList<>();
        final List<String> by = new ArrayList<>();
        private MonotonicTime deadline = MonotonicTime.BOOT;

        private Reading(long number, Optional<Path> file, boolean dry) {
            this.number = number;
            this.file = file;
            this.dry = dry;
        }

        /** Who is to be named, each once. */
        String askers() {
            return String.join(", ", by);
        }

        private void add(String asker) {
            if (!by.contains(asker)) {
                by.add(asker);
            }
        }

        private Order order() {
            return new Order.ReadConfiguration(number, file);
        }
    }

    /** HUP came; the reading that is to {@link #begin} now, if one is. */
    Optional<Reading> signalled(String signal) {
        return want(signal, Optional.empty());
    }

    /** The reading that is to {@link #begin} now, if one is. */
    Optional<Reading> asked(Waiter waiter) {
        if (!waiter.ask().dryRun()) {
            return want(waiter.asker(), Optional.of(waiter));
        }
        Reading reading = new Reading(++lastReading, waiter.ask().file(), true);
        reading.waiters.add(waiter);
        return Optional.of(reading);
    }

    private Optional<Reading> want(String asker, Optional<Waiter> waiter) {
        boolean begins = applying.isEmpty();
        Reading reading = begins ? fresh() : next.orElseGet(this::fresh);
        reading.add(asker);
        waiter.ifPresent(reading.waiters::add);
        if (begins) {
            applying = Optional.of(reading);
            return applying;
        }
        next = Optional.of(reading);
        return Optional.empty();
    }

    private Reading fresh() {
        return new Reading(++lastReading, Optional.empty(), false);
    }

    /** Why no reading can begin; empty where one can. */
    Optional<String> obstacle() {
        return hanging.size() < MOST_HANGING
                ? Optional.empty()
                : Optional.of(hanging.size()
                        + " earlier readings hang and hold a thread each, which go when what they wait for answers, "
                        + "or with the supervisor (shutdown --leave-running leaves its services running)");
    }

    /** From now on it is under way. */
    Order begin(Reading reading, MonotonicTime now) {
        reading.deadline = now.plus(PATIENCE);
        readings.put(reading.number, reading);
        return reading.order();
    }

    /** When the next one is to be given up. */
    Optional<MonotonicTime> deadline() {
        return readings.isEmpty()
                ? Optional.empty()
                : Optional.of(readings.values().iterator().next().deadline);
    }

    /** Those that are given up at {@code now}: what becomes of them later is of no interest to anybody. */
    List<Reading> overdue(MonotonicTime now) {
        List<Reading> overdue = new ArrayList<>();
        for (Reading reading : readings.values()) {
            if (!now.isBefore(reading.deadline)) {
                overdue.add(reading);
            }
        }
        for (Reading reading : overdue) {
            readings.remove(reading.number);
            hanging.add(reading.number);
        }
        return overdue;
    }

    /** A reading has come to its end; empty where it had been given up by then. */
    Optional<Reading> done(long number) {
        Reading reading = readings.remove(number);
        if (reading == null && !hanging.remove(number)) {
            throw new AssertionError("nobody ordered reading " + number);
        }
        return Optional.ofNullable(reading);
    }

    /** After the end of one that was to be applied: the one that has waited for it. */
    Optional<Reading> next() {
        applying = next;
        next = Optional.empty();
        return applying;
    }
}
