package io.jsupervise.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.jsupervise.config.ConfigFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(value = 10, unit = TimeUnit.SECONDS)
class DiskConfigFilesLinuxTest {
    private final ConfigFiles files = new DiskConfigFiles();
    private Path app;

    @BeforeEach
    void write_some_files(@TempDir Path temp) throws IOException {
        app = temp.resolve("[a]{p}*");
        for (String file : List.of("a.yml", "b.yml", ".c.yml", "conf.d/d.yml", "conf.d/e.yaml", "conf.d/sub/f.yml")) {
            Files.createDirectories(app.resolve(file).getParent());
            Files.writeString(app.resolve(file), "x");
        }
        Files.createDirectory(app.resolve("directory.yml"));
        Files.createSymbolicLink(app.resolve("link.d"), Path.of("conf.d"));
        Files.createSymbolicLink(app.resolve("conf.d/dangling.yml"), Path.of("nowhere"));
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "*.yml, a.yml b.yml",
        "?.yml, a.yml b.yml",
        "[b-z].yml, b.yml",
        "./*.yml, a.yml b.yml",
        ".*.yml, .c.yml",
        "conf.d/*.yml, conf.d/d.yml",
        "conf.d/*, conf.d/d.yml conf.d/e.yaml",
        "'conf.d/*.{yml,yaml}', conf.d/d.yml conf.d/e.yaml",
        "link.d/*.yml, link.d/d.yml",
        "*.d/d.yml, conf.d/d.yml link.d/d.yml",
        "conf.d/**.yml, conf.d/d.yml conf.d/sub/f.yml",
        "conf.d/../*.yml, a.yml b.yml",
        "none/*.yml, ''",
        "a.yml/*, ''",
        "x*, ''",
    })
    void a_pattern_finds_the_files_that_a_shell_would_find(String pattern, String found) throws IOException {
        List<Path> expected = new ArrayList<>();
        for (String file : found.split(" ")) {
            if (!file.isEmpty()) {
                expected.add(app.resolve(file));
            }
        }
        assertEquals(expected, files.glob(app, pattern));
    }

    @Test
    void an_absolute_pattern_is_not_relative_to_the_directory() throws IOException {
        Path other = Files.createDirectories(app.resolveSibling("other"));
        Files.writeString(other.resolve("x.yml"), "x");
        assertEquals(List.of(other.resolve("x.yml")), files.glob(app, other + "/*.yml"));
    }

    @Test
    void no_more_is_read_of_a_file_than_its_reader_takes() throws IOException {
        assertEquals(ConfigFiles.MOST_BYTES + 1, files.read(Path.of("/dev/zero")).length);
    }

    @Test
    void a_directory_and_a_missing_file_are_told_apart() {
        assertEquals(
                "it is a directory",
                assertThrows(IOException.class, () -> files.read(app)).getMessage());
        assertThrows(NoSuchFileException.class, () -> files.read(app.resolve("none")));
    }
}
