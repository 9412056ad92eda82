package io.jsupervise.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.OsException;
import io.jsupervise.os.SpawnRequest.Output;
import io.jsupervise.os.linux.LinuxOs;
import io.jsupervise.spec.Credentials;
import io.jsupervise.spec.Heartbeat;
import io.jsupervise.spec.Privileges;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.SupervisorSpec;
import io.jsupervise.supervision.SupervisorEvent;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What belongs to the user of a service is his at each start, whoever had it before and whenever we were killed. */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class BelongingsLinuxTest {
    private static final int SOMEBODY = 4711;
    private static final int ANOTHER = 4712;

    @TempDir
    private Path directory;

    private final LinuxOs os = new LinuxOs();
    private final FaultyOs faulty = new FaultyOs(os);
    private Path run;
    private Path fifo;
    private Path beat;

    @BeforeEach
    void make_what_a_supervisor_has() throws OsException {
        assumeTrue(os.uid() == 0, "needs root");
        run = directory.resolve("run");
        fifo = directory.resolve("web.out");
        beat = run.resolve("heartbeats/web");
        os.mkdir(run, 0700);
        os.mkdir(run.resolve("heartbeats"), 0755);
        os.mkfifo(fifo, 0600);
    }

    private Belongings belongings() {
        SupervisorSpec spec = new SupervisorSpec(
                SupervisorSpec.DEFAULT_NAME,
                directory.resolve("state"),
                run,
                run.resolve("control.sock"),
                Optional.empty(),
                0,
                run.resolve("heartbeat"),
                Duration.ofSeconds(5));
        return new Belongings(faulty.os(), spec);
    }

    private static Privileges as(int uid) {
        return new Privileges(
                Optional.of(new Credentials("u" + uid, uid, uid, List.of(), Map.of())),
                List.of(),
                OptionalInt.empty(),
                OptionalInt.empty(),
                false);
    }

    private ServiceSpec service(Privileges privileges) {
        return ServiceSpec.of("web", "/bin/web")
                .privileges(privileges)
                .heartbeat(new Heartbeat(beat, Duration.ofSeconds(30), Duration.ofSeconds(90)))
                .build();
    }

    private void give(Belongings belongings, Privileges privileges) throws OsException {
        belongings.give(service(privileges), new Spawner.Streams(new Output.Fifo(fifo), new Output.SameAsStdout()));
    }

    private int owner(Path file) throws OsException {
        return os.stat(file).orElseThrow().uid();
    }

    @Test
    void fifo_and_heartbeat_go_from_user_to_user_and_the_fifo_back_to_us() throws Exception {
        Belongings belongings = belongings();
        give(belongings, Privileges.NONE);
        assertEquals(0, owner(fifo));
        assertTrue(os.stat(beat).isEmpty(), "without a user a service makes its file itself");
        assertEquals(0700, os.stat(run).orElseThrow().mode());
        give(belongings, as(SOMEBODY));
        assertEquals(SOMEBODY, owner(fifo));
        assertEquals(SOMEBODY, owner(beat));
        assertEquals(0711, os.stat(run).orElseThrow().mode());
        FileStat stat = os.stat(fifo).orElseThrow();
        assertEquals("600 " + SOMEBODY, Integer.toOctalString(stat.mode()) + " " + stat.gid());
        os.touch(beat);
        Instant beaten = os.stat(beat).orElseThrow().mtime();
        give(belongings, as(ANOTHER));
        assertEquals(ANOTHER, owner(fifo));
        assertEquals(ANOTHER, owner(beat));
        assertEquals(beaten, os.stat(beat).orElseThrow().mtime(), "a change of hands is no beat");
        give(belongings, Privileges.NONE);
        assertEquals(0, owner(fifo));
        give(belongings, as(SOMEBODY));
        // The next supervisor knows of nothing.
        give(belongings(), Privileges.NONE);
        assertEquals(0, owner(fifo));
    }

    @Test
    void killed_at_any_call_the_next_supervisor_gives_all_of_it() throws Exception {
        boolean killed = true;
        for (int call = 1; killed; call++) {
            os.unlink(beat);
            os.chown(fifo, 0, 0);
            Belongings before = belongings();
            faulty.killAt(call, false);
            try {
                give(before, as(SOMEBODY));
            } catch (FaultyOs.Killed e) {
                // The test of it follows.
            }
            killed = faulty.wasKilled();
            faulty.closeAll();
            faulty.killAt(1 << 30, false);
            if (os.stat(beat).isPresent()) {
                assertEquals(SOMEBODY, owner(beat), "after a kill at call " + call);
                assertEquals(Instant.EPOCH, os.stat(beat).orElseThrow().mtime());
            }
            give(belongings(), as(SOMEBODY));
            assertEquals(SOMEBODY, owner(beat));
            assertEquals(SOMEBODY, owner(fifo));
            assertEquals(List.of("web"), os.list(beat.getParent()), "after a kill at call " + call);
        }
    }

    @Test
    void what_was_made_and_not_touched_is_no_beat() throws Exception {
        give(belongings(), as(SOMEBODY));
        List<Event.HeartbeatLookedAt> looks = new ArrayList<>();
        HeartbeatFiles files = new HeartbeatFiles(
                os,
                run.resolve("ours"),
                Runnable::run,
                event -> looks.add((Event.HeartbeatLookedAt) ((SupervisorEvent.OfService) event).event()),
                failure -> {});
        io.jsupervise.lifecycle.Effect.LookAtHeartbeat look =
                new io.jsupervise.lifecycle.Effect.LookAtHeartbeat(new ServiceName("web"), new RunId("r"), beat);
        files.look(look);
        os.touch(beat);
        files.look(look);
        assertTrue(looks.get(0).look().stamp().isEmpty());
        assertTrue(looks.get(0).look().problem().isEmpty());
        assertTrue(looks.get(1).look().stamp().isPresent());
    }
}
