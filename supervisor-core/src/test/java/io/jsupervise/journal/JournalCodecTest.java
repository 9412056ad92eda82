package io.jsupervise.journal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.RunId;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is written is read again as it was; what is anything else is refused with the place and the reason. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class JournalCodecTest {
    private static final String WEB =
            """
            {"version":2,"name":"web","boot_id":"b1","state":"BACKOFF","since_mono_ns":6,"since":"2026-01-31T11:00:00Z",
             "wanted":"up","commanded":false,
             "process":{"pid":42,"start_time":7,"run_id":"r-1","started_mono_ns":5,"started_at":"2026-01-31T12:00:00Z",
              "ready_mono_ns":8,"spec":"0123456789abcdef"},
             "ending":{"cause":"operator","reason":"restart asked"},
             "next_start":{"mono_ns":9,"at":"2026-01-31T12:00:01Z","delay_ms":1000},
             "fatal":"too often",
             "stop":{"signal":"SIGTERM","timeout_ms":10000,"dump_signal":"SIGQUIT"},
             "log":"/l/web.log","restarts":3,"failures":2,"restart_times_mono_ns":[1,2],
             "ends":[{"at":"2026-01-31T12:00:00Z","code":1,"cause":"exit","reason":"exit 1","ran_for_ms":5,"delay_ms":7}]}
            """;

    private static final String SUPERVISOR =
            """
            {"version":2,"boot_id":"b1","version_of":"0.1","started_at":"2026-01-31T12:00:00Z","ended_in_order":false,
             "last_event":12}
            """;

    private final JournalCodec codec = new JournalCodec();

    @Test
    void any_record_is_read_as_it_was_written() throws JournalException {
        Records records = new Records(1);
        for (int i = 0; i < 2000; i++) {
            ServiceRecord service = records.next();
            assertEquals(service, codec.decodeService(codec.encode(service)));
            SupervisorRecord supervisor = records.nextSupervisor();
            assertEquals(supervisor, codec.decodeSupervisor(codec.encode(supervisor)));
        }
    }

    @Test
    void a_record_is_one_line() {
        Records records = new Records(2);
        for (int i = 0; i < 100; i++) {
            byte[] text = codec.encode(records.next());
            int newline = 0;
            while (text[newline] != '\n') {
                newline++;
            }
            assertEquals(text.length - 1, newline, "the only line feed is the last byte");
        }
    }

    @Test
    void a_record_that_was_cut_anywhere_is_refused() {
        Records records = new Records(3);
        byte[] service = codec.encode(records.next());
        // Without the line feed at the end it is still whole.
        for (int length = 0; length < service.length - 1; length++) {
            byte[] part = Arrays.copyOf(service, length);
            assertRefused(assertThrows(JournalException.class, () -> codec.decodeService(part)));
        }
        byte[] supervisor = codec.encode(records.nextSupervisor());
        for (int length = 0; length < supervisor.length - 1; length++) {
            byte[] part = Arrays.copyOf(supervisor, length);
            assertRefused(assertThrows(JournalException.class, () -> codec.decodeSupervisor(part)));
        }
    }

    /** Zeroes are what some file systems leave of a file whose data did not reach the disk. */
    @Test
    void zeroes_behind_any_byte_are_refused() {
        byte[] service = codec.encode(new Records(4).next());
        for (int from = 0; from < service.length - 1; from++) {
            byte[] zeroed = service.clone();
            Arrays.fill(zeroed, from, zeroed.length, (byte) 0);
            assertRefused(assertThrows(JournalException.class, () -> codec.decodeService(zeroed)));
        }
    }

    @Test
    void garbage_is_refused_or_read_but_never_ends_otherwise() {
        Random random = new Random(5);
        Records records = new Records(5);
        int refused = 0;
        for (int i = 0; i < 1000; i++) {
            byte[] text = codec.encode(records.next());
            for (int changes = 1 + random.nextInt(4); changes > 0; changes--) {
                text[random.nextInt(text.length)] = (byte) random.nextInt(256);
            }
            try {
                codec.decodeService(text);
            } catch (JournalException e) {
                assertRefused(e);
                refused++;
            }
            byte[] noise = new byte[random.nextInt(200)];
            random.nextBytes(noise);
            assertRefused(assertThrows(JournalException.class, () -> codec.decodeService(noise)));
            assertRefused(assertThrows(JournalException.class, () -> codec.decodeSupervisor(noise)));
        }
        assertTrue(refused > 200, refused + " of 1000 were refused");
    }

    private static void assertRefused(JournalException e) {
        assertFalse(e.getMessage().isBlank());
        assertFalse(e.getMessage().contains("\n"), e.getMessage());
    }

    @Test
    void the_examples_of_this_test_are_whole() throws JournalException {
        assertEquals("web", codec.decodeService(WEB.getBytes(UTF_8)).name().value());
        assertEquals(12, codec.decodeSupervisor(SUPERVISOR.getBytes(UTF_8)).lastEvent());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"version\":2         | \"version\":\"2\"        | version is not a whole number",
                "\"version\":2,        |                          | version is missing",
                "\"version\":2         | \"version\":0            | it has version 0, this supervisor reads 1 to 2",
                "\"since\":\"2026-01-31T11:00:00Z\", |          | since is missing",
                "\"ready_mono_ns\":8   | \"ready_mono_ns\":\"8\"  | process.ready_mono_ns is not a whole number",
                "\"spec\":\"0123456789abcdef\" | \"spec\":5           | process.spec is not a string",
                "\"name\":\"web\"      | \"name\":\"../web\"      | name is no service name",
                "\"name\":\"web\"      | \"name\":7               | name is not a string",
                "\"boot_id\":\"b1\"    | \"boot_id\":null         | boot_id is not a string",
                "\"boot_id\":\"b1\"    | \"bootid\":\"b1\"        | boot_id is missing",
                "\"BACKOFF\"           | \"backoff\"              | state \"backoff\" is no state",
                "\"wanted\":\"up\"     | \"wanted\":\"sideways\"  | wanted \"sideways\" is neither up nor down",
                "\"commanded\":false   | \"commanded\":\"no\"     | commanded is not true or false",
                "\"pid\":42            | \"pid\":0                | process.pid is 0, not between 1 and 2147483647",
                "\"pid\":42            | \"pid\":4294967338       | process.pid is 4294967338, not between 1 and 2147483647",
                "\"pid\":42            | \"pid\":42.5             | process.pid is not a whole number",
                "\"start_time\":7      | \"start_time\":-7        | process.start_time is -7, not between 0 and 9223372036854775807",
                "\"run_id\":\"r-1\",   |                          | process.run_id is missing",
                "\"start_time\":7      | \"start_time\":7,\"x\":1 | unknown member process.x",
                "\"cause\":\"operator\" | \"cause\":\"fate\"      | ending.cause \"fate\" is no cause",
                "\"delay_ms\":1000     | \"delay_ms\":-1          | next_start.delay_ms is -1, not between 0 and 9223372036854",
                "2026-01-31T12:00:01Z  | yesterday                | next_start.at \"yesterday\" is not a time such as 2026-01-31T12:00:00Z",
                "\"fatal\":\"too often\" | \"fatal\":[]           | fatal is not a string",
                "SIGTERM               | SIGNAL                   | stop.signal \"SIGNAL\" is no signal",
                "SIGQUIT               | SIG99                    | stop.dump_signal \"SIG99\" is no signal",
                "/l/web.log            | /l/\\u0000               | log is no path",
                "\"restarts\":3        | \"restarts\":-3          | restarts is -3, not between 0 and 9223372036854775807",
                "\"restarts\":3        | \"restarts\":3e3         | restarts is not a whole number",
                "[1,2]                 | [1,\"2\"]                | restart_times_mono_ns holds something that is not a whole number",
                "\"code\":1            | \"code\":256             | ends[0].code is 256, not between 0 and 255",
                "\"code\":1            | \"signal\":\"SIGKILL\"   | ends[0].core is missing",
                "\"code\":1            | \"code\":1,\"signal\":\"SIGKILL\" | unknown member ends[0].signal",
                "\"ends\":[{           | \"ends\":[3,{            | ends holds something that is not an object",
                "\"failures\":2        | \"failures\":2,\"luck\":1 | unknown member luck",
                "\"ends\":[            | \"ends\":[[[[[[[[[[[[[[[[[[[[ | it is nested deeper than 16",
            })
    void what_is_wrong_in_a_service_is_named(String text, String instead, String message) {
        assertTrue(WEB.contains(text), "the row replaces nothing");
        String changed = WEB.replace(text, instead == null ? "" : instead);
        JournalException e = assertThrows(JournalException.class, () -> codec.decodeService(changed.getBytes(UTF_8)));
        assertEquals(message, e.getMessage());
        assertFalse(e.laterVersion().isPresent());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"last_event\":12       | \"last_event\":-1       | last_event is -1, not between 0 and 9223372036854775807",
                "\"ended_in_order\":false | \"ended_in_order\":0   | ended_in_order is not true or false",
                "\"version_of\":\"0.1\", |                         | version_of is missing",
                "\"last_event\":12       | \"last_event\":12,\"a\":{} | unknown member a",
            })
    void what_is_wrong_in_the_supervisors_record_is_named(String text, String instead, String message) {
        assertTrue(SUPERVISOR.contains(text), "the row replaces nothing");
        String changed = SUPERVISOR.replace(text, instead == null ? "" : instead);
        JournalException e =
                assertThrows(JournalException.class, () -> codec.decodeSupervisor(changed.getBytes(UTF_8)));
        assertEquals(message, e.getMessage());
    }

    @Test
    void a_member_that_comes_twice_and_a_second_object_are_refused() {
        for (String text : new String[] {
            WEB.replace("\"restarts\":3", "\"restarts\":3,\"restarts\":4"), WEB + WEB, "[" + WEB + "]", "null", "7"
        }) {
            assertRefused(assertThrows(JournalException.class, () -> codec.decodeService(text.getBytes(UTF_8))));
        }
    }

    /** As 0.1 wrote it: what it did not know is unknown. */
    @Test
    void a_record_of_version_1_is_read() throws JournalException {
        String old =
                """
                {"version":1,"name":"web","boot_id":"b1","state":"RUNNING","wanted":"up","commanded":false,
                 "process":{"pid":42,"start_time":7,"run_id":"r-1","started_mono_ns":5,
                  "started_at":"2026-01-31T12:00:00Z"},
                 "stop":{"signal":"SIGTERM","timeout_ms":10000},
                 "restarts":3,"failures":2,"restart_times_mono_ns":[],"ends":[]}
                """;
        ServiceRecord record = codec.decodeService(old.getBytes(UTF_8));
        assertEquals(Optional.empty(), record.since());
        assertEquals(Optional.empty(), record.living().orElseThrow().spec());
        assertEquals(Optional.empty(), record.living().get().readyAt());
        assertEquals(new RunId("r-1"), record.lastRun().orElseThrow().run());
        assertEquals(record, codec.decodeService(codec.encode(record)), "and is written as version 2");
    }

    /** Whatever else a later version wrote: it is known by its number, and not taken for damaged. */
    @Test
    void a_later_version_is_told_from_damage() {
        String later = "{\"version\":99,\"name\":{\"first\":\"web\"},\"new\":true}";
        JournalException service =
                assertThrows(JournalException.class, () -> codec.decodeService(later.getBytes(UTF_8)));
        assertEquals(Optional.of(99L), service.laterVersion());
        assertEquals("it has version 99, this supervisor reads 1 to 2", service.getMessage());
        assertTrue(assertThrows(JournalException.class, () -> codec.decodeSupervisor(later.getBytes(UTF_8)))
                .laterVersion()
                .isPresent());
    }
}
