package io.jsupervise.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.journal.JournalCodec;
import io.jsupervise.journal.ServiceRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A whole supervisor whose disk does not take the journal, and then does again. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class StaleJournalLinuxTest {
    private static final String SERVICES =
            """
            defaults: {log: none, backoff: {initial: 50ms, max: 50ms, jitter: 0}, ready: {delay: 0s}}
            services:
              web: {command: [/bin/sleep, "1000"]}
              db: {command: [/bin/sleep, "1000"]}
            """;

    @TempDir
    private Path directory;

    private Path faults() {
        return directory.resolve("faults");
    }

    private SupervisorProcess run() throws IOException {
        Path config = directory.resolve("services.yml");
        Path runtime = directory.resolve("run");
        Files.writeString(
                config,
                "supervisor:\n  state_dir: " + directory.resolve("state") + "\n  runtime_dir: " + runtime + "\n"
                        + SERVICES);
        return SupervisorProcess.start(config, runtime, directory.toString(), "/usr/bin/env", "FAULTS=" + faults());
    }

    @AfterEach
    void nothing_is_left_running() {
        SupervisorProcess.endAll(directory.toString());
    }

    private ServiceRecord record(String service) throws Exception {
        return new JournalCodec()
                .decodeService(Files.readAllBytes(directory.resolve("state/journal/" + service + ".json")));
    }

    private static void contains(String text, String... parts) {
        for (String part : parts) {
            assertTrue(text.contains(part), text);
        }
    }

    /** An answer comes after the records. */
    private static void everythingIsRecorded(SupervisorProcess supervisor) throws IOException {
        contains(supervisor.request("POST", "/v1/start?all=true&wait=true"), "\"recorded\":true");
    }

    private static void kill(long pid) {
        assertTrue(ProcessHandle.of(pid).orElseThrow().destroyForcibly());
    }

    /** Nothing has to be waited for on a clock: the fsync hangs until the end of the test has seen all. */
    @Test
    void while_an_fsync_hangs_services_are_restarted_and_operators_served_and_it_is_told_and_caught_up()
            throws Exception {
        try (SupervisorProcess supervisor = run()) {
            long web = supervisor.awaitStarted("web");
            supervisor.await("db: STARTING -> RUNNING");
            everythingIsRecorded(supervisor);
            Files.writeString(faults(), "hang");
            kill(web);
            supervisor.await("web: RUNNING -> BACKOFF");
            supervisor.await("journal-stale reason=a commit takes longer than 2 s");
            long second = supervisor.awaitStarted("web");
            kill(second);
            supervisor.awaitStarted("web");

            contains(supervisor.request("GET", "/v1/status"), "\"state\":\"stale\"", "\"errno\":null");
            contains(
                    supervisor.request("GET", "/v1/health"),
                    "HTTP/1.1 503",
                    "the journal is stale: a commit takes longer");
            contains(
                    supervisor.request("POST", "/v1/services/db/stop?wait=true"),
                    "\"recorded\":false",
                    "\"done\":true");
            assertEquals(0, record("web").history().restarts());

            Files.delete(faults());
            supervisor.await("journal-recovered");
            assertEquals(2, record("web").history().restarts());
            assertEquals("STOPPED", record("db").state().name());
            contains(supervisor.request("GET", "/v1/health"), "HTTP/1.1 200");
            contains(supervisor.request("POST", "/v1/services/db/start?wait=true"), "\"recorded\":true");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"EIO", "EROFS", "EDQUOT"})
    void an_error_of_the_disk_is_told_by_name_and_tried_again_until_it_is_gone(String errno) throws Exception {
        try (SupervisorProcess supervisor = run()) {
            long web = supervisor.awaitStarted("web");
            supervisor.await("db: STARTING -> RUNNING");
            everythingIsRecorded(supervisor);
            Files.writeString(faults(), errno);
            kill(web);
            contains(supervisor.await("journal-stale"), "errno=" + errno);
            kill(supervisor.awaitStarted("web"));
            supervisor.awaitStarted("web");
            contains(supervisor.request("GET", "/v1/status"), "\"errno\":\"" + errno + "\"");
            contains(supervisor.request("GET", "/v1/health"), "HTTP/1.1 503", "the journal is stale: ", errno);

            Files.delete(faults());
            supervisor.await("journal-recovered");
            assertEquals(2, record("web").history().restarts());
            contains(supervisor.request("GET", "/v1/health"), "HTTP/1.1 200");
        }
    }
}
