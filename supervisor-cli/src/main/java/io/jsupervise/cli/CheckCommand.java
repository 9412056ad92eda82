package io.jsupervise.cli;

import io.jsupervise.config.ConfigException;
import io.jsupervise.config.ConfigSummary;
import io.jsupervise.json.JsonException;
import io.jsupervise.os.linux.LinuxOs;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jsupervise check}: what is wrong with a services file, what it would run, or what a reload of it would do. */
@Command(
        name = "check",
        description = "Check a services file: print its problems, or what it would run.",
        footer = {
            "",
            "A command that the user of its service is not permitted to execute is 78 here, while run would try it again.",
            "A hook that cannot be executed by now is a warning on standard error: it may be put in place before it is wanted.",
            "With --diff the supervisor that runs is asked: it reads FILE itself, with the options that it was started",
            "with, and changes nothing. Without one that is 69."
        })
final class CheckCommand extends Client {
    @Parameters(paramLabel = "FILE", description = "The services file.")
    private Path file;

    @Option(names = "--diff", description = "Show what a reload of FILE would do to the running supervisor.")
    private boolean diff;

    @Override
    boolean asks() {
        return diff;
    }

    @Override
    boolean hasJson() {
        return diff;
    }

    @Override
    public Integer call() throws CommandException {
        if (diff) {
            return showDiff();
        }
        try {
            RunOptions options = new RunOptions(Optional.of(file), Optional.empty(), Optional.empty(), false);
            System.out.print(ConfigSummary.of(ConfigLoading.check(options, LinuxOs::new, System.err::println)));
            return ExitCode.DONE;
        } catch (ConfigException e) {
            System.err.println(e.getMessage());
            return e.lacksRightsOnly() ? ExitCode.NOT_PERMITTED : ExitCode.CONFIG;
        }
    }

    private int showDiff() throws CommandException {
        String path = file.toAbsolutePath().normalize().toString();
        ControlClient.Response response = connection().client().post("/v1/reload?dry_run=true&file=" + encoded(path));
        if (global().json && response.isGood()) {
            print(response);
            return ExitCode.DONE;
        }
        try {
            System.out.print(ReloadLines.of(json(response)));
            return ExitCode.DONE;
        } catch (JsonException e) {
            throw notUnderstood(e);
        }
    }
}
