package io.jsupervise.io;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.os.Errno;
import io.jsupervise.os.OsException;
import io.jsupervise.os.linux.LinuxOs;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.supervision.Happening;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Events on their way through the file to whoever follows them. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class EventLogLinuxTest {
    private static final Instant NOON = Instant.parse("2026-01-31T12:00:00Z");

    @TempDir
    private Path directory;

    private final FaultyOs faulty = new FaultyOs(new LinuxOs());
    private final List<String> console = new ArrayList<>();
    private final List<EventLog> logs = new ArrayList<>();
    private final String big = "x".repeat(8 << 10);
    private long seq;

    @AfterEach
    void at_most_the_current_file_stays_open() {
        assertTrue(faulty.open().size() <= logs.size(), faulty.open()::toString);
        faulty.closeAll();
    }

    private EventLog log() {
        EventLog log = new EventLog(faulty.os(), directory, line -> console.add(line.text()));
        logs.add(log);
        return log;
    }

    private Path current() {
        return directory.resolve("events.ndjson");
    }

    private Happening event(long number, String text) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("what", text);
        return new Happening(
                number,
                NOON.plusSeconds(number),
                Optional.of(new ServiceName("web")),
                "trouble",
                Optional.empty(),
                Optional.empty(),
                details);
    }

    private void tell(EventLog log, int count, String text) {
        for (int i = 0; i < count; i++) {
            log.tell(event(++seq, text));
        }
        log.step();
    }

    private List<Long> read(EventReader reader) throws IOException {
        List<Long> numbers = new ArrayList<>();
        Optional<byte[]> line = reader.next();
        while (line.isPresent()) {
            String text = new String(line.get(), UTF_8);
            assertTrue(text.startsWith("{\"seq\":") && text.endsWith("}\n"), text);
            numbers.add(Long.parseLong(text.substring(7, text.indexOf(','))));
            line = reader.next();
        }
        return numbers;
    }

    private List<Long> readAll() throws IOException {
        try (EventReader reader = all()) {
            return read(reader);
        }
    }

    private EventReader all() {
        return new EventReader(directory, Optional.empty(), Optional.empty());
    }

    private List<String> ours() {
        return console.stream().filter(line -> line.startsWith("supervisor: ")).toList();
    }

    private static List<Long> numbers(long from, long to) {
        return LongStream.rangeClosed(from, to).boxed().toList();
    }

    // ---- order and numbers ----

    @Test
    void events_are_read_in_their_order_and_shown_on_the_console() throws Exception {
        tell(log(), 3, "something \"quoted\"\nand broken");
        assertEquals(numbers(1, 3), readAll());
        assertEquals(3, console.size());
        assertTrue(console.get(0).contains("web"), console.get(0));
    }

    @Test
    void a_reader_gets_what_comes_after_a_number_or_a_time() throws Exception {
        tell(log(), 10, "x");
        try (EventReader after = new EventReader(directory, Optional.of(7L), Optional.empty());
                EventReader since = new EventReader(directory, Optional.empty(), Optional.of(NOON.plusSeconds(9)))) {
            assertEquals(numbers(8, 10), read(after));
            assertEquals(numbers(9, 10), read(since));
        }
    }

    @Test
    void numbers_go_on_behind_those_of_an_earlier_supervisor() throws Exception {
        EventLog first = log();
        assertEquals(0, first.lastSeq());
        tell(first, 5, "x");
        assertEquals(5, log().lastSeq());
    }

    @Test
    void the_last_number_is_found_behind_a_rotation_that_was_the_last_thing_done() throws Exception {
        tell(log(), 5, "x");
        Files.move(current(), directory.resolve("events.ndjson.1"));
        assertEquals(5, log().lastSeq());
        Files.createFile(current());
        assertEquals(5, log().lastSeq());
    }

    @Test
    void an_inbox_that_overflows_leaves_a_gap_and_says_how_large() throws Exception {
        EventLog log = log();
        tell(log, 20_007, "x");
        assertEquals(numbers(1, 20_000), readAll());
        assertEquals(List.of("supervisor: events are written; 7 are missing in " + current()), ours());
    }

    // ---- rotation ----

    /** Some 70 MiB through files of 10, of which five are kept beside the current one. */
    @Test
    void rotated_files_are_kept_in_order_and_only_so_many() throws Exception {
        EventLog log = log();
        for (int i = 0; i < 90; i++) {
            tell(log, 100, big);
        }
        try (var files = Files.list(directory)) {
            assertEquals(
                    List.of(
                            "events.ndjson",
                            "events.ndjson.1",
                            "events.ndjson.2",
                            "events.ndjson.3",
                            "events.ndjson.4",
                            "events.ndjson.5"),
                    files.map(file -> file.getFileName().toString()).sorted().toList());
        }
        List<Long> kept = readAll();
        assertEquals(numbers(kept.get(0), seq), kept, "without a gap, up to the last");
        assertTrue(kept.get(0) > 1, "the oldest went");
        assertTrue(Files.size(directory.resolve("events.ndjson.5")) < EventLog.MAX_SIZE + (1 << 20));
    }

    @Test
    void whoever_follows_gets_each_event_once_over_rotations_at_any_pace() throws Exception {
        Random random = new Random(7);
        EventLog log = log();
        List<Long> got = new ArrayList<>();
        try (EventReader reader = all()) {
            while (seq < 9_000) {
                tell(log, 1 + random.nextInt(2_000), big);
                // Somewhere in a file, at its end, or not at all for up to a few rotations.
                for (int lines = random.nextInt(4_000); lines > 0; lines--) {
                    Optional<byte[]> line = reader.next();
                    if (line.isEmpty()) {
                        break;
                    }
                    String text = new String(line.get(), UTF_8);
                    got.add(Long.parseLong(text.substring(7, text.indexOf(','))));
                }
            }
            got.addAll(read(reader));
        }
        assertEquals(numbers(1, seq), got);
    }

    @Test
    void a_reader_in_an_old_file_meets_all_files_between_it_and_a_rotation() throws Exception {
        for (int file = 3; file >= 1; file--) {
            EventLog log = log();
            tell(log, 2, "x");
            Files.move(current(), directory.resolve("events.ndjson." + file));
            faulty.closeAll();
        }
        try (EventReader reader = all()) {
            reader.next();
            for (int file = 3; file >= 1; file--) {
                Files.move(
                        directory.resolve("events.ndjson." + file), directory.resolve("events.ndjson." + (file + 1)));
            }
            tell(log(), 2, "x");
            assertEquals(numbers(2, 8), read(reader));
        }
    }

    @Test
    void a_reader_that_slept_until_its_file_was_gone_goes_on_with_the_oldest_there_is() throws Exception {
        EventLog first = log();
        tell(first, 2, "x");
        try (EventReader reader = all()) {
            assertEquals(numbers(1, 2), read(reader));
            Files.delete(current());
            faulty.closeAll();
            seq += 10;
            tell(log(), 2, "x");
            assertEquals(numbers(13, 14), read(reader));
        }
    }

    @Test
    void a_reader_without_any_file_waits_for_the_first() throws Exception {
        try (EventReader reader = all()) {
            assertEquals(List.of(), read(reader));
            tell(log(), 1, "x");
            assertEquals(List.of(1L), read(reader));
        }
    }

    // ---- torn lines ----

    /** Also where the cut comes behind a brace, so that what is left looks whole. */
    @Test
    void a_line_that_was_torn_anywhere_is_never_told_and_the_next_one_is() throws Exception {
        tell(log(), 2, "a}b}c");
        faulty.closeAll();
        byte[] whole = Files.readAllBytes(current());
        int second = 0;
        while (whole[second] != '\n') {
            second++;
        }
        for (int length = second + 2; length < whole.length; length++) {
            Files.write(current(), java.util.Arrays.copyOf(whole, length));
            try (EventReader follower = all()) {
                assertEquals(List.of(1L), read(follower));
                EventLog log = log();
                assertEquals(1, log.lastSeq(), "the torn one does not count");
                seq = 1;
                tell(log, 2, "next");
                assertEquals(numbers(2, 3), read(follower), "who was there already, cut at " + length);
                assertEquals(numbers(1, 3), readAll(), "cut at " + length);
            }
            faulty.closeAll();
        }
    }

    @Test
    void what_is_no_event_is_passed_over() throws Exception {
        Files.write(current(), new byte[] {0, 0, 0, '\n', '\n', '{', '}', '\n', (byte) 0xff, '\n'});
        EventLog log = log();
        assertEquals(0, log.lastSeq());
        tell(log, 2, "x");
        assertEquals(numbers(1, 2), readAll());
    }

    // ---- a disk that refuses ----

    @Test
    void a_full_disk_costs_events_and_nothing_else_and_is_told_of_once() throws Exception {
        EventLog log = log();
        tell(log, 2, "x");
        faulty.fail((call, arguments) -> call.equals("write") ? Errno.ENOSPC : Errno.EUNKNOWN);
        for (int second = 0; second < 5; second++) {
            tell(log, 2, "x");
            faulty.advance(Duration.ofSeconds(1));
        }
        faulty.fail((call, arguments) -> Errno.EUNKNOWN);
        tell(log, 2, "x");
        assertEquals(List.of(1L, 2L, 13L, 14L), readAll());
        List<String> ours = ours();
        assertEquals(2, ours.size(), ours::toString);
        assertTrue(ours.get(0).contains("ENOSPC"), ours.get(0));
        assertTrue(ours.get(1).contains(" 10 are missing in " + current()), ours.get(1));
    }

    @Test
    void events_within_a_second_of_a_failure_are_lost_without_another_attempt() throws Exception {
        EventLog log = log();
        faulty.fail((call, arguments) -> call.equals("open") ? Errno.EROFS : Errno.EUNKNOWN);
        tell(log, 1, "x");
        faulty.fail((call, arguments) -> {
            throw new AssertionError(call + " before its time");
        });
        tell(log, 1, "x");
        faulty.fail((call, arguments) -> Errno.EUNKNOWN);
        faulty.advance(Duration.ofSeconds(1));
        tell(log, 1, "x");
        assertEquals(List.of(3L), readAll());
    }

    @Test
    void a_line_that_a_full_disk_cut_is_ended_before_the_next() throws Exception {
        EventLog log = log();
        tell(log, 1, "x");
        int[] writes = {0};
        faulty.writeAtMost(40);
        faulty.fail((call, arguments) -> call.equals("write") && ++writes[0] == 2 ? Errno.ENOSPC : Errno.EUNKNOWN);
        tell(log, 1, "x");
        faulty.advance(Duration.ofSeconds(1));
        faulty.writeAtMost(Integer.MAX_VALUE);
        tell(log, 1, "x");
        assertEquals(List.of(1L, 3L), readAll());
        try (var lines = Files.lines(current())) {
            assertEquals(3, lines.count(), "the part of the second stands on a line of its own");
        }
        faulty.closeAll();
        assertEquals(3, log().lastSeq());
    }

    @Test
    void a_rotation_that_fails_is_tried_again_and_loses_no_file() throws Exception {
        EventLog log = log();
        tell(log, 10, "x");
        Files.write(current(), new byte[(int) EventLog.MAX_SIZE], StandardOpenOption.APPEND);
        faulty.closeAll();
        EventLog full = log();
        faulty.fail((call, arguments) -> call.equals("rename") ? Errno.EIO : Errno.EUNKNOWN);
        tell(full, 1, "x");
        faulty.fail((call, arguments) -> Errno.EUNKNOWN);
        faulty.advance(Duration.ofSeconds(1));
        tell(full, 1, "x");
        List<Long> kept = new ArrayList<>(numbers(1, 10));
        kept.add(12L);
        assertEquals(kept, readAll());
    }

    @Test
    void the_end_of_a_file_that_cannot_be_read_is_an_error() throws OsException {
        tell(log(), 1, "x");
        EventLog log = log();
        faulty.fail((call, arguments) -> call.equals("read") ? Errno.EIO : Errno.EUNKNOWN);
        Set<Integer> before = Set.copyOf(faulty.open());
        OsException e = assertThrows(OsException.class, log::lastSeq);
        assertEquals(Errno.EIO, e.errno());
        assertEquals(before, faulty.open());
    }
}
