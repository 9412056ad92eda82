package io.jsupervise.io;

import io.jsupervise.control.AnswerCodec;
import io.jsupervise.os.Listener;
import io.jsupervise.supervision.Asker;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.HttpVersion;
import org.apache.hc.core5.http.MalformedChunkCodingException;
import org.apache.hc.core5.http.MessageConstraintException;
import org.apache.hc.core5.http.RequestHeaderFieldsTooLargeException;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.http.impl.io.DefaultBHttpServerConnection;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.apache.hc.core5.http.message.BasicClassicHttpResponse;

/**
 * One client, one request after another. HTTP itself is parsed and written by httpcore; what is answered is decided by
 * {@link Routes}.
 */
final class ControlConnection implements Runnable {
    private static final Duration IDLE = Duration.ofSeconds(30);
    private static final Duration REQUEST = Duration.ofSeconds(5);
    private static final int MOST_BYTES = 64 << 10;

    /** Answers are collected here, so that a length can be told and no half of one is ever sent. */
    private final ByteArrayOutputStream body = new ByteArrayOutputStream(4096);

    private final Listener.Connection client;
    private final Routes routes;
    private final Consumer<ControlConnection> ended;
    private final AnswerCodec answers = new AnswerCodec();
    private volatile boolean finishing;
    private volatile boolean idle;

    ControlConnection(Listener.Connection client, Routes routes, Consumer<ControlConnection> ended) {
        this.client = client;
        this.routes = routes;
        this.ended = ended;
    }

    /** No further request; what is being answered is answered. Any thread. */
    void finish() {
        finishing = true;
        if (idle) {
            try {
                client.close();
            } catch (IOException e) {
                // Then its own thread finds it broken.
            }
        }
    }

    @Override
    public void run() {
        try (client) {
            serve();
        } catch (IOException | HttpException e) {
            // The client is gone, or was told already: its own affair.
        } finally {
            ended.accept(this);
        }
    }

    private void serve() throws IOException, HttpException {
        Http1Config limits = Http1Config.custom()
                .setMaxLineLength(MOST_BYTES)
                .setMaxEmptyLineCount(8)
                .setBufferSize(4096)
                .build();
        try (DeadlineSocket socket = new DeadlineSocket(client.socket(), IDLE, REQUEST, MOST_BYTES);
                DefaultBHttpServerConnection connection = new DefaultBHttpServerConnection("http", limits)) {
            connection.bind(socket);
            boolean more = true;
            while (more && !finishing) {
                more = serveOne(connection, socket);
            }
        }
    }

    private boolean serveOne(DefaultBHttpServerConnection connection, DeadlineSocket socket)
            throws IOException, HttpException {
        socket.nextRequest();
        ClassicHttpRequest request;
        try {
            idle = true;
            if (finishing) {
                return false;
            }
            request = connection.receiveRequestHeader();
            idle = false;
            if (request == null) {
                return false;
            }
            if (socket.hasEnded()) {
                // httpcore takes the end of the stream for the end of the headers; half a request must not act.
                return refuse(connection, 400, "not-http", "this is not HTTP/1.1: the request breaks off");
            }
            connection.receiveRequestEntity(request);
            if (isTooLong(request.getEntity())) {
                return refuse(connection, 413, "too-large", "a request may have " + MOST_BYTES + " bytes");
            }
        } catch (SocketTimeoutException e) {
            if (!socket.requestBegun()) {
                return false;
            }
            return refuse(
                    connection, 408, "too-slow", "a request must be complete within " + REQUEST.toSeconds() + " s");
        } catch (MessageConstraintException | RequestHeaderFieldsTooLargeException e) {
            return refuse(connection, 413, "too-large", e.getMessage());
        } catch (HttpException | MalformedChunkCodingException e) {
            return refuse(connection, 400, "not-http", "this is not HTTP/1.1: " + e.getMessage());
        }
        return answer(connection, request, socket);
    }

