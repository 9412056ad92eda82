package io.jsupervise.os.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.os.Child;
import io.jsupervise.os.Poller;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.os.SpawnRequest.Output;
import io.jsupervise.spec.Signal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How processes of another parent end, as a kernel before 6.15 tells it. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class ForeignExitLinuxTest {
    private final LinuxOs os = new LinuxOs();
    private final Kernel kernel = new Kernel();
    private final ForeignExit old = new ForeignExit(kernel, new Proc(new LinuxFiles(kernel)), false);

    private Child spawnAndAwaitEnd(String command) throws Exception {
        Child child = os.spawn(new SpawnRequest(
                List.of("/bin/sh", "-c", command),
                Path.of("/"),
                Map.of("PATH", "/usr/bin:/bin"),
                022,
                new Output.Null(),
                new Output.Null()));
        try (Poller poller = os.poller()) {
            poller.add(child.pidfd(), 1);
            poller.poll(Optional.of(os.now().plus(Duration.ofSeconds(10))), token -> {});
        }
        return child;
    }

    @Test
    void before_6_9_a_group_is_not_signalled_once_others_have_reaped_its_leader() throws Exception {
        PidFd before = new PidFd(kernel, new Proc(new LinuxFiles(kernel)), false);
        Child child = spawnAndAwaitEnd("sleep 1000 & exit 0");
        Child foreign = new Child(child.identity(), child.pidfd(), false);
        os.reap(child);
        assertTrue(before.signalGroup(foreign, Signal.KILL), "its worker is there");
        assertTrue(os.livingGroups().contains(child.pid().value()), "and was not signalled");
        assertTrue(os.signalGroup(foreign, Signal.KILL), "by the pidfd it can be");
        while (os.livingGroups().contains(child.pid().value())) {
            Thread.onSpinWait();
        }
        os.release(child);

        Child zombie = spawnAndAwaitEnd("sleep 1000 & exit 0");
        assertTrue(before.signalGroup(new Child(zombie.identity(), zombie.pidfd(), false), Signal.KILL));
        while (os.livingGroups().contains(zombie.pid().value())) {
            Thread.onSpinWait();
        }
        os.reap(zombie);
        os.release(zombie);
    }

    @Test
    void an_old_kernel_tells_of_a_zombie_and_of_nothing_that_was_reaped() throws Exception {
        for (int code : new int[] {0, 1, 255}) {
            Child child = spawnAndAwaitEnd("exit " + code);
            assertEquals(Optional.of(new ExitStatus.Exited(code)), old.peek(child));
            os.reap(child);
            assertEquals(Optional.of(new ExitStatus.Unknown()), old.peek(child));
            os.release(child);
        }
        Child killed = spawnAndAwaitEnd("kill -TERM $$");
        assertEquals(Optional.of(new ExitStatus.Killed(Signal.TERM, false)), old.peek(killed));
        os.reap(killed);
        os.release(killed);
    }
}
