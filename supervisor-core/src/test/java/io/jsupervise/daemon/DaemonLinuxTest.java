package io.jsupervise.daemon;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jsupervise.journal.JournalCodec;
import io.jsupervise.journal.JournalException;
import io.jsupervise.journal.ServiceRecord;
import io.jsupervise.lifecycle.Cause;
import io.jsupervise.lifecycle.End;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.os.linux.LinuxOs;
import io.jsupervise.spec.Signal;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A whole supervisor on the real machine: what its children get, what it refuses, and what survives its death. */
@Timeout(value = 40, unit = TimeUnit.SECONDS)
class DaemonLinuxTest {
    @TempDir
    private Path directory;

    private Path state() {
        return directory.resolve("state");
    }

    private SupervisorProcess run(String services, String... command) throws IOException {
        return runIn(state(), services, command);
    }

    private SupervisorProcess runIn(Path stateDir, String services, String... command) throws IOException {
        Path config = directory.resolve("services.yml");
        Path runtime = directory.resolve("run");
        Files.writeString(
                config,
                "supervisor:\n  state_dir: " + stateDir + "\n  runtime_dir: " + runtime + "\nservices:\n"
                        + services.indent(2));
        return SupervisorProcess.start(config, runtime, directory.toString(), command);
    }

    @AfterEach
    void nothing_is_left_running() {
        SupervisorProcess.endAll(directory.toString());
    }

    private ServiceRecord record(String service) throws IOException, JournalException {
        return new JournalCodec().decodeService(Files.readAllBytes(state().resolve("journal/" + service + ".json")));
    }

    /** What is told as an event may be recorded a moment later; a record is whole at any moment. */
    private ServiceRecord record(String service, Predicate<ServiceRecord> condition)
            throws IOException, JournalException {
        Path file = state().resolve("journal/" + service + ".json");
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (System.nanoTime() - end < 0) {
            if (Files.exists(file) && condition.test(record(service))) {
                return record(service);
            }
            LockSupport.parkNanos(1_000_000);
        }
        throw new AssertionError("the record of " + service + " never became what was awaited");
    }

    private ServiceRecord living(String service, long pid) throws IOException, JournalException {
        return record(
                service,
                found -> found.living().isPresent()
                        && found.living().get().process().pid().value() == pid);
    }

