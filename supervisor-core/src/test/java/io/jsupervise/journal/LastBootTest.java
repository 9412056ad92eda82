package io.jsupervise.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Now;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.WatchdogSpec.RebootLimit;
import io.jsupervise.supervision.BootReport;
import io.jsupervise.supervision.BootReport.Cause;
import io.jsupervise.supervision.ResetMemory;
import io.jsupervise.supervision.ResetMemory.Withheld;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is made of a record and of what the machine tells, in another boot. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class LastBootTest {
    private static final RebootLimit LIMIT = new RebootLimit(3, Duration.ofHours(1));

    /** The age of the boot at which the feed was withheld is in minutes; -1 where it was not. */
    @ParameterizedTest
    @CsvSource(
            textBlock =
                    """
            # in order, withheld at, resets before, card reset, power, crash log | cause, resets
            true,  -1, 0, false, false, false, ORDERLY,  0
            true,  -1, 2, false, false, false, ORDERLY,  0
            true,  -1, 0, true,  false, false, WATCHDOG, 0
            false, -1, 0, true,  false, false, WATCHDOG, 0
            false, -1, 2, true,  false, false, WATCHDOG, 0
            false, 10, 0, true,  false, false, WATCHDOG, 1
            false, 10, 2, true,  false, false, WATCHDOG, 3
            false, 59, 1, false, false, false, WATCHDOG, 2
            false, 60, 1, true,  false, false, WATCHDOG, 0
            false, 99, 2, true,  false, false, WATCHDOG, 0
            false, -1, 0, false, true,  false, POWER,    0
            false, -1, 2, false, true,  false, POWER,    0
            false, -1, 0, false, false, true,  PANIC,    0
            false, 10, 1, true,  false, true,  PANIC,    0
            false, -1, 1, false, false, false, UNKNOWN,  0
            """)
    void a_record_and_the_machine_tell_the_cause(
            boolean inOrder,
            int withheldAt,
            int resetsBefore,
            boolean cardReset,
            boolean power,
            boolean crashLog,
            Cause cause,
            int resets) {
        SupervisorRecord before = record("b1", inOrder, withheldAt, resetsBefore);
        LastBoot.Known known = LastBoot.judge(
                Optional.of(before),
                "b2",
                LIMIT,
                () -> new LastBoot.Evidence(cardReset, power, Optional.empty(), crashLog ? "dmesg-1" : ""));
        BootReport report = known.memory().boot().orElseThrow();
        assertEquals(cause, report.cause());
        assertEquals(resets, report.resets());
        assertTrue(known.isNew());
        assertEquals(Optional.empty(), known.memory().withheld());
    }

    @Test
    void within_a_boot_the_first_judgement_stands_and_nobody_looks_again() {
        SupervisorRecord before = record("b1", false, 10, 2);
        LastBoot.Known known = LastBoot.judge(Optional.of(before), "b1", LIMIT, () -> {
            throw new AssertionError("looked");
        });
        assertFalse(known.isNew());
        assertEquals(before.resets().boot(), known.memory().boot());
        assertEquals(Optional.empty(), known.memory().withheld());
    }

    @Test
    void a_crash_log_that_was_there_before_tells_nothing() {
        SupervisorRecord before = new SupervisorRecord(
                "b1",
                "1",
                Instant.EPOCH,
                false,
                1,
                Optional.empty(),
                new ResetMemory(Optional.empty(), Optional.of("old"), Optional.empty()));
        LastBoot.Known known = LastBoot.judge(
                Optional.of(before), "b2", LIMIT, () -> new LastBoot.Evidence(false, false, Optional.of(0), "old"));
        BootReport report = known.memory().boot().orElseThrow();
        assertEquals(Cause.UNKNOWN, report.cause());
        assertTrue(report.evidence().endsWith("(bootstatus 0)"), report.evidence());
    }

    @Test
    void without_a_record_there_is_no_boot_to_tell_of() {
        LastBoot.Known known = LastBoot.judge(
                Optional.empty(), "b1", LIMIT, () -> new LastBoot.Evidence(true, false, Optional.of(32), ""));
        assertEquals(Optional.empty(), known.memory().boot());
        assertEquals(Optional.of(""), known.memory().crashLogs());
    }

    @Test
    void what_is_remembered_is_read_as_it_was_written() throws JournalException {
        SupervisorRecord record = record("b1", false, 10, 2);
        assertEquals(record, new JournalCodec().decodeSupervisor(new JournalCodec().encode(record)));
        SupervisorRecord plain = new SupervisorRecord("b1", "1", Instant.EPOCH, true, 3, Optional.empty());
        assertEquals(plain, new JournalCodec().decodeSupervisor(new JournalCodec().encode(plain)));
    }

    private static SupervisorRecord record(String boot, boolean inOrder, int withheldAt, int resets) {
        Optional<Withheld> withheld = withheldAt < 0
                ? Optional.empty()
                : Optional.of(new Withheld(
                        new ServiceName("db"),
                        "more than 5 restarts within 5m",
                        new Now(
                                new MonotonicTime(Duration.ofMinutes(withheldAt).toNanos()),
                                Instant.parse("2026-01-31T12:00:00Z"))));
        BootReport report = new BootReport(Cause.WATCHDOG, "the feed was withheld", resets);
        return new SupervisorRecord(
                boot,
                "1",
                Instant.EPOCH,
                inOrder,
                1,
                Optional.empty(),
                new ResetMemory(Optional.of(report), Optional.of(""), withheld));
    }
}
