package io.jsupervise.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.spec.Configuration;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Files that nobody writes by hand: other encodings, and those that grow, in memory, depth or time, far beyond their
 * size. Each is read or refused at once, in far less memory than a supervisor has.
 */
@Timeout(value = 10, unit = TimeUnit.SECONDS)
class HostileConfigTest {
    private static final String GOOD = "services: {web: {command: run}}\n";

    // ---- bytes ----

    @Test
    void a_byte_order_mark_is_passed_over_and_moves_no_column() {
        assertEquals(
                "/app/services.yml:1:1: key \"x\" is unknown; known here: supervisor, defaults, include, groups, services",
                problems("\ufeffx: 1\n" + GOOD).get(0));
    }

    @Test
    void latin_1_is_not_read_as_if_it_were_utf_8() {
        byte[] bytes = "services:\n  # \u00fc\n  web: {command: \u00e9}\n".getBytes(StandardCharsets.UTF_8);
        byte[] broken = new byte[bytes.length - 1];
        int at = new String(bytes, StandardCharsets.ISO_8859_1).lastIndexOf('\u00c3');
        System.arraycopy(bytes, 0, broken, 0, at);
        System.arraycopy(bytes, at + 1, broken, at, bytes.length - at - 1);
        assertEquals(
                List.of("/app/services.yml:3:18: byte 0xa9 is not UTF-8; save the file as UTF-8"), problems(broken));
    }

    @Test
    void a_character_that_ends_in_the_middle_is_not_utf_8() {
        byte[] bytes = {'a', ':', ' ', (byte) 0xe2, (byte) 0x82};
        assertEquals(List.of("/app/services.yml:1:4: byte 0xe2 is not UTF-8; save the file as UTF-8"), problems(bytes));
    }

    @Test
    void utf_16_is_not_read() {
        byte[] bytes = GOOD.getBytes(StandardCharsets.UTF_16);
        assertEquals(List.of("/app/services.yml:1:1: byte 0xfe is not UTF-8; save the file as UTF-8"), problems(bytes));
    }

    @Test
    void a_nul_or_an_escape_sequence_may_not_stand_in_a_file() {
        assertEquals(
                List.of("/app/services.yml:2:3: character U+0 may not stand in YAML; remove it"),
                problems("a: b\nc:\0 d\n"));
        assertEquals(
                List.of("/app/services.yml:1:4: character U+1b may not stand in YAML; remove it"),
                problems("a: \u001b[2J\n"));
    }

    @Test
    void an_env_file_of_another_encoding_is_told() {
        MemoryFiles files = MemoryFiles.of("services: {web: {command: run, env_file: web.env}}")
                .with("web.env", new byte[] {'A', '=', (byte) 0xfc, '\n'});
        assertEquals(List.of("/app/web.env:1:3: byte 0xfc is not UTF-8; save the file as UTF-8"), problems(files));
    }

    @Test
    void lines_may_end_as_on_windows() throws ConfigException {
        Configuration read = read(MemoryFiles.of("services:\r\n  web:\r\n    command: run it\r\n"));
        assertEquals(
                List.of("run", "it"), read.services().get(0).spawn().command().argv());
    }

    @Test
    void a_file_that_may_not_be_read_is_told_where_it_is_named() {
        assertEquals(
                List.of(
                        "/app/services.yml:1:1: the file cannot be read: permission denied; check the path and its permissions"),
                problems(MemoryFiles.of(GOOD).closed("services.yml")));
        assertEquals(
                List.of(
                        "/app/services.yml:1:10: /app/b.yml cannot be read: permission denied; check the path and its permissions"),
                problems(MemoryFiles.of("include: b.yml\n" + GOOD).closed("b.yml")));
        assertEquals(
                List.of(
                        "/app/services.yml:1:1: the file cannot be read: there is no such file; check the path and its permissions"),
                problems(new MemoryFiles()));
    }

    // ---- size ----

    @Test
    void ten_megabytes_are_refused() {
        String all = GOOD + "# filled up\n".repeat(10_000_000 / 12);
        assertEquals(List.of("/app/services.yml:1:1: the file has more than 1 MiB; split it"), problems(all));
    }

    @Test
    void a_file_of_the_largest_size_is_read() throws ConfigException {
        String all = GOOD + "#".repeat(ConfigFiles.MOST_BYTES - GOOD.length());
        assertEquals(1, read(MemoryFiles.of(all)).services().size());
    }

    @Test
    void files_that_are_too_much_together_are_refused() {
        String comment = "#".repeat(ConfigFiles.MOST_BYTES / 2);
        MemoryFiles files = MemoryFiles.of("include: 'd/*.yml'\n" + GOOD);
        for (int i = 0; i < 5; i++) {
            files.with("d/" + i + ".yml", comment);
        }
        assertEquals(
                List.of("/app/services.yml:1:10: the files up to /app/d/3.yml have more than 2 MiB together;"
                        + " supervise some of the services by another jsupervise"),
                problems(files).stream()
                        .filter(line -> line.contains("together"))
                        .limit(1)
                        .toList());
    }

    @Test
    void a_megabyte_of_one_word_are_read() {
        String word = "x".repeat(ConfigFiles.MOST_BYTES - 100);
        List<String> problems = problems("services: {web: {command: run, umask: " + word + "}}");
        assertEquals(
                "/app/services.yml:1:39: umask is \"" + "x".repeat(77) + "...\"; write an octal number from 000 to 777",
                problems.get(0));
    }

    @Test
    void half_a_million_values_are_refused_where_they_become_too_many() {
        List<String> problems = problems("services: {web: {command: [" + "a,".repeat(500_000) + "]}}");
        assertEquals(
                List.of("/app/services.yml:1:400014: the file holds more than 200000 values, aliases followed;"
                        + " split it with include, and use fewer aliases"),
                problems);
    }