    /** A zombie is not: who has to reap it when its supervisor is gone may take its time. */
    private static boolean isAlive(long pid) throws IOException {
        try {
            return !field(proc(pid, "status"), "State").startsWith("Z");
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    private static List<String> proc(long pid, String file) throws IOException {
        byte[] text = Files.readAllBytes(Path.of("/proc/" + pid + "/" + file));
        return List.of(new String(text, StandardCharsets.UTF_8).split("[\0\n]"));
    }

    private static String field(List<String> status, String name) {
        for (String line : status) {
            if (line.startsWith(name + ":")) {
                return line.substring(name.length() + 1).trim();
            }
        }
        throw new AssertionError(name + " is not in " + status);
    }

    private static int sh(String command) throws IOException, InterruptedException {
        return new ProcessBuilder("/bin/sh", "-c", command).inheritIO().start().waitFor();
    }

    // ---- what a child gets ----

    @Test
    void a_child_gets_what_its_service_says_and_nothing_else_of_ours() throws Exception {
        String services =
                """
                web:
                  command: [/bin/sleep, "1000"]
                  working_dir: /usr
                  umask: "027"
                  environment: {GREETING: "hello = world"}
                  heartbeat: {file: %s, timeout: 1000s}
                  log: {}
                bare:
                  command: [/bin/sleep, "1000"]
                  inherit_env: false
                  log: none
                """
                        .formatted(directory.resolve("web.beat"));
        try (SupervisorProcess supervisor = run(services, "/bin/sh", "-c", "trap '' PIPE QUIT; exec \"$@\"", "sh")) {
            long web = supervisor.awaitStarted("web");
            String run = living("web", web).living().orElseThrow().run().value();

            List<String> environment = proc(web, "environ");
            assertTrue(environment.contains("GREETING=hello = world"));
            assertTrue(environment.contains("OF_THE_TEST=" + directory));
            assertTrue(environment.contains("JSUPERVISE_SERVICE=web"));
            assertTrue(environment.contains("JSUPERVISE_RUN_ID=" + run));
            assertTrue(environment.contains("JSUPERVISE_HEARTBEAT=" + directory.resolve("web.beat")));

            TreeSet<String> fds = new TreeSet<>();
            try (var list = Files.list(Path.of("/proc/" + web + "/fd"))) {
                for (Path fd : list.toList()) {
                    fds.add(fd.getFileName() + " " + Files.readSymbolicLink(fd));
                }
            }
            Path fifo = state().resolve("fifo/web.out");
            assertEquals(new TreeSet<>(List.of("0 /dev/null", "1 " + fifo, "2 " + fifo)), fds);

            List<String> status = proc(web, "status");
            assertEquals("0000000000000000", field(status, "SigBlk"));
            assertEquals("0000000000000000", field(status, "SigIgn"));
            assertEquals("0027", field(status, "Umask"));
            assertEquals(Long.toString(supervisor.pid()), field(status, "PPid"));
            assertEquals(Path.of("/usr"), Files.readSymbolicLink(Path.of("/proc/" + web + "/cwd")));

            String stat = proc(web, "stat").get(0);
            String[] numbers = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            assertEquals(Long.toString(web), numbers[2], "its process group");
            assertEquals(Long.toString(web), numbers[3], "its session");
            assertEquals("0", numbers[4], "no terminal");
        }
    }

    @Test
    void a_child_that_inherits_nothing_has_only_its_own_variables() throws Exception {
        String services =
                """
                bare:
                  command: [/bin/sleep, "1000"]
                  inherit_env: false
                  environment: {ONLY: this}
                  log: none
                """;
        try (SupervisorProcess supervisor = run(services)) {
            long bare = supervisor.awaitStarted("bare");
            TreeSet<String> names = new TreeSet<>();
            for (String variable : proc(bare, "environ")) {
                names.add(variable.substring(0, variable.indexOf('=')));
            }
            assertEquals(new TreeSet<>(List.of("JSUPERVISE_RUN_ID", "JSUPERVISE_SERVICE", "ONLY")), names);
            assertEquals(Path.of("/dev/null"), Files.readSymbolicLink(Path.of("/proc/" + bare + "/fd/1")));
            assertEquals(Path.of("/dev/null"), Files.readSymbolicLink(Path.of("/proc/" + bare + "/fd/2")));
        }
    }

    // ---- programs that cannot be started ----

    @Test
    void what_cannot_be_started_is_told_by_path_and_errno_and_tried_again_while_others_run() throws Exception {
        Path plain = Files.writeString(directory.resolve("plain"), "#!/bin/sh\n");
        Path lost = Files.writeString(directory.resolve("lost"), "#!/no/such/interpreter\n");
        Files.setPosixFilePermissions(lost, PosixFilePermissions.fromString("rwxr-xr-x"));
        String services =
                """
                missing: {command: [/no/such/program], log: none}
                unknown: {command: [no-such-program], log: none}
                plain: {command: [%s], log: none}
                folder: {command: [/usr], log: none}
                nowhere: {command: [/bin/sleep, "1000"], working_dir: /no/such/dir, log: none}
                infile: {command: [/bin/sleep, "1000"], working_dir: /etc/passwd, log: none}
                lost: {command: [%s], log: none}
                good: {command: [/bin/sleep, "1000"], log: none}
                """
                        .formatted(plain, lost);
        String[][] expected = {
            {"missing", "/no/such/program", "ENOENT"},
            {"unknown", "no-such-program", "ENOENT"},
            {"plain", plain.toString(), "EACCES"},
            {"folder", "/usr", "EISDIR"},
            {"nowhere", "/no/such/dir", "ENOENT"},
            {"infile", "/etc/passwd", "ENOTDIR"},
            {"lost", "/no/such/interpreter", "ENOENT"},
        };
        try (SupervisorProcess supervisor = run(services)) {
            long good = supervisor.awaitStarted("good");
            for (String[] row : expected) {
                End end = record(row[0], found -> found.history().ends().size() >= 2)
                        .history()
                        .lastEnd()
                        .orElseThrow();
                assertEquals(Cause.START_FAILED, end.cause());
                assertTrue(end.status().isEmpty(), "no process ever was");
                assertTrue(end.reason().contains(row[1]), row[0] + ": " + end.reason());
                assertTrue(end.reason().contains(row[2]), row[0] + ": " + end.reason());
            }
            assertTrue(isAlive(good));
            assertTrue(living("good", good).history().ends().isEmpty());
        }
    }

    // ---- what survives ----

    /** The pid of "web", which runs, is recorded, and has lost its supervisor. */
    private long leftByAKilledSupervisor(String services) throws Exception {
        SupervisorProcess first = run(services);
        try {
            long web = first.awaitStarted("web");
            living("web", web);
            return web;
        } finally {
            first.kill();
        }
    }

    @Test
    void what_a_killed_supervisor_left_is_adopted() throws Exception {
        String services =
                """
                web: {command: "while :; do sleep 1; done", shell: true, log: {}}
                """;
        long old = leftByAKilledSupervisor(services);
        assertTrue(isAlive(old), "services run on without their supervisor");
        try (SupervisorProcess second = run(services)) {
            second.await("adopted");
            assertTrue(isAlive(old));
            String status = second.request("GET", "/v1/services/web");
            assertTrue(status.contains("\"pid\":" + old + ","), status);
            assertTrue(status.contains("\"adopted\":true"), status);
            assertTrue(status.contains("\"spec_changed\":false"), status);
        }
        assertFalse(isAlive(old), "an end in order stops what was adopted");
        assertEquals(0, record("web").history().restarts());
    }

    @Test
    void what_was_started_with_something_else_is_adopted_and_marked() throws Exception {
        long old = leftByAKilledSupervisor("web: {command: [/bin/sleep, \"1000\"], log: none}\n");
        try (SupervisorProcess second = run("web: {command: [/bin/sleep, \"2000\"], log: none}\n")) {
            second.await("adopted");
            String status = second.request("GET", "/v1/services/web");
            assertTrue(status.contains("\"pid\":" + old + ","), status);
            assertTrue(status.contains("\"spec_changed\":true"), status);
            second.request("POST", "/v1/services/web/restart?wait=true");
            status = second.request("GET", "/v1/services/web");
            assertTrue(status.contains("\"spec_changed\":false"), status);
            assertTrue(status.contains("\"adopted\":false"), status);
        }
    }

    /** As if it had died between posix_spawn and the record: what it knew of the process is taken away. */
    @Test
    void what_was_started_and_not_recorded_is_found_by_its_mark() throws Exception {
        for (String log : new String[] {"none", "{}"}) {
            String services = "web: {command: [/bin/sleep, \"1000\"], log: " + log + "}\n";
            long old = leftByAKilledSupervisor(services);
            Files.delete(directory.resolve("state/journal/web.json"));
            try (SupervisorProcess second = run(services)) {
                second.await("adopted");
                String status = second.request("GET", "/v1/services/web");
                assertTrue(status.contains("\"pid\":" + old + ","), status);
                assertEquals(
                        old,
                        record("web").living().orElseThrow().process().pid().value());
            }
            assertFalse(isAlive(old));
        }
    }

    @Test
    void what_ended_while_nobody_supervised_is_told_of_and_started() throws Exception {
        String services = "web: {command: [/bin/sleep, \"1000\"], log: none}\n";
        long old = leftByAKilledSupervisor(services);
        ProcessHandle orphan = ProcessHandle.of(old).orElseThrow();
        orphan.destroyForcibly();
        orphan.onExit().get(10, TimeUnit.SECONDS);
        try (SupervisorProcess second = run(services)) {
            long fresh = second.awaitStarted("web");
            End end = living("web", fresh).history().lastEnd().orElseThrow();
            // The keeper tells where the kernel tells it.
            boolean isKnown = end.cause() == Cause.SIGNAL
                    && end.status().orElseThrow() instanceof ExitStatus.Killed killed
                    && killed.signal().equals(Signal.KILL);
            boolean isUnknown =
                    end.cause() == Cause.UNSUPERVISED && end.status().orElseThrow() instanceof ExitStatus.Unknown;
            assertTrue(isKnown || isUnknown, end.toString());
        }
    }

    @Test
    void what_runs_but_was_taken_out_of_the_file_is_ended() throws Exception {
        long old = leftByAKilledSupervisor("web: {command: [/bin/sleep, \"1000\"], log: none}\n");
        try (SupervisorProcess second = run("other: {command: [/bin/sleep, \"1000\"], log: none}\n")) {
            second.awaitStarted("other");
            ProcessHandle.of(old).ifPresent(left -> left.onExit().join());
            assertFalse(isAlive(old));
        }
    }

    @Test
    void what_an_operator_stopped_stays_stopped_over_a_kill_and_over_an_end_in_order() throws Exception {
        String services =
                """
                web: {command: [/bin/sleep, "1000"], log: none}
                db: {command: [/bin/sleep, "1000"], log: none}
                """;
        SupervisorProcess first = run(services);
        try {
            first.awaitStarted("db");
            String answer = first.request("POST", "/v1/services/web/stop?wait=true");
            assertTrue(answer.startsWith("HTTP/1.1 200 "), answer);
        } finally {
            first.kill();
        }
        assertEquals(Wanted.DOWN, record("web").wanted());
        for (int run = 0; run < 2; run++) {
            try (SupervisorProcess next = run(services)) {
                next.await(run == 0 ? "db: adopted pid=" : "db: started, pid ");
                String status = next.request("GET", "/v1/services/web");
                assertTrue(status.contains("\"state\":\"STOPPED\""), status);
            }
        }
        try (SupervisorProcess last = run(services)) {
            last.await("supervisor-started");
            last.request("POST", "/v1/services/web/start?wait=true");
            assertTrue(record("web").living().isPresent());
        }
        assertTrue(record("web").living().isEmpty(), "and an end in order leaves nothing");
    }

    // ---- directories ----

    // ---- a runtime directory that somebody cleans up ----

    @Test
    void a_runtime_directory_that_vanished_is_made_again_as_it_was_and_nothing_else_happens() throws Exception {
        Path runtime = directory.resolve("run");
        try (SupervisorProcess supervisor = run("web: {command: [/bin/sleep, \"1000\"], ready: {delay: 0s}}")) {
            long web = supervisor.awaitStarted("web");
            byte[] whereabouts = Files.readAllBytes(runtime.resolve("supervisor.json"));
            assertEquals(0, sh("rm -rf '" + runtime + "'"));
            String told = supervisor.await("supervisor: runtime-restored");
            for (String made : new String[] {"", "/control.sock", "/supervisor.json"}) {
                assertTrue(told.contains(runtime + made), told);
            }
            assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(runtime)));
            assertEquals(
                    "rw-------",
                    PosixFilePermissions.toString(Files.getPosixFilePermissions(runtime.resolve("control.sock"))));
            assertTrue(Files.isDirectory(runtime.resolve("heartbeats")));
            assertArrayEquals(whereabouts, Files.readAllBytes(runtime.resolve("supervisor.json")));
            assertTrue(supervisor.request("GET", "/v1/status").contains("\"pid\":" + web));

            assertEquals(0, sh("rm -r '" + runtime + "/heartbeats' '" + runtime + "/supervisor.json'"));
            told = supervisor.await("supervisor: runtime-restored");
            assertFalse(told.contains("control.sock"), told);
            assertTrue(Files.isDirectory(runtime.resolve("heartbeats")));
            assertArrayEquals(whereabouts, Files.readAllBytes(runtime.resolve("supervisor.json")));
        }
    }

