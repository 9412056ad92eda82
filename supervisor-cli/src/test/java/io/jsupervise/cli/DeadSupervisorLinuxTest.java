package io.jsupervise.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.json.JsonException;
import io.jsupervise.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
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

    private static JsonObject status(Supervised daemon, String... names) throws JsonException {
        List<String> words = new ArrayList<>(List.of("status", "--json"));
        words.addAll(List.of(names));
        return JsonObject.parse(daemon.type(words.toArray(new String[0])).out().getBytes(StandardCharsets.UTF_8));
    }

    private String leftWords(Supervised daemon) {
        return "jsupervise: the supervisor is not running; this is what it left in " + daemon.stateDir + "\n";
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
        assertEquals(leftWords(daemon), status.err());
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
            assertEquals(leftWords(daemon), status.err());
            assertEquals(4, status.out().lines().count(), status.out());
            JsonObject left = status(daemon, "down", "web");
            JsonObject supervisor = left.object("supervisor");
            assertEquals(alive.object("supervisor").names(), supervisor.names(), "not the members of a living one");
            assertFalse(supervisor.has("pid"));
            List<JsonObject> services = left.objects("services");
            assertEquals(
                    alive.objects("services").get(0).names(), services.get(0).names());
            assertEquals("down", services.get(0).string("name"));
            JsonObject web = services.get(1);
            assertTrue(web.optionalNumber("uptime_ms").isPresent(), "it still runs");
            ProcessHandle process = ProcessHandle.of(web.number("pid")).orElseThrow();
            Typed still = daemon.type("status", "web");
            assertEquals(0, still.code());
            assertTrue(still.out().contains("  ready  "), still.out());
            process.destroyForcibly();
            process.onExit().get();
            Typed gone = daemon.type("status", "web");
            assertEquals(3, gone.code(), "what has ended since is not running");
            assertTrue(gone.out().contains("has ended since"), gone.out());
            assertFalse(status(daemon, "web").objects("services").get(0).has("pid"));
            assertEquals(3, daemon.type("status", "down").code());
            assertEquals(0, daemon.type("status", "--watch").code(), "there is nothing to watch");
            Typed unknown = daemon.type("status", "wbe");
            assertEquals(4, unknown.code());
            assertTrue(unknown.err().endsWith("no service \"wbe\"; did you mean \"web\"?\n"), unknown.err());

            Typed log = daemon.type("logs", "web", "-n", "1");
            assertEquals(0, log.code());
            assertEquals("hello\n", log.out());
            assertEquals(leftWords(daemon), log.err());
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

    @Test
    void a_dead_process_that_nobody_has_reaped_has_ended() throws Exception {
        Process parent = new ProcessBuilder("/bin/sh", "-c", "sleep 0 & echo $!; exec sleep 1000").start();
        try {
            long child = Long.parseLong(parent.inputReader().readLine());
            while (ShutdownCommand.isAlive(child)) {
                Thread.onSpinWait();
            }
            assertTrue(Files.exists(Path.of("/proc/" + child)), "it was reaped, so this proves nothing");
            assertTrue(ShutdownCommand.isAlive(parent.pid()));
        } finally {
            parent.destroy();
        }
    }
}
