package io.jsupervise.supervision;

import io.jsupervise.lifecycle.End;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.ServiceName;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Why a service is in its state, what happens next, and what an operator can do about it: the answer to {@code jsupervise why}. A
 * value; {@link Explaining} makes it of a living supervisor's services, and the command line of what a dead one has recorded.
 *
 * @param supervised whether a supervisor answers; otherwise this is what one has left
 * @param summary    the whole of it in one line, without a full stop
 * @param because    the chain of causes: the service itself, then what it waits for, down to the one that everything hangs on
 * @param failures   the last ends of that one, newest first
 * @param log        where its last words are to be found; empty where they say nothing or there are none
 * @param ladder     where that one stands on its ladder; empty where it has none, or nobody knows
 * @param next       what follows by itself
 * @param can        what an operator can do
 * @param notes      what else is worth knowing
 */
public record Explanation(
        ServiceName service,
        Wanted wanted,
        boolean supervised,
        String summary,
        List<Link> because,
        List<End> failures,
        Optional<LogSpec.ToFile> log,
        Optional<Ladder> ladder,
        Next next,
        List<Remedy> can,
        List<String> notes) {
    /** So many ends are told of. */
    public static final int MOST_FAILURES = 5;

    public Explanation {
        because = List.copyOf(because);
        failures = List.copyOf(failures);
        can = List.copyOf(can);
        notes = List.copyOf(notes);
    }

    /**
     * One service in the chain.
     *
     * @param since  when its state began; empty where nobody recorded that
     * @param lasted how long that is ago
     * @param text   why it is in that state, in words that go on where {@code web is WAITING:} ends
     */
    public record Link(
            ServiceName service, ServiceState state, Optional<Instant> since, Optional<Duration> lasted, String text) {}

    /**
     * Where a service stands on its ladder.
     *
     * @param rungs what they are called in the services file, the first one first
     * @param taken how many were taken since it last worked
     * @param why   what the last of these was taken for; empty where none was
     * @param done  whether what that one asks for is done
     * @param last  the rung that was taken last; empty where none was, or the services file no longer has it
     * @param next  the one that comes next; empty beyond the last
     * @param then  when that will be, in words
     */
    public record Ladder(
            List<String> rungs,
            int taken,
            Optional<String> why,
            boolean done,
            Optional<Step> last,
            Optional<Step> next,
            String then) {
        public Ladder {
            rungs = List.copyOf(rungs);
        }
    }

    /**
     * A rung.
     *
     * @param number from 1
     * @param action what it is called in the services file
     * @param text   what it does, as an order in words: {@code run /opt/repair}
     */
    public record Step(int number, String action, String text) {}

    /**
     * What follows by itself.
     *
     * @param at when, by the wall clock; empty where no time is known
     * @param in how long until then; zero where it is due
     */
    public record Next(String text, Optional<Instant> at, Optional<Duration> in) {
        public static Next of(String text) {
            return new Next(text, Optional.empty(), Optional.empty());
        }

        Next then(String more) {
            return new Next(text + "; " + more, at, in);
        }
    }

    /**
     * Something to do.
     *
     * @param command to be typed as it is; begins with {@code jsupervise}
     * @param what    what it is good for
     */
    public record Remedy(String command, String what) {}

    /** The one that everything hangs on. */
    public Link root() {
        return because.get(because.size() - 1);
    }
}
