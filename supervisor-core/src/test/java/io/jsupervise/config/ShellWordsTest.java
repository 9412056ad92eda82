package io.jsupervise.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(value = 10, unit = TimeUnit.SECONDS)
class ShellWordsTest {
    static Stream<Arguments> lines() {
        return Stream.of(
                line(""),
                line(" \t\n "),
                line("a", "a"),
                line("  a \t b\nc ", "a", "b", "c"),
                line("'a b' c", "a b", "c"),
                line("a'b c'd", "ab cd"),
                line("''", ""),
                line("a \"\" b", "a", "", "b"),
                line("'\"' \"'\"", "\"", "'"),
                line("'a\\b'", "a\\b"),
                line("\"a\\b\"", "a\\b"),
                line("\"\\$A \\` \\\" \\\\\"", "$A ` \" \\"),
                line("\"a\\\nb\"", "ab"),
                line("a\\\nb", "ab"),
                line("a\\ b", "a b"),
                line("\\a\\'\\\"", "a'\""),
                line("$A ${B} `c` *.d ~ # ! & | ;", "$A", "${B}", "`c`", "*.d", "~", "#", "!", "&", "|", ";"),
                line("ü 'ß \uD83D\uDE00'", "ü", "ß \uD83D\uDE00"),
                line("a\u00a0b", "a\u00a0b"));
    }

    private static Arguments line(String line, String... words) {
        return Arguments.of(line, List.of(words));
    }

    @ParameterizedTest
    @MethodSource("lines")
    void words_are_those_of_a_shell_that_expands_nothing(String line, List<String> words) throws ShellWords.Unclosed {
        assertEquals(words, ShellWords.split(line));
    }

    /** A bar stands for a single quote, which the table itself uses. */
    @ParameterizedTest
    @CsvSource({"a |b, 2", "|, 0", "a \"b |c| , 2", "a \\, 2", "\"a\\\", 0", "a |b| |c, 6"})
    void an_open_quote_is_told_by_where_it_opens(String line, int index) {
        String real = line.replace('|', '\'');
        assertEquals(
                index,
                assertThrows(ShellWords.Unclosed.class, () -> ShellWords.split(real))
                        .index());
    }
}
