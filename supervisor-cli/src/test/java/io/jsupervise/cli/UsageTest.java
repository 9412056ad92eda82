package io.jsupervise.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is typed wrongly, and what needs no supervisor. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class UsageTest {
    @TempDir
    private Path dir;

    private static String[] words(String line) {
        return line.isEmpty() ? new String[0] : line.split(" ");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "''                       | say what to do",
                "--no-color               | say what to do",
                "nonsense                 | nonsense",
                "stauts                   | status",
                "status --nonsense        | --nonsense",
                "status --wacth           | --watch",
                "start                    | name services, or say --all",
                "stop --all web           | name services, or say --all",
                "restart --timeout        | --timeout",
                "signal                   | SIG",
                "signal HUP               | NAME",
                "logs                     | NAME",
                "logs web db              | db",
                "logs web -n many         | many",
                "check                    | FILE",
                "shutdown web             | web",
                "run a.yml b.yml          | b.yml",
                "run --state-dir          | --state-dir",
                "run --nonsense           | --nonsense",
                "status --name a/b        | a name starts with a letter",
                "logs web --json          | logs has no use for --json",
                "--json check x.yml       | check has no use for --json",
                "run --socket /s          | run has no use for --socket",
                "run x.yml --name other   | run has no use for --name",
                "check --name other x.yml | check has no use for --name",
                "logs web -n -1           | -n must be 0 or more, not -1",
            })
    void misuse_is_64_and_says_what_is_wrong(String line, String word) {
        Typed typed = Typed.run(words(line));
        assertEquals(64, typed.code(), typed.err());
        assertTrue(typed.err().startsWith("jsupervise: "), typed.err());
        assertTrue(typed.err().contains(word), typed.err());
        assertEquals("", typed.out());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-h",
                "--help",
                "run --help",
                "check -h",
                "status -h",
                "start -h",
                "stop -h",
                "restart -h",
                "signal -h",
                "shutdown -h",
                "logs -h",
                "events -h"
            })
    void help_is_printed_and_done(String line) {
        Typed typed = Typed.run(words(line));
        assertEquals(0, typed.code());
        assertTrue(typed.out().startsWith("Usage: jsupervise"), typed.out());
        assertEquals("", typed.err());
    }

    @Test
    void the_version_is_that_of_the_build() {
        for (String option : new String[] {"-V", "--version"}) {
            Typed typed = Typed.run(option);
            assertEquals(0, typed.code());
            assertTrue(typed.out().matches("jsupervise \\d+\\.\\d+\\.\\d+\\S* \\(Java .+\\)\n"), typed.out());
        }
    }

    @Test
    void check_prints_what_would_run_and_starts_nothing() throws Exception {
        Path file = Files.writeString(
                dir.resolve("services.yml"), "services: {web: {command: [/bin/web, --port, '80']}}\n");
        Typed typed = Typed.run("check", file.toString());
        assertEquals(0, typed.code(), typed.err());
        assertTrue(typed.out().contains("1 service\n"), typed.out());
        assertTrue(typed.out().contains("/bin/web --port 80"), typed.out());
    }

    @Test
    void check_tells_every_problem_with_its_place_and_ends_with_78() throws Exception {
        Path file = Files.writeString(
                dir.resolve("services.yml"), "services:\n  web:\n    comand: [x]\n    restart: alway\n");
        for (String command : new String[] {"check", "run"}) {
            Typed typed = Typed.run(command, file.toString());
            assertEquals(78, typed.code(), command);
            assertTrue(typed.err().contains(file + ":3:5: "), typed.err());
            assertTrue(typed.err().contains("command"), typed.err());
            assertTrue(typed.err().contains(file + ":4:14: "), typed.err());
            assertEquals("", typed.out());
        }
    }

    @Test
    void a_file_that_is_not_there_is_78() {
        Typed typed = Typed.run("check", dir.resolve("none.yml").toString());
        assertEquals(78, typed.code());
        assertTrue(typed.err().contains("none.yml"), typed.err());
    }

    @Test
    void a_path_too_long_for_a_socket_is_misuse() {
        Typed typed =
                Typed.run("status", "--socket", dir.resolve("s".repeat(120)).toString());
        assertTrue(typed.code() == 64 || typed.code() == 69, "code " + typed.code());
        assertFalse(typed.err().contains("bug"), typed.err());
    }

    @Test
    void plain_options_of_run_are_read_without_the_library_and_alike() {
        Optional<RunOptions> plain =
                RunOptions.plain(new String[] {"run", "a.yml", "--state-dir", "/s", "--stay", "--runtime-dir", "/r"});
        assertEquals(
                Optional.of(new RunOptions(
                        Optional.of(Path.of("a.yml")), Optional.of(Path.of("/s")), Optional.of(Path.of("/r")), true)),
                plain);
        assertEquals(
                Optional.of(new RunOptions(Optional.empty(), Optional.empty(), Optional.empty(), false)),
                RunOptions.plain(new String[] {"run"}));
        for (String line : new String[] {
            "", "status", "run -h", "run a b", "run --state-dir", "run --state-dir=/s", "run --nonsense", "--json run"
        }) {
            assertEquals(Optional.empty(), RunOptions.plain(words(line)), line);
        }
    }
}
