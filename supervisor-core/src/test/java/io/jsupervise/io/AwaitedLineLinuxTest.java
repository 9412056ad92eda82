package io.jsupervise.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.OsException;
import io.jsupervise.os.SpawnRequest.Output;
import io.jsupervise.os.linux.LinuxOs;
import io.jsupervise.spec.LinePattern;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.ServiceName;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Lines that are awaited in what services write, on real pipes. */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class AwaitedLineLinuxTest {
    private static final ServiceName WEB = new ServiceName("web");
    private static final RunId RUN = new RunId("r-1-1");

    @TempDir
    private Path directory;

    private final LinuxOs os = new LinuxOs();
    private final List<LogNotice> notices = new ArrayList<>();
    private LogRelay relay;
    private Fd fifo;

    @BeforeEach
    void open() throws OsException {
        relay = relay();
        fifo = start(false);
    }

    private LogRelay relay() throws OsException {
        return new LogRelay(os, directory.resolve("fifo"), Optional.empty(), 5, notices::add, rotation -> {});
    }

    private Fd start(boolean timestamps) throws OsException {
        LogSpec.ToFile plain = LogSpec.ToFile.of(directory.resolve("web.log"));
        LogSpec.ToFile spec = new LogSpec.ToFile(
                plain.file(),
                plain.stderr(),
                plain.maxSize(),
                plain.maxFiles(),
                plain.compress(),
                timestamps,
                plain.console(),
                plain.pipeSize());
        Output output = relay.prepare(WEB, spec).stdout();
        return os.open(((Output.Fifo) output).path(), OpenMode.FIFO, 0);
    }

    @AfterEach
    void close() {
        relay.drain();
        os.close(fifo);
    }

    private void write(String text) throws OsException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int done = 0;
        while (done < bytes.length) {
            try {
                done += os.write(fifo, bytes, done, bytes.length - done);
            } catch (OsException e) {
                assertEquals(Errno.EAGAIN, e.errno());
                turn();
            }
        }
    }

    private void turn() {
        relay.turn(Optional.of(MonotonicTime.BOOT));
    }

    private void turnUntilEmpty() throws OsException {
        while (os.available(fifo) > 0) {
            turn();
        }
    }

    private void await(String pattern) {
        try {
            relay.awaitLine(WEB, RUN, LinePattern.of(pattern));
        } catch (LinePattern.Malformed e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void a_line_is_seen_once_and_when_it_has_ended() throws OsException {
        await("^up on [0-9]+$");
        write("going up on 1\nup on 80");
        turnUntilEmpty();
        assertEquals(List.of(), notices);
        write("80\r\nup on 81\n");
        turnUntilEmpty();
        assertEquals(List.of(new LogNotice.LineSeen(WEB, RUN)), notices);
    }

    @Test
    void what_an_earlier_run_wrote_and_still_waits_does_not_count() throws OsException {
        write("moved\n");
        turnUntilEmpty();
        write("up\nup\n");
        await("up");
        turnUntilEmpty();
        assertEquals(List.of(), notices);
        write("up\n");
        turnUntilEmpty();
        assertEquals(List.of(new LogNotice.LineSeen(WEB, RUN)), notices);
    }

    @Test
    void with_time_stamps_it_is_the_line_of_the_service_that_counts() throws OsException {
        os.close(fifo);
        fifo = start(true);
        await("^up$");
        write("up\n");
        turnUntilEmpty();
        assertEquals(List.of(new LogNotice.LineSeen(WEB, RUN)), notices);
    }

    @Test
    void what_was_written_while_nobody_supervised_counts() throws Exception {
        relay.leave();
        write("it is up\n");
        relay = relay();
        relay.willAwaitLine(WEB, RUN, LinePattern.of("up"));
        Fd before = fifo;
        fifo = start(false);
        os.close(before);
        turnUntilEmpty();
        assertEquals(List.of(new LogNotice.LineSeen(WEB, RUN)), notices);
    }

    @Test
    void long_lines_and_a_flood_of_them_are_moved_whole_and_looked_at_in_part() throws OsException, IOException {
        await("(x|y|z)*(a*)*needle");
        String line = "x".repeat(LineWatch.LONGEST) + "needle" + "y".repeat(5_000) + "\n";
        for (int i = 0; i < 300; i++) {
            write(line);
        }
        turnUntilEmpty();
        assertEquals(List.of(), notices);
        assertEquals(300L * line.length(), Files.size(directory.resolve("web.log")));
        write("a needle\n");
        turnUntilEmpty();
        assertEquals(List.of(new LogNotice.LineSeen(WEB, RUN)), notices);
        assertTrue(Files.readString(directory.resolve("web.log")).endsWith("needle\n"));
    }
}
