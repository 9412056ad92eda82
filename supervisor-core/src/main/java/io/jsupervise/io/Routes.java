package io.jsupervise.io;

import io.jsupervise.control.AnswerCodec;
import io.jsupervise.control.ExplanationCodec;
import io.jsupervise.control.ReloadCodec;
import io.jsupervise.control.RequestTarget;
import io.jsupervise.control.StatusCodec;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import io.jsupervise.supervision.Answer;
import io.jsupervise.supervision.Ask;
import io.jsupervise.supervision.Asker;
import io.jsupervise.supervision.Explaining;
import io.jsupervise.supervision.Explanation;
import io.jsupervise.supervision.Status;
import io.jsupervise.text.Nearest;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.ToLongFunction;

/**
 * What is answered to which request: {@code docs/control.md} in code. The kernel told who asks; reading is for everybody
 * who could connect, acting for root and our own user.
 */
final class Routes {
    static final String JSON = "application/json";
    private static final String NDJSON = "application/x-ndjson";
    private static final String TEXT = "text/plain";
    private static final String NOT_FOUND = "not-found";
    private static final String BAD_REQUEST = "bad-request";

    /** So many may follow something at once; the rest of the connections is for questions. */
    private static final int MOST_STREAMS = 32;

    private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(30);
    private static final Duration LONGEST_TIMEOUT = Duration.ofDays(1);

    /** How much longer than the core is waited for the core: it always answers, this is for the day it does not. */
    private static final Duration GRACE = Duration.ofSeconds(10);

    private static final Duration LONGEST_ROTATION = Duration.ofSeconds(5);
    private static final Duration LONGEST_HAND_OVER = Duration.ofSeconds(15);

    /** Two, as one may have to wait for the end of another; each of them is given up after ten seconds. */
    private static final Duration LONGEST_READINGS = Duration.ofSeconds(20);

    private static final int DEFAULT_LINES = 10;
    private static final int MOST_LINES = 100_000;

    private final ControlServer.Core core;
    private final Path stateDir;
    private final NamedServices named;
    private final ToLongFunction<ServiceName> droppedBytes;
    private final int ourUid;
    private final AtomicInteger streams = new AtomicInteger();

    /** How often it is looked whether somebody who waits long for an answer still does. */
    private static final Duration LOOK_FOR_CLIENT = Duration.ofMillis(500);

    /** @param gone whether it has left */
    private record Client(Asker asker, BooleanSupplier gone) {}

    /** Nobody waits for the answer any more. */
    private static final class ClientGone extends Exception {
        private static final long serialVersionUID = 1;
    }

    /** Something that goes on. */
    interface Stream extends Closeable {
        /** What there is now; nothing where there is nothing now. */
        byte[] next() throws IOException;

        /** Whether more may come. */
        boolean follows();
    }

    /** @param allow the methods of this path, where another was used */
    record Response(int status, String contentType, byte[] body, Optional<Stream> stream, Optional<String> allow) {}

    Routes(
            ControlServer.Core core,
            NamedServices named,
            Path stateDir,
            ToLongFunction<ServiceName> droppedBytes,
            int ourUid) {
        this.core = core;
        this.named = named;
        this.stateDir = stateDir;
        this.droppedBytes = droppedBytes;
        this.ourUid = ourUid;
    }

