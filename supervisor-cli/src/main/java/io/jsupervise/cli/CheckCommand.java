package io.jsupervise.cli;

import io.jsupervise.config.ConfigException;
import io.jsupervise.config.ConfigSummary;
import io.jsupervise.os.linux.LinuxOs;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code jsupervise check}: what is wrong with a services file, or what it would run. */
@Command(name = "check", description = "Check a services file: print its problems, or what it would run.")
final class CheckCommand implements Callable<Integer> {
    @Parameters(paramLabel = "FILE", description = "The services file.")
    private Path file;

    @Override
    public Integer call() {
        try {
            RunOptions options = new RunOptions(Optional.of(file), Optional.empty(), Optional.empty(), false);
            System.out.print(ConfigSummary.of(ConfigLoading.load(options, LinuxOs::new)));
            return ExitCode.DONE;
        } catch (ConfigException e) {
            System.err.println(e.getMessage());
            return e.lacksRightsOnly() ? ExitCode.NOT_PERMITTED : ExitCode.CONFIG;
        }
    }
}
