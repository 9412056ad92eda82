package io.jsupervise.sim;

import io.jsupervise.os.Errno;
import io.jsupervise.os.FileStat;
import io.jsupervise.os.OsException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/**
 * A file system that remembers what has really reached the disk. What a process wrote is seen by every other at once
 * and outlives that process; a power cut leaves only what was synced, and of the rest whatever chance kept:
 *
 * <ul>
 *   <li>Content that was not synced: old, new, or torn: a part of the new, the rest zeros or missing. So it is on ext4
 *       and xfs: a file that was renamed without fsync(2) can be empty.
 *   <li>Names (made, renamed, removed) that were not followed by an fsync(2) of their directory: a first part of the
 *       changes in the order in which they were made, maybe none. Changes of one directory are not reordered, because
 *       file systems with a journal keep that order. A rename is one change: the name is the old file or the new one. So is
 *       an exchange of two names.
 *   <li>FIFOs stay as names; their content is gone.
 * </ul>
 *
 * Strict where Linux is strict; no symbolic links, and a rename stays within its directory.
 */
final class CrashDisk {
    static final int DEVICE = 42;
    static final int FIFO_CAPACITY = 64 << 10;

    /** One inode. */
    static final class Node {
        final long inode;
        final FileStat.Kind kind;
        int mode;
        int uid = SimulatedOs.UID;
        int gid = SimulatedOs.UID;
        long mtimeNanos;
        byte[] bytes = new byte[0];
        int size;
        private byte[] synced = new byte[0];
        private boolean dirty;
        final Map<String, Node> entries;
        private final List<Change> unsynced = new ArrayList<>();
        private Map<String, Node> durable;
        final Pipe fifo;

        private Node(long inode, FileStat.Kind kind, int mode, long mtimeNanos) {
            this.inode = inode;
            this.kind = kind;
            this.mode = mode;
            this.mtimeNanos = mtimeNanos;
            this.entries = kind == FileStat.Kind.DIRECTORY ? new HashMap<>() : Map.of();
            this.durable = kind == FileStat.Kind.DIRECTORY ? new HashMap<>() : Map.of();
            this.fifo = kind == FileStat.Kind.FIFO ? new Pipe(FIFO_CAPACITY) : null;
        }

        FileStat stat() {
            return new FileStat(kind, DEVICE, inode, size, Instant.ofEpochSecond(0, mtimeNanos), mode, uid, gid);
        }
    }

    /**
     * A change of a directory: {@code name} now is {@code node}, or gone where that is null; {@code from} went, or is
     * {@code instead} where that is not null.
     */
    private record Change(String name, Node node, String from, Node instead) {
        Change(String name, Node node, String from) {
            this(name, node, from, null);
        }

        void applyTo(Map<String, Node> names) {
            if (instead != null) {
                names.put(from, instead);
            } else if (from != null) {
                names.remove(from);
            }
            if (node == null) {
                names.remove(name);
            } else {
                names.put(name, node);
            }
        }
    }

    private long lastInode = 1;
    private final Node root = new Node(lastInode, FileStat.Kind.DIRECTORY, 0755, 0);

    Optional<Node> find(Path path) {
        String text = path.toString();
        Node node = root;
        int at = 1;
        while (at < text.length()) {
            int end = text.indexOf('/', at);
            if (end < 0) {
                end = text.length();
            }
            node = node.entries.get(text.substring(at, end));
            if (node == null) {
                return Optional.empty();
            }
            at = end + 1;
        }
        return Optional.of(node);
    }

    /** Why {@link #find} found nothing. */
    Errno whyMissing(Path path) {
        for (Path above = path.getParent(); above != null; above = above.getParent()) {
            Optional<Node> found = find(above);
            if (found.isPresent() && found.get().kind != FileStat.Kind.DIRECTORY) {
                return Errno.ENOTDIR;
            }
        }
        return Errno.ENOENT;
    }

    /**
     * What would be left of a file if the power went now and chance kept nothing more than it has to; given that its
     * directory is left.
     */
    Optional<byte[]> durableContent(Path path) {
        return find(path.getParent())
                .map(directory -> directory.durable.get(nameOf(path)))
                .map(node -> node.synced);
    }

    Node make(Path path, FileStat.Kind kind, int mode, long wallNanos, String call) throws OsException {
        Node parent = parentOf(path, call);
        String name = nameOf(path);
        if (parent.entries.containsKey(name)) {
            throw new OsException(Errno.EEXIST, call + " " + path);
        }
        Node node = new Node(++lastInode, kind, mode, wallNanos);
        change(parent, new Change(name, node, null));
        return node;
    }

    void rename(Path from, Path to) throws OsException {
        String what = "rename " + from;
        Node parent = parentOf(from, "rename");
        Node moved = parent.entries.get(nameOf(from));
        if (moved == null) {
            throw new OsException(Errno.ENOENT, what);
        }
        if (parentOf(to, "rename") != parent) {
            throw new OsException(Errno.EXDEV, what);
        }
        Node replaced = parent.entries.get(nameOf(to));
        if (replaced != null && replaced.kind == FileStat.Kind.DIRECTORY) {
            throw new OsException(Errno.EISDIR, what);
        }
        change(parent, new Change(nameOf(to), moved, nameOf(from)));
    }

