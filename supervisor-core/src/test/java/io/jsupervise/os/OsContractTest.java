package io.jsupervise.os;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Bearer;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.spec.Signal;
import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

/**
 * What every {@link Os} does. It is run against the kernel and against the simulator, so that what is proved with the
 * simulator holds on a machine. Only what both can do is here; what belongs to the kernel alone (listening sockets,
 * descriptors, masks, owners) is tested beside {@code LinuxOs}.
 */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
public abstract class OsContractTest {
    private static final Duration LONG = Duration.ofSeconds(10);

    /** The one under test; the same one all through a test. */
    protected abstract Os os();

    /** An existing empty directory in it. */
    protected abstract Path dir();

    /** A program that ends by itself at once. */
    protected abstract List<String> exits(int code);

    /** A program that does nothing until a signal ends it. */
    protected abstract List<String> sleeps();

    /** Ends soon, and leaves a process that lives. */
    protected abstract List<String> leavesAnOrphan();

    /** A program that writes {@code line} and a newline to its standard output, and then sleeps. */
    protected abstract List<String> writes(String line);

    /** A program that sends {@code message} to the socket that NOTIFY_SOCKET names, and then sleeps. */
    protected abstract List<String> says(String message);

    /** Whether a pidfd tells how its process ended after that was reaped. */
    protected boolean pidFdsTellExits() {
        return true;
    }

    /** The whole environment that the programs need. */
    protected Map<String, String> environment() {
        return Map.of("PATH", "/usr/bin:/bin");
    }

    // ---- time ----

    @Test
    void a_deadline_is_waited_for_and_not_longer_than_it_takes() throws OsException {
        MonotonicTime before = os().now();
        MonotonicTime deadline = before.plus(Duration.ofMillis(20));
        try (Poller poller = os().poller()) {
            poller.poll(Optional.of(deadline), token -> {});
        }
        assertFalse(os().now().isBefore(deadline), "it ended before its deadline");
        assertTrue(os().now().isBefore(before.plus(LONG)));
    }

    // ---- files ----

    @Test
    void what_was_written_is_read_back() throws OsException {
        Path file = dir().resolve("file");
        writeFile(file, OpenMode.REPLACE, "first line\n");

        assertEquals("first line\n", readFile(file));
        FileStat stat = os().stat(file).orElseThrow();
        assertEquals(FileStat.Kind.REGULAR, stat.kind());
        assertEquals(11, stat.size());
        assertEquals(0644, stat.mode());
    }

    @Test
    void replace_empties_append_adds_and_write_leaves_the_rest() throws OsException {
        Path file = dir().resolve("file");
        writeFile(file, OpenMode.REPLACE, "old and long");
        writeFile(file, OpenMode.REPLACE, "abc");
        assertEquals("abc", readFile(file));
        writeFile(file, OpenMode.APPEND, "def");
        assertEquals("abcdef", readFile(file));
        writeFile(file, OpenMode.WRITE, "X");
        assertEquals("Xbcdef", readFile(file));
        writeFile(file, OpenMode.OVERWRITE, "YZ");
        assertEquals("YZcdef", readFile(file));
        refused(Errno.ENOENT, () -> os().open(dir().resolve("none"), OpenMode.OVERWRITE, 0644));
    }

    @Test
    void a_device_is_opened_where_it_is_and_never_made() throws OsException {
        Path file = dir().resolve("watchdog");
        refused(Errno.ENOENT, () -> os().open(file, OpenMode.DEVICE, 0600));
        assertEquals(Optional.empty(), os().stat(file));
        writeFile(file, OpenMode.REPLACE, "content");
        os().close(os().open(file, OpenMode.DEVICE, 0600));
        assertEquals("content", readFile(file));
    }

    @Test
    void a_fifo_stands_in_for_a_device_where_somebody_reads_it_and_has_no_timeout() throws OsException {
        Path fifo = dir().resolve("fifo");
        os().mkfifo(fifo, 0600);
        refused(Errno.ENXIO, () -> os().open(fifo, OpenMode.DEVICE, 0));
        Fd reader = os().open(fifo, OpenMode.FIFO, 0);
        Fd device = os().open(fifo, OpenMode.DEVICE, 0);
        refused(Errno.ENOTTY, () -> os().watchdog(device, WatchdogCall.SET_TIMEOUT, 60));
        refused(Errno.ENOTTY, () -> os().watchdogSupport(device));
        assertEquals(Optional.empty(), os().watchdogAttribute(device, "nowayout"));
        assertEquals(1, os().write(device, bytes("k"), 0, 1));
        byte[] read = new byte[8];
        assertEquals(1, os().read(reader, read, 0, read.length));
        assertEquals('k', read[0]);
        os().close(device);
        os().close(reader);
    }

    @Test
    void a_message_to_nobody_is_refused() {
        refused(Errno.ENOENT, () -> os().sendTo(dir().resolve("nobody").toString(), bytes("READY=1")));
    }

