package io.jsupervise.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.journal.JournalCodec;
import io.jsupervise.journal.ServiceRecord;
import io.jsupervise.journal.SupervisorRecord;
import io.jsupervise.json.JsonException;
import io.jsupervise.json.JsonObject;
import io.jsupervise.lifecycle.History;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Now;
import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.Signal;
import io.jsupervise.spec.StopSequence;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Commands while a supervisor ends, after it was killed, and where there never was one. */
@Timeout(value = 90, unit = TimeUnit.SECONDS)
class DeadSupervisorLinuxTest {
    private static final String SERVICES =
            """
            defaults: {ready: {delay: 20ms}}
            services:
              web: {command: [/bin/sh, -c, 'echo hello; exec sleep 1000']}
              down: {command: [sleep, "1000"], autostart: false}
              quiet: {command: [sleep, "1000"], log: none}
            """;

    @TempDir
    private Path dir;

    private static final String KILLED = ": it was killed, or left its services to the next one";
    private static final String IN_ORDER = ": it ended in order";

    private static JsonObject status(Supervised daemon, String... names) throws JsonException {
        List<String> words = new ArrayList<>(List.of("status", "--json"));
        words.addAll(List.of(names));
        return JsonObject.parse(daemon.type(words.toArray(new String[0])).out().getBytes(StandardCharsets.UTF_8));
    }

    /** What is said before anything else. */
    private static String leftWords(Supervised daemon, String how) {
        return "jsupervise: the supervisor is not running" + how + "; this is what it left in " + daemon.stateDir
                + "\n";
    }

    private static String runOn(String which) {
        return "jsupervise: " + which + ", unsupervised; the next run takes them over\n";
    }

    @Test
    void where_no_supervisor_ever_was_every_command_says_so_with_69() {
        Path socket = dir.resolve("control.sock");
        String[][] commands = {
            {"status"},
            {"status", "--watch"},
            {"start", "web"},
            {"stop", "--all"},
            {"restart", "web"},
            {"signal", "HUP", "web"},
            {"shutdown"},
            {"logs", "web"},
            {"logs", "web", "-f"},
            {"events"},
            {"events", "-f"},
        };
        for (String[] command : commands) {
            String[] all = java.util.Arrays.copyOf(command, command.length + 2);
            all[command.length] = "--socket";
            all[command.length + 1] = socket.toString();
            Typed typed = Typed.run(all);
            assertEquals(69, typed.code(), String.join(" ", command));
            assertEquals(
                    "jsupervise: no supervisor at " + socket
                            + ": there is no such socket; name another with --socket or --name\n",
                    typed.err());
            assertEquals("", typed.out());
        }
    }

    @Test
    void shutdown_waits_until_it_has_ended_and_those_who_watch_are_told() throws Exception {
        Supervised daemon = new Supervised(dir, SERVICES);
        daemon.start();
        assertEquals(0, daemon.type("start", "web").code());
        Supervised.Running watch = daemon.start("status", "--watch", "web");
        assertTrue(watch.until("web").contains("RUNNING"));
        Supervised.Running events = daemon.start("events", "-f");
        events.until("supervisor-started");
        Typed shutdown = daemon.type("shutdown");
        assertEquals(0, shutdown.code(), shutdown.err());
        assertEquals("ended\n", shutdown.out());
        assertEquals(0, daemon.awaitEnd());
        assertTrue(events.until("supervisor-ended").contains("\"service\":null"));
        assertEquals(0, events.end());
        assertEquals(69, watch.end());
        assertTrue(watch.err().startsWith("jsupervise: "), "no word of why");

        Typed status = daemon.type("status", "web");
        assertEquals(3, status.code());
        assertEquals(leftWords(daemon, IN_ORDER), status.err());
        assertTrue(status.out().contains("STOPPED"), status.out());
    }

    @Test
    void shutdown_need_not_wait() throws Exception {
        Supervised daemon = new Supervised(dir, SERVICES);
        daemon.start();
        Typed shutdown = daemon.type("shutdown", "--no-wait", "--json");
        assertEquals("{\"recorded\":true,\"results\":[]}\n", shutdown.out());
        assertEquals(0, daemon.awaitEnd());
    }

