package io.jsupervise.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.jsupervise.spec.Signal;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How an end reads; exit 137 and SIGKILL are two things. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class ExitStatusTest {
    @Test
    void an_end_reads_as_the_kernel_told_it() {
        assertEquals("exit 0", new ExitStatus.Exited(0).toString());
        assertEquals("exit 137", new ExitStatus.Exited(137).toString());
        assertEquals("SIGKILL", new ExitStatus.Killed(Signal.KILL, false).toString());
        assertEquals("SIGSEGV (core dumped)", new ExitStatus.Killed(Signal.SEGV, true).toString());
        assertEquals("unknown exit", new ExitStatus.Unknown().toString());
    }

    @Test
    void causes_are_written_with_dashes() {
        assertEquals("start-failed", Cause.START_FAILED.word());
        assertEquals("heartbeat", Cause.HEARTBEAT.word());
    }
}
