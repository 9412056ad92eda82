package io.jsupervise.io;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.os.Child;
import io.jsupervise.os.Fd;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.OsException;
import io.jsupervise.os.Poller;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.os.SpawnRequest.Output;
import io.jsupervise.os.linux.LinuxOs;
import io.jsupervise.spec.Signal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Keepers of several supervisors, one after another, all in this process: one that is "killed" is no longer stepped, and
 * what it had open is closed or does not matter, since what was sent does not depend on it.
 */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class KeeperLinuxTest {
    private static final Duration LONG = Duration.ofSeconds(10);

    private final LinuxOs os = new LinuxOs();
    private final List<String> troubles = new ArrayList<>();
    private final List<Poller> pollers = new ArrayList<>();
    private String stateId;

    @TempDir
    private Path dir;

    @BeforeEach
    void name() {
        stateId = "test-" + dir.toString().hashCode() + "-" + os.self().pid();
    }

    @AfterEach
    void endAll() throws OsException {
        for (ProcessIdentity left : keepers()) {
            Optional<Child> found = os.find(left);
            if (found.isPresent()) {
                os.signal(found.get(), Signal.KILL);
                os.release(found.get());
            }
        }
        pollers.forEach(Poller::close);
    }

    private List<ProcessIdentity> keepers() throws OsException {
        return os.started("sleep", "JSUPERVISE_KEEPER", stateId);
    }

    private ProcessIdentity oneKeeper() throws OsException {
        MonotonicTime deadline = os.now().plus(LONG);
        while (keepers().size() != 1 && os.now().isBefore(deadline)) {
            Thread.onSpinWait();
        }
        assertEquals(1, keepers().size());
        return keepers().get(0);
    }

    private Keeper keeper() throws OsException {
        return keeper(Map.of("PATH", "/usr/bin:/bin", "JSUPERVISE_RUN_ID", "of another supervisor"));
    }

    private Keeper keeper(Map<String, String> environment) throws OsException {
        Poller poller = os.poller();
        pollers.add(poller);
        Keeper keeper = new Keeper(os, environment, stateId, troubles::add);
        keeper.connect(poller, keeper::begin, () -> {});
        return keeper;
    }

    private Child spawn(String command, Output output) throws Exception {
        return os.spawn(new SpawnRequest(
                List.of("/bin/sh", "-c", command), dir, Map.of("PATH", "/usr/bin:/bin"), 022, output, output));
    }

    private void awaitEnd(Child child) throws OsException {
        try (Poller poller = os.poller()) {
            poller.add(child.pidfd(), 1);
            poller.poll(Optional.of(os.now().plus(LONG)), token -> {});
        }
        assertTrue(os.hasEnded(child));
    }

    private String read(Fd fifo) throws OsException {
        byte[] buffer = new byte[1000];
        return new String(buffer, 0, os.read(fifo, buffer, 0, os.available(fifo)), UTF_8);
    }

    @Test
    void last_words_and_exit_of_a_child_outlive_it_and_its_supervisor() throws Exception {
        Path path = dir.resolve("web.out");
        os.mkfifo(path, 0600);
        os.mkfifo(dir.resolve("go"), 0600);
        Keeper first = keeper();
        first.begin();
        Fd fifo = os.open(path, OpenMode.FIFO, 0);
        first.hold(fifo);
        Child child = spawn("read wait < " + dir + "/go; echo last words; exit 37", new Output.Fifo(path));
        first.hold(child);
        first.step();
        ProcessIdentity keeper = oneKeeper();

        // Its supervisor is killed.
        os.close(fifo);
        Fd go = os.open(dir.resolve("go"), OpenMode.FIFO, 0);
        os.write(go, new byte[] {'\n'}, 0, 1);
        awaitEnd(child);
        os.reap(child);
        os.release(child);
        os.close(go);
        assertTrue(os.find(child.identity()).isEmpty());

        Keeper second = keeper();
        second.takeOver();
        Child dead = second.ended(child.identity()).orElseThrow();
        boolean tells = tellsExits();
        assertEquals(Optional.of(tells ? new ExitStatus.Exited(37) : new ExitStatus.Unknown()), os.peekExit(dead));
        Fd again = os.open(path, OpenMode.FIFO, 0);
        second.hold(again);
        second.settle();
        assertEquals("last words\n", read(again));
        assertEquals(keeper, oneKeeper(), "it goes on with the same one");
        second.release(dead, 0);
        second.release(again);
        second.step();
        second.end();
        assertEquals(List.of(), keepers());
        assertEquals(List.of(), troubles);
    }

    private static boolean tellsExits() {
        String[] release = System.getProperty("os.version").split("[.-]");
        int major = Integer.parseInt(release[0]);
        return major > 6 || major == 6 && Integer.parseInt(release[1]) >= 15;
    }

    @Test
    void a_keeper_that_is_killed_is_replaced_and_nothing_is_lost() throws Exception {
        Path path = dir.resolve("web.out");
        os.mkfifo(path, 0600);
        Keeper keeper = keeper();
        keeper.begin();
        Fd fifo = os.open(path, OpenMode.FIFO, 0);
        keeper.hold(fifo);
        os.write(fifo, "kept".getBytes(UTF_8), 0, 4);
        ProcessIdentity one = oneKeeper();
        Child process = os.find(one).orElseThrow();
        os.signal(process, Signal.KILL);
        awaitEnd(process);
        os.release(process);
        List<Long> tokens = new ArrayList<>();
        pollers.get(0).poll(Optional.of(os.now().plus(LONG)), tokens::add);
        assertEquals(List.of(Keeper.TOKEN), tokens);
        keeper.hasEnded();
        pollers.get(0).poll(Optional.of(MonotonicTime.BOOT), token -> {
            throw new AssertionError("it is told again and again");
        });
        try (Poller wait = os.poller()) {
            wait.poll(keeper.nextStep(), token -> {});
        }
        keeper.step();
        assertNotEquals(one, oneKeeper());
        os.close(fifo);

        Keeper next = keeper();
        next.takeOver();
        Fd again = os.open(path, OpenMode.FIFO, 0);
        assertEquals("kept", read(again));
        os.close(again);
        next.settle();
        next.end();
        assertEquals(List.of(), keepers());
        assertEquals(1, troubles.size(), troubles.toString());
        assertTrue(troubles.get(0).contains("has ended"), troubles.toString());
    }

    @Test
    void a_second_keeper_of_the_same_supervisor_does_not_stay() throws Exception {
        Keeper lost = keeper();
        lost.begin();
        oneKeeper();
        Keeper other = keeper();
        other.begin();
        MonotonicTime deadline = os.now().plus(LONG);
        while (keepers().size() != 2 && os.now().isBefore(deadline)) {
            Thread.onSpinWait();
        }
        Keeper next = keeper();
        next.takeOver();
        next.settle();
        while (keepers().size() != 1 && os.now().isBefore(deadline)) {
            Thread.onSpinWait();
        }
        assertEquals(1, keepers().size());
        next.end();
        assertEquals(List.of(), keepers());
    }

    @Test
    void what_any_of_several_keepers_has_is_found_and_kept_on() throws Exception {
        Child one = spawn("exit 11", new Output.Null());
        Child other = spawn("exit 12", new Output.Null());
        Keeper lost = keeper();
        lost.begin();
        lost.hold(one);
        lost.step();
        Keeper another = keeper();
        another.begin();
        another.hold(other);
        another.step();
        for (Child child : List.of(one, other)) {
            awaitEnd(child);
            os.reap(child);
            os.release(child);
        }
        MonotonicTime deadline = os.now().plus(LONG);
        while (keepers().size() != 2 && os.now().isBefore(deadline)) {
            Thread.onSpinWait();
        }

        Keeper next = keeper();
        next.takeOver();
        assertTrue(next.ended(one.identity()).isPresent());
        assertTrue(next.ended(other.identity()).isPresent());
        next.settle();
        // It is killed as well, before the ends are recorded.
        oneKeeper();
        Keeper last = keeper();
        last.takeOver();
        assertTrue(last.ended(one.identity()).isPresent());
        assertTrue(last.ended(other.identity()).isPresent());
        last.settle();
        last.end();
        assertEquals(List.of(), keepers());
        assertEquals(List.of(), troubles);
    }

    @Test
    void it_has_a_child_until_the_record_of_its_end_is_in_place() throws Exception {
        Keeper first = keeper();
        first.begin();
        Child child = spawn("exit 0", new Output.Null());
        first.hold(child);
        awaitEnd(child);
        os.reap(child);
        first.release(child, 7);
        first.step();
        assertEquals(Optional.empty(), first.nextStep(), "until the record");
        oneKeeper();

        Keeper next = keeper();
        next.takeOver();
        assertTrue(next.ended(child.identity()).isPresent());
        next.settle();
        first.committed(7);
        assertEquals(Optional.of(MonotonicTime.BOOT), first.nextStep());
        first.step();
        assertEquals(Optional.empty(), first.nextStep());
        next.end();
    }

    @Test
    void without_sleep_it_is_told_once_and_goes_on() throws Exception {
        Keeper keeper = keeper(Map.of("PATH", dir.toString()));
        keeper.begin();
        keeper.begin();
        Child child = spawn("exit 0", new Output.Null());
        keeper.hold(child);
        keeper.step();
        awaitEnd(child);
        os.reap(child);
        keeper.release(child, 0);
        keeper.step();
        assertEquals(Optional.empty(), keeper.nextStep());
        keeper.end();
        assertEquals(1, troubles.size(), troubles.toString());
        assertTrue(troubles.get(0).contains("sleep in PATH"), troubles.toString());
    }

    @Test
    void one_that_was_left_by_a_supervisor_killed_in_its_last_moment_is_swept_away() throws Exception {
        Keeper lost = keeper();
        lost.begin();
        ProcessIdentity left = oneKeeper();
        Keeper next = keeper();
        next.lookLater();
        try (Poller wait = os.poller()) {
            wait.poll(next.nextStep(), token -> {});
        }
        next.step();
        Optional<Child> found = os.find(left);
        if (found.isPresent()) {
            awaitEnd(found.get());
            os.release(found.get());
        }
        assertEquals(List.of(), keepers());
        assertEquals(Optional.empty(), next.nextStep());
    }

    /** As one from which we may take nothing: what it has as its output is no socket. */
    private void beginUnreadable() throws Exception {
        os.spawn(new SpawnRequest(
                List.of("sleep", "infinity"),
                dir,
                Map.of("PATH", "/usr/bin:/bin", "JSUPERVISE_KEEPER", stateId),
                022,
                new Output.Null(),
                new Output.Null()));
        oneKeeper();
    }

    @Test
    void who_cannot_read_the_one_before_is_woken_to_begin_its_own_though_nothing_is_started() throws Exception {
        beginUnreadable();
        Poller poller = os.poller();
        pollers.add(poller);
        AtomicInteger wakes = new AtomicInteger();
        Keeper next = new Keeper(os, Map.of("PATH", "/usr/bin:/bin"), stateId, troubles::add);
        next.connect(poller, next::begin, wakes::incrementAndGet);
        next.takeOver();
        assertEquals(1, troubles.size(), troubles.toString());
        next.settle();
        assertEquals(1, wakes.get());
        next.step();
        next.step();
        oneKeeper();
        next.end();
        assertEquals(List.of(), keepers());
    }

    @Test
    void when_it_has_ended_so_have_those_of_supervisors_before() throws Exception {
        beginUnreadable();
        Keeper next = keeper();
        next.takeOver();
        next.end();
        assertEquals(List.of(), keepers());

        beginUnreadable();
        Keeper later = keeper();
        later.lookLater();
        later.end();
        assertEquals(List.of(), keepers());
    }

    @Test
    void an_end_passes_by_none_that_is_just_being_begun() throws Exception {
        for (int i = 0; i < 30; i++) {
            Keeper keeper = keeper();
            CountDownLatch ready = new CountDownLatch(1);
            Thread spawner = new Thread(() -> {
                ready.countDown();
                keeper.begin();
            });
            spawner.start();
            ready.await();
            LockSupport.parkNanos(i * 100_000L);
            keeper.end();
            spawner.join();
            assertEquals(List.of(), keepers(), "round " + i);
        }
        assertEquals(List.of(), troubles);
    }
}
