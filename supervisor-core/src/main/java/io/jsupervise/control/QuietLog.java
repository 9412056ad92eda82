package io.jsupervise.control;

import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.supervision.Happening;
import io.jsupervise.text.DurationText;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The lines of the supervisor's log, but of a service that flaps a summary now and then in place of an endless stream. A service
 * flaps when it has failed {@value #MANY} times within a minute; from then on its failures are counted, and what leads from one
 * to the next is left out, until it has not failed for a minute. Summaries come after one, two, four, ... minutes, later once an hour.
 * Warnings, and all that an operator or a policy brings about, are never left out; and the event file has everything.
 *
 * <p>Costs nothing for services that do not fail. One thread.
 */
public final class QuietLog {
    static final int MANY = 5;
    static final Duration WINDOW = Duration.ofMinutes(1);
    static final Duration LONGEST = Duration.ofHours(1);

    private final Consumer<EventLine> to;
    private final Map<ServiceName, Failing> failing = new HashMap<>();

    /** One that has failed lately. */
    private static final class Failing {
        /** The last ones, oldest first; {@value #MANY} at the most. */
        final Deque<MonotonicTime> last = new ArrayDeque<>();

        /** Present while it flaps: when the next summary is due, if it goes on. */
        Optional<MonotonicTime> summaryAt = Optional.empty();

        Duration interval = WINDOW;
        MonotonicTime begun = MonotonicTime.BOOT;
        long untold;
        long all;
        String reason = "";
        Optional<ServiceState> state = Optional.empty();

        boolean flaps() {
            return summaryAt.isPresent();
        }

        MonotonicTime calmAt() {
            return last.getLast().plus(WINDOW);
        }
    }

    /** @param to gets each line */
    public QuietLog(Consumer<EventLine> to) {
        this.to = to;
    }

    /** Something has happened, and is to be told unless there is too much of that. */
    public void tell(Happening event, MonotonicTime now) {
        if (event.event().equals("supervisor-ended")) {
            failing.forEach(this::sayWhatIsUntold);
            failing.clear();
        }
        Failing one = event.service().isPresent() ? failing(event, now) : null;
        if (one == null) {
            to.accept(EventLine.of(event));
            return;
        }
        if (event.to().isPresent()) {
            one.state = event.to();
        }
        EventLine line = EventLine.of(event);
        if (!one.flaps() || line.warning() || !isRoutine(event)) {
            to.accept(line);
        }
        if (!one.flaps() && isFailure(event) && one.last.size() == MANY && isBurst(one)) {
            begin(event.service().get(), one, now);
        }
    }

    /** The service of {@code event}, with this failure if it is one; null where it has not failed lately. */
    private Failing failing(Happening event, MonotonicTime now) {
        ServiceName name = event.service().get();
        if (!isFailure(event)) {
            return failing.get(name);
        }
        Failing one = failing.computeIfAbsent(name, any -> new Failing());
        if (one.last.size() == MANY) {
            one.last.removeFirst();
        }
        one.last.addLast(now);
        one.reason = String.valueOf(event.details().get("reason"));
        if (one.flaps()) {
            one.untold++;
            one.all++;
        }
        return one;
    }

    private static boolean isFailure(Happening event) {
        return event.to().equals(Optional.of(ServiceState.BACKOFF));
    }

    private static boolean isBurst(Failing one) {
        return one.last.getLast().since(one.last.getFirst()).compareTo(WINDOW) < 0;
    }

    /** What leads from one failure to the next, and nobody has brought about. */
    private static boolean isRoutine(Happening event) {
        return switch (event.event()) {
            case "exited", "start-failed" -> isFailure(event);
            case "started",
                    "ready",
                    "running",
                    "waiting",
                    "hook-started",
                    "hook-done",
                    "hook-failed",
                    "notified",
                    "check-recovered",
                    "stopping",
                    "dumping",
                    "killing" -> !"operator".equals(event.details().get("cause"));
            default -> false;
        };
    }

    private void begin(ServiceName name, Failing one, MonotonicTime now) {
        one.begun = one.last.getFirst();
        one.all = MANY;
        one.interval = WINDOW;
        one.summaryAt = Optional.of(now.plus(WINDOW));
        say(name + ": flaps, " + MANY + " failures in " + words(now.since(one.begun))
                + "; from now on there are summaries here, and all of it in the events");
    }

    /** When {@link #due} has something to say; empty where that needs another event first. */
    public Optional<MonotonicTime> next() {
        Optional<MonotonicTime> next = Optional.empty();
        for (Failing one : failing.values()) {
            if (one.flaps()) {
                MonotonicTime at = MonotonicTime.min(one.calmAt(), one.summaryAt.get());
                next = Optional.of(next.isPresent() ? MonotonicTime.min(next.get(), at) : at);
            }
        }
        return next;
    }

    /** Says what is due at {@code now}. */
    public void due(MonotonicTime now) {
        Iterator<Map.Entry<ServiceName, Failing>> all = failing.entrySet().iterator();
        while (all.hasNext()) {
            Map.Entry<ServiceName, Failing> entry = all.next();
            Failing one = entry.getValue();
            boolean calm = !now.isBefore(one.calmAt());
            if (calm && one.flaps()) {
                say(entry.getKey() + ": flaps no more, " + one.all + " failures in "
                        + words(one.last.getLast().since(one.begun)) + " in all, the last: " + one.reason + state(one));
            } else if (one.flaps() && !now.isBefore(one.summaryAt.get())) {
                sayWhatIsUntold(entry.getKey(), one);
                Duration twice = one.interval.multipliedBy(2);
                one.interval = twice.compareTo(LONGEST) < 0 ? twice : LONGEST;
                one.summaryAt = Optional.of(now.plus(one.interval));
            }
            if (calm) {
                all.remove();
            }
        }
    }

    private void sayWhatIsUntold(ServiceName name, Failing one) {
        if (one.untold > 0) {
            say(name + ": flaps, " + one.untold + (one.untold == 1 ? " more failure" : " more failures") + " in "
                    + words(one.interval) + ", the last: " + one.reason + state(one));
            one.untold = 0;
        }
    }

    private static String state(Failing one) {
        return one.state.isPresent() ? "; it is " + one.state.get() : "";
    }

    private void say(String text) {
        to.accept(new EventLine(text, true));
    }

    private static String words(Duration duration) {
        return DurationText.of(duration.toMillis());
    }
}
