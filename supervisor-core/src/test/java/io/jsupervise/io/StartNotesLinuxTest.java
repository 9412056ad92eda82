package io.jsupervise.io;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Bearer;
import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.linux.LinuxOs;
import io.jsupervise.spec.ServiceName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is noted of starts, read as the supervisor after a kill reads it. */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class StartNotesLinuxTest {
    private static final ServiceName WEB = new ServiceName("web");
    private static final ServiceName LONG = new ServiceName("a".repeat(64));
    private static final int SLOT = 256;

    @TempDir
    private Path directory;

    private final Os os = new LinuxOs();

    @Test
    void the_next_supervisor_reads_the_last_start_of_each_service() throws Exception {
        StartNotes notes = notes();
        note(notes, WEB, 1, 41);
        note(notes, LONG, 2, 42);
        note(notes, WEB, 3, 43);
        assertEquals(List.of("web 5-a-3 43:430", LONG + " 5-a-2 42:420"), told(notes().takeOver()));
        Bearer web = notes().takeOver().get(0);
        assertTrue(web.leads());
        assertTrue(web.age().toMillis() < 30_000, web.toString());
    }

    @Test
    void a_note_stays_until_its_service_starts_again_also_over_several_kills() throws Exception {
        StartNotes first = notes();
        note(first, WEB, 1, 41);
        note(first, LONG, 2, 42);
        StartNotes second = notes();
        second.takeOver();
        note(second, new ServiceName("new"), 3, 43);
        StartNotes third = notes();
        third.takeOver();
        note(third, LONG, 4, 44);
        assertEquals(List.of("web 5-a-1 41:410", LONG + " 5-a-4 44:440", "new 5-a-3 43:430"), told(notes().takeOver()));
        assertEquals(4L * SLOT, Files.size(file()));
    }

    @Test
    void after_an_end_in_order_it_begins_empty() throws Exception {
        StartNotes notes = notes();
        note(notes, WEB, 1, 41);
        note(notes(), LONG, 2, 42);
        assertEquals(List.of(LONG + " 5-a-2 42:420"), told(notes().takeOver()));
    }

    @Test
    void another_boot_is_another_world() throws Exception {
        StartNotes notes = notes();
        note(notes, WEB, 1, 41);
        byte[] text = Files.readAllBytes(file());
        text[0] = text[0] == 'x' ? (byte) 'y' : (byte) 'x';
        Files.write(file(), text);
        assertEquals(List.of(), notes().takeOver());
        assertEquals(SLOT, Files.size(file()));
    }

    @Test
    void what_is_no_note_is_passed_over_and_its_slot_not_used_twice() throws Exception {
        StartNotes notes = notes();
        note(notes, WEB, 1, 41);
        note(notes, LONG, 2, 42);
        byte[] good = Files.readAllBytes(file());
        for (String bad : List.of(
                "", "web", "web 5-a-1 0 410 1", "web 5-a-1 x 410 1", "no:name 5-a-1 41 410 1", "a b c d e f g")) {
            byte[] text = good.clone();
            String summed = bad + " " + checksum(bad);
            byte[] slot = (summed + " ".repeat(SLOT - 1 - summed.length()) + "\n").getBytes(US_ASCII);
            System.arraycopy(slot, 0, text, SLOT, SLOT);
            Files.write(file(), text);
            StartNotes next = notes();
            assertEquals(List.of(LONG + " 5-a-2 42:420"), told(next.takeOver()), bad);
            note(next, WEB, 3, 43);
            assertEquals(List.of(LONG + " 5-a-2 42:420", "web 5-a-3 43:430"), told(notes().takeOver()), bad);
        }
    }

    @Test
    void of_a_note_that_was_written_in_part_over_another_nothing_is_told() throws Exception {
        StartNotes notes = notes();
        note(notes, WEB, 1, 41);
        byte[] before = Files.readAllBytes(file());
        note(notes, WEB, 12, 425);
        byte[] after = Files.readAllBytes(file());
        int torn = 0;
        for (int length = 0; length <= SLOT; length++) {
            byte[] text = before.clone();
            System.arraycopy(after, SLOT, text, SLOT, length);
            Files.write(file(), text);
            List<String> told = told(notes().takeOver());
            if (Arrays.equals(text, before)) {
                assertEquals(List.of("web 5-a-1 41:410"), told);
            } else if (Arrays.equals(text, after)) {
                assertEquals(List.of("web 5-a-c 425:4250"), told);
            } else {
                assertEquals(List.of(), told, new String(text, US_ASCII));
                torn++;
            }
        }
        assertTrue(torn > 10, "torn in " + torn + " places");
    }

    @Test
    void a_file_that_ends_early_tells_what_it_has() throws Exception {
        StartNotes notes = notes();
        note(notes, WEB, 1, 41);
        note(notes, LONG, 2, 42);
        byte[] text = Files.readAllBytes(file());
        for (int length = 0; length < text.length; length++) {
            Files.write(file(), Arrays.copyOf(text, length));
            List<String> told = told(notes().takeOver());
            assertTrue(told.size() <= 2, told::toString);
            assertFalse(length < SLOT && !told.isEmpty(), told::toString);
            assertFalse(length >= 2 * SLOT && told.isEmpty(), told::toString);
        }
    }

    @Test
    void without_a_directory_nothing_is_noted_and_starts_go_on() throws Exception {
        StartNotes notes = new StartNotes(os, directory.resolve("missing/starts"));
        assertThrows(OsException.class, () -> notes.takeOver());
        note(notes, WEB, 1, 41);
    }

    private StartNotes notes() {
        return new StartNotes(os, file());
    }

    private Path file() {
        return directory.resolve("starts");
    }

    private static void note(StartNotes notes, ServiceName service, int number, int pid) throws OsException {
        notes.started(service, RunId.of("5", 10, number), new ProcessIdentity(new Pid(pid), pid * 10L));
    }

    private static List<String> told(List<Bearer> noted) {
        List<String> told = new ArrayList<>();
        for (Bearer one : noted) {
            told.add(one.service() + " " + one.run().map(RunId::value).orElse("") + " "
                    + one.identity().pid().value() + ":" + one.identity().startTime());
        }
        return told;
    }

    private static String checksum(String note) {
        CRC32 crc = new CRC32();
        crc.update(note.getBytes(US_ASCII));
        return Long.toHexString(crc.getValue());
    }
}
