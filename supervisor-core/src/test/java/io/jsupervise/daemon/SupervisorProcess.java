package io.jsupervise.daemon;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A supervisor in a process of its own, so that it can be killed as the kernel kills, and its children are those of no
 * test. What it prints is what is awaited; after {@link #close} nothing of it runs any more.
 */
final class SupervisorProcess implements AutoCloseable {
    private static final String END = "\0end";
    private static final long PATIENCE_S = 20;

    private final Process process;
    private final Path socket;
    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
    private final List<String> seen = new ArrayList<>();

    private SupervisorProcess(Process process, Path socket) {
        this.process = process;
        this.socket = socket;
        Thread reader = new Thread(this::read, "supervisor-output");
        reader.setDaemon(true);
        reader.start();
    }

    /**
     * @param mark    value of a variable {@code OF_THE_TEST}, by which {@link #endAll} finds what inherited it
     * @param command put before the command line of the supervisor
     */
    static SupervisorProcess start(Path config, Path runtimeDir, String mark, String... command) throws IOException {
        List<String> line = new ArrayList<>(List.of(command));
        line.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx64m",
                "-cp",
                System.getProperty("java.class.path"),
                SupervisorMain.class.getName(),
                config.toString()));
        ProcessBuilder builder = new ProcessBuilder(line).redirectErrorStream(true);
        builder.environment().put("OF_THE_TEST", mark);
        return new SupervisorProcess(builder.start(), runtimeDir.resolve("control.sock"));
    }

    private void read() {
        try (BufferedReader in = process.inputReader(UTF_8)) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                lines.add(line);
            }
            lines.add(END);
        } catch (IOException e) {
            lines.add(END);
        }
    }

    /** The next line that holds {@code text}; those before it are passed over. */
    String await(String text) throws InterruptedException {
        while (true) {
            String line = lines.poll(PATIENCE_S, TimeUnit.SECONDS);
            if (line == null || line.equals(END)) {
                throw new AssertionError(
                        (line == null ? "no line" : "the end, and no line") + " with \"" + text + "\" after " + seen);
            }
            seen.add(line);
            if (line.contains(text)) {
                return line;
            }
        }
    }

    /** The pid in the next line that tells of a start of {@code service}. */
    long awaitStarted(String service) throws InterruptedException {
        String line = await(service + ": started, pid ");
        return Long.parseLong(line.substring(line.indexOf(", pid ") + 6));
    }

    /** Waits for the end: its exit code. */
    int awaitExit() throws InterruptedException {
        if (!process.waitFor(PATIENCE_S, TimeUnit.SECONDS)) {
            throw new AssertionError("it still runs after " + seen + lines);
        }
        return process.exitValue();
    }

    /** All that it printed up to its end. */
    String output() throws InterruptedException {
        for (String line = lines.take(); !line.equals(END); line = lines.take()) {
            seen.add(line);
        }
        lines.add(END);
        return String.join("\n", seen);
    }

    /** Sends one request: the whole response. */
    String request(String method, String target) throws IOException {
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(socket));
            String request = method + " " + target + " HTTP/1.1\r\nHost: local\r\nConnection: close\r\n"
                    + "Content-Length: 0\r\n\r\n";
            channel.write(ByteBuffer.wrap(request.getBytes(UTF_8)));
            return new String(Channels.newInputStream(channel).readAllBytes(), UTF_8);
        }
    }

    long pid() {
        return process.pid();
    }

    void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor();
    }

    /** As {@code kill -TERM} does. */
    void terminate() {
        process.destroy();
    }

    /** Kills what is left of a test that failed: all processes that inherited {@code mark}. */
    static void endAll(String mark) {
        ProcessHandle.allProcesses().forEach(process -> {
            try {
                String environment =
                        new String(Files.readAllBytes(Path.of("/proc/" + process.pid() + "/environ")), UTF_8);
                if (environment.contains("OF_THE_TEST=" + mark + "\0")) {
                    process.destroyForcibly();
                }
            } catch (IOException e) {
                // It has ended, or is not ours.
            }
        });
    }

    @Override
    public void close() {
        try {
            terminate();
            if (!process.waitFor(PATIENCE_S, TimeUnit.SECONDS)) {
                kill();
                throw new AssertionError("it did not end when asked to, after " + seen + lines);
            }
        } catch (InterruptedException e) {
            throw new UncheckedIOException(new IOException(e));
        }
    }
}