    @Test
    void nothing_is_put_into_a_directory_that_took_the_place_of_the_runtime_directory() throws Exception {
        Path runtime = directory.resolve("run");
        try (SupervisorProcess supervisor = run("web: {command: [/bin/sleep, \"1000\"], ready: {delay: 0s}}")) {
            supervisor.awaitStarted("web");
            assertEquals(
                    0,
                    sh("rm -rf '" + runtime + "' && mkdir -p '" + runtime + "/heartbeats' && chmod 777 '" + runtime
                            + "'"));
            String told = supervisor.await("supervisor: runtime-not-restored");
            assertTrue(told.contains("others may write there"), told);
            assertFalse(Files.exists(runtime.resolve("control.sock")));
            assertEquals(0, sh("chmod 700 '" + runtime + "'"));
            supervisor.await("supervisor: runtime-restored");
            assertTrue(supervisor.request("GET", "/v1/status").contains("RUNNING"));
        }
    }

    // ---- handing over ----

    @Test
    void a_supervisor_that_hands_over_ends_alone_and_the_next_takes_its_services_over() throws Exception {
        long web;
        try (SupervisorProcess supervisor = run("web: {command: [/bin/sleep, \"1000\"], ready: {delay: 0s}}")) {
            web = supervisor.awaitStarted("web");
            String reply = supervisor.request("POST", "/v1/shutdown?leave_running=true");
            assertTrue(reply.contains("\"message\":\"left running, pid " + web + "\""), reply);
            assertEquals(0, supervisor.awaitExit());
        }
        assertTrue(isAlive(web));
        ServiceRecord record = record("web");
        assertEquals(web, record.living().orElseThrow().process().pid().value());
        assertEquals("RUNNING", record.state().name());
        assertFalse(Files.exists(directory.resolve("run/control.sock")));
        byte[] own = Files.readAllBytes(state().resolve("journal/@supervisor.json"));
        assertFalse(new JournalCodec().decodeSupervisor(own).endedInOrder(), "the next one has to look for what runs");
        try (SupervisorProcess next = run("web: {command: [/bin/sleep, \"1000\"], ready: {delay: 0s}}")) {
            next.await("web: adopted");
            String status = next.request("GET", "/v1/services/web");
            assertTrue(status.contains("\"state\":\"RUNNING\"") && status.contains("\"pid\":" + web), status);
            assertTrue(status.contains("\"restarts\":0") && status.contains("\"adopted\":true"), status);
        }
        assertFalse(isAlive(web), "an end in order stops what was adopted as well");
    }