    @Test
    void reading_and_writing_at_a_position_do_not_move_the_descriptor() throws OsException {
        Path file = dir().resolve("file");
        writeFile(file, OpenMode.REPLACE, "0123456789");

        Fd out = os().open(file, OpenMode.WRITE, 0644);
        assertEquals(2, os().writeAt(out, 4, bytes("xABy"), 1, 2));
        assertEquals(1, os().write(out, bytes("-"), 0, 1));
        os().close(out);

        Fd in = os().open(file, OpenMode.READ, 0);
        byte[] buffer = new byte[8];
        assertEquals(3, os().readAt(in, 4, buffer, 2, 3));
        assertEquals("AB6", new String(buffer, 2, 3, UTF_8));
        assertEquals(8, os().read(in, buffer, 0, 8));
        assertEquals("-123AB67", new String(buffer, UTF_8));
        assertEquals(0, os().readAt(in, 10, buffer, 0, 8));
        os().close(in);
    }

    @Test
    void a_file_written_past_its_end_has_zeros_in_between_and_can_be_cut() throws OsException {
        Path file = dir().resolve("file");
        Fd out = os().open(file, OpenMode.WRITE, 0600);
        os().writeAt(out, 3, bytes("z"), 0, 1);
        assertEquals(4, os().stat(out).size());
        assertEquals("\0\0\0z", readFile(file));
        os().truncate(out, 2);
        os().fsync(out);
        os().fdatasync(out);
        os().close(out);
        assertEquals("\0\0", readFile(file));
        assertEquals(0600, os().stat(file).orElseThrow().mode());
    }

    @Test
    void an_error_names_the_call_the_path_and_the_errno() {
        Path missing = dir().resolve("missing");
        OsException e = assertThrows(OsException.class, () -> os().open(missing, OpenMode.READ, 0));
        assertEquals(Errno.ENOENT, e.errno());
        assertTrue(e.getMessage().contains("open " + missing), e.getMessage());
        assertTrue(e.getMessage().contains("ENOENT"), e.getMessage());
    }

    @Test
    void what_cannot_be_opened_is_refused() throws OsException {
        Path file = dir().resolve("file");
        writeFile(file, OpenMode.REPLACE, "");
        refused(Errno.ENOTDIR, () -> os().open(file.resolve("below"), OpenMode.READ, 0));
        refused(Errno.ENOTDIR, () -> os().open(file, OpenMode.DIRECTORY, 0));
        refused(Errno.EISDIR, () -> os().open(dir(), OpenMode.REPLACE, 0644));
        refused(Errno.ENOENT, () -> os().open(dir().resolve("no/file"), OpenMode.REPLACE, 0644));
    }

    @Test
    void rename_replaces_what_was_there() throws OsException {
        Path from = dir().resolve("new");
        Path to = dir().resolve("old");
        writeFile(to, OpenMode.REPLACE, "old");
        writeFile(from, OpenMode.REPLACE, "new");
        FileStat before = os().stat(from).orElseThrow();

        os().rename(from, to);

        assertEquals("new", readFile(to));
        assertTrue(os().stat(from).isEmpty());
        assertTrue(before.sameFile(os().stat(to).orElseThrow()));
        OsException e = assertThrows(OsException.class, () -> os().rename(from, to));
        assertEquals(Errno.ENOENT, e.errno());
        assertTrue(e.getMessage().contains(from.toString()), e.getMessage());
    }

    @Test
    void exchange_lets_two_files_change_names() throws OsException {
        Path one = dir().resolve("one");
        Path other = dir().resolve("other");
        writeFile(one, OpenMode.REPLACE, "first");
        refused(Errno.ENOENT, () -> os().exchange(one, other));
        assertEquals("first", readFile(one));
        writeFile(other, OpenMode.REPLACE, "second");
        FileStat before = os().stat(one).orElseThrow();

        os().exchange(one, other);

        assertEquals("second", readFile(one));
        assertEquals("first", readFile(other));
        assertTrue(before.sameFile(os().stat(other).orElseThrow()));
    }

    @Test
    void an_open_file_stays_what_it_was_when_its_name_goes_to_another() throws OsException {
        Path file = dir().resolve("log");
        Fd out = os().open(file, OpenMode.WRITE, 0644);
        os().rename(file, dir().resolve("log.1"));
        writeFile(file, OpenMode.REPLACE, "second");
        os().write(out, bytes("first"), 0, 5);

        assertFalse(os().stat(out).sameFile(os().stat(file).orElseThrow()));
        assertTrue(os().stat(out).sameFile(os().stat(dir().resolve("log.1")).orElseThrow()));
        os().close(out);
        assertEquals("second", readFile(file));
        assertEquals("first", readFile(dir().resolve("log.1")));
    }

    @Test
    void unlink_removes_a_file_and_does_not_mind_its_absence() throws OsException {
        Path file = dir().resolve("file");
        writeFile(file, OpenMode.REPLACE, "x");
        os().unlink(file);
        assertTrue(os().stat(file).isEmpty());
        os().unlink(file);
    }

    @Test
    void rmdir_removes_an_empty_directory_and_does_not_mind_its_absence() throws OsException {
        Path sub = dir().resolve("sub");
        os().mkdir(sub, 0755);
        Path file = sub.resolve("file");
        writeFile(file, OpenMode.REPLACE, "x");
        refused(Errno.ENOTEMPTY, () -> os().rmdir(sub));
        refused(Errno.ENOTDIR, () -> os().rmdir(file));
        os().unlink(file);
        os().rmdir(sub);
        assertTrue(os().stat(sub).isEmpty());
        os().rmdir(sub);
    }

