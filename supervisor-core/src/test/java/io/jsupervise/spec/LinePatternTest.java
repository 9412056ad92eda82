package io.jsupervise.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a regular expression for lines finds, what it refuses, and that nothing makes it slow. */
@Timeout(20)
class LinePatternTest {
    private static boolean isIn(String pattern, String line) {
        try {
            return LinePattern.of(pattern).isIn(line);
        } catch (LinePattern.Malformed e) {
            throw new AssertionError(pattern + " " + e.getMessage(), e);
        }
    }

    @Test
    void it_is_found_anywhere_in_a_line() {
        String[][] found = {
            {"ready", "the server is ready now"},
            {"^ready$", "ready"},
            {"listening on (\\d+\\.){3}\\d+:[0-9]{2,5}$", "* listening on 127.0.0.1:6379"},
            {"(?i)READY TO (?:accept|serve)", "database system is ready to Accept connections"},
            {"a|b|", ""},
            {"", "anything"},
            {"\\bup\\b", "it is up."},
            {"x{0}y{2}", "yy"},
            {"[^]]x", "ax"},
            {"[]a-c-]+$", "]-b"},
            {"(a*)*b", "aaab"},
            {"\\[ok\\]", "[ok]"},
            {"gr\u00fc\u00df", "sch\u00f6ne gr\u00fc\u00dfe"},
            {"[\\d.]+?s", "took 1.5s"},
        };
        for (String[] one : found) {
            assertTrue(isIn(one[0], one[1]), one[0]);
        }
        String[][] not = {
            {"^ready", "not ready"},
            {"ready$", "ready?"},
            {"\\bup\\b", "upper"},
            {"x{3}", "xx"},
            {"[^a]", "aaa"},
            {"READY", "ready"},
            {".", ""},
        };
        for (String[] one : not) {
            assertFalse(isIn(one[0], one[1]), one[0]);
        }
    }

    @Test
    void what_cannot_be_read_is_told_with_its_index() {
        Object[][] rows = {
            {"a(b", 1, "has a ( without a )"},
            {"ab)", 2, "has a ) without a ("},
            {"[a", 0, "has a [ without a ]"},
            {"a**", 2, "repeats what is repeated already"},
            {"*a", 0, "has a * with nothing before it"},
            {"a{x}", 1, "has a { that begins no count; write \\{ for the character"},
            {"a{3,2}", 1, "has a { that begins no count; write \\{ for the character"},
            {"(a)\\1", 3, "has \\1, which is not supported"},
            {"a(?=b)", 1, "has a (? that is not supported; only (?: and, at the beginning, (?i) are"},
            {"[z-a]", 1, "has the empty range z-a"},
            {"a\\", 1, "ends with a backslash"},
            {"(a{100}){100}", 0, "is too large: it has more than 1000 states"},
            {"(((){999}){999}){999}", 0, "is too large: it has more than 1000 states"},
            {"(".repeat(200), 100, "has more than 100 groups in one another"},
        };
        for (Object[] row : rows) {
            LinePattern.Malformed e =
                    assertThrows(LinePattern.Malformed.class, () -> LinePattern.of((String) row[0]), (String) row[0]);
            assertEquals(row[2], e.getMessage());
            assertEquals(row[1], e.index(), (String) row[0]);
        }
    }

    @Test
    void what_it_accepts_means_what_it_means_to_others() {
        SplittableRandom random = new SplittableRandom(7);
        String letters = "ab.|()*+?[]^$-\\{}2,d";
        int compared = 0;
        for (int i = 0; i < 100_000; i++) {
            String pattern = word(random, letters, 8);
            LinePattern ours;
            Pattern theirs;
            try {
                ours = LinePattern.of(pattern);
                theirs = Pattern.compile(pattern);
            } catch (LinePattern.Malformed | PatternSyntaxException e) {
                continue;
            }
            if (pattern.contains("[") || pattern.contains("&&")) {
                // Sets within sets mean something of their own to the JDK.
                continue;
            }
            String line = word(random, "ab2-.", 6);
            assertEquals(theirs.matcher(line).find(), ours.isIn(line), pattern + " in " + line);
            compared++;
        }
        assertTrue(compared > 10_000, "only " + compared);
    }

    private static String word(SplittableRandom random, String letters, int most) {
        StringBuilder word = new StringBuilder();
        int length = random.nextInt(most + 1);
        for (int i = 0; i < length; i++) {
            word.append(letters.charAt(random.nextInt(letters.length())));
        }
        return word.toString();
    }

    @Test
    void what_takes_others_for_ever_is_found_missing_at_once() throws LinePattern.Malformed {
        String line = "a".repeat(4096);
        for (String pattern : new String[] {"(a*)*b", "(a|a)*b", "(a+)+$b", "(.*)(.*)(.*)(.*)(.*)[^a]"}) {
            LinePattern hard = LinePattern.of(pattern);
            long begun = System.nanoTime();
            assertFalse(hard.isIn(line));
            assertTrue(System.nanoTime() - begun < 1_000_000_000L, pattern);
        }
    }
}
