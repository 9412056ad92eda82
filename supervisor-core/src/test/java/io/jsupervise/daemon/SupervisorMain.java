package io.jsupervise.daemon;

import io.jsupervise.config.ConfigException;
import io.jsupervise.config.ConfigReader;
import io.jsupervise.config.Surroundings;
import io.jsupervise.io.DiskConfigFiles;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.linux.LinuxOs;
import io.jsupervise.spec.Configuration;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/** A supervisor as a program of its own, without the command line: what {@link SupervisorProcess} runs. */
final class SupervisorMain {
    private SupervisorMain() {}

    public static void main(String[] arguments) throws ConfigException {
        LinuxOs os = new LinuxOs();
        Surroundings around =
                new Surroundings(os.uid(), Path.of("/"), System.getenv(), Optional.empty(), Optional.empty());
        ServicesFile file = other -> ConfigReader.read(
                other.orElse(Path.of(arguments[0])), new DiskConfigFiles(), around, new RealMachine(os));
        Configuration configuration = file.read(Optional.empty());
        int code = 0;
        try {
            Daemon.run(
                    withFaults(os),
                    os.signals(),
                    configuration,
                    new Daemon.Options("test", false, System.out::println, file));
        } catch (DaemonException e) {
            System.out.println(e.getMessage());
            code = e.exitCode();
        }
        System.out.flush();
        System.exit(code);
    }

    /** While the file that $FAULTS names is there, what it says happens to the journal: "hang" to each sync, or an errno. */
    private static Os withFaults(Os real) {
        String faults = System.getenv("FAULTS");
        if (faults == null) {
            return real;
        }
        Path file = Path.of(faults);
        return (Os)
                Proxy.newProxyInstance(Os.class.getClassLoader(), new Class<?>[] {Os.class}, (proxy, call, given) -> {
                    if ((call.getName().equals("fsync") || call.getName().equals("fdatasync")) && Files.exists(file)) {
                        String fault = Files.readString(file);
                        if (!fault.equals("hang")) {
                            throw new OsException(Errno.valueOf(fault), "fsync");
                        }
                        while (Files.exists(file)) {
                            LockSupport.parkNanos(5_000_000);
                        }
                    }
                    try {
                        return call.invoke(real, given);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
