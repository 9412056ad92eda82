package io.jsupervise.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.lifecycle.TimerKind;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.supervision.SupervisorEvent;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** An end that waits for what was said before it, and what has to wait for the end. */
@Timeout(value = 10, unit = TimeUnit.SECONDS)
class LastWordsTest {
    private static final ServiceName WEB = new ServiceName("web");
    private static final RunId RUN = RunId.of("id", 1, 1);
    private static final MonotonicTime NOW = new MonotonicTime(1_000_000_000);
    private static final Event.ChildExited END = new Event.ChildExited(RUN, new ExitStatus.Exited(3));

    private final LastWords words = new LastWords();

    private static SupervisorEvent of(ServiceName service, Event event) {
        return new SupervisorEvent.OfService(service, event);
    }

    private static SupervisorEvent overdue(ServiceName service) {
        return of(service, new Event.TimerFired(TimerKind.START_TIMEOUT, 7));
    }

    private void ends() {
        words.hold(new Children.Exit(WEB, END), NOW);
    }

    @Test
    void who_has_ended_is_not_said_to_be_late_before_it_is_said_to_have_ended() {
        ends();
        assertTrue(words.defers(overdue(WEB)));
        assertEquals(List.of(of(WEB, END), overdue(WEB)), words.after(new Event.HeardOut(RUN, NOW, Optional.empty())));
        assertFalse(words.defers(overdue(WEB)), "nothing is held any more");
    }

    @Test
    void others_and_what_an_operator_asks_for_do_not_wait() {
        ends();
        assertFalse(words.defers(overdue(new ServiceName("db"))));
        assertFalse(words.defers(of(WEB, new Event.StopAsked())));
    }

    @Test
    void an_end_waits_no_longer_than_half_a_second_and_what_waits_for_it_comes_behind() {
        ends();
        words.defers(overdue(WEB));
        MonotonicTime until = NOW.plus(Duration.ofMillis(500));
        assertEquals(Optional.of(until), words.deadline());
        assertEquals(List.of(), words.overdue(new MonotonicTime(until.nanos() - 1)));
        assertEquals(List.of(of(WEB, END), overdue(WEB)), words.overdue(until));
        assertEquals(Optional.empty(), words.deadline());
    }

    @Test
    void where_another_process_goes_on_what_has_waited_is_judged_with_that() {
        assertEquals(Optional.empty(), words.forget(RUN));
        ends();
        words.defers(overdue(WEB));
        assertEquals(Optional.of(List.of(overdue(WEB))), words.forget(RUN));
        assertEquals(List.of(), words.after(new Event.HeardOut(RUN, NOW, Optional.empty())));
    }
}