    @Test
    void mkdir_has_the_mode_that_was_asked_for_and_accepts_a_directory_that_is_there() throws OsException {
        Path sub = dir().resolve("sub");
        os().mkdir(sub, 0777);
        FileStat stat = os().stat(sub).orElseThrow();
        assertEquals(FileStat.Kind.DIRECTORY, stat.kind());
        assertEquals(0777, stat.mode());
        os().chmod(sub, 0700);
        assertEquals(0700, os().stat(sub).orElseThrow().mode());
        os().mkdir(sub, 0755);
        assertEquals(FileStat.Kind.DIRECTORY, os().stat(sub).orElseThrow().kind());

        Path file = dir().resolve("file");
        writeFile(file, OpenMode.REPLACE, "");
        refused(Errno.EEXIST, () -> os().mkdir(file, 0755));
        refused(Errno.ENOENT, () -> os().mkdir(dir().resolve("no/such"), 0755));
    }

    @Test
    void a_directory_is_listed_in_order() throws OsException {
        assertEquals(List.of(), os().list(dir()));
        for (String name : List.of("b", "c", "a", "a.1", "A")) {
            writeFile(dir().resolve(name), OpenMode.REPLACE, "");
        }
        os().mkdir(dir().resolve("d"), 0755);
        assertEquals(List.of("A", "a", "a.1", "b", "c", "d"), os().list(dir()));
        refused(Errno.ENOENT, () -> os().list(dir().resolve("missing")));
        refused(Errno.ENOTDIR, () -> os().list(dir().resolve("a")));
    }

    @Test
    void a_directory_can_be_opened_and_synced() throws OsException {
        Fd directory = os().open(dir(), OpenMode.DIRECTORY, 0);
        os().fsync(directory);
        assertEquals(FileStat.Kind.DIRECTORY, os().stat(directory).kind());
        os().close(directory);
    }

    @Test
    void no_file_has_no_stat() throws OsException {
        Path file = dir().resolve("file");
        assertTrue(os().stat(file).isEmpty());
        writeFile(file, OpenMode.REPLACE, "");
        assertTrue(os().stat(file.resolve("below")).isEmpty());
    }

    @Test
    void touch_makes_a_file_or_moves_its_time() throws OsException {
        Path file = dir().resolve("beat");
        os().touch(file);
        FileStat first = os().stat(file).orElseThrow();
        assertEquals(0, first.size());
        Duration age = Duration.between(first.mtime(), os().wallClock());
        assertTrue(age.abs().compareTo(LONG) < 0, "age " + age);

        letPass(Duration.ofMillis(50));
        os().touch(file);
        assertTrue(os().stat(file).orElseThrow().mtime().isAfter(first.mtime()));
        assertTrue(first.sameFile(os().stat(file).orElseThrow()));
    }

    @Test
    void a_lock_is_exclusive_until_its_file_is_closed() throws OsException {
        Path file = dir().resolve("lock");
        Fd first = os().open(file, OpenMode.WRITE, 0600);
        Fd second = os().open(file, OpenMode.WRITE, 0600);
        assertTrue(os().lock(first));
        assertFalse(os().lock(second));
        os().close(first);
        assertTrue(os().lock(second));
        os().close(second);
    }

    // ---- pipes ----

    @Test
    void what_is_written_into_a_fifo_outlives_who_wrote_it() throws OsException {
        Path path = dir().resolve("fifo");
        os().mkfifo(path, 0600);
        os().mkfifo(path, 0600);
        assertEquals(FileStat.Kind.FIFO, os().stat(path).orElseThrow().kind());

        Fd ours = os().open(path, OpenMode.FIFO, 0);
        Fd theirs = os().open(path, OpenMode.FIFO, 0);
        os().write(theirs, bytes("last words"), 0, 10);
        os().close(theirs);

        assertEquals(10, os().available(ours));
        assertEquals("last words", readAll(ours));
        refused(Errno.EAGAIN, () -> os().read(ours, new byte[8], 0, 8));
        os().close(ours);
    }

    @Test
    void the_content_of_a_fifo_is_gone_with_its_last_end() throws OsException {
        Path path = dir().resolve("fifo");
        os().mkfifo(path, 0600);
        Fd first = os().open(path, OpenMode.FIFO, 0);
        os().write(first, bytes("lost"), 0, 4);
        os().close(first);
        Fd second = os().open(path, OpenMode.FIFO, 0);
        assertEquals(0, os().available(second));
        os().close(second);
    }

    @Test
    void what_is_no_link_says_nothing() throws OsException {
        Path path = dir().resolve("file");
        os().close(os().open(path, OpenMode.WRITE, 0644));
        assertEquals(Optional.empty(), os().readLink(path));
        assertEquals(Optional.empty(), os().readLink(dir().resolve("missing")));
        assertEquals(Optional.empty(), os().readLink(path.resolve("below-a-file")));
    }

    @Test
    void mkfifo_does_not_take_another_file_for_a_fifo() throws OsException {
        Path path = dir().resolve("file");
        writeFile(path, OpenMode.REPLACE, "");
        refused(Errno.EEXIST, () -> os().mkfifo(path, 0600));
    }

