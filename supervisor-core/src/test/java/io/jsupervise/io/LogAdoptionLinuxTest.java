package io.jsupervise.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.os.Child;
import io.jsupervise.os.Fd;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.Os;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.os.linux.LinuxOs;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.Signal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A supervisor dies while a real process writes, which says what it is told to, and another one goes on with its output,
 * whatever became of the path of the FIFO meanwhile.
 */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class LogAdoptionLinuxTest {
    private static final ServiceName WEB = new ServiceName("web");

    @TempDir
    private Path directory;

    private final Os real = new LinuxOs();
    private FaultyOs faulty = new FaultyOs(real);
    private LogRelay relay;
    private Path fifo;
    private Path log;
    private Path told;
    private Fd teller;
    private Optional<Child> child = Optional.empty();

    @BeforeEach
    void begin() throws Exception {
        fifo = directory.resolve("fifo/web.out");
        log = directory.resolve("logs/web.log");
        told = directory.resolve("told");
        real.mkfifo(told, 0600);
        teller = real.open(told, OpenMode.FIFO, 0);
        relay = relay();
    }

    private LogRelay relay() throws Exception {
        return new LogRelay(
                faulty.os(),
                directory.resolve("fifo"),
                Optional.empty(),
                5,
                notice -> {
                    throw new AssertionError(notice);
                },
                rotation -> {});
    }

    @AfterEach
    void end() throws Exception {
        if (child.isPresent()) {
            real.signalGroup(child.get(), Signal.KILL);
            awaitEnd();
            real.release(child.get());
        }
        real.close(teller);
        relay.drain();
        assertEquals(Set.of(), faulty.open());
    }

    private void awaitEnd() throws Exception {
        while (real.peekExit(child.get()).isEmpty()) {
            Thread.onSpinWait();
        }
        real.reap(child.get());
    }

    /** A process that repeats each line it is told, on standard output, or on standard error if it begins with E. */
    private static final String REPEATS =
            "while read -r line; do case $line in E*) echo $line >&2;; *) echo $line;; esac; done < ";

    private void start(LogSpec spec, String script) throws Exception {
        Spawner.Streams streams = relay.prepare(WEB, spec);
        child = Optional.of(real.spawn(new SpawnRequest(
                List.of("/bin/sh", "-c", script + told),
                directory,
                Map.of("PATH", "/usr/bin:/bin"),
                022,
                streams.stdout(),
                streams.stderr())));
    }

    private void tell(String line) throws Exception {
        byte[] bytes = (line + "\n").getBytes(StandardCharsets.UTF_8);
        assertEquals(bytes.length, real.write(teller, bytes, 0, bytes.length));
    }

    private void await(Path file, String text) throws Exception {
        while (!Files.exists(file) || !Files.readString(file).equals(text)) {
            relay.turn(Optional.of(real.now().plus(Duration.ofSeconds(1))));
            // The relay rests beside a busy pipe by this clock, which would stand still.
            faulty.advance(Duration.ofMillis(5));
            // How a timeout asks a test to end; the kernel is waited in without noticing.
            assertFalse(Thread.interrupted(), () -> "it is not \"" + text + "\"");
        }
    }

    /** kill -9. */
    private void theSupervisorDies() throws Exception {
        faulty.closeAll();
        faulty = new FaultyOs(real);
    }

    private void adopt(LogSpec spec, Optional<Path> before) throws Exception {
        relay = relay();
        relay.adopt(WEB, child.orElseThrow().pid(), spec, before);
    }

    private LogSpec.ToFile spec() {
        return LogSpec.ToFile.of(log);
    }

    @Test
    void the_next_supervisor_goes_on_where_the_last_one_was_killed() throws Exception {
        start(spec(), REPEATS);
        tell("one");
        await(log, "one\n");
        theSupervisorDies();
        tell("two");
        adopt(spec(), Optional.empty());
        await(log, "one\ntwo\n");
    }

    @Test
    void a_fifo_whose_path_was_removed_is_found_at_the_child() throws Exception {
        start(spec(), REPEATS);
        tell("one");
        await(log, "one\n");
        theSupervisorDies();
        Files.delete(fifo);
        tell("two");
        adopt(spec(), Optional.empty());
        tell("three");
        await(log, "one\ntwo\nthree\n");
    }

    @Test
    void a_whole_directory_of_fifos_that_was_removed_is_no_loss() throws Exception {
        start(spec(), REPEATS);
        tell("one");
        await(log, "one\n");
        theSupervisorDies();
        Files.delete(fifo);
        Files.deleteIfExists(fifo.resolveSibling("@receipt"));
        Files.delete(fifo.getParent());
        tell("two");
        adopt(spec(), Optional.empty());
        await(log, "one\ntwo\n");
    }

    @Test
    void another_fifo_at_its_path_is_not_taken_for_it() throws Exception {
        start(spec(), REPEATS);
        tell("one");
        await(log, "one\n");
        theSupervisorDies();
        Files.delete(fifo);
        real.mkfifo(fifo, 0600);
        adopt(spec(), Optional.empty());
        tell("two");
        await(log, "one\ntwo\n");
    }

    @Test
    void a_file_at_its_path_does_not_keep_its_output_from_the_log() throws Exception {
        start(spec(), REPEATS);
        theSupervisorDies();
        Files.delete(fifo);
        Files.writeString(fifo, "somebody's");
        adopt(spec(), Optional.empty());
        tell("one");
        await(log, "one\n");
        assertEquals("somebody's", Files.readString(fifo));
    }

    @Test
    void a_path_that_vanishes_before_a_supervisor_is_no_loss_and_the_next_start_makes_it_again() throws Exception {
        start(spec(), REPEATS);
        tell("one");
        await(log, "one\n");
        Files.delete(fifo);
        tell("two");
        await(log, "one\ntwo\n");
        assertFalse(Files.exists(fifo));
        Fd pipe = real.open(Path.of("/proc/" + child.get().pid() + "/fd/1"), OpenMode.FIFO, 0);
        tell("three");
        // A service is started when the one before it has said its last word.
        while (real.available(pipe) == 0) {
            Thread.onSpinWait();
        }
        real.close(pipe);
        relay.prepare(WEB, spec());
        assertTrue(Files.exists(fifo));
        await(log, "one\ntwo\nthree\n");
    }

    @Test
    void after_an_adoption_through_proc_the_next_start_has_a_fifo_of_its_own() throws Exception {
        start(spec(), REPEATS);
        theSupervisorDies();
        Files.delete(fifo);
        adopt(spec(), Optional.empty());
        tell("one");
        await(log, "one\n");
        real.signalGroup(child.get(), Signal.KILL);
        awaitEnd();
        real.release(child.get());
        start(spec(), REPEATS);
        tell("two");
        await(log, "one\ntwo\n");
    }

    @Test
    void what_a_child_put_in_the_place_of_its_output_is_left_alone() throws Exception {
        Path own = directory.resolve("own");
        real.mkfifo(own, 0600);
        Fd reader = real.open(own, OpenMode.FIFO, 0);
        start(spec(), "exec >" + own + "; " + REPEATS);
        tell("mine");
        while (real.available(reader) < 5) {
            Thread.onSpinWait();
        }
        theSupervisorDies();
        Files.delete(fifo);
        adopt(spec(), Optional.empty());
        relay.turn(Optional.of(real.now()));
        assertEquals(5, real.available(reader), "somebody else read it");
        assertFalse(Files.exists(log));
        assertTrue(Files.exists(fifo), "for its next start");
        real.close(reader);
    }

    @Test
    void standard_error_is_found_at_the_child_as_well() throws Exception {
        Path errors = directory.resolve("logs/web.err.log");
        LogSpec.ToFile spec =
                new LogSpec.ToFile(log, new LogSpec.Stderr.ToFile(errors), 1 << 20, 5, false, false, false, 1 << 20);
        start(spec, REPEATS);
        theSupervisorDies();
        Files.delete(fifo);
        Files.delete(fifo.resolveSibling("web.err"));
        adopt(spec, Optional.empty());
        tell("out");
        tell("Err");
        await(log, "out\n");
        await(errors, "Err\n");
    }

    @Test
    void a_service_that_has_no_log_any_more_keeps_it_until_its_end() throws Exception {
        Path errors = directory.resolve("logs/web.err.log");
        LogSpec.ToFile spec =
                new LogSpec.ToFile(log, new LogSpec.Stderr.ToFile(errors), 1 << 20, 5, false, false, false, 1 << 20);
        start(spec, REPEATS);
        tell("one");
        await(log, "one\n");
        theSupervisorDies();
        adopt(new LogSpec.None(), Optional.of(log));
        tell("two");
        tell("E!");
        await(log, "one\ntwo\n");
        await(errors, "E!\n");
    }

    @Test
    void without_a_record_its_output_goes_where_logs_usually_are() throws Exception {
        start(spec(), REPEATS);
        theSupervisorDies();
        adopt(new LogSpec.Inherit(), Optional.empty());
        tell("one");
        await(directory.resolve("logs/web.log"), "one\n");
    }

    @Test
    void a_child_without_a_fifo_needs_none() throws Exception {
        start(new LogSpec.None(), REPEATS);
        theSupervisorDies();
        adopt(new LogSpec.None(), Optional.empty());
        assertFalse(Files.exists(fifo));
    }

    @Test
    void the_last_words_of_a_child_that_ended_meanwhile_are_kept_while_somebody_holds_its_fifo() throws Exception {
        start(spec(), REPEATS);
        Fd keeper = real.open(fifo, OpenMode.FIFO, 0);
        theSupervisorDies();
        tell("last words");
        while (real.available(keeper) == 0) {
            Thread.onSpinWait();
        }
        real.signalGroup(child.get(), Signal.KILL);
        awaitEnd();
        real.release(child.get());
        child = Optional.empty();
        relay = relay();
        relay.goOn(WEB, spec());
        await(log, "last words\n");
        real.close(keeper);
    }

    @Test
    void a_service_that_never_ran_gets_no_fifo_before_it_does() throws Exception {
        relay.goOn(WEB, spec());
        assertFalse(Files.exists(fifo));
    }

    @Test
    void a_child_blocks_while_its_pipe_is_full_and_sees_no_sigpipe() throws Exception {
        LogSpec.ToFile small =
                new LogSpec.ToFile(log, new LogSpec.Stderr.Merge(), 1 << 30, 5, false, false, false, 4096);
        start(small, "yes | head -c 100000; echo status $? >&2; " + REPEATS);
        Fd view = real.open(fifo, OpenMode.FIFO, 0);
        theSupervisorDies();
        while (real.available(view) < 4096) {
            Thread.onSpinWait();
        }
        assertEquals(Optional.empty(), real.peekExit(child.get()));
        adopt(small, Optional.empty());
        await(log, "y\n".repeat(50_000) + "status 0\n");
        real.close(view);
    }
}
