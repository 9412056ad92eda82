package io.jsupervise.io;

import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.os.Child;
import io.jsupervise.os.Fd;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.Poller;
import io.jsupervise.spec.Signal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The keepers that supervisors before us left. Mostly there is one, and we go on with it; where a supervisor was killed
 * while it put another in the place of one that it could not read, there are several, and each may have what the others
 * have not. Those that we do not go on with are ended, but only once ours has what they have. One thread at a time.
 */
final class FormerKeepers {
    private final Os os;
    private final String program;
    private final String mark;
    private final String stateId;
    private final Consumer<String> troubles;
    private final List<Child> processes = new ArrayList<>();
    private final List<KeptQueue> queues = new ArrayList<>();

    /** A keeper that can be gone on with, and all of its queue read. */
    record Taken(Child process, KeptQueue queue) {}

    /**
     * @param program what a keeper runs
     * @param mark    the variable in its environment that has {@code stateId}
     */
    FormerKeepers(Os os, String program, String mark, String stateId, Consumer<String> troubles) {
        this.os = os;
        this.program = program;
        this.mark = mark;
        this.stateId = stateId;
        this.troubles = troubles;
    }

    /** Reads what each of them has; the first one that could be read is the caller's. */
    Optional<Taken> takeOver() throws OsException {
        Optional<Taken> first = Optional.empty();
        for (ProcessIdentity identity : os.started(program, mark, stateId)) {
            Optional<Child> found = os.find(identity);
            Optional<KeptQueue> queue = found.isPresent() ? read(found.get()) : Optional.empty();
            if (queue.isPresent() && first.isEmpty()) {
                first = Optional.of(new Taken(found.get(), queue.get()));
            } else {
                found.ifPresent(processes::add);
                queue.ifPresent(queues::add);
            }
        }
        return first;
    }

    private Optional<KeptQueue> read(Child keeper) {
        KeptQueue queue = null;
        try {
            queue = KeptQueue.of(os, keeper);
            queue.readAll(os.self());
            return Optional.of(queue);
        } catch (OsException e) {
            troubles.accept("cannot take over from the keeper of the supervisor before, pid " + keeper.pid() + ": "
                    + e.getMessage() + "; how processes ended since then may stay unknown");
            if (queue != null) {
                // Some of it may have been read.
                queues.add(queue);
            }
            return Optional.empty();
        }
    }

    /** What one of them has of {@code identity}; the caller's from then on. */
    Optional<Fd> pidfdOf(ProcessIdentity identity) {
        for (KeptQueue queue : queues) {
            Optional<Fd> pidfd = queue.pidfdOf(identity);
            if (pidfd.isPresent()) {
                return pidfd;
            }
        }
        return Optional.empty();
    }

    /** Nobody will ask for more. */
    void closeQueues() {
        for (KeptQueue queue : queues) {
            queue.forgetTheRest();
            queue.close();
        }
        queues.clear();
    }

    boolean someLive() {
        return !processes.isEmpty();
    }

    /** Ends them, and waits for that: for {@code patience} at the most. */
    void end(Duration patience) {
        for (Child process : processes) {
            kill(process);
        }
        await(processes, patience);
        processes.clear();
    }

    /** Ends all that there are but {@code ours}, and waits for that: for {@code patience} at the most. */
    void sweep(Optional<ProcessIdentity> ours, Duration patience) {
        List<Child> others = new ArrayList<>();
        try {
            for (ProcessIdentity identity : os.started(program, mark, stateId)) {
                Optional<Child> found = ours.equals(Optional.of(identity)) ? Optional.empty() : os.find(identity);
                found.ifPresent(others::add);
            }
        } catch (OsException e) {
            troubles.accept("cannot look for keepers of supervisors before: " + e.getMessage());
        }
        for (Child other : others) {
            kill(other);
        }
        await(others, patience);
    }

    private void kill(Child process) {
        try {
            os.signal(process, Signal.KILL);
        } catch (OsException e) {
            troubles.accept("cannot end the keeper of the supervisor before: " + e.getMessage());
        }
    }

    /** Releases them when they have ended. Who looks at what we left, as systemd does, must not find them on their way out. */
    private void await(List<Child> killed, Duration patience) {
        if (!killed.isEmpty() && !patience.isZero()) {
            try (Poller ends = os.poller()) {
                Optional<MonotonicTime> deadline = Optional.of(os.now().plus(patience));
                for (Child child : killed) {
                    ends.add(child.pidfd(), 0);
                    ends.poll(deadline, token -> {});
                    ends.remove(child.pidfd());
                }
            } catch (OsException e) {
                troubles.accept("cannot wait for the end of the keeper of the supervisor before: " + e.getMessage());
            }
        }
        for (Child child : killed) {
            os.release(child);
        }
    }
}
