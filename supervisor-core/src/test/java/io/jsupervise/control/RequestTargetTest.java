package io.jsupervise.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 20, unit = TimeUnit.SECONDS)
class RequestTargetTest {

    @ParameterizedTest
    @CsvSource({
        "/v1/status, v1 status",
        "/v1/status/, v1 status",
        "//v1///status, v1 status",
        "/v1/services/web/logs?lines=5, v1 services web logs",
        "/v1/services/w%65b, v1 services web",
        "/v1/services/a%2Fb, v1 services a/b",
        "/v1/services/%e2%82%ac, v1 services \u20ac",
        "/, ''",
    })
    void a_path_is_cut_at_slashes_before_it_is_decoded(String target, String segments) throws Exception {
        assertEquals(segments, String.join(" ", RequestTarget.parse(target).segments()));
    }

    @Test
    void parameters_repeat_and_the_last_one_counts_where_there_is_one() throws Exception {
        RequestTarget target = RequestTarget.parse("/x?name=web&name=d%62&wait=true&all&empty=&plus=a+b&&eq=a=b");
        assertEquals(List.of("web", "db"), target.parameters("name"));
        assertEquals(Optional.of("db"), target.parameter("name"));
        assertTrue(target.flag("wait"));
        assertTrue(target.flag("all"));
        assertEquals(Optional.of(""), target.parameter("empty"));
        assertEquals(Optional.of("a b"), target.parameter("plus"));
        assertEquals(Optional.of("a=b"), target.parameter("eq"));
        assertEquals(Optional.empty(), target.parameter("other"));
        assertEquals(List.of(), target.parameters("other"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/%", "/%2", "/%zz", "/a b", "/\u00e9", "/%ff", "/%c3%28", "/x?%=1", "/x?a=%f", "/\u0000"})
    void what_is_not_encoded_as_urls_are_is_malformed(String target) {
        assertThrows(RequestTarget.Malformed.class, () -> RequestTarget.parse(target));
    }

    @Test
    void a_misspelt_parameter_is_told_with_the_known_ones() throws Exception {
        RequestTarget target = RequestTarget.parse("/x?folow=true");
        assertEquals(
                "parameter \"folow\" is unknown; known here: follow, since",
                assertThrows(RequestTarget.Malformed.class, () -> target.knows("follow", "since"))
                        .getMessage());
        assertEquals(
                "parameter \"folow\" is unknown; there are none here",
                assertThrows(RequestTarget.Malformed.class, target::knows).getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"f=yes", "f=1", "f=TRUE", "f="})
    void a_flag_is_true_or_false(String query) throws Exception {
        RequestTarget target = RequestTarget.parse("/x?" + query);
        assertThrows(RequestTarget.Malformed.class, () -> target.flag("f"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"n=", "n=x", "n=-1", "n=101", "n=99999999999", "n=1.5"})
    void a_number_has_bounds(String query) throws Exception {
        RequestTarget target = RequestTarget.parse("/x?" + query);
        assertThrows(RequestTarget.Malformed.class, () -> target.number("n", 5, 0, 100));
    }

    @ParameterizedTest
    @ValueSource(strings = {"d=", "d=30", "d=soon", "d=25h", "d=-1s", "d=9999999999999s"})
    void a_duration_has_a_unit_and_a_bound(String query) throws Exception {
        RequestTarget target = RequestTarget.parse("/x?" + query);
        assertThrows(
                RequestTarget.Malformed.class, () -> target.duration("d", Duration.ofSeconds(1), Duration.ofHours(24)));
    }

    @Test
    void what_is_not_said_has_its_default() throws Exception {
        RequestTarget target = RequestTarget.parse("/x?n=100&d=1d");
        assertEquals(5, target.number("m", 5, 0, 100));
        assertEquals(100, target.number("n", 5, 0, 100));
        assertEquals(Duration.ofSeconds(1), target.duration("e", Duration.ofSeconds(1), Duration.ofDays(1)));
        assertEquals(Duration.ofDays(1), target.duration("d", Duration.ofSeconds(1), Duration.ofDays(1)));
        assertEquals(false, target.flag("f"));
    }

    @Test
    void any_text_is_a_target_or_malformed() {
        SplittableRandom random = new SplittableRandom(7);
        String letters = "/?&=%+ab%2f%00\u00e9\u0001 ";
        int malformed = 0;
        for (int round = 0; round < 20_000; round++) {
            StringBuilder text = new StringBuilder("/");
            for (int i = random.nextInt(20); i > 0; i--) {
                text.append(letters.charAt(random.nextInt(letters.length())));
            }
            try {
                RequestTarget.parse(text.toString()).segments();
            } catch (RequestTarget.Malformed e) {
                malformed++;
            }
        }
        assertTrue(malformed > 1000 && malformed < 20_000, "malformed " + malformed);
    }
}
