package io.jsupervise.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.spec.Limit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/**
 * What the pages say of services.yml is true: docs/configuration.md has a table for each map with all its keys and no
 * other, and every YAML example of any page is read without a problem, or with those in the text block right below it.
 */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class ConfigurationPageTest {
    private static final Path ROOT = Path.of("..");

    /** Heading -> what the reader knows there. */
    private static final Map<String, List<String>> TABLES = Map.ofEntries(
            Map.entry("## The top of the file", Keys.TOP),
            Map.entry("## supervisor", Keys.SUPERVISOR),
            Map.entry("### supervisor.heartbeat", Keys.SUPERVISOR_HEARTBEAT),
            Map.entry("### supervisor.watchdog", Keys.WATCHDOG),
            Map.entry("### supervisor.watchdog.reboot_limit", Keys.REBOOT_LIMIT),
            Map.entry("## services", Keys.SERVICE),
            Map.entry("### rlimits", Stream.of(Limit.values()).map(Limit::word).toList()),
            Map.entry("### resources", Keys.RESOURCES),
            Map.entry("### depends_on", Keys.DEPENDENCY),
            Map.entry("### groups", Keys.GROUP),
            Map.entry("### Hooks", Keys.HOOK),
            Map.entry("### ready", Keys.READY),
            Map.entry("### checks", Keys.CHECK),
            Map.entry("### backoff", Keys.BACKOFF),
            Map.entry("### start_limit", Keys.START_LIMIT),
            Map.entry("### verify", Keys.VERIFY),
            Map.entry("### heartbeat", Keys.HEARTBEAT),
            Map.entry("### log", Keys.LOG));

    @Test
    void each_key_that_is_read_is_documented_and_no_other() throws IOException {
        Map<String, TreeSet<String>> documented = new TreeMap<>();
        String heading = "";
        for (String line : Files.readAllLines(ROOT.resolve("docs/configuration.md"))) {
            if (line.startsWith("#")) {
                heading = line;
            } else if (line.startsWith("| `")) {
                documented
                        .computeIfAbsent(heading, any -> new TreeSet<>())
                        .add(line.substring(3, line.indexOf('`', 3)));
            }
        }
        Map<String, TreeSet<String>> known = new TreeMap<>();
        TABLES.forEach((table, keys) -> known.put(table, new TreeSet<>(keys)));
        assertEquals(known, documented);
    }

    @TestFactory
    List<DynamicTest> each_example_is_read_as_its_page_says() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        tests.addAll(examples(ROOT.resolve("README.md")));
        try (var pages = Files.newDirectoryStream(ROOT.resolve("docs"), "*.md")) {
            for (Path page : pages) {
                tests.addAll(examples(page));
            }
        }
        try (var files = Files.newDirectoryStream(ROOT.resolve("config-examples"), "*.yml")) {
            for (Path file : files) {
                tests.add(example(file + "", Files.readString(file), ""));
            }
        }
        assertTrue(tests.size() > 12, "only " + tests.size() + " examples were found");
        return tests;
    }

    private static List<DynamicTest> examples(Path page) throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        List<String> lines = Files.readAllLines(page);
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).equals("```yaml")) {
                int end = endOf(lines, i);
                boolean wrong = end + 2 < lines.size() && lines.get(end + 2).equals("```text");
                String problems = wrong ? block(lines, end + 2) : "";
                tests.add(example(page + ":" + (i + 1), block(lines, i), problems));
                i = end;
            }
        }
        return tests;
    }

    private static int endOf(List<String> lines, int begin) {
        int end = begin + 1;
        while (!lines.get(end).equals("```")) {
            end++;
        }
        return end;
    }

    private static String block(List<String> lines, int begin) {
        return String.join("\n", lines.subList(begin + 1, endOf(lines, begin))) + "\n";
    }

    private static DynamicTest example(String place, String yaml, String problems) {
        return DynamicTest.dynamicTest(place, () -> assertEquals(problems, problemsOf(yaml)));
    }

    /** The files that examples name are there. */
    private static String problemsOf(String yaml) {
        MemoryFiles files = MemoryFiles.of(yaml)
                .with("web.env", "A=1\n")
                .with("own-users.env", "data=/srv\n")
                .with("more.yml", "services: {more: {command: run}}\n")
                .with("conf.d/other.yml", "services: {other: {command: run}}\n");
        try {
            ConfigReader.read(MemoryFiles.MAIN, files, MemoryFiles.surroundings(0), new KnownMachine(0));
            return "";
        } catch (ConfigException e) {
            return e.getMessage().replace("/app/", "") + "\n";
        }
    }
}
