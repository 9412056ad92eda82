package io.jsupervise.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.SpawnRequest.Output;
import io.jsupervise.os.linux.LinuxOs;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.ServiceName;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The relay on real pipes and files, its thread being the test's, its clock standing still unless moved. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class LogRelayLinuxTest {
    private static final Optional<MonotonicTime> AT_ONCE = Optional.of(MonotonicTime.BOOT);
    private static final ServiceName WEB = new ServiceName("web");

    @TempDir
    private Path directory;

    private final Os real = new LinuxOs();
    private final FaultyOs faulty = new FaultyOs(real);
    private final Os os = faulty.os();
    private final List<LogNotice> notices = new ArrayList<>();
    private final List<LogRotation> toCompress = new ArrayList<>();
    private final ByteArrayOutputStream screen = new ByteArrayOutputStream();
    private final Console console = new Console(screen, () -> {});
    private final List<Fd> writers = new ArrayList<>();
    private Path log;
    private LogRelay relay;

    @BeforeEach
    void open() throws OsException {
        log = directory.resolve("logs/web.log");
        relay = relay();
    }

    private LogRelay relay() throws OsException {
        return new LogRelay(os, directory.resolve("fifo"), Optional.of(console), 5, notices::add, toCompress::add);
    }

    @AfterEach
    void nothing_stays_open() {
        relay.drain();
        assertEquals(Set.of(), faulty.open());
        writers.forEach(real::close);
    }

    private LogSpec.ToFile spec() {
        return LogSpec.ToFile.of(log);
    }

    private static LogSpec.ToFile rotated(LogSpec.ToFile s, long maxSize, int maxFiles) {
        return new LogSpec.ToFile(
                s.file(), s.stderr(), maxSize, maxFiles, s.compress(), s.timestamps(), s.console(), s.pipeSize());
    }

    private static LogSpec.ToFile looked(LogSpec.ToFile s, boolean timestamps, boolean console) {
        return new LogSpec.ToFile(
                s.file(), s.stderr(), s.maxSize(), s.maxFiles(), s.compress(), timestamps, console, s.pipeSize());
    }

    private static LogSpec.ToFile compressed(LogSpec.ToFile s) {
        return new LogSpec.ToFile(
                s.file(), s.stderr(), s.maxSize(), s.maxFiles(), true, s.timestamps(), s.console(), s.pipeSize());
    }

    /** The child's end. */
    private Fd writer(Output output) throws OsException {
        Fd fd = real.open(((Output.Fifo) output).path(), OpenMode.FIFO, 0);
        writers.add(fd);
        return fd;
    }

    private Fd start(LogSpec spec) throws OsException {
        return writer(relay.prepare(WEB, spec).stdout());
    }

    private void write(Fd to, byte[] bytes) throws OsException {
        int done = 0;
        while (done < bytes.length) {
            try {
                done += real.write(to, bytes, done, bytes.length - done);
            } catch (OsException e) {
                if (e.errno() != Errno.EAGAIN) {
                    throw e;
                }
                relay.turn(AT_ONCE);
            }
        }
    }

    private void write(Fd to, String text) throws OsException {
        write(to, text.getBytes(StandardCharsets.UTF_8));
    }

    private void turn() {
        relay.turn(AT_ONCE);
    }

    private void turnUntilEmpty(Fd fifo) throws OsException {
        while (real.available(fifo) > 0) {
            turn();
        }
    }

    private List<Path> files() throws IOException {
        List<Path> files = new ArrayList<>();
        for (int number = 50; number >= 1; number--) {
            for (String suffix : new String[] {"." + number + ".gz", "." + number}) {
                Path path = log.resolveSibling("web.log" + suffix);
                if (Files.exists(path)) {
                    files.add(path);
                }
            }
        }
        if (Files.exists(log)) {
            files.add(log);
        }
        return files;
    }

    private byte[] content() throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (Path file : files()) {
            all.write(contentOf(file));
        }
        return all.toByteArray();
    }

    private static byte[] contentOf(Path file) throws IOException {
        if (!file.toString().endsWith(".gz")) {
            return Files.readAllBytes(file);
        }
        try (InputStream in = new GZIPInputStream(Files.newInputStream(file))) {
            return in.readAllBytes();
        }
    }

    private static byte[] withoutStamps(byte[] text) {
        ByteArrayOutputStream lines = new ByteArrayOutputStream();
        boolean start = true;
        for (int i = 0; i < text.length; i++) {
            if (start) {
                String stamp = new String(text, i, LineStamp.BYTES, StandardCharsets.US_ASCII);
                assertTrue(stamp.matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z "), stamp);
                i += LineStamp.BYTES;
            }
            lines.write(text[i]);
            start = text[i] == '\n';
        }
        return lines.toByteArray();
    }

    /** Lines of all lengths, most short, some as long as several files. */
    private static byte[] lines(Random random, int count) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int i = 0; i < count; i++) {
            int length = random.nextInt(20) == 0 ? random.nextInt(12_000) : random.nextInt(200);
            for (int j = 0; j < length; j++) {
                all.write('a' + random.nextInt(26));
            }
            all.write('\n');
        }
        return all.toByteArray();
    }

    // ---- where output goes ----

    @Test
    void output_reaches_the_log() throws IOException {
        Fd child = start(spec());
        write(child, "hello\n");
        assertFalse(Files.exists(log), "opened before there was anything to write");
        turn();
        assertEquals("hello\n", Files.readString(log));
    }

    @Test
    void a_part_of_a_line_is_shown_at_once() throws IOException {
        Fd child = start(spec());
        write(child, "login: ");
        turn();
        assertEquals("login: ", Files.readString(log));
    }

    @Test
    void each_kind_of_log_has_its_streams() throws OsException {
        assertEquals(new Output.Null(), relay.prepare(WEB, new LogSpec.None()).stdout());
        assertEquals(
                new Output.Inherit(), relay.prepare(WEB, new LogSpec.Inherit()).stdout());
        assertEquals(
                new Output.Inherit(), relay.prepare(WEB, new LogSpec.Inherit()).stderr());
        assertEquals(new Output.SameAsStdout(), relay.prepare(WEB, spec()).stderr());
        LogSpec.ToFile s = spec();
        LogSpec.ToFile quiet =
                new LogSpec.ToFile(log, new LogSpec.Stderr.Null(), 4096, 1, false, false, false, s.pipeSize());
        assertEquals(new Output.Null(), relay.prepare(WEB, quiet).stderr());
    }

    @Test
    void standard_error_has_a_file_of_its_own_where_asked_for() throws IOException {
        Path errors = directory.resolve("logs/web.err.log");
        LogSpec.ToFile spec =
                new LogSpec.ToFile(log, new LogSpec.Stderr.ToFile(errors), 1 << 20, 5, false, false, false, 1 << 20);
        Spawner.Streams streams = relay.prepare(WEB, spec);
        write(writer(streams.stdout()), "out\n");
        write(writer(streams.stderr()), "err\n");
        turn();
        assertEquals("out\n", Files.readString(log));
        assertEquals("err\n", Files.readString(errors));
    }

    @Test
    void an_unchanged_service_keeps_its_fifo() throws IOException {
        Fd child = start(spec());
        long calls = faulty.calls();
        relay.prepare(WEB, spec());
        assertEquals(1, faulty.calls() - calls, "more than a look at the FIFO");
        write(child, "still the same\n");
        turn();
        assertEquals("still the same\n", Files.readString(log));
    }

    @Test
    void a_fifo_that_was_removed_is_made_anew_and_the_old_one_emptied() throws IOException {
        Fd before = start(spec());
        write(before, "old\n");
        Files.delete(directory.resolve("fifo/web.out"));
        Fd after = start(spec());
        turn();
        write(after, "new\n");
        turn();
        assertEquals("old\nnew\n", Files.readString(log));
    }

    @Test
    void another_log_file_takes_over_what_waits() throws IOException {
        Fd child = start(spec());
        write(child, "one\n");
        turn();
        write(child, "two\n");
        Path other = directory.resolve("other/web.log");
        relay.prepare(WEB, LogSpec.ToFile.of(other));
        turn();
        assertEquals("one\n", Files.readString(log));
        assertEquals("two\n", Files.readString(other));
    }

    @Test
    void removing_a_service_moves_what_waits_and_removes_its_fifo() throws IOException {
        Fd child = start(spec());
        write(child, "last words\n");
        relay.remove(WEB);
        turn();
        assertEquals("last words\n", Files.readString(log));
        assertFalse(Files.exists(directory.resolve("fifo/web.out")));
    }

    @Test
    void what_waits_at_the_end_is_moved() throws IOException {
        Fd child = start(spec());
        write(child, "good bye\n");
        relay.drain();
        assertEquals("good bye\n", Files.readString(log));
        relay = relay();
    }

    @Test
    void a_flood_does_not_hold_up_the_others() throws IOException {
        Fd flood = start(spec());
        Path quietLog = directory.resolve("logs/quiet.log");
        Fd quiet = writer(relay.prepare(new ServiceName("quiet"), LogSpec.ToFile.of(quietLog))
                .stdout());
        write(flood, new byte[1 << 20]);
        write(quiet, "hello\n");
        turn();
        assertEquals("hello\n", Files.readString(quietLog));
    }

    // ---- lines ----

    @ParameterizedTest(name = "timestamps {0}, console {1}, {2} bytes a file, seed {3}")
    @CsvSource({
        "false, false, 4096, 1",
        "false, false, 65536, 2",
        "false, false, 300000, 3",
        "false, true, 4096, 4",
        "false, true, 65536, 5",
        "true, false, 4096, 6",
        "true, false, 65536, 7",
        "true, true, 300000, 8",
    })
    void nothing_is_missing_repeated_or_out_of_order_and_files_end_with_lines(
            boolean timestamps, boolean echo, long maxSize, long seed) throws IOException {
        Random random = new Random(seed);
        Fd child = start(looked(rotated(spec(), maxSize, 10_000), timestamps, echo));
        byte[] sent = lines(random, 6000);
        int at = 0;
        while (at < sent.length) {
            int some = Math.min(sent.length - at, 1 + random.nextInt(random.nextBoolean() ? 100 : 200_000));
            write(child, java.util.Arrays.copyOfRange(sent, at, at + some));
            at += some;
            if (random.nextInt(3) == 0) {
                turn();
            }
        }
        turnUntilEmpty(child);
        int fullFiles = 0;
        ByteArrayOutputStream got = new ByteArrayOutputStream();
        for (int number = 10_000; number >= 0; number--) {
            Path file = number == 0 ? log : log.resolveSibling("web.log." + number);
            if (Files.exists(file)) {
                byte[] bytes = Files.readAllBytes(file);
                assertEquals('\n', bytes[bytes.length - 1], file + " ends within a line");
                int before = LineCut.lastNewline(bytes, bytes.length - 1) + 1;
                assertTrue(
                        before <= maxSize, file + " has " + bytes.length + " bytes and could have ended at " + before);
                fullFiles += number == 0 ? 0 : 1;
                got.write(bytes);
            }
        }
        assertTrue(fullFiles > 0, "nothing was rotated");
        assertArrayEquals(sent, timestamps ? withoutStamps(got.toByteArray()) : got.toByteArray());
    }

    @Test
    void a_file_is_filled_as_far_as_whole_lines_go() throws IOException {
        Fd child = start(rotated(spec(), 4096, 5));
        for (int i = 0; i < 100; i++) {
            write(child, "x".repeat(99) + "\n");
            turn();
        }
        assertEquals(4000, Files.size(log.resolveSibling("web.log.1")));
        assertEquals(4000, Files.size(log.resolveSibling("web.log.2")));
        assertEquals(2000, Files.size(log));
    }

    @Test
    void a_line_without_an_end_is_cut_at_last() throws IOException {
        Fd child = start(rotated(spec(), 4096, 5));
        byte[] endless = new byte[3 << 20];
        java.util.Arrays.fill(endless, (byte) 'x');
        write(child, endless);
        turnUntilEmpty(child);
        assertTrue(Files.exists(log.resolveSibling("web.log.1")));
        assertArrayEquals(endless, content());
    }

    @Test
    void time_stamps_are_put_before_lines_only() throws IOException {
        Fd child = start(looked(spec(), true, false));
        write(child, "one\ntw");
        turn();
        write(child, "o\n\n");
        turn();
        assertEquals("one\ntwo\n\n", new String(withoutStamps(Files.readAllBytes(log)), StandardCharsets.UTF_8));
    }

    @Test
    void the_console_shows_whole_lines_behind_the_name() throws IOException {
        Fd child = start(looked(spec(), false, true));
        write(child, "one\ntw");
        turn();
        write(child, "o\n");
        turn();
        while (console.nextStep().isPresent()) {
            console.step();
        }
        assertEquals("web   | one\nweb   | two\n", screen.toString(StandardCharsets.UTF_8));
        assertEquals("one\ntwo\n", Files.readString(log));
    }

    // ---- what others do to the log ----

    @Test
    void a_log_that_was_removed_is_made_again() throws IOException {
        Fd child = start(spec());
        write(child, "one\n");
        turn();
        Files.delete(log);
        write(child, "two\n");
        turn();
        assertEquals("two\n", Files.readString(log));
    }

    @Test
    void a_log_whose_directory_was_removed_is_made_again() throws IOException {
        Fd child = start(spec());
        write(child, "one\n");
        turn();
        Files.delete(log);
        Files.delete(log.getParent());
        write(child, "two\n");
        turn();
        assertEquals("two\n", Files.readString(log));
    }

    @Test
    void a_log_that_somebody_renamed_is_left_to_him() throws IOException {
        Fd child = start(spec());
        write(child, "one\n");
        turn();
        Path his = log.resolveSibling("web.log-20261121");
        Files.move(log, his);
        write(child, "two\n");
        turn();
        assertEquals("one\n", Files.readString(his));
        assertEquals("two\n", Files.readString(log));
    }

    @ParameterizedTest
    @CsvSource({"false", "true"})
    void a_log_that_was_emptied_goes_on_at_its_beginning(boolean timestamps) throws IOException {
        Fd child = start(looked(spec(), timestamps, false));
        write(child, "one\n");
        turn();
        Files.write(log, new byte[0]);
        write(child, "two\n");
        turn();
        byte[] text = Files.readAllBytes(log);
        assertArrayEquals("two\n".getBytes(StandardCharsets.UTF_8), timestamps ? withoutStamps(text) : text);
    }

    @Test
    void what_somebody_appended_to_the_log_stays() throws IOException {
        Fd child = start(spec());
        write(child, "one\n");
        turn();
        Files.writeString(log, "his\n", java.nio.file.StandardOpenOption.APPEND);
        write(child, "two\n");
        turn();
        assertEquals("one\nhis\ntwo\n", Files.readString(log));
    }

    // ---- a log that cannot be written ----

    private void fail(Errno errno) {
        faulty.fail((call, arguments) -> call.equals("splice") || call.equals("writeAt") ? errno : Errno.EUNKNOWN);
    }

    private void recover() {
        faulty.fail((call, arguments) -> Errno.EUNKNOWN);
    }

    private void second() {
        faulty.advance(Duration.ofSeconds(1));
        turn();
    }

    @ParameterizedTest
    @CsvSource({"EIO, false", "ENOSPC, false", "EROFS, false", "EIO, true", "ENOSPC, true"})
    void output_waits_for_ten_seconds_and_is_lost_to_nobody_who_recovers_in_time(Errno errno, boolean timestamps)
            throws IOException {
        Fd child = start(looked(spec(), timestamps, false));
        fail(errno);
        write(child, "patience\n");
        turn();
        for (int i = 0; i < 9; i++) {
            second();
        }
        recover();
        second();
        byte[] text = Files.readAllBytes(log);
        assertEquals("patience\n", new String(timestamps ? withoutStamps(text) : text, StandardCharsets.UTF_8));
        assertEquals(List.of("CannotWrite", "WritesAgain"), kinds());
        assertEquals(0, relay.droppedBytes(WEB));
    }

    private List<String> kinds() {
        List<String> kinds = new ArrayList<>();
        notices.forEach(notice -> kinds.add(notice.getClass().getSimpleName()));
        return kinds;
    }

    @Test
    void after_ten_seconds_output_is_dropped_counted_and_told() throws IOException {
        Fd child = start(spec());
        write(child, "before\n");
        turn();
        fail(Errno.EIO);
        write(child, "dropped\n");
        turn();
        for (int i = 0; i < 10; i++) {
            assertEquals(8, real.available(child), "dropped after " + i + "s");
            second();
        }
        assertEquals(0, real.available(child));
        write(child, "dropped as well, the end of it after the");
        turn();
        assertEquals(8 + 40, relay.droppedBytes(WEB));
        recover();
        write(child, " gap\nafter\n");
        second();
        assertEquals(
                "before\njsupervise: 53 bytes of output are missing here, the log could not be written: splice: EIO"
                        + " (input/output error)\nafter\n",
                Files.readString(log));
        assertEquals(53, relay.droppedBytes(WEB));
        assertEquals(List.of("CannotWrite", "Dropping", "WritesAgain"), kinds());
        assertEquals(new LogNotice.WritesAgain(WEB, log, 53), notices.get(2));
        write(child, "and on\n");
        turn();
        assertTrue(Files.readString(log).endsWith("\nafter\nand on\n"));
    }

    @Test
    void a_flood_into_a_dead_log_never_blocks_for_long() throws IOException {
        Fd child = start(spec());
        fail(Errno.EIO);
        write(child, new byte[1 << 20]);
        turn();
        for (int i = 0; i < 10; i++) {
            second();
        }
        // write() takes turns until it is done: would they not drop, it would never end.
        write(child, new byte[10 << 20]);
        turnUntilEmpty(child);
        assertEquals(11 << 20, relay.droppedBytes(WEB));
    }

    @Test
    void while_it_waits_the_relay_sleeps() throws IOException {
        Fd child = start(spec());
        fail(Errno.EIO);
        write(child, "waits\n");
        turn();
        long calls = faulty.calls();
        turn();
        turn();
        assertEquals(calls, faulty.calls(), "the FIFO is still watched");
    }

    @Test
    void on_a_full_disk_our_own_oldest_rotated_files_go_first() throws IOException {
        Files.createDirectories(log.getParent());
        Path others = log.resolveSibling("other.log");
        relay.prepare(new ServiceName("other"), LogSpec.ToFile.of(others));
        Files.writeString(log.resolveSibling("web.log.1"), "younger");
        Files.writeString(log.resolveSibling("web.log.2.gz"), "older");
        Files.writeString(log.resolveSibling("other.log.1"), "of another service");
        Files.writeString(log.resolveSibling("nobodys.log.1"), "not ours");
        Fd child = start(spec());
        faulty.fail((call, arguments) -> call.equals("splice") && Files.exists(log.resolveSibling("other.log.1"))
                ? Errno.ENOSPC
                : Errno.EUNKNOWN);
        write(child, "fits now\n");
        turn();
        assertEquals("fits now\n", Files.readString(log));
        assertEquals(
                List.of("web.log.2.gz", "web.log.1", "other.log.1"),
                notices.stream()
                        .map(notice -> ((LogNotice.RemovedToMakeRoom) notice)
                                .file()
                                .getFileName()
                                .toString())
                        .toList());
        assertTrue(Files.exists(log.resolveSibling("nobodys.log.1")));
    }

    @Test
    void a_log_that_cannot_be_renamed_is_still_written() throws IOException {
        Fd child = start(rotated(spec(), 4096, 5));
        faulty.fail((call, arguments) -> call.equals("rename") ? Errno.EACCES : Errno.EUNKNOWN);
        for (int i = 0; i < 100; i++) {
            write(child, "x".repeat(99) + "\n");
            turn();
        }
        assertEquals(10_000, Files.size(log));
        assertEquals(List.of("CannotRotate"), kinds());
        recover();
        faulty.advance(Duration.ofSeconds(2));
        write(child, "next\n");
        turn();
        assertEquals(10_000, Files.size(log.resolveSibling("web.log.1")));
        assertEquals("next\n", Files.readString(log));
    }

    @Test
    void a_log_that_is_a_fifo_or_a_directory_is_refused_and_holds_nobody_up() throws IOException {
        Files.createDirectories(log.getParent());
        real.mkfifo(log, 0600);
        Fd child = start(spec());
        write(child, "nobody reads\n");
        turn();
        assertEquals(List.of("CannotWrite"), kinds());
        Files.delete(log);
        Files.createDirectory(log);
        second();
        Files.delete(log);
        second();
        assertEquals("nobody reads\n", Files.readString(log));
    }

    @Test
    void without_descriptors_idle_logs_are_closed() throws IOException {
        Fd child = start(spec());
        write(child, "one\n");
        turn();
        Path otherLog = directory.resolve("logs/other.log");
        Fd other = writer(relay.prepare(new ServiceName("other"), LogSpec.ToFile.of(otherLog))
                .stdout());
        int most = faulty.open().size();
        faulty.fail((call, arguments) ->
                call.equals("open") && faulty.open().size() >= most ? Errno.EMFILE : Errno.EUNKNOWN);
        write(other, "two\n");
        turn();
        write(child, "three\n");
        turn();
        assertEquals("one\nthree\n", Files.readString(log));
        assertEquals("two\n", Files.readString(otherLog));
    }

    // ---- compression ----

    @Test
    void rotated_files_are_compressed_by_somebody_else() throws IOException {
        Fd child = start(compressed(rotated(spec(), 4096, 5)));
        ByteArrayOutputStream sent = new ByteArrayOutputStream();
        for (int i = 0; i < 100; i++) {
            byte[] line = (i + "x".repeat(90) + "\n").getBytes(StandardCharsets.US_ASCII);
            sent.write(line);
            write(child, line);
            turn();
        }
        assertTrue(Files.exists(log.resolveSibling("web.log.2")));
        toCompress.get(0).compress();
        assertTrue(Files.exists(log.resolveSibling("web.log.1.gz")));
        assertTrue(Files.exists(log.resolveSibling("web.log.2.gz")));
        assertFalse(Files.exists(log.resolveSibling("web.log.1")));
        assertArrayEquals(sent.toByteArray(), content());
        assertEquals(3, files().size());
        assertEquals(3, Files.list(log.getParent()).count(), "something unfinished was left");
    }

    // ---- kill -9 ----

    /** Every call is once the last of the program, and once the next that would have been. */
    @ParameterizedTest(name = "timestamps {0}, after the call {1}")
    @CsvSource({"false, false", "false, true", "true, false", "true, true"})
    void killed_at_any_call_it_loses_and_repeats_no_byte(boolean timestamps, boolean after) throws IOException {
        LogSpec.ToFile spec = looked(rotated(spec(), 4096, 50), timestamps, false);
        Fd child = start(spec);
        ByteArrayOutputStream sent = new ByteArrayOutputStream();
        Random random = new Random(9);
        int kills = 0;
        int survived = 0;
        for (long call = 1; survived < 3; call++) {
            byte[] some = lines(random, 20);
            some = java.util.Arrays.copyOf(some, Math.min(some.length, 3000));
            sent.write(some);
            write(child, some);
            faulty.killAt(call, after);
            try {
                turn();
                survived++;
            } catch (FaultyOs.Killed e) {
                kills++;
            }
            faulty.killAt(Long.MAX_VALUE / 2, false);
            faulty.closeAll();
            relay = relay();
            relay.prepare(WEB, spec);
            turnUntilEmpty(child);
            byte[] got = timestamps ? withoutStamps(content()) : content();
            assertArrayEquals(sent.toByteArray(), got, "killed at call " + call);
            if (files().size() > 40) {
                for (Path file : files()) {
                    Files.delete(file);
                }
                sent.reset();
                write(child, "\n");
                sent.write('\n');
                turnUntilEmpty(child);
            }
        }
        assertTrue(kills > 5, "only " + kills + " kills");
    }
}
