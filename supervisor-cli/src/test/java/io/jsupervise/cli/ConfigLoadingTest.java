package io.jsupervise.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which services file is meant where none is named, and where home is. */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class ConfigLoadingTest {
    @TempDir
    private Path dir;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    /home/ann | /home/passwd | /home/ann
                    ''        | /home/passwd | /home/passwd
                    relative  | /home/passwd | /home/passwd
                    ''        | ?            | /
                    """)
    void home_is_what_the_shell_says_then_what_the_user_database_says(String home, String known, Path expected) {
        assertEquals(expected, ConfigLoading.home(Map.of("HOME", home), known));
    }

    @Test
    void home_is_known_without_a_variable() {
        assertEquals(Path.of("/home/passwd"), ConfigLoading.home(Map.of(), "/home/passwd"));
    }

    @Test
    void the_file_here_goes_before_that_of_the_system_and_is_the_one_that_is_missed() throws IOException {
        Path here = dir.resolve("services.yml");
        Path system = dir.resolve("etc.yml");
        Path named = dir.resolve("named.yml");
        assertEquals(here, ConfigLoading.choose(Optional.empty(), here, system));
        Files.writeString(system, "");
        assertEquals(system, ConfigLoading.choose(Optional.empty(), here, system));
        Files.writeString(here, "");
        assertEquals(here, ConfigLoading.choose(Optional.empty(), here, system));
        assertEquals(named, ConfigLoading.choose(Optional.of(named), here, system));
    }
}