    @Test
    void a_full_pipe_takes_no_more_and_an_empty_one_gives_nothing() throws OsException {
        Fd[] pipe = os().pipe();
        int size = os().setPipeSize(pipe[1], 65536);
        assertEquals(65536, size);
        byte[] much = new byte[size];
        assertEquals(size, os().write(pipe[1], much, 0, size));
        refused(Errno.EAGAIN, () -> os().write(pipe[1], much, 0, 1));
        assertEquals(size, os().available(pipe[0]));
        for (int left = size; left > 0; ) {
            left -= os().read(pipe[0], much, 0, left);
        }
        refused(Errno.EAGAIN, () -> os().read(pipe[0], much, 0, 1));
        closeBoth(pipe);
    }

    @Test
    @Timeout(10)
    void what_a_child_says_comes_out_of_its_pipe_and_we_never_wait_for_it() throws OsException {
        Fd[] pipe = os().outputPipe();
        byte[] buffer = new byte[16];
        refused(Errno.EAGAIN, () -> os().read(pipe[0], buffer, 0, 16));
        os().write(pipe[1], bytes("well"), 0, 4);
        assertEquals(4, os().read(pipe[0], buffer, 0, 16));
        os().close(pipe[1]);
        assertEquals(0, os().read(pipe[0], buffer, 0, 16));
        os().close(pipe[0]);
    }

    @Test
    void a_pipe_whose_writers_are_gone_is_at_its_end() throws OsException {
        Fd[] pipe = os().pipe();
        os().write(pipe[1], bytes("x"), 0, 1);
        os().close(pipe[1]);
        byte[] buffer = new byte[4];
        assertEquals(1, os().read(pipe[0], buffer, 0, 4));
        assertEquals(0, os().read(pipe[0], buffer, 0, 4));
        os().close(pipe[0]);
    }

    @Test
    void splice_moves_into_a_file_at_an_offset_no_more_than_asked() throws OsException {
        Path path = dir().resolve("log");
        writeFile(path, OpenMode.REPLACE, "head:");
        Fd file = os().open(path, OpenMode.WRITE, 0644);
        Fd[] pipe = os().pipe();
        assertEquals(0, os().splice(pipe[0], file, 5, 100));

        os().write(pipe[1], bytes("one two"), 0, 7);
        assertEquals(3, os().splice(pipe[0], file, 5, 3));
        assertEquals(4, os().available(pipe[0]));
        assertEquals(4, os().splice(pipe[0], file, 8, 100));
        assertEquals("head:one two", readFile(path));
        assertEquals(0, os().available(pipe[0]));
        os().close(file);
        closeBoth(pipe);
    }

    @Test
    void splice_does_not_write_to_a_file_opened_for_appending() throws OsException {
        Fd file = os().open(dir().resolve("log"), OpenMode.APPEND, 0644);
        Fd[] pipe = os().pipe();
        os().write(pipe[1], bytes("kept"), 0, 4);
        refused(Errno.EINVAL, () -> os().splice(pipe[0], file, 0, 4));
        assertEquals(4, os().available(pipe[0]));
        os().close(file);
        closeBoth(pipe);
    }

    @Test
    void tee_copies_and_does_not_consume() throws OsException {
        Fd[] from = os().pipe();
        Fd[] to = os().pipe();
        assertEquals(0, os().tee(from[0], to[1], 100));
        os().write(from[1], bytes("a line\n"), 0, 7);
        assertEquals(6, os().tee(from[0], to[1], 6));
        assertEquals("a line", readAll(to[0]));
        assertEquals("a line\n", readAll(from[0]));
        closeBoth(from);
        closeBoth(to);
    }

    // ---- datagrams ----

    @Test
    void a_datagram_socket_tells_what_was_sent_and_by_whom() throws Exception {
        Path path = dir().resolve("notify");
        Fd socket = os().bindDatagrams(path);
        assertEquals(FileStat.Kind.SOCKET, os().stat(path).orElseThrow().kind());
        assertEquals(Optional.empty(), os().receive(socket, 100));
        OsException taken = assertThrows(OsException.class, () -> os().bindDatagrams(path));
        assertEquals(Errno.EADDRINUSE, taken.errno());

        Path there = dir().resolve("there");
        os().rename(path, there);
        String searched = System.getenv("PATH");
        Child child = os().spawn(new SpawnRequest(
                says("READY=1"),
                dir(),
                Map.of("PATH", searched == null ? "/bin" : searched, "NOTIFY_SOCKET", there.toString()),
                022,
                new SpawnRequest.Output.Null(),
                new SpawnRequest.Output.Null()));
        Datagram message = waitFor(socket);
        assertEquals("READ", new String(message.content(), UTF_8).substring(0, 4));
        assertEquals(child.pid().value(), message.sender());
        assertTrue(message.descriptors().isEmpty());
        assertEquals(Optional.empty(), os().receive(socket, 100));
        os().signal(child, Signal.KILL);
        Poller poller = os().poller();
        poller.add(child.pidfd(), 1);
        poller.poll(Optional.of(os().now().plus(LONG)), token -> {});
        poller.close();
        os().reap(child);
        os().release(child);
        os().close(socket);
    }

    /** The next message that comes. */
    protected final Datagram waitFor(Fd socket) throws OsException {
        Poller poller = os().poller();
        poller.add(socket, 7);
        poller.poll(Optional.of(os().now().plus(LONG)), token -> assertEquals(7, token));
        poller.close();
        return os().receive(socket, 4096).orElseThrow(() -> new AssertionError("no message came"));
    }

    // ---- descriptors that are sent ----

