package io.jsupervise.cli;

import java.util.Optional;

/**
 * Where the JVM begins. {@code run} with its plain options goes straight to the daemon: the library that reads command
 * lines would cost a tenth of its start. Everything else is for {@link CommandLines}.
 */
public final class Main {
    private Main() {}

    public static void main(String[] args) {
        Optional<RunOptions> run = RunOptions.plain(args);
        int code = run.isPresent() ? RunCommand.run(run.get()) : CommandLines.execute(args);
        System.out.flush();
        // Threads that wait for a slow disk or terminal must not hold up the end.
        Runtime.getRuntime().halt(code);
    }
}