    @Test
    void a_second_supervisor_of_the_same_state_dir_is_refused_with_75_and_the_first_is_not_disturbed()
            throws Exception {
        String services = "web: {command: [/bin/sleep, \"1000\"], log: none}\n";
        try (SupervisorProcess first = run(services)) {
            long web = first.awaitStarted("web");
            SupervisorProcess second = run(services);
            assertEquals(75, second.awaitExit());
            assertTrue(second.output().contains(state().resolve("lock").toString()), second.output());
            assertTrue(isAlive(web));
            first.await("web: STARTING -> RUNNING");
            assertTrue(first.request("GET", "/v1/services/web").contains("\"state\":\"RUNNING\""));
        }
    }

    @Test
    void a_record_of_a_later_version_is_set_aside_and_told_of() throws Exception {
        Path later = Files.createDirectories(state().resolve("journal")).resolve("web.json");
        Files.writeString(later, "{\"version\":99}\n");
        try (SupervisorProcess supervisor = run("web: {command: [/bin/sleep, \"1000\"], log: none}\n")) {
            String told = supervisor.await("journal-damaged");
            assertTrue(told.contains("cannot read journal file " + later + ": it has version 99"), told);
            supervisor.awaitStarted("web");
        }
        assertEquals("{\"version\":99}\n", Files.readString(later.resolveSibling("web.json.from-version-99")));
    }