    /**
     * Answers one request.
     *
     * @param gone whether the client has left meanwhile
     * @return empty where it has left; what it asked for goes on
     */
    Optional<Response> answer(String method, String path, Asker asker, BooleanSupplier gone) throws IOException {
        try {
            RequestTarget target = RequestTarget.parse(path);
            boolean ours =
                    !target.segments().isEmpty() && target.segments().get(0).equals("v1");
            return Optional.of(
                    ours
                            ? route(method, target, new Client(asker, gone))
                            : error(404, NOT_FOUND, "no such path " + target.path() + "; all begin with /v1/"));
        } catch (RequestTarget.Malformed e) {
            return Optional.of(error(400, BAD_REQUEST, e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.of(error(503, "shutting-down", "the supervisor is ending"));
        } catch (ClientGone e) {
            return Optional.empty();
        }
    }

    private Response route(String method, RequestTarget target, Client client)
            throws IOException, InterruptedException, RequestTarget.Malformed, ClientGone {
        List<String> path = target.segments();
        String first = path.size() > 1 ? path.get(1) : "";
        if (path.size() == 2) {
            switch (first) {
                case "status":
                    target.knows("name");
                    return isGet(method) ? status(target, client) : only("GET");
                case "health":
                    target.knows();
                    return isGet(method) ? health(client) : only("GET");
                case "events":
                    target.knows("follow", "since");
                    return isGet(method) ? events(target) : only("GET");
                case "start", "stop", "restart":
                    target.knows("name", "all", "wait", "timeout");
                    return isPost(method) ? actOnMany(first, target, client) : only("POST");
                case "rotate":
                    target.knows("name");
                    return isPost(method) ? rotate(target, client) : only("POST");
                case "reload":
                    target.knows("dry_run", "file", "wait", "timeout");
                    return isPost(method) ? reload(target, client) : only("POST");
                case "shutdown":
                    target.knows("leave_running");
                    return isPost(method) ? shutdown(target, client) : only("POST");
                default:
                    break;
            }
        } else if (first.equals("services") && (path.size() == 3 || path.size() == 4)) {
            return routeService(method, target, path.get(2), path.size() == 4 ? path.get(3) : "", client);
        }
        return error(404, NOT_FOUND, "no such path " + target.path());
    }

    private Response routeService(String method, RequestTarget target, String name, String what, Client client)
            throws IOException, InterruptedException, RequestTarget.Malformed, ClientGone {
        Optional<ServiceSpec> spec = Optional.ofNullable(named.all().get(name));
        if (spec.isEmpty()) {
            return noSuchService(name);
        }
        ServiceName service = new ServiceName(name);
        switch (what) {
            case "":
                target.knows();
                return isGet(method) ? service(service, client) : only("GET");
            case "why":
                target.knows();
                return isGet(method) ? why(service, client) : only("GET");
            case "logs":
                target.knows("lines", "follow");
                return isGet(method) ? logs(spec.get(), target) : only("GET");
            case "start", "stop", "restart":
                target.knows("wait", "timeout");
                return isPost(method) ? actOn(what, List.of(service), target, client) : only("POST");
            case "signal":
                target.knows("signal");
                return isPost(method) ? signal(service, target, client) : only("POST");
            default:
                return error(404, NOT_FOUND, "no such path " + target.path());
        }
    }

    private static boolean isGet(String method) {
        return method.equals("GET");
    }

    private static boolean isPost(String method) {
        return method.equals("POST");
    }

    private Response only(String method) throws IOException {
        Response error = error(405, "wrong-method", "this path is for " + method);
        return new Response(error.status, error.contentType, error.body, error.stream, Optional.of(method));
    }

    // ---- reading ----

    /** Everything, or the supervisor and the services that are named. */
    private Response status(RequestTarget target, Client client) throws IOException, InterruptedException, ClientGone {
        List<String> names = target.parameters("name");
        for (String name : names) {
            if (!named.all().containsKey(name)) {
                return noSuchService(name);
            }
        }
        Answer answer = ask(new Ask.ShowStatus(Optional.empty()), client, Duration.ZERO);
        if (!(answer instanceof Answer.Shown shown)) {
            return refused((Answer.Refused) answer);
        }
        Status status = shown.status();
        if (!names.isEmpty()) {
            List<Service> named = new ArrayList<>();
            for (Service service : status.services()) {
                if (names.contains(service.name().value())) {
                    named.add(service);
                }
            }
            status = new Status(status.now(), status.supervisor(), named);
        }
        ByteArrayOutputStream body =
                new ByteArrayOutputStream(512 * Math.max(1, named.all().size()));
        new StatusCodec(droppedBytes).write(status, body);
        body.write('\n');
        return ok(body.toByteArray());
    }

    private Response service(ServiceName name, Client client) throws IOException, InterruptedException, ClientGone {
        Answer answer = ask(new Ask.ShowStatus(Optional.of(name)), client, Duration.ZERO);
        if (!(answer instanceof Answer.Shown shown)) {
            return refused((Answer.Refused) answer);
        }
        ByteArrayOutputStream body = new ByteArrayOutputStream(1024);
        new StatusCodec(droppedBytes)
                .writeService(shown.status().services().get(0), shown.status().now(), body);
        body.write('\n');
        return ok(body.toByteArray());
    }

    /** Of all services, since it may be others that it waits for. */
    private Response why(ServiceName name, Client client) throws IOException, InterruptedException, ClientGone {
        Answer answer = ask(new Ask.ShowStatus(Optional.empty()), client, Duration.ZERO);
        if (!(answer instanceof Answer.Shown shown)) {
            return refused((Answer.Refused) answer);
        }
        boolean isThere = shown.status().services().stream()
                .anyMatch(service -> service.name().equals(name));
        if (!isThere) {
            return noSuchService(name.value());
        }
        Explanation why = Explaining.of(shown.status(), name);
        ByteArrayOutputStream body = new ByteArrayOutputStream(4096);
        new ExplanationCodec().write(why, why.log().flatMap(LastWords::of), body);
        body.write('\n');
        return ok(body.toByteArray());
    }

    private Response health(Client client) throws IOException, InterruptedException, ClientGone {
        Answer answer = ask(new Ask.ShowStatus(Optional.empty()), client, Duration.ZERO);
        if (!(answer instanceof Answer.Shown shown)) {
            return refused((Answer.Refused) answer);
        }
        List<String> reasons = new ArrayList<>();
        Status status = shown.status();
        if (status.supervisor().journal().stale().isPresent()) {
            reasons.add("the journal is stale: "
                    + status.supervisor().journal().stale().get().reason());
        }
        for (Service service : status.services()) {
            if (service.state() == ServiceState.FATAL) {
                reasons.add(
                        service.name() + " is FATAL: " + service.fatalReason().orElse(""));
            }
        }
        if (reasons.isEmpty()) {
            return ok("{\"healthy\":true}\n".getBytes(StandardCharsets.US_ASCII));
        }
        return error(503, "unhealthy", String.join("; ", reasons));
    }

    private Response events(RequestTarget target) throws IOException, RequestTarget.Malformed {
        Optional<Long> seq = Optional.empty();
        Optional<Instant> time = Optional.empty();
        Optional<String> since = target.parameter("since");
        if (since.isPresent()) {
            try {
                if (since.get().indexOf('T') < 0) {
                    seq = Optional.of(Long.parseLong(since.get()));
                } else {
                    time = Optional.of(Instant.parse(since.get()));
                }
            } catch (NumberFormatException | DateTimeException e) {
                return error(
                        400,
                        BAD_REQUEST,
                        "since must be a number or a time such as 2026-01-31T12:00:00Z, not " + since.get());
            }
        }
        EventReader reader = new EventReader(stateDir, seq, time);
        boolean follow = target.flag("follow");
        return stream(NDJSON, follow, new Source() {
            @Override
            public byte[] next() throws IOException {
                ByteArrayOutputStream some = new ByteArrayOutputStream();
                Optional<byte[]> line = reader.next();
                while (line.isPresent()) {
                    some.writeBytes(line.get());
                    line = some.size() < 16 << 10 ? reader.next() : Optional.empty();
                }
                return some.toByteArray();
            }

            @Override
            public void close() throws IOException {
                reader.close();
            }
        });
    }

    private Response logs(ServiceSpec service, RequestTarget target) throws IOException, RequestTarget.Malformed {
        if (!(service.log() instanceof LogSpec.ToFile log)) {
            return noLog(service);
        }
        int lines = target.number("lines", DEFAULT_LINES, 0, MOST_LINES);
        boolean follow = target.flag("follow");
        LogTail tail = new LogTail(log.file());
        try {
            tail.seek(lines);
        } catch (IOException e) {
            tail.close();
            throw e;
        }
        return stream(TEXT, follow, new Source() {
            @Override
            public byte[] next() throws IOException {
                byte[] some = tail.next();
                return some.length == 0 && follow ? tail.more() : some;
            }

            @Override
            public void close() throws IOException {
                tail.close();
            }
        });
    }

    private interface Source extends Closeable {
        byte[] next() throws IOException;
    }

    private Response stream(String type, boolean follow, Source source) throws IOException {
        if (streams.incrementAndGet() > MOST_STREAMS) {
            streams.decrementAndGet();
            source.close();
            return error(429, "too-many-streams", MOST_STREAMS + " clients follow something already; try again later");
        }
        Stream stream = new Stream() {
            @Override
            public byte[] next() throws IOException {
                return source.next();
            }

            @Override
            public boolean follows() {
                return follow;
            }

            @Override
            public void close() throws IOException {
                streams.decrementAndGet();
                source.close();
            }
        };
        return new Response(200, type, new byte[0], Optional.of(stream), Optional.empty());
    }

    // ---- acting ----

    private Response actOnMany(String verb, RequestTarget target, Client client)
            throws IOException, InterruptedException, RequestTarget.Malformed, ClientGone {
        List<ServiceName> names = new ArrayList<>();
        for (String name : target.parameters("name")) {
            if (!named.all().containsKey(name)) {
                return noSuchService(name);
            }
            names.add(new ServiceName(name));
        }
        if (names.isEmpty() && !target.flag("all")) {
            return error(400, BAD_REQUEST, "say which services: name=web&name=db, or all=true");
        }
        return actOn(verb, names, target, client);
    }

    private Response actOn(String verb, List<ServiceName> names, RequestTarget target, Client client)
            throws IOException, InterruptedException, RequestTarget.Malformed, ClientGone {
        boolean wait = target.flag("wait");
        Duration timeout = target.duration("timeout", DEFAULT_TIMEOUT, LONGEST_TIMEOUT);
        Ask.Act.Verb what = Ask.Act.Verb.valueOf(verb.toUpperCase(java.util.Locale.ROOT));
        return act(new Ask.Act(what, names, wait, timeout), client, timeout);
    }

    private Response signal(ServiceName service, RequestTarget target, Client client)
            throws IOException, InterruptedException, ClientGone {
        String name = target.parameter("signal").orElse("");
        Optional<Signal> signal = Signal.parse(name);
        if (signal.isEmpty()) {
            return error(400, BAD_REQUEST, "signal \"" + name + "\" is unknown; use one such as HUP, USR1 or 10");
        }
        return act(new Ask.SendSignal(service, signal.get()), client, Duration.ZERO);
    }

    /** A hand-over is answered at its end; the core gives it up by itself where it takes too long. */
    private Response shutdown(RequestTarget target, Client client)
            throws IOException, InterruptedException, RequestTarget.Malformed, ClientGone {
        return target.flag("leave_running")
                ? act(new Ask.HandOver(), client, LONGEST_HAND_OVER)
                : act(new Ask.Shutdown(), client, Duration.ZERO);
    }

    private Response rotate(RequestTarget target, Client client) throws IOException, InterruptedException, ClientGone {
        List<ServiceName> names = new ArrayList<>();
        for (String name : target.parameters("name")) {
            ServiceSpec spec = named.all().get(name);
            if (spec == null) {
                return noSuchService(name);
            } else if (!(spec.log() instanceof LogSpec.ToFile)) {
                return noLog(spec);
            }
            names.add(spec.name());
        }
        return act(new Ask.RotateLogs(names), client, LONGEST_ROTATION);
    }

    private static Response noLog(ServiceSpec service) throws IOException {
        return error(409, "no-log", "\"" + service.name() + "\" has no log file: its log is not a map");
    }

    private Response reload(RequestTarget target, Client client)
            throws IOException, InterruptedException, RequestTarget.Malformed, ClientGone {
        boolean dryRun = target.flag("dry_run");
        Optional<String> file = target.parameter("file");
        if (file.isPresent() && !dryRun) {
            return error(400, BAD_REQUEST, "file is for dry_run=true: a supervisor reloads the file that it was given");
        }
        if (file.isPresent() && (!file.get().startsWith("/") || file.get().indexOf('\0') >= 0)) {
            return error(400, BAD_REQUEST, "file must be an absolute path, not \"" + file.get() + "\"");
        }
        Duration timeout = target.duration("timeout", DEFAULT_TIMEOUT, LONGEST_TIMEOUT);
        Ask.Reload ask = new Ask.Reload(dryRun, file.map(Path::of), target.flag("wait"), timeout);
        return act(ask, client, timeout.plus(LONGEST_READINGS));
    }

    private Response act(Ask ask, Client client, Duration timeout)
            throws IOException, InterruptedException, ClientGone {
        if (client.asker().uid() != 0 && client.asker().uid() != ourUid) {
            return error(
                    403,
                    "not-permitted",
                    "uid " + client.asker().uid() + " may look but not act; root "
                            + (ourUid == 0 ? "may" : "and uid " + ourUid + " may"));
        }
        Answer answer = ask(ask, client, timeout);
        if (answer instanceof Answer.Refused refused) {
            return refused(refused);
        }
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        if (answer instanceof Answer.Reloaded reloaded) {
            new ReloadCodec().write(reloaded, body);
        } else if (answer instanceof Answer.Rotated rotated) {
            new AnswerCodec().write(rotated, body);
        } else {
            new AnswerCodec().write((Answer.Acted) answer, body);
        }
        body.write('\n');
        return ok(body.toByteArray());
    }

    private Answer ask(Ask ask, Client client, Duration timeout) throws InterruptedException, ClientGone {
        Future<Answer> answer = core.ask(ask, client.asker());
        long deadline = System.nanoTime() + timeout.plus(GRACE).toNanos();
        while (System.nanoTime() - deadline < 0) {
            try {
                return answer.get(LOOK_FOR_CLIENT.toMillis(), TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                if (client.gone().getAsBoolean()) {
                    throw new ClientGone();
                }
            } catch (ExecutionException e) {
                return new Answer.Refused(Answer.Refused.Reason.FAILED, "the supervisor failed: " + e.getCause());
            }
        }
        return new Answer.Refused(Answer.Refused.Reason.FAILED, "the supervisor did not answer");
    }

    private Response refused(Answer.Refused refused) throws IOException {
        int status =
                switch (refused.reason()) {
                    case BAD_CONFIGURATION -> 400;
                    case NO_SUCH_SERVICE -> 404;
                    case NOT_RUNNING -> 409;
                    case SHUTTING_DOWN, FAILED -> 503;
                };
        return error(status, refused.reason().code(), refused.message());
    }

    private Response noSuchService(String name) throws IOException {
        Optional<String> near = Nearest.of(name, named.all().keySet());
        String hint = near.map(other -> "; did you mean \"" + other + "\"?").orElse("");
        return error(404, "no-such-service", "no service \"" + name + "\"" + hint);
    }

    private static Response ok(byte[] json) {
        return new Response(200, JSON, json, Optional.empty(), Optional.empty());
    }

    private static Response error(int status, String code, String message) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        new AnswerCodec().writeError(code, message, body);
        body.write('\n');
        return new Response(status, JSON, body.toByteArray(), Optional.empty(), Optional.empty());
    }
}