    void exchange(Path one, Path other) throws OsException {
        Node parent = parentOf(one, "exchange");
        Node first = parent.entries.get(nameOf(one));
        Node second = parent.entries.get(nameOf(other));
        if (parentOf(other, "exchange") != parent) {
            throw new OsException(Errno.EXDEV, "exchange " + one);
        }
        if (first == null || second == null) {
            throw new OsException(Errno.ENOENT, "exchange " + one);
        }
        change(parent, new Change(nameOf(one), second, nameOf(other), first));
    }

    /** False where there is nothing of this name. */
    boolean unlink(Path path) throws OsException {
        Optional<Node> found = find(path.getParent());
        if (found.isEmpty() || !found.get().entries.containsKey(nameOf(path))) {
            return false;
        }
        Node parent = found.get();
        if (parent.entries.get(nameOf(path)).kind == FileStat.Kind.DIRECTORY) {
            throw new OsException(Errno.EISDIR, "unlink " + path);
        }
        change(parent, new Change(nameOf(path), null, null));
        return true;
    }

    /** Nothing happens where there is nothing of this name. */
    void rmdir(Path path) throws OsException {
        Optional<Node> found = find(path.getParent());
        if (found.isEmpty() || !found.get().entries.containsKey(nameOf(path))) {
            return;
        }
        Node parent = found.get();
        Node directory = parent.entries.get(nameOf(path));
        if (directory.kind != FileStat.Kind.DIRECTORY) {
            throw new OsException(Errno.ENOTDIR, "rmdir " + path);
        }
        if (!directory.entries.isEmpty()) {
            throw new OsException(Errno.ENOTEMPTY, "rmdir " + path);
        }
        change(parent, new Change(nameOf(path), null, null));
    }

    private static void change(Node directory, Change change) {
        change.applyTo(directory.entries);
        directory.unsynced.add(change);
    }

    private Node parentOf(Path path, String call) throws OsException {
        Node parent = find(path.getParent()).orElseThrow(() -> new OsException(Errno.ENOENT, call + " " + path));
        if (parent.kind != FileStat.Kind.DIRECTORY) {
            throw new OsException(Errno.ENOTDIR, call + " " + path);
        }
        return parent;
    }

    private static String nameOf(Path path) {
        return path.getFileName().toString();
    }

    void write(Node node, int position, byte[] from, int offset, int length, long wallNanos) {
        int end = position + length;
        if (end > node.bytes.length) {
            node.bytes = Arrays.copyOf(node.bytes, Math.max(end, 2 * node.bytes.length));
        }
        System.arraycopy(from, offset, node.bytes, position, length);
        node.size = Math.max(node.size, end);
        node.mtimeNanos = wallNanos;
        node.dirty = true;
    }

    void truncate(Node node, int size, long wallNanos) {
        if (size < node.size) {
            Arrays.fill(node.bytes, size, node.size, (byte) 0);
        } else if (size > node.bytes.length) {
            node.bytes = Arrays.copyOf(node.bytes, size);
        }
        node.size = size;
        node.mtimeNanos = wallNanos;
        node.dirty = true;
    }

    void fsync(Node node) {
        if (node.kind == FileStat.Kind.DIRECTORY) {
            for (Change change : node.unsynced) {
                change.applyTo(node.durable);
            }
            node.unsynced.clear();
        } else if (node.dirty) {
            node.synced = Arrays.copyOf(node.bytes, node.size);
            node.dirty = false;
        }
    }

    /** The power goes and comes back. */
    void powerCut(Random chance) {
        powerCut(root, chance);
    }

    private static void powerCut(Node node, Random chance) {
        if (node.kind == FileStat.Kind.DIRECTORY) {
            int kept = node.unsynced.isEmpty() ? 0 : chance.nextInt(node.unsynced.size() + 1);
            for (Change change : node.unsynced.subList(0, kept)) {
                change.applyTo(node.durable);
            }
            node.unsynced.clear();
            node.entries.clear();
            node.entries.putAll(node.durable);
            for (Node child : node.entries.values()) {
                powerCut(child, chance);
            }
        } else if (node.fifo != null) {
            node.fifo.consume(node.fifo.size());
        } else if (node.dirty) {
            byte[] left = leftOf(node, chance);
            node.bytes = left;
            node.size = left.length;
            node.synced = left.clone();
            node.dirty = false;
        }
    }

    private static byte[] leftOf(Node node, Random chance) {
        byte[] written = Arrays.copyOf(node.bytes, node.size);
        return switch (chance.nextInt(5)) {
            case 0 -> node.synced.clone();
            case 1 -> written;
            case 4 -> {
                // Written over: a part of the new, and behind it what was there before.
                byte[] old = node.synced.clone();
                System.arraycopy(written, 0, old, 0, chance.nextInt(Math.min(old.length, written.length) + 1));
                yield old;
            }
            case 2 -> Arrays.copyOf(written, chance.nextInt(written.length + 1));
            default -> {
                int whole = chance.nextInt(written.length + 1);
                Arrays.fill(written, whole, written.length, (byte) 0);
                yield written;
            }
        };
    }

    byte[] content(Node node) {
        return Arrays.copyOf(node.bytes, node.size);
    }
}