    @Test
    void a_descriptor_that_was_sent_keeps_what_it_refers_to_open_until_its_message_is_discarded() throws OsException {
        Path path = dir().resolve("fifo");
        os().mkfifo(path, 0600);
        Fd[] pair = os().socketPair();
        Fd fifo = os().open(path, OpenMode.FIFO, 0);
        os().write(fifo, bytes("kept"), 0, 4);
        os().send(pair[0], new Parcel(bytes("a fifo"), List.of(fifo)));
        os().close(fifo);

        Fd again = os().open(path, OpenMode.FIFO, 0);
        assertEquals(4, os().available(again));
        os().close(again);
        for (int i = 0; i < 2; i++) {
            Parcel parcel = os().peek(pair[1]).orElseThrow();
            assertEquals("a fifo", new String(parcel.content(), UTF_8));
            assertEquals(1, parcel.descriptors().size());
            Fd ours = parcel.descriptors().get(0);
            assertEquals(4, os().available(ours));
            assertTrue(os().stat(ours).sameFile(os().stat(path).orElseThrow()));
            os().close(ours);
        }
        assertTrue(os().discard(pair[1]));
        assertFalse(os().discard(pair[1]));
        assertTrue(os().peek(pair[1]).isEmpty());
        Fd empty = os().open(path, OpenMode.FIFO, 0);
        assertEquals(0, os().available(empty));
        os().close(empty);
        closeBoth(pair);
    }

    @Test
    void messages_wait_in_order_each_with_its_own_descriptors() throws Exception {
        Fd[] pair = os().socketPair();
        Child child = spawn(exits(37));
        List<Fd> many = new ArrayList<>();
        for (int i = 0; i < Parcel.MOST_DESCRIPTORS; i++) {
            many.add(child.pidfd());
        }
        os().send(pair[0], new Parcel(bytes("none"), List.of()));
        os().send(pair[0], new Parcel(new byte[Parcel.MOST_BYTES], many));
        awaitEnd(child);
        os().reap(child);
        assertEquals(List.of(), os().peek(pair[1]).orElseThrow().descriptors());
        assertTrue(os().discard(pair[1]));
        Parcel parcel = os().peek(pair[1]).orElseThrow();
        assertEquals(Parcel.MOST_BYTES, parcel.content().length);
        assertEquals(Parcel.MOST_DESCRIPTORS, parcel.descriptors().size());
        Child known = new Child(child.identity(), parcel.descriptors().get(252), false);
        ExitStatus expected = pidFdsTellExits() ? new ExitStatus.Exited(37) : new ExitStatus.Unknown();
        assertEquals(Optional.of(expected), os().peekExit(known), "a pidfd that was sent is one");
        parcel.descriptors().forEach(os()::close);
        os().release(child);
        closeBoth(pair);
    }

    @Test
    void what_waits_in_a_socket_of_another_process_can_be_had_from_there() throws Exception {
        Fd[] pair = os().socketPair();
        Child child = os().spawn(new SpawnRequest(
                sleeps(),
                dir(),
                environment(),
                022,
                new SpawnRequest.Output.Descriptor(pair[0]),
                new SpawnRequest.Output.Descriptor(pair[1])));
        os().send(pair[0], new Parcel(bytes("one"), List.of()));
        closeBoth(pair);
        refused(Errno.EBADF, () -> os().takeFd(child, 77));
        Fd in = os().takeFd(child, 1);
        Fd out = os().takeFd(child, 2);
        assertEquals("one", new String(os().peek(out).orElseThrow().content(), UTF_8));
        os().send(in, new Parcel(bytes("two"), List.of()));
        assertTrue(os().discard(out));
        assertEquals("two", new String(os().peek(out).orElseThrow().content(), UTF_8));
        os().close(in);
        os().close(out);
        end(child);
    }

    @Test
    void who_was_started_with_a_variable_is_found_for_as_long_as_it_lives() throws Exception {
        String mark = "contract-" + dir().toString().hashCode();
        assertEquals(List.of(), os().started(sleeps().get(0), "MARK", mark));
        Map<String, String> environment = new java.util.HashMap<>(environment());
        environment.put("MARK", mark);
        Child child = os().spawn(new SpawnRequest(
                sleeps(), dir(), environment, 022, new SpawnRequest.Output.Null(), new SpawnRequest.Output.Null()));
        // A spawn returns when exec(2) has let go of our memory, and that is before the new name and environment are
        // there.
        MonotonicTime deadline = os().now().plus(LONG);
        while (os().started(sleeps().get(0), "MARK", mark).isEmpty()
                && os().now().isBefore(deadline)) {
            letPass(Duration.ofMillis(1));
        }
        assertEquals(List.of(child.identity()), os().started(sleeps().get(0), "MARK", mark));
        assertEquals(List.of(), os().started(sleeps().get(0), "MARK", mark + "0"));
        assertEquals(List.of(), os().started(sleeps().get(0), "MARK", mark.substring(1)));
        end(child);
        assertEquals(List.of(), os().started(sleeps().get(0), "MARK", mark));
    }

    // ---- waiting ----