    /** What comes with a request means nothing here; it is read so that the next request can be found. */
    private static boolean isTooLong(HttpEntity entity) throws IOException {
        if (entity == null) {
            return false;
        }
        if (entity.getContentLength() > MOST_BYTES) {
            return true;
        }
        byte[] sink = new byte[4096];
        int total = 0;
        InputStream in = entity.getContent();
        for (int count = in.read(sink); count >= 0; count = in.read(sink)) {
            total += count;
            if (total > MOST_BYTES) {
                return true;
            }
        }
        return false;
    }

    private boolean answer(DefaultBHttpServerConnection connection, ClassicHttpRequest request, DeadlineSocket socket)
            throws IOException, HttpException {
        boolean keep = keepsAlive(request);
        boolean head = request.getMethod().equals("HEAD");
        Asker asker = new Asker(
                client.peer().pid().map(pid -> pid.value()), client.peer().uid());
        Optional<Routes.Response> answer =
                routes.answer(head ? "GET" : request.getMethod(), request.getPath(), asker, () -> isGone(socket));
        if (answer.isEmpty()) {
            return false;
        }
        Routes.Response response = answer.get();
        if (response.stream().isPresent()) {
            stream(connection, response, head, socket);
            return false;
        }
        send(connection, response.status(), response.contentType(), response.body(), keep, head, response.allow());
        return keep;
    }

    private static boolean keepsAlive(ClassicHttpRequest request) {
        Header header = request.getFirstHeader(HttpHeaders.CONNECTION);
        if (header != null && header.getValue().equalsIgnoreCase("close")) {
            return false;
        }
        return request.getVersion() == null || request.getVersion().greaterEquals(HttpVersion.HTTP_1_1);
    }

    private void send(
            DefaultBHttpServerConnection connection,
            int status,
            String contentType,
            byte[] bytes,
            boolean keep,
            boolean head,
            Optional<String> allow)
            throws IOException, HttpException {
        BasicClassicHttpResponse response = new BasicClassicHttpResponse(status);
        response.setHeader(HttpHeaders.CONTENT_TYPE, contentType);
        response.setHeader(HttpHeaders.CONTENT_LENGTH, bytes.length);
        if (!keep) {
            response.setHeader(HttpHeaders.CONNECTION, "close");
        }
        allow.ifPresent(methods -> response.setHeader(HttpHeaders.ALLOW, methods));
        connection.sendResponseHeader(response);
        if (!head) {
            response.setEntity(new ByteArrayEntity(bytes, ContentType.parse(contentType)));
            connection.sendResponseEntity(response);
        }
        connection.flush();
    }

    private boolean refuse(DefaultBHttpServerConnection connection, int status, String code, String message)
            throws IOException, HttpException {
        body.reset();
        answers.writeError(code, message, body);
        send(connection, status, Routes.JSON, body.toByteArray(), false, false, Optional.empty());
        return false;
    }

    /** Chunked, for as long as there is something and the client reads. */
    private void stream(
            DefaultBHttpServerConnection connection, Routes.Response response, boolean head, DeadlineSocket socket)
            throws IOException, HttpException {
        try (Routes.Stream stream = response.stream().orElseThrow()) {
            BasicClassicHttpResponse message = new BasicClassicHttpResponse(response.status());
            message.setHeader(HttpHeaders.CONTENT_TYPE, response.contentType());
            message.setHeader(HttpHeaders.TRANSFER_ENCODING, "chunked");
            message.setHeader(HttpHeaders.CONNECTION, "close");
            message.setEntity(
                    new StreamEntity(stream, response.contentType(), connection, () -> finishing || isGone(socket)));
            connection.sendResponseHeader(message);
            connection.flush();
            if (!head) {
                connection.sendResponseEntity(message);
                connection.flush();
            }
        }
    }

    private static boolean isGone(DeadlineSocket socket) {
        try {
            return socket.isGone();
        } catch (IOException e) {
            return true;
        }
    }
}
