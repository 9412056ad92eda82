package io.jsupervise.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.json.JsonException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 20, unit = TimeUnit.SECONDS)
class WhereaboutsTest {
    private static final Whereabouts SOME = new Whereabouts(
            "d\u00e9fault",
            42,
            "1.0",
            Path.of("/etc/a \"b\".yml"),
            Path.of("/var/lib/x"),
            Path.of("/run/x/control.sock"));

    @Test
    void what_is_written_is_read() throws JsonException {
        assertEquals(SOME, Whereabouts.decode(SOME.encode()));
    }

    @Test
    void it_is_one_line() {
        String text = new String(SOME.encode(), StandardCharsets.UTF_8);
        assertEquals(text.length() - 1, text.indexOf('\n'));
        assertTrue(text.startsWith("{\"name\":\"d\u00e9fault\",\"pid\":42,"), text);
    }

    @Test
    void members_of_a_later_version_are_passed_over() throws JsonException {
        String text = new String(SOME.encode(), StandardCharsets.UTF_8).replace("{\"name\"", "{\"later\":[1],\"name\"");
        assertEquals(SOME, Whereabouts.decode(text.getBytes(StandardCharsets.UTF_8)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{}",
                "{\"name\":\"d\",\"pid\":0,\"version\":\"1\",\"config\":\"/c\",\"state_dir\":\"/s\",\"socket\":\"/k\"}",
                "{\"name\":\"d\",\"pid\":99999999999,\"version\":\"1\",\"config\":\"/c\",\"state_dir\":\"/s\",\"socket\":\"/k\"}",
                "{\"name\":\"d\",\"pid\":1,\"version\":\"1\",\"config\":\"/c\",\"state_dir\":\"\\u0000\",\"socket\":\"/k\"}",
                "{\"name\":\"d\",\"pid\":1,\"version\":\"1\",\"config\":\"/c\",\"state_dir\":7,\"socket\":\"/k\"}"
            })
    void anything_else_is_refused(String text) {
        assertThrows(JsonException.class, () -> Whereabouts.decode(text.getBytes(StandardCharsets.UTF_8)));
    }
}
