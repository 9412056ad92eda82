package io.jsupervise.json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is not exactly the JSON that was expected is refused, and the message names the member. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class JsonObjectTest {
    private static JsonObject parse(String text) throws JsonException {
        return JsonObject.parse(text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void members_are_taken_with_their_types() throws JsonException {
        JsonObject all =
                parse("{\"s\":\"a\\u00e9\\n\",\"n\":-7,\"b\":true,\"t\":\"2026-01-31T12:00:00Z\",\"o\":{\"x\":1},"
                        + "\"os\":[{\"y\":2},{}],\"ns\":[1,2],\"ss\":[\"p\",\"q\"],\"z\":null}");
        assertEquals("a\u00e9\n", all.string("s"));
        assertEquals(-7, all.number("n"));
        assertTrue(all.bool("b"));
        assertEquals(Instant.parse("2026-01-31T12:00:00Z"), all.instant("t"));
        assertEquals(1, all.object("o").number("x"));
        List<JsonObject> objects = all.objects("os");
        assertEquals(2, objects.size());
        assertEquals(2, objects.get(0).number("y"));
        assertEquals(List.of(1L, 2L), all.numbers("ns"));
        assertEquals(List.of("p", "q"), all.strings("ss"));
        assertFalse(all.has("z"));
        assertEquals(Optional.empty(), all.optionalString("z"));
        all.end();
    }

    @Test
    void what_is_absent_or_null_is_empty_where_it_may_be() throws JsonException {
        JsonObject object = parse("{\"a\":null,\"b\":null,\"c\":null}");
        assertEquals(Optional.empty(), object.optionalString("a"));
        assertEquals(Optional.empty(), object.optionalNumber("b"));
        assertTrue(object.optionalObject("c").isEmpty());
        assertEquals(Optional.empty(), object.optionalString("never"));
        object.end();
    }

    @Test
    void what_nobody_took_is_refused_by_name() throws JsonException {
        JsonObject object = parse("{\"outer\":{\"known\":1,\"misspelt\":2}}").object("outer");
        object.number("known");
        assertEquals(
                "unknown member outer.misspelt",
                assertThrows(JsonException.class, object::end).getMessage());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "7",
                "[]",
                "\"text\"",
                "null",
                "{",
                "{\"a\":1",
                "{\"a\":1}}",
                "{\"a\":1} {\"b\":2}",
                "{\"a\":1} x",
                "{\"a\":1,\"a\":2}",
                "{'a':1}",
                "{a:1}",
                "{\"a\":01}",
                "{\"a\":NaN}",
                "{\"a\":1,}",
                "{\"a\":\"\u0001\"}",
                "{\"a\":99999999999999999999}",
                "{/* */\"a\":1}"
            })
    void what_is_not_one_object_of_strict_json_is_refused(String text) {
        JsonException e = assertThrows(JsonException.class, () -> parse(text));
        assertFalse(e.getMessage().contains("\n"), e.getMessage());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"a\":\"7\"} | a is not a whole number",
                "{\"a\":7.0} | a is not a whole number",
                "{\"a\":true} | a is not a whole number",
                "{\"a\":null} | a is not a whole number",
                "{\"a\":0} | a is 0, not between 1 and 9",
                "{\"a\":10} | a is 10, not between 1 and 9",
                "{} | a is missing",
            })
    void a_number_of_another_kind_is_refused(String text, String message) {
        assertEquals(
                message,
                assertThrows(JsonException.class, () -> parse(text).number("a", 1, 9))
                        .getMessage());
    }

    @Test
    void lists_of_mixed_kinds_are_refused() throws JsonException {
        JsonObject object = parse("{\"a\":[1,\"x\"],\"b\":[\"x\",1],\"c\":[{},1],\"d\":{\"e\":\"soon\"}}");
        assertThrows(JsonException.class, () -> object.numbers("a"));
        assertThrows(JsonException.class, () -> object.strings("b"));
        assertThrows(JsonException.class, () -> object.objects("c"));
        JsonObject inner = object.object("d");
        assertEquals(
                "d.e \"soon\" is not a time such as 2026-01-31T12:00:00Z",
                assertThrows(JsonException.class, () -> inner.instant("e")).getMessage());
    }

    @Test
    void nesting_has_a_bottom() {
        for (int depth : new int[] {20, 900, 100_000}) {
            String text = "{\"a\":" + "[".repeat(depth) + "]".repeat(depth) + "}";
            assertThrows(JsonException.class, () -> parse(text), "depth " + depth);
        }
    }

    /** The journal and other people's answers come from outside: whatever the bytes, it is an object or a JsonException. */
    @Test
    void damaged_bytes_give_an_object_or_an_error_and_nothing_else() {
        byte[] good = "{\"a\":[1,{\"b\":\"\\u20ac\"}],\"c\":null,\"d\":-12.5e3}".getBytes(StandardCharsets.UTF_8);
        SplittableRandom random = new SplittableRandom(20260131);
        int refused = 0;
        for (int round = 0; round < 20_000; round++) {
            byte[] bad = java.util.Arrays.copyOf(good, 1 + random.nextInt(good.length));
            for (int hits = random.nextInt(4); hits >= 0; hits--) {
                bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
            }
            try {
                JsonObject.parse(bad);
            } catch (JsonException e) {
                refused++;
            }
        }
        assertTrue(refused > 10_000, "refused " + refused);
    }
}
