package io.jsupervise.daemon;

import io.jsupervise.config.ConfigException;
import io.jsupervise.config.ConfigReader;
import io.jsupervise.config.Surroundings;
import io.jsupervise.io.DiskConfigFiles;
import io.jsupervise.os.linux.LinuxOs;
import io.jsupervise.spec.Configuration;
import java.nio.file.Path;
import java.util.Optional;

/** A supervisor as a program of its own, without the command line: what {@link SupervisorProcess} runs. */
final class SupervisorMain {
    private SupervisorMain() {}

    public static void main(String[] arguments) throws ConfigException {
        LinuxOs os = new LinuxOs();
        Configuration configuration = ConfigReader.read(
                Path.of(arguments[0]),
                new DiskConfigFiles(),
                new Surroundings(os.uid(), Path.of("/"), System.getenv(), Optional.empty(), Optional.empty()));
        int code = 0;
        try {
            Daemon.run(os, os.signals(), configuration, new Daemon.Options("test", System.out::println));
        } catch (DaemonException e) {
            System.out.println(e.getMessage());
            code = e.exitCode();
        }
        System.out.flush();
        System.exit(code);
    }
}
