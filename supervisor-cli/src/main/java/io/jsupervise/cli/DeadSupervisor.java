package io.jsupervise.cli;

import io.jsupervise.control.Whereabouts;
import io.jsupervise.journal.JournalCodec;
import io.jsupervise.journal.JournalException;
import io.jsupervise.journal.ServiceRecord;
import io.jsupervise.json.JsonException;
import io.jsupervise.text.Nearest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/** What a supervisor that no longer runs left in its state directory, to be looked at. */
final class DeadSupervisor {
    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");

    private final Path stateDir;
    private final Optional<Whereabouts> whereabouts;

    private DeadSupervisor(Path stateDir, Optional<Whereabouts> whereabouts) {
        this.stateDir = stateDir;
        this.whereabouts = whereabouts;
    }

    /**
     * @param stateDir from the command line; otherwise the file beside the socket names it
     * @param unreachable thrown where there is no state directory either
     */
    static DeadSupervisor find(Connection connection, Optional<Path> stateDir, CommandException unreachable)
            throws CommandException {
        Optional<Whereabouts> told = stateDir.isPresent() ? Optional.empty() : beside(connection.socketPath());
        Optional<Path> directory = stateDir.or(() -> told.map(Whereabouts::stateDir));
        if (directory.isEmpty() || !Files.isDirectory(directory.get().resolve("journal"))) {
            throw unreachable;
        }
        return new DeadSupervisor(directory.get(), told);
    }

    private static Optional<Whereabouts> beside(Path socket) {
        Path file = socket.resolveSibling(Whereabouts.FILE);
        try {
            return Optional.of(Whereabouts.decode(Files.readAllBytes(file)));
        } catch (IOException | JsonException e) {
            return Optional.empty();
        }
    }

    Path stateDir() {
        return stateDir;
    }

    /** What it told of itself; empty where the state directory came from the command line. */
    Optional<Whereabouts> whereabouts() {
        return whereabouts;
    }

    /**
     * The main process of a service, where it still runs. The start time is field 22 of {@code /proc/PID/stat}, behind the name
     * in parentheses, which may hold anything (proc(5)); a zombie has ended.
     */
    static Optional<ServiceRecord.Living> stillRunning(ServiceRecord record) {
        return record.living().filter(living -> {
            try {
                String stat = Files.readString(
                        Path.of("/proc/" + living.process().pid().value() + "/stat"), StandardCharsets.ISO_8859_1);
                String[] fields =
                        stat.substring(stat.lastIndexOf(')') + 2).trim().split(" ");
                return Files.readString(BOOT_ID).trim().equals(record.bootId())
                        && !fields[0].equals("Z")
                        && Long.parseLong(fields[19]) == living.process().startTime();
            } catch (IOException e) {
                return false;
            }
        });
    }

    void say() {
        System.err.println("jsupervise: the supervisor is not running; this is what it left in " + stateDir);
    }

    /** By name. */
    TreeMap<String, ServiceRecord> services() throws CommandException {
        TreeMap<String, ServiceRecord> records = new TreeMap<>();
        JournalCodec codec = new JournalCodec();
        try (Stream<Path> files = Files.list(stateDir.resolve("journal"))) {
            for (Path file : (Iterable<Path>) files::iterator) {
                String name = file.getFileName().toString();
                if (name.endsWith(".json") && !name.startsWith("@")) {
                    try {
                        ServiceRecord record = codec.decodeService(Files.readAllBytes(file));
                        records.put(record.name().value(), record);
                    } catch (JournalException e) {
                        System.err.println("jsupervise: cannot read " + file + ": it " + e.getMessage());
                    }
                }
            }
            return records;
        } catch (IOException e) {
            throw new CommandException(ExitCode.IO, "cannot read the journal in " + stateDir + ": " + e.getMessage());
        }
    }

    ServiceRecord service(String name) throws CommandException {
        TreeMap<String, ServiceRecord> records = services();
        ServiceRecord record = records.get(name);
        if (record == null) {
            String hint = Nearest.of(name, records.keySet())
                    .map(near -> "; did you mean \"" + near + "\"?")
                    .orElse("");
            throw new CommandException(ExitCode.NO_SUCH_SERVICE, "no service \"" + name + "\"" + hint);
        }
        return record;
    }
}
