package io.jsupervise.supervision;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Who wants the services file to be read, and which readings are under way. A reading may take long on a slow disk, so it
 * is ordered and its result comes back as an event. There is one at a time that will be applied; whoever asks while it
 * goes on may mean a file that has changed since it began, so all of those get one more reading together. A reading that
 * only shows what it would change stands apart, each for itself.
 */
final class Reloads {
    private final Map<Long, Reading> readings = new HashMap<>();
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

        Order order() {
            return new Order.ReadConfiguration(number, file);
        }
    }

    /** HUP came. */
    Optional<Order> signalled(String signal) {
        return want(signal, Optional.empty());
    }

    /** The reading that is to begin now, if one is. */
    Optional<Order> asked(Waiter waiter) {
        if (!waiter.ask().dryRun()) {
            return want(waiter.asker(), Optional.of(waiter));
        }
        Reading reading = new Reading(++lastReading, waiter.ask().file(), true);
        reading.waiters.add(waiter);
        readings.put(reading.number, reading);
        return Optional.of(reading.order());
    }

    private Optional<Order> want(String asker, Optional<Waiter> waiter) {
        boolean begins = applying.isEmpty();
        Reading reading = begins ? fresh() : next.orElseGet(this::fresh);
        reading.add(asker);
        waiter.ifPresent(reading.waiters::add);
        if (begins) {
            applying = Optional.of(reading);
            return Optional.of(reading.order());
        }
        next = Optional.of(reading);
        return Optional.empty();
    }

    private Reading fresh() {
        Reading reading = new Reading(++lastReading, Optional.empty(), false);
        readings.put(reading.number, reading);
        return reading;
    }

    /** A reading has come to its end. */
    Reading done(long number) {
        Reading reading = readings.remove(number);
        if (reading == null) {
            throw new AssertionError("nobody ordered reading " + number);
        }
        return reading;
    }

    /** After the end of one that was to be applied: the one that has waited for it. */
    Optional<Order> begin() {
        applying = next;
        next = Optional.empty();
        return applying.map(Reading::order);
    }
}
