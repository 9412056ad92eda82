package io.jsupervise.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.supervision.Happening;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How much of a service that flaps is in the log, and that nothing else is missing there. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class QuietLogTest {
    private final List<String> lines = new ArrayList<>();
    private final QuietLog log = new QuietLog(line -> lines.add((line.warning() ? "WARN " : "") + line.text()));
    private MonotonicTime now = new MonotonicTime(1_000_000_000_000L);
    private long seq;

    private void tell(String name, String event, ServiceState from, ServiceState to, Map<String, Object> details) {
        log.due(now);
        log.tell(
                new Happening(
                        ++seq,
                        Instant.EPOCH,
                        Optional.of(new ServiceName(name)),
                        event,
                        Optional.ofNullable(from),
                        Optional.ofNullable(to),
                        details),
                now);
    }

    /** Started, ready, and dead. */
    private void fails(String name) {
        tell(name, "started", null, ServiceState.STARTING, Map.of("pid", 7L));
        tell(name, "ready", ServiceState.STARTING, ServiceState.RUNNING, Map.of());
        tell(name, "exited", ServiceState.RUNNING, ServiceState.BACKOFF, Map.of("reason", "exit 1"));
    }

    private void later(Duration time) {
        now = now.plus(time);
    }

    /** Time passes, and what is due is said when it is. */
    private void pass(Duration time) {
        MonotonicTime end = now.plus(time);
        while (log.next().isPresent() && !end.isBefore(log.next().get())) {
            now = log.next().get();
            log.due(now);
        }
        now = end;
    }

    @Test
    void a_service_that_fails_now_and_then_has_all_its_lines() {
        for (int i = 0; i < 20; i++) {
            fails("web");
            later(Duration.ofSeconds(16));
        }
        assertEquals(60, lines.size());
        assertEquals(Optional.empty(), log.next());
    }

    @Test
    void a_service_that_flaps_for_an_hour_has_a_few_lines() {
        for (int i = 0; i < 3600; i++) {
            fails("web");
            later(Duration.ofSeconds(1));
        }
        assertEquals(
                "WARN web: flaps, 5 failures in 4s; from now on there are summaries here, and all of it in the events",
                lines.get(15));
        assertEquals(
                "WARN web: flaps, 59 more failures in 1m, the last: exit 1; it is RUNNING",
                lines.get(16).replace("BACKOFF", "RUNNING"));
        assertTrue(lines.size() < 25, lines.size() + " lines");
        int before = lines.size();
        pass(Duration.ofMinutes(10));
        assertEquals(before + 1, lines.size());
        assertEquals(
                "WARN web: flaps no more, 3600 failures in 59m59s in all, the last: exit 1; it is BACKOFF",
                lines.get(before));
        fails("web");
        assertEquals(before + 4, lines.size(), "told in full again");
    }

    @Test
    void each_failure_is_in_some_line() {
        for (int i = 0; i < 500; i++) {
            fails("web");
            later(Duration.ofMillis(700));
        }
        long told = lines.stream()
                .filter(line -> line.contains("RUNNING -> BACKOFF"))
                .count();
        for (String line : lines) {
            if (line.contains(" more failure")) {
                told += Long.parseLong(line.substring(line.indexOf(", ") + 2, line.indexOf(" more")));
            }
        }
        tell("web", "supervisor-ended", null, null, Map.of());
        String last = lines.get(lines.size() - 2);
        told += Long.parseLong(last.substring(last.indexOf(", ") + 2, last.indexOf(" more")));
        assertEquals(500, told);
    }

    @Test
    void what_is_no_routine_is_told_all_the_same() {
        for (int i = 0; i < 10; i++) {
            fails("web");
        }
        int before = lines.size();
        fails("db");
        assertEquals(before + 3, lines.size(), "another service");
        tell(
                "web",
                "stopping",
                ServiceState.RUNNING,
                ServiceState.STOPPING,
                Map.of("cause", "operator", "reason", "x"));
        tell("web", "stopped", ServiceState.STOPPING, ServiceState.STOPPED, Map.of());
        tell("web", "gave-up", ServiceState.RUNNING, ServiceState.FATAL, Map.of("reason", "exit 1", "gave_up", "x"));
        tell("web", "hook-missing", null, null, Map.of());
        tell("web", "exited", ServiceState.RUNNING, ServiceState.EXITED, Map.of("reason", "exit 0"));
        assertEquals(before + 8, lines.size(), lines.toString());
    }
}
