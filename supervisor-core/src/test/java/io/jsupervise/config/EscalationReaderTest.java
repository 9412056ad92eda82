package io.jsupervise.config;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.jsupervise.spec.Command;
import io.jsupervise.spec.Escalation;
import io.jsupervise.spec.Hooks;
import io.jsupervise.spec.RestartIntensity;
import io.jsupervise.spec.Rung;
import io.jsupervise.spec.ServiceSpec;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(value = 30, unit = TimeUnit.SECONDS)
class EscalationReaderTest {
    private static ServiceSpec read(String keys) throws ConfigException {
        String text = "services:\n  web:\n    command: [/bin/web]\n" + keys.indent(4);
        return ConfigReader.read(
                        MemoryFiles.MAIN, MemoryFiles.of(text), MemoryFiles.surroundings(0), new KnownMachine(0))
                .services()
                .get(0);
    }

    private static Rung run(long seconds, String... argv) {
        return new Rung.Run(new Hooks.Hook(Command.of(argv), Duration.ofSeconds(seconds)));
    }

    static Stream<Arguments> ladders() {
        return Stream.of(
                Arguments.of("", List.of()),
                Arguments.of("escalate: []", List.of()),
                Arguments.of("escalate: reboot", List.of(new Rung.Reboot())),
                Arguments.of("escalate: [run: [/bin/fix, it]]", List.of(run(90, "/bin/fix", "it"))),
                Arguments.of("escalate: [run: /bin/fix 'it now']", List.of(run(90, "/bin/fix", "it now"))),
                Arguments.of(
                        "shell: true\ncommand: web\nescalate: [run: fix | log]",
                        List.of(run(90, "/bin/sh", "-c", "fix | log"))),
                Arguments.of("escalate: [run: {command: fix, timeout: 5s}]", List.of(run(5, "fix"))),
                Arguments.of(
                        "escalate:\n  - run: fix\n  - restart-dependents\n  - shutdown\n  - reboot",
                        List.of(run(90, "fix"), new Rung.RestartDependents(), new Rung.Shutdown(), new Rung.Reboot())));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("ladders")
    void a_ladder_is_read_rung_by_rung(String keys, List<Rung> ladder) throws Exception {
        String own = keys.startsWith("shell") ? keys.replace("\ncommand: web", "") : keys;
        String text = keys.startsWith("shell") ? "services:\n  web:\n    command: web\n" + own.indent(4) : "";
        ServiceSpec spec = text.isEmpty()
                ? read(own)
                : ConfigReader.read(
                                MemoryFiles.MAIN,
                                MemoryFiles.of(text),
                                MemoryFiles.surroundings(0),
                                new KnownMachine(0))
                        .services()
                        .get(0);
        assertEquals(new Escalation(Escalation.DEFAULT_STABLE_FOR, ladder), spec.escalation());
    }

    @Test
    void stable_for_is_read() throws Exception {
        assertEquals(
                Duration.ofSeconds(3),
                read("verify: {stable_for: 3s}").escalation().stableFor());
        assertEquals(
                Duration.ZERO, read("verify: {stable_for: 0s}").escalation().stableFor());
    }

    @ParameterizedTest(name = "{0}: {1} within {2} s")
    @CsvSource(
            delimiter = '|',
            value = {
                "escalate: [reboot] | 5 | 300",
                "critical: true | 5 | 300",
                "critical: true, escalate: [shutdown] | 5 | 300",
                "escalate: [reboot], start_limit: {count: 2, within: 1s} | 2 | 1",
                // 5 * (90 until it is late, 10 stable, 10 to stop, 33 to wait)
                "escalate: [reboot], ready: {notify: true} | 5 | 715",
                // 5 * (1 until it is ready, 10 stable, 60 to notice, 10 to stop, 33 to wait)
                "escalate: [reboot], heartbeat: {timeout: 20s} | 5 | 570",
            })
    void whoever_has_a_ladder_or_is_critical_has_a_limit_that_five_restarts_in_vain_fit_in(
            String keys, int count, long seconds) throws Exception {
        StringBuilder lines = new StringBuilder();
        for (String key : keys.split(", (?=[a-z_]+: [\\[{t])")) {
            lines.append(key).append('\n');
        }
        assertEquals(
                Optional.of(new RestartIntensity(count, Duration.ofSeconds(seconds))),
                read(lines.toString()).startLimit());
    }

    @Test
    void nobody_else_has_a_limit_by_itself() throws Exception {
        assertEquals(Optional.empty(), read("escalate: []").startLimit());
        assertEquals(Optional.empty(), read("verify: {stable_for: 1s}").startLimit());
    }
}
