package io.jsupervise.config;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/**
 * Good files with seeded damage to bytes, words and lines. Whatever comes of it, the reader gives a configuration or
 * problems with places in the files: no other exception, and quickly. A failure names the seed; that one alone runs with
 * {@code -Dtest=ConfigFuzzTest -Djsupervise.seed=N}.
 */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ConfigFuzzTest {
    private static final int RUNS = 20_000;
    private static final long LONGEST_NANOS = TimeUnit.SECONDS.toNanos(2);

    /** Put in at random: what means something to YAML, to a shell or to a key. */
    private static final String[] TOKENS = {
        "{",
        "}",
        "[",
        "]",
        ":",
        ": ",
        ",",
        "- ",
        "&a ",
        "*a",
        "<<: ",
        "|",
        ">",
        "'",
        "\"",
        "#",
        "%",
        "@",
        "!",
        "!!set ",
        "?",
        "? ",
        "---\n",
        "...\n",
        "\t",
        "\n",
        "\r",
        "\r\n",
        "\0",
        "\u0085",
        "\u2028",
        "\ufeff",
        "\\",
        "\\0",
        "\\x",
        "\\uD800",
        "\\U00110000",
        "~",
        "null",
        "no",
        "027",
        "12:30",
        "-1",
        "0",
        "0s",
        "99999999999999999999",
        "1e9",
        "NaN",
        "5m",
        "10MiB",
        "9999999d",
        "/",
        "..",
        "*",
        "[a",
        "**/*.yml",
        "services.yml",
        "conf.d/*.yml",
        "web.env",
        "\ud83d\ude00",
        "\u00fc",
        "x".repeat(300),
        "KILL",
        "RTMIN+",
        "services",
        "defaults",
        "include",
        "supervisor",
        "command",
        "shell",
        "environment",
        "env_file",
        "umask",
        "ready",
        "backoff",
        "start_limit",
        "heartbeat",
        "stop_signal",
        "log",
        "file",
        "stderr",
        "max_size",
        "factor",
        "jitter",
        "name",
        "socket",
    };

    private static final String OTHER =
            "defaults: {backoff: {initial: 1s, factor: 1.5}}\nservices:\n  other:\n    command: run 'it all'\n";
    private static final String ALL_KEYS =
            """
            supervisor: {name: x, state_dir: s, runtime_dir: /r, socket: c, socket_group: g, max_parallel_starts: 3,
                         heartbeat: {file: h, interval: 1s}}
            defaults: &d
              environment: {A: b}
              log: {max_size: 1MiB, stderr: null}
            include: [conf.d/*.yml]
            services:
              web:
                command: [a, "b", 'c', &e d]
                description: >
                  folded
                  text
                autostart: false
                working_dir: w
                environment: {A: no, B: *e}
                env_file: web.env
                inherit_env: false
                umask: "027"
                start_jitter: 1s
                ready: {delay: 2s}
                restart: on-failure
                success_exit_codes: [0, 3]
                give_up_exit_codes: 78
                backoff: {initial: 1s, factor: 1.5, max: 10s, jitter: 0.5, reset_after: 1m}
                start_limit: {count: 5, within: 5m}
                heartbeat: {timeout: 10s, file: beat, grace: 20s}
                stop_signal: INT
                stop_timeout: 5s
                dump_signal: QUIT
                log: {file: x.log, stderr: file, max_size: 1MiB, max_files: 1, compress: true, timestamps: true,
                      console: true, pipe_size: 64KiB}
              shell:
                shell: true
                command: |
                  while :; do sleep 1; done
                log: none
            """;

    private final List<byte[]> originals = new ArrayList<>();

    @BeforeAll
    void read_the_originals() throws IOException {
        originals.add(ALL_KEYS.getBytes(StandardCharsets.UTF_8));
        try (var files = Files.newDirectoryStream(Path.of("../config-examples"), "*.yml")) {
            for (Path file : files) {
                originals.add(Files.readAllBytes(file));
            }
        }
        assertTrue(originals.size() > 2, "the examples are not there");
    }

    @Test
    void what_is_damaged_is_good_before_the_damage() throws ConfigException {
        for (byte[] original : originals) {
            read(original, OTHER.getBytes(StandardCharsets.UTF_8), "A=1\n".getBytes(StandardCharsets.UTF_8));
        }
    }

    @Test
    void damaged_files_give_a_configuration_or_problems_with_places() {
        Long one = Long.getLong("jsupervise.seed");
        int good = 0;
        for (long seed = one == null ? 0 : one; seed < (one == null ? RUNS : one + 1); seed++) {
            long begin = System.nanoTime();
            try {
                good += tried(seed) ? 1 : 0;
            } catch (Throwable e) {
                throw new AssertionError(again(seed), e);
            }
            assertTrue(System.nanoTime() - begin < LONGEST_NANOS, "slow: " + again(seed));
        }
        if (one == null) {
            assertTrue(good > RUNS / 100 && good < RUNS / 2, "the damage is too little or too much: " + good);
        }
    }

    private static String again(long seed) {
        return "mvn -pl supervisor-core test -Dtest=ConfigFuzzTest -Djsupervise.seed=" + seed;
    }

    private boolean tried(long seed) {
        Random random = new Random(seed);
        byte[] main = originals.get(random.nextInt(originals.size()));
        byte[] other = OTHER.getBytes(StandardCharsets.UTF_8);
        byte[] environment = "A=1\n# no\nexport B='2'\n".getBytes(StandardCharsets.UTF_8);
        switch (random.nextInt(8)) {
            case 0 -> other = damaged(other, random);
            case 1 -> environment = damaged(environment, random);
            default -> main = damaged(main, random);
        }
        try {
            read(main, other, environment);
            return true;
        } catch (ConfigException e) {
            assertFalse(e.problems().isEmpty());
            for (ConfigProblem problem : e.problems()) {
                checkPlace(problem, main, other, environment);
            }
            return false;
        }
    }

    private static void read(byte[] main, byte[] other, byte[] environment) throws ConfigException {
        MemoryFiles files = new MemoryFiles()
                .with("services.yml", main)
                .with("conf.d/other.yml", other)
                .with("web.env", environment)
                .with("own-users.env", "data=/srv\n");
        ConfigReader.read(MemoryFiles.MAIN, files, MemoryFiles.surroundings(0), new KnownMachine(0));
    }

    private static void checkPlace(ConfigProblem problem, byte[] main, byte[] other, byte[] environment) {
        byte[] file =
                switch (problem.file().toString()) {
                    case "/app/services.yml" -> main;
                    case "/app/conf.d/other.yml" -> other;
                    case "/app/web.env" -> environment;
                    default -> throw new AssertionError("of another file: " + problem);
                };
        // Every break that YAML knows ends a line, but a carriage return at the very end is a character to snakeyaml.
        // The place may be one behind the last character.
        String[] lines = new String(file, StandardCharsets.UTF_8).split("\r\n|\r(?!\\z)|[\n\u0085\u2028\u2029]", -1);
        assertTrue(problem.line() >= 1 && problem.line() <= lines.length, () -> "no such line: " + problem);
        String line = lines[problem.line() - 1];
        assertTrue(
                problem.column() >= 1 && problem.column() <= line.length() + 1,
                () -> "no such column: " + problem + " in " + line);
        assertTrue(problem.toString().indexOf('\n') < 0, problem::toString);
        assertFalse(problem.what().isBlank() || problem.fix().isBlank(), problem::toString);
    }

    // ---- damage ----

    private byte[] damaged(byte[] original, Random random) {
        byte[] bytes = original;
        for (int i = random.nextInt(3); i >= 0; i--) {
            bytes = damagedOnce(bytes, random);
        }
        return bytes;
    }

    private byte[] damagedOnce(byte[] bytes, Random random) {
        int from = random.nextInt(bytes.length + 1);
        int to = Math.min(bytes.length, from + random.nextInt(20));
        byte[] token = TOKENS[random.nextInt(TOKENS.length)].getBytes(StandardCharsets.UTF_8);
        return switch (random.nextInt(9)) {
            case 0 -> replaced(bytes, from, Math.min(bytes.length, from + 1), new byte[] {(byte) random.nextInt(256)});
            case 1 -> replaced(bytes, from, to, new byte[0]);
            case 2 -> replaced(bytes, from, bytes.length, new byte[0]);
            case 3 -> replaced(bytes, from, from, token);
            case 4 -> replaced(bytes, wordStart(bytes, from), wordEnd(bytes, from), token);
            case 5 -> replaced(bytes, from, from, part(bytes, random));
            case 6 -> replaced(bytes, lineStart(bytes, from), lineStart(bytes, to), new byte[0]);
            case 7 -> replaced(bytes, lineStart(bytes, from), lineStart(bytes, from), part(bytes, random));
            default -> replaced(bytes, wordStart(bytes, from), wordEnd(bytes, from), repeated(token, random));
        };
    }

    private static byte[] replaced(byte[] bytes, int from, int to, byte[] by) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.write(bytes, 0, from);
        all.writeBytes(by);
        int rest = Math.max(from, to);
        all.write(bytes, rest, bytes.length - rest);
        return all.toByteArray();
    }

    private byte[] part(byte[] bytes, Random random) {
        byte[] source = random.nextBoolean() ? bytes : originals.get(random.nextInt(originals.size()));
        int from = lineStart(source, random.nextInt(source.length + 1));
        int to = Math.min(source.length, from + random.nextInt(200));
        return Arrays.copyOfRange(source, from, Math.max(from, to));
    }

    private static byte[] repeated(byte[] token, Random random) {
        return new String(token, StandardCharsets.UTF_8)
                .repeat(1 << random.nextInt(10))
                .getBytes(StandardCharsets.UTF_8);
    }

    private static int lineStart(byte[] bytes, int at) {
        int start = at;
        while (start > 0 && bytes[start - 1] != '\n') {
            start--;
        }
        return start;
    }

    private static int wordStart(byte[] bytes, int at) {
        int start = at;
        while (start > 0 && Character.isLetterOrDigit(bytes[start - 1])) {
            start--;
        }
        return start;
    }

    private static int wordEnd(byte[] bytes, int at) {
        int end = at;
        while (end < bytes.length && Character.isLetterOrDigit(bytes[end])) {
            end++;
        }
        return end;
    }
}
