package io.jsupervise.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.apache.hc.core5.http.MessageConstraintException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Deadlines of whole requests, on a connection over the loopback. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class DeadlineSocketLinuxTest {
    private static final Duration IDLE = Duration.ofMillis(150);
    private static final Duration REQUEST = Duration.ofMillis(400);

    private ServerSocket listening;
    private Socket client;
    private Socket accepted;
    private DeadlineSocket socket;

    @BeforeEach
    void connect() throws IOException {
        listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        client = new Socket(listening.getInetAddress(), listening.getLocalPort());
        client.setTcpNoDelay(true);
        accepted = listening.accept();
        socket = new DeadlineSocket(accepted, IDLE, REQUEST, 1000);
    }

    @AfterEach
    void close() throws IOException {
        client.close();
        accepted.close();
        listening.close();
    }

    private void sends(String text) throws IOException {
        client.getOutputStream().write(text.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
    }

    @Test
    void nobody_waits_longer_than_idle_for_a_request_to_begin() {
        socket.nextRequest();
        long before = System.nanoTime();
        assertThrows(SocketTimeoutException.class, () -> socket.getInputStream().read());
        assertTrue(System.nanoTime() - before < REQUEST.toNanos());
        assertFalse(socket.requestBegun());
    }

    @Test
    void a_byte_now_and_then_does_not_move_the_deadline() throws Exception {
        socket.nextRequest();
        InputStream in = socket.getInputStream();
        sends("x");
        assertEquals('x', in.read());
        long begun = System.nanoTime();
        assertTrue(socket.requestBegun());
        assertThrows(SocketTimeoutException.class, () -> {
            while (true) {
                sends("x");
                in.read();
                Thread.sleep(20);
            }
        });
        long tookMs = (System.nanoTime() - begun) / 1_000_000;
        assertTrue(tookMs >= 350 && tookMs < 3000, "took " + tookMs + " ms");
    }

    @Test
    void the_next_request_has_a_deadline_of_its_own() throws Exception {
        socket.nextRequest();
        sends("a");
        assertEquals('a', socket.getInputStream().read());
        Thread.sleep(REQUEST.toMillis() + 50);
        socket.nextRequest();
        sends("b");
        assertEquals('b', socket.getInputStream().read());
        sends("c");
        assertEquals('c', socket.getInputStream().read());
    }

    @Test
    void looking_whether_the_client_is_there_loses_nothing() throws Exception {
        socket.nextRequest();
        assertFalse(socket.isGone());
        sends("abc");
        while (accepted.getInputStream().available() < 3) {
            Thread.onSpinWait();
        }
        assertFalse(socket.isGone());
        assertFalse(socket.isGone());
        byte[] read = socket.getInputStream().readNBytes(3);
        assertArrayEquals(new byte[] {'a', 'b', 'c'}, read);
    }

    @Test
    void a_request_has_a_size_and_the_next_one_has_it_again() throws Exception {
        InputStream in = socket.getInputStream();
        for (int round = 0; round < 2; round++) {
            socket.nextRequest();
            sends("x".repeat(1000));
            assertEquals(1000, in.readNBytes(1000).length);
        }
        sends("xy");
        in.read();
        assertThrows(MessageConstraintException.class, in::read);
    }

    @Test
    void after_a_write_that_failed_nothing_is_written() throws Exception {
        OutputStream out = socket.getOutputStream();
        out.write(1);
        assertEquals(1, client.getInputStream().read());
        accepted.shutdownOutput();
        assertThrows(IOException.class, () -> out.write(2));
        assertEquals(
                "the client was given up",
                assertThrows(IOException.class, () -> out.write(3)).getMessage());
    }

    @Test
    void a_client_that_has_left_is_gone_and_stays_so() throws Exception {
        client.close();
        assertTrue(socket.isGone());
        assertTrue(socket.isGone());
        assertEquals(-1, socket.getInputStream().read());
    }
}
