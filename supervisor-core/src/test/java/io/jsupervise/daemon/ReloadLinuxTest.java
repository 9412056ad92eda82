package io.jsupervise.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Another services file on the real machine: which processes live on, which end with all of theirs, and which are made. */
@Timeout(value = 90, unit = TimeUnit.SECONDS)
class ReloadLinuxTest {
    private static final Pattern PID = Pattern.compile("\"pid\":(\\d+),");

    private static final String BEFORE =
            """
            same: {command: [/bin/sleep, "1000"], log: none, ready: {delay: 0s}}
            changed: {command: [/bin/sleep, "1001"], log: none, ready: {delay: 0s}}
            gone:
              command: [/bin/sh, -c, "trap '' TERM; sleep 1002 & setsid sleep 1003 & while :; do sleep 0.1; done"]
              stop_timeout: 2s
              log: none
              ready: {delay: 0s}
            """;

    private static final String AFTER =
            """
            added: {command: [/bin/sleep, "2000"], log: none, ready: {delay: 0s}, depends_on: [changed]}
            changed: {command: [/bin/sleep, "2001"], log: none, ready: {delay: 0s}}
            same: {command: [/bin/sleep, "1000"], log: none, ready: {delay: 0s}}
            """;

    @TempDir
    private Path directory;

    private void file(String services) throws IOException {
        Files.writeString(
                directory.resolve("services.yml"),
                "supervisor:\n  state_dir: " + directory.resolve("state") + "\n  runtime_dir: "
                        + directory.resolve("run") + "\nservices:\n" + services.indent(2));
    }

    private SupervisorProcess run() throws IOException {
        return SupervisorProcess.start(
                directory.resolve("services.yml"), directory.resolve("run"), directory.toString());
    }

    @AfterEach
    void nothing_is_left_running() {
        SupervisorProcess.endAll(directory.toString());
    }

    /** Also while it has no socket yet. */
    private static String await(SupervisorProcess supervisor, String target, Predicate<String> condition) {
        String status = "";
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (System.nanoTime() - end < 0) {
            try {
                status = supervisor.request("GET", target);
            } catch (IOException e) {
                status = e.toString();
            }
            if (condition.test(status)) {
                return status;
            }
            LockSupport.parkNanos(10_000_000);
        }
        throw new AssertionError(target + " never became what was awaited: " + status);
    }

    private static long pid(SupervisorProcess supervisor, String service) {
        Matcher pid = PID.matcher(
                await(supervisor, "/v1/services/" + service, status -> status.contains("\"state\":\"RUNNING\"")));
        assertTrue(pid.find());
        return Long.parseLong(pid.group(1));
    }

    private static String commandOf(long pid) throws IOException {
        return Files.readString(Path.of("/proc/" + pid + "/cmdline"))
                .replace('\0', ' ')
                .trim();
    }

    /** Itself and all below it. */
    private static List<ProcessHandle> treeOf(long pid, int size) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        List<ProcessHandle> tree = new ArrayList<>();
        while (tree.size() < size && System.nanoTime() - end < 0) {
            tree.clear();
            ProcessHandle main = ProcessHandle.of(pid).orElseThrow();
            tree.add(main);
            main.descendants().forEach(tree::add);
        }
        assertTrue(tree.size() >= size, "the tree of " + pid + " is only " + tree);
        return tree;
    }

    private static void awaitEndOf(List<ProcessHandle> tree) throws Exception {
        for (ProcessHandle process : tree) {
            process.onExit().get(30, TimeUnit.SECONDS);
        }
    }

    @Test
    void unchanged_processes_live_on_changed_ones_are_made_anew_and_removed_ones_end_with_their_trees()
            throws Exception {
        file(BEFORE);
        try (SupervisorProcess supervisor = run()) {
            long same = pid(supervisor, "same");
            long changed = pid(supervisor, "changed");
            List<ProcessHandle> gone = treeOf(pid(supervisor, "gone"), 3);
            file("same: {comand: [/bin/sleep, \"1000\"]}\n");
            String refused = supervisor.request("POST", "/v1/reload?wait=true");
            assertTrue(refused.contains("bad-configuration"), refused);
            assertEquals(same, pid(supervisor, "same"));
            assertEquals(changed, pid(supervisor, "changed"));
            assertTrue(gone.get(0).isAlive());

            file(AFTER);
            String reloaded = supervisor.request("POST", "/v1/reload?wait=true");
            assertTrue(reloaded.contains("\"removed\":[\"gone\"]"), reloaded);
            assertEquals(same, pid(supervisor, "same"));
            assertNotEquals(changed, pid(supervisor, "changed"));
            assertEquals("/bin/sleep 2001", commandOf(pid(supervisor, "changed")));
            assertEquals("/bin/sleep 2000", commandOf(pid(supervisor, "added")));
            awaitEndOf(gone);
            assertTrue(supervisor.request("GET", "/v1/services/gone").contains("no-such-service"));
        }
    }

    @Test
    void a_supervisor_that_is_killed_in_a_reload_is_followed_by_one_that_goes_on_by_the_same_file() throws Exception {
        file(BEFORE);
        long same;
        List<ProcessHandle> gone;
        try (SupervisorProcess first = run()) {
            same = pid(first, "same");
            pid(first, "changed");
            gone = treeOf(pid(first, "gone"), 3);
            file(AFTER);
            first.request("POST", "/v1/reload");
            // Only all together are shown with those that the file no longer names.
            Pattern stopping = Pattern.compile("\"name\":\"gone\",[^{}]*\"state\":\"STOPPING\"");
            await(first, "/v1/status", status -> stopping.matcher(status).find());
            first.kill();
        }
        assertTrue(gone.get(0).isAlive(), "it ended too soon for this test");
        try (SupervisorProcess second = run()) {
            assertEquals(same, pid(second, "same"));
            awaitEndOf(gone);
            second.request("POST", "/v1/reload?wait=true");
            assertEquals("/bin/sleep 2001", commandOf(pid(second, "changed")));
            assertEquals("/bin/sleep 2000", commandOf(pid(second, "added")));
            assertEquals(same, pid(second, "same"));
            assertFalse(second.request("GET", "/v1/status").contains("\"name\":\"gone\""));
        }
    }
}
