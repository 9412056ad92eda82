package io.jsupervise.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Notice;
import io.jsupervise.lifecycle.Pid;
import io.jsupervise.os.Errno;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.Random;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** One row a message: what is understood of it, and what is said about it. */
@Timeout(20)
class NotifyCodecTest {
    private record Row(String message, Predicate<Notice> understood, String problem) {}

    private static Row row(String message, Predicate<Notice> understood) {
        return new Row(message, understood, "");
    }

    private static Row wrong(String message, String shown) {
        return new Row(message, NotifyCodecTest::saysNothing, "\"" + shown + "\" makes no sense");
    }

    private static boolean saysNothing(Notice notice) {
        return notice.equals(NotifyCodec.decode(new byte[0], Errno::words).notice());
    }

    private static final Row[] ROWS = {
        row("", NotifyCodecTest::saysNothing),
        row("READY=1", Notice::ready),
        row("READY=1\n", Notice::ready),
        row("\n\nREADY=1\n\nSTATUS=a=b\n", n -> n.ready() && n.status().equals(Optional.of("a=b"))),
        row("RELOADING=1\nMONOTONIC_USEC=12", n -> n.reloading() && !n.ready()),
        row("STOPPING=1", Notice::stopping),
        row("WATCHDOG=1", n -> n.ping() && !n.trigger()),
        row("WATCHDOG=trigger", n -> n.trigger() && !n.ping()),
        row("WATCHDOG_USEC=1500000", n -> n.watchdog().equals(Optional.of(Duration.ofMillis(1500)))),
        row("WATCHDOG_USEC=0", n -> n.watchdog().equals(Optional.of(Duration.ZERO))),
        row("EXTEND_TIMEOUT_USEC=1000", n -> n.extend().equals(Optional.of(Duration.ofMillis(1)))),
        row(
                "ERRNO=2\nEXIT_STATUS=3",
                n -> n.errno().equals(Optional.of("ENOENT (no such file or directory)"))
                        && n.exitStatus().equals(Optional.of(3))),
        row("ERRNO=4000", n -> n.errno().equals(Optional.of("errno 4000"))),
        row("MAINPID=4711", n -> n.mainPid().equals(Optional.of(new Pid(4711)))),
        row("BARRIER=1", NotifyCodecTest::saysNothing),
        row("FDSTORE=1\nFDNAME=x", NotifyCodecTest::saysNothing),
        row("X_OTHER=what=ever", NotifyCodecTest::saysNothing),
        row("STATUS=", n -> n.status().equals(Optional.of(""))),
        row("STATUS=\u001b[31mred", n -> n.status().equals(Optional.of("?[31mred"))),
        row("STATUS=a\u202eb", n -> n.status().equals(Optional.of("a?b"))),
        row("STATUS=" + "x".repeat(4000), n -> n.status().orElseThrow().length() == 200),
        wrong("READY", "READY"),
        wrong("READY=0", "READY=0"),
        wrong("READY=yes", "READY=yes"),
        wrong("=1", "=1"),
        wrong("WATCHDOG=2", "WATCHDOG=2"),
        wrong("WATCHDOG_USEC=-1", "WATCHDOG_USEC=-1"),
        wrong("WATCHDOG_USEC=99999999999999999999", "WATCHDOG_USEC=99999999999999999999"),
        wrong("EXTEND_TIMEOUT_USEC=1s", "EXTEND_TIMEOUT_USEC=1s"),
        wrong("MAINPID=0", "MAINPID=0"),
        wrong("MAINPID=2147483648", "MAINPID=2147483648"),
        wrong("ERRNO=5000", "ERRNO=5000"),
        wrong("EXIT_STATUS=256", "EXIT_STATUS=256"),
        wrong("\u0000" + "x".repeat(100), "?" + "x".repeat(39) + "..."),
        new Row("READY=maybe\nWATCHDOG=1", Notice::ping, "\"READY=maybe\" makes no sense"),
    };

    @Test
    void each_message_is_understood_as_its_row_says() {
        for (Row row : ROWS) {
            NotifyCodec.Message message =
                    NotifyCodec.decode(row.message.getBytes(StandardCharsets.UTF_8), Errno::words);
            assertTrue(row.understood.test(message.notice()), row.message + " -> " + message);
            assertEquals(row.problem, message.problem().orElse(""), row.message);
        }
    }

    @Test
    void no_bytes_can_make_it_fail() {
        Random random = new Random(1);
        byte[] words = "READY=1\nWATCHDOG=trigger\nSTATUS=\nWATCHDOG_USEC=9\nMAINPID=1\nERRNO=1\n"
                .getBytes(StandardCharsets.US_ASCII);
        for (int i = 0; i < 200_000; i++) {
            byte[] some = new byte[random.nextInt(60)];
            for (int j = 0; j < some.length; j++) {
                boolean known = random.nextInt(4) > 0;
                some[j] = known ? words[(j + i) % words.length] : (byte) random.nextInt();
            }
            NotifyCodec.Message message = NotifyCodec.decode(some, Errno::words);
            message.notice().status().ifPresent(text -> assertTrue(text.length() <= 200));
        }
    }
}
