package io.jsupervise.io;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.journal.JournalCodec;
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
import org.junit.jupiter.params.provider.ValueSource;

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
            public void failed(OsException why) {
                results.add("failed: " + why.getMessage());
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
    private Map<String, Long> found() throws OsException {
        JournalFile.Found found = journal().load();
        assertEquals(List.of(), found.setAside());
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
    void a_first_record_is_written_synced_renamed_and_then_the_folder_is_synced_once() throws Exception {
        List<String> calls = trace();
        submit("a", 1);
        submit("b", 1);
        journal.step();
        assertEquals(
                List.of(
                        "unlink journal/a.json.new",
                        "open journal/a.json.new",
                        "stat journal/a.json.new",
                        "write journal/a.json.new",
                        "beginSync journal/a.json.new",
                        "unlink journal/b.json.new",
                        "open journal/b.json.new",
                        "stat journal/b.json.new",
                        "write journal/b.json.new",
                        "beginSync journal/b.json.new",
                        "fdatasync journal/a.json.new",
                        "fdatasync journal/b.json.new",
                        "rename journal/a.json.new",
                        "rename journal/b.json.new",
                        "fsync journal"),
                calls);
        assertEquals(List.of("committed 2"), results);
        assertEquals(Map.of("a", 1L, "b", 1L), found());
    }

    @Test
    void later_records_are_written_over_the_one_before_the_last_and_change_names_with_the_last() throws Exception {
        recordTwice();
        List<String> calls = trace();
        submit("a", 3);
        journal.step();
        assertEquals(
                List.of(
                        "open journal/a.json.new",
                        "stat journal/a.json.new",
                        "write journal/a.json.new",
                        "fdatasync journal/a.json.new",
                        "exchange journal/a.json.new",
                        "fsync journal"),
                calls);
        assertEquals(3L, found().get("a"));
        assertEquals(Files.size(folder.resolve("a.json")), Files.size(folder.resolve("a.json.new")));
    }

    private void recordTwice() {
        submitAll(1);
        journal.step();
        submitAll(2);
        journal.step();
        results.clear();
    }

    /** As far as the disk knows it may be the valid one still. */
    @Test
    void what_was_valid_before_is_not_written_over_until_the_exchange_is_on_the_disk() throws Exception {
        recordTwice();
        Path valid = Files.createLink(directory.resolve("valid on the disk"), folder.resolve("a.json"));
        failOnly("fsync");
        submit("a", 3);
        journal.step();
        assertEquals(1, results.size());
        assertTrue(Files.isSameFile(valid, folder.resolve("a.json.new")), "they have changed names");
        faulty.fail((call, arguments) -> Errno.EUNKNOWN);
        faulty.advance(Duration.ofSeconds(1));
        journal.step();
        assertEquals("committed " + seq, results.get(1));
        assertEquals(2, restartsIn(valid));
        assertEquals(3, restartsIn(folder.resolve("a.json")));
    }

    private void failOnly(String which) {
        faulty.fail((call, arguments) -> call.equals(which) ? Errno.EIO : Errno.EUNKNOWN);
    }

    @Test
    void a_file_system_that_cannot_exchange_names_is_asked_once() throws Exception {
        List<String> asked = new ArrayList<>();
        faulty.fail((call, arguments) -> {
            if (!call.equals("exchange")) {
                return Errno.EUNKNOWN;
            }
            asked.add(call);
            return Errno.EINVAL;
        });
        for (int restarts = 1; restarts <= 3; restarts++) {
            submitAll(restarts);
            journal.step();
        }
        assertEquals(List.of("exchange"), asked);
        assertEquals(Map.of("a", 3L, "b", 3L, "c", 3L), found());
        assertTrue(journal.nextStep().isEmpty(), "second files are of no use there");
    }

    @Test
    void second_files_are_made_when_there_is_nothing_else_to_do() throws Exception {
        submitAll(1);
        journal.step();
        assertEquals(Optional.of(faulty.os().now().plus(Duration.ofSeconds(1))), journal.nextStep());
        List<String> calls = trace();
        journal.step();
        assertEquals(List.of(), calls, "not before its time");
        faulty.advance(Duration.ofSeconds(1));
        journal.step();
        assertTrue(journal.nextStep().isEmpty());
        assertEquals(List.of("a.json", "a.json.new", "b.json", "b.json.new", "c.json", "c.json.new"), files());
        calls.clear();
        submit("b", 2);
        journal.step();
        assertFalse(calls.contains("unlink journal/b.json.new"), calls.toString());
        assertEquals(2L, found().get("b"));
    }

    @Test
    void a_supervisor_goes_on_with_the_second_files_of_the_one_before() throws Exception {
        recordTwice();
        journal = journal();
        journal.load();
        assertTrue(journal.nextStep().isEmpty());
        List<String> calls = trace();
        submit("c", 9);
        journal.step();
        assertTrue(calls.contains("exchange journal/c.json.new"), calls.toString());
        assertFalse(calls.contains("unlink journal/c.json.new"), calls.toString());
    }

    @Test
    void what_somebody_removes_from_the_folder_is_made_again() throws Exception {
        recordTwice();
        Files.delete(folder.resolve("a.json.new"));
        Files.delete(folder.resolve("b.json"));
        submitAll(3);
        journal.step();
        assertEquals(List.of("committed " + seq), results);
        assertEquals(Map.of("a", 3L, "b", 3L, "c", 3L), found());
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
        assertEquals(Optional.of(faulty.os().now().plus(Duration.ofSeconds(1))), journal.nextStep());
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
            if (call.equals("fdatasync") && !submitted[0]) {
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
        recordTwice();
        int called = whateverCallFails(errno, () -> {});
        assertEquals(3 * "open stat write beginSync fdatasync exchange".split(" ").length + 2, called);
        // Where the second files are missing.
        int more = whateverCallFails(errno, () -> {
            for (String name : NAMES) {
                Files.deleteIfExists(folder.resolve(name + ".json.new"));
            }
        });
        assertEquals(called + 3 * "unlink open".split(" ").length, more);
    }

    private interface Before {
        void everyBatch() throws IOException;
    }

    /** How many calls a batch made that failed in none. */
    private int whateverCallFails(Errno errno, Before before) throws Exception {
        long restarts = 100;
        for (int failing = 1; ; failing++) {
            results.clear();
            before.everyBatch();
            long old = readInPlace().get(0);
            restarts++;
            failCall(failing, errno);
            submitAll(restarts);
            journal.step();
            assertEquals(1, results.size());
            if (results.get(0).equals("committed " + seq)) {
                return failing - 1;
            }
            assertTrue(results.get(0).startsWith("failed: "), results + " at call " + failing);
            assertTrue(results.get(0).contains(errno.name()), results.get(0));
            assertEquals(Set.of(), faulty.open(), "at call " + failing);

            faulty.fail((call, arguments) -> Errno.EUNKNOWN);
            for (long there : readInPlace()) {
                assertTrue(there == restarts || there == old, there + " at call " + failing);
            }
            journal.step();
            assertEquals(1, results.size(), "not before its time");
            faulty.advance(Duration.ofSeconds(1));
            journal.step();
            assertEquals("committed " + seq, results.get(1));
            assertEquals(List.of(restarts, restarts, restarts), readInPlace());
            submitAll(++restarts);
            journal.step();
        }
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
            restarts.add(restartsIn(folder.resolve(name + ".json")));
        }
        return restarts;
    }

    private long restartsIn(Path file) throws Exception {
        return codec.decodeService(Files.readAllBytes(file)).history().restarts();
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
    void killed_at_any_call_each_record_is_old_or_new_and_nothing_else_than_second_files_is_left() throws Exception {
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
                    public void failed(OsException why) {
                        throw new AssertionError(why);
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
                List<String> others = new ArrayList<>(files());
                others.removeIf(file -> file.matches("[abc]\\.json(\\.new)?"));
                assertEquals(List.of(), others);
            }
        }
    }

    // ---- what is found at a start ----

    @Test
    void the_supervisors_own_record_is_found_beside_those_of_services() throws Exception {
        SupervisorRecord ours = new SupervisorRecord("b1", "0.1", Instant.EPOCH, true, 77, Optional.empty());
        journal.submit(++seq, ours);
        submit("a", 3);
        journal.step();
        JournalFile.Found found = journal().load();
        assertEquals(Optional.of(ours), found.supervisor());
        assertEquals(Set.of(new ServiceName("a")), found.services().keySet());
        assertEquals(List.of("@supervisor.json", "a.json"), files());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"version\":1,\"name\":\"b\"",
                "",
                "\0\0\0\0",
                "{}",
                "[]",
                "null",
                "\u00ff\u00fe",
                "{\"version\":0}"
            })
    void a_damaged_record_is_set_aside_and_told_of_and_the_others_stay(String damage) throws Exception {
        submitAll(4);
        journal.step();
        Files.writeString(folder.resolve("b.json"), damage);
        JournalFile.Found found = journal().load();
        assertEquals(1, found.setAside().size());
        JournalFile.SetAside b = found.setAside().get(0);
        assertEquals(Optional.of(new ServiceName("b")), b.service());
        assertEquals(folder.resolve("b.json.damaged"), b.as());
        assertTrue(b.what().startsWith("cannot read journal file " + folder.resolve("b.json") + ": "), b.what());
        assertTrue(b.what().endsWith("; it was set aside as b.json.damaged, and its history starts afresh"), b.what());
        assertEquals(
                Set.of(new ServiceName("a"), new ServiceName("c")),
                found.services().keySet());
        assertEquals(damage, Files.readString(folder.resolve("b.json.damaged")));
        assertEquals(Map.of("a", 4L, "c", 4L), found(), "told of once");
    }

    @Test
    void what_was_set_aside_before_is_never_written_over() throws Exception {
        for (int i = 1; i <= 3; i++) {
            Files.writeString(folder.resolve("b.json"), "damage " + i);
            journal().load();
        }
        assertEquals(List.of("b.json.damaged", "b.json.damaged.2", "b.json.damaged.3"), files());
        assertEquals("damage 1", Files.readString(folder.resolve("b.json.damaged")));
        assertEquals("damage 3", Files.readString(folder.resolve("b.json.damaged.3")));
    }

    @Test
    void a_record_of_a_later_version_is_set_aside_under_that_version() throws Exception {
        submitAll(4);
        journal.step();
        String later = "{\"version\":99,\"name\":\"b\"}\n";
        for (int i = 0; i < 2; i++) {
            Files.writeString(folder.resolve("b.json"), later);
            JournalFile.SetAside b = journal().load().setAside().get(0);
            assertEquals(Optional.of(new ServiceName("b")), b.service());
            assertTrue(b.what().contains("b.json: it has version 99, this supervisor reads "), b.what());
        }
        assertEquals(List.of("a.json", "b.json.from-version-99", "b.json.from-version-99.2", "c.json"), files());
        assertEquals(later, Files.readString(folder.resolve("b.json.from-version-99")));
    }

    /** Or EXITED and FATAL would be forgotten, and what it may have left not looked for. */
    @ParameterizedTest
    @ValueSource(strings = {"", "{", "{\"version\":99}", "missing"})
    void a_supervisors_record_that_is_unreadable_is_taken_for_a_crash_in_this_boot(String damage) throws Exception {
        submitAll(4);
        journal.step();
        if (!damage.equals("missing")) {
            Files.writeString(folder.resolve("@supervisor.json"), damage);
        }
        JournalFile.Found found = journal().load();
        assertEquals(3, found.services().size());
        assertEquals("b1", found.supervisor().orElseThrow().bootId());
        assertFalse(found.supervisor().orElseThrow().endedInOrder());
        if (!damage.equals("missing")) {
            assertEquals(Optional.empty(), found.setAside().get(0).service());
        }
    }

    @Test
    void where_there_was_never_a_record_nobody_was_here() throws Exception {
        assertEquals(
                new JournalFile.Found(Map.of(), Optional.empty(), List.of()),
                journal().load());
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
        assertEquals(1, found.setAside().size());
        String what = found.setAside().get(0).what();
        assertTrue(what.contains("is a record of \"web\""), what);
    }

    @ParameterizedTest
    @EnumSource(names = {"EIO", "EACCES", "EISDIR"})
    void a_record_that_the_disk_does_not_give_is_set_aside_too(Errno errno) throws Exception {
        submitAll(4);
        journal.step();
        faulty.fail((call, arguments) ->
                call.equals("open") && arguments[0].equals(folder.resolve("b.json")) ? errno : Errno.EUNKNOWN);
        JournalFile.Found found = journal().load();
        assertEquals(List.of("a.json", "b.json.damaged", "c.json"), files());
        assertTrue(found.setAside().get(0).what().contains("b.json: "));
        assertTrue(found.setAside().get(0).what().contains(errno.name()));
        assertEquals(2, found.services().size());
    }

    @Test
    void a_record_that_cannot_be_read_for_lack_of_descriptors_is_not_damaged() throws Exception {
        submitAll(4);
        journal.step();
        faulty.fail((call, arguments) -> call.equals("open") ? Errno.EMFILE : Errno.EUNKNOWN);
        assertEquals(
                Errno.EMFILE,
                assertThrows(OsException.class, () -> journal().load()).errno());
        assertEquals(List.of("a.json", "b.json", "c.json"), files());
    }

    @Test
    void a_damaged_record_that_cannot_be_set_aside_is_not_written_over_until_it_is() throws Exception {
        Files.writeString(folder.resolve("b.json"), "precious");
        faulty.fail((call, arguments) -> call.equals("rename") ? Errno.ENOSPC : Errno.EUNKNOWN);
        JournalFile.SetAside b = journal.load().setAside().get(0);
        assertTrue(b.what().contains("could not be set aside as b.json.damaged (rename: ENOSPC"), b.what());
        submitAll(1);
        journal.step();
        assertTrue(results.get(0).startsWith("failed: ") && results.get(0).contains("ENOSPC"), results.get(0));
        assertEquals("precious", Files.readString(folder.resolve("b.json")));

        faulty.fail((call, arguments) -> Errno.EUNKNOWN);
        faulty.advance(Duration.ofSeconds(1));
        journal.step();
        assertEquals("committed 3", results.get(1));
        assertEquals("precious", Files.readString(folder.resolve("b.json.damaged")));
        assertEquals(Map.of("a", 1L, "b", 1L, "c", 1L), found());
    }

    @Test
    void a_file_far_too_large_is_damaged_and_read_no_further_than_a_record_can_be() throws Exception {
        byte[] much = " ".repeat(3 << 20).getBytes(UTF_8);
        Files.write(folder.resolve("a.json"), much);
        assertEquals(1, journal().load().setAside().size());
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