    @Test
    void after_a_kill_what_it_left_is_shown_and_the_next_one_goes_on_from_there() throws Exception {
        Supervised daemon = new Supervised(dir, SERVICES);
        daemon.start();
        assertEquals(0, daemon.type("start", "web", "quiet").code());
        assertEquals(0, daemon.type("stop", "down").code(), "only what was started or commanded is on record");
        while (!daemon.type("logs", "web").out().equals("hello\n")) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
        JsonObject alive = status(daemon);
        assertTrue(daemon.type("status", "web").out().contains("  ready  "), "not ready for people");
        Supervised.Running events = daemon.start("events", "-f");
        events.until("supervisor-started");
        Supervised.Running logs = daemon.start("logs", "web", "-f");
        assertEquals("hello", logs.out.readLine());
        daemon.kill();
        try {
            for (Supervised.Running following : new Supervised.Running[] {events, logs}) {
                assertEquals(69, following.end(), "what was shown already is not shown again");
                assertTrue(following.err().contains("went away"), "no word of why");
            }
            assertTrue(logs.out.readLine() == null);

            Typed status = daemon.type("status");
            assertEquals(0, status.code());
            assertEquals(leftWords(daemon, KILLED) + runOn("2 of its services still run"), status.err());
            assertEquals(4, status.out().lines().count(), status.out());
            JsonObject left = status(daemon, "down", "web");
            JsonObject supervisor = left.object("supervisor");
            assertMembers(alive.object("supervisor"), supervisor, "state", "ended_in_order");
            assertFalse(supervisor.has("pid"));
            assertEquals("dead", supervisor.string("state"));
            assertFalse(supervisor.bool("ended_in_order"));
            List<JsonObject> services = left.objects("services");
            assertMembers(alive.objects("services").get(0), services.get(0), "process");
            assertFalse(services.get(0).has("process"), "it had none");
            assertEquals("down", services.get(0).string("name"));
            JsonObject web = services.get(1);
            assertTrue(web.optionalNumber("uptime_ms").isPresent(), "it still runs");
            assertEquals("running", web.string("process"));
            ProcessHandle process = ProcessHandle.of(web.number("pid")).orElseThrow();
            Typed still = daemon.type("status", "web");
            assertEquals(0, still.code());
            assertTrue(still.out().contains("  still runs  "), still.out());
            process.destroyForcibly();
            process.onExit().get();
            Typed gone = daemon.type("status", "web");
            assertEquals(3, gone.code(), "what has ended since is not running");
            assertTrue(gone.out().contains("GONE") && gone.out().contains("has ended since"), gone.out());
            assertEquals(leftWords(daemon, KILLED) + runOn("1 of its services still runs"), gone.err());
            JsonObject dead = status(daemon, "web").objects("services").get(0);
            assertFalse(dead.has("pid"));
            assertEquals("gone", dead.string("process"));
            assertEquals("RUNNING", dead.string("state"), "that is what was recorded");
            assertEquals(3, daemon.type("status", "down").code());
            assertEquals(0, daemon.type("status", "--watch").code(), "there is nothing to watch");
            Typed unknown = daemon.type("status", "wbe");
            assertEquals(4, unknown.code());
            assertTrue(unknown.err().endsWith("no service \"wbe\"; did you mean \"web\"?\n"), unknown.err());

            Typed log = daemon.type("logs", "web", "-n", "1");
            assertEquals(0, log.code());
            assertEquals("hello\n", log.out());
            assertEquals(leftWords(daemon, KILLED), log.err());
            assertEquals(1, daemon.type("logs", "quiet").code());
            assertEquals(4, daemon.type("logs", "nobody").code());
            Typed told = daemon.type("events");
            assertEquals(0, told.code());
            assertTrue(told.out().startsWith("{\"seq\":1,"), told.out());
            assertEquals(64, daemon.type("events", "--since", "yesterday").code());
            assertEquals(69, daemon.type("start", "web").code());
            Typed elsewhere = Typed.run(
                    "status", "--socket", dir.resolve("x.sock").toString(), "--state-dir", daemon.stateDir.toString());
            assertEquals(0, elsewhere.code(), elsewhere.err());
        } finally {
            daemon.start();
        }
        assertEquals(0, daemon.type("start", "--all").code());
        assertEquals(0, daemon.type("status", "web", "down", "quiet").code());
        assertEquals(0, daemon.end());
        assertFalse(Files.exists(daemon.socket));
    }