    @Test
    void a_poller_reports_what_can_be_read_for_as_long_as_it_can() throws OsException {
        Fd[] one = os().pipe();
        Fd[] two = os().pipe();
        try (Poller poller = os().poller()) {
            poller.add(one[0], 1);
            poller.add(two[0], Long.MAX_VALUE);
            assertEquals(List.of(), look(poller));

            os().write(two[1], bytes("x"), 0, 1);
            assertEquals(List.of(Long.MAX_VALUE), look(poller));
            assertEquals(List.of(Long.MAX_VALUE), look(poller), "level-triggered");

            os().write(one[1], bytes("x"), 0, 1);
            List<Long> both = look(poller);
            assertEquals(2, both.size());
            assertTrue(both.contains(1L) && both.contains(Long.MAX_VALUE), both.toString());

            poller.remove(two[0]);
            assertEquals(List.of(1L), look(poller));
            readAll(one[0]);
            assertEquals(List.of(), look(poller));
        }
        closeBoth(one);
        closeBoth(two);
    }

    @Test
    void a_wakeup_ends_the_next_poll_and_only_that() throws OsException {
        try (Poller poller = os().poller()) {
            poller.wakeup();
            poller.wakeup();
            poller.poll(Optional.empty(), token -> {
                throw new AssertionError("token " + token);
            });
            MonotonicTime deadline = os().now().plus(Duration.ofMillis(5));
            poller.poll(Optional.of(deadline), token -> {});
            assertFalse(os().now().isBefore(deadline), "two wakeups were two");
        }
    }

    // ---- processes ----

    @Test
    void an_exit_code_is_told_exactly_and_until_it_is_reaped() throws Exception {
        for (int code : new int[] {0, 1, 137, 255}) {
            Child child = spawn(exits(code));
            awaitEnd(child);
            assertEquals(Optional.of(new ExitStatus.Exited(code)), os().peekExit(child));
            assertEquals(Optional.of(new ExitStatus.Exited(code)), os().peekExit(child), "peeking does not reap");
            os().reap(child);
            assertFalse(os().groupExists(child));
            assertFalse(os().signal(child, Signal.TERM));
            assertFalse(os().signalGroup(child, Signal.KILL));
            os().release(child);
        }
    }

    @Test
    void a_process_that_was_killed_tells_by_what() throws Exception {
        for (Signal signal : List.of(Signal.TERM, Signal.KILL)) {
            Child child = spawn(sleeps());
            assertEquals(Optional.empty(), os().peekExit(child));
            assertTrue(os().signal(child, signal));
            awaitEnd(child);
            assertEquals(Optional.of(new ExitStatus.Killed(signal, false)), os().peekExit(child));
            os().reap(child);
            os().release(child);
        }
    }

    @Test
    void a_group_is_signalled_as_a_whole() throws Exception {
        Child child = spawn(sleeps());
        assertTrue(os().groupExists(child));
        assertTrue(os().livingGroups().contains(child.pid().value()));
        assertTrue(os().signalGroup(child, Signal.KILL));
        awaitEnd(child);
        assertTrue(os().groupExists(child), "an unreaped leader counts");
        assertFalse(os().livingGroups().contains(child.pid().value()), "a zombie does not live");
        os().reap(child);
        assertFalse(os().groupExists(child));
        os().release(child);
    }

    // ---- orphans ----

    @Test
    void who_loses_its_parent_below_us_becomes_ours_until_it_is_reaped() throws Exception {
        os().becomeParentOfOrphans();
        Set<Pid> before = new HashSet<>(os().orphans());
        Child child = spawn(leavesAnOrphan());
        awaitEnd(child);
        List<Pid> orphans = new ArrayList<>(os().orphans());
        orphans.removeAll(before);
        assertEquals(1, orphans.size(), "the child itself, ended and not reaped, is none");
        Pid orphan = orphans.get(0);
        ProcessStat stat = os().process(orphan).orElseThrow();
        assertEquals(os().self().pid().value(), stat.parent());
        assertTrue(stat.isAlive());
        assertTrue(
                os().processes().stream().anyMatch(process -> process.identity().equals(stat.identity())));
        assertFalse(os().reapOrphan(orphan), "it lives");
        os().signalOrphan(orphan, Signal.KILL);
        for (int i = 0; !os().reapOrphan(orphan); i++) {
            assertTrue(i < 1_000, "it was killed");
            letPass(Duration.ofMillis(5));
        }
        assertEquals(Optional.empty(), os().process(orphan).filter(one -> one.identity()
                .equals(stat.identity())));
        assertFalse(os().orphans().contains(orphan));
        os().reap(child);
        os().release(child);
    }

    @Test
    void a_child_is_no_orphan() throws Exception {
        Child child = spawn(sleeps());
        assertFalse(os().orphans().contains(child.pid()));
        assertEquals(child.identity(), os().process(child.pid()).orElseThrow().identity());
        end(child);
    }

    @Test
    void two_processes_that_live_at_once_are_two() throws Exception {
        Child one = spawn(sleeps());
        Child two = spawn(sleeps());
        assertNotEquals(one.identity(), two.identity());
        assertNotEquals(one.pidfd(), two.pidfd());
        assertTrue(one.ours());
        end(one);
        assertEquals(Optional.empty(), os().peekExit(two));
        end(two);
    }

