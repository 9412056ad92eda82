package io.jsupervise.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.linux.LinuxOs;
import io.jsupervise.spec.WatchdogSpec;
import io.jsupervise.supervision.WatchdogReport;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is written to the device, and what may be one. A FIFO stands in for it, and tells what came. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class HardwareWatchdogLinuxTest {
    @TempDir
    Path dir;

    private final FaultyOs faulty = new FaultyOs(new LinuxOs());
    private final Os os = faulty.os();
    private final List<WatchdogReport> reports = new ArrayList<>();

    @AfterEach
    void nothing_is_left_open() {
        faulty.closeAll();
    }

    @Test
    void each_feed_is_one_byte_and_the_end_disarms() throws OsException {
        Fd reader = fifo();
        HardwareWatchdog watchdog = watchdog("watchdog");
        WatchdogReport.Armed armed = watchdog.open();
        assertTrue(armed.timeout().isEmpty());
        assertTrue(armed.notes().get(0).contains("no timeout can be set"), armed.toString());
        watchdog.feed();
        watchdog.feed();
        assertEquals("kk", read(reader));
        assertTrue(watchdog.disarm());
        assertEquals("V", read(reader));
        assertEquals(List.of(), reports);
    }

    @Test
    void what_is_left_to_the_next_supervisor_is_fed_and_not_disarmed() throws OsException {
        Fd reader = fifo();
        HardwareWatchdog watchdog = watchdog("watchdog");
        watchdog.open();
        watchdog.leave();
        assertEquals("k", read(reader));
        assertEquals(1, faulty.open().size());
    }

    @Test
    void nothing_but_a_device_is_opened_and_nothing_is_made() throws IOException {
        assertEquals(
                Errno.ENOENT,
                assertThrows(OsException.class, () -> watchdog("missing").open())
                        .errno());
        assertFalse(Files.exists(dir.resolve("missing")));
        Files.writeString(dir.resolve("file"), "content");
        OsException refusal =
                assertThrows(OsException.class, () -> watchdog("file").open());
        assertTrue(refusal.getMessage().contains("which is a regular file and no watchdog"), refusal.getMessage());
        assertEquals("content", Files.readString(dir.resolve("file")));
        Files.createDirectory(dir.resolve("folder"));
        assertThrows(OsException.class, () -> watchdog("folder").open());
        assertEquals(0, faulty.open().size());
    }

    @Test
    void another_device_is_told_to_be_none() throws OsException {
        HardwareWatchdog watchdog = new HardwareWatchdog(os, WatchdogSpec.of(Path.of("/dev/null")), reports::add);
        assertTrue(watchdog.open().notes().get(0).contains("it is no watchdog"));
    }

    @Test
    void who_has_it_open_is_told() throws Exception {
        Fd reader = fifo();
        Process other = new ProcessBuilder("sleep", "1000")
                .redirectOutput(dir.resolve("watchdog").toFile())
                .start();
        try {
            String busy = busy();
            assertTrue(busy.contains("pid " + other.pid() + " ("), busy);
            assertTrue(
                    busy.contains("this supervisor itself, which was started with it"),
                    "one that inherits a descriptor keeps itself out: " + busy);
            assertFalse(busy.contains("pid " + ProcessHandle.current().pid() + " ("), busy);
        } finally {
            other.destroyForcibly().waitFor();
        }
        assertEquals("", read(reader));
    }

    private String busy() {
        faulty.fail((call, arguments) ->
                call.equals("open") && arguments[1] == OpenMode.DEVICE ? Errno.EBUSY : Errno.EUNKNOWN);
        return assertThrows(OsException.class, () -> watchdog("watchdog").open())
                .getMessage();
    }

    @Test
    void a_device_whose_writes_fail_is_opened_again_at_the_next_feed() throws OsException {
        Fd reader = fifo();
        HardwareWatchdog watchdog = watchdog("watchdog");
        watchdog.open();
        faulty.fail((call, arguments) -> call.equals("write") ? Errno.EIO : Errno.EUNKNOWN);
        watchdog.feed();
        assertEquals(1, reports.size());
        assertEquals("EIO", ((WatchdogReport.Failed) reports.get(0)).errno());
        faulty.fail((call, arguments) -> call.equals("open") ? Errno.ENODEV : Errno.EUNKNOWN);
        watchdog.feed();
        watchdog.feed();
        assertEquals(1, reports.size());
        faulty.fail((call, arguments) -> Errno.EUNKNOWN);
        watchdog.feed();
        assertEquals(2, reports.size());
        assertTrue(reports.get(1) instanceof WatchdogReport.Armed, reports.toString());
        watchdog.feed();
        assertEquals("k", read(reader));
        assertEquals(2, reports.size());
    }

    @Test
    void a_device_that_is_full_stays_open() throws OsException {
        fifo();
        HardwareWatchdog watchdog = watchdog("watchdog");
        watchdog.open();
        int open = faulty.open().size();
        faulty.fail((call, arguments) -> call.equals("write") ? Errno.EAGAIN : Errno.EUNKNOWN);
        watchdog.feed();
        assertEquals(open, faulty.open().size());
        assertEquals("EAGAIN", ((WatchdogReport.Failed) reports.get(0)).errno());
        faulty.fail((call, arguments) -> Errno.EUNKNOWN);
        watchdog.feed();
        assertTrue(reports.get(1) instanceof WatchdogReport.Armed, reports.toString());
    }

    private HardwareWatchdog watchdog(String name) {
        return new HardwareWatchdog(os, WatchdogSpec.of(dir.resolve(name)), reports::add);
    }

    /** Its reading end. */
    private Fd fifo() throws OsException {
        os.mkfifo(dir.resolve("watchdog"), 0600);
        return os.open(dir.resolve("watchdog"), OpenMode.FIFO, 0);
    }

    private String read(Fd reader) throws OsException {
        byte[] bytes = new byte[64];
        try {
            return new String(bytes, 0, os.read(reader, bytes, 0, bytes.length), StandardCharsets.US_ASCII);
        } catch (OsException e) {
            assertEquals(Errno.EAGAIN, e.errno());
            return "";
        }
    }
}
