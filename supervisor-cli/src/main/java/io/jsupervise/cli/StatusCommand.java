package io.jsupervise.cli;

import io.jsupervise.journal.ServiceRecord;
import io.jsupervise.json.JsonException;
import io.jsupervise.json.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jsupervise status}: how the services are. */
@Command(
        name = "status",
        description = "Show how the services are.",
        footer = {
            "",
            "Exits with 3 where a service that was named is not running, with 4 where there is none of that name.",
            "Without a supervisor it shows what the last one recorded, and which processes still run. GONE is what has",
            "ended since."
        })
final class StatusCommand extends Client {
    private static final long WATCH_NANOS = 1_000_000_000;
    private static final String HOME_AND_CLEAR = "\u001b[H\u001b[J";

    @Parameters(paramLabel = "NAME", arity = "0..*", description = "Services; all if none is named.")
    private List<String> names = new ArrayList<>();

    @Option(names = "--watch", description = "Show it again every second, until the supervisor ends.")
    private boolean watch;

    @Option(names = "--state-dir", paramLabel = "DIR", description = "Where to look when the supervisor is dead.")
    private Path stateDir;

    private boolean seenAlive;

    @Override
    public Integer call() throws CommandException {
        int code = show();
        while (watch && seenAlive && !System.out.checkError()) {
            LockSupport.parkNanos(WATCH_NANOS);
            code = show();
        }
        return code;
    }

    private int show() throws CommandException {
        byte[] status = read();
        if (watch && System.console() != null) {
            System.out.print(HOME_AND_CLEAR);
        }
        try {
            JsonObject parsed = JsonObject.parse(status);
            JsonObject supervisor = parsed.object("supervisor");
            List<StatusTable.Row> rows = new ArrayList<>();
            for (JsonObject service : parsed.objects("services")) {
                rows.add(StatusTable.Row.of(service));
            }
            if (global().json) {
                System.out.write(status, 0, status.length);
            } else {
                JournalWarnings.print(supervisor);
                System.out.print(new StatusTable(rows, colors()));
            }
            System.out.flush();
            boolean down = !names.isEmpty() && rows.stream().anyMatch(row -> !row.isRunning());
            return down ? ExitCode.NOT_RUNNING : ExitCode.DONE;
        } catch (JsonException e) {
            throw notUnderstood(e);
        }
    }

    /** A supervisor that ends while it is watched ends the watch; what one left that was dead before is shown. */
    private byte[] read() throws CommandException {
        try {
            ControlClient.Response response = connection().client().get(target());
            if (!response.isGood()) {
                throw Connection.refusal(response);
            }
            seenAlive = true;
            return response.body();
        } catch (NoSupervisorException e) {
            if (seenAlive) {
                throw e;
            }
            DeadSupervisor dead = DeadSupervisor.find(connection(), Optional.ofNullable(stateDir), e);
            dead.say();
            dead.sayWhatRuns();
            return new DeadStatus(dead).of(records(dead));
        }
    }

    private String target() {
        StringBuilder target = new StringBuilder("/v1/status");
        for (String name : names) {
            target.append(target.indexOf("?") < 0 ? '?' : '&').append("name=").append(encoded(name));
        }
        return target.toString();
    }

    private List<ServiceRecord> records(DeadSupervisor dead) throws CommandException {
        if (names.isEmpty()) {
            return List.copyOf(dead.services().values());
        }
        List<ServiceRecord> records = new ArrayList<>();
        for (String name : new LinkedHashSet<>(names)) {
            records.add(dead.service(name));
        }
        return records;
    }
}
