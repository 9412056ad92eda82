package io.jsupervise.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Held against the formatter of the JDK, which it stands in for. */
class InstantTextTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "1970-01-01T00:00:00Z",
                "2026-11-21T07:33:17.5Z",
                "2026-11-21T07:33:17.500Z",
                "2024-02-29T23:59:59.999999999Z",
                "0000-01-01T00:00:00Z",
                "9999-12-31T23:59:59.000001Z",
                "-0001-01-01T00:00:00Z",
                "+10000-01-01T00:00:00Z",
                "2026-11-21T07:33:17+01:00"
            })
    void reads_and_writes_as_the_JDK_does(String text) {
        Instant instant = Instant.parse(text);
        assertEquals(instant, InstantText.parse(text));
        assertEquals(instant.toString(), InstantText.of(instant));
    }

    @Test
    void reads_and_writes_any_time_as_the_JDK_does() {
        Random random = new Random(1);
        for (int i = 0; i < 20_000; i++) {
            long second = random.nextLong(-70_000_000_000L, 260_000_000_000L);
            int[] units = {1, 1000, 1_000_000, 1_000_000_000};
            int unit = units[random.nextInt(units.length)];
            Instant instant = Instant.ofEpochSecond(second, random.nextInt(1_000_000_000) / unit * unit);
            assertEquals(instant.toString(), InstantText.of(instant));
            assertEquals(instant, InstantText.parse(instant.toString()));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "Z",
                "now",
                "2026-11-21",
                "2026-11-21T07:33:17",
                "2026-02-30T07:33:17Z",
                "2026-13-01T07:33:17Z",
                "2026-11-21T25:33:17Z",
                "2026-11-21T07:33:17.Z",
                "2026-11-21T07:33:17.0123456789Z",
                "2026-11-21 07:33:17Z",
                "2026-11-21T07:33:1xZ"
            })
    void refuses_what_the_JDK_refuses(String text) {
        if (text.equals("2026-11-21T07:33:17.Z")) {
            // The one exception: JDK 17 takes a point without digits.
            assertEquals(Instant.parse("2026-11-21T07:33:17Z"), InstantText.parse(text));
            return;
        }
        assertThrows(DateTimeException.class, () -> InstantText.parse(text));
    }
}
