package io.jsupervise.io;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.journal.JournalCodec;
import io.jsupervise.journal.JournalException;
import io.jsupervise.journal.Records;
import io.jsupervise.journal.SupervisorRecord;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.linux.LinuxOs;
import io.jsupervise.spec.ServiceName;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The journal on real files, each call of it failing or being the last one in turn. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class JournalFileLinuxTest {
    private static final String[] NAMES = {"a", "b", "c"};

    @TempDir
    private Path directory;

    private final Os real = new LinuxOs();
    private final FaultyOs faulty = new FaultyOs(real);
    private final List<String> results = new ArrayList<>();
    private final JournalCodec codec = new JournalCodec();
    private Path folder;
    private JournalFile journal;
    private long seq;

    @BeforeEach
    void open() throws IOException {
        folder = Files.createDirectory(directory.resolve("journal"));
        journal = journal();
    }

    @AfterEach
    void nothing_stays_open() {
        assertEquals(Set.of(), faulty.open());
    }

    private JournalFile journal() {
        return new JournalFile(faulty.os(), folder, "b1", new JournalFile.Results() {
            @Override
            public void committed(long upTo) {
                results.add("committed " + upTo);
            }

            @Override
            public void failed(String reason) {
                results.add("failed: " + reason);
            }
        });
    }

    private void submit(String name, long restarts) {
        journal.submit(++seq, Records.restarted(name, restarts));
    }

    private void submitAll(long restarts) {
        for (String name : NAMES) {
            submit(name, restarts);
        }
    }

    /** What a supervisor would find now, by the number of restarts. */
    private Map<String, Long> found() throws OsException, JournalException {
        JournalFile.Found found = journal().load();
        assertEquals(List.of(), found.notes());
        Map<String, Long> restarts = new TreeMap<>();
        found.services()
                .forEach((name, record) ->
                        restarts.put(name.value(), record.history().restarts()));
        return restarts;
    }

    private List<String> files() throws IOException {
        try (var files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    /** Records each call with the file that it is about, as the kernel names it. */
    private List<String> trace() {
        List<String> calls = new ArrayList<>();
        faulty.fail((call, arguments) -> {
            if (call.equals("open") && arguments[1] == OpenMode.DIRECTORY) {
                return Errno.EUNKNOWN;
            }
            Object about = arguments[0] instanceof Fd fd ? pathOf(fd) : arguments[0];
            if (!call.equals("close")) {
                calls.add(call + " " + directory.relativize((Path) about));
            }
            return Errno.EUNKNOWN;
        });
        return calls;
    }

    private static Path pathOf(Fd fd) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd.number()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    // ---- order ----

    @Test
    void a_batch_is_written_synced_renamed_and_then_the_folder_is_synced_once() throws Exception {
        List<String> calls = trace();
        submitAll(1);
        journal.step();
        assertEquals(
                List.of(
                        "open journal/a.json.new",
                        "write journal/a.json.new",
                        "beginSync journal/a.json.new",
                        "open journal/b.json.new",
                        "write journal/b.json.new",
                        "beginSync journal/b.json.new",
                        "open journal/c.json.new",
                        "write journal/c.json.new",
                        "beginSync journal/c.json.new",
                        "fsync journal/a.json.new",
                        "fsync journal/b.json.new",
                        "fsync journal/c.json.new",
                        "rename journal/a.json.new",
                        "rename journal/b.json.new",
                        "rename journal/c.json.new",
                        "fsync journal"),
                calls);
        assertEquals(List.of("committed 3"), results);
        assertEquals(Map.of("a", 1L, "b", 1L, "c", 1L), found());
    }

    @Test
    void of_several_records_of_a_service_only_the_newest_is_written_and_stands_for_all() throws Exception {
        List<String> calls = trace();
        submit("a", 1);
        submit("a", 2);
        submit("a", 3);
        journal.step();
        assertEquals(1, calls.stream().filter(call -> call.startsWith("write")).count());
        assertEquals(List.of("committed 3"), results);
        assertEquals(Map.of("a", 3L), found());
    }

    @Test
    void a_storm_is_cut_into_batches_and_each_is_told_of() throws Exception {
        for (int i = 0; i < 300; i++) {
            submit("s" + i, 1);
        }
        journal.step();
        assertTrue(journal.nextStep().isPresent());
        journal.step();
        journal.step();
        assertTrue(journal.nextStep().isEmpty());
        assertEquals(List.of("committed 128", "committed 256", "committed 300"), results);
        assertEquals(300, found().size());
    }

    /** The oldest number that waits decides: a service that is recorded again and again must not hold back the rest. */
    @Test
    void a_newer_record_of_a_service_keeps_its_place_in_the_order() {
        for (int i = 0; i < 200; i++) {
            submit("s" + i, 1);
        }
        submit("s0", 2);
        submit("s150", 2);
        journal.step();
        assertEquals(List.of("committed 128"), results, "129 to 200 wait");
        journal.step();
        assertEquals(List.of("committed 128", "committed 202"), results);
    }

    @Test
    void what_comes_while_a_batch_is_written_is_in_the_next_one() throws Exception {
        boolean[] submitted = {false};
        faulty.fail((call, arguments) -> {
            if (call.equals("fsync") && !submitted[0]) {
                submitted[0] = true;
                submit("a", 7);
            }
            return Errno.EUNKNOWN;
        });
        submitAll(1);
        journal.step();
        assertEquals(List.of("committed 3"), results, "number 4 is not in place");
        journal.step();
        assertEquals(List.of("committed 3", "committed 4"), results);
        assertEquals(7L, found().get("a"));
    }

    @Test
    void a_step_without_work_touches_nothing() {
        long before = faulty.calls();
        journal.step();
        assertEquals(before, faulty.calls());
        assertTrue(journal.nextStep().isEmpty());
    }

    // ---- failures ----

    @ParameterizedTest
    @EnumSource(names = {"ENOSPC", "EIO", "EROFS", "EMFILE", "EDQUOT"})
    void whatever_call_fails_each_record_is_old_or_new_and_the_next_try_recovers(Errno errno) throws Exception {
        submitAll(1);
        journal.step();
        int last = 16;
        for (int failing = 1; failing <= last + 1; failing++) {
            results.clear();
            long restarts = 1 + failing;
            failCall(failing, errno);
            submitAll(restarts);
            journal.step();
            if (failing > last + 1) {
                break;
            }
            assertEquals(1, results.size());
            assertTrue(results.get(0).startsWith("failed: "), results + " at call " + failing);
            assertTrue(results.get(0).contains(errno.name()), results.get(0));
            assertEquals(Set.of(), faulty.open(), "at call " + failing);

            faulty.fail((call, arguments) -> Errno.EUNKNOWN);
            for (long there : readInPlace()) {
                assertTrue(there == restarts || there == restarts - 1, there + " at call " + failing);
            }
            journal.step();
            assertEquals(1, results.size(), "not before its time");
            faulty.advance(Duration.ofSeconds(1));
            journal.step();
            assertEquals("committed " + seq, results.get(1));
            assertEquals(List.of(restarts, restarts, restarts), readInPlace());
        }
        failCall(last + 2, errno);
        submitAll(100);
        results.clear();
        journal.step();
        assertEquals(List.of("committed " + seq), results, "no call of a batch was left out above");
    }

    /** Fails the call of this number from now on, closing aside, which never fails here. */
    private void failCall(int number, Errno errno) {
        int[] calls = {0};
        faulty.fail((call, arguments) -> !call.equals("close") && ++calls[0] == number ? errno : Errno.EUNKNOWN);
    }

    /** Without the removal of temporary files that a start brings. */
    private List<Long> readInPlace() throws Exception {
        List<Long> restarts = new ArrayList<>();
        for (String name : NAMES) {
            byte[] text = Files.readAllBytes(folder.resolve(name + ".json"));
            restarts.add(codec.decodeService(text).history().restarts());
        }
        return restarts;
    }

    @Test
    void writes_that_take_only_a_few_bytes_are_gone_on_with() throws Exception {
        faulty.writeAtMost(7);
        submitAll(5);
        journal.step();
        assertEquals(List.of("committed 3"), results);
        assertEquals(Map.of("a", 5L, "b", 5L, "c", 5L), found());
    }

    @Test
    void a_write_that_takes_nothing_is_a_full_disk() {
        faulty.writeAtMost(0);
        submit("a", 5);
        journal.step();
        assertEquals(1, results.size());
        assertTrue(results.get(0).contains("ENOSPC") && results.get(0).contains("a.json.new"), results.get(0));
    }

    @Test
    void a_failure_is_retried_each_second_with_the_newest_records_and_what_came_meanwhile() throws Exception {
        submitAll(1);
        failCall(1, Errno.ENOSPC);
        journal.step();
        assertEquals(Optional.of(faulty.os().now().plus(Duration.ofSeconds(1))), journal.nextStep());
        submit("a", 2);
        submit("d", 9);
        faulty.advance(Duration.ofSeconds(1));
        journal.step();
        assertEquals("committed 5", results.get(1));
        assertEquals(Map.of("a", 2L, "b", 1L, "c", 1L, "d", 9L), found());
    }

    // ---- kills ----

    @Test
    void killed_at_any_call_each_record_is_old_or_new_and_no_temporary_file_is_left() throws Exception {
        submitAll(1);
        journal.step();
        boolean killed = true;
        for (int call = 1; killed; call++) {
            for (boolean after : new boolean[] {false, true}) {
                FaultyOs mortal = new FaultyOs(real);
                JournalFile dying = new JournalFile(mortal.os(), folder, "b1", new JournalFile.Results() {
                    @Override
                    public void committed(long upTo) {}

                    @Override
                    public void failed(String reason) {
                        throw new AssertionError(reason);
                    }
                });
                Map<String, Long> before = found();
                long restarts = before.get("c") + 1;
                for (String name : NAMES) {
                    dying.submit(++seq, Records.restarted(name, restarts));
                }
                mortal.killAt(call, after);
                try {
                    dying.step();
                } catch (FaultyOs.Killed e) {
                    // The test of it follows.
                }
                mortal.closeAll();
                killed = mortal.wasKilled();
                Map<String, Long> now = found();
                for (String name : NAMES) {
                    assertTrue(
                            now.get(name) == restarts || now.get(name).equals(before.get(name)),
                            now + " at call " + call);
                }
                assertEquals(List.of("a.json", "b.json", "c.json"), files());
            }
        }
    }

    // ---- what is found at a start ----

    @Test
    void the_supervisors_own_record_is_found_beside_those_of_services() throws Exception {
        SupervisorRecord ours = new SupervisorRecord("b1", "0.1", Instant.EPOCH, true, 77);
        journal.submit(++seq, ours);
        submit("a", 3);
        journal.step();
        JournalFile.Found found = journal().load();
        assertEquals(Optional.of(ours), found.supervisor());
        assertEquals(Set.of(new ServiceName("a")), found.services().keySet());
        assertEquals(List.of("@supervisor.json", "a.json"), files());
    }

    @Test
    void a_damaged_record_is_set_aside_and_told_of_and_the_others_stay() throws Exception {
        submitAll(4);
        journal.step();
        Files.writeString(folder.resolve("b.json"), "{\"version\":1,\"name\":\"b\"");
        Files.writeString(folder.resolve("@supervisor.json"), "");
        JournalFile.Found found = journal().load();
        assertEquals(2, found.notes().size());
        assertTrue(
                found.notes().get(0).contains("@supervisor.json"), found.notes().get(0));
        assertTrue(found.notes().get(1).startsWith("journal file " + folder.resolve("b.json") + " "));
        assertTrue(found.notes().get(1).endsWith("; it was set aside as b.json.damaged and its history starts afresh"));
        assertEquals(
                Set.of(new ServiceName("a"), new ServiceName("c")),
                found.services().keySet());
        assertEquals(Optional.empty(), found.supervisor());
        assertEquals("{\"version\":1,\"name\":\"b\"", Files.readString(folder.resolve("b.json.damaged")));
        assertEquals(Map.of("a", 4L, "c", 4L), found(), "told of once");
    }

    @Test
    void a_copy_under_another_name_is_not_taken_for_the_service_itself() throws Exception {
        submit("web", 4);
        journal.step();
        Files.copy(folder.resolve("web.json"), folder.resolve("zzz.json"));
        submit("web", 5);
        journal.step();
        JournalFile.Found found = journal().load();
        assertEquals(5, found.services().get(new ServiceName("web")).history().restarts());
        assertEquals(1, found.notes().size());
        assertTrue(
                found.notes().get(0).contains("is a record of \"web\""),
                found.notes().get(0));
    }

    @Test
    void a_record_of_a_later_version_stops_the_start_and_stays_as_it_is() throws Exception {
        submit("a", 4);
        journal.step();
        String later = "{\"version\":2}\n";
        Files.writeString(folder.resolve("b.json"), later);
        JournalException e =
                assertThrows(JournalException.class, () -> journal().load());
        assertTrue(e.isNewer());
        assertEquals(folder.resolve("b.json") + " has version 2, this supervisor reads 1", e.getMessage());
        assertEquals(later, Files.readString(folder.resolve("b.json")));
    }

    @Test
    void a_file_far_too_large_is_damaged_and_read_no_further_than_a_record_can_be() throws Exception {
        byte[] much = " ".repeat(3 << 20).getBytes(UTF_8);
        Files.write(folder.resolve("a.json"), much);
        assertEquals(1, journal().load().notes().size());
    }

    @Test
    void files_of_others_are_left_alone() throws Exception {
        Files.writeString(folder.resolve("README"), "hands off");
        Files.writeString(folder.resolve("a.json.damaged"), "{");
        assertEquals(Map.of(), found());
        assertEquals(List.of("README", "a.json.damaged"), files());
    }

    @Test
    void a_folder_that_cannot_be_read_is_an_error_with_its_path() {
        faulty.fail((call, arguments) -> call.equals("list") ? Errno.EIO : Errno.EUNKNOWN);
        OsException e = assertThrows(OsException.class, () -> journal().load());
        assertEquals(Errno.EIO, e.errno());
        assertFalse(e.getMessage().isEmpty());
    }
}
