package io.jsupervise.sim;

import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.LogSpec;
import io.jsupervise.spec.ServiceSpec;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * Promise 5: each byte that went into the FIFO of a service is in its log or still in the FIFO, once and in order,
 * whenever nobody is at work; in the end all of it is in the log. What a FIFO loses because nobody has it open any more
 * is not counted, and a power cut ends the watch: logs are not synced.
 *
 * <p>For logs without time stamps, kept in more rotated files than are needed here.
 */
final class LogWatch {
    private final SimulatedOs os;
    private final Map<Path, Written> byFifo = new HashMap<>();
    private boolean watches = true;

    private static final class Written {
        final Path log;
        byte[] bytes = new byte[1024];
        int size;

        Written(Path log) {
            this.log = log;
        }

        void add(byte[] more, int count) {
            if (size + count > bytes.length) {
                bytes = Arrays.copyOf(bytes, 2 * (size + count));
            }
            System.arraycopy(more, 0, bytes, size, count);
            size += count;
        }
    }

    LogWatch(SimulatedOs os, Configuration configuration) {
        this.os = os;
        Path fifos = configuration.supervisor().stateDir().resolve("fifo");
        for (ServiceSpec service : configuration.services()) {
            if (service.log() instanceof LogSpec.ToFile log && !log.timestamps()) {
                byFifo.put(fifos.resolve(service.name() + ".out"), new Written(log.file()));
            }
        }
    }

    void wrote(Path fifo, byte[] bytes, int count) {
        if (watches && byFifo.containsKey(fifo)) {
            byFifo.get(fifo).add(bytes, count);
        }
    }

    void contentLost(Path fifo, int count) {
        if (watches && byFifo.containsKey(fifo)) {
            byFifo.get(fifo).size -= count;
        }
    }

    /** Output was dropped, and that was told. */
    void excused() {
        watches = false;
    }

    void powerGoes() {
        watches = false;
    }

    void daemonIsDead() {
        byFifo.forEach((fifo, written) -> check(fifo, written, "after a kill"));
    }

    void afterEnd() {
        byFifo.forEach((fifo, written) -> check(fifo, written, "in the end"));
        byFifo.forEach((fifo, written) -> {
            if (watches && os.disk.find(fifo).map(node -> node.fifo.size()).orElse(0) > 0) {
                throw new Violation("promise 5", "there still is output in " + fifo + " in the end");
            }
        });
    }

    private void check(Path fifo, Written written, String when) {
        if (!watches || written.size == 0) {
            return;
        }
        ByteArrayOutputStream found = new ByteArrayOutputStream();
        int oldest = 1;
        while (os.disk.find(rotated(written.log, oldest)).isPresent()
                || os.disk.find(rotated(written.log, oldest + 1)).isPresent()) {
            oldest++;
        }
        for (int number = oldest; number >= 0; number--) {
            os.disk.find(rotated(written.log, number)).ifPresent(node -> found.writeBytes(os.disk.content(node)));
        }
        os.disk.find(fifo).ifPresent(node -> {
            byte[] waiting = new byte[node.fifo.size()];
            node.fifo.peek(waiting, 0, waiting.length);
            found.writeBytes(waiting);
        });
        byte[] all = found.toByteArray();
        if (!Arrays.equals(all, 0, all.length, written.bytes, 0, written.size)) {
            int same = Arrays.mismatch(all, 0, all.length, written.bytes, 0, written.size);
            throw new Violation(
                    "promise 5",
                    "of " + written.size + " bytes that were written to " + fifo + ", " + all.length + " are there "
                            + when + ", and from byte " + same + " on they differ: \""
                            + around(all, all.length, same) + "\" for \"" + around(written.bytes, written.size, same)
                            + "\"");
        }
    }

    private static String around(byte[] bytes, int size, int at) {
        int from = Math.max(0, at - 20);
        return new String(bytes, from, Math.max(0, Math.min(size, at + 60) - from), StandardCharsets.UTF_8);
    }

    private static Path rotated(Path log, int number) {
        return number == 0 ? log : log.resolveSibling(log.getFileName() + "." + number);
    }
}