    @Test
    void a_process_is_found_by_its_identity_until_it_is_reaped() throws Exception {
        Child child = spawn(sleeps());
        ProcessIdentity identity = child.identity();
        Child found = os().find(identity).orElseThrow();
        assertEquals(identity, found.identity());
        assertFalse(found.ours());
        assertEquals(
                Optional.empty(),
                os().find(new ProcessIdentity(identity.pid(), identity.startTime() + 1)),
                "another process with the same number");

        assertTrue(os().signal(found, Signal.KILL));
        awaitEnd(found);
        Child zombie = os().find(identity).orElseThrow();
        assertTrue(os().hasEnded(zombie));
        os().release(zombie);
        os().release(found);
        os().reap(child);
        os().release(child);
        assertEquals(Optional.empty(), os().find(identity));
    }

    @Test
    void a_process_of_another_parent_tells_how_it_ended_before_its_reap_and_after() throws Exception {
        for (int code : new int[] {0, 37}) {
            Child child = spawn(exits(code));
            Optional<Child> found = os().find(child.identity());
            awaitEnd(found.orElseThrow());
            assertTrue(os().hasEnded(found.get()));
            assertEquals(Optional.of(new ExitStatus.Exited(code)), os().peekExit(found.get()));
            os().reap(child);
            assertTrue(os().hasEnded(found.get()));
            ExitStatus expected = pidFdsTellExits() ? new ExitStatus.Exited(code) : new ExitStatus.Unknown();
            assertEquals(Optional.of(expected), os().peekExit(found.get()));
            os().release(found.get());
            os().release(child);
        }
    }

    @Test
    void a_killed_process_of_another_parent_tells_by_what() throws Exception {
        Child child = spawn(sleeps());
        Child found = os().find(child.identity()).orElseThrow();
        assertFalse(os().hasEnded(found));
        assertEquals(Optional.empty(), os().peekExit(found));
        os().signal(found, Signal.TERM);
        awaitEnd(found);
        assertEquals(Optional.of(new ExitStatus.Killed(Signal.TERM, false)), os().peekExit(found));
        os().release(found);
        end(child);
    }

    @Test
    void who_awaits_a_reap_hears_of_nothing_before() throws Exception {
        Child child = spawn(exits(1));
        Child found = os().find(child.identity()).orElseThrow();
        try (Poller poller = os().poller()) {
            poller.add(found.pidfd(), 5);
            List<Long> ready = new ArrayList<>();
            poller.poll(Optional.of(os().now().plus(LONG)), ready::add);
            assertEquals(List.of(5L), ready);
            poller.awaitReap(found.pidfd(), 6);
            assertEquals(List.of(), look(poller));
            os().reap(child);
            if (pidFdsTellExits()) {
                assertEquals(List.of(6L), look(poller));
            }
            poller.remove(found.pidfd());
        }
        os().release(found);
        os().release(child);
    }

    @Test
    void a_process_bears_its_mark_for_as_long_as_it_lives() throws Exception {
        Map<String, String> marked = new java.util.HashMap<>(environment());
        marked.put("JSUPERVISE_SERVICE", "web");
        marked.put("JSUPERVISE_RUN_ID", "contract-1-1");
        Child child = os().spawn(new SpawnRequest(
                sleeps(), dir(), marked, 022, new SpawnRequest.Output.Null(), new SpawnRequest.Output.SameAsStdout()));
        Child other = spawn(sleeps());
        Optional<Bearer> found = bearerOf(child);
        while (found.isEmpty()) {
            // posix_spawn(3) returns as soon as the old memory is let go; the kernel writes the new environment after
            // that.
            letPass(Duration.ofMillis(1));
            found = bearerOf(child);
        }
        Bearer bearer = found.get();
        assertEquals(child.identity(), bearer.identity());
        assertEquals(Optional.of(new RunId("contract-1-1")), bearer.run());
        assertEquals("web", bearer.service());
        assertTrue(bearer.leads());
        assertTrue(bearer.age().compareTo(Duration.ofMinutes(1)) < 0, bearer.age() + " since it was started");
        assertEquals(Optional.empty(), bearerOf(other), "it bears no mark");
        assertEquals(
                Optional.of(bearer.identity()), os().bearer(child.pid(), dir()).map(Bearer::identity));
        assertEquals(Optional.empty(), os().bearer(other.pid(), dir()));
        assertTrue(os().signal(child, Signal.KILL));
        awaitEnd(child);
        assertEquals(Optional.empty(), bearerOf(child), "a zombie bears nothing");
        os().reap(child);
        os().release(child);
        end(other);
    }

    private Optional<Bearer> bearerOf(Child child) throws OsException {
        for (Bearer bearer : os().bearers(dir())) {
            if (bearer.identity().equals(child.identity())) {
                return Optional.of(bearer);
            }
        }
        return Optional.empty();
    }

    @Test
    void what_a_child_writes_comes_through_its_fifo_also_after_its_end() throws Exception {
        Path path = dir().resolve("web.out");
        os().mkfifo(path, 0600);
        Fd fifo = os().open(path, OpenMode.FIFO, 0);
        Child child = os().spawn(new SpawnRequest(
                writes("hello"),
                dir(),
                environment(),
                022,
                new SpawnRequest.Output.Fifo(path),
                new SpawnRequest.Output.SameAsStdout()));
        awaitReadable(fifo);
        end(child);
        assertEquals("hello\n", readAll(fifo));
        os().close(fifo);
    }

