package io.jsupervise.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.json.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Every command against a supervisor that lives: its exit code, what it prints, and what it says when it cannot. */
@Timeout(value = 90, unit = TimeUnit.SECONDS)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CommandLinuxTest {
    private static final String SERVICES =
            """
            defaults: {ready: {delay: 20ms}, backoff: {initial: 10ms, max: 10ms}}
            services:
              web:
                command: [/bin/sh, -c, 'for i in 1 2 3 4 5; do echo line $i; done; exec sleep 1000']
                description: serves
              toggled: {command: [sleep, "1000"], autostart: false}
              again: {command: [sleep, "1000"]}
              reached: {command: [/bin/sh, -c, 'trap "echo got USR1" USR1; while :; do sleep 0.05; done']}
              talks: {command: [/bin/sh, -c, 'while :; do echo tick; sleep 0.05; done']}
              quiet: {command: [sleep, "1000"], log: none}
              once: {command: [/bin/true], restart: never, ready: {delay: 1s}}
              broken: {command: [/bin/sh, -c, exit 3], start_limit: {count: 1, within: 1h}, ready: {delay: 1s}}
              fails: {command: [/bin/sh, -c, exit 4], restart: on-failure, start_limit: {count: 1, within: 1h}, ready: {delay: 1s}}
              missing: {command: [/no/such/program], restart: never}
              stubborn:
                command: [/bin/sh, -c, 'trap "" TERM; while :; do sleep 0.1; done']
                stop_timeout: 1500ms
            """;

    @TempDir
    private static Path dir;

    private Supervised daemon;

    @BeforeAll
    void begin() throws Exception {
        daemon = new Supervised(dir, SERVICES);
        daemon.start();
        for (String name : List.of("web", "again", "reached", "talks", "quiet", "stubborn")) {
            assertEquals(0, daemon.type("start", name).code(), name);
        }
        awaitState("once", "EXITED");
        awaitState("broken", "FATAL");
        awaitState("missing", "FATAL");
    }

    @AfterAll
    void end() throws Exception {
        Set<String> undocumented = new LinkedHashSet<>();
        for (String line : daemon.type("events").out().lines().toList()) {
            undocumented.addAll(EventsPage.undocumented(line));
        }
        assertEquals(0, daemon.end());
        assertEquals(Set.of(), undocumented, "events or members that docs/events.md does not tell of");
    }

    private JsonObject service(String name) throws Exception {
        JsonObject status =
                JsonObject.parse(daemon.type("status", "--json", name).out().getBytes(StandardCharsets.UTF_8));
        return status.objects("services").get(0);
    }

    private void awaitState(String name, String state) throws Exception {
        while (!service(name).string("state").equals(state)) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    private static List<String> row(String table, String name) {
        for (String line : table.lines().toList()) {
            if (line.startsWith(name + " ")) {
                return List.of(line.split("  +"));
            }
        }
        throw new AssertionError("no row " + name + " in\n" + table);
    }

    // ---- status ----

    @Test
    void status_is_a_table_of_all_services_in_the_order_of_the_file() {
        Typed typed = daemon.type("status");
        assertEquals(0, typed.code(), typed.err());
        assertEquals("", typed.err());
        List<String> lines = typed.out().lines().toList();
        assertEquals(
                List.of("NAME", "STATE", "PID", "UPTIME", "RESTARTS", "HEALTH", "LAST EXIT"),
                List.of(lines.get(0).split("  +")));
        assertEquals(12, lines.size(), typed.out());
        assertTrue(lines.get(1).startsWith("web "), typed.out());
        List<String> web = row(typed.out(), "web");
        assertEquals("RUNNING", web.get(1));
        assertEquals("0", web.get(4));
        assertEquals("ready", web.get(5));
        assertEquals("-", web.get(6));
        List<String> once = row(typed.out(), "once");
        assertEquals("EXITED", once.get(1));
        assertTrue(once.get(6).startsWith("exit 0, "), typed.out());
        List<String> broken = row(typed.out(), "broken");
        assertEquals("FATAL", broken.get(1));
        assertEquals("1", broken.get(4));
        assertTrue(broken.get(5).contains("did not help; last: exit 3"), typed.out());
        assertFalse(typed.out().contains("\u001b"), "colours without a terminal");
    }

    @Test
    void status_of_a_name_tells_by_its_exit_whether_it_runs() {
        assertEquals(0, daemon.type("status", "web").code());
        assertEquals(0, daemon.type("status", "web", "again").code());
        Typed down = daemon.type("status", "web", "once");
        assertEquals(3, down.code());
        assertEquals(3, down.out().lines().count());
        Typed unknown = daemon.type("status", "wbe");
        assertEquals(4, unknown.code());
        assertEquals("", unknown.out());
        assertEquals("jsupervise: no service \"wbe\"; did you mean \"web\"?\n", unknown.err());
    }

    @Test
    void status_json_is_what_the_socket_answers_for_those_that_are_named() throws Exception {
        JsonObject all = JsonObject.parse(daemon.type("status", "--json").out().getBytes(StandardCharsets.UTF_8));
        assertEquals(daemon.pid(), all.object("supervisor").number("pid"));
        assertEquals(11, all.objects("services").size());
        JsonObject one =
                JsonObject.parse(daemon.type("--json", "status", "web").out().getBytes(StandardCharsets.UTF_8));
        List<JsonObject> services = one.objects("services");
        assertEquals(1, services.size());
        JsonObject web = services.get(0);
        assertEquals("serves", web.string("description"));
        assertEquals("up", web.string("wanted"));
        assertTrue(web.bool("ready"));
        assertTrue(ProcessHandle.of(web.number("pid")).orElseThrow().isAlive());
        assertEquals(3, daemon.type("status", "--json", "once").code());
    }

    // ---- acting ----

    @Test
    void start_and_stop_wait_until_it_is_so_and_say_so() throws Exception {
        Typed start = daemon.type("start", "toggled");
        assertEquals(0, start.code(), start.err());
        assertTrue(start.out().startsWith("toggled: running, pid "), start.out());
        long pid = service("toggled").number("pid");
        Typed stop = daemon.type("stop", "toggled");
        assertEquals(0, stop.code(), stop.err());
        assertTrue(stop.out().startsWith("toggled: "), stop.out());
        assertTrue(ProcessHandle.of(pid).isEmpty());
        JsonObject stopped = service("toggled");
        assertEquals("STOPPED", stopped.string("state"));
        assertEquals("down", stopped.string("wanted"));
        assertEquals(0, stopped.number("restarts"));
        assertEquals(0, daemon.type("stop", "toggled").code(), "stopping what is stopped is done");
    }

    @Test
    void restart_gives_another_process_and_counts_for_nothing() throws Exception {
        long before = service("again").number("pid");
        Typed typed = daemon.type("restart", "again");
        assertEquals(0, typed.code(), typed.err());
        JsonObject after = service("again");
        assertTrue(after.number("pid") != before);
        assertEquals(0, after.number("restarts"));
        assertEquals("operator", after.object("last_exit").string("cause"));
    }

    @Test
    void what_is_not_reached_is_1_with_a_line_for_each() {
        Typed broken = daemon.type("start", "web", "fails", "missing");
        assertEquals(1, broken.code());
        List<String> lines = broken.out().lines().toList();
        assertEquals(3, lines.size(), broken.out());
        assertTrue(broken.out().contains("web: running, pid "), broken.out());
        assertTrue(broken.out().contains("fails: not reached: "), broken.out());
        assertTrue(broken.out().contains("missing: not reached: "), broken.out());
        assertTrue(broken.out().contains("ENOENT"), broken.out());
    }

    @Test
    void a_timeout_is_1_and_the_stop_goes_on() throws Exception {
        Typed typed = daemon.type("stop", "stubborn", "--timeout", "100ms");
        assertEquals(1, typed.code());
        assertEquals("stubborn: not reached: still STOPPING after 100ms\n", typed.out());
        awaitState("stubborn", "STOPPED");
        assertEquals("SIGKILL", service("stubborn").object("last_exit").string("signal"));
    }

    @Test
    void without_waiting_it_is_only_asked() throws Exception {
        Typed typed = daemon.type("restart", "quiet", "--no-wait", "--json");
        assertEquals(0, typed.code(), typed.err());
        JsonObject answer = JsonObject.parse(typed.out().getBytes(StandardCharsets.UTF_8));
        assertTrue(answer.bool("recorded"));
        assertEquals("asked to restart", answer.objects("results").get(0).string("message"));
        awaitState("quiet", "RUNNING");
    }

    @Test
    void a_signal_reaches_the_main_process() throws Exception {
        Typed typed = daemon.type("signal", "USR1", "reached");
        assertEquals(0, typed.code(), typed.err());
        assertEquals("reached: SIGUSR1 sent to pid " + service("reached").number("pid") + "\n", typed.out());
        while (!daemon.type("logs", "reached").out().contains("got USR1")) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
        Typed json = daemon.type("signal", "CONT", "reached", "--json");
        assertTrue(
                JsonObject.parse(json.out().getBytes(StandardCharsets.UTF_8))
                        .objects("results")
                        .get(0)
                        .bool("done"),
                json.out());
        Typed down = daemon.type("signal", "HUP", "once");
        assertEquals(1, down.code());
        assertEquals("jsupervise: cannot signal \"once\": it is EXITED and has no process\n", down.err());
        assertEquals(64, daemon.type("signal", "NOPE", "reached").code());
        assertEquals(4, daemon.type("signal", "HUP", "nobody").code());
    }

    @Test
    void who_is_not_there_cannot_be_asked() {
        for (String verb : List.of("start", "stop", "restart")) {
            Typed typed = daemon.type(verb, "web", "agian");
            assertEquals(4, typed.code());
            assertEquals("jsupervise: no service \"agian\"; did you mean \"again\"?\n", typed.err());
        }
    }

    // ---- logs and events ----

    @Test
    void logs_end_with_as_many_lines_as_asked() {
        assertEquals("line 4\nline 5\n", daemon.type("logs", "web", "-n", "2").out());
        assertEquals(
                "line 1\nline 2\nline 3\nline 4\nline 5\n",
                daemon.type("logs", "web").out());
        assertEquals("", daemon.type("logs", "web", "--lines", "0").out());
        Typed quiet = daemon.type("logs", "quiet");
        assertEquals(1, quiet.code());
        assertTrue(quiet.err().contains("has no log file"), quiet.err());
        assertEquals(4, daemon.type("logs", "wbe").code());
        assertEquals(64, daemon.type("logs", "web", "-n", "-1").code());
        assertEquals(64, daemon.type("logs", "web", "-n", "many").code());
    }

    @Test
    void logs_that_are_followed_go_on_until_the_reader_leaves() throws Exception {
        Supervised.Running running = daemon.start("logs", "talks", "-f", "-n", "1");
        for (int i = 0; i < 5; i++) {
            assertEquals("tick", running.out.readLine());
        }
        running.out.close();
        running.end();
    }

    @Test
    void events_are_lines_of_json_with_everything_about_a_start() throws Exception {
        List<String> lines = daemon.type("events").out().lines().toList();
        JsonObject first = JsonObject.parse(lines.get(0).getBytes(StandardCharsets.UTF_8));
        assertEquals("supervisor-started", first.string("event"));
        for (String member : List.of("host", "version", "java", "kernel", "boot_id")) {
            assertFalse(first.string(member).isEmpty(), member);
        }
        JsonObject started = null;
        for (String line : lines) {
            if (started == null && line.contains("\"service\":\"web\",\"event\":\"started\"")) {
                started = JsonObject.parse(line.getBytes(StandardCharsets.UTF_8));
            }
        }
        assertEquals("/bin/sh", started.strings("argv").get(0));
        assertEquals(
                dir.toRealPath().toString(),
                Path.of(started.string("working_dir")).toRealPath().toString());
        assertEquals(System.getProperty("user.name"), started.string("user"));
        List<String> environment = started.strings("environment");
        assertTrue(environment.contains("JSUPERVISE_RUN_ID"), environment.toString());
        assertTrue(environment.stream().noneMatch(name -> name.contains("=")), environment.toString());
        long seq = started.number("seq");
        Typed since = daemon.type("events", "--since", String.valueOf(seq));
        assertTrue(since.out().startsWith("{\"seq\":" + (seq + 1) + ","), since.out());
        assertEquals(64, daemon.type("events", "--since", "yesterday").code());
    }

    @Test
    void events_that_are_followed_tell_of_an_action_and_of_who_asked() throws Exception {
        Supervised.Running running = daemon.start("events", "--follow", "--since", "2999-01-01T00:00:00Z");
        Supervised.Running all = daemon.start("events", "-f");
        assertTrue(all.until("supervisor-started").startsWith("{\"seq\":1,"));
        assertEquals(0, daemon.type("restart", "again").code());
        String asked = all.until("\"what\":\"restart\"");
        assertTrue(asked.contains("\"by_pid\":" + ProcessHandle.current().pid() + ",\"by_uid\":"), asked);
        running.process.destroy();
        all.process.destroy();
        running.end();
        all.end();
    }

    @Test
    void the_socket_can_come_from_the_environment() throws Exception {
        ProcessBuilder builder = Supervised.java("status", "web");
        builder.environment().put("JSUPERVISE_SOCKET", daemon.socket.toString());
        Supervised.Running running = new Supervised.Running(builder.start());
        assertTrue(running.until("web").contains("RUNNING"));
        assertEquals(0, running.end());
    }

    @Test
    void two_supervisors_of_one_state_directory_are_refused() throws IOException, InterruptedException {
        List<String> args = new ArrayList<>(List.of(
                "run",
                dir.resolve("services.yml").toString(),
                "--state-dir",
                daemon.stateDir.toString(),
                "--runtime-dir",
                dir.resolve("other").toString()));
        Supervised.Running second = new Supervised.Running(
                Supervised.java(args.toArray(new String[0])).start());
        assertEquals(75, second.end(), second.err());
    }
}
