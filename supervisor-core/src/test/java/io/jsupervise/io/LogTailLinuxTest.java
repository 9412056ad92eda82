package io.jsupervise.io;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.os.Errno;
import io.jsupervise.os.linux.LinuxOs;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The end of a log and what follows, while the log is rotated under the reader. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class LogTailLinuxTest {
    @TempDir
    private Path directory;

    private Path log() {
        return directory.resolve("web.log");
    }

    private Path rotated(int number) {
        return directory.resolve("web.log." + number);
    }

    private void add(String text) throws IOException {
        Files.writeString(log(), text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private void gzip(Path path, String text) throws IOException {
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(path))) {
            out.write(text.getBytes(UTF_8));
        }
    }

    private String last(int lines) throws IOException {
        try (LogTail tail = new LogTail(log())) {
            return new String(tail.last(lines), UTF_8);
        }
    }

    private static String all(LogTail tail) throws IOException {
        StringBuilder text = new StringBuilder();
        byte[] more = tail.more();
        while (more.length > 0) {
            text.append(new String(more, UTF_8));
            more = tail.more();
        }
        return text.toString();
    }

    @ParameterizedTest
    @CsvSource(
            ignoreLeadingAndTrailingWhitespace = false,
            value = {
                "a~b~c~,0,",
                "a~b~c~,1,c~",
                "a~b~c~,2,b~c~",
                "a~b~c~,3,a~b~c~",
                "a~b~c~,9,a~b~c~",
                "a~b~c,1,c",
                "a~b~c,2,b~c",
                "~~,1,~",
                "~~,2,~~",
                "a,1,a",
                "a,0,",
            })
    void the_last_lines_of_one_file(String text, int lines, String expected) throws IOException {
        add(text.replace('~', '\n'));
        assertEquals(expected == null ? "" : expected.replace('~', '\n'), last(lines));
    }

    @Test
    void a_log_that_is_not_there_or_empty_has_no_lines() throws IOException {
        assertEquals("", last(10));
        add("");
        assertEquals("", last(10));
    }

    @Test
    void the_lines_that_are_missing_come_from_rotated_files_compressed_or_not() throws IOException {
        gzip(directory.resolve("web.log.3.gz"), "1\n2\n");
        gzip(directory.resolve("web.log.2.gz"), "3\n4\n");
        Files.writeString(rotated(1), "5\n6\n");
        add("7\n8\n");
        assertEquals("8\n", last(1));
        assertEquals("6\n7\n8\n", last(3));
        assertEquals("4\n5\n6\n7\n8\n", last(5));
        assertEquals("1\n2\n3\n4\n5\n6\n7\n8\n", last(1000));
        Files.delete(log());
        assertEquals("5\n6\n", last(2));
    }

    @Test
    void a_file_in_both_forms_is_shown_once() throws IOException {
        Files.writeString(rotated(1), "5\n6\n");
        gzip(directory.resolve("web.log.1.gz"), "5\n6\n");
        add("7\n");
        assertEquals("5\n6\n7\n", last(10));
    }

    @Test
    void the_portions_in_which_a_file_is_read_cannot_be_seen() throws IOException {
        StringBuilder text = new StringBuilder();
        Random random = new Random(1);
        for (int i = 0; i < 20_000; i++) {
            text.append(i).append("x".repeat(random.nextInt(40))).append('\n');
        }
        add(text.toString());
        gzip(directory.resolve("web.log.1.gz"), text.toString());
        String[] lines = text.toString().split("\n");
        for (int count : new int[] {1, 100, 5_000, 19_999, 20_000, 20_001, 33_333, 40_000}) {
            String[] shown = last(count).split("\n");
            assertEquals(count, shown.length);
            assertEquals(lines[(2 * lines.length - count) % lines.length], shown[0]);
            assertEquals(lines[lines.length - 1], shown[count - 1]);
        }
    }

    @Test
    void the_last_lines_come_in_portions_and_what_is_added_meanwhile_comes_after_them() throws IOException {
        String line = "x".repeat(999) + "\n";
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(directory.resolve("web.log.2.gz")))) {
            out.write(line.repeat(200).getBytes(UTF_8));
        }
        Files.writeString(directory.resolve("web.log.1"), line.repeat(200));
        Files.writeString(log(), line.repeat(200));
        try (LogTail tail = new LogTail(log())) {
            tail.seek(500);
            Files.writeString(log(), "added\n", StandardOpenOption.APPEND);
            int length = 0;
            for (byte[] some = tail.next(); some.length > 0; some = tail.next()) {
                assertTrue(some.length <= 64 << 10, "a portion of " + some.length);
                length += some.length;
            }
            assertEquals(500 * line.length(), length);
            assertEquals("added\n", new String(tail.more(), UTF_8));
        }
    }

    @Test
    void however_much_is_asked_for_only_so_much_is_kept_in_memory() throws IOException {
        byte[] much = "x".repeat(LogTail.MOST).getBytes(UTF_8);
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(directory.resolve("web.log.1.gz")))) {
            for (int i = 0; i < 5; i++) {
                out.write(much);
            }
            out.write("y\n".getBytes(UTF_8));
        }
        String text = last(5);
        assertEquals(LogTail.MOST, text.length());
        assertTrue(text.endsWith("xy\n"), "it is the end");
        for (int i = 0; i < 3; i++) {
            Files.write(log(), much, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        }
        add("z");
        assertEquals(LogTail.MOST, last(1).length());
        assertTrue(last(1).endsWith("xz"), "it is the end");
    }

    @Test
    void following_goes_on_where_the_last_lines_end() throws IOException {
        add("a\nb\nc");
        try (LogTail tail = new LogTail(log())) {
            assertEquals("c", new String(tail.last(1), UTF_8));
            assertEquals("", all(tail));
            add("c\nd\n");
            assertEquals("c\nd\n", all(tail));
            assertEquals("", all(tail));
        }
    }

    @Test
    void following_begins_with_a_log_that_is_made_later() throws IOException {
        try (LogTail tail = new LogTail(log())) {
            assertEquals(0, tail.last(10).length);
            assertEquals("", all(tail));
            add("a\n");
            assertEquals("a\n", all(tail));
        }
    }

    @Test
    void after_a_rotation_the_rest_of_the_old_file_comes_before_the_new_one() throws IOException {
        add("a\n");
        try (LogTail tail = new LogTail(log())) {
            tail.last(1);
            add("b\n");
            Files.move(log(), rotated(1));
            assertEquals("b\n", all(tail));
            assertEquals("", all(tail));
            add("c\n");
            assertEquals("c\n", all(tail));
        }
    }

    @Test
    void several_rotations_between_two_looks_lose_nothing() throws IOException {
        add("a\n");
        try (LogTail tail = new LogTail(log())) {
            tail.last(1);
            add("b\n");
            for (int rotation = 0; rotation < 3; rotation++) {
                for (int number = rotation; number >= 1; number--) {
                    Files.move(rotated(number), rotated(number + 1));
                }
                Files.move(log(), rotated(1));
                add("after " + rotation + "\n");
            }
            assertEquals("b\nafter 0\nafter 1\nafter 2\n", all(tail));
        }
    }

    @Test
    void a_rotated_file_that_was_compressed_or_removed_meanwhile_ends_in_the_present_one() throws IOException {
        add("a\n");
        try (LogTail tail = new LogTail(log())) {
            tail.last(1);
            add("b\n");
            gzip(directory.resolve("web.log.1.gz"), "a\nb\n");
            Files.delete(log());
            add("c\n");
            assertEquals("b\nc\n", all(tail));
        }
    }

    @Test
    void a_log_that_was_emptied_is_followed_from_its_beginning() throws IOException {
        add("a long line\n");
        try (LogTail tail = new LogTail(log())) {
            tail.last(1);
            Files.write(log(), new byte[0]);
            add("b\n");
            assertEquals("b\n", all(tail));
        }
    }

    // ---- with the rotation itself ----

    @Test
    void what_the_rotation_does_is_followed_at_any_pace() throws Exception {
        LogRotation rotation = new LogRotation(new LinuxOs(), log(), 50, false);
        Random random = new Random(3);
        StringBuilder written = new StringBuilder();
        StringBuilder read = new StringBuilder();
        add("");
        try (LogTail tail = new LogTail(log())) {
            tail.last(0);
            for (int i = 0; i < 400; i++) {
                String line = "line " + i + "\n";
                add(line);
                written.append(line);
                if (random.nextInt(8) == 0) {
                    rotation.rotate();
                }
                for (int looks = random.nextInt(3); looks > 0; looks--) {
                    read.append(new String(tail.more(), UTF_8));
                }
            }
            read.append(all(tail));
        }
        assertEquals(written.toString(), read.toString());
    }

    /** What a kill leaves of the compression: either form of each file, or both, and nothing lost. */
    @Test
    void the_compression_killed_at_any_call_leaves_all_lines_and_the_next_one_takes_it_up() throws Exception {
        boolean killed = true;
        for (int call = 1; killed; call++) {
            for (boolean after : new boolean[] {false, true}) {
                try (var files = Files.list(directory)) {
                    for (Path file : files.toList()) {
                        Files.delete(file);
                    }
                }
                Files.writeString(rotated(2), "1\n2\n");
                Files.writeString(rotated(1), "3\n4\n");
                add("5\n");
                FaultyOs mortal = new FaultyOs(new LinuxOs());
                LogCompressor compressor = new LogCompressor(failure -> {
                    throw new AssertionError(failure);
                });
                compressor.compress(new LogRotation(mortal.os(), log(), 5, true));
                mortal.killAt(call, after);
                try {
                    compressor.step();
                } catch (FaultyOs.Killed e) {
                    // The test of it follows.
                }
                mortal.closeAll();
                killed = mortal.wasKilled();
                assertEquals("1\n2\n3\n4\n5\n", last(100), "killed at call " + call);
                LogCompressor next = new LogCompressor(failure -> {
                    throw new AssertionError(failure);
                });
                LogRotation rotation = new LogRotation(new LinuxOs(), log(), 5, true);
                rotation.rotate();
                next.compress(rotation);
                next.step();
                assertTrue(next.nextStep().isEmpty());
                assertEquals("1\n2\n3\n4\n5\n", last(100), "after the rotation that follows a kill at call " + call);
                try (var files = Files.list(directory)) {
                    assertEquals(
                            "[web.log.1.gz, web.log.2.gz, web.log.3.gz]",
                            files.map(file -> file.getFileName().toString())
                                    .sorted()
                                    .toList()
                                    .toString());
                }
            }
        }
    }

    @Test
    void a_file_that_is_rotated_on_just_before_it_is_opened_is_compressed_under_its_new_number() throws Exception {
        Files.writeString(rotated(1), "1\n2\n");
        add("3\n");
        FaultyOs busy = new FaultyOs(new LinuxOs());
        busy.fail((name, arguments) -> {
            if (name.equals("open") && arguments[0].equals(rotated(1)) && Files.exists(rotated(1))) {
                try {
                    Files.move(rotated(1), rotated(2));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
            return Errno.EUNKNOWN;
        });
        LogCompressor compressor = new LogCompressor(failure -> {
            throw new AssertionError(failure);
        });
        compressor.compress(new LogRotation(busy.os(), log(), 5, true));
        compressor.step();
        assertTrue(Files.exists(directory.resolve("web.log.2.gz")));
        assertEquals("1\n2\n3\n", last(5));
        assertEquals(Set.of(), busy.open());
    }

    @Test
    void a_compression_that_fails_is_told_of_and_the_plain_file_stays() throws Exception {
        FaultyOs full = new FaultyOs(new LinuxOs());
        full.fail((name, arguments) -> name.equals("write") ? Errno.ENOSPC : Errno.EUNKNOWN);
        Files.writeString(rotated(1), "3\n4\n");
        List<String> failures = new ArrayList<>();
        LogCompressor compressor = new LogCompressor(failures::add);
        compressor.compress(new LogRotation(full.os(), log(), 5, true));
        compressor.step();
        assertEquals(1, failures.size());
        assertTrue(failures.get(0).contains("ENOSPC"), failures.get(0));
        assertEquals("3\n4\n", last(5));
        try (var files = Files.list(directory)) {
            assertEquals(1, files.count(), "no half of a compressed file is left");
        }
        assertEquals(Set.of(), full.open());
    }
}
