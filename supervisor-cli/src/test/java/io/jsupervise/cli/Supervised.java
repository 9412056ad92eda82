package io.jsupervise.cli;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A real supervisor in a process of its own, run from the classes under test, and commands that ask it. */
final class Supervised {
    final Path dir;
    final Path stateDir;
    final Path runtimeDir;
    final Path socket;
    final Path log;
    private final Path services;
    private Process daemon;

    Supervised(Path dir, String yaml) throws IOException {
        this.dir = dir;
        this.stateDir = dir.resolve("state");
        this.runtimeDir = dir.resolve("run");
        this.socket = runtimeDir.resolve("control.sock");
        this.log = dir.resolve("daemon.log");
        this.services = Files.writeString(dir.resolve("services.yml"), yaml);
    }

    /** A JVM that runs our command. */
    static ProcessBuilder java(String... args) {
        List<String> command = new ArrayList<>(List.of(
                System.getProperty("java.home") + "/bin/java",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                "io.jsupervise.cli.Main"));
        command.addAll(Arrays.asList(args));
        return new ProcessBuilder(command);
    }

    void start() throws IOException, InterruptedException {
        Files.deleteIfExists(runtimeDir.resolve("supervisor.json"));
        daemon = java(
                        "run",
                        services.toString(),
                        "--state-dir",
                        stateDir.toString(),
                        "--runtime-dir",
                        runtimeDir.toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .redirectInput(new File("/dev/null"))
                .start();
        while (!Files.exists(runtimeDir.resolve("supervisor.json"))) {
            if (daemon.waitFor(20, TimeUnit.MILLISECONDS)) {
                throw new IOException("it ended with " + daemon.exitValue() + ": " + Files.readString(log));
            }
        }
    }

    /** Asks it to end, in order; its exit code. */
    int end() throws InterruptedException {
        if (daemon.isAlive()) {
            daemon.destroy();
        }
        return awaitEnd();
    }

    int awaitEnd() throws InterruptedException {
        if (!daemon.waitFor(30, TimeUnit.SECONDS)) {
            daemon.destroyForcibly().waitFor();
            throw new AssertionError("it did not end within 30 s");
        }
        return daemon.exitValue();
    }

    void kill() throws InterruptedException {
        daemon.destroyForcibly().waitFor();
    }

    long pid() {
        return daemon.pid();
    }

    /** A command with {@code --socket}, in this JVM. */
    Typed type(String... args) {
        List<String> all = new ArrayList<>(Arrays.asList(args));
        all.add("--socket");
        all.add(socket.toString());
        return Typed.run(all.toArray(new String[0]));
    }

    /** A command with {@code --socket} in a process of its own, to be read while it runs. */
    Running start(String... args) throws IOException {
        List<String> all = new ArrayList<>(Arrays.asList(args));
        all.add("--socket");
        all.add(socket.toString());
        return new Running(java(all.toArray(new String[0])).start());
    }

    /** A command that goes on. */
    static final class Running {
        final Process process;
        final BufferedReader out;

        Running(Process process) {
            this.process = process;
            this.out = process.inputReader(StandardCharsets.UTF_8);
        }

        String err() throws IOException {
            return new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        }

        /** Reads on until a line holds {@code text}: that line. */
        String until(String text) throws IOException {
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                if (line.contains(text)) {
                    return line;
                }
            }
            throw new IOException("it ended before it said " + text);
        }

        int end() throws InterruptedException {
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
                throw new AssertionError("the command goes on");
            }
            return process.exitValue();
        }
    }
}