    @Test
    void a_program_that_is_not_there_is_named() {
        Path missing = dir().resolve("missing");
        SpawnException e = assertThrows(SpawnException.class, () -> spawn(List.of(missing.toString())));
        assertEquals(Errno.ENOENT, e.errno());
        assertTrue(e.getMessage().contains(missing + ": ENOENT"), e.getMessage());
    }

    @Test
    void a_program_can_be_looked_at_without_being_executed() throws Exception {
        os().checkProgram(request(sleeps()));
        Path missing = dir().resolve("missing");
        SpawnException e =
                assertThrows(SpawnException.class, () -> os().checkProgram(request(List.of(missing.toString()))));
        assertEquals(Errno.ENOENT, e.errno());
        assertTrue(e.getMessage().contains(missing + ": ENOENT"), e.getMessage());
        end(spawn(sleeps()));
    }

    @Test
    void a_process_has_the_name_of_its_program_until_it_is_reaped() throws Exception {
        Child child = spawn(exits(3));
        awaitEnd(child);
        String program = exits(3).get(0);
        assertEquals(Optional.of(program.substring(program.lastIndexOf('/') + 1)), os().programName(child));
        os().reap(child);
        assertEquals(Optional.empty(), os().programName(child));
        os().release(child);
    }

    /** What anybody may do; to give it to others takes privileges. */
    @Test
    void a_file_can_be_given_to_its_owner() throws Exception {
        Path file = dir().resolve("file");
        writeFile(file, OpenMode.REPLACE, "x");
        FileStat before = os().stat(file).orElseThrow();
        os().chown(file, before.uid(), before.gid());
        FileStat after = os().stat(file).orElseThrow();
        assertEquals(before.uid() + ":" + before.gid(), after.uid() + ":" + after.gid());
        refused(Errno.ENOENT, () -> os().chown(dir().resolve("none"), before.uid(), before.gid()));
    }

    @Test
    void a_file_can_be_as_old_as_time() throws Exception {
        Path file = dir().resolve("file");
        writeFile(file, OpenMode.REPLACE, "x");
        os().setModified(file, Instant.EPOCH);
        assertEquals(Instant.EPOCH, os().stat(file).orElseThrow().mtime());
        os().touch(file);
        assertTrue(os().stat(file).orElseThrow().mtime().isAfter(Instant.EPOCH));
        refused(Errno.ENOENT, () -> os().setModified(dir().resolve("none"), Instant.EPOCH));
    }

    // ---- for subclasses and for ourselves ----

    protected final Child spawn(List<String> argv) throws SpawnException {
        return os().spawn(request(argv));
    }

    private SpawnRequest request(List<String> argv) {
        return new SpawnRequest(
                argv,
                dir(),
                environment(),
                022,
                new SpawnRequest.Output.Null(),
                new SpawnRequest.Output.SameAsStdout());
    }

    /** Ends a child of ours, and all that is kept of it. */
    protected final void end(Child child) throws OsException {
        os().signalGroup(child, Signal.KILL);
        awaitEnd(child);
        os().reap(child);
        os().release(child);
    }

    protected final void awaitEnd(Child child) throws OsException {
        awaitReadable(child.pidfd());
    }

    protected final void awaitReadable(Fd fd) throws OsException {
        List<Long> ready = new ArrayList<>();
        try (Poller poller = os().poller()) {
            poller.add(fd, 7);
            MonotonicTime deadline = os().now().plus(LONG);
            while (ready.isEmpty() && os().now().isBefore(deadline)) {
                poller.poll(Optional.of(deadline), ready::add);
            }
        }
        assertEquals(List.of(7L), ready, "nothing within " + LONG);
    }

    protected final void letPass(Duration time) throws OsException {
        MonotonicTime until = os().now().plus(time);
        try (Poller poller = os().poller()) {
            while (os().now().isBefore(until)) {
                poller.poll(Optional.of(until), token -> {});
            }
        }
    }

    private static List<Long> look(Poller poller) throws OsException {
        List<Long> ready = new ArrayList<>();
        poller.poll(Optional.of(MonotonicTime.BOOT), ready::add);
        return ready;
    }

    protected final void writeFile(Path file, OpenMode mode, String text) throws OsException {
        Fd fd = os().open(file, mode, 0644);
        byte[] bytes = bytes(text);
        for (int done = 0; done < bytes.length; ) {
            done += os().write(fd, bytes, done, bytes.length - done);
        }
        os().close(fd);
    }

    protected final String readFile(Path file) throws OsException {
        Fd fd = os().open(file, OpenMode.READ, 0);
        String text = readAll(fd);
        os().close(fd);
        return text;
    }

    /** Reads to the end of a file, or until a pipe has nothing more. */
    protected final String readAll(Fd fd) throws OsException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] buffer = new byte[4096];
        while (true) {
            int count;
            try {
                count = os().read(fd, buffer, 0, buffer.length);
            } catch (OsException e) {
                assertEquals(Errno.EAGAIN, e.errno());
                count = 0;
            }
            if (count == 0) {
                return all.toString(UTF_8);
            }
            all.write(buffer, 0, count);
        }
    }

    protected static void refused(Errno errno, Executable call) {
        OsException e = assertThrows(OsException.class, call);
        assertEquals(errno, e.errno(), e.getMessage());
    }

    private void closeBoth(Fd[] pipe) {
        os().close(pipe[0]);
        os().close(pipe[1]);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
