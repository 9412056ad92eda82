package io.jsupervise.os.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.os.Child;
import io.jsupervise.os.Errno;
import io.jsupervise.os.OsException;
import io.jsupervise.os.SpawnException;
import io.jsupervise.os.SpawnRequest;
import io.jsupervise.os.SpawnRequest.Output;
import io.jsupervise.spec.Account;
import io.jsupervise.spec.Credentials;
import io.jsupervise.spec.Limit;
import io.jsupervise.spec.Privileges;
import io.jsupervise.spec.ResourceLimit;
import io.jsupervise.spec.Signal;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a child has that was asked to have other privileges than ours, as the kernel tells it in /proc. */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class PrivilegesLinuxTest {
    private static final int OTHER = 65534;

    @TempDir
    private Path directory;

    private final LinuxOs os = new LinuxOs();
    private final List<Child> children = new ArrayList<>();
    private Map<String, String> environment = Map.of("PATH", "/usr/bin:/bin", "MARK", "1");
    private Path workingDir = Path.of("/");

    @BeforeEach
    void let_others_reach_the_directory() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @AfterEach
    void end_all() throws OsException {
        for (Child child : children) {
            os.signalGroup(child, Signal.KILL);
            awaitEnd(child);
            os.reap(child);
            os.release(child);
        }
    }

    private static void needsRoot() {
        assumeTrue(new LinuxOs().uid() == 0, "needs root");
    }

    private static Credentials nobody(Integer... groups) {
        return new Credentials("nobody", OTHER, OTHER, List.of(groups), Map.of("HOME", "/nonexistent"));
    }

    private static Privileges as(Credentials who) {
        return new Privileges(Optional.of(who), List.of(), OptionalInt.empty(), OptionalInt.empty(), false);
    }

    private static Privileges limited(ResourceLimit... limits) {
        return new Privileges(Optional.empty(), List.of(limits), OptionalInt.empty(), OptionalInt.empty(), false);
    }

    private static ResourceLimit limit(Limit what, long soft, long hard) {
        return new ResourceLimit(what, OptionalLong.of(soft), OptionalLong.of(hard));
    }

    private Child spawn(Privileges privileges, String... argv) throws SpawnException {
        return spawn(privileges, Optional.empty(), argv);
    }

    private Child spawn(Privileges privileges, Optional<String> pidVariable, String... argv) throws SpawnException {
        Child child = os.spawn(new SpawnRequest(
                List.of(argv),
                workingDir,
                environment,
                022,
                new Output.Null(),
                new Output.Null(),
                privileges,
                Optional.empty(),
                pidVariable));
        children.add(child);
        return child;
    }

    /** Returns when it executes its own program. */
    private Child sleeper(Privileges privileges) throws Exception {
        return sleeper(privileges, Optional.empty());
    }

    private Child sleeper(Privileges privileges, Optional<String> pidVariable) throws Exception {
        Child child = spawn(privileges, pidVariable, "sleep", "1000");
        // The kernel sets arguments and environment of a program last.
        while (!read(child, "cmdline").equals("sleep\0" + "1000\0")
                || read(child, "environ").isEmpty()) {
            assertTrue(!os.hasEnded(child), () -> "it ended as " + os.programName(child));
            LockSupport.parkNanos(100_000);
        }
        return child;
    }

    private void awaitEnd(Child child) throws OsException {
        while (!os.hasEnded(child)) {
            LockSupport.parkNanos(100_000);
        }
    }

    private static String read(Child child, String file) throws Exception {
        return Files.readString(Path.of("/proc/" + child.pid() + "/" + file), StandardCharsets.ISO_8859_1);
    }

    private static Map<String, String> status(Child child) throws Exception {
        Map<String, String> lines = new HashMap<>();
        for (String line : read(child, "status").split("\n")) {
            int colon = line.indexOf(':');
            lines.put(line.substring(0, colon), line.substring(colon + 1).trim().replace('\t', ' '));
        }
        return lines;
    }

    private static Map<String, String> limits(Child child) throws Exception {
        Map<String, String> limits = new TreeMap<>();
        for (String line : read(child, "limits").split("\n")) {
            limits.put(
                    line.substring(0, 25).trim(), line.substring(26, 68).trim().replaceAll(" +", ":"));
        }
        return limits;
    }

    private static int nice(Child child) throws Exception {
        String stat = read(child, "stat");
        return Integer.parseInt(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[16]);
    }

    private static Map<String, String> environ(Child child) throws Exception {
        Map<String, String> variables = new TreeMap<>();
        for (String variable : read(child, "environ").split("\0")) {
            variables.put(variable.substring(0, variable.indexOf('=')), variable.substring(variable.indexOf('=') + 1));
        }
        return variables;
    }

    private static TreeSet<String> fds(Child child) throws Exception {
        TreeSet<String> numbers = new TreeSet<>();
        try (var entries = Files.newDirectoryStream(Path.of("/proc/" + child.pid() + "/fd"))) {
            entries.forEach(entry -> numbers.add(entry.getFileName().toString()));
        }
        return numbers;
    }

    /** What holds whatever is asked for. */
    private void hasAllElse(Child child) throws Exception {
        Map<String, String> status = status(child);
        assertEquals("0000000000000000", status.get("SigBlk"));
        assertEquals("0000000000000000", status.get("SigIgn"));
        assertEquals("0000000000000000", status.get("SigCgt"));
        assertEquals("0022", status.get("Umask"));
        assertEquals("sleep", status.get("Name"));
        Set<String> own = new TreeSet<>(List.of("0", "1", "2"));
        // The dynamic loader has a library open for a moment after exec; what leaks stays.
        Set<String> seen = fds(child);
        while (!seen.equals(own) && !Thread.currentThread().isInterrupted()) {
            seen = fds(child);
        }
        assertEquals(own, seen);
        assertEquals(new TreeMap<>(environment), environ(child));
        assertEquals("sleep\0" + "1000\0", read(child, "cmdline"));
        String[] stat = read(child, "stat").split("\\) ")[1].split(" ");
        assertEquals(child.pid() + " " + child.pid(), stat[2] + " " + stat[3], "group and session");
    }

    private static void hasNoCapability(Map<String, String> status) {
        for (String set : List.of("CapInh", "CapPrm", "CapEff", "CapAmb")) {
            assertEquals("0000000000000000", status.get(set), set);
        }
    }

    @Test
    void it_finds_its_own_number_and_else_the_environment_that_it_is_to_have() throws Exception {
        needsRoot();
        environment = new TreeMap<>(Map.of(
                "PATH", "/usr/bin:/bin", "OUR_PID", "7", "PWD", "/nowhere", "A.B", "with a dot", "LD_BIND_NOW", "1"));
        for (Privileges privileges : List.of(Privileges.NONE, as(nobody()), limited(limit(Limit.NOFILE, 64, 64)))) {
            Child child = sleeper(privileges, Optional.of("OUR_PID"));
            Map<String, String> expected = new TreeMap<>(environment);
            expected.put("OUR_PID", child.pid().toString());
            assertEquals(expected, environ(child), privileges::toString);
        }
    }

    @Test
    void a_program_that_is_to_know_its_number_and_is_not_there_is_refused_before() {
        SpawnException refused = assertThrows(
                SpawnException.class, () -> spawn(Privileges.NONE, Optional.of("OUR_PID"), "no-such-program"));
        assertEquals(Errno.ENOENT, refused.errno());
    }

    @Test
    void a_child_has_all_that_was_asked_for_at_once() throws Exception {
        needsRoot();
        // Root in a container may lack the right to a lower one.
        int adj = os.rights().mayRaiseLimits() ? -250 : 250;
        Privileges all = new Privileges(
                Optional.of(nobody(4, 100)),
                List.of(
                        limit(Limit.NPROC, 4000, 5000),
                        limit(Limit.NOFILE, 100, 200),
                        new ResourceLimit(Limit.CORE, OptionalLong.empty(), OptionalLong.empty())),
                OptionalInt.of(-3),
                OptionalInt.of(adj),
                true);
        environment = Map.of("PATH", "/usr/bin:/bin", "LD_BIND_NOW", "1", "LD_LIBRARY_PATH", "/nowhere", "A", "b c");
        Child child = sleeper(all);
        Map<String, String> status = status(child);
        assertEquals("65534 65534 65534 65534", status.get("Uid"));
        assertEquals("65534 65534 65534 65534", status.get("Gid"));
        assertEquals("4 100", status.get("Groups"));
        assertEquals("1", status.get("NoNewPrivs"));
        hasNoCapability(status);
        Map<String, String> limits = limits(child);
        assertEquals("4000:5000", limits.get("Max processes"));
        assertEquals("100:200", limits.get("Max open files"));
        assertEquals("unlimited:unlimited", limits.get("Max core file size"));
        assertEquals(-3, nice(child));
        assertEquals(Integer.toString(adj), read(child, "oom_score_adj").trim());
        hasAllElse(child);
    }

    @Test
    void another_user_alone_changes_nothing_else() throws Exception {
        needsRoot();
        Child ours = sleeper(Privileges.NONE);
        Child child = sleeper(as(nobody()));
        Map<String, String> status = status(child);
        assertEquals("65534 65534 65534 65534", status.get("Uid"));
        assertEquals("65534 65534 65534 65534", status.get("Gid"));
        assertEquals("", status.get("Groups"));
        assertEquals("0", status.get("NoNewPrivs"));
        hasNoCapability(status);
        assertEquals(limits(ours), limits(child));
        assertEquals(nice(ours), nice(child));
        assertEquals(read(ours, "oom_score_adj"), read(child, "oom_score_adj"));
        hasAllElse(child);
    }

    private void isOurs(Child ours, Child child, String but) throws Exception {
        Map<String, String> its = status(child);
        Map<String, String> expected = status(ours);
        for (String name : List.of("Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "NoNewPrivs")) {
            if (!name.equals(but)) {
                assertEquals(expected.get(name), its.get(name), name);
            }
        }
        if (!but.equals("limits")) {
            assertEquals(limits(ours), limits(child));
        }
        if (!but.equals("nice")) {
            assertEquals(nice(ours), nice(child));
        }
        if (!but.equals("oom_score_adj")) {
            assertEquals(read(ours, "oom_score_adj"), read(child, "oom_score_adj"));
        }
        hasAllElse(child);
    }

    @Test
    void each_limit_is_known_by_its_name() throws Exception {
        Child ours = sleeper(Privileges.NONE);
        Map<String, String> names = new TreeMap<>();
        for (Limit what : Limit.values()) {
            OptionalLong our = os.rights().limit(what).hard();
            // Low enough for anybody, high enough for the loaders.
            long most = our.isPresent() ? Math.min(our.getAsLong(), 1L << 40) : 1L << 40;
            long soft = most / 2;
            Child child = sleeper(limited(limit(what, soft, most)));
            Map<String, String> changed = limits(child);
            changed.entrySet().removeAll(limitsOf(ours).entrySet());
            if (most > 0) {
                assertEquals(List.of(soft + ":" + most), List.copyOf(changed.values()), what.word());
                names.put(what.word(), changed.keySet().iterator().next());
            }
            isOurs(ours, child, "limits");
        }
        assertEquals("Max open files", names.get("nofile"));
        assertEquals("Max address space", names.get("as"));
    }

    private static Map<String, String> limitsOf(Child child) throws Exception {
        return limits(child);
    }

    @Test
    void a_nice_value_alone_costs_no_loader_and_is_not_left_to_the_next_one() throws Exception {
        Child ours = sleeper(Privileges.NONE);
        int other = Math.min(19, nice(ours) + 7);
        Child child =
                sleeper(new Privileges(Optional.empty(), List.of(), OptionalInt.of(other), OptionalInt.empty(), false));
        assertEquals(other, nice(child));
        isOurs(ours, child, "nice");
        isOurs(ours, sleeper(Privileges.NONE), "nothing");
    }

    @Test
    void an_oom_score_adj_alone_changes_nothing_else() throws Exception {
        Child ours = sleeper(Privileges.NONE);
        Child child =
                sleeper(new Privileges(Optional.empty(), List.of(), OptionalInt.empty(), OptionalInt.of(700), false));
        assertEquals("700", read(child, "oom_score_adj").trim());
        isOurs(ours, child, "oom_score_adj");
    }

    @Test
    void no_new_privs_alone_changes_nothing_else() throws Exception {
        Child ours = sleeper(Privileges.NONE);
        Child child =
                sleeper(new Privileges(Optional.empty(), List.of(), OptionalInt.empty(), OptionalInt.empty(), true));
        assertEquals("1", status(child).get("NoNewPrivs"));
        isOurs(ours, child, "NoNewPrivs");
    }

    /** A library that its user names must not be executed with our privileges. */
    @Test
    void nothing_that_a_service_is_given_leads_the_chain() throws Exception {
        needsRoot();
        Path seen = directory.resolve("seen");
        Path library = directory.resolve("library.so");
        // ld.so complains of what is no library, on the error output of whatever it loads it into.
        Files.writeString(library, "not a library");
        environment = Map.of("PATH", directory + ":/usr/bin:/bin", "LD_PRELOAD", library.toString());
        Files.writeString(seen, "");
        Files.setPosixFilePermissions(seen, PosixFilePermissions.fromString("rw-rw-rw-"));
        Path setpriv = directory.resolve("setpriv");
        Files.writeString(setpriv, "#!/bin/sh\necho fooled >" + seen + "\n");
        Files.setPosixFilePermissions(setpriv, PosixFilePermissions.fromString("rwxr-xr-x"));
        Child child = os.spawn(new SpawnRequest(
                List.of("sh", "-c", "echo \"$LD_PRELOAD\"; id -u"),
                workingDir,
                environment,
                022,
                new Output.Descriptor(os.open(directory.resolve("out"), io.jsupervise.os.OpenMode.REPLACE, 0644)),
                new Output.SameAsStdout(),
                as(nobody())));
        children.add(child);
        awaitEnd(child);
        List<String> lines = Files.readAllLines(directory.resolve("out"));
        long complaints =
                lines.stream().filter(line -> line.startsWith("ERROR: ld.so")).count();
        // sh and id: neither setpriv nor env.
        assertEquals(2, complaints, lines.toString());
        assertTrue(lines.contains(library.toString()) && lines.contains(Integer.toString(OTHER)), lines.toString());
        assertEquals("", Files.readString(seen));
    }

    // ---- what is refused before ----

    private String refusal(Privileges privileges, String... argv) {
        return assertThrows(SpawnException.class, () -> spawn(privileges, argv)).getMessage();
    }

    private Path program(String name, String permissions, String text) throws Exception {
        Path file = directory.resolve(name);
        Files.writeString(file, text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
        return file;
    }

    @Test
    void what_its_user_cannot_execute_is_refused_by_errno_and_path() throws Exception {
        needsRoot();
        Privileges nobody = as(nobody());
        Path ours = program("ours", "rwx------", "#!/bin/sh\nexit 0\n");
        assertEquals(
                ours + " is not executable for user nobody: EACCES (permission denied)", refusal(nobody, ours + ""));
        Path plain = program("plain", "rw-r--r--", "#!/bin/sh\nexit 0\n");
        assertEquals(
                plain + " is not executable for user nobody: EACCES (permission denied)", refusal(nobody, plain + ""));
        assertEquals("/nowhere/at-all: ENOENT (no such file or directory)", refusal(nobody, "/nowhere/at-all"));
        assertEquals(
                "no-such-program in PATH /usr/bin:/bin: ENOENT (no such file or directory)",
                refusal(nobody, "no-such-program"));
        environment = Map.of("PATH", directory + ":/usr/bin");
        assertEquals(ours + " is not executable for user nobody: EACCES (permission denied)", refusal(nobody, "ours"));
        Path script = program("script", "rwxr-xr-x", "#!/nowhere/interpreter -x\n");
        assertEquals(
                "interpreter /nowhere/interpreter of " + script + ": ENOENT (no such file or directory)",
                refusal(nobody, script + ""));
        Path locked = program("locked", "rwxr-xr-x", "#!" + ours + "\n");
        assertEquals(
                "interpreter " + ours + " of " + locked
                        + " is not executable for user nobody: EACCES (permission denied)",
                refusal(nobody, locked + ""));
        assertEquals(
                directory + " is not executable for user nobody: EACCES (permission denied)",
                refusal(nobody, directory + ""));
    }

    /** setpriv(1) has our capabilities until it executes the next program, so it finds what its user cannot. */
    @Test
    void a_program_is_looked_up_with_the_rights_of_its_user() throws Exception {
        needsRoot();
        Path closed = Files.createDirectory(directory.resolve("closed"));
        Path ours = Files.writeString(closed.resolve("sleep"), "#!/bin/sh\nexit 3\n");
        Files.setPosixFilePermissions(ours, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------"));
        environment = Map.of("PATH", closed + ":/usr/bin:/bin", "MARK", "1");
        hasAllElse(sleeper(as(nobody())));
        environment = Map.of("PATH", closed + ":/usr/bin:/bin", "LD_BIND_NOW", "1");
        hasAllElse(sleeper(as(nobody())));
    }

    @Test
    void a_missing_dynamic_loader_is_named() throws Exception {
        byte[] program = Files.readAllBytes(Path.of("/bin/true"));
        String loader = DynamicLoader.of(program).orElseThrow();
        assertTrue(Files.exists(Path.of(loader)), loader);
        String text = new String(program, StandardCharsets.ISO_8859_1);
        Path broken = directory.resolve("broken");
        Files.write(broken, text.replace(loader, "/none" + loader.substring(5)).getBytes(StandardCharsets.ISO_8859_1));
        Files.setPosixFilePermissions(broken, PosixFilePermissions.fromString("rwxr-xr-x"));
        assertEquals(
                "the dynamic loader /none" + loader.substring(5) + " of " + broken
                        + ": ENOENT (no such file or directory)",
                refusal(limited(limit(Limit.NOFILE, 64, 64)), broken + ""));
    }

    @Test
    void what_is_no_program_has_no_dynamic_loader() throws Exception {
        byte[] program = Files.readAllBytes(Path.of("/bin/true"));
        for (int length = 0; length < 1024; length++) {
            DynamicLoader.of(java.util.Arrays.copyOf(program, length));
        }
        java.util.Random random = new java.util.Random(7);
        for (int i = 0; i < 100_000; i++) {
            byte[] mutant = java.util.Arrays.copyOf(program, 1024);
            for (int n = 0; n < 4; n++) {
                mutant[5 + random.nextInt(200)] = (byte) random.nextInt();
            }
            DynamicLoader.of(mutant);
        }
        assertEquals(Optional.empty(), DynamicLoader.of("#!/bin/sh\n".repeat(20).getBytes(StandardCharsets.US_ASCII)));
    }

    @Test
    void a_program_that_is_being_written_is_refused_by_errno_and_path() throws Exception {
        Path busy = directory.resolve("busy");
        Files.copy(Path.of("/bin/true"), busy);
        Files.setPosixFilePermissions(busy, PosixFilePermissions.fromString("rwxr-xr-x"));
        try (OutputStream writer = new FileOutputStream(busy.toFile(), true)) {
            writer.flush();
            assertEquals(
                    busy + ": ETXTBSY (program file is being written)",
                    refusal(limited(limit(Limit.NOFILE, 64, 64)), busy + ""));
        }
        awaitEnd(spawn(limited(limit(Limit.NOFILE, 64, 64)), busy + ""));
    }

    @Test
    void a_working_directory_that_its_user_cannot_enter_is_refused() throws Exception {
        needsRoot();
        workingDir = Files.createDirectory(directory.resolve("room"));
        Files.setPosixFilePermissions(workingDir, PosixFilePermissions.fromString("rwx------"));
        assertEquals(
                "working directory " + workingDir + " for user nobody: EACCES (permission denied)",
                refusal(as(nobody()), "sleep", "1"));
        workingDir = directory.resolve("missing");
        assertEquals(
                "working directory " + workingDir + " for user nobody: ENOENT (no such file or directory)",
                refusal(as(nobody()), "sleep", "1"));
        workingDir = program("file", "rw-r--r--", "");
        assertEquals(
                "working directory " + workingDir + " for user nobody: ENOTDIR (not a directory)",
                refusal(as(nobody()), "sleep", "1"));
    }

    @Test
    void after_looking_as_another_user_we_are_ourselves_again() throws Exception {
        needsRoot();
        Path mine = program("mine", "rwx------", "#!/bin/sh\nexit 0\n");
        String before = self();
        sleeper(as(nobody(4)));
        refusal(as(nobody(4)), mine + "");
        assertEquals(before, self());
        awaitEnd(spawn(Privileges.NONE, mine + ""));
        assertEquals(1, new Kernel().call(Syscall.PRCTL, 3, 0, 0), "PR_GET_DUMPABLE");
    }

    private static String self() throws Exception {
        StringBuilder identity = new StringBuilder();
        for (String line : Files.readAllLines(Path.of("/proc/thread-self/status"))) {
            if (line.startsWith("Uid:")
                    || line.startsWith("Gid:")
                    || line.startsWith("Groups:")
                    || line.startsWith("Cap")) {
                identity.append(line).append('\n');
            }
        }
        return identity.toString();
    }

    // ---- what no look foresees ----

    @Test
    void a_script_without_an_interpreter_is_for_the_shell_in_a_chain_too() throws Exception {
        Path script = program("script", "rwxr-xr-x", "exit 7\n");
        Child child = spawn(limited(limit(Limit.NOFILE, 64, 64)), script + "");
        awaitEnd(child);
        assertEquals(Optional.of(new ExitStatus.Exited(7)), os.peekExit(child));
    }

    @Test
    void a_chain_that_breaks_ends_under_the_name_of_its_loader() throws Exception {
        // Of no use to the loader behind prlimit: it can open no library.
        Child child = spawn(
                new Privileges(
                        Optional.empty(),
                        List.of(limit(Limit.NOFILE, 3, 3)),
                        OptionalInt.empty(),
                        OptionalInt.empty(),
                        true),
                "sleep",
                "1");
        awaitEnd(child);
        assertEquals(Optional.of("setpriv"), os.programName(child));
        assertEquals(Optional.of(new ExitStatus.Exited(127)), os.peekExit(child));
    }

    // ---- accounts ----

    @Test
    void users_and_groups_are_found_by_name_and_number() throws Exception {
        Account root = os.accounts().user("root").orElseThrow();
        assertEquals(0, root.uid());
        assertEquals(0, root.gid());
        assertEquals("/root", root.home());
        assertTrue(root.shell().startsWith("/"), root.shell());
        assertTrue(root.groups().contains(0), root.groups().toString());
        assertEquals(Optional.of(root), os.accounts().user("0"));
        assertEquals(Optional.empty(), os.accounts().user("no-such-user"));
        assertEquals(Optional.empty(), os.accounts().user("3999999999"));
        assertEquals(OptionalInt.of(0), os.accounts().group("root"));
        assertEquals(OptionalInt.empty(), os.accounts().group("no-such-group"));
    }

    @Test
    void rights_are_those_of_this_process() throws Exception {
        Child ours = sleeper(Privileges.NONE);
        assertEquals(
                limits(ours).get("Max open files").replaceAll(".*:", ""),
                Long.toString(os.rights().limit(Limit.NOFILE).hard().orElseThrow()));
        assertEquals(os.uid() == 0, os.rights().maySwitchUser());
        assertTrue(os.rights().mayHaveNice(19));
        assertEquals(
                Errno.ENOENT,
                assertThrows(OsException.class, () -> os.chown(directory.resolve("x"), 0, 0))
                        .errno());
    }
}
