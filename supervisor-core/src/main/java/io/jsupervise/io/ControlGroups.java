package io.jsupervise.io;

import io.jsupervise.lifecycle.Pid;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.OpenMode;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.ProcessStat;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The place in the hierarchy of control groups (cgroups(7), version 2) below which we may make some: the group that we are in.
 *
 * <p>A group whose controllers its children have may hold no processes itself, but for the root of all. So before the first
 * controller is handed down, everybody in it moves to a child of a fixed name; which is done only where the group is nobody
 * else's: a unit of systemd, the root that a container sees, or one in which there is nothing but us and what descends from
 * us. Whoever finds himself in a child of that name, after a crash or by DelegateSubgroup= of systemd.exec(5), is at home in
 * its parent. One thread at a time.
 */
public final class ControlGroups {
    /** Where we move. Documented, for units of systemd. */
    static final String OWN_LEAF = "jsupervise-supervisor";

    private static final int ROUNDS = 20;

    private final Os os;
    private final Path home;
    private final boolean isOurs;

    /** Why there is nothing to be had; see {@code config.Machine.Obstacle}. */
    public record Obstacle(boolean ofRights, String what, String fix) {}

    /** Where {@link #find} finds nothing. */
    public static final Obstacle NONE = new Obstacle(
            false,
            "no hierarchy of version 2 of control groups is mounted where we are",
            "mount one (mount -t cgroup2 none /sys/fs/cgroup)");

    /** @param isOurs whether all that is in it may be moved, whoever it is */
    ControlGroups(Os os, Path home, boolean isOurs) {
        this.os = os;
        this.home = home;
        this.isOurs = isOurs;
    }

    /** Of the group that this process is in; empty where no hierarchy of version 2 is mounted, or none in which we are. */
    public static Optional<ControlGroups> find(Os os) {
        Optional<String> own = Optional.empty();
        for (String line : linesOrNone(os, Path.of("/proc/self/cgroup"))) {
            if (line.startsWith("0::/")) {
                own = Optional.of(line.substring(3));
            }
        }
        if (own.isEmpty()) {
            return Optional.empty();
        }
        for (String line : linesOrNone(os, Path.of("/proc/self/mountinfo"))) {
            int type = line.indexOf(" - cgroup2 ");
            String[] words = line.split(" ");
            if (type > 0 && words.length > 4 && isWithin(own.get(), words[3])) {
                String below = own.get().substring(words[3].equals("/") ? 0 : words[3].length());
                Path directory = Path.of(unescaped(words[4]) + below).normalize();
                boolean isWholeMount = below.isEmpty() || below.equals("/");
                return Optional.of(at(os, directory, isWholeMount || own.get().endsWith(".service")));
            }
        }
        return Optional.empty();
    }

    private static ControlGroups at(Os os, Path directory, boolean isOurs) {
        if (directory.endsWith(OWN_LEAF)) {
            return new ControlGroups(os, directory.getParent(), true);
        }
        return new ControlGroups(os, directory, isOurs);
    }

    private static boolean isWithin(String group, String root) {
        return root.equals("/") || group.equals(root) || group.startsWith(root + "/");
    }

