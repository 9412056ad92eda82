package io.jsupervise.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A name becomes part of file names and URLs, so what it may hold is narrow. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class ServiceNameTest {
    @ParameterizedTest
    @ValueSource(strings = {"a", "web", "Web-2", "a.b_c-d", "0", "9lives", "a..", "a-"})
    void letters_digits_and_three_marks_make_a_name(String name) {
        assertEquals(name, new ServiceName(name).toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ".",
                "..",
                "-a",
                "_a",
                ".a",
                "a/b",
                "/",
                "../a",
                "a b",
                " a",
                "a\n",
                "a\0b",
                "@supervisor",
                "ä",
                "a%2fb",
                "１",
                "a:b",
                "a\\b",
            })
    void anything_else_does_not(String name) {
        assertFalse(ServiceName.isValid(name));
        assertThrows(IllegalArgumentException.class, () -> new ServiceName(name));
    }

    @Test
    void sixty_four_characters_are_the_most() {
        assertEquals(64, new ServiceName("a".repeat(64)).value().length());
        assertFalse(ServiceName.isValid("a".repeat(65)));
        assertFalse(ServiceName.isValid("a".repeat(300)));
    }
}
