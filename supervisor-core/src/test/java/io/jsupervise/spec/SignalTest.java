package io.jsupervise.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Names of signals, read and written. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class SignalTest {
    @ParameterizedTest
    @CsvSource({
        "TERM,15",
        "SIGTERM,15",
        "sigterm,15",
        "term,15",
        "15,15",
        "' KILL ',9",
        "hup,1",
        "1,1",
        "64,64",
        "CONT,18",
        "USR1,10",
        "SIGUSR2,12",
        "QUIT,3",
        "SYS,31",
        "RTMIN,34",
        "SIGRTMIN+3,37",
        "RTMIN+30,64",
        "RTMIN-2,32",
        "RTMAX,64",
        "SIGRTMAX-14,50",
    })
    void a_signal_is_known_by_name_and_by_number(String text, int number) {
        assertEquals(Optional.of(new Signal(number)), Signal.parse(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "SIG",
                "SIGSIGTERM",
                "0",
                "-1",
                "65",
                "99999999999",
                "+15",
                "SIG15",
                "TERMX",
                "RTMIN+31",
                "RTMIN3",
                "RTMIN-3",
                "RTMIN+",
                "RTMIN+99999999999",
                "RTMIN++1",
                "RTMAX+1",
                "RTMAX-33",
                "1.0",
                "0x9",
                "१५",
            })
    void what_is_no_signal_is_refused(String text) {
        assertEquals(Optional.empty(), Signal.parse(text));
    }

    @Test
    void every_full_name_can_be_read_again() {
        for (int number = 1; number <= 64; number++) {
            Signal signal = new Signal(number);
            assertEquals(Optional.of(signal), Signal.parse(signal.fullName()), signal.fullName());
        }
        assertEquals("SIGKILL", Signal.KILL.fullName());
        assertEquals("SIGRTMIN+3", new Signal(37).fullName());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 65})
    void a_number_without_a_signal_cannot_be_made(int number) {
        assertThrows(IllegalArgumentException.class, () -> new Signal(number));
    }
}
