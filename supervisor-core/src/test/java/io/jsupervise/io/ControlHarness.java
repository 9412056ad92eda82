package io.jsupervise.io;

import io.jsupervise.lifecycle.History;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Now;
import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.Timers;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.linux.LinuxOs;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.SupervisorSpec;
import io.jsupervise.supervision.Answer;
import io.jsupervise.supervision.Ask;
import io.jsupervise.supervision.Asker;
import io.jsupervise.supervision.Status;
import io.jsupervise.supervision.WatchdogStatus;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Function;

/**
 * A control server on a real socket before a core that answers by a script: services {@code web} (with a log), {@code db}
 * and {@code quiet} (without one), all STOPPED.
 */
final class ControlHarness {
    static final Asker NOBODY = new Asker(Optional.empty(), 65534);

    final Os os = new LinuxOs();
    final Path dir;
    final Path socket;
    final Path webLog;
    final Configuration configuration;

    /** What reached the core. */
    final BlockingQueue<Ask> asked = new LinkedBlockingQueue<>();

    final BlockingQueue<Asker> askers = new LinkedBlockingQueue<>();
    final BlockingQueue<String> troubles = new LinkedBlockingQueue<>();
    final ConcurrentLinkedQueue<Thread> clients = new ConcurrentLinkedQueue<>();
    final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();

    /** What the core answers. */
    volatile Function<Ask, Future<Answer>> script = ask -> CompletableFuture.completedFuture(plain(ask));

    /** There is nothing beside the socket. */
    private static final ControlServer.Surroundings NOTHING = new ControlServer.Surroundings() {
        @Override
        public void restoreDirectories(List<String> restored) {}

        @Override
        public void restoreWhereabouts(List<String> restored) {}
    };

    private final List<Thread> acceptors = new ArrayList<>();
    private final List<ControlServer> servers = new ArrayList<>();

    ControlHarness(Path dir) {
        this.dir = dir;
        this.socket = dir.resolve("control.sock");
        this.webLog = dir.resolve("web.log");
        SupervisorSpec supervisor = new SupervisorSpec(
                "default", dir, dir, socket, Optional.empty(), 0, dir.resolve("heartbeat"), Duration.ofSeconds(5));
        this.configuration = new Configuration(
                dir.resolve("services.yml"),
                supervisor,
                List.of(
                        ServiceSpec.of("web", "web")
                                .log(LogSpec.ToFile.of(webLog))
                                .build(),
                        ServiceSpec.of("db", "db").build(),
                        ServiceSpec.of("quiet", "quiet").build()));
    }

    ControlServer listen() throws OsException {
        return listen(configuration);
    }

    ControlServer listen(Configuration which) throws OsException {
        ControlServer server = ControlServer.listen(
                os,
                which.supervisor(),
                (ask, asker) -> {
                    asked.add(ask);
                    askers.add(asker);
                    return script.apply(ask);
                },
                new NamedServices(which),
                name -> 0,
                (event, text) -> troubles.add(event + " " + text),
                this::serve,
                NOTHING);
        servers.add(server);
        Thread acceptor = new Thread(server, "acceptor");
        acceptor.setUncaughtExceptionHandler((thread, failure) -> failures.add(failure));
        acceptors.add(acceptor);
        acceptor.start();
        return server;
    }

    private void serve(Runnable client) {
        Thread thread = new Thread(client, "client");
        thread.setUncaughtExceptionHandler((dead, failure) -> failures.add(failure));
        clients.add(thread);
        thread.start();
    }

    Routes routes() {
        return new Routes(
                (ask, asker) -> script.apply(ask),
                new NamedServices(configuration),
                configuration.supervisor().stateDir(),
                name -> 0,
                os.uid());
    }

    RawClient connect() throws IOException {
        return new RawClient(socket);
    }

    /** One request on a connection of its own. */
    RawClient.Reply ask(String method, String target) throws IOException {
        try (RawClient client = connect()) {
            return client.request(method, target).reply(method.equals("HEAD"));
        }
    }

    /** Until no thread serves a client any more; false where one still does after {@code patience}. */
    boolean clientsEnd(Duration patience) throws InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        for (Thread thread : clients) {
            thread.join(Math.max(1, (deadline - System.nanoTime()) / 1_000_000));
            if (thread.isAlive()) {
                return false;
            }
        }
        return true;
    }

    private Answer plain(Ask ask) {
        if (ask instanceof Ask.ShowStatus show) {
            return new Answer.Shown(status(show.service(), Status.JournalHealth.OK, ServiceState.STOPPED));
        }
        List<ServiceName> names = ask instanceof Ask.Act act
                ? act.services()
                : ask instanceof Ask.SendSignal send ? List.of(send.service()) : List.of();
        List<Answer.Result> results = new ArrayList<>();
        names.forEach(name -> results.add(new Answer.Result(name, true, ServiceState.RUNNING, "running, pid 42")));
        return new Answer.Acted(results, true);
    }

    Status status(Optional<ServiceName> only, Status.JournalHealth journal, ServiceState state) {
        Now now = new Now(new MonotonicTime(9_000_000_000L), Instant.parse("2026-01-31T12:00:00Z"));
        List<Service> services = new ArrayList<>();
        for (ServiceSpec spec : configuration.services()) {
            if (only.isEmpty() || only.get().equals(spec.name())) {
                services.add(new Service(
                        spec,
                        state,
                        now,
                        Wanted.UP,
                        false,
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        History.EMPTY,
                        Optional.empty(),
                        state == ServiceState.FATAL ? Optional.of("it failed") : Optional.empty(),
                        List.of(),
                        Optional.empty(),
                        Timers.NONE,
                        1));
            }
        }
        Status.SupervisorStatus us = new Status.SupervisorStatus(
                "default",
                new ProcessIdentity(new Pid(1), 1),
                "1.0",
                now.wall(),
                Duration.ofSeconds(1),
                configuration.source(),
                dir,
                journal,
                false,
                Duration.ZERO,
                WatchdogStatus.OFF);
        return new Status(now, us, services);
    }

    /** The end of all servers; a thread of theirs that died is told of. */
    void end() throws InterruptedException {
        for (ControlServer server : servers) {
            server.close(Duration.ofSeconds(2));
        }
        for (Thread acceptor : acceptors) {
            acceptor.join(5000);
        }
        if (!failures.isEmpty()) {
            throw new AssertionError("a thread of the server died", failures.peek());
        }
    }
}
