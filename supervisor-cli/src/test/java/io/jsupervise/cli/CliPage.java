package io.jsupervise.cli;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** docs/cli.md, made from the model that also reads the command line. */
final class CliPage {
    private final StringBuilder page = new StringBuilder();

    static String text() {
        return new CliPage().write(CommandLines.commandLine());
    }

    private String write(CommandLine jsupervise) {
        page.append(
                """
                # Command line

                Made from the command itself; `jsupervise --help` and `jsupervise COMMAND --help` say the same.

                `run` is the supervisor. `check` needs none. All others ask a running one through its [control socket](control.md); when it is dead, `status`, `logs`
                and `events` read what it left in its state directory, and say so first, on standard error. That directory is named by `supervisor.json` beside the socket,
                or by `--state-dir`; where neither is there, as after a boot, it is the default one, unless a socket was named. A service that was never started nor
                commanded has left nothing there. `status` also looks which of the recorded processes still run, each known by boot, pid and start time, and calls GONE
                what has ended since; [control](control.md#without-a-supervisor) has the JSON. With `-f`, `logs` and `events` go on with what the next supervisor writes.

                ## Options of all commands

                They may stand before or after the name of the command.

                """);
        CommandSpec all = jsupervise.getCommandSpec();
        options(all.options());
        page.append(
                """

                The socket is the one of `--socket`, else of `$JSUPERVISE_SOCKET` (unless `--name` is given), else the default of `--name`: `control.sock` in the
                default `runtime_dir`, or in its subdirectory NAME.

                ## Exit codes

                | code | meaning |
                |---|---|
                | 0 | done |
                | 1 | asked for, but not reached |
                | 3 | `status NAME`: a service that was named is not running |
                | 4 | no such service |
                | 64 | the command line is wrong |
                | 69 | no supervisor at the socket, or it went away |
                | 70 | a bug of jsupervise |
                | 74 | files cannot be read or written |
                | 75 | `run`: another supervisor holds this state directory |
                | 77 | not permitted |
                | 78 | the services file is wrong; nothing was started |

                Results are on standard output, everything about failure on standard error.
                """);
        for (CommandLine command : jsupervise.getSubcommands().values()) {
            command(command);
        }
        return page.toString();
    }

    private void command(CommandLine command) {
        CommandSpec spec = command.getCommandSpec();
        page.append("\n## ").append(spec.name()).append("\n\n");
        page.append(String.join(" ", spec.usageMessage().description())).append("\n\n");
        page.append("```\n").append(synopsis(spec)).append("\n```\n");
        List<OptionSpec> own = new ArrayList<>(spec.options());
        own.removeIf(OptionSpec::inherited);
        if (!own.isEmpty() || !spec.positionalParameters().isEmpty()) {
            page.append('\n');
            table();
            for (PositionalParamSpec parameter : spec.positionalParameters()) {
                row(parameter.paramLabel(), parameter);
            }
            rows(own);
        }
        String footer = String.join(" ", spec.usageMessage().footer()).strip();
        if (!footer.isEmpty()) {
            page.append('\n').append(footer).append('\n');
        }
    }

    private static String synopsis(CommandSpec spec) {
        StringBuilder text = new StringBuilder(spec.qualifiedName());
        for (OptionSpec option : spec.options()) {
            if (!option.inherited()) {
                text.append(" [").append(names(option)).append(']');
            }
        }
        for (PositionalParamSpec parameter : spec.positionalParameters()) {
            String label = parameter.paramLabel() + (parameter.isMultiValue() ? "..." : "");
            boolean optional = parameter.arity().min() == 0;
            text.append(' ').append(optional ? "[" + label + "]" : label);
        }
        return text.toString();
    }

    private void options(List<OptionSpec> options) {
        table();
        rows(options);
    }

    private void table() {
        page.append("| | |\n|---|---|\n");
    }

    private void rows(List<OptionSpec> options) {
        List<OptionSpec> sorted = new ArrayList<>(options);
        sorted.sort(Comparator.comparing(OptionSpec::longestName));
        sorted.forEach(option -> row(names(option), option));
    }

    private void row(String name, ArgSpec what) {
        String description =
                String.join(" ", what.description()).replace("${DEFAULT-VALUE}", String.valueOf(what.defaultValue()));
        page.append("| `").append(name).append("` | ").append(description).append(" |\n");
    }

    private static String names(OptionSpec option) {
        String names = String.join(", ", option.names());
        return option.arity().max() == 0 ? names : names + " " + option.paramLabel();
    }
}
