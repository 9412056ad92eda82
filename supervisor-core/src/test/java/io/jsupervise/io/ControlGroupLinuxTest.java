package io.jsupervise.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.os.Child;
import io.jsupervise.os.OsException;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.os.SpawnRequest.Output;
import io.jsupervise.os.linux.LinuxOs;
import io.jsupervise.spec.Privileges;
import io.jsupervise.spec.Resources;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.Signal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Real control groups of version 2, without controllers, in one of the test's own; skipped where we may make none. */
@Timeout(value = 40, unit = TimeUnit.SECONDS)
class ControlGroupLinuxTest {
    private static final ServiceName WEB = new ServiceName("web");
    private static final Resources NO_LIMITS =
            new Resources(OptionalLong.empty(), OptionalLong.empty(), OptionalInt.empty(), false);
    private static final Privileges GROUPED = new Privileges(
            Optional.empty(), List.of(), OptionalInt.empty(), OptionalInt.empty(), false, Optional.of(NO_LIMITS));

    private final LinuxOs os = new LinuxOs();
    private final String stateId = "7e57" + Long.toHexString(System.nanoTime());
    private final List<Child> children = new ArrayList<>();
    private ControlGroups here;
    private ServiceGroups groups;
    private RunId run;

    @TempDir
    private Path dir;

    @BeforeEach
    void find() {
        Optional<ControlGroups> found = ControlGroups.find(os);
        assumeTrue(found.isPresent(), "no control groups of version 2 are mounted");
        assumeTrue(found.get().obstacle(List.of()).isEmpty(), () -> found.get().obstacle(List.of()) + "");
        here = found.get();
        groups = groups();
        run = RunId.of(stateId, 1, 1);
    }

    private ServiceGroups groups() {
        return new ServiceGroups(os, stateId, (service, why) -> {
            throw new AssertionError(why);
        });
    }

    @AfterEach
    void end_all() throws Exception {
        for (RunId any : List.of(RunId.of(stateId, 1, 1), RunId.of(stateId, 1, 2))) {
            while (groups != null && groups.remains(any)) {
                LockSupport.parkNanos(1_000_000);
            }
        }
        for (Child child : children) {
            os.signalGroup(child, Signal.KILL);
            status(child);
            os.reap(child);
            os.release(child);
        }
        if (groups != null) {
            groups.removeAll();
            assertFalse(Files.exists(here.home().resolve("jsupervise-" + stateId)), "groups are left");
        }
    }

    private ServiceSpec web() {
        return ServiceSpec.of("web", "sleep").privileges(GROUPED).build();
    }

    private Child spawn(Optional<Path> group, Map<String, String> environment, String... argv) throws Exception {
        Child child = os.spawn(new SpawnRequest(
                List.of(argv),
                dir,
                environment,
                022,
                new Output.Null(),
                new Output.Null(),
                GROUPED,
                group,
                Optional.empty()));
        children.add(child);
        return child;
    }

    private ExitStatus status(Child child) throws OsException {
        for (Optional<ExitStatus> status = os.peekExit(child); ; status = os.peekExit(child)) {
            if (status.isPresent()) {
                return status.get();
            }
            LockSupport.parkNanos(100_000);
        }
    }

    private static String read(Child child, String file) throws Exception {
        return Files.readString(Path.of("/proc/" + child.pid() + "/" + file), StandardCharsets.ISO_8859_1);
    }

    private static void awaitArguments(Child child, String arguments) throws Exception {
        while (!read(child, "cmdline").equals(arguments)
                || read(child, "environ").isEmpty()) {
            LockSupport.parkNanos(100_000);
        }
    }

    @Test
    void a_process_is_in_its_group_with_exactly_its_arguments_and_its_environment() throws Exception {
        Map<String, String> environment = new TreeMap<>(Map.of(
                "PATH",
                "/usr/bin:/bin",
                "A.B",
                "with a dot",
                "PWD",
                "/nowhere",
                "_",
                "under",
                "SHLVL",
                "3",
                "-x",
                "dash",
                "NEW\nLINE",
                "a\nb",
                "BASH_FUNC_echo%%",
                "() { :; }",
                "SHELLOPTS",
                "xtrace",
                "EMPTY",
                ""));
        Path group = groups.make(web(), run).orElseThrow();
        Child child = spawn(Optional.of(group), environment, "sleep", "1000");
        awaitArguments(child, "sleep\0" + "1000\0");
        Map<String, String> found = new TreeMap<>();
        for (String variable : read(child, "environ").split("\0")) {
            found.put(variable.substring(0, variable.indexOf('=')), variable.substring(variable.indexOf('=') + 1));
        }
        assertEquals(environment, found);
        assertTrue(read(child, "cgroup").contains("/service-web/" + run + "\n"), read(child, "cgroup"));
        assertEquals(List.of(child.pid().value()), groups.members(run));
        assertTrue(groups.isKnown(run));
    }

    @Test
    void a_program_with_an_equals_sign_in_its_path_is_no_variable() throws Exception {
        Path program = Files.copy(Path.of("/bin/sleep"), dir.resolve("a=b"));
        Path group = groups.make(web(), run).orElseThrow();
        Child child =
                spawn(Optional.of(group), Map.of("PATH", "/usr/bin:/bin", "x.y", "1"), program.toString(), "1000");
        awaitArguments(child, program + "\0" + "1000\0");
    }

    @Test
    void who_cannot_enter_ends_under_the_name_of_the_loader() throws Exception {
        Child child =
                spawn(Optional.of(dir.resolve("no-such-group")), Map.of("PATH", "/usr/bin:/bin"), "sleep", "1000");
        assertNotEquals(new ExitStatus.Exited(0), status(child));
        assertTrue(GROUPED.loaders().contains(os.programName(child).orElseThrow()), os.programName(child) + "");
    }

    @Test
    void a_group_is_killed_whole_and_is_removed_when_nothing_lives_in_it() throws Exception {
        Path group = groups.make(web(), run).orElseThrow();
        Child child = spawn(
                Optional.of(group),
                Map.of("PATH", "/usr/bin:/bin"),
                "sh",
                "-c",
                "bomb() { (setsid sleep 1000 &) ; (setsid sleep 1000 &); }; bomb; bomb; exec sleep 1000");
        while (groups.members(run).size() < 5) {
            LockSupport.parkNanos(1_000_000);
        }
        groups.remove(WEB);
        assertTrue(Files.isDirectory(group), "it was removed from under its processes");
        ServiceGroups later = groups();
        later.takeOver();
        // Until the shells that only start another are gone.
        while (later.members(run).size() != 5) {
            LockSupport.parkNanos(1_000_000);
        }
        while (later.remains(run)) {
            LockSupport.parkNanos(1_000_000);
        }
        assertEquals(new ExitStatus.Killed(Signal.KILL, false), status(child));
        assertEquals(List.of(), later.members(run));
        Path next = later.make(web(), RunId.of(stateId, 1, 2)).orElseThrow();
        assertFalse(Files.exists(group));
        assertTrue(Files.isDirectory(next));
    }
}
