package io.jsupervise.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.supervision.Happening;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Events as JSON and as lines for people. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class EventCodecTest {
    private static final Instant AT = Instant.parse("2026-01-31T12:00:00.125Z");

    private static String encoded(Happening event) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        new EventCodec().write(event, bytes);
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private static Happening ofService(String event, ServiceState from, ServiceState to, Object... details) {
        return new Happening(
                12,
                AT,
                Optional.of(new ServiceName("web")),
                event,
                Optional.ofNullable(from),
                Optional.ofNullable(to),
                map(details));
    }

    private static Map<String, Object> map(Object... namesAndValues) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            map.put((String) namesAndValues[i], namesAndValues[i + 1]);
        }
        return map;
    }

    @Test
    void a_transition_is_one_line_with_its_details_in_order() throws IOException {
        Happening event = ofService(
                "exited",
                ServiceState.RUNNING,
                ServiceState.BACKOFF,
                "code",
                1L,
                "core",
                false,
                "argv",
                List.of("a", "b c"));
        assertEquals(
                "{\"seq\":12,\"at\":\"2026-01-31T12:00:00.125Z\",\"service\":\"web\",\"event\":\"exited\","
                        + "\"from\":\"RUNNING\",\"to\":\"BACKOFF\",\"code\":1,\"core\":false,\"argv\":[\"a\",\"b c\"]}\n",
                encoded(event));
    }

    @Test
    void an_event_of_the_supervisor_has_null_for_the_service_and_no_states() throws IOException {
        Happening event = new Happening(
                1, AT, Optional.empty(), "supervisor-ended", Optional.empty(), Optional.empty(), Map.of());
        assertEquals(
                "{\"seq\":1,\"at\":\"2026-01-31T12:00:00.125Z\",\"service\":null,\"event\":\"supervisor-ended\"}\n",
                encoded(event));
    }

    @Test
    void whatever_a_text_holds_it_stays_one_line() throws IOException {
        String line = encoded(ofService("ignored", null, null, "what", "a\nb\r\u2028\"\\\u0000"));
        assertEquals(line.length() - 1, line.indexOf('\n'));
    }

    @Test
    void a_detail_of_an_unknown_kind_is_a_bug() {
        assertThrows(AssertionError.class, () -> encoded(ofService("x", null, null, "at", AT)));
    }

    @Test
    void number_and_time_are_found_again() throws IOException {
        String text = encoded(ofService("ready", ServiceState.STARTING, ServiceState.RUNNING))
                .strip();
        byte[] line = text.getBytes(StandardCharsets.UTF_8);
        assertEquals(Optional.of(12L), EventCodec.seqOf(line, line.length));
        assertEquals(Optional.of(AT), EventCodec.timeOf(line, line.length));
        for (int length = 1; length < line.length; length++) {
            assertEquals(Optional.empty(), EventCodec.seqOf(line, length), "torn after " + length);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "}",
                "{}",
                "{\"seq\":}",
                "{\"seq\":12}",
                "{\"seq\":x,\"at\":\"\"}",
                "garbage",
                " {\"seq\":1,\"at\":\"\"}"
            })
    void a_line_that_is_not_ours_has_no_number(String text) {
        byte[] line = text.getBytes(StandardCharsets.UTF_8);
        assertEquals(Optional.empty(), EventCodec.seqOf(line, line.length));
    }

    @Test
    void a_time_that_is_none_is_not_found() {
        byte[] line = "{\"seq\":1,\"at\":\"today\"}".getBytes(StandardCharsets.UTF_8);
        assertEquals(Optional.empty(), EventCodec.timeOf(line, line.length));
    }

    static Stream<Arguments> lines() {
        return Stream.of(
                Arguments.of(
                        "web: RUNNING -> BACKOFF (exit 1), restart 3 in 2s",
                        ofService(
                                "exited",
                                ServiceState.RUNNING,
                                ServiceState.BACKOFF,
                                "code",
                                1L,
                                "reason",
                                "exit 1",
                                "restarts",
                                3L,
                                "delay_ms",
                                2000L)),
                Arguments.of(
                        "web: STARTING -> BACKOFF (/x: ENOENT), restart 1 in 500ms",
                        ofService(
                                "start-failed",
                                ServiceState.STARTING,
                                ServiceState.BACKOFF,
                                "reason",
                                "/x: ENOENT",
                                "restarts",
                                1L,
                                "delay_ms",
                                500L)),
                Arguments.of(
                        "web: RUNNING -> FATAL (exit 1): 5 restarts within 5m did not help; last: exit 1",
                        ofService(
                                "gave-up",
                                ServiceState.RUNNING,
                                ServiceState.FATAL,
                                "reason",
                                "exit 1",
                                "gave_up",
                                "5 restarts within 5m did not help; last: exit 1")),
                Arguments.of(
                        "web: started, pid 42",
                        ofService("started", null, ServiceState.STARTING, "pid", 42L, "argv", List.of("x"))),
                Arguments.of(
                        "web: STARTING -> RUNNING", ofService("ready", ServiceState.STARTING, ServiceState.RUNNING)),
                Arguments.of(
                        "web: RUNNING -> STOPPING (no heartbeat for 30s)",
                        ofService(
                                "stopping",
                                ServiceState.RUNNING,
                                ServiceState.STOPPING,
                                "cause",
                                "heartbeat",
                                "reason",
                                "no heartbeat for 30s")),
                Arguments.of(
                        "web: STOPPING -> STOPPED", ofService("stopped", ServiceState.STOPPING, ServiceState.STOPPED)),
                Arguments.of(
                        "web: exited (SIGTERM)",
                        ofService("exited", ServiceState.STOPPING, ServiceState.STOPPING, "reason", "SIGTERM")),
                Arguments.of("web: killing signal=SIGKILL", ofService("killing", null, null, "signal", "SIGKILL")),
                Arguments.of(
                        "supervisor: asked what=stop services=[web] by_uid=0",
                        new Happening(
                                1,
                                AT,
                                Optional.empty(),
                                "asked",
                                Optional.empty(),
                                Optional.empty(),
                                map("what", "stop", "services", List.of("web"), "by_uid", 0L))));
    }

    @ParameterizedTest
    @MethodSource("lines")
    void people_read(String line, Happening event) {
        assertEquals(line, EventText.of(event));
    }
}