    @Test
    void a_full_disk_under_the_state_dir_keeps_services_supervised_and_is_over_when_there_is_room() throws Exception {
        Path disk = Files.createDirectory(directory.resolve("disk"));
        assumeTrue(new LinuxOs().uid() == 0, "only root may mount");
        assumeTrue(sh("mount -t tmpfs -o size=1m,mode=0755 none " + disk) == 0, "mounts are not permitted here");
        try {
            Path state = disk.resolve("state");
            try (SupervisorProcess supervisor = runIn(
                    state,
                    """
                    web: {command: [/bin/sleep, "1000"], ready: {delay: 1ms}, backoff: {initial: 10ms}, log: {}}
                    fresh: {command: [/bin/sleep, "1000"], autostart: false, log: none}
                    """)) {
                long web = supervisor.awaitStarted("web");
                sh("dd if=/dev/zero of=" + disk + "/filler bs=4k 2>/dev/null");
                ProcessHandle.of(web).orElseThrow().destroyForcibly();
                long next = supervisor.awaitStarted("web");
                assertTrue(isAlive(next));
                // A first record takes room in any case; others are written over older ones where there are such.
                String started = supervisor.request("POST", "/v1/services/fresh/start?wait=true");
                assertTrue(started.contains("\"recorded\":false"), started);
                String status = supervisor.request("GET", "/v1/health");
                assertTrue(status.startsWith("HTTP/1.1 503 "), status);
                assertTrue(status.contains("ENOSPC"), status);
                Files.delete(disk.resolve("filler"));
                supervisor.await("journal-recovered");
                assertTrue(supervisor.request("GET", "/v1/health").startsWith("HTTP/1.1 200 "));
                byte[] record = Files.readAllBytes(state.resolve("journal/web.json"));
                assertEquals(
                        next,
                        new JournalCodec()
                                .decodeService(record)
                                .living()
                                .orElseThrow()
                                .process()
                                .pid()
                                .value());
            }
        } finally {
            sh("umount " + disk);
        }
    }
}
