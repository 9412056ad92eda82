package io.jsupervise.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Holds docs/cli.md to the command as it is; with {@code -Ddocs.write=true} it writes the page anew instead. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class CliPageTest {
    private static final Path PAGE = Path.of(System.getProperty("basedir", "."), "..", "docs", "cli.md");

    @Test
    void the_page_is_what_the_command_is() throws IOException {
        String text = CliPage.text();
        if (Boolean.getBoolean("docs.write")) {
            Files.writeString(PAGE, text);
        }
        assertEquals(
                text,
                Files.readString(PAGE),
                "docs/cli.md no longer tells what the command is; write it anew with"
                        + " mvn -pl supervisor-cli -am test -Dtest=CliPageTest -Dsurefire.failIfNoSpecifiedTests=false"
                        + " -Ddocs.write=true");
    }
}
