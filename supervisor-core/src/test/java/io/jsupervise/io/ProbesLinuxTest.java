package io.jsupervise.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Effect;
import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.os.linux.LinuxOs;
import io.jsupervise.spec.Probe;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.supervision.SupervisorEvent;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What comes back from servers of every kind: those that answer, those that do not, those that do not end. */
@Timeout(30)
class ProbesLinuxTest {
    private final List<Event.Probed> answers = new ArrayList<>();
    private int begun;
    private final Probes probes = new Probes(new LinuxOs(), Runnable::run, () -> begun++);

    private void ask(Probe.Remote probe, Duration timeout) {
        Effect.AskProbe order = new Effect.AskProbe(
                new ServiceName("web"), new RunId("r-1"), Optional.of("c" + answers.size()), probe, timeout);
        probes.ask(order, event -> answers.add((Event.Probed) ((SupervisorEvent.OfService) event).event()));
    }

    /** The problem with the next answer, or {@code ok}. */
    private String answer(Probe.Remote probe, int timeoutMs) throws IOException {
        answers.clear();
        ask(probe, Duration.ofMillis(timeoutMs));
        while (answers.isEmpty()) {
            probes.turn();
        }
        assertEquals(1, answers.size());
        return answers.get(0).problem().orElse("ok");
    }

    /** A server on the loopback that says this to each client, after it has asked something, and then does {@code then}. */
    private static final class Server implements AutoCloseable {
        final ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        volatile String asked = "";

        interface Then {
            void with(Socket client) throws IOException;
        }

        Server(String says, Then then) throws IOException {
            Thread thread = new Thread(() -> {
                while (!socket.isClosed()) {
                    try (Socket client = socket.accept()) {
                        byte[] some = new byte[4096];
                        int count = client.getInputStream().read(some);
                        asked = count < 0 ? "" : new String(some, 0, count, StandardCharsets.US_ASCII);
                        client.getOutputStream().write(says.getBytes(StandardCharsets.US_ASCII));
                        then.with(client);
                    } catch (IOException e) {
                        // The client has gone; the next one may come.
                        continue;
                    }
                }
            });
            thread.setDaemon(true);
            thread.start();
        }

        Probe.Http http(String target) {
            return new Probe.Http("127.0.0.1", socket.getLocalPort(), target);
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    private static void untilTheClientLeaves(Socket client) throws IOException {
        while (client.getInputStream().read() >= 0) {}
    }

    private String answerOf(String says, Server.Then then) throws IOException {
        try (Server server = new Server(says, then)) {
            return answer(server.http("/"), 300);
        }
    }

    @Test
    void a_status_from_200_to_399_is_good_and_what_follows_does_not_matter() throws IOException {
        assertEquals("ok", answerOf("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", client -> {}));
        assertEquals("ok", answerOf("HTTP/1.0 204\r\n", client -> {}));
        assertEquals("ok", answerOf("HTTP/1.1 302 Found\n", ProbesLinuxTest::untilTheClientLeaves));
        assertEquals("HTTP 404", answerOf("HTTP/1.1 404 Not Found\r\n\r\n", client -> {}));
        assertEquals("HTTP 503", answerOf("HTTP/1.1 503 x\r\n", client -> {}));
        assertEquals("HTTP 199", answerOf("HTTP/1.1 199 x\r\n", client -> {}));
    }

    @Test
    void what_is_no_answer_is_told() throws IOException {
        assertEquals("the answer is not HTTP", answerOf("SSH-2.0-OpenSSH_9.2\r\n", client -> {}));
        assertEquals("the answer is not HTTP", answerOf("HTTP/1.1 xyz\r\n", client -> {}));
        assertEquals("the answer is not HTTP", answerOf("x".repeat(1000), ProbesLinuxTest::untilTheClientLeaves));
        assertEquals("it closed the connection without an answer", answerOf("HTTP/1.", client -> {}));
        assertEquals("no answer within 300ms", answerOf("", ProbesLinuxTest::untilTheClientLeaves));
        assertEquals("no answer within 300ms", answerOf("HTTP/1.1 200", ProbesLinuxTest::untilTheClientLeaves));
    }

    @Test
    void who_answers_without_end_is_not_heard_to_its_end() throws IOException {
        assertEquals("ok", answerOf("HTTP/1.1 200 OK\r\n\r\n", client -> {
            byte[] flood = new byte[65536];
            while (true) {
                client.getOutputStream().write(flood);
            }
        }));
    }

    @Test
    void the_request_names_target_and_host() throws IOException {
        try (Server server = new Server("HTTP/1.1 200 OK\r\n\r\n", client -> {})) {
            answer(server.http("/a?b=c"), 1000);
            assertTrue(server.asked.startsWith("GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:"), server.asked);
            assertTrue(server.asked.contains("\r\nConnection: close\r\n"), server.asked);
        }
    }

    @Test
    void a_connection_is_enough_for_tcp_and_a_refused_one_is_told_at_once() throws IOException {
        int port;
        try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            port = silent.getLocalPort();
            assertEquals("ok", answer(new Probe.Tcp("127.0.0.1", port), 1000));
            assertEquals("ok", answer(new Probe.Tcp("localhost", port), 1000));
        }
        assertEquals("connection refused", answer(new Probe.Tcp("127.0.0.1", port), 10_000));
        assertEquals("there is no host no-such-host.invalid", answer(new Probe.Tcp("no-such-host.invalid", 1), 10_000));
        assertEquals(1, begun, "one thread does for all");
    }

    @Test
    void those_that_hang_hold_up_nobody() throws IOException {
        try (ServerSocket silent = new ServerSocket(0, 500, InetAddress.getLoopbackAddress());
                Server good = new Server("HTTP/1.1 200 OK\r\n\r\n", client -> {})) {
            Probe.Remote hanging = new Probe.Http("127.0.0.1", silent.getLocalPort(), "/");
            for (int i = 0; i < 200; i++) {
                ask(hanging, Duration.ofMillis(600));
            }
            ask(good.http("/"), Duration.ofSeconds(5));
            while (answers.isEmpty()) {
                probes.turn();
            }
            assertEquals(Optional.empty(), answers.get(0).problem(), "the good one is the first to answer");
            while (answers.size() < 201) {
                probes.turn();
            }
            answers.subList(1, 201)
                    .forEach(answer -> assertEquals(Optional.of("no answer within 600ms"), answer.problem()));
        }
    }
}
