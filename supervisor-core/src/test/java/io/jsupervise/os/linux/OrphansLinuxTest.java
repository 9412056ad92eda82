package io.jsupervise.os.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Pid;
import io.jsupervise.os.Child;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.os.SpawnRequest.Output;
import io.jsupervise.spec.Signal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** As on a kernel without a list of children (CONFIG_PROC_CHILDREN). */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class OrphansLinuxTest {
    private final LinuxOs os = new LinuxOs();
    private final Kernel kernel = new Kernel();
    private final LinuxFiles files = new LinuxFiles(kernel);
    private final Orphans orphans = new Orphans(kernel, files, new Proc(files), false);

    @Test
    void orphans_are_found_by_their_parent_and_what_was_spawned_is_none() throws Exception {
        orphans.becomeParent();
        List<Pid> before = os.orphans();
        Child child = os.spawn(new SpawnRequest(
                List.of("/bin/sh", "-c", "sleep 1000 & exit 0"),
                Path.of("/"),
                Map.of("PATH", "/usr/bin:/bin"),
                022,
                new Output.Null(),
                new Output.Null()));
        while (!os.hasEnded(child)) {
            Thread.yield();
        }
        assertTrue(orphans.list().contains(child.pid()), "nobody said here that it was spawned");
        orphans.willSpawn();
        assertEquals(List.of(), orphans.list(), "what is just being spawned could not be told from an orphan");
        orphans.hasSpawned(Optional.of(child.pid()));
        assertFalse(orphans.list().contains(child.pid()));
        List<Pid> left = new ArrayList<>(os.orphans());
        left.removeAll(before);
        assertEquals(1, left.size());
        assertTrue(orphans.list().containsAll(left));
        assertFalse(orphans.reap(left.get(0)), "it lives");
        orphans.signal(left.get(0), Signal.KILL);
        while (!orphans.reap(left.get(0))) {
            Thread.yield();
        }
        assertFalse(orphans.list().containsAll(left));
        orphans.reaped(child.pid());
        os.reap(child);
        os.release(child);
    }
}
