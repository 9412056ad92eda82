package io.jsupervise.daemon;

import io.jsupervise.os.Os;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** What the event {@code supervisor-started} tells of the machine, so that a log can be read years later. */
final class Versions {
    private Versions() {}

    static Map<String, Object> of(Os os, String version) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("pid", (long) os.self().pid().value());
        details.put("host", line("/proc/sys/kernel/hostname"));
        details.put("version", version);
        details.put("java", System.getProperty("java.version"));
        details.put("kernel", line("/proc/sys/kernel/osrelease"));
        details.put("boot_id", os.bootId());
        return details;
    }

    private static String line(String file) {
        try {
            return Files.readString(Path.of(file)).strip();
        } catch (IOException e) {
            return "unknown";
        }
    }
}
