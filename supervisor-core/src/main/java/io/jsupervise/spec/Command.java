package io.jsupervise.spec;

import java.util.List;

/**
 * The argument vector of a program. The first element is looked up in the service's own PATH unless it holds a
 * slash. A command that asked for a shell is already {@code /bin/sh -c TEXT} here.
 */
public record Command(List<String> argv) {
    public Command {
        argv = List.copyOf(argv);
        if (argv.isEmpty() || argv.get(0).isEmpty()) {
            throw new IllegalArgumentException("a command needs a program");
        }
        for (String argument : argv) {
            if (argument.indexOf('\0') >= 0) {
                throw new IllegalArgumentException("an argument holds a NUL character");
            }
        }
    }

    public static Command of(String... argv) {
        return new Command(List.of(argv));
    }

    public String program() {
        return argv.get(0);
    }
}