    private static void assertMembers(JsonObject living, JsonObject dead, String... more) {
        TreeSet<String> expected = new TreeSet<>(living.names());
        expected.addAll(List.of(more));
        assertEquals(expected, new TreeSet<>(dead.names()));
    }

    /** A journal as a supervisor leaves it, with one service that was RUNNING as {@code process}. */
    private Path left(String bootId, ProcessIdentity process, Path log) throws IOException {
        Path state = Files.createDirectories(dir.resolve("left"));
        Path journal = Files.createDirectories(state.resolve("journal"));
        Now now = new Now(new MonotonicTime(1), Instant.parse("2026-01-31T12:00:00Z"));
        ServiceRecord.Living living =
                new ServiceRecord.Living(new RunId("id-1"), process, now, Optional.of(now.mono()), Optional.empty());
        ServiceRecord web = new ServiceRecord(
                new ServiceName("web"),
                bootId,
                ServiceState.RUNNING,
                Optional.of(now),
                Wanted.UP,
                false,
                Optional.of(living),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                History.EMPTY,
                new StopSequence(Signal.TERM, Duration.ofSeconds(1), Optional.empty()),
                Optional.of(log),
                ServiceRecord.LeftHooks.NONE);
        Files.write(journal.resolve("web.json"), new JournalCodec().encode(web));
        SupervisorRecord own = new SupervisorRecord(bootId, "1.0", now.wall(), false, 1, Optional.empty());
        Files.write(journal.resolve("@supervisor.json"), new JournalCodec().encode(own));
        return state;
    }

    private Typed typed(Path state, String... words) {
        List<String> all = new ArrayList<>(List.of(words));
        all.addAll(List.of("--socket", dir.resolve("none.sock").toString(), "--state-dir", state.toString()));
        return Typed.run(all.toArray(new String[0]));
    }

    @Test
    void a_process_is_known_by_its_boot_its_pid_and_its_start_time() throws Exception {
        int pid = (int) ProcessHandle.current().pid();
        long start = ProcessEntry.startTime(pid).orElseThrow();
        String boot = ProcessEntry.bootId();
        Object[][] rows = {
            {boot, new ProcessIdentity(new Pid(pid), start), "RUNNING", 0, KILLED},
            {boot, new ProcessIdentity(new Pid(pid), start + 1), "GONE", 3, KILLED},
            {boot, new ProcessIdentity(new Pid(0x3ffffff), start), "GONE", 3, KILLED},
            {"another", new ProcessIdentity(new Pid(pid), start), "GONE", 3, ": the machine was started anew"},
        };
        for (Object[] row : rows) {
            Path state = left((String) row[0], (ProcessIdentity) row[1], dir.resolve("web.log"));
            Typed status = typed(state, "status", "web");
            assertTrue(status.out().contains(" " + row[2] + " "), status.out());
            assertEquals(row[3], status.code());
            assertTrue(status.err().startsWith("jsupervise: the supervisor is not running" + row[4]), status.err());
            assertEquals(row[2].equals("RUNNING"), status.err().contains("1 of its services still runs"));
        }
    }

