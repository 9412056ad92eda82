package io.jsupervise.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.os.Errno;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.linux.LinuxOs;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import jnr.unixsocket.UnixDatagramChannel;
import jnr.unixsocket.UnixSocketAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the service manager that started us gets, over a real socket. */
@Timeout(value = 20, unit = TimeUnit.SECONDS)
class ServiceManagerLinuxTest {
    @TempDir
    Path dir;

    private final Os os = new LinuxOs();
    private final List<OsException> failures = new ArrayList<>();

    @Test
    void a_message_arrives_as_it_was_sent() throws IOException {
        Path socket = dir.resolve("notify");
        try (UnixDatagramChannel manager = UnixDatagramChannel.open()) {
            manager.bind(new UnixSocketAddress(socket.toFile()));
            ServiceManager.of(os, Map.of("NOTIFY_SOCKET", socket.toString()), failures::add)
                    .orElseThrow()
                    .tell("READY=1\nSTATUS=up");
            ByteBuffer message = ByteBuffer.allocate(100);
            manager.receive(message);
            message.flip();
            assertEquals(
                    "READY=1\nSTATUS=up", StandardCharsets.UTF_8.decode(message).toString());
        }
        assertEquals(List.of(), failures);
    }

    @Test
    void a_manager_that_went_is_complained_of_once() {
        ServiceManager manager = ServiceManager.of(
                        os, Map.of("NOTIFY_SOCKET", dir.resolve("gone").toString()), failures::add)
                .orElseThrow();
        manager.tell("WATCHDOG=1");
        manager.tell("WATCHDOG=1");
        assertEquals(1, failures.size());
        assertEquals(Errno.ENOENT, failures.get(0).errno());
    }

    @ParameterizedTest
    @CsvSource({
        "3000000, , 3000",
        "3000000, own, 3000",
        "3000000, 1, ",
        "0, , ",
        "-5, , ",
        "soon, , ",
        ", , ",
        "9223372036854775807, , "
    })
    void only_a_watchdog_that_is_meant_for_us_counts(String micros, String pid, Long millis) {
        Map<String, String> environment = new HashMap<>(Map.of("NOTIFY_SOCKET", "@abstract"));
        if (micros != null) {
            environment.put("WATCHDOG_USEC", micros);
        }
        if (pid != null) {
            environment.put("WATCHDOG_PID", pid.equals("own") ? os.self().pid().toString() : pid);
        }
        Optional<Duration> known = ServiceManager.of(os, environment, failures::add)
                .orElseThrow()
                .manager()
                .watchdog();
        assertEquals(Optional.ofNullable(millis).map(Duration::ofMillis), known);
    }

    @Test
    void without_a_socket_there_is_nobody_to_tell() {
        for (Map<String, String> environment : List.<Map<String, String>>of(
                Map.of(),
                Map.of("NOTIFY_SOCKET", ""),
                Map.of("NOTIFY_SOCKET", "relative"),
                Map.of("NOTIFY_SOCKET", "@"))) {
            assertTrue(ServiceManager.of(os, environment, failures::add).isEmpty(), environment.toString());
        }
    }
}
