package io.jsupervise.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Holds docs/states.md to what the core does; with {@code -Ddocs.write=true} it writes the page anew instead. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class StatesPageTest {
    private static final Path PAGE = Path.of(System.getProperty("basedir", "."), "..", "docs", "states.md");

    @Test
    void the_page_on_states_tells_what_the_core_does() throws IOException {
        String text = new StatesPage(Reachable.explore()).text();
        if (Boolean.getBoolean("docs.write")) {
            Files.writeString(PAGE, text);
        }
        assertEquals(
                text,
                Files.readString(PAGE),
                "docs/states.md no longer tells what the core does; write it anew with"
                        + " mvn -pl supervisor-core test -Dtest=StatesPageTest -Ddocs.write=true");
    }
}
