package io.jsupervise.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.RestartIntensity;
import io.jsupervise.spec.WatchdogSpec;
import io.jsupervise.spec.WatchdogSpec.RebootLimit;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code supervisor.watchdog} may say, and what a command line makes of it. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class WatchdogReaderTest {
    private static final String SERVICES = "services: {web: {command: run}}\n";

    @Test
    void nothing_said_is_no_watchdog() throws ConfigException {
        assertEquals(Optional.empty(), read("", Optional.empty()));
    }

    @Test
    void an_empty_map_is_the_standard_one() throws ConfigException {
        assertEquals(
                Optional.of(WatchdogSpec.of(Path.of("/dev/watchdog"))),
                read("supervisor: {watchdog: {}}\n", Optional.empty()));
    }

    @Test
    void a_quarter_of_the_timeout_is_the_interval() throws ConfigException {
        WatchdogSpec spec = read("supervisor: {watchdog: {device: watchdog1, timeout: 10s}}\n", Optional.empty())
                .orElseThrow();
        assertEquals(Path.of("/dev/watchdog1"), spec.device());
        assertEquals(Duration.ofMillis(2500), spec.interval());
    }

    @Test
    void all_that_is_said_is_read() throws ConfigException {
        assertEquals(
                Optional.of(new WatchdogSpec(
                        Path.of("/dev/w"),
                        Duration.ofSeconds(30),
                        Duration.ofSeconds(5),
                        Duration.ofSeconds(3),
                        new RebootLimit(2, Duration.ofMinutes(10)))),
                read(
                        "supervisor: {watchdog: {device: /dev/w, timeout: 30s, interval: 5s, pretimeout: 3s,"
                                + " reboot_limit: {count: 2, within: 10m}}}\n",
                        Optional.empty()));
    }

    @Test
    void the_command_line_names_a_device_with_and_without_a_section() throws ConfigException {
        Optional<Path> named = Optional.of(Path.of("/dev/other"));
        assertEquals(Optional.of(WatchdogSpec.of(Path.of("/dev/other"))), read("", named));
        WatchdogSpec spec =
                read("supervisor: {watchdog: {timeout: 10s}}\n", named).orElseThrow();
        assertEquals(Path.of("/dev/other"), spec.device());
        assertEquals(Duration.ofSeconds(10), spec.timeout());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "timeout: 1500ms | timeout is no whole number of seconds",
                "timeout: 0s | timeout is 0 s",
                "timeout: 1d | timeout is 86400 s",
                "timeout: 10s, interval: 5s | interval is not less than half its timeout",
                "timeout: 10s, interval: 0s | interval must be longer than zero",
                "timeout: 10s, pretimeout: 10s | pretimeout is not less than its timeout",
                "pretimeout: 100ms | pretimeout is no whole number of seconds",
                "timout: 10s | did you mean \"timeout\"",
                "reboot_limit: {count: 0} | count",
                "reboot_limit: {within: 0s} | within must be longer than zero",
                "device: [a] | device"
            })
    void a_mistake_is_told(String section, String words) {
        ConfigException refused = assertThrows(
                ConfigException.class, () -> read("supervisor: {watchdog: {" + section + "}}\n", Optional.empty()));
        assertEquals(1, refused.problems().size(), refused.getMessage());
        assertTrue(refused.getMessage().contains(words), refused.getMessage());
    }

    @Test
    void a_critical_service_is_given_up_some_day() throws ConfigException {
        Configuration critical = config("services: {web: {command: run, critical: true}}\n", Optional.empty());
        assertEquals(
                Optional.of(new RestartIntensity(5, Duration.ofMinutes(5))),
                critical.services().get(0).startLimit());
        Configuration own =
                config("services: {web: {command: run, critical: true, start_limit: {count: 9}}}\n", Optional.empty());
        assertEquals(9, own.services().get(0).startLimit().orElseThrow().count());
        assertTrue(own.services().get(0).critical());
    }

    @Test
    void all_mistakes_are_told_at_once() {
        ConfigException refused = assertThrows(
                ConfigException.class,
                () -> read(
                        "supervisor: {watchdog: {timeout: 0s, interval: 50s, pretimeout: 90s, reboot_limit: {count: 0}}}\n",
                        Optional.empty()));
        assertEquals(4, refused.problems().size(), refused.getMessage());
    }

    private static Optional<WatchdogSpec> read(String text, Optional<Path> named) throws ConfigException {
        return config(text + SERVICES, named).supervisor().watchdog();
    }

    private static Configuration config(String text, Optional<Path> named) throws ConfigException {
        Surroundings around =
                new Surroundings(0, Path.of("/root"), Map.of(), Optional.empty(), Optional.empty(), named);
        return ConfigReader.read(MemoryFiles.MAIN, MemoryFiles.of(text), around, new KnownMachine(0));
    }
}
