package io.jsupervise.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Effect;
import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.Look;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.linux.LinuxOs;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.supervision.SupervisorEvent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Looks at heartbeat paths of every kind; none of them may wait, or the timeout ends the test. */
@Timeout(value = 10, unit = TimeUnit.SECONDS)
class HeartbeatFilesLinuxTest {
    private static final ServiceName WEB = new ServiceName("web");

    @TempDir
    private Path directory;

    private final Os real = new LinuxOs();
    private final FaultyOs faulty = new FaultyOs(real);
    private final Deque<Runnable> tasks = new ArrayDeque<>();
    private final List<SupervisorEvent> results = new ArrayList<>();
    private final List<OsException> failures = new ArrayList<>();

    private Path file() {
        return directory.resolve("beat");
    }

    private HeartbeatFiles files() {
        return new HeartbeatFiles(faulty.os(), directory.resolve("ours"), tasks::add, results::add, failures::add);
    }

    private Look look() {
        RunId run = new RunId("r1");
        long before = faulty.calls();
        files().look(new Effect.LookAtHeartbeat(WEB, run, file()));
        assertEquals(before, faulty.calls(), "whoever orders a look touches no file");
        tasks.remove().run();
        SupervisorEvent.OfService result = (SupervisorEvent.OfService) results.remove(0);
        Event.HeartbeatLookedAt looked = (Event.HeartbeatLookedAt) result.event();
        assertEquals(WEB, result.service());
        assertEquals(run, looked.run());
        return looked.look();
    }

    private void assertProblem(String words) {
        Look look = look();
        assertEquals(Optional.empty(), look.stamp());
        assertTrue(look.problem().orElse("").contains(words), look.toString());
    }

    @Test
    void a_file_has_the_time_of_its_last_change_also_one_of_the_future_or_of_long_ago() throws Exception {
        Files.createFile(file());
        for (String time : new String[] {"2001-02-03T04:05:06.123456789Z", "2199-01-01T00:00:00Z"}) {
            Instant instant = Instant.parse(time);
            Files.setLastModifiedTime(file(), FileTime.from(instant));
            Look look = look();
            assertEquals(instant, look.stamp().orElseThrow().mtime());
            assertEquals(Optional.empty(), look.problem());
        }
    }

    @Test
    void a_file_that_was_replaced_by_one_of_the_same_time_has_another_stamp() throws Exception {
        Files.createFile(file());
        FileTime time = FileTime.from(Instant.parse("2026-01-31T12:00:00Z"));
        Files.setLastModifiedTime(file(), time);
        Look first = look();
        Path other = Files.createFile(directory.resolve("other"));
        Files.setLastModifiedTime(other, time);
        Files.move(other, file(), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        assertTrue(!first.stamp().equals(look().stamp()));
    }

    @Test
    void a_file_that_is_missing_is_no_problem_yet_and_no_beat() {
        Look look = look();
        assertEquals(Optional.empty(), look.stamp());
        assertEquals(Optional.empty(), look.problem());
    }

    @Test
    void a_link_is_followed_and_one_that_leads_nowhere_is_a_missing_file() throws Exception {
        Path target = directory.resolve("target");
        Files.createSymbolicLink(file(), target);
        assertEquals(Optional.empty(), look().stamp());
        Files.createFile(target);
        assertTrue(look().stamp().isPresent());
    }

    @Test
    void links_in_a_circle_are_a_problem() throws Exception {
        Files.createSymbolicLink(file(), directory.resolve("b"));
        Files.createSymbolicLink(directory.resolve("b"), file());
        assertProblem("ELOOP");
    }

    @Test
    void a_directory_is_a_problem() throws Exception {
        Files.createDirectory(file());
        assertProblem("is a directory");
    }

    @Test
    void a_fifo_is_a_problem_and_nobody_waits_for_its_other_end() throws Exception {
        real.mkfifo(file(), 0600);
        assertProblem("is a FIFO");
    }

    @Test
    void a_disk_that_fails_is_a_problem_with_its_errno() {
        faulty.fail((call, arguments) -> call.equals("stat") ? Errno.EIO : Errno.EUNKNOWN);
        assertProblem("EIO");
    }

    @Test
    void our_own_heartbeat_is_made_and_its_time_moves() throws Exception {
        Path ours = directory.resolve("ours");
        files().touchOurs();
        assertTrue(Files.notExists(ours), "whoever orders it touches no file");
        tasks.remove().run();
        Files.setLastModifiedTime(ours, FileTime.from(Instant.EPOCH));
        files().touchOurs();
        tasks.remove().run();
        assertTrue(Files.getLastModifiedTime(ours).toInstant().isAfter(Instant.EPOCH));
        assertEquals(List.of(), failures);
    }

    @Test
    void our_own_heartbeat_that_cannot_be_touched_is_told_of() throws Exception {
        faulty.fail((call, arguments) -> call.equals("touch") ? Errno.EROFS : Errno.EUNKNOWN);
        files().touchOurs();
        tasks.remove().run();
        assertEquals(1, failures.size());
        assertEquals(Errno.EROFS, failures.get(0).errno());
    }

    @Test
    void our_own_heartbeat_that_is_a_fifo_holds_nobody_up() throws Exception {
        real.mkfifo(directory.resolve("ours"), 0600);
        files().touchOurs();
        tasks.remove().run();
        assertEquals(List.of(), failures);
    }
}