    /** Spaces and the like stand there as octal numbers (proc_pid_mountinfo(5)). */
    private static String unescaped(String path) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < path.length(); i++) {
            if (path.charAt(i) == '\\' && i + 3 < path.length()) {
                text.append((char) Integer.parseInt(path.substring(i + 1, i + 4), 8));
                i += 3;
            } else {
                text.append(path.charAt(i));
            }
        }
        return text.toString();
    }

    Path home() {
        return home;
    }

    /** Those of {@code controllers} that groups below this one cannot have. */
    List<String> missing(List<String> controllers) {
        List<String> missing = new ArrayList<>(controllers);
        missing.removeAll(words(home.resolve("cgroup.controllers")));
        return missing;
    }

    /** What is in the way of a group with these controllers; nothing is changed. */
    public Optional<Obstacle> obstacle(List<String> controllers) {
        Path procs = home.resolve("cgroup.procs");
        for (Path file : List.of(procs, home.resolve("cgroup.subtree_control"))) {
            try {
                os.close(os.open(file, OpenMode.OVERWRITE, 0));
            } catch (OsException e) {
                boolean ofRights = e.errno() == Errno.EACCES || e.errno() == Errno.EPERM;
                return Optional.of(new Obstacle(
                        ofRights,
                        "no groups can be made in " + home + ", " + e.getMessage(),
                        ofRights
                                ? "run the supervisor as root, or delegate its group to it (systemd: Delegate=yes)"
                                : "mount control groups so that they can be written"));
            }
        }
        List<String> missing = missing(controllers);
        if (!missing.isEmpty()) {
            return Optional.of(new Obstacle(
                    false,
                    "there is no controller " + String.join(", ", missing) + " of version 2 in " + home,
                    "delegate it (systemd: Delegate=yes), or boot without those of version 1"
                            + " (systemd.unified_cgroup_hierarchy=1 cgroup_no_v1=all)"));
        }
        Optional<Pid> other = isHandedDown(controllers) || isRoot() || isOurs ? Optional.empty() : stranger();
        return other.map(pid -> new Obstacle(
                false,
                "others live in " + home + ", such as pid " + pid + ", and then its groups can have no controllers",
                "start the supervisor in a group of its own (systemd: a unit, or systemd-run --scope)"));
    }

    /** Only the root of all groups has no type. */
    private boolean isRoot() {
        try {
            return os.stat(home.resolve("cgroup.type")).isEmpty();
        } catch (OsException e) {
            return false;
        }
    }

    private boolean isHandedDown(List<String> controllers) {
        return words(home.resolve("cgroup.subtree_control")).containsAll(controllers);
    }

    /** Somebody in the group who does not descend from us; empty where there is none. */
    private Optional<Pid> stranger() {
        int self = os.self().pid().value();
        for (String word : words(home.resolve("cgroup.procs"))) {
            if (!descends(Integer.parseInt(word), self)) {
                return Optional.of(new Pid(Integer.parseInt(word)));
            }
        }
        return Optional.empty();
    }

    private boolean descends(int pid, int ancestor) {
        Set<Integer> seen = new HashSet<>();
        int at = pid;
        while (at > 0 && seen.add(at)) {
            if (at == ancestor) {
                return true;
            }
            Optional<ProcessStat> process = os.process(new Pid(at));
            if (process.isEmpty()) {
                return at == pid;
            }
            at = process.get().parent();
        }
        return false;
    }

    /** Has the groups below this one have controllers, moving ourselves where that takes it. */
    void handDown(List<String> controllers) throws OsException {
        if (isHandedDown(controllers)) {
            return;
        }
        if (!isRoot()) {
            moveAside();
        }
        handDown(os, home, controllers);
    }

    static void handDown(Os os, Path group, List<String> controllers) throws OsException {
        for (String controller : controllers) {
            write(os, group.resolve("cgroup.subtree_control"), "+" + controller);
        }
    }

    private void moveAside() throws OsException {
        Path procs = home.resolve("cgroup.procs");
        Path leaf = home.resolve(OWN_LEAF);
        List<String> here = words(procs);
        for (int round = 0; round < ROUNDS && !here.isEmpty(); round++) {
            os.mkdir(leaf, 0755);
            for (String pid : here) {
                try {
                    write(os, leaf.resolve("cgroup.procs"), pid);
                } catch (OsException e) {
                    if (e.errno() != Errno.ESRCH) {
                        throw e;
                    }
                }
            }
            here = words(procs);
        }
    }

    // ---- files of groups ----

    /** The words of a file; none where it cannot be read. */
    private List<String> words(Path file) {
        List<String> words = new ArrayList<>();
        for (String line : linesOrNone(os, file)) {
            for (String word : line.split(" ")) {
                if (!word.isEmpty()) {
                    words.add(word);
                }
            }
        }
        return words;
    }

    private static List<String> linesOrNone(Os os, Path file) {
        try {
            return lines(os, file);
        } catch (OsException e) {
            return List.of();
        }
    }

    static List<String> lines(Os os, Path file) throws OsException {
        Fd fd = os.open(file, OpenMode.READ, 0);
        try {
            byte[] bytes = new byte[4096];
            int size = 0;
            for (int n = os.read(fd, bytes, 0, bytes.length);
                    n > 0;
                    n = os.read(fd, bytes, size, bytes.length - size)) {
                size += n;
                if (size == bytes.length) {
                    bytes = java.util.Arrays.copyOf(bytes, 2 * size);
                }
            }
            List<String> lines = new ArrayList<>();
            int begin = 0;
            for (int i = 0; i < size; i++) {
                if (bytes[i] == '\n') {
                    lines.add(new String(bytes, begin, i - begin, StandardCharsets.UTF_8));
                    begin = i + 1;
                }
            }
            return lines;
        } finally {
            os.close(fd);
        }
    }

    /** By one write(2), which is what the kernel takes for one value. */
    static void write(Os os, Path file, String value) throws OsException {
        byte[] bytes = (value + "\n").getBytes(StandardCharsets.US_ASCII);
        Fd fd = os.open(file, OpenMode.OVERWRITE, 0);
        try {
            os.write(fd, bytes, 0, bytes.length);
        } catch (OsException e) {
            throw new OsException(e.errno(), "write " + value + " to " + file);
        } finally {
            os.close(fd);
        }
    }
}
