package io.jsupervise.io;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 10, unit = TimeUnit.SECONDS)
class LineStampTest {
    private final LineStamp stamp = new LineStamp();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1970-01-01T00:00:00.000Z",
                "1969-12-31T23:59:59.999Z",
                "2024-02-29T12:34:56.789Z",
                "2026-11-21T07:00:36.005Z",
                "9999-12-31T23:59:59.999Z"
            })
    void a_stamp_is_the_time_in_utc_to_the_millisecond(String time) {
        stamp.at(Instant.EPOCH);
        byte[] text = stamp.at(Instant.parse(time).plusNanos(999_999));
        assertEquals(time + " ", new String(text, StandardCharsets.US_ASCII));
        assertEquals(LineStamp.BYTES, text.length);
    }
}
