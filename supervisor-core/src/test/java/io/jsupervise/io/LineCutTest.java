package io.jsupervise.io;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(value = 10, unit = TimeUnit.SECONDS)
class LineCutTest {
    /** A slash stands for a newline. */
    @ParameterizedTest(name = "{0}")
    @CsvSource({
        // what                                     waits,      more,  size, max, line start, take, rotate
        "all fits,                                  ab/cd/,     false, 0,    100, true,       6,    false",
        "all fits and part of a line,               ab/cd,      false, 0,    100, true,       5,    false",
        "it fits exactly,                           ab/cd/,     false, 4,    10,  true,       6,    false",
        "one byte too many,                         ab/cd/,     false, 5,    10,  true,       3,    true",
        "full and at the start of a line,           ab/cd/,     false, 10,   10,  true,       0,    true",
        "full and within a line,                    b/cd/,      false, 10,   10,  false,      2,    true",
        "the first line does not fit behind others, abcdef/g/,  false, 5,    10,  true,       0,    true",
        "the line that began here ends here,        abcdef/g/,  false, 5,    10,  false,      7,    true",
        "a line longer than a file begins one,      abcdefgh/g/,false, 0,    5,   true,       9,    true",
        "its end is not there yet,                  abcdefgh,   false, 0,    5,   true,       8,    false",
        "it goes on without end,                    abcdefgh,   false, 1048574, 5, false,     8,    true",
        "more is coming but there is room,          ab/cd,      true,  0,    100, true,       3,    false",
        "more is coming of one long line,           abcde,      true,  0,    100, true,       5,    false",
        "somebody made the limit smaller,           ab/,        false, 50,   10,  true,       0,    true",
    })
    void a_file_ends_with_a_line(
            String what, String waits, boolean more, long size, long max, boolean start, int take, boolean rotate) {
        byte[] bytes = waits.replace('/', '\n').getBytes(StandardCharsets.US_ASCII);
        LineCut cut = LineCut.of(bytes, bytes.length, more, new LineCut.Place(size, max, start));
        assertEquals(new LineCut(take, rotate), cut, what);
    }

    @Test
    void bytes_behind_the_length_are_not_looked_at() {
        byte[] bytes = "ab/cd/".replace('/', '\n').getBytes(StandardCharsets.US_ASCII);
        assertEquals(new LineCut(2, false), LineCut.of(bytes, 2, false, new LineCut.Place(0, 100, true)));
    }
}