    @Test
    void of_ever_so_many_problems_a_thousand_are_told() {
        List<String> problems = problems(GOOD + manyKeys(50_000));
        assertEquals(1001, problems.size());
        assertTrue(problems.get(0).startsWith("/app/services.yml:2:1: "), problems.get(0));
        assertTrue(
                problems.get(1000)
                        .endsWith("there are more than these 1000 problems; mend these first, then check again"),
                problems.get(1000));
    }

    private static String manyKeys(int count) {
        StringBuilder keys = new StringBuilder();
        for (int i = 0; i < count; i++) {
            keys.append("key").append(i).append(": 1\n");
        }
        return keys.toString();
    }

    @Test
    void five_thousand_services_in_one_file_are_read() throws ConfigException {
        StringBuilder text = new StringBuilder("services:\n");
        for (int i = 0; i < 5000; i++) {
            text.append("  web-")
                    .append(i)
                    .append(":\n    command: [run, --port, ")
                    .append(i);
            text.append("]\n    restart: always\n    backoff: {initial: 1s}\n    environment: {A: b}\n");
        }
        assertEquals(5000, read(MemoryFiles.of(text.toString())).services().size());
    }

    @Test
    void more_files_than_anybody_has_are_refused() {
        MemoryFiles files = MemoryFiles.of("include: 'd/*.yml'\n" + GOOD);
        for (int i = 1000; i < 2001; i++) {
            files.with("d/" + i + ".yml", "services: {s" + i + ": {command: run}}");
        }
        assertEquals(
                List.of("/app/services.yml:1:10: /app/d/2000.yml is more than the 1000th file; remove this include"),
                problems(files));
    }

    // ---- depth and aliases ----

    @Test
    void what_stands_too_deep_is_refused_in_every_style() {
        String refusal = "more than 50 levels stand within one another; write it flatter";
        assertEquals(List.of("/app/services.yml:1:53: " + refusal), problems("a: " + "[".repeat(1_000_000)));
        assertEquals(List.of("/app/services.yml:1:251: " + refusal), problems("{\"a\":".repeat(200_000)));
        assertEquals(List.of("/app/services.yml:1:101: " + refusal), problems("- ".repeat(200_000)));
        assertEquals(List.of("/app/services.yml:1:101: " + refusal), problems("? ".repeat(200_000)));
    }

    @Test
    void a_billion_laughs_are_refused_where_they_become_too_many() {
        StringBuilder text = new StringBuilder("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
        for (int i = 1; i < 10; i++) {
            text.append("a")
                    .append(i)
                    .append(": &a")
                    .append(i)
                    .append(" [")
                    .append(alias(i - 1, 10))
                    .append("]\n");
        }
        List<String> problems = problems(text + GOOD);
        assertEquals(
                List.of("/app/services.yml:6:10: the file holds more than 200000 values, aliases followed;"
                        + " split it with include, and use fewer aliases"),
                problems);
    }

    private static String alias(int number, int times) {
        return ("*a" + number + ", ").repeat(times - 1) + "*a" + number;
    }

    @Test
    void maps_that_double_with_each_alias_are_refused_before_they_are_merged() {
        StringBuilder maps = new StringBuilder("a0: &a0 {x: 1, y: 2}\n");
        for (int i = 1; i < 64; i++) {
            maps.append("a").append(i).append(": &a").append(i);
            maps.append(" {x: *a").append(i - 1).append(", y: *a").append(i - 1).append("}\n");
        }
        List<String> problems =
                problems(maps + "defaults: {environment: *a63}\nservices: {web: {command: run, environment: *a63}}\n");
        assertEquals(1, problems.size());
        assertTrue(problems.get(0).contains("more than 200000 values"), problems.get(0));
    }

    @Test
    void a_chain_of_ten_thousand_aliases_is_read_without_a_deep_stack() {
        StringBuilder chain = new StringBuilder("a0: &a0 [x]\n");
        for (int i = 1; i < 10_000; i++) {
            chain.append("a")
                    .append(i)
                    .append(": &a")
                    .append(i)
                    .append(" [*a")
                    .append(i - 1)
                    .append("]\n");
        }
        List<String> problems = problems(chain + GOOD);
        assertTrue(problems.get(0).contains(" is unknown") || problems.get(0).contains("more than"), problems.get(0));
    }

    @Test
    void an_alias_stands_for_what_its_anchor_names() throws ConfigException {
        Configuration read = read(MemoryFiles.of(
                "services:\n  a: &a {command: &c [run, *it], restart: never}\n  b: *a\n".replace("*it", "&it it")
                        + "  d: {command: [*it, *it], environment: {A: *it}}\n  e: {command: *c}\n"));
        assertEquals(4, read.services().size());
        assertEquals(
                List.of("it", "it"), read.services().get(2).spawn().command().argv());
        assertEquals(
                read.services().get(0).spawn().command(),
                read.services().get(3).spawn().command());
    }

    private static List<String> problems(String text) {
        return problems(MemoryFiles.of(text));
    }

    private static List<String> problems(byte[] bytes) {
        return problems(new MemoryFiles().with("services.yml", bytes));
    }

    private static List<String> problems(MemoryFiles files) {
        ConfigException e = assertThrows(ConfigException.class, () -> read(files));
        return List.of(e.getMessage().split("\n"));
    }

    private static Configuration read(MemoryFiles files) throws ConfigException {
        return ConfigReader.read(
                Path.of("/app/services.yml"), files, MemoryFiles.surroundings(1000), new KnownMachine(1000));
    }
}
