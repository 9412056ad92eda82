package io.jsupervise.lifecycle;

import io.jsupervise.spec.ServiceSpec;
import java.util.List;
import java.util.Optional;

/** What has happened to one service. Facts in the past tense; {@link Lifecycle} decides what follows. */
public sealed interface Event {
    <R> R to(Handler<R> handler);

    /** One method per event, so that the compiler guards the table of states and events. */
    interface Handler<R> {
        R on(SupervisorStarted event);

        R on(LeftoverFound event);

        R on(StartAsked event);

        R on(StopAsked event);

        R on(StopQueued event);

        R on(RestartAsked event);

        R on(RestartedWithOthers event);

        R on(SpecChanged event);

        R on(Removed event);

        R on(ShutdownBegun event);

        R on(ShutdownHurried event);

        R on(StartPermitted event);

        R on(StartPostponed event);

        R on(Spawned event);

        R on(SpawnFailed event);

        R on(ChildExited event);

        R on(GroupLookedAt event);

        R on(HeartbeatLookedAt event);

        R on(MainNamed event);

        R on(Notified event);

        R on(HeardOut event);

        R on(ReadyFileLookedAt event);

        R on(Probed event);

        R on(LineSeen event);

        R on(RungTaken event);

        R on(TimerFired event);
    }

    /** The supervisor began; what shall run starts. */
    record SupervisorStarted() implements Event {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /** At the start: the process that the journal names still runs, though its supervisor died. */
    record LeftoverFound(RunId run, ProcessIdentity process) implements Event {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /** What a rung of its ladder asks for is done, and recorded. */
    record RungTaken(RunId after) implements Event {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /** An operator wants it up. */
    record StartAsked() implements Event {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /** An operator wants it down. */
    record StopAsked() implements Event {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /** An operator wants it down, together with others that depend on it and come first; StopAsked follows. */
    record StopQueued() implements Event {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /** An operator wants it up and fresh. */
    record RestartAsked() implements Event {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /**
     * Another service is restarted, and this one with it: what runs ends, and starts again when it may. Nothing of that
     * counts, neither for it nor against it.
     *
     * @param cause  what will be recorded
     * @param reason for people
     */
    record RestartedWithOthers(Cause cause, String reason) implements Event {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /** The services file was read again and gives it this spec from now on, maybe after it had been removed. */
    record SpecChanged(ServiceSpec spec) implements Event {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /** The services file was read again and no longer names it. */
    record Removed() implements Event {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /** The supervisor ends: everything stops, whatever is wanted. */
    record ShutdownBegun() implements Event {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /** The supervisor was told again to end: no more patience. */
    record ShutdownHurried() implements Event {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /** {@link Effect.AskToStart} was granted. */
    record StartPermitted(RunId run) implements Event {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /** {@link Effect.AskToStart} has to wait, or waits for something else by now. */
    record StartPostponed(List<String> waitingFor) implements Event {
        public StartPostponed(String waitingFor) {
            this(List.of(waitingFor));
        }

        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /**
     * The process runs.
     *
     * @param user        who it runs as
     * @param environment the names of its variables, never their values
     */
    record Spawned(RunId run, ProcessIdentity process, String user, List<String> environment) implements Event {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /** No process could be made; {@code reason} names path and errno. */
    record SpawnFailed(RunId run, String reason) implements Event {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /**
     * The main process ended; it is not reaped yet.
     *
     * @param program the name of what it executed in the end; empty where that is not known, and where nobody has to ask
     *                because nothing is executed in front of the service's own program
     * @param killedForMemory how many processes of its control group the kernel killed while it ran, because memory
     *                        was used up; looked for where SIGKILL ended it, or nobody knows what did
     */
    record ChildExited(RunId run, ExitStatus status, Optional<String> program, long killedForMemory) implements Event {
        public ChildExited(RunId run, ExitStatus status, Optional<String> program) {
            this(run, status, program, 0);
        }

        public ChildExited(RunId run, ExitStatus status) {
            this(run, status, Optional.empty());
        }

        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /**
     * After {@link Effect.Bury}: whether the group and the tree of an ended main process are empty.
     *
     * @param left what lives, in words, as far as is known
     */
    record GroupLookedAt(RunId run, boolean empty, List<String> left) implements Event {
        public GroupLookedAt(RunId run, boolean empty) {
            this(run, empty, List.of());
        }

        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /** The answer to {@link Effect.LookAtHeartbeat}. */
    record HeartbeatLookedAt(RunId run, Look look) implements Event {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /** It has named another living process of its tree as its main process (MAINPID of sd_notify(3)), which is watched from now on. */
    record MainNamed(RunId run, ProcessIdentity process) implements Event {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /** A process of its tree has said something at its notify socket. */
    record Notified(RunId run, Notice notice) implements Event {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /**
     * The answer to {@link Effect.HearOut}: what had been said before that moment has been told.
     *
     * @param deaf why nobody could hear it for a while; empty as a rule
     */
    record HeardOut(RunId run, MonotonicTime at, Optional<String> deaf) implements Event {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /** The answer to {@link Effect.LookAtReadyFile}. */
    record ReadyFileLookedAt(RunId run, Look look) implements Event {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /**
     * The answer to {@link Effect.AskProbe}.
     *
     * @param check   the name of the check; empty for the probe of {@code ready}
     * @param problem what came back instead of a good answer; empty where the answer was good
     */
    record Probed(RunId run, Optional<String> check, Optional<String> problem) implements Event {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /** It has written the line that {@link Effect.AwaitLine} asks for. */
    record LineSeen(RunId run) implements Event {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /** A timer reached its deadline. */
    record TimerFired(TimerKind kind, long generation) implements Event {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }
}
