package io.jsupervise.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/**
 * What people are told, word by word: problems.txt holds services files and below each every problem of it. A case is
 * {@code === title}, then the text of services.yml, then other files, each after {@code --- name}, then {@code >>>} and
 * the problems with {@code /app/} left out.
 */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class ProblemTranscriptTest {
    private record Case(String title, MemoryFiles files, String expected) {}

    @TestFactory
    List<DynamicTest> each_problem_is_told_with_its_place_and_its_fix() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        for (Case one : cases()) {
            tests.add(DynamicTest.dynamicTest(one.title, () -> assertEquals(one.expected, problems(one.files))));
        }
        assertTrue(tests.size() > 100, "only " + tests.size() + " cases were read");
        return tests;
    }

    private static String problems(MemoryFiles files) {
        try {
            ConfigReader.read(MemoryFiles.MAIN, files, MemoryFiles.surroundings(1000), new KnownMachine(1000));
            return "no problem\n";
        } catch (ConfigException e) {
            return e.getMessage().replace("/app/", "") + "\n";
        }
    }

    private static List<Case> cases() throws IOException {
        List<Case> cases = new ArrayList<>();
        for (String block : transcript().split("(?m)^=== ")) {
            if (!block.startsWith("#")) {
                String[] inAndOut = block.split("(?m)^>>>\n", 2);
                cases.add(new Case(
                        block.substring(0, block.indexOf('\n')),
                        files(inAndOut[0].substring(block.indexOf('\n') + 1)),
                        inAndOut[1].strip().replace("(all service keys)", String.join(", ", Keys.SERVICE)) + "\n"));
            }
        }
        return cases;
    }

    private static MemoryFiles files(String text) {
        String[] parts = text.split("(?m)^--- ");
        MemoryFiles files = MemoryFiles.of(parts[0]);
        for (int i = 1; i < parts.length; i++) {
            int lineEnd = parts[i].indexOf('\n');
            files.with(parts[i].substring(0, lineEnd), parts[i].substring(lineEnd + 1));
        }
        return files;
    }

    private static String transcript() throws IOException {
        try (InputStream in = ProblemTranscriptTest.class.getResourceAsStream("/config/problems.txt")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
