package io.jsupervise.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.control.Whereabouts;
import io.jsupervise.lifecycle.Effect;
import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.os.Child;
import io.jsupervise.os.Errno;
import io.jsupervise.os.OsException;
import io.jsupervise.os.SpawnException;
import io.jsupervise.os.SpawnRequest.Output;
import io.jsupervise.os.linux.LinuxOs;
import io.jsupervise.spec.Command;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.HookKind;
import io.jsupervise.spec.Hooks;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.SupervisorSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Orders to start and their answers; and the file that tells clients where the supervisor is. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class SpawnerLinuxTest {
    @TempDir
    private Path directory;

    private final LinuxOs os = new LinuxOs();
    private final FaultyOs faulty = new FaultyOs(os);
    private final List<String> failed = new ArrayList<>();
    private final List<Event.Spawned> spawned = new ArrayList<>();
    private final List<Child> children = new ArrayList<>();
    private final List<String> troubles = new ArrayList<>();
    private Spawner.Outputs outputs = (service, log) -> new Spawner.Streams(new Output.Null(), new Output.Null());

    private Spawner spawner() {
        return new Spawner(
                os,
                Map.of("OURS", "1", "BOTH", "ours"),
                "operator",
                new Belongings(os, supervisor()),
                new NotifySockets(os, supervisor(), new Belongings(os, supervisor()), (event, named) -> {}, () -> {}),
                Optional.empty(),
                (service, log) -> outputs.prepare(service, log),
                new Spawner.Results() {
                    @Override
                    public void spawned(ServiceName service, Event.Spawned event, Child child) {
                        spawned.add(event);
                        children.add(child);
                    }

                    @Override
                    public void failed(ServiceName service, Event.SpawnFailed event) {
                        failed.add(service + " " + event.run() + " " + event.reason());
                    }

                    @Override
                    public void hookMissing(ServiceName service, HookKind hook, SpawnException why) {
                        troubles.add(service + " " + hook + " " + why.getMessage());
                    }

                    @Override
                    public void trouble(String what, OsException why) {
                        troubles.add(what + ": " + why.getMessage());
                    }
                });
    }

    private static Effect.Spawn order(String name, String run, String... argv) {
        return new Effect.Spawn(
                ServiceSpec.of(name, argv).environment(Map.of("BOTH", "its")).build(), new RunId(run));
    }

    @Test
    void orders_are_carried_out_one_a_step_in_their_order_and_each_is_answered() throws Exception {
        Spawner spawner = spawner();
        spawner.spawn(order("a", "r1", "/no/such"));
        spawner.spawn(order("b", "r2", "/bin/true"));
        spawner.step();
        assertEquals(List.of("a r1 /no/such: ENOENT (no such file or directory)"), failed);
        assertTrue(spawner.nextStep().isPresent());
        spawner.step();
        assertTrue(spawner.nextStep().isEmpty());
        assertEquals(new RunId("r2"), spawned.get(0).run());
        assertEquals("operator", spawned.get(0).user());
        assertEquals(
                new TreeSet<>(Set.of("OURS", "BOTH", "JSUPERVISE_SERVICE", "JSUPERVISE_RUN_ID")),
                new TreeSet<>(spawned.get(0).environment()));
        while (os.peekExit(children.get(0)).isEmpty()) {
            Thread.onSpinWait();
        }
        os.reap(children.get(0));
        os.release(children.get(0));
        spawner.step();
    }

    private static Effect.Spawn order(String name, Hooks hooks, String... argv) {
        return new Effect.Spawn(ServiceSpec.of(name, argv).hooks(hooks).build(), new RunId("r1"));
    }

    private static Optional<Hooks.Hook> hook(String... argv) {
        return Optional.of(new Hooks.Hook(Command.of(argv), Duration.ofSeconds(1)));
    }

    @Test
    void hooks_that_follow_a_main_process_are_looked_at_before_it_is_made() throws Exception {
        Path mine = Files.writeString(directory.resolve("mine"), "#!/no/interpreter\n");
        assertTrue(mine.toFile().setExecutable(true));
        Optional<Hooks.Hook> there = hook("true");
        Spawner spawner = spawner();
        spawner.spawn(
                order("a", new Hooks(hook("/no/pre"), there, hook("/no/stop"), hook(mine.toString())), "/bin/true"));
        spawner.step();
        assertEquals(
                List.of(
                        "a STOP_COMMAND /no/stop: ENOENT (no such file or directory)",
                        "a POST_STOP interpreter /no/interpreter of " + mine + ": ENOENT (no such file or directory)"),
                troubles);
        assertEquals(1, spawned.size(), "it runs all the same");
        while (os.peekExit(children.get(0)).isEmpty()) {
            Thread.onSpinWait();
        }
        os.reap(children.get(0));
        os.release(children.get(0));
        spawner.spawn(order("b", new Hooks(there, hook("/no/post"), there, there), "/bin/true"));
        spawner.step();
        assertEquals(List.of("b r1 its post_start: /no/post: ENOENT (no such file or directory)"), failed);
        assertEquals(1, spawned.size(), "it would only be ended again");
    }

    @Test
    void output_that_cannot_be_prepared_is_a_failed_start() {
        outputs = (service, log) -> {
            throw new OsException(Errno.ENOSPC, "mkfifo /f/web.out");
        };
        Spawner spawner = spawner();
        spawner.spawn(order("web", "r1", "/bin/true"));
        spawner.step();
        assertEquals(
                List.of("web r1 its output or heartbeat file: mkfifo /f/web.out: ENOSPC (no space left on device)"),
                failed);
        assertEquals(List.of(), spawned);
    }

    // ---- supervisor.json ----

    private SupervisorSpec supervisor() {
        return new SupervisorSpec(
                "main",
                directory.resolve("state"),
                directory,
                directory.resolve("control.sock"),
                Optional.empty(),
                0,
                directory.resolve("heartbeat"),
                Duration.ofSeconds(5));
    }

    private RuntimeFile runtimeFile() {
        return new RuntimeFile(faulty.os(), new Configuration(Path.of("/etc/services.yml"), supervisor(), List.of()));
    }

    @Test
    void clients_find_the_supervisor_by_its_file() throws Exception {
        faulty.writeAtMost(5);
        runtimeFile().write("1.2");
        Whereabouts found = Whereabouts.decode(Files.readAllBytes(directory.resolve("supervisor.json")));
        assertEquals(
                new Whereabouts(
                        "main",
                        (int) ProcessHandle.current().pid(),
                        "1.2",
                        Path.of("/etc/services.yml"),
                        directory.resolve("state"),
                        directory.resolve("control.sock")),
                found);
        assertEquals(Set.of(), faulty.open());
    }

    @Test
    void killed_at_any_call_the_file_is_old_or_new() throws Exception {
        runtimeFile().write("old");
        boolean killed = true;
        for (int call = 1; killed; call++) {
            faulty.killAt(call, false);
            try {
                runtimeFile().write("new");
            } catch (FaultyOs.Killed e) {
                // The test of it follows.
            }
            killed = faulty.wasKilled();
            faulty.closeAll();
            faulty.killAt(1 << 30, false);
            String version = Whereabouts.decode(Files.readAllBytes(directory.resolve("supervisor.json")))
                    .version();
            assertTrue(version.equals("old") || !killed, version + " after a kill at call " + call);
        }
    }
}
