package io.jsupervise.io;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The console, however slow it is. */
@Timeout(value = 10, unit = TimeUnit.SECONDS)
class ConsoleTest {
    private static final int ALL = 1 << 20;

    private final ByteArrayOutputStream screen = new ByteArrayOutputStream();
    private int woken;
    private final Console console = new Console(screen, () -> woken++);

    private void show(Console it) {
        while (it.nextStep().isPresent()) {
            it.step();
        }
    }

    private static byte[] block(char of, int length) {
        return (String.valueOf(of).repeat(length - 1) + "\n").getBytes(UTF_8);
    }

    @Test
    void what_is_written_is_shown_in_order() {
        console.write("a\n".getBytes(UTF_8));
        console.write("b\n".getBytes(UTF_8));
        assertEquals(2, woken);
        show(console);
        assertEquals("a\nb\n", screen.toString(UTF_8));
    }

    @Test
    void what_does_not_fit_is_left_out_and_counted_where_it_is_missing() {
        byte[] half = block('a', ALL / 2);
        console.write(half);
        console.write(half);
        console.write("lost\n".getBytes(UTF_8));
        console.write("lost too\n".getBytes(UTF_8));
        console.step();
        console.write("after\n".getBytes(UTF_8));
        show(console);
        String shown = screen.toString(UTF_8);
        assertEquals("... 14 bytes were left out here, the console is too slow\nafter\n", shown.substring(ALL));
    }

    @Test
    void what_was_left_out_last_is_told_of_though_nothing_follows() {
        console.write(block('a', ALL));
        console.write("lost\n".getBytes(UTF_8));
        show(console);
        assertTrue(
                screen.toString(UTF_8).endsWith("\n... 5 bytes were left out here, the console is too slow\n"),
                "the mark is the end");
    }

    @Test
    void a_console_that_is_gone_is_written_to_once_and_never_fills_up() {
        int[] writes = {0};
        Console broken = new Console(
                new OutputStream() {
                    @Override
                    public void write(int b) throws IOException {
                        throw new IOException("EPIPE");
                    }

                    @Override
                    public void write(byte[] bytes, int offset, int length) throws IOException {
                        writes[0]++;
                        throw new IOException("EPIPE");
                    }
                },
                () -> {});
        for (int i = 0; i < 10; i++) {
            broken.write(block('a', ALL));
            show(broken);
        }
        assertEquals(1, writes[0]);
    }

    @Test
    void each_line_of_a_service_stands_behind_its_name_and_a_part_waits_for_its_end() {
        ConsoleEcho echo = new ConsoleEcho(console, "web | ");
        byte[] first = "one\ntw".getBytes(UTF_8);
        echo.write(first, first.length);
        byte[] rest = "o\n\n".getBytes(UTF_8);
        echo.write(rest, rest.length);
        show(console);
        assertEquals("web | one\nweb | two\nweb | \n", screen.toString(UTF_8));
    }

    @Test
    void a_line_without_an_end_is_shown_in_pieces() {
        ConsoleEcho echo = new ConsoleEcho(console, "web | ");
        byte[] endless = "x".repeat(10 << 10).getBytes(UTF_8);
        echo.write(endless, endless.length);
        show(console);
        assertEquals("web | " + "x".repeat(8 << 10) + "\n", screen.toString(UTF_8));
    }
}
