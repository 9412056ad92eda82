package io.jsupervise.cli;

import io.jsupervise.config.ConfigException;
import io.jsupervise.daemon.Daemon;
import io.jsupervise.daemon.DaemonException;
import io.jsupervise.daemon.ServicesFile;
import io.jsupervise.os.linux.LinuxOs;
import io.jsupervise.spec.Configuration;
import java.util.Optional;

/** {@code jsupervise run}: the daemon itself, in the foreground. */
final class RunCommand {
    private RunCommand() {}

    /** Until everything was stopped; the exit code. */
    static int run(RunOptions options) {
        try {
            KernelLoading kernel = KernelLoading.begin();
            Configuration configuration = ConfigLoading.load(options, kernel::os);
            LinuxOs os = kernel.os();
            Daemon.Options more = new Daemon.Options(
                    Version.text(), options.stay(), EventLogger::log, again(options, configuration, os));
            return codeOf(Daemon.run(os, os.signals(), configuration, more));
        } catch (ConfigException e) {
            System.err.println(e.getMessage());
            System.err.println(
                    "jsupervise: nothing was started: " + count(e.problems().size()));
            return e.lacksRightsOnly() ? ExitCode.NOT_PERMITTED : ExitCode.CONFIG;
        } catch (DaemonException e) {
            System.err.println("jsupervise: " + e.getMessage());
            return e.exitCode();
        } catch (RuntimeException | Error e) {
            System.err.println("jsupervise: this is a bug of jsupervise, please report it with what follows:");
            e.printStackTrace();
            return ExitCode.SOFTWARE;
        }
    }

    /** A service manager has to tell the end that calls for the next supervisor from the one that does not. */
    private static int codeOf(Daemon.Ending ending) {
        boolean isManaged = System.getenv("NOTIFY_SOCKET") != null;
        return switch (ending) {
            case DONE -> ExitCode.DONE;
            case FAILED -> ExitCode.NOT_REACHED;
            case HANDED_OVER -> isManaged ? ExitCode.HANDED_OVER : ExitCode.DONE;
        };
    }

    /** The same file with the same options, whatever the working directory or its neighbours have become. */
    private static ServicesFile again(RunOptions options, Configuration present, LinuxOs os) {
        return other -> ConfigLoading.load(
                new RunOptions(
                        Optional.of(other.orElse(present.source())),
                        options.stateDir(),
                        options.runtimeDir(),
                        options.watchdog(),
                        options.stay()),
                () -> os);
    }

    static String count(int problems) {
        return problems == 1 ? "1 problem in the configuration" : problems + " problems in the configuration";
    }
}