    @Test
    void logs_of_a_dead_supervisor_go_back_over_rotated_and_compressed_files() throws Exception {
        Path log = dir.resolve("web.log");
        Path state = left(ProcessEntry.bootId(), new ProcessIdentity(new Pid(0x3ffffff), 1), log);
        Files.writeString(log, "7\n8\n9\n");
        Files.writeString(dir.resolve("web.log.1"), "4\n5\n6\n");
        try (OutputStream packed = new GZIPOutputStream(Files.newOutputStream(dir.resolve("web.log.2.gz")))) {
            packed.write("1\n2\n3\n".getBytes(StandardCharsets.US_ASCII));
        }
        assertEquals(
                "1\n2\n3\n4\n5\n6\n7\n8\n9\n",
                typed(state, "logs", "web", "-n", "1000").out());
        assertEquals(
                "3\n4\n5\n6\n7\n8\n9\n", typed(state, "logs", "web", "-n", "7").out());
        assertEquals("8\n9\n", typed(state, "logs", "web", "-n", "2").out());
    }

    @Test
    void logs_of_what_still_runs_say_where_the_rest_is() throws Exception {
        int pid = (int) ProcessHandle.current().pid();
        Path log = Files.writeString(dir.resolve("web.log"), "hello\n");
        Path state = left(
                ProcessEntry.bootId(),
                new ProcessIdentity(new Pid(pid), ProcessEntry.startTime(pid).orElseThrow()),
                log);
        Typed typed = typed(state, "logs", "web");
        assertEquals("hello\n", typed.out());
        assertTrue(
                typed.err().contains("\"web\" still runs, pid " + pid + "; what it has written since waits"),
                typed.err());
    }

    @Test
    void a_supervisor_whose_socket_is_gone_is_not_taken_for_dead() throws Exception {
        Supervised daemon = new Supervised(dir, SERVICES);
        daemon.start();
        try {
            assertEquals(0, daemon.type("start", "web").code());
            Files.delete(daemon.socket);
            Typed status = daemon.type("status", "web");
            assertEquals(0, status.code());
            assertEquals(
                    "jsupervise: the supervisor (pid " + daemon.pid() + ") runs, but nobody listens at " + daemon.socket
                            + "; this is what it has recorded in " + daemon.stateDir + "\n",
                    status.err());
            JsonObject supervisor = status(daemon).object("supervisor");
            assertEquals("unreachable", supervisor.string("state"));
            assertEquals(daemon.pid(), supervisor.number("pid"));
        } finally {
            daemon.end();
        }
    }

    @Test
    void a_supervisor_that_hands_over_leaves_what_the_next_one_shows_as_before() throws Exception {
        Supervised daemon = new Supervised(dir, SERVICES);
        daemon.start();
        assertEquals(0, daemon.type("start", "web", "quiet").code());
        long web = status(daemon, "web").objects("services").get(0).number("pid");
        Typed shutdown = daemon.type("shutdown", "--leave-running");
        assertEquals("ended; 2 services run on\n", shutdown.out());
        assertEquals(0, shutdown.code(), shutdown.err());
        assertEquals(0, daemon.awaitEnd());
        Typed status = daemon.type("status", "web");
        assertEquals(0, status.code());
        assertEquals(leftWords(daemon, KILLED) + runOn("2 of its services still run"), status.err());
        daemon.start();
        try {
            assertEquals(0, daemon.type("start", "web").code());
            assertEquals(web, status(daemon, "web").objects("services").get(0).number("pid"));
        } finally {
            daemon.end();
        }
        assertFalse(ProcessEntry.isAlive(web));
    }

    @Test
    void a_state_directory_without_a_journal_is_named_with_69() {
        Typed status = typed(dir, "status");
        assertEquals(69, status.code());
        assertTrue(status.err().endsWith("; and there is no journal in " + dir + "\n"), status.err());
    }

    @Test
    void a_dead_process_that_nobody_has_reaped_has_ended() throws Exception {
        Process parent = new ProcessBuilder("/bin/sh", "-c", "sleep 0 & echo $!; exec sleep 1000").start();
        try {
            long child = Long.parseLong(parent.inputReader().readLine());
            while (ProcessEntry.isAlive(child)) {
                Thread.onSpinWait();
            }
            assertTrue(Files.exists(Path.of("/proc/" + child)), "it was reaped, so this proves nothing");
            assertTrue(ProcessEntry.isAlive(parent.pid()));
        } finally {
            parent.destroy();
        }
    }
}
