package io.jsupervise.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.daemon.Adopted;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.os.Child;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.os.SpawnRequest.Output;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** When an adopted process is known to have ended, and how, on kernels and for users that are told more or less. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class ForeignExitTest {
    private static final Duration LIVES = Duration.ofMillis(10);
    private static final ExitStatus UNKNOWN = new ExitStatus.Unknown();

    private final SimulatedOs os = new SimulatedOs(new World());

    @BeforeEach
    void boot() {
        os.letPollsWait();
        os.programs(request -> Program.steady().exits(LIVES, 37));
    }

    /** One row each: what the kernel tells, how long init takes, and what is known then, and after how long. */
    @Test
    void it_is_known_as_soon_as_it_can_be_and_never_awaited_for_ever() throws Exception {
        Duration patience = Adopted.REAP_PATIENCE;
        Duration quick = Duration.ofMillis(1);
        Duration slow = Duration.ofSeconds(1);
        Duration stuck = Duration.ofHours(1);
        ExitStatus told = new ExitStatus.Exited(37);
        check(true, true, Duration.ZERO, told, Duration.ZERO);
        check(true, true, stuck, told, Duration.ZERO);
        check(false, true, stuck, told, Duration.ZERO);
        check(true, false, quick, told, quick);
        check(true, false, slow, told, slow);
        check(true, false, stuck, UNKNOWN, patience);
        check(false, true, Duration.ZERO, UNKNOWN, Duration.ZERO);
        check(false, false, stuck, UNKNOWN, Duration.ZERO);
    }

    private void check(boolean ofReaped, boolean ofZombies, Duration init, ExitStatus status, Duration after)
            throws Exception {
        String row = ofReaped + ", " + ofZombies + ", " + init;
        os.tellForeignExits(ofReaped, ofZombies);
        os.processes.initTakes(init);
        Child child = os.spawn(new SpawnRequest(
                List.of("program"), Path.of("/"), Map.of(), 022, new Output.Null(), new Output.Null()));
        MonotonicTime born = os.now();
        Child left = new Child(child.identity(), child.pidfd(), false);
        os.processes.orphanAll();
        Adopted adopted = new Adopted(os, left);

        Optional<ExitStatus> known = Optional.empty();
        int turns = 0;
        while (known.isEmpty()) {
            known = adopted.turn();
            assertTrue(++turns < 10, row + ": it spins");
        }
        assertEquals(status, known.get(), row);
        assertEquals(LIVES.plus(after), os.now().since(born), row);
        adopted.close();
        os.release(left);
    }
}
