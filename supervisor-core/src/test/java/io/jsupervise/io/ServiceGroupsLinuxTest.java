package io.jsupervise.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.RunId;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.linux.LinuxOs;
import io.jsupervise.spec.HookKind;
import io.jsupervise.spec.KillMode;
import io.jsupervise.spec.Privileges;
import io.jsupervise.spec.Resources;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.spec.StopSequence;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What is written where, in a directory that stands in for a hierarchy with all controllers: what the kernel would make of
 * it is put there and noted by the test. The kernel itself is asked in ControlGroupLinuxTest, and by the checks.
 */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class ServiceGroupsLinuxTest {
    private static final String STATE = "57a7e";
    private static final ServiceName WEB = new ServiceName("web");
    private static final RunId RUN = RunId.of(STATE, 1, 1);

    @TempDir
    Path root;

    private final LinuxOs real = new LinuxOs();
    private final List<String> written = new ArrayList<>();
    private final List<String> told = new ArrayList<>();
    private final Set<Path> populated = new HashSet<>();

    /** Of which group which controller. */
    private final Set<String> handedDown = new HashSet<>();

    /** Makes and removes the kernel's files with their groups, and does what it does when they are written. */
    private final Os os = (Os)
            Proxy.newProxyInstance(Os.class.getClassLoader(), new Class<?>[] {Os.class}, (proxy, method, arguments) -> {
                if (method.getName().equals("rmdir") && populated.contains((Path) arguments[0])) {
                    throw new OsException(Errno.EBUSY, "rmdir " + arguments[0]);
                }
                if (method.getName().equals("rmdir") && Files.isDirectory((Path) arguments[0])) {
                    try (var files = Files.newDirectoryStream((Path) arguments[0], Files::isRegularFile)) {
                        for (Path file : files) {
                            Files.delete(file);
                        }
                    }
                }
                boolean isNew = method.getName().equals("mkdir") && !Files.exists((Path) arguments[0]);
                try {
                    Object result = method.invoke(real, arguments);
                    if (isNew) {
                        fill((Path) arguments[0], "memory cpu pids");
                    }
                    if (method.getName().equals("close")) {
                        take();
                    }
                    return result;
                } catch (InvocationTargetException e) {
                    throw e.getCause();
                }
            });

    private void fill(Path group, String controllers) throws IOException {
        for (String file : List.of("cgroup.procs", "cgroup.subtree_control", "cgroup.kill")) {
            Files.writeString(group.resolve(file), "");
        }
        for (String controller : List.of("memory", "cpu", "pids")) {
            if (handedDown.contains(group.getParent() + " +" + controller)) {
                Files.writeString(group.resolve(controller + ".max"), "");
            }
        }
        Files.writeString(group.resolve("cgroup.controllers"), controllers + "\n");
        Files.writeString(group.resolve("cgroup.type"), "domain\n");
        Files.writeString(group.resolve("cgroup.events"), "populated 0\nfrozen 0\n");
        Files.writeString(group.resolve("memory.events"), "low 0\noom 0\noom_kill 0\n");
    }

    /** What was written since it was last looked; the files are emptied, as if the kernel had taken it. */
    private void take() throws IOException {
        List<Path> files;
        try (var all = Files.walk(root)) {
            files = all.filter(Files::isRegularFile).sorted().toList();
        }
        for (Path file : files) {
            String name = file.getFileName().toString();
            String text = name.endsWith(".events") || name.equals("cgroup.controllers") || name.equals("cgroup.type")
                    ? ""
                    : Files.readString(file);
            boolean isRoster = file.equals(root.resolve("cgroup.procs"));
            if (!text.isEmpty() && !isRoster) {
                if (name.equals("cgroup.subtree_control")) {
                    handedDown.add(file.getParent() + " " + text.strip());
                }
                written.add(root.relativize(file) + " " + text.strip());
                Files.writeString(file, "");
                if (name.equals("cgroup.procs")) {
                    Files.writeString(root.resolve("cgroup.procs"), "");
                }
            }
            if (name.equals("cgroup.kill") && text.equals("1\n")) {
                settle(file.getParent(), false);
            }
        }
    }

    private void settle(Path group, boolean isPopulated) throws IOException {
        if (isPopulated) {
            populated.add(group);
        } else {
            populated.remove(group);
        }
        Files.writeString(group.resolve("cgroup.events"), "populated " + (isPopulated ? 1 : 0) + "\nfrozen 0\n");
    }

    private ServiceGroups groups(boolean isOurs) throws IOException {
        if (!Files.exists(root.resolve("cgroup.procs"))) {
            fill(root, "memory cpu pids");
        }
        return new ServiceGroups(
                os,
                STATE,
                () -> Optional.of(new ControlGroups(os, root, isOurs)),
                (service, why) -> told.add(service + ": " + why));
    }

    private static ServiceSpec web(long memory, long quota, int pids, boolean optional, KillMode mode) {
        Resources resources = new Resources(
                memory < 0 ? OptionalLong.empty() : OptionalLong.of(memory),
                quota < 0 ? OptionalLong.empty() : OptionalLong.of(quota),
                pids < 0 ? OptionalInt.empty() : OptionalInt.of(pids),
                optional);
        Privileges privileges = new Privileges(
                Optional.empty(), List.of(), OptionalInt.empty(), OptionalInt.empty(), false, Optional.of(resources));
        StopSequence stop = StopSequence.DEFAULT;
        return ServiceSpec.of("web", "sleep")
                .privileges(privileges)
                .stop(new StopSequence(stop.signal(), stop.timeout(), stop.dumpSignal(), mode))
                .build();
    }

    private Path leaf(RunId run) {
        return root.resolve("jsupervise-" + STATE).resolve("service-web").resolve(run.value());
    }

    private Set<String> directories() throws IOException {
        try (var all = Files.walk(root)) {
            Set<String> names = new TreeSet<>();
            all.filter(Files::isDirectory)
                    .forEach(path -> names.add(root.relativize(path).toString()));
            names.remove("");
            return names;
        }
    }

    @Test
    void limits_are_written_before_anybody_enters_and_controllers_are_handed_down_on_the_way() throws Exception {
        ServiceGroups groups = groups(true);
        Path leaf = groups.make(web(512 << 20, 50_000, 100, false, KillMode.TREE), RUN)
                .orElseThrow();
        assertEquals(leaf(RUN), leaf);
        assertEquals(
                List.of(
                        "cgroup.subtree_control +memory",
                        "cgroup.subtree_control +cpu",
                        "cgroup.subtree_control +pids",
                        "jsupervise-57a7e/cgroup.subtree_control +memory",
                        "jsupervise-57a7e/cgroup.subtree_control +cpu",
                        "jsupervise-57a7e/cgroup.subtree_control +pids",
                        "jsupervise-57a7e/service-web/memory.max 536870912",
                        "jsupervise-57a7e/service-web/cpu.max 50000 100000",
                        "jsupervise-57a7e/service-web/pids.max 100",
                        "jsupervise-57a7e/service-web/cgroup.subtree_control +memory"),
                written);
        assertEquals(List.of(), told);
    }

    @Test
    void a_limit_that_is_asked_for_no_more_is_lifted_at_the_next_start() throws Exception {
        ServiceGroups groups = groups(true);
        groups.make(web(1 << 20, 50_000, 7, false, KillMode.TREE), RUN);
        written.clear();
        groups.make(web(-1, -1, 8, false, KillMode.TREE), RunId.of(STATE, 1, 2));
        assertEquals(
                List.of(
                        "jsupervise-57a7e/service-web/memory.max max",
                        "jsupervise-57a7e/service-web/cpu.max max 100000",
                        "jsupervise-57a7e/service-web/pids.max 8"),
                written);
        assertFalse(Files.exists(leaf(RUN)), "the group of the run before is still there");
    }

    @Test
    void a_group_without_limits_takes_no_controller() throws Exception {
        ServiceGroups groups = groups(false);
        groups.make(web(-1, -1, -1, false, KillMode.TREE), RUN);
        assertEquals(List.of(), written);
        assertEquals(
                Set.of("jsupervise-57a7e", "jsupervise-57a7e/service-web", "jsupervise-57a7e/service-web/" + RUN),
                directories());
    }

    @Test
    void who_asks_for_nothing_has_no_group_and_nothing_is_looked_for() throws Exception {
        ServiceGroups groups = new ServiceGroups(
                os,
                STATE,
                () -> {
                    throw new AssertionError("looked for");
                },
                (service, why) -> told.add(why));
        RunId none = RunId.of(STATE, 1, 1);
        assertEquals(
                Optional.empty(), groups.make(ServiceSpec.of("web", "sleep").build(), none));
        assertFalse(groups.isKnown(none));
        assertFalse(groups.remains(none));
        assertEquals(List.of(), groups.members(none));
        assertEquals(0, groups.killedForMemory(none));
        groups.remove(WEB);
        groups.removeAll();
    }

    @Test
    void everybody_moves_aside_before_the_first_controller_is_handed_down() throws Exception {
        ServiceGroups groups = groups(true);
        Files.writeString(root.resolve("cgroup.procs"), "77\n");
        groups.make(web(-1, -1, 3, false, KillMode.TREE), RUN);
        int moved = written.indexOf("jsupervise-supervisor/cgroup.procs 77");
        assertTrue(moved >= 0 && moved < written.indexOf("cgroup.subtree_control +pids"), written.toString());
    }

    @Test
    void what_is_in_the_way_is_told_and_nothing_is_changed() throws Exception {
        groups(false);
        ControlGroups alone = new ControlGroups(os, root, false);
        assertEquals(Optional.empty(), alone.obstacle(List.of("memory", "pids")));
        ControlGroups.Obstacle io = alone.obstacle(List.of("io", "pids")).orElseThrow();
        assertTrue(io.what().contains("no controller io of version 2 in " + root), io.what());
        Files.writeString(root.resolve("cgroup.procs"), "1\n");
        ControlGroups.Obstacle others =
                new ControlGroups(real, root, false).obstacle(List.of("pids")).orElseThrow();
        assertTrue(others.what().contains("pid 1"), others.what());
        assertEquals(Optional.empty(), new ControlGroups(real, root, false).obstacle(List.of()));
        assertEquals(Optional.empty(), new ControlGroups(real, root, true).obstacle(List.of("pids")));
        Files.writeString(root.resolve("cgroup.procs"), real.self().pid() + "\n");
        assertEquals(Optional.empty(), new ControlGroups(real, root, false).obstacle(List.of("pids")));
        Files.delete(root.resolve("cgroup.procs"));
        assertFalse(alone.obstacle(List.of()).orElseThrow().ofRights());
        assertEquals(Set.of(), directories());
    }

    @Test
    void optional_resources_are_told_of_once_and_what_can_be_had_is() throws Exception {
        fill(root, "pids");
        ServiceGroups groups = groups(true);
        ServiceSpec web = web(1 << 20, -1, 9, true, KillMode.TREE);
        assertTrue(groups.make(web, RUN).isPresent());
        assertTrue(groups.make(web, RunId.of(STATE, 1, 2)).isPresent());
        assertEquals(List.of("web: there is no controller memory in " + root), told);
        assertTrue(written.contains("jsupervise-57a7e/service-web/pids.max 9"), written.toString());
        assertFalse(written.toString().contains("memory"), written.toString());
    }

    @Test
    void where_there_is_no_hierarchy_only_optional_resources_are_done_without() throws Exception {
        ServiceGroups groups =
                new ServiceGroups(os, STATE, Optional::empty, (service, why) -> told.add(service + ": " + why));
        assertEquals(Optional.empty(), groups.make(web(-1, -1, 9, true, KillMode.TREE), RUN));
        assertEquals(1, told.size());
        assertThrows(OsException.class, () -> groups.make(web(-1, -1, 9, false, KillMode.TREE), RUN));
    }

    @Test
    void what_an_earlier_supervisor_left_is_found_by_name_and_what_is_over_is_killed() throws Exception {
        RunId lives = RunId.of(STATE, 1, 2);
        RunId over = RunId.of(STATE, 1, 3);
        RunId hook = lives.ofHook(HookKind.POST_START);
        ServiceSpec web = web(-1, -1, -1, false, KillMode.PROCESS);
        ServiceGroups before = groups(true);
        for (RunId run : List.of(lives, over, hook)) {
            before.make(web, run);
            settle(leaf(run), true);
        }
        ServiceGroups sparing = groups(true);
        sparing.takeOver();
        sparing.endDead(Set.of(lives), List.of(web));
        assertEquals(Set.of(leaf(lives), leaf(over), leaf(hook)), populated);

        ServiceGroups after = groups(true);
        after.takeOver();
        assertTrue(after.isKnown(lives) && after.isKnown(over) && after.isKnown(hook));
        after.endDead(Set.of(lives), List.of(web(-1, -1, -1, false, KillMode.TREE)));
        assertEquals(Set.of(leaf(lives)), populated);
        after.removeAll();
        assertTrue(Files.exists(leaf(lives)), "somebody lives there");
        assertFalse(Files.exists(leaf(over)));
        settle(leaf(lives), false);
        after.removeAll();
        assertEquals(Set.of(), directories());
    }

    @Test
    void a_run_is_killed_whole_and_no_hook_beside_it() throws Exception {
        ServiceGroups groups = groups(true);
        RunId hook = RUN.ofHook(HookKind.STOP_COMMAND);
        ServiceSpec web = web(-1, -1, -1, false, KillMode.TREE);
        groups.make(web, RUN);
        settle(leaf(RUN), true);
        groups.make(web, hook);
        settle(leaf(hook), true);
        Files.writeString(leaf(RUN).resolve("cgroup.procs"), "8\n9\n");
        assertEquals(List.of(8, 9), groups.members(RUN));
        assertFalse(groups.remains(RUN));
        assertEquals(Set.of(leaf(hook)), populated);
        groups.remove(WEB);
        assertTrue(Files.exists(leaf(hook)));
        assertFalse(Files.exists(leaf(RUN)));
    }

    @Test
    void a_run_that_was_spawned_and_has_not_entered_yet_keeps_its_group_when_a_hook_starts() throws Exception {
        ServiceGroups groups = groups(true);
        ServiceSpec web = web(-1, -1, -1, false, KillMode.TREE);
        groups.make(web, RUN);
        groups.make(web, RUN.ofHook(HookKind.POST_START));
        assertTrue(Files.exists(leaf(RUN)) && groups.isKnown(RUN));
    }

    @Test
    void a_limit_of_an_earlier_supervisor_is_lifted_where_it_is_asked_for_no_more() throws Exception {
        groups(true).make(web(1 << 20, -1, -1, false, KillMode.TREE), RUN);
        written.clear();
        groups(true).make(web(-1, -1, -1, false, KillMode.TREE), RunId.of(STATE, 2, 1));
        assertTrue(written.contains("jsupervise-57a7e/service-web/memory.max max"), written.toString());
    }

    @Test
    void the_kernels_kills_for_memory_are_counted_in_the_group_of_their_run_also_while_nobody_supervises()
            throws Exception {
        ServiceGroups groups = groups(true);
        ServiceSpec web = web(1 << 20, -1, -1, false, KillMode.TREE);
        groups.make(web, RUN);
        assertTrue(written.contains("jsupervise-57a7e/service-web/cgroup.subtree_control +memory"), written.toString());
        assertEquals(0, groups.killedForMemory(RUN));
        Files.writeString(leaf(RUN).resolve("memory.events"), "low 0\noom 3\noom_kill 2\noom_group_kill 0\n");
        ServiceGroups next = groups(true);
        next.takeOver();
        assertEquals(2, next.killedForMemory(RUN), "nobody was there, and the next one learns of it");
        next.endDead(Set.of(), List.of(web));
        assertEquals(2, next.killedForMemory(RUN), "until the service starts again");
        RunId second = RunId.of(STATE, 1, 2);
        next.make(web, second);
        assertEquals(0, next.killedForMemory(second));
        assertEquals(0, next.killedForMemory(RUN));
    }

    @Test
    void where_there_is_no_limit_of_memory_nobody_counts() throws Exception {
        ServiceGroups groups = groups(true);
        groups.make(web(-1, -1, -1, false, KillMode.TREE), RUN);
        assertFalse(written.toString().contains("service-web/cgroup.subtree_control"), written.toString());
        Files.delete(leaf(RUN).resolve("memory.events"));
        assertEquals(0, groups.killedForMemory(RUN));
    }
}
