package io.jsupervise.cli;

import io.jsupervise.control.Whereabouts;
import io.jsupervise.journal.JournalCodec;
import io.jsupervise.journal.JournalException;
import io.jsupervise.journal.ServiceRecord;
import io.jsupervise.journal.SupervisorRecord;
import io.jsupervise.json.JsonException;
import io.jsupervise.text.Nearest;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/** What a supervisor that no longer runs, or cannot be reached, left in its state directory, to be looked at. */
final class DeadSupervisor {
    private final Path stateDir;
    private final Path socket;
    private final Optional<Whereabouts> whereabouts;
    private final Optional<SupervisorRecord> record;
    private final Optional<Integer> holder;
    private final String bootId;
    private Optional<TreeMap<String, ServiceRecord>> services = Optional.empty();

    private DeadSupervisor(Path stateDir, Path socket, Optional<Whereabouts> whereabouts) throws CommandException {
        this.stateDir = stateDir;
        this.socket = socket;
        this.whereabouts = whereabouts;
        this.record = readOwn(stateDir.resolve("journal/@supervisor.json"));
        this.holder = ProcessEntry.lockHolder(stateDir.resolve("lock"), whereabouts.map(Whereabouts::pid));
        try {
            this.bootId = ProcessEntry.bootId();
        } catch (IOException e) {
            throw new CommandException(ExitCode.IO, "cannot tell which boot this is: " + e.getMessage());
        }
    }

    /**
     * @param stateDir from the command line; otherwise the file beside the socket names it. That one lies where a boot
     *     clears away, so after one it is looked for where it is by default
     * @param unreachable thrown where there is no state directory either
     */
    static DeadSupervisor find(Connection connection, Optional<Path> stateDir, CommandException unreachable)
            throws CommandException {
        Path socket = connection.socketPath();
        Optional<Whereabouts> told = stateDir.isPresent() ? Optional.empty() : beside(socket);
        Optional<Path> directory = stateDir.or(() -> told.map(Whereabouts::stateDir));
        if (directory.isEmpty()) {
            directory = connection.defaultStateDir();
        }
        if (directory.isPresent() && Files.isDirectory(directory.get().resolve("journal"))) {
            return new DeadSupervisor(directory.get(), socket, told);
        }
        if (stateDir.isPresent()) {
            throw new CommandException(
                    ExitCode.NO_SUPERVISOR,
                    unreachable.getMessage() + "; and there is no journal in " + stateDir.get());
        }
        throw unreachable;
    }

    private static Optional<Whereabouts> beside(Path socket) {
        Path file = socket.resolveSibling(Whereabouts.FILE);
        try {
            return Optional.of(Whereabouts.decode(Files.readAllBytes(file)));
        } catch (IOException | JsonException e) {
            return Optional.empty();
        }
    }

    private static Optional<SupervisorRecord> readOwn(Path file) {
        try {
            return Optional.of(new JournalCodec().decodeSupervisor(Files.readAllBytes(file)));
        } catch (IOException | JournalException e) {
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

    /** What it recorded of itself, where that can be read. */
    Optional<SupervisorRecord> record() {
        return record;
    }

    /** A process that holds its lock: then it lives, and only nobody listens at the socket. */
    Optional<Integer> holder() {
        return holder;
    }

    /** The main process of a service, where it still runs: that very one, by boot, pid and start time. */
    Optional<ServiceRecord.Living> stillRunning(ServiceRecord service) {
        return service.living()
                .filter(living -> bootId.equals(service.bootId())
                        && ProcessEntry.startTime(living.process().pid().value())
                                .equals(Optional.of(living.process().startTime())));
    }

    /** Before anything else is shown, on standard error. */
    void say() {
        if (holder.isPresent()) {
            System.err.println("jsupervise: the supervisor (pid " + holder.get() + ") runs, but nobody listens at "
                    + socket + "; this is what it has recorded in " + stateDir);
        } else {
            System.err.println(
                    "jsupervise: the supervisor is not running" + how() + "; this is what it left in " + stateDir);
        }
    }

    private String how() {
        if (record.isEmpty()) {
            return "";
        }
        if (record.get().endedInOrder()) {
            return ": it ended in order";
        }
        return record.get().bootId().equals(bootId)
                ? ": it was killed, or left its services to the next one"
                : ": the machine was started anew";
    }

    /** Which of its services have outlived it. */
    void sayWhatRuns() throws CommandException {
        if (holder.isPresent()) {
            return;
        }
        int running = 0;
        for (ServiceRecord service : services().values()) {
            running += stillRunning(service).isPresent() ? 1 : 0;
        }
        if (running > 0) {
            String which = running == 1 ? "1 of its services still runs" : running + " of its services still run";
            System.err.println("jsupervise: " + which + ", unsupervised; the next run takes them over");
        }
    }

    /** By name. */
    TreeMap<String, ServiceRecord> services() throws CommandException {
        if (services.isEmpty()) {
            services = Optional.of(read());
        }
        return services.get();
    }

    private TreeMap<String, ServiceRecord> read() throws CommandException {
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
        } catch (AccessDeniedException e) {
            throw new CommandException(
                    ExitCode.NOT_PERMITTED,
                    "cannot read the journal in " + stateDir + ": permission denied; ask as root");
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
