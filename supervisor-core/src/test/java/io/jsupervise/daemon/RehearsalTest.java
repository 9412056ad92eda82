package io.jsupervise.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.jsupervise.os.linux.LinuxOs;
import io.jsupervise.spec.SupervisorSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** It is of use only if it plays the whole way of a restart often enough, and harmless only if it leaves nothing. */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class RehearsalTest {
    @TempDir
    private Path directory;

    @Test
    void plays_as_many_restarts_as_the_compiler_wants_to_see_and_writes_nothing() throws Exception {
        SupervisorSpec spec = new SupervisorSpec(
                SupervisorSpec.DEFAULT_NAME,
                directory,
                directory,
                directory.resolve("control.sock"),
                Optional.empty(),
                10,
                directory.resolve("heartbeat"),
                Duration.ofSeconds(5));
        Rehearsal rehearsal = new Rehearsal(new LinuxOs(), spec);
        rehearsal.play();
        assertEquals(250, rehearsal.restarts());
        try (var files = Files.list(directory)) {
            assertEquals(0, files.count());
        }
    }
}
