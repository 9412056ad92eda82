package io.jsupervise.sim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.io.Console;
import io.jsupervise.io.LogCompressor;
import io.jsupervise.io.LogRelay;
import io.jsupervise.io.LogRotation;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.os.OsException;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.ServiceName;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The supervisor is killed at each call of the relay, of a rotation, of the receipt and of the compressor, one after
 * another, each time in a new machine; the next one goes on, and in the end the logs have each byte that was written
 * once and in order. Half of all writes take fewer bytes than asked, so that calls are also interrupted in the middle,
 * and the relay works on between the calls of the compressor.
 */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class RelayKillTest {
    private static final Optional<MonotonicTime> AT_ONCE = Optional.of(MonotonicTime.BOOT);
    private static final Path FIFOS = Path.of("/state/fifo");
    private static final Path LOGS = Path.of("/state/logs");
    private static final int STAMP = "2026-11-21T07:00:36.123Z ".length();
    private static final long NEVER = 1L << 40;

    /** What one service writes to one FIFO, and the log where that should be. */
    private record Stream(String fifo, Path log, byte[] text, boolean stamped, int maxFiles) {}

    /**
     * Services and what they write.
     *
     * @param complete whether all that was written is kept, or the oldest files are removed
     */
    private record Scenario(String name, Map<ServiceName, LogSpec> services, List<Stream> streams, boolean complete) {
        @Override
        public String toString() {
            return name;
        }
    }

    // ---- scenarios ----

    static List<Scenario> scenarios() {
        List<Scenario> all = new ArrayList<>();
        all.add(one("plain", spec(1 << 20, 50, false, false, false), lines(1, 30_000, 300)));
        all.add(one("rotated", spec(4096, 50, false, false, false), lines(2, 40_000, 300)));
        all.add(one("rotated at 64 KiB", spec(70_000, 50, false, false, false), lines(3, 150_000, 2000)));
        all.add(one("compressed", spec(4096, 50, true, false, false), lines(4, 30_000, 300)));
        all.add(one("time stamps", spec(4096, 50, false, true, false), lines(5, 30_000, 300)));
        all.add(one("time stamps, compressed", spec(4096, 50, true, true, false), lines(6, 20_000, 300)));
        all.add(one("console", spec(4096, 50, false, false, true), lines(7, 30_000, 300)));
        all.add(one("console, time stamps", spec(4096, 50, false, true, true), lines(8, 30_000, 300)));
        all.add(one("endless line", spec(4096, 50, false, false, false), endless(1_070_000)));
        all.add(one("endless line with time stamps", spec(4096, 50, false, true, false), endless(1_070_000)));
        all.add(one("oldest removed", spec(4096, 3, false, false, false), lines(9, 40_000, 300)));
        all.add(one("oldest removed, compressed", spec(4096, 3, true, false, false), lines(10, 30_000, 300)));
        all.add(one("none kept", spec(4096, 0, false, true, false), lines(11, 30_000, 300)));
        all.add(twoStreams());
        all.add(together());
        return all;
    }

    private static Scenario one(String name, LogSpec.ToFile spec, byte[] text) {
        Stream stream = new Stream("web.out", spec.file(), text, spec.timestamps(), spec.maxFiles());
        return new Scenario(name, Map.of(new ServiceName("web"), spec), List.of(stream), spec.maxFiles() > 10);
    }

    private static Scenario twoStreams() {
        return twoStreams(true);
    }

    private static Scenario twoStreams(boolean stamped) {
        Path errors = LOGS.resolve("web.err.log");
        LogSpec.ToFile spec = new LogSpec.ToFile(
                LOGS.resolve("web.log"), new LogSpec.Stderr.ToFile(errors), 4096, 50, false, stamped, false, 1 << 16);
        return new Scenario(
                "standard error apart",
                Map.of(new ServiceName("web"), spec),
                List.of(
                        new Stream("web.out", spec.file(), lines(12, 12_000, 300), stamped, 50),
                        new Stream("web.err", errors, lines(13, 12_000, 300), stamped, 50)),
                true);
    }

    private static Scenario together() {
        Path other = LOGS.resolve("other.log");
        LogSpec.ToFile web = spec(4096, 50, false, true, false);
        LogSpec.ToFile plain =
                new LogSpec.ToFile(other, new LogSpec.Stderr.Merge(), 4096, 50, true, false, false, 1 << 16);
        return new Scenario(
                "two services",
                Map.of(new ServiceName("web"), web, new ServiceName("other"), plain),
                List.of(
                        new Stream("web.out", web.file(), lines(14, 12_000, 300), true, 50),
                        new Stream("other.out", other, lines(15, 12_000, 300), false, 50)),
                true);
    }

    private static LogSpec.ToFile spec(
            long maxSize, int maxFiles, boolean compress, boolean timestamps, boolean console) {
        return new LogSpec.ToFile(
                LOGS.resolve("web.log"),
                new LogSpec.Stderr.Merge(),
                maxSize,
                maxFiles,
                compress,
                timestamps,
                console,
                1 << 16);
    }

    private static byte[] lines(long seed, int bytes, int longest) {
        Random random = new Random(seed);
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        for (int line = 0; text.size() < bytes; line++) {
            text.writeBytes((line + " ").getBytes(StandardCharsets.US_ASCII));
            for (int rest = random.nextInt(longest); rest > 0; rest--) {
                text.write('a' + random.nextInt(26));
            }
            text.write('\n');
        }
        return text.toByteArray();
    }

    /** In which each place differs from its neighbours. */
    private static byte[] endless(int bytes) {
        byte[] text = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            text[i] = (byte) ('0' + (i ^ i / 75 ^ i / 5000) % 75);
        }
        text[bytes - 1] = '\n';
        return text;
    }

    // ---- one machine ----

    private static final class Machine {
        private final Scenario scenario;
        private final SimulatedOs os = new SimulatedOs(new World());
        private final int[] written;
        private final Random chunks = new Random(99);
        private Map<ServiceName, LogSpec> services;
        private Optional<LogSpec> afterwards = Optional.empty();
        private LogCompressor compressor;
        private Optional<LogRotation> compressing = Optional.empty();
        private LogRelay relay;
        private boolean relaysInBetween;
        private int kills;

        Machine(Scenario scenario) throws OsException {
            this.scenario = scenario;
            this.services = scenario.services;
            this.written = new int[scenario.streams.size()];
            os.mkdir(Path.of("/state"), 0755);
            os.mkdir(FIFOS, 0755);
            for (Stream stream : scenario.streams) {
                os.mkfifo(FIFOS.resolve(stream.fifo), 0600);
                // Somebody holds it open, so that what is in it survives us.
                String path = FIFOS.resolve(stream.fifo).toString();
                os.processes.spawn(Map.of(SimulatedOs.STDOUT, path), Program.steady());
            }
            os.faults(Faults.interruptions(os.world, 7));
        }

        /** Supervisors, the next always after the death of the one before, until all is in the logs. */
        void run(long... killIns) throws OsException {
            for (long killIn : killIns) {
                os.killDaemonIn(killIn);
                try {
                    supervise();
                    return;
                } catch (DaemonKilled e) {
                    kills++;
                    os.daemonDied();
                    relaysInBetween = false;
                    afterwards.ifPresent(spec -> services = Map.of(new ServiceName("web"), spec));
                }
            }
            supervise();
        }

        /** The first supervisor removes the services; those after it find them in no services file. */
        void runWithRemoval(long... killIns) throws OsException {
            for (int i = 0; i < written.length; i++) {
                Stream stream = scenario.streams.get(i);
                written[i] = os.writeInto(FIFOS.resolve(stream.fifo), stream.text, 0, stream.text.length);
                assertEquals(stream.text.length, written[i], "it all waits");
            }
            for (long killIn : killIns) {
                os.killDaemonIn(killIn);
                try {
                    remove();
                    return;
                } catch (DaemonKilled e) {
                    kills++;
                    os.daemonDied();
                }
            }
            remove();
        }

        private void remove() throws OsException {
            open();
            for (Map.Entry<ServiceName, LogSpec> service : services.entrySet()) {
                if (kills == 0) {
                    relay.prepare(service.getKey(), service.getValue());
                    relay.remove(service.getKey());
                } else {
                    Path log = ((LogSpec.ToFile) service.getValue()).file();
                    relay.finish(service.getKey(), LogSpec.ToFile.keepingAll(log));
                }
            }
            relay.turn(AT_ONCE);
            for (Stream stream : scenario.streams) {
                assertEquals(Optional.empty(), os.disk.find(FIFOS.resolve(stream.fifo)));
            }
        }

        private void supervise() throws OsException {
            open();
            for (Map.Entry<ServiceName, LogSpec> service : services.entrySet()) {
                relay.prepare(service.getKey(), service.getValue());
            }
            boolean more = true;
            while (more) {
                more = write();
                relay.turn(AT_ONCE);
                more |= isSomethingLeft();
                if (compressor.nextStep().isPresent()) {
                    compress();
                }
            }
        }

        private void open() throws OsException {
            compressor = new LogCompressor(failure -> {
                throw new AssertionError(failure);
            });
            Console console = new Console(OutputStream.nullOutputStream(), () -> {});
            relay = new LogRelay(
                    os,
                    FIFOS,
                    Optional.of(console),
                    5,
                    notice -> {
                        throw new AssertionError(notice);
                    },
                    rotation -> {
                        compressing = Optional.of(rotation);
                        compressor.compress(rotation);
                    });
        }

        /** What fits of the next portion; false where all was written. */
        private boolean write() {
            boolean more = false;
            for (int i = 0; i < written.length; i++) {
                Stream stream = scenario.streams.get(i);
                int left = stream.text.length - written[i];
                int some = Math.min(left, 1 + chunks.nextInt(Math.max(6000, stream.text.length / 10)));
                written[i] += os.writeInto(FIFOS.resolve(stream.fifo), stream.text, written[i], some);
                more |= written[i] < stream.text.length;
            }
            return more;
        }

        private boolean isSomethingLeft() {
            for (Stream stream : scenario.streams) {
                if (os.disk.find(FIFOS.resolve(stream.fifo)).orElseThrow().fifo.size() > 0) {
                    return true;
                }
            }
            return false;
        }

        /** The compressor's thread, between the calls of which the relay's goes on. */
        private void compress() {
            int[] calls = {0};
            os.callerMayWait(time -> {
                boolean locked = Thread.holdsLock(compressing.orElseThrow());
                if (++calls[0] % 3 == 0 && !locked && !relaysInBetween) {
                    relaysInBetween = true;
                    write();
                    relay.turn(AT_ONCE);
                    relaysInBetween = false;
                }
            });
            compressor.step();
            os.callerNeverWaits();
        }

        long calls() {
            return os.calls();
        }

        // ---- what is there in the end ----

        void check(String when) {
            for (Stream stream : scenario.streams) {
                check(stream, when);
            }
        }

        private void check(Stream stream, String when) {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            int files = 0;
            for (int number = 60; number >= 0; number--) {
                Optional<byte[]> text = file(stream, number);
                if (text.isPresent()) {
                    files += number > 0 ? 1 : 0;
                    all.writeBytes(stream.stamped ? withoutStamps(text.get(), when) : text.get());
                    endsWithLine(stream, number, text.get(), when);
                }
            }
            byte[] got = all.toByteArray();
            if (scenario.complete) {
                assertArrayEquals(stream.text, got, when);
                return;
            }
            int from = stream.text.length - got.length;
            assertArrayEquals(Arrays.copyOfRange(stream.text, from, stream.text.length), got, when);
            // Killed between the removal of the oldest file and the renaming of the next, it has one fewer.
            assertTrue(files == stream.maxFiles || files == stream.maxFiles - 1, files + " files, " + when);
        }

        private static void endsWithLine(Stream stream, int number, byte[] text, String when) {
            boolean oneLine = stream.text.length > 1_000_000;
            if (!oneLine && text.length > 0) {
                assertEquals('\n', text[text.length - 1], stream.log + "." + number + ", " + when);
            }
        }

        private Optional<byte[]> file(Stream stream, int number) {
            Path plain = number == 0 ? stream.log : stream.log.resolveSibling(stream.log.getFileName() + "." + number);
            Optional<CrashDisk.Node> packed = os.disk.find(plain.resolveSibling(plain.getFileName() + ".gz"));
            if (packed.isPresent() && number > 0) {
                // Where both forms are there, they hold the same.
                byte[] text = unpacked(os.disk.content(packed.get()));
                os.disk.find(plain).ifPresent(twin -> assertArrayEquals(os.disk.content(twin), text));
                return Optional.of(text);
            }
            return os.disk.find(plain).map(os.disk::content);
        }

        private static byte[] unpacked(byte[] gzip) {
            try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(gzip))) {
                return in.readAllBytes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private byte[] withoutStamps(byte[] text, String when) {
            ByteArrayOutputStream lines = new ByteArrayOutputStream();
            boolean start = true;
            int at = 0;
            while (at < text.length) {
                if (start && (afterwards.isEmpty() || isStamp(text, at))) {
                    assertTrue(
                            at + STAMP < text.length && text[at + STAMP - 2] == 'Z', "no time at " + at + ", " + when);
                    at += STAMP;
                }
                lines.write(text[at]);
                start = text[at] == '\n';
                at++;
            }
            return lines.toByteArray();
        }
    }

    private static boolean isStamp(byte[] text, int at) {
        return at + STAMP < text.length && text[at + 4] == '-' && text[at + 10] == 'T' && text[at + STAMP - 2] == 'Z';
    }

    // ---- kills ----

    @ParameterizedTest
    @MethodSource("scenarios")
    void killed_at_any_call_the_logs_have_each_byte_once(Scenario scenario) throws OsException {
        Machine unhurt = new Machine(scenario);
        long before = unhurt.calls();
        unhurt.run(NEVER);
        unhurt.check("without a kill");
        long calls = unhurt.calls() - before;
        assertTrue(calls > 50, "only " + calls + " calls");
        for (long call = 1; call <= calls; call++) {
            Machine machine = new Machine(scenario);
            machine.run(call);
            assertEquals(1, machine.kills);
            machine.check("killed at call " + call);
        }
    }

    /** The second supervisor is killed while it takes up what the first left. */
    @ParameterizedTest
    @MethodSource("scenarios")
    void killed_again_at_any_call_of_taking_over_the_logs_have_each_byte_once(Scenario scenario) throws OsException {
        Machine unhurt = new Machine(scenario);
        long before = unhurt.calls();
        unhurt.run(NEVER);
        long calls = unhurt.calls() - before;
        boolean large = scenario.streams.get(0).text.length > 100_000;
        long step = Math.max(1, calls / (large ? 2 : 15));
        for (long call = step; call <= calls; call += step) {
            for (long again = 1; again <= 40; again++) {
                Machine machine = new Machine(scenario);
                machine.run(call, again, 41 - again);
                machine.check("killed at call " + call + ", then at call " + again + ", then at " + (41 - again));
            }
        }
    }

    @ParameterizedTest(name = "standard error apart: {0}")
    @ValueSource(booleans = {false, true})
    void killed_at_any_call_of_a_removal_the_last_words_are_in_the_log_and_no_fifo_is_left(boolean apart)
            throws OsException {
        Scenario scenario =
                apart ? twoStreams(false) : one("plain", spec(4096, 50, false, false, false), lines(17, 12_000, 300));
        Machine unhurt = new Machine(scenario);
        long before = unhurt.calls();
        unhurt.runWithRemoval(NEVER);
        unhurt.check("without a kill");
        long calls = unhurt.calls() - before;
        assertTrue(calls > 20, "only " + calls + " calls");
        for (long call = 1; call <= calls; call++) {
            for (long again : new long[] {NEVER, 3, 8, 13, 18, 23, 28, 33}) {
                Machine machine = new Machine(scenario);
                machine.runWithRemoval(call, again);
                assertTrue(machine.kills > 0);
                machine.check("killed at call " + call + ", then at " + again);
            }
        }
    }

    @Test
    void a_service_that_comes_back_before_its_fifo_is_removed_keeps_it() throws OsException {
        Machine machine = new Machine(one("plain", spec(1 << 20, 50, false, false, false), lines(18, 5_000, 300)));
        ServiceName web = new ServiceName("web");
        machine.open();
        machine.relay.prepare(web, machine.services.get(web));
        machine.relay.remove(web);
        machine.relay.prepare(web, machine.services.get(web));
        machine.supervise();
        machine.check("after it came back");
        assertTrue(machine.os.disk.find(FIFOS.resolve("web.out")).isPresent());
    }

    /** Whoever kills a supervisor to have it read another configuration loses nothing either. */
    @ParameterizedTest(name = "time stamps before {0}, after {1}, then {2} bytes a file")
    @CsvSource({"true, false, 4096", "false, true, 4096", "true, true, 65536", "true, true, 5000"})
    void killed_and_configured_anew_the_logs_have_each_byte_once(boolean before, boolean after, long size)
            throws OsException {
        long firstSize = size == 5000 ? 65536 : 4096;
        Scenario scenario = one("changed", spec(firstSize, 50, false, before, false), lines(16, 25_000, 300));
        Scenario stamped = new Scenario(
                "changed",
                scenario.services,
                List.of(new Stream("web.out", scenario.streams.get(0).log, scenario.streams.get(0).text, true, 50)),
                true);
        int kills = 1;
        for (long call = 1; kills == 1; call++) {
            Machine machine = new Machine(stamped);
            machine.afterwards = Optional.of(spec(size, 50, false, after, false));
            machine.run(call);
            machine.check("killed at call " + call);
            kills = machine.kills;
            assertTrue(kills == 1 || call > 50, "only " + call + " calls");
        }
    }
}
