package io.jsupervise.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jsupervise.os.Fd;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.Os;
import io.jsupervise.os.linux.LinuxOs;
import io.jsupervise.spec.SupervisorSpec;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The directories of a supervisor: what is made, and what is refused with path and reason. */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class DirectoriesLinuxTest {
    @TempDir
    private Path directory;

    private final LinuxOs os = new LinuxOs();

    private Directories directories(Path state, Path runtime) {
        return directories(os, state, runtime);
    }

    private static Directories directories(Os os, Path state, Path runtime) {
        return directories(os, state, runtime, Optional.empty());
    }

    private static Directories directories(Os os, Path state, Path runtime, Optional<String> socketGroup) {
        return new Directories(
                os,
                new SupervisorSpec(
                        "default",
                        state,
                        runtime,
                        runtime.resolve("control.sock"),
                        socketGroup,
                        0,
                        runtime.resolve("heartbeat"),
                        Duration.ofSeconds(5)));
    }

    private Directories directories() {
        return directories(state(), runtime());
    }

    private Path state() {
        return directory.resolve("a/b/state");
    }

    private Path runtime() {
        return directory.resolve("c/run");
    }

    private static String mode(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }

    private DaemonException refused(Directories directories, int code, String... words) {
        DaemonException e = assertThrows(DaemonException.class, directories::prepare);
        for (String word : words) {
            assertTrue(e.getMessage().contains(word), e.getMessage());
        }
        assertEquals(code, e.exitCode(), e.getMessage());
        return e;
    }

    @Test
    void all_that_is_missing_is_made_with_its_mode() throws Exception {
        directories().prepare();
        directories().prepare();
        assertEquals("rwxr-xr-x", mode(state()));
        assertEquals("rwx------", mode(state().resolve("journal")));
        assertEquals("rwxr-xr-x", mode(state().resolve("logs")));
        assertEquals("rwxr-xr-x", mode(state().resolve("fifo")));
        assertEquals("rwx------", mode(runtime()));
        assertTrue(Files.isDirectory(runtime().resolve("heartbeats")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"state_dir", "runtime_dir"})
    void a_directory_of_somebody_else_is_refused_and_nothing_is_made_in_it(String key) throws Exception {
        assumeTrue(os.uid() == 0, "only root may give a directory away");
        Path path = key.equals("state_dir") ? state() : runtime();
        Files.createDirectories(path);
        Files.setAttribute(path, "unix:uid", 65534);
        refused(directories(), 77, "cannot use " + key + " " + path, "belongs to uid 65534, not to 0");
        try (var files = Files.list(path)) {
            assertEquals(List.of(), files.toList());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"rwxrwxrwx", "rwxrwxr-x", "rwxr-xrwx"})
    void a_directory_that_others_may_write_to_is_refused(String mode) throws Exception {
        Files.createDirectories(state());
        Files.setPosixFilePermissions(state(), PosixFilePermissions.fromString(mode));
        refused(directories(), 77, "cannot use state_dir " + state(), "others may write there", "chmod go-w");
        Files.setPosixFilePermissions(state(), PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.createDirectories(runtime());
        Files.setPosixFilePermissions(runtime(), PosixFilePermissions.fromString(mode));
        refused(directories(), 77, "cannot use runtime_dir " + runtime(), "others may write there");
    }

    @Test
    void a_file_in_the_place_of_a_directory_is_refused() throws Exception {
        Files.createDirectories(state().getParent());
        Files.writeString(state(), "");
        refused(directories(), 74, "cannot use state_dir " + state(), "it is a regular file; remove it");
        refused(directories(state().resolve("below"), runtime()), 74, "below", "ENOTDIR");
    }

    @Test
    void a_socket_group_that_is_not_there_is_a_fault_of_the_configuration() {
        Directories directories = directories(os, state(), runtime(), Optional.of("nosuchgroup"));
        refused(directories, 78, "socket_group nosuchgroup", "there is no such group", "groupadd");
    }

    @Test
    void a_link_that_leads_nowhere_is_refused() throws Exception {
        Files.createDirectories(state().getParent());
        Files.createSymbolicLink(state(), directory.resolve("nowhere"));
        refused(directories(), 74, "cannot make directory " + state(), "EEXIST");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ro,size=64k EROFS", "size=64k,nr_inodes=1 ENOSPC"})
    void a_file_system_that_is_read_only_or_full_is_refused_with_the_errno(String row) throws Exception {
        String[] words = row.split(" ");
        Path disk = Files.createDirectory(directory.resolve("disk"));
        assumeTrue(os.uid() == 0, "only root may mount");
        assumeTrue(sh("mount -t tmpfs -o " + words[0] + " none " + disk) == 0, "mounts are not permitted here");
        try {
            refused(
                    directories(disk.resolve("state"), runtime()),
                    74,
                    disk.resolve("state").toString(),
                    words[1]);
        } finally {
            sh("umount " + disk);
        }
    }

    /** Whoever is not root: root may write everywhere, so another user has to try. */
    @Test
    void a_place_where_we_may_not_write_is_refused_with_77() throws Exception {
        assumeTrue(os.uid() != 0, "root may write anywhere");
        refused(directories(Path.of("/proc/1/state"), runtime()), 77, "/proc/1/state", "EACCES");
    }

    private static int sh(String command) throws IOException, InterruptedException {
        return new ProcessBuilder("/bin/sh", "-c", command).inheritIO().start().waitFor();
    }

    // ---- the lock ----

    @Test
    void a_state_dir_keeps_its_identity_and_another_has_another() throws Exception {
        SplittableRandom random = new SplittableRandom(1);
        directories().prepare();
        Directories.State first = directories().lock(random);
        String id = first.id();
        assertTrue(first.firstUse());
        assertTrue(id.matches("[0-9a-f]{8}"), id);
        assertEquals(id + "\n", Files.readString(state().resolve("lock")));
        Directories other = directories(directory.resolve("other"), runtime());
        other.prepare();
        assertNotEquals(id, other.lock(random).id());
    }

    @Test
    void a_lock_that_another_holds_is_refused_with_75_and_let_go_with_its_holder() throws Exception {
        directories().prepare();
        Path lock = state().resolve("lock");
        Files.writeString(lock, "0a1b2c3d\n");
        Fd holder = os.open(lock, OpenMode.WRITE, 0644);
        assertTrue(os.lock(holder));
        DaemonException e =
                assertThrows(DaemonException.class, () -> directories().lock(new SplittableRandom(1)));
        assertEquals(75, e.exitCode());
        assertTrue(e.getMessage().contains("another supervisor holds " + lock), e.getMessage());
        os.close(holder);
        assertEquals(new Directories.State("0a1b2c3d", false), directories().lock(new SplittableRandom(1)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0a1b", "0a1b2c3d", "0a1b2c3dx"})
    void an_identity_that_was_torn_is_made_anew(String torn) throws Exception {
        directories().prepare();
        Path lock = Files.writeString(state().resolve("lock"), torn);
        String id = directories().lock(new SplittableRandom(1)).id();
        assertEquals(8, id.length());
        assertEquals(id + "\n", Files.readString(lock));
    }

    // ---- power cuts ----

    /** Each call that matters for what is there after a power cut, with the file that it is about. */
    private List<String> madeAndSynced() throws Exception {
        List<String> calls = new ArrayList<>();
        Map<Fd, Path> open = new HashMap<>();
        Os traced = (Os) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {Os.class}, (proxy, method, given) -> {
                    Object result = method.invoke(os, given);
                    switch (method.getName()) {
                        case "open" -> open.put((Fd) result, (Path) given[0]);
                        case "mkdir" -> calls.add("mkdir " + directory.relativize((Path) given[0]));
                        case "write", "fsync" ->
                            calls.add(method.getName() + " " + directory.relativize(open.get((Fd) given[0])));
                        default -> {}
                    }
                    return result;
                });
        Directories directories = directories(traced, state(), runtime());
        directories.prepare();
        directories.lock(new SplittableRandom(1));
        // What lies above is synced once more, too, all the way up.
        calls.removeIf(call -> call.startsWith("fsync .."));
        return calls;
    }

    @Test
    void each_directory_of_the_state_is_synced_into_the_one_above_and_the_identity_comes_last() throws Exception {
        assertEquals(
                List.of(
                        "mkdir a",
                        "fsync ",
                        "mkdir a/b",
                        "fsync a",
                        "mkdir a/b/state",
                        "fsync a/b",
                        "mkdir a/b/state/journal",
                        "fsync a/b/state",
                        "mkdir a/b/state/logs",
                        "fsync a/b/state",
                        "mkdir a/b/state/fifo",
                        "fsync a/b/state",
                        "mkdir c",
                        "mkdir c/run",
                        "mkdir c/run/heartbeats",
                        "fsync a/b/state",
                        "fsync a/b",
                        "fsync a",
                        "fsync ",
                        "write a/b/state/lock",
                        "fsync a/b/state/lock"),
                madeAndSynced());
    }

    @Test
    void a_start_where_all_is_there_syncs_nothing() throws Exception {
        directories().prepare();
        Files.writeString(state().resolve("lock"), "0a1b2c3d\n");
        assertEquals(List.of(), madeAndSynced());
    }
}
