package io.jsupervise.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jsupervise.control.EventCodec;
import io.jsupervise.json.JsonObject;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.os.Errno;
import io.jsupervise.os.OsException;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.Signal;
import io.jsupervise.spec.SupervisorSpec;
import io.jsupervise.supervision.Answer;
import io.jsupervise.supervision.Ask;
import io.jsupervise.supervision.Asker;
import io.jsupervise.supervision.Happening;
import io.jsupervise.supervision.Status;
import java.io.IOException;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The control socket as its clients meet it, the unruly ones included, before a core that answers by a script. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class ControlServerLinuxTest {
    private static final int MOST_STREAMS = 32;

    @TempDir
    private Path dir;

    private ControlHarness control;
    private ControlServer server;

    @BeforeEach
    void listen() throws OsException {
        control = new ControlHarness(dir);
        server = control.listen();
    }

    @AfterEach
    void close() throws InterruptedException {
        control.end();
    }

    private static String errorCode(RawClient.Reply reply) throws Exception {
        return error(reply).string("code");
    }

    private static JsonObject error(RawClient.Reply reply) throws Exception {
        return JsonObject.parse(reply.body().getBytes(StandardCharsets.UTF_8)).object("error");
    }

    // ---- what is answered ----

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "GET    | /                                        | 404 | not-found       | /v1/",
                "GET    | /v1                                      | 404 | not-found       | no such path /v1",
                "GET    | /v2/status                               | 404 | not-found       | /v1/",
                "GET    | /v1/nonsense                             | 404 | not-found       | /v1/nonsense",
                "GET    | /v1/services/web/nonsense                | 404 | not-found       | nonsense",
                "GET    | /v1/services/web/logs/more               | 404 | not-found       | more",
                "OPTIONS| *                                        | 404 | not-found       | /v1/",
                "POST   | /v1/status                               | 405 | wrong-method    | GET",
                "DELETE | /v1/services/web                         | 405 | wrong-method    | GET",
                "GET    | /v1/shutdown                             | 405 | wrong-method    | POST",
                "GET    | /v1/services/web/start                   | 405 | wrong-method    | POST",
                "GET    | /v1/stop                                 | 405 | wrong-method    | POST",
                "GET    | /v1/services/wbe                         | 404 | no-such-service | no service \"wbe\"; did you mean \"web\"?",
                "GET    | /v1/status?name=bd                       | 404 | no-such-service | did you mean \"db\"?",
                "POST   | /v1/services/quite/stop                  | 404 | no-such-service | did you mean \"quiet\"?",
                "POST   | /v1/restart?name=web&name=nobody         | 404 | no-such-service | no service \"nobody\"",
                "GET    | /v1/services/..%2F..%2Fetc               | 404 | no-such-service | no service",
                "GET    | /v1/services/%zz                         | 400 | bad-request     | two digits",
                "GET    | /v1/status?nme=web                       | 400 | bad-request     | known here: name",
                "GET    | /v1/health?x=1                           | 400 | bad-request     | there are none here",
                "POST   | /v1/start                                | 400 | bad-request     | say which services",
                "POST   | /v1/start?all=false                      | 400 | bad-request     | say which services",
                "POST   | /v1/start?all=maybe                      | 400 | bad-request     | true or false",
                "POST   | /v1/services/web/stop?wait=maybe         | 400 | bad-request     | wait must be true or false",
                "POST   | /v1/services/web/stop?timeout=30         | 400 | bad-request     | a duration such as 30s",
                "POST   | /v1/services/web/stop?timeout=2d         | 400 | bad-request     | at most 1d",
                "POST   | /v1/services/web/signal                  | 400 | bad-request     | use one such as HUP",
                "POST   | /v1/services/web/signal?signal=NOPE      | 400 | bad-request     | signal \"NOPE\" is unknown",
                "GET    | /v1/services/web/logs?lines=-1           | 400 | bad-request     | between 0 and 100000",
                "GET    | /v1/services/web/logs?lines=many         | 400 | bad-request     | not many",
                "GET    | /v1/services/web/logs?follow=maybe       | 400 | bad-request     | follow must be",
                "GET    | /v1/events?since=yesterday               | 400 | bad-request     | 2026-01-31T12:00:00Z",
                "GET    | /v1/events?since=2026-01-31T             | 400 | bad-request     | 2026-01-31T12:00:00Z",
                "GET    | /v1/events?follow=maybe                  | 400 | bad-request     | follow must be",
                "GET    | /v1/services/quiet/logs                  | 409 | no-log          | has no log file",
            })
    void what_cannot_be_answered_says_what_and_what_would_be_right(
            String method, String target, int status, String code, String words) throws Exception {
        RawClient.Reply reply = control.ask(method, target);
        assertEquals(status, reply.status(), reply.body());
        assertEquals("application/json", reply.headers().get("content-type"));
        JsonObject error = error(reply);
        assertEquals(code, error.string("code"));
        String message = error.string("message");
        assertTrue(message.contains(words), message);
        if (status == 405) {
            assertEquals(words, reply.headers().get("allow"));
        }
        assertTrue(control.asked.isEmpty(), "the core was asked " + control.asked);
    }

    @Test
    void what_is_asked_reaches_the_core_as_it_was_said() throws Exception {
        List<ServiceName> web = List.of(new ServiceName("web"));
        Object[][] rows = {
            {"/v1/services/web/start", new Ask.Act(Ask.Act.Verb.START, web, false, Duration.ofSeconds(30))},
            {
                "/v1/services/web/stop?wait=true&timeout=5s",
                new Ask.Act(Ask.Act.Verb.STOP, web, true, Duration.ofSeconds(5))
            },
            {"/v1/services/web/restart?wait=true", new Ask.Act(Ask.Act.Verb.RESTART, web, true, Duration.ofSeconds(30))
            },
            {
                "/v1/stop?name=web&name=db",
                new Ask.Act(
                        Ask.Act.Verb.STOP,
                        List.of(new ServiceName("web"), new ServiceName("db")),
                        false,
                        Duration.ofSeconds(30))
            },
            {"/v1/start?all=true", new Ask.Act(Ask.Act.Verb.START, List.of(), false, Duration.ofSeconds(30))},
            {"/v1/services/web/signal?signal=sigusr1", new Ask.SendSignal(new ServiceName("web"), Signal.USR1)},
            {"/v1/shutdown", new Ask.Shutdown()},
            {"/v1/shutdown?leave_running=false", new Ask.Shutdown()},
            {"/v1/shutdown?leave_running=true", new Ask.HandOver()},
        };
        for (Object[] row : rows) {
            RawClient.Reply reply = control.ask("POST", (String) row[0]);
            assertEquals(200, reply.status(), reply.body());
            assertEquals(row[1], control.asked.take());
            Asker asker = control.askers.take();
            assertEquals(new Asker(Optional.of((int) ProcessHandle.current().pid()), control.os.uid()), asker);
        }
    }

    @Test
    void an_action_tells_what_became_of_it() throws Exception {
        RawClient.Reply reply = control.ask("POST", "/v1/services/web/start?wait=true");
        assertEquals(
                "{\"recorded\":true,\"results\":[{\"name\":\"web\",\"done\":true,\"state\":\"RUNNING\","
                        + "\"message\":\"running, pid 42\"}]}\n",
                reply.body());
    }

    @Test
    void what_the_core_refuses_has_a_status_of_its_own() throws Exception {
        Object[][] rows = {
            {Answer.Refused.Reason.NO_SUCH_SERVICE, 404},
            {Answer.Refused.Reason.NOT_RUNNING, 409},
            {Answer.Refused.Reason.SHUTTING_DOWN, 503},
            {Answer.Refused.Reason.FAILED, 503},
            {Answer.Refused.Reason.BAD_CONFIGURATION, 400},
        };
        assertEquals(Answer.Refused.Reason.values().length, rows.length);
        for (Object[] row : rows) {
            Answer.Refused.Reason reason = (Answer.Refused.Reason) row[0];
            control.script = ask -> CompletableFuture.completedFuture(new Answer.Refused(reason, "because"));
            for (String target : List.of("POST /v1/services/web/stop", "GET /v1/status", "GET /v1/services/web")) {
                RawClient.Reply reply = control.ask(target.split(" ")[0], target.split(" ")[1]);
                assertEquals(row[1], reply.status(), target);
                assertEquals(reason.code(), errorCode(reply), target);
            }
        }
    }

    @Test
    void a_failure_of_the_core_is_an_answer_too() throws Exception {
        control.script = ask -> CompletableFuture.failedFuture(new IllegalStateException("broken"));
        RawClient.Reply reply = control.ask("GET", "/v1/status");
        assertEquals(503, reply.status());
        assertTrue(error(reply).string("message").contains("broken"), reply.body());
    }

    @Test
    void the_status_has_all_services_or_those_that_are_named() throws Exception {
        assertEquals(List.of("web", "db", "quiet"), names("/v1/status"));
        assertEquals(List.of("web", "quiet"), names("/v1/status?name=quiet&name=web"));
        RawClient.Reply one = control.ask("GET", "/v1/services/db");
        assertEquals(
                "db",
                JsonObject.parse(one.body().getBytes(StandardCharsets.UTF_8)).string("name"));
    }

    private List<String> names(String target) throws Exception {
        RawClient.Reply reply = control.ask("GET", target);
        assertEquals(200, reply.status(), reply.body());
        JsonObject status = JsonObject.parse(reply.body().getBytes(StandardCharsets.UTF_8));
        assertEquals("default", status.object("supervisor").string("name"));
        List<String> names = new ArrayList<>();
        for (JsonObject service : status.objects("services")) {
            names.add(service.string("name"));
        }
        return names;
    }

    @Test
    void health_is_503_with_the_reasons() throws Exception {
        assertEquals("{\"healthy\":true}\n", control.ask("GET", "/v1/health").body());
        Status.JournalHealth stale = Status.JournalHealth.OK.stale(
                new Status.JournalHealth.Stale(Instant.EPOCH, "write /s: EIO", Optional.of("EIO")));
        control.script = ask -> CompletableFuture.completedFuture(
                new Answer.Shown(control.status(Optional.of(new ServiceName("web")), stale, ServiceState.FATAL)));
        RawClient.Reply reply = control.ask("GET", "/v1/health");
        assertEquals(503, reply.status());
        assertEquals(
                "the journal is stale: write /s: EIO; web is FATAL: it failed",
                error(reply).string("message"));
    }

    @Test
    void head_is_get_without_a_body() throws Exception {
        int length = control.ask("GET", "/v1/status").body().getBytes(StandardCharsets.UTF_8).length;
        try (RawClient client = control.connect()) {
            RawClient.Reply head = client.request("HEAD", "/v1/status").reply(true);
            assertEquals(200, head.status());
            assertEquals(String.valueOf(length), head.headers().get("content-length"));
            assertEquals(200, client.request("GET", "/v1/health").reply().status());
        }
    }

    // ---- who may ----

    @Test
    void strangers_may_look_but_not_act() throws Exception {
        Routes routes = control.routes();
        for (String target : List.of("/v1/services/web/stop", "/v1/stop?all=true", "/v1/shutdown")) {
            Routes.Response refused = routes.answer("POST", target, ControlHarness.NOBODY, () -> false)
                    .orElseThrow();
            assertEquals(403, refused.status(), target);
            String text = new String(refused.body(), StandardCharsets.UTF_8);
            assertTrue(text.contains("\"not-permitted\"") && text.contains("uid 65534 may look but not act"), text);
        }
        assertEquals(
                200,
                routes.answer("GET", "/v1/status", ControlHarness.NOBODY, () -> false)
                        .orElseThrow()
                        .status());
        Asker root = new Asker(Optional.empty(), 0);
        assertEquals(
                200,
                routes.answer("POST", "/v1/services/web/stop", root, () -> false)
                        .orElseThrow()
                        .status());
    }

    @Test
    void the_kernel_tells_who_asks() throws Exception {
        boolean possible = control.os.uid() == 0
                && Files.isExecutable(Path.of("/usr/bin/setpriv"))
                && Files.isExecutable(Path.of("/usr/bin/curl"));
        assumeTrue(possible, "needs root, setpriv and curl to be somebody else");
        Files.setPosixFilePermissions(dir, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.setPosixFilePermissions(control.socket, PosixFilePermissions.fromString("rw-rw-rw-"));
        assertEquals("403", asNobody("POST", "/v1/shutdown"));
        assertEquals("200", asNobody("GET", "/v1/health"));
        assertEquals(new Ask.ShowStatus(Optional.empty()), control.asked.take());
        assertEquals(65534, control.askers.take().uid());
    }

    private String asNobody(String method, String target) throws Exception {
        Process curl = new ProcessBuilder(
                        "setpriv",
                        "--reuid=65534",
                        "--regid=65534",
                        "--clear-groups",
                        "curl",
                        "-s",
                        "-o",
                        "/dev/null",
                        "-w",
                        "%{http_code}",
                        "-X",
                        method,
                        "--unix-socket",
                        control.socket.toString(),
                        "http://x" + target)
                .start();
        String code = new String(curl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, curl.waitFor(), code);
        return code;
    }

    @Test
    void only_we_can_connect() throws Exception {
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(control.socket)));
    }

    // ---- streams ----

    private void happens(long... seqs) throws IOException {
        try (OutputStream out = Files.newOutputStream(
                dir.resolve(EventLog.FILE), StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
            for (long seq : seqs) {
                new EventCodec()
                        .write(
                                new Happening(
                                        seq,
                                        Instant.parse("2026-01-31T12:00:00Z").plusSeconds(seq),
                                        Optional.empty(),
                                        "asked",
                                        Optional.empty(),
                                        Optional.empty(),
                                        Map.of("what", "é")),
                                out);
            }
        }
    }

    private static String line(long seq) {
        return "{\"seq\":" + seq + ",\"at\":\""
                + Instant.parse("2026-01-31T12:00:00Z").plusSeconds(seq)
                + "\",\"service\":null,\"event\":\"asked\",\"what\":\"é\"}\n";
    }

    @Test
    void events_are_lines_of_json_from_where_one_says() throws Exception {
        happens(1, 2, 3);
        RawClient.Reply all = control.ask("GET", "/v1/events");
        assertEquals("application/x-ndjson", all.headers().get("content-type"));
        assertEquals(line(1) + line(2) + line(3), all.body());
        assertEquals(line(3), control.ask("GET", "/v1/events?since=2").body());
        assertEquals(
                line(2) + line(3),
                control.ask("GET", "/v1/events?since=2026-01-31T12:00:02Z").body());
        assertEquals("", control.ask("GET", "/v1/events?since=3").body());
    }

    @Test
    void who_follows_events_gets_them_as_they_come() throws Exception {
        happens(1);
        try (RawClient client = control.connect()) {
            assertEquals(
                    200,
                    client.request("GET", "/v1/events?follow=true").reply(true).status());
            assertEquals(line(1), client.chunk());
            happens(2);
            assertEquals(line(2), client.chunk());
            happens(3, 4);
            StringBuilder rest = new StringBuilder();
            while (rest.length() < (line(3) + line(4)).length()) {
                rest.append(client.chunk());
            }
            assertEquals(line(3) + line(4), rest.toString());
        }
    }

    @Test
    void no_events_yet_is_an_empty_stream() throws Exception {
        assertEquals("", control.ask("GET", "/v1/events").body());
    }

    @Test
    void logs_end_with_the_last_lines_and_go_on() throws Exception {
        Files.writeString(control.webLog, "one\ntwo\nthree\n");
        assertEquals(
                "two\nthree\n",
                control.ask("GET", "/v1/services/web/logs?lines=2").body());
        assertEquals("", control.ask("GET", "/v1/services/web/logs?lines=0").body());
        assertEquals(
                "one\ntwo\nthree\n", control.ask("GET", "/v1/services/web/logs").body());
        try (RawClient client = control.connect()) {
            client.request("GET", "/v1/services/web/logs?lines=1&follow=true");
            assertEquals("text/plain", client.reply(true).headers().get("content-type"));
            assertEquals("three\n", client.chunk());
            Files.writeString(control.webLog, "four\n", StandardOpenOption.APPEND);
            assertEquals("four\n", client.chunk());
        }
    }

    @Test
    void a_service_that_wrote_nothing_yet_has_an_empty_log() throws Exception {
        assertEquals("", control.ask("GET", "/v1/services/web/logs").body());
        try (RawClient client = control.connect()) {
            client.request("GET", "/v1/services/web/logs?follow=true").reply(true);
            Files.writeString(control.webLog, "first\n");
            assertEquals("first\n", client.chunk());
        }
    }

    @Test
    void streams_do_not_take_the_workers_that_answer() throws Exception {
        List<RawClient> followers = new ArrayList<>();
        int streams = 0;
        for (int i = 0; i < 50; i++) {
            RawClient client = control.connect();
            followers.add(client);
            int status =
                    client.request("GET", "/v1/events?follow=true").reply(true).status();
            streams += status == 200 ? 1 : 0;
            assertTrue(status == 200 || status == 429, "status " + status);
        }
        assertEquals(MOST_STREAMS, streams);
        assertEquals(200, control.ask("GET", "/v1/status").status());
        assertEquals(
                429, control.ask("GET", "/v1/services/web/logs?follow=true").status());
        for (RawClient client : followers) {
            client.close();
        }
        assertTrue(control.clientsEnd(Duration.ofSeconds(10)));
        try (RawClient client = control.connect()) {
            assertEquals(
                    200,
                    client.request("GET", "/v1/events?follow=true").reply(true).status());
        }
    }

    @Test
    void a_stream_ends_in_order_when_the_server_does() throws Exception {
        try (RawClient client = control.connect();
                RawClient idle = control.connect()) {
            client.request("GET", "/v1/events?follow=true").reply(true);
            idle.request("GET", "/v1/health").reply();
            happens(1);
            server.close(Duration.ofSeconds(5));
            assertEquals(line(1), client.chunk());
            assertEquals("", client.chunk());
            assertTrue(idle.atEnd());
        }
        assertFalse(Files.exists(control.socket));
    }

    // ---- unruly clients ----

    @ParameterizedTest
    @ValueSource(
            strings = {
                "hello\r\n\r\n",
                "GET\r\n\r\n",
                "GET /v1/status\r\n\r\n",
                "GET /v1/status HTTP/9.9.9\r\n\r\n",
                "GET /v1/status FTP/1.1\r\n\r\n",
                "SSH-2.0-OpenSSH_9.2\r\n\r\n",
                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                "\u0016\u0003\u0001\u0002\u0000\u0001\n\n",
                "GET /v1/status HTTP/1.1\r\nno colon here\r\n\r\n",
                "POST /v1/shutdown HTTP/1.1\r\nContent-Length: minus one\r\n\r\n",
                "POST /v1/shutdown HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
                "POST /v1/shutdown HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                "POST /v1/shutdown HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n",
                "POST /v1/shutdown HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
            })
    void what_is_not_http_is_told_so_and_hung_up_on(String text) throws Exception {
        try (RawClient client = control.connect()) {
            RawClient.Reply reply = client.send(text).reply();
            assertTrue(reply.status() == 400 || reply.status() == 501, "status " + reply.status());
            assertEquals("not-http", errorCode(reply));
            assertEquals("close", reply.headers().get("connection"));
            assertTrue(client.atEnd());
        }
        assertEquals(200, control.ask("GET", "/v1/status").status());
        assertFalse(control.asked.contains(new Ask.Shutdown()));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET http://x HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET ? HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET //x/y?z HTTP/1.1\r\nHost: x\r\n\r\n",
                "CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET /\u00e9 HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n",
                "TEAPOT /v1/status HTTP/1.1\r\nHost: x\r\n\r\n",
            })
    void strange_targets_and_methods_are_errors_and_no_more(String text) throws Exception {
        try (RawClient client = control.connect()) {
            int status = client.send(text).reply().status();
            assertTrue(status >= 400 && status < 500, "status " + status);
        }
    }

    @Test
    void a_request_may_have_64_kib_and_no_more() throws Exception {
        String many = "X-Y: " + "y".repeat(6000) + "\r\n";
        List<String> tooLarge = List.of(
                "GET /v1/status?" + "x".repeat(70_000) + " HTTP/1.1\r\n\r\n",
                "GET /v1/status HTTP/1.1\r\nX: " + "y".repeat(70_000) + "\r\n\r\n",
                "GET /v1/status HTTP/1.1\r\n" + "X: y\r\n".repeat(20_000) + "\r\n",
                "GET /v1/status HTTP/1.1\r\n" + many.repeat(12) + "\r\n",
                "POST /v1/start?all=true HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
                "POST /v1/start?all=true HTTP/1.1\r\nContent-Length: 70000\r\n\r\n" + "x".repeat(70_000),
                "POST /v1/start?all=true HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                        + ("1000\r\n" + "x".repeat(4096) + "\r\n").repeat(20) + "0\r\n\r\n");
        for (String text : tooLarge) {
            try (RawClient client = control.connect()) {
                try {
                    client.send(text);
                } catch (IOException e) {
                    // It answered and hung up before it had read all of that.
                }
                RawClient.Reply reply = client.reply();
                assertEquals(413, reply.status(), text.substring(0, 60));
                assertEquals("too-large", errorCode(reply));
                assertTrue(client.atEnd());
            }
        }
        assertTrue(control.asked.isEmpty(), "the core was asked " + control.asked);
    }

    @Test
    void what_comes_with_a_request_is_passed_over_and_the_next_one_is_found() throws Exception {
        try (RawClient client = control.connect()) {
            client.send("POST /v1/start?all=true HTTP/1.1\r\nContent-Length: 60000\r\n\r\n" + "x".repeat(60_000));
            assertEquals(200, client.reply().status());
            client.send("POST /v1/start?all=true HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "5\r\nGET /\r\n0\r\n\r\n");
            assertEquals(200, client.reply().status());
            assertEquals(200, client.request("GET", "/v1/health").reply().status());
        }
        assertEquals(3, control.asked.size());
    }

    @Test
    void requests_may_come_all_at_once_and_are_answered_in_order() throws Exception {
        try (RawClient client = control.connect()) {
            client.send("GET /v1/services/db HTTP/1.1\r\n\r\nGET /v1/nonsense HTTP/1.1\r\n\r\n"
                    + "HEAD /v1/status HTTP/1.1\r\n\r\nGET /v1/services/web HTTP/1.1\r\nConnection: close\r\n\r\n");
            assertTrue(client.reply().body().startsWith("{\"name\":\"db\""));
            assertEquals(404, client.reply().status());
            assertEquals(200, client.reply(true).status());
            assertTrue(client.reply().body().startsWith("{\"name\":\"web\""));
            assertTrue(client.atEnd());
        }
    }

    @Test
    void what_comes_while_an_answer_is_awaited_is_the_next_request() throws Exception {
        CompletableFuture<Answer> late = new CompletableFuture<>();
        control.script = ask -> late;
        try (RawClient client = control.connect()) {
            client.request("POST", "/v1/services/web/stop?wait=true");
            assertNotNull(control.asked.poll(10, TimeUnit.SECONDS));
            client.request("POST", "/v1/services/db/stop");
            // Longer than it takes until somebody looks whether the client is still there.
            assertThrows(java.util.concurrent.TimeoutException.class, () -> late.get(1200, TimeUnit.MILLISECONDS));
            late.complete(new Answer.Acted(List.of(), true));
            assertEquals(200, client.reply().status());
            assertEquals(200, client.reply().status());
        }
        assertEquals(List.of(new ServiceName("db")), ((Ask.Act) control.asked.poll(10, TimeUnit.SECONDS)).services());
    }

    @Test
    void the_old_protocol_is_answered_once() throws Exception {
        try (RawClient client = control.connect()) {
            client.send("GET /v1/health HTTP/1.0\r\n\r\n");
            assertEquals(200, client.reply().status());
            assertTrue(client.atEnd());
        }
    }

    @Test
    void who_stalls_is_told_so_and_hung_up_on_after_five_seconds() throws Exception {
        Files.writeString(control.webLog, ("x".repeat(99) + "\n").repeat(50_000));
        List<RawClient> stalled = new ArrayList<>();
        for (String half : List.of(
                "GET /v1/sta",
                "GET /v1/status HTTP/1.1\r\nHost: x\r\n",
                "POST /v1/shutdown HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc",
                "POST /v1/shutdown HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")) {
            stalled.add(control.connect().send(half));
        }
        RawClient dripping = control.connect().send("G");
        RawClient neverReads = control.connect().request("GET", "/v1/services/web/logs?lines=100000");
        Thread drip = new Thread(() -> {
            try {
                while (true) {
                    Thread.sleep(300);
                    dripping.send("x");
                }
            } catch (IOException | InterruptedException e) {
                // Hung up on, as it should be.
            }
        });
        drip.start();
        long before = System.nanoTime();
        assertEquals(200, control.ask("GET", "/v1/status").status());
        stalled.add(dripping);
        for (RawClient client : stalled) {
            RawClient.Reply reply = client.reply();
            assertEquals(408, reply.status());
            assertEquals("too-slow", errorCode(reply));
            assertTrue(client.atEnd());
        }
        assertTrue(control.clientsEnd(Duration.ofSeconds(10)), "the one that does not read holds its thread");
        long tookMs = (System.nanoTime() - before) / 1_000_000;
        assertTrue(tookMs >= 4000 && tookMs < 15_000, "took " + tookMs + " ms");
        drip.interrupt();
        drip.join();
        neverReads.close();
        assertFalse(control.asked.contains(new Ask.Shutdown()));
    }

    @Test
    void who_leaves_in_the_middle_leaves_nothing_behind() throws Exception {
        control.connect().close();
        for (String half :
                List.of("G", "GET /v1/status HTTP/1.1\r\n", "POST /v1/x HTTP/1.1\r\nContent-Length: 9\r\n\r\n")) {
            control.connect().send(half).close();
        }
        control.script = ask -> new CompletableFuture<>();
        RawClient waiting = control.connect().request("POST", "/v1/services/web/stop?wait=true&timeout=1h");
        assertNotNull(control.asked.poll(10, TimeUnit.SECONDS));
        waiting.close();
        RawClient half = control.connect().request("POST", "/v1/services/db/stop?wait=true&timeout=1h");
        assertNotNull(control.asked.poll(10, TimeUnit.SECONDS));
        half.endOutput();
        RawClient following = control.connect().request("GET", "/v1/events?follow=true");
        following.reply(true);
        following.close();
        assertTrue(control.clientsEnd(Duration.ofSeconds(10)));
        half.close();
    }

    @Test
    void two_hundred_at_once_are_served_or_told_to_come_again() throws Exception {
        List<RawClient> crowd = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            crowd.add(control.connect());
        }
        int served = 0;
        int turnedAway = 0;
        for (RawClient client : crowd) {
            try {
                client.request("GET", "/v1/health");
            } catch (IOException e) {
                // Turned away already; the answer is there all the same.
            }
            RawClient.Reply reply = client.reply();
            if (reply.status() == 200) {
                served++;
            } else {
                assertEquals(503, reply.status());
                assertEquals("too-many-connections", errorCode(reply));
                turnedAway++;
            }
        }
        assertEquals(ControlServer.MOST_CONNECTIONS, served);
        assertEquals(200 - ControlServer.MOST_CONNECTIONS, turnedAway);
        for (RawClient client : crowd) {
            client.close();
        }
        assertTrue(control.clientsEnd(Duration.ofSeconds(10)));
        assertEquals(200, control.ask("GET", "/v1/status").status());
    }

    // ---- the socket itself ----

    @Test
    void a_live_socket_is_left_alone() throws Exception {
        OsException refused = assertThrows(OsException.class, control::listen);
        assertEquals(Errno.EADDRINUSE, refused.errno());
        assertEquals(200, control.ask("GET", "/v1/status").status());
    }

    private Configuration at(Path socket) {
        SupervisorSpec old = control.configuration.supervisor();
        SupervisorSpec other = new SupervisorSpec(
                old.name(), dir, dir, socket, Optional.empty(), 0, old.heartbeatFile(), old.heartbeatInterval());
        return new Configuration(control.configuration.source(), other, control.configuration.services());
    }

    @Test
    void a_dead_socket_is_replaced() throws Exception {
        Path socket = dir.resolve("dead.sock");
        try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(socket));
        }
        assertTrue(Files.exists(socket));
        control.listen(at(socket));
        try (RawClient client = new RawClient(socket)) {
            assertEquals(200, client.request("GET", "/v1/health").reply().status());
        }
    }

    @Test
    void a_file_that_is_no_socket_is_left_alone() throws Exception {
        Path precious = Files.writeString(dir.resolve("precious"), "what nobody may lose");
        OsException refused = assertThrows(OsException.class, () -> control.listen(at(precious)));
        assertEquals(Errno.EEXIST, refused.errno());
        assertTrue(refused.getMessage().contains(precious + ", which is a regular file"), refused.getMessage());
        assertEquals("what nobody may lose", Files.readString(precious));
        assertTrue(Files.notExists(dir.resolve("precious.new")));
    }

    @Test
    void a_path_that_no_socket_can_have_is_refused_with_the_limit() {
        Path socket = dir.resolve("s".repeat(110));
        OsException refused = assertThrows(OsException.class, () -> control.listen(at(socket)));
        assertEquals(Errno.ENAMETOOLONG, refused.errno());
        assertTrue(refused.getMessage().contains("may have 103 bytes"), refused.getMessage());
    }

    @Test
    void a_directory_that_is_not_there_is_refused() {
        Path socket = dir.resolve("missing/control.sock");
        OsException refused = assertThrows(OsException.class, () -> control.listen(at(socket)));
        assertTrue(refused.getMessage().contains("missing/control.sock"), refused.getMessage());
    }

    @Test
    void a_socket_that_somebody_removes_is_made_again() throws Exception {
        try (RawClient early = control.connect()) {
            early.request("GET", "/v1/health").reply();
            Files.delete(control.socket);
            String told = control.troubles.poll(20, TimeUnit.SECONDS);
            assertNotNull(told);
            assertEquals("runtime-restored " + control.socket + ": removed, and made again", told);
            assertEquals(200, control.ask("GET", "/v1/status").status());
            assertEquals(200, early.request("GET", "/v1/status").reply().status());
            assertEquals(1, listening(control.socket), "the one that nobody can reach is closed");
        }
    }

    /** How many sockets listen that were bound for that path; by the flag __SO_ACCEPTCON of /proc/net/unix. */
    private static long listening(Path socket) throws IOException {
        try (Stream<String> sockets = Files.lines(Path.of("/proc/net/unix"))) {
            return sockets.filter(line -> line.contains(" 00010000 ") && line.endsWith(" " + socket + ".new"))
                    .count();
        }
    }

    @Test
    void a_socket_that_somebody_else_listens_at_by_now_is_left_to_them() throws Exception {
        try (ServerSocketChannel other = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            Files.delete(control.socket);
            other.bind(UnixDomainSocketAddress.of(control.socket));
            String told = control.troubles.poll(20, TimeUnit.SECONDS);
            assertNotNull(told);
            assertTrue(told.startsWith("runtime-not-restored listen on " + control.socket), told);
            assertTrue(told.contains("where a living process listens: EADDRINUSE"), told);
        }
        String told = control.troubles.poll(20, TimeUnit.SECONDS);
        assertEquals(
                "runtime-restored " + control.socket + ": removed, and made again",
                told,
                "it is told of once, and the socket that they left is replaced");
        assertEquals(200, control.ask("GET", "/v1/status").status());
    }

    @Test
    void what_is_no_socket_is_not_replaced_by_one() throws Exception {
        Files.delete(control.socket);
        Files.writeString(control.socket, "precious");
        String told = control.troubles.poll(20, TimeUnit.SECONDS);
        assertNotNull(told);
        assertTrue(told.startsWith("runtime-not-restored listen on " + control.socket), told);
        control.end();
        assertEquals("precious", Files.readString(control.socket), "not removed at the end either");
    }
}
