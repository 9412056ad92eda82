package io.jsupervise.text;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 10, unit = TimeUnit.SECONDS)
class WordsTest {
    private static final List<String> KNOWN =
            List.of("command", "restart", "stop_timeout", "start_jitter", "log", "umask");

    @ParameterizedTest
    @CsvSource({
        "comand, command", // left out
        "commmand, command", // inserted
        "cammand, command", // changed
        "restrat, restart", // swapped
        "RESTART, restart",
        "stopTimeout, stop_timeout",
        "stop-timeout, stop_timeout",
        "lgo, log",
        "command, command",
    })
    void a_slip_of_the_fingers_leads_to_the_known_word(String written, String meant) {
        assertEquals(Optional.of(meant), Nearest.of(written, KNOWN));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "x", "logo-something", "image", "depends_on", "üüü"})
    void a_word_that_is_near_none_leads_nowhere(String written) {
        assertEquals(Optional.empty(), Nearest.of(written, KNOWN));
    }

    @Test
    void a_word_of_a_megabyte_is_near_none_and_costs_nothing() {
        assertEquals(Optional.empty(), Nearest.of("c".repeat(1 << 20), KNOWN));
    }

    @Test
    void the_nearest_of_two_near_words_is_meant() {
        assertEquals(Optional.of("start"), Nearest.of("starrt", List.of("star", "start", "restart")));
    }

    @ParameterizedTest
    @CsvSource({
        "0s, PT0S",
        "250ms, PT0.25S",
        "10s, PT10S",
        "5m, PT5M",
        "1h, PT1H",
        "2d, PT48H",
        "007s, PT7S",
        "999999999999ms, PT277777H46M39.999S",
    })
    void a_duration_is_a_number_and_a_unit(String written, Duration meant) {
        assertEquals(Optional.of(meant), DurationText.parse(written));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "s",
                "10",
                "-1s",
                "+1s",
                "1.5s",
                "1m30s",
                "1 s",
                " 1s",
                "1s ",
                "1S",
                "1w",
                "1000000000000s",
                "٣s"
            })
    void anything_else_is_no_duration(String written) {
        assertEquals(Optional.empty(), DurationText.parse(written));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0ms",
        "999, 999ms",
        "1000, 1s",
        "1500, 1.5s",
        "9999, 9.9s",
        "10500, 10s",
        "60000, 1m",
        "320000, 5m20s",
        "3600000, 1h",
        "3661000, 1h1m",
        "86400000, 1d",
        "273600000, 3d4h",
    })
    void a_duration_is_told_in_at_most_two_units(long ms, String told) {
        assertEquals(told, DurationText.of(ms));
    }
}
