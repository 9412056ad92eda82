package io.jsupervise.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.jsupervise.spec.RestartIntensity;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What counts against a start limit, and what is remembered of ends. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class HistoryTest {
    /** Restarts are wished for at these seconds; which are allowed under COUNT within WITHIN seconds? */
    @ParameterizedTest(name = "{0} within {1} s, wished at {2}: {3}")
    @CsvSource({
        "3, 10, '0 1 2 3',         'yes yes yes no'",
        "3, 10, '0 1 2 10',        'yes yes yes yes'",
        "3, 10, '0 1 2 9',         'yes yes yes no'",
        "3, 10, '0 1 2 10 11 11.5','yes yes yes yes yes no'",
        "1, 10, '0 10 20 29',      'yes yes yes no'",
        "0, 10, '0 100',           'no no'",
        "2, 60, '100 100 100',     'yes yes no'",
    })
    void a_window_holds_at_most_the_count(int count, long within, String wishes, String expected) {
        RestartIntensity limit = new RestartIntensity(count, Duration.ofSeconds(within));
        History history = History.EMPTY;
        List<String> answers = new ArrayList<>();
        for (String wish : wishes.split(" ")) {
            MonotonicTime at = new MonotonicTime((long) (Double.parseDouble(wish) * 1e9));
            boolean allowed = history.allows(at, limit);
            answers.add(allowed ? "yes" : "no");
            if (allowed) {
                history = history.restarting(at, Optional.of(limit));
            }
        }
        assertEquals(expected, String.join(" ", answers));
    }

    @Test
    void times_are_kept_only_for_a_limit_and_only_for_its_window() {
        RestartIntensity limit = new RestartIntensity(5, Duration.ofSeconds(10));
        History unlimited = History.EMPTY.restarting(at(1), Optional.empty());
        assertEquals(List.of(), unlimited.restartTimes());
        History limited = History.EMPTY
                .restarting(at(1), Optional.of(limit))
                .restarting(at(5), Optional.of(limit))
                .restarting(at(12), Optional.of(limit));
        assertEquals(List.of(at(5), at(12)), limited.restartTimes());
        assertEquals(3, limited.restarts());
    }

    @Test
    void a_restart_that_is_not_made_is_not_counted() {
        RestartIntensity limit = new RestartIntensity(1, Duration.ofMinutes(1));
        History history = History.EMPTY.restarting(at(1), Optional.of(limit)).restartCancelled();
        assertEquals(0, history.restarts());
        assertEquals(List.of(), history.restartTimes());
    }

    @Test
    void a_restart_counts_when_it_is_made_not_when_it_was_due() {
        RestartIntensity limit = new RestartIntensity(2, Duration.ofMinutes(1));
        History history = History.EMPTY
                .restarting(at(1), Optional.of(limit))
                .restarting(at(2), Optional.of(limit))
                .restartMade(at(9));
        assertEquals(List.of(at(1), at(9)), history.restartTimes());
        assertEquals(History.EMPTY, History.EMPTY.restartMade(at(9)));
    }

    @Test
    void an_operator_is_forgiven_everything_but_the_count_and_the_ends() {
        RestartIntensity limit = new RestartIntensity(2, Duration.ofMinutes(1));
        History history = History.EMPTY.restarting(at(1), Optional.of(limit)).ended(end(7));
        assertEquals(new History(1, 0, List.of(), List.of(end(7))), history.forgiven());
        assertEquals(new History(1, 0, List.of(at(1)), List.of(end(7)), true, Climb.FOOT), history.recovered());
    }

    @Test
    void a_restart_that_has_worked_is_none_in_vain_and_those_before_it_still_are() {
        RestartIntensity limit = new RestartIntensity(5, Duration.ofMinutes(1));
        History history = History.EMPTY.restarting(at(1), Optional.of(limit)).restarting(at(2), Optional.of(limit));
        assertEquals(List.of(at(1)), history.worked().restartTimes());
        assertEquals(List.of(at(1)), history.worked().worked().restartTimes(), "it was one restart");
        assertEquals(List.of(at(1), at(2)), history.startedOtherwise().worked().restartTimes(), "it was no restart");
    }

    @Test
    void each_rung_begins_with_nothing_and_what_works_begins_with_the_first() {
        RestartIntensity limit = new RestartIntensity(2, Duration.ofMinutes(1));
        History history = History.EMPTY
                .restarting(at(1), Optional.of(limit))
                .restarting(at(2), Optional.of(limit))
                .climbed("in vain", Optional.of(new RunId("r")));
        assertEquals(List.of(), history.restartTimes());
        assertEquals(0, history.failures());
        assertEquals(new Climb(1, "in vain", Optional.of(new RunId("r"))), history.climb());
        assertEquals(Climb.FOOT, history.worked().climb());
        assertEquals(Climb.FOOT, history.forgiven().climb());
        assertEquals(1, history.outlivingItsShutdown().climb().taken());
        assertEquals(Optional.empty(), history.outlivingItsShutdown().climb().due());
    }

    @Test
    void the_last_twenty_ends_are_remembered() {
        History history = History.EMPTY;
        for (int i = 0; i < 50; i++) {
            history = history.ended(end(i));
        }
        assertEquals(20, history.ends().size());
        assertEquals(end(30), history.ends().get(0));
        assertEquals(Optional.of(end(49)), history.lastEnd());
        assertEquals(Optional.empty(), History.EMPTY.lastEnd());
    }

    private static End end(int code) {
        return new End(
                Instant.EPOCH,
                Optional.of(new ExitStatus.Exited(code)),
                Cause.EXIT,
                "exit " + code,
                Duration.ZERO,
                Optional.empty());
    }

    private static MonotonicTime at(long seconds) {
        return new MonotonicTime(seconds * 1_000_000_000L);
    }
}
