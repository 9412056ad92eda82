package io.jsupervise.daemon;

import io.jsupervise.io.CheckCall;
import io.jsupervise.lifecycle.Effect;
import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.os.Child;
import io.jsupervise.os.Fd;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.Signal;
import io.jsupervise.supervision.SupervisorEvent;
import io.jsupervise.text.DurationText;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Programs that tell how a service is: each a process of its own that is watched, killed with its whole tree when its time
 * is over, and buried like a main process. The core orders an answer and gets one in time; how the process came to its end
 * is nobody's business but ours. Of one check there is one process at most: the next waits, within its own time, until the one before is
 * gone. A run of the service is not buried before its checks are, so a check never outlives what it asks.
 *
 * <p>What a check says is read when it has ended, and every {@link #READ_AGAIN} while it runs, so that one that says much goes
 * on, and one that floods waits for us and not we for it. The last line that is not blank joins the reason. The loop's thread only.
 */
final class ExecChecks {
    private static final Duration READ_AGAIN = Duration.ofMillis(100);
    private static final Duration KILL_AGAIN = Duration.ofSeconds(5);
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int LONGEST_LOOK_MS = 128;
    private static final int MOST_READ = 64 * 1024;

    private final Os os;
    private final Children children;
    private final TimerQueue timers;
    private final Outlets outlets;
    private final Map<RunId, Asked> byId = new HashMap<>();

    /** What spawning came to, from the spawner's thread to ours, by the id of the process. */
    private final Map<RunId, Spawned> spawned = new ConcurrentHashMap<>();

    private byte[] buffer = new byte[0];
    private long lastNumber;

    /** Keys the timer of one process. */
    record Timer(RunId id) {}

    /** @param problem why there is no process; empty where there is one, or it is no fault of the service */
    private record Spawned(Optional<Fd> output, Optional<String> problem) {}

    private static final class Asked {
        final Effect.RunCheck order;
        final RunId id;
        final MonotonicTime deadline;
        final LastLine said = new LastLine();
        Optional<Asked> next = Optional.empty();
        Optional<Fd> output = Optional.empty();
        Optional<Pid> pid = Optional.empty();
        Optional<MonotonicTime> endedAt = Optional.empty();
        boolean answered;
        boolean doomed;
        boolean killed;
        int looks;

        Asked(Effect.RunCheck order, RunId id, MonotonicTime deadline) {
            this.order = order;
            this.id = id;
            this.deadline = deadline;
        }

        boolean isOf(Effect.RunCheck other) {
            return order.service().equals(other.service()) && order.check().equals(other.check());
        }
    }

    ExecChecks(Os os, Children children, TimerQueue timers, Outlets outlets) {
        this.os = os;
        this.children = children;
        this.timers = timers;
        this.outlets = outlets;
    }

    // ---- from the order to the answer ----

    void ask(Effect.RunCheck order) {
        Asked fresh =
                new Asked(order, order.run().ofCheck(++lastNumber), os.now().plus(order.timeout()));
        for (Asked before : byId.values()) {
            if (before.isOf(order)) {
                // Its answer came when its time was over, or nobody wants it any more.
                before.answered = true;
                before.next = Optional.of(fresh);
                doom(before);
                timers.arm(new Timer(fresh.id), 0, fresh.deadline);
                return;
            }
        }
        begin(fresh);
    }

    private void begin(Asked asked) {
        byId.put(asked.id, asked);
        timers.arm(new Timer(asked.id), 0, nextRead(asked));
        outlets.spawner().check(new CheckCall(asked.order, asked.id, new ToLoop(asked)));
    }

    /** Answers on the spawner's thread. */
    private final class ToLoop implements CheckCall.Answer {
        private final ServiceName service;
        private final RunId id;

        ToLoop(Asked asked) {
            this.service = asked.order.service();
            this.id = asked.id;
        }

        @Override
        public void spawned(Child child, Fd output) {
            spawned.put(id, new Spawned(Optional.of(output), Optional.empty()));
            ProcessIdentity process = child.identity();
            outlets.post(
                    new SupervisorEvent.OfService(service, new Event.Spawned(id, process, "", List.of())),
                    Optional.of(child));
        }

        @Override
        public void failed(String reason, boolean ours) {
            Optional<String> problem = ours ? Optional.empty() : Optional.of("cannot execute " + reason);
            spawned.put(id, new Spawned(Optional.empty(), problem));
            outlets.post(new SupervisorEvent.OfService(service, new Event.SpawnFailed(id, reason)), Optional.empty());
        }
    }

    /** Whether {@code event} is of a check, and so none for the core; {@code results} gets what follows. */
    boolean takes(SupervisorEvent event, Deque<SupervisorEvent> results) {
        if (!(event instanceof SupervisorEvent.OfService of)) {
            return false;
        }
        if (of.event() instanceof Event.Spawned begun && begun.run().isOfCheck()) {
            begun(begun);
            return true;
        } else if (of.event() instanceof Event.SpawnFailed failed
                && failed.run().isOfCheck()) {
            failed(failed.run(), results);
            return true;
        } else if (of.event() instanceof Event.ChildExited exited
                && exited.run().isOfCheck()) {
            exited(exited, results);
            return true;
        }
        return false;
    }

    private void begun(Event.Spawned event) {
        Asked asked = byId.get(event.run());
        asked.pid = Optional.of(event.process().pid());
        asked.output = spawned.remove(asked.id).output();
        if (asked.doomed) {
            kill(asked);
        }
    }

    private void failed(RunId id, Deque<SupervisorEvent> results) {
        Asked asked = byId.get(id);
        answer(asked, spawned.remove(id).problem(), results);
        remove(asked);
    }

    private void exited(Event.ChildExited event, Deque<SupervisorEvent> results) {
        Asked asked = byId.get(event.run());
        asked.endedAt = Optional.of(os.now());
        read(asked);
        closeOutput(asked);
        boolean good = event.status().equals(new ExitStatus.Exited(0));
        answer(
                asked,
                good ? Optional.empty() : Optional.of(withLine(event.status().toString(), asked)),
                results);
        bury(asked);
    }

    private static String withLine(String what, Asked asked) {
        Optional<String> line = asked.said.text();
        return line.isPresent() ? what + ": " + line.get() : what;
    }

    private void answer(Asked asked, Optional<String> problem, Deque<SupervisorEvent> results) {
        if (!asked.answered) {
            asked.answered = true;
            Effect.RunCheck order = asked.order;
            results.add(new SupervisorEvent.OfService(
                    order.service(), new Event.Probed(order.run(), order.check(), problem)));
        }
    }

    // ---- time ----

    void timerFired(Timer timer, Deque<SupervisorEvent> results) {
        Asked asked = byId.get(timer.id());
        if (asked == null) {
            waitedInVain(timer.id(), results);
        } else if (asked.endedAt.isPresent()) {
            bury(asked);
        } else if (asked.doomed) {
            kill(asked);
        } else {
            read(asked);
            if (os.now().isBefore(asked.deadline)) {
                timers.arm(timer, 0, nextRead(asked));
            } else {
                String within = "no answer within "
                        + DurationText.of(asked.order.timeout().toMillis());
                answer(asked, Optional.of(withLine(within, asked)), results);
                doom(asked);
            }
        }
    }

    private MonotonicTime nextRead(Asked asked) {
        return MonotonicTime.min(asked.deadline, os.now().plus(READ_AGAIN));
    }

    /** SIGKILL does not end what sleeps in the kernel. */
    private void waitedInVain(RunId id, Deque<SupervisorEvent> results) {
        for (Asked before : byId.values()) {
            if (before.next.isPresent() && before.next.get().id.equals(id)) {
                Asked late = before.next.get();
                before.next = Optional.empty();
                answer(
                        late,
                        Optional.of("the one before"
                                + before.pid.map(pid -> ", pid " + pid + ",").orElse("")
                                + " was killed and has not ended"),
                        results);
                return;
            }
        }
    }

    // ---- the end of a process ----

    private void doom(Asked asked) {
        if (!asked.doomed && asked.endedAt.isEmpty()) {
            asked.doomed = true;
            if (asked.pid.isPresent()) {
                kill(asked);
            } else {
                timers.cancel(new Timer(asked.id));
            }
        }
    }

    private void kill(Asked asked) {
        try {
            if (asked.killed) {
                children.signal(asked.id, Signal.KILL, true);
            } else {
                // Checks that take too long are no rare thing, and a look at all processes makes a long turn.
                asked.killed = true;
                children.killGroup(asked.id);
            }
        } catch (OsException e) {
            outlets.complain("cannot end " + name(asked), e);
        }
        timers.arm(new Timer(asked.id), 0, os.now().plus(KILL_AGAIN));
    }

    private void bury(Asked asked) {
        boolean empty = false;
        boolean impatient = os.now().since(asked.endedAt.orElseThrow()).compareTo(PATIENCE) >= 0;
        try {
            empty = children.bury(asked.id);
            if (!empty && impatient) {
                children.giveUp(asked.id);
            }
        } catch (OsException e) {
            outlets.complain("cannot end what is left of " + name(asked), e);
        }
        if (empty || impatient) {
            remove(asked);
        } else {
            Duration wait = Duration.ofMillis(Math.min(LONGEST_LOOK_MS, 1 << Math.min(asked.looks++, 10)));
            timers.arm(new Timer(asked.id), 0, os.now().plus(wait));
        }
    }

    private void remove(Asked asked) {
        closeOutput(asked);
        timers.cancel(new Timer(asked.id));
        byId.remove(asked.id);
        asked.next.ifPresent(this::begin);
    }

    /** Nobody wants to know any more: kills the checks of a service, and tells who of them still is, in words. */
    List<String> end(ServiceName service) {
        if (byId.isEmpty()) {
            return List.of();
        }
        List<String> left = new ArrayList<>();
        for (Asked asked : byId.values()) {
            if (asked.order.service().equals(service)) {
                asked.next.ifPresent(next -> timers.cancel(new Timer(next.id)));
                asked.next = Optional.empty();
                asked.answered = true;
                doom(asked);
                left.add(name(asked) + asked.pid.map(pid -> ", pid " + pid).orElse(""));
            }
        }
        return left;
    }

    private static String name(Asked asked) {
        return asked.order.check().map(check -> "check " + check).orElse("the check of ready") + " of \""
                + asked.order.service() + "\"";
    }

    // ---- what it says ----

    private void read(Asked asked) {
        if (asked.output.isEmpty()) {
            return;
        }
        if (buffer.length == 0) {
            buffer = new byte[MOST_READ];
        }
        try {
            int count = os.read(asked.output.get(), buffer, 0, MOST_READ);
            asked.said.add(buffer, count);
        } catch (OsException e) {
            // EAGAIN: it has said nothing since.
        }
    }

    private void closeOutput(Asked asked) {
        asked.output.ifPresent(os::close);
        asked.output = Optional.empty();
    }
}
