package io.jsupervise.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jsupervise.os.linux.LinuxOs;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code jsupervise check}, run in this JVM: what it prints where, its exit code, and that it starts and makes nothing. */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class CheckCommandTest {
    private final PrintStream realOut = System.out;
    private final PrintStream realErr = System.err;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @TempDir
    private Path dir;

    @BeforeEach
    void catch_what_is_printed() {
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
    }

    @AfterEach
    void print_again() {
        System.setOut(realOut);
        System.setErr(realErr);
    }

    @Test
    void a_hook_that_cannot_be_executed_is_a_warning_with_its_place_and_the_file_is_good() throws IOException {
        Path mine = Files.writeString(dir.resolve("mine"), "#!/bin/sh\n");
        Path file = write(
                """
                services:
                  web:
                    command: sleep 1000
                    pre_start: [/nowhere/pre, --quick]
                    post_start: {timeout: 3s, command: /nowhere/post}
                    stop_command: %s
                    post_stop: rm -f x
                  db: {shell: true, command: exec nowhere, pre_start: true}
                  lost: {command: sleep 1000, working_dir: /nowhere, post_stop: true}
                """
                        .formatted(mine));
        assertEquals(0, check(file));
        assertEquals(
                """
                %1$s:4:16: warning: pre_start cannot be executed by now: /nowhere/pre: ENOENT (no such file or directory); see that it can when the service starts
                %1$s:5:40: warning: post_start cannot be executed by now: /nowhere/post: ENOENT (no such file or directory); see that it can when the service starts
                %1$s:6:19: warning: stop_command cannot be executed by now: %2$s is not executable: EACCES (permission denied); see that it can when the service starts
                %1$s:9:65: warning: post_stop cannot be executed by now: working directory /nowhere: ENOENT (no such file or directory); see that it can when the service starts
                """
                        .formatted(file, mine),
                err.toString(StandardCharsets.UTF_8));
    }

    @Test
    void a_command_that_its_user_may_not_execute_is_a_problem() throws IOException {
        assumeTrue(new LinuxOs().uid() == 0, "needs root");
        Path mine = Files.writeString(dir.resolve("mine"), "#!/bin/sh\n");
        Files.setPosixFilePermissions(mine, PosixFilePermissions.fromString("rwx------"));
        Files.setPosixFilePermissions(dir, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path file = write(
                """
                services:
                  ours: {command: %1$s}
                  web: {user: nobody, working_dir: /, command: %1$s, post_stop: %1$s}
                """
                        .formatted(mine));
        assertEquals(ExitCode.CONFIG, check(file));
        assertEquals(
                file + ":3:48: command cannot be executed: " + mine
                        + " is not executable for user nobody: EACCES (permission denied); let the user do so, or name another\n",
                err.toString(StandardCharsets.UTF_8));
        assertEquals("", out.toString(StandardCharsets.UTF_8));
    }

    @Test
    void a_good_file_is_summed_up_and_nothing_is_started_or_made() throws IOException {
        Path file = write(
                """
                supervisor: {state_dir: state, runtime_dir: run}
                services:
                  web:
                    description: the shop window
                    command: [touch, "started by mistake", it's, a-b_c.d/e]
                    working_dir: /srv
                    heartbeat: {timeout: 30s}
                    start_limit: {count: 5, within: 10m}
                    log: {stderr: file, max_size: 1MiB, max_files: 2, compress: true, timestamps: true, console: true, pipe_size: 64KiB}
                  job:
                    description: "two\\nlines\\e[2J\\n"
                    shell: true
                    command: touch "started by mistake"
                    autostart: false
                    restart: never
                    backoff: {initial: 0s, max: 1500ms}
                    stop_signal: QUIT
                    stop_timeout: 1m
                    log: none
                  talker:
                    command: talk
                    log: inherit
                """);
        assertEquals(ExitCode.DONE, check(file));
        assertEquals("", printed(err));
        assertEquals(
                """
                DIR/services.yml: 3 services
                  state   DIR/state
                  socket  DIR/run/control.sock

                web  (the shop window)
                  runs       touch 'started by mistake' 'it'\\''s' a-b_c.d/e
                  in         /srv
                  starts     by itself
                  restart    always, after 500ms up to 30s, at most 5 within 10m
                  heartbeat  every 30s at least, DIR/run/heartbeats/web, grace 1m30s
                  stop       SIGTERM, SIGKILL after 10s
                  log        DIR/state/logs/web.log (1MiB x 3, errors in DIR/state/logs/web.err.log, compressed, with times, through a pipe of 64KiB, and the console)

                job  (two\\nlines\\x1b[2J)
                  runs       /bin/sh -c 'touch "started by mistake"'
                  in         DIR
                  starts     when told to
                  restart    never
                  stop       SIGQUIT, SIGKILL after 1m
                  log        none

                talker
                  runs       talk
                  in         DIR
                  starts     by itself
                  restart    always, after 500ms up to 30s
                  stop       SIGTERM, SIGKILL after 10s
                  log        our own output
                """,
                printed(out));
        assertEquals(List.of(file), entries());
    }

    @Test
    void a_summary_tells_order_readiness_and_health_where_they_are_asked_for() throws IOException {
        Path file = write(
                """
                services:
                  setup: {type: oneshot, command: setup, log: none}
                  db:
                    command: db
                    log: none
                    ready: {notify: true}
                    watchdog_timeout: 5s
                    critical: true
                    depends_on: {setup: {condition: completed}}
                  web:
                    command: web
                    log: none
                    ready: {delay: 3s}
                    depends_on: {db: {condition: ready, restart: true}}
                    checks: {front: {http: "http://127.0.0.1:8080/health", retries: 1}, door: {tcp: "127.0.0.1:8080"}}
                """);
        assertEquals(ExitCode.DONE, check(file));
        String told = printed(out).substring(printed(out).indexOf("setup\n"));
        assertEquals(
                """
                setup
                  runs       setup
                  in         DIR
                  starts     by itself
                  ready      when it has completed
                  restart    never
                  stop       SIGTERM, SIGKILL after 10s
                  log        none

                db
                  runs       db
                  in         DIR
                  starts     by itself
                  after      setup is completed
                  ready      by READY=1 at its notify socket, within 1m30s
                  restart    always, after 500ms up to 30s, at most 5 within 12m20s
                  watchdog   WATCHDOG=1 every 5s at least
                  critical   given up, it keeps the hardware watchdog from being fed
                  stop       SIGTERM, SIGKILL after 10s
                  log        none

                web
                  runs       web
                  in         DIR
                  starts     by itself
                  after      db is ready (restarted with it)
                  ready      after 3s
                  restart    always, after 500ms up to 30s
                  check      front: http://127.0.0.1:8080/health, every 10s, hangs after 1 failure
                  check      door: tcp 127.0.0.1:8080, every 10s, hangs after 3 failures in a row
                  stop       SIGTERM, SIGKILL after 10s
                  log        none
                """,
                told);
    }

    @Test
    void problems_go_to_standard_error_and_the_exit_code_says_so() throws IOException {
        Path file = write(
                """
                services:
                  web:
                    command: touch made 'it
                    restart: alway
                  good:
                    command: touch made
                """);
        assertEquals(ExitCode.CONFIG, check(file));
        assertEquals("", printed(out));
        assertEquals(
                """
                DIR/services.yml:3:25: command has an unclosed quote; close it, or write the command as a list
                DIR/services.yml:4:14: restart "alway" is unknown; did you mean "always"? It can be always, on-failure or never
                """,
                printed(err));
        assertEquals(List.of(file), entries());
    }

    @Test
    void run_refuses_the_same_file_before_it_starts_or_makes_anything() throws IOException {
        Path file = write(
                """
                supervisor: {state_dir: state, runtime_dir: run}
                services:
                  web: {command: touch made, replicas: 2}
                  good: {command: touch made}
                """);
        assertEquals(ExitCode.CONFIG, CommandLines.execute(new String[] {"run", file.toString()}));
        assertEquals("", printed(out));
        String told = printed(err);
        assertTrue(told.startsWith("DIR/services.yml:3:30: key \"replicas\" is unknown; known here: command, "), told);
        assertTrue(told.endsWith("jsupervise: nothing was started: 1 problem in the configuration\n"), told);
        assertEquals(List.of(file), entries());
    }

    @Test
    void files_that_are_included_are_checked_with_it() throws IOException {
        Files.createDirectory(dir.resolve("conf.d"));
        Files.writeString(dir.resolve("conf.d/db.yml"), "services:\n  db: {command: db}\n  web: {command: web}\n");
        Path file = write("include: conf.d/*.yml\nservices:\n  web: {command: web}\n");
        assertEquals(ExitCode.CONFIG, check(file));
        assertEquals(
                "DIR/conf.d/db.yml:3:3: service \"web\" is there already, in DIR/services.yml:3; rename or remove one\n",
                printed(err));
    }

    @Test
    void a_file_that_is_not_there_is_a_problem_of_the_configuration() throws IOException {
        assertEquals(ExitCode.CONFIG, check(dir.resolve("services.yml")));
        assertEquals(
                "DIR/services.yml:1:1: the file cannot be read: there is no such file; check the path and its permissions\n",
                printed(err));
        out.reset();
        err.reset();
        assertEquals(ExitCode.CONFIG, check(dir));
        assertEquals(
                "DIR:1:1: the file cannot be read: it is a directory; check the path and its permissions\n",
                printed(err));
    }

    @Test
    void bytes_that_are_no_text_are_told_as_bytes() throws IOException {
        Files.write(dir.resolve("services.yml"), new byte[] {'a', ':', ' ', (byte) 0xff});
        assertEquals(ExitCode.CONFIG, check(dir.resolve("services.yml")));
        assertEquals("DIR/services.yml:1:4: byte 0xff is not UTF-8; save the file as UTF-8\n", printed(err));
    }

    @Test
    void what_a_file_quotes_cannot_move_the_cursor_of_a_terminal() throws IOException {
        assertEquals(ExitCode.CONFIG, check(write("services: {web: {command: run, restart: \"\\e[2J\\nroot# \"}}\n")));
        assertEquals(
                "DIR/services.yml:1:41: restart \"\\x1b[2J\\nroot# \" is unknown; use always, on-failure or never\n",
                printed(err));
    }

    @Test
    void ten_megabytes_are_refused_at_once() throws IOException {
        assertEquals(ExitCode.CONFIG, check(write("services:\n" + "# filled up\n".repeat(900_000))));
        assertEquals("DIR/services.yml:1:1: the file has more than 1 MiB; split it\n", printed(err));
    }

    @Test
    void check_wants_one_file() {
        assertEquals(ExitCode.USAGE, CommandLines.execute(new String[] {"check"}));
        assertTrue(printed(err).contains("FILE"), printed(err));
        assertEquals(ExitCode.USAGE, CommandLines.execute(new String[] {"check", "a", "b"}));
        assertFalse(printed(err).contains("bug"), printed(err));
    }

    @Test
    void the_examples_that_come_with_it_are_good() throws IOException {
        try (var examples = Files.newDirectoryStream(Path.of("../config-examples"), "*.yml")) {
            for (Path example : examples) {
                int code = check(example);
                String said = printed(err);
                err.reset();
                // One of them is for machines that have these users, and for root.
                for (String line : said.lines().toList()) {
                    assertTrue(
                            line.contains("does not exist on this machine") || line.contains("by root only"),
                            example + ": " + line);
                }
                assertEquals(said.isEmpty(), code == ExitCode.DONE, example + ": " + code);
            }
        }
    }

    private static int check(Path file) {
        return CommandLines.execute(new String[] {"check", file.toString()});
    }

    private Path write(String text) throws IOException {
        return Files.writeString(dir.resolve("services.yml"), text);
    }

    private List<Path> entries() throws IOException {
        try (var all = Files.list(dir)) {
            return all.toList();
        }
    }

    private String printed(ByteArrayOutputStream stream) {
        return stream.toString(StandardCharsets.UTF_8).replace(dir.toString(), "DIR");
    }
}
