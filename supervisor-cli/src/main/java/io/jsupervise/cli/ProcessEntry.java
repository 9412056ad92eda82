package io.jsupervise.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What proc(5) tells of a process, read as plain files: a client that loads a library for system calls would take twice
 * as long to answer.
 */
final class ProcessEntry {
    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
    private static final int STATE = 0;
    private static final int START_TIME = 19;

    private ProcessEntry() {}

    /** The present boot. */
    static String bootId() throws IOException {
        return Files.readString(BOOT_ID).trim();
    }

    /**
     * When a process began, in clock ticks since the boot (field 22 of {@code /proc/PID/stat}); empty where none of that
     * number is alive. One that nobody has reaped yet has ended all the same; its parent may never reap it.
     */
    static Optional<Long> startTime(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"), StandardCharsets.ISO_8859_1);
            // Behind the name in parentheses, which may hold anything.
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).trim().split(" ");
            boolean ended = "ZXx".contains(fields[STATE]);
            return ended ? Optional.empty() : Optional.of(Long.parseLong(fields[START_TIME]));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    static boolean isAlive(long pid) {
        return startTime(pid).isPresent();
    }

    /**
     * Who holds the flock(2) of a file, by {@code /proc/locks}; empty where nobody does, or nobody that we can see.
     *
     * @param presumed counts as the holder also where the device is another: some file systems show one number in
     *     stat(2) and another there
     */
    static Optional<Integer> lockHolder(Path file, Optional<Integer> presumed) {
        try {
            long inode = (Long) Files.getAttribute(file, "unix:ino");
            long dev = (Long) Files.getAttribute(file, "unix:dev");
            long major = dev >> 8 & 0xfff | dev >> 32 & ~0xfffL;
            long minor = dev & 0xff | dev >> 12 & ~0xffL & 0xffffffffL;
            String exactly = hex(major) + ":" + hex(minor) + ":" + inode;
            for (String line : Files.readAllLines(Path.of("/proc/locks"))) {
                String[] words = line.trim().split(" +");
                if (words.length > 5 && words[1].equals("FLOCK") && words[5].endsWith(":" + inode)) {
                    int pid = Integer.parseInt(words[4]);
                    if (words[5].equals(exactly) || presumed.isPresent() && presumed.get() == pid) {
                        return Optional.of(pid);
                    }
                }
            }
            return Optional.empty();
        } catch (IOException | NumberFormatException e) {
            return Optional.empty();
        }
    }

    private static String hex(long number) {
        String digits = Long.toHexString(number);
        return digits.length() < 2 ? "0" + digits : digits;
    }
}
