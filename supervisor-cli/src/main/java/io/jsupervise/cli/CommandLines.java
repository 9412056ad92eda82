package io.jsupervise.cli;

import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The command line as a whole: what there is, and what becomes of errors. */
@Command(
        name = "jsupervise",
        description = "Supervises services: starts them, watches them, restarts them.",
        versionProvider = CommandLines.Versions.class,
        subcommands = {
            CommandLines.Run.class,
            CheckCommand.class,
            StatusCommand.class,
            WhyCommand.class,
            ActCommand.Start.class,
            ActCommand.Stop.class,
            ActCommand.Restart.class,
            ReloadCommand.class,
            SignalCommand.class,
            ShutdownCommand.class,
            LogsCommand.class,
            EventsCommand.class
        })
public final class CommandLines implements Runnable {
    @Spec
    private CommandSpec spec;

    @picocli.CommandLine.Mixin
    private Global global = new Global();

    /** Options that may stand before or after the name of a command. */
    static final class Global {
        @Option(
                names = "--socket",
                paramLabel = "PATH",
                scope = ScopeType.INHERIT,
                description = "Control socket of the supervisor (else $JSUPERVISE_SOCKET, else that of --name).")
        java.nio.file.Path socket;

        @Option(
                names = "--name",
                paramLabel = "NAME",
                scope = ScopeType.INHERIT,
                description = "Name of the supervisor, as in its services file.")
        String name;

        @Option(names = "--json", scope = ScopeType.INHERIT, description = "Print JSON, for programs.")
        boolean json;

        @Option(
                names = "--no-color",
                scope = ScopeType.INHERIT,
                description = "No colours; so it is without a terminal, or with NO_COLOR set.")
        boolean noColor;

        @Option(
                names = {"-h", "--help"},
                usageHelp = true,
                scope = ScopeType.INHERIT,
                description = "Show how a command is used.")
        boolean help;

        @Option(
                names = {"-V", "--version"},
                versionHelp = true,
                scope = ScopeType.INHERIT,
                description = "Show the version.")
        boolean version;
    }

    /** Whatever the options said. */
    Global global() {
        return global;
    }

    static final class Versions implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"jsupervise " + Version.text() + " (Java " + System.getProperty("java.version") + ")"};
        }
    }

    /** Runs one command line; the exit code. */
    static int execute(String[] args) {
        return commandLine().execute(args);
    }

    /** The model, also for the page that documents it. */
    static CommandLine commandLine() {
        CommandLine line = new CommandLine(new CommandLines());
        line.setUsageHelpWidth(100);
        line.setParameterExceptionHandler(CommandLines::misused);
        line.setExecutionExceptionHandler(CommandLines::failed);
        line.setExecutionStrategy(CommandLines::carryOut);
        return line;
    }

    private static int carryOut(CommandLine.ParseResult parsed) {
        CommandLine.ParseResult last = parsed;
        while (last.hasSubcommand()) {
            last = last.subcommand();
        }
        refuseWhatMeansNothing(last.commandSpec());
        return new CommandLine.RunLast().execute(parsed);
    }

    /** Options that every command takes are not passed over in silence where they have no effect. */
    private static void refuseWhatMeansNothing(CommandSpec command) {
        Global global = ((CommandLines) command.root().userObject()).global;
        String name = command.name();
        boolean asks = command.userObject() instanceof Client client && client.asks();
        boolean text = command.userObject() instanceof Client client ? !client.hasJson() : name.equals("run");
        String meaningless = "";
        if (global.json && text) {
            meaningless = "--json";
        } else if (global.socket != null && !asks) {
            meaningless = "--socket";
        } else if (global.name != null && !asks) {
            meaningless = "--name";
        }
        if (!meaningless.isEmpty() && command.parent() != null) {
            throw new ParameterException(command.commandLine(), name + " has no use for " + meaningless);
        }
    }

    private static int misused(ParameterException e, String[] args) {
        CommandLine line = e.getCommandLine();
        PrintWriter err = line.getErr();
        err.println("jsupervise: " + e.getMessage());
        CommandLine.UnmatchedArgumentException.printSuggestions(e, err);
        err.println("See " + line.getCommandSpec().qualifiedName() + " --help.");
        return ExitCode.USAGE;
    }

    private static int failed(Exception e, CommandLine line, CommandLine.ParseResult parsed) {
        if (e instanceof CommandException command) {
            line.getErr().println("jsupervise: " + command.getMessage());
            return command.exitCode();
        }
        line.getErr().println("jsupervise: this is a bug of jsupervise, please report it with what follows:");
        e.printStackTrace(line.getErr());
        return ExitCode.SOFTWARE;
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "say what to do: run, status, start, stop, ...");
    }

    /** The daemon; {@link Main} goes there directly where the options are plain. */
    @Command(
            name = "run",
            description = "Run the services of a file in the foreground, until INT or TERM.",
            footer = {
                "",
                "INT or TERM stops all services and ends; a second one kills what is left.",
                "Where there are only oneshots it ends when all have: with 0 if they succeeded, else with 1.",
                "FILE is ./services.yml, else /etc/jsupervise/services.yml."
            })
    static final class Run implements java.util.concurrent.Callable<Integer> {
        @picocli.CommandLine.Parameters(arity = "0..1", paramLabel = "FILE", description = "The services file.")
        java.nio.file.Path file;

        @Option(names = "--state-dir", paramLabel = "DIR", description = "Beats state_dir of the file.")
        java.nio.file.Path stateDir;

        @Option(names = "--runtime-dir", paramLabel = "DIR", description = "Beats runtime_dir of the file.")
        java.nio.file.Path runtimeDir;

        @Option(
                names = "--watchdog",
                paramLabel = "DEV",
                description =
                        "Have the machine reset by this hardware watchdog if we hang; beats watchdog.device of the file.")
        java.nio.file.Path watchdog;

        @Option(names = "--stay", description = "Do not end when there are only oneshots and all have ended.")
        boolean stay;

        @Override
        public Integer call() {
            return RunCommand.run(new RunOptions(
                    java.util.Optional.ofNullable(file),
                    java.util.Optional.ofNullable(stateDir),
                    java.util.Optional.ofNullable(runtimeDir),
                    java.util.Optional.ofNullable(watchdog),
                    stay));
        }
    }
}
