package io.jsupervise.daemon;

import io.jsupervise.io.Actor;
import io.jsupervise.io.Keeper;
import io.jsupervise.io.Keeping;
import io.jsupervise.io.LogRelay;
import io.jsupervise.io.NotifySockets;
import io.jsupervise.io.Spawner;
import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.SpawnRequest.Output;
import io.jsupervise.spec.Configuration;
import io.jsupervise.supervision.Answer;
import io.jsupervise.supervision.Ask;
import io.jsupervise.supervision.Asker;
import io.jsupervise.supervision.Happening;
import io.jsupervise.supervision.Order;
import io.jsupervise.supervision.SupervisorEvent;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * The daemon with all its parts but without a thread: whoever holds it turns the loop and steps the actors. Left out
 * is the control socket, which waits in the kernel; the log relay and the keeper may be left out.
 */
public final class SteppedDaemon {
    private final Assembly assembly;
    private final Optional<LogRelay> relay;
    private final Optional<Keeper> keeper;

    /** Sees what the core tells and records, in the turn in which it does. */
    public interface Eyes {
        void told(Happening happening);

        void recorded(Service service);

        /** After it was told that it is taken over, before anything of that is done. */
        default void configured(Configuration configuration) {}
    }

    private SteppedDaemon(Assembly assembly, Optional<LogRelay> relay, Optional<Keeper> keeper) {
        this.assembly = assembly;
        this.relay = relay;
        this.keeper = keeper;
    }

    /**
     * Begins as the real one does: directories, lock, relay, journal, logs of what still lives, leftovers.
     *
     * @param seed     of its random numbers; with each fourth, turns do as little at once as they can
     * @param file     what a reload reads
     * @param lookers  runs what may hang in a file system
     * @param saboteur may do something else than the core orders, to see whether that is noticed
     * @param relays   whether there are a log relay and a keeper
     */
    public static SteppedDaemon begin(
            Os os,
            Configuration configuration,
            Supplier<Configuration> file,
            long seed,
            Executor lookers,
            Eyes eyes,
            UnaryOperator<Outlets> saboteur,
            boolean relays)
            throws DaemonException {
        Directories directories = new Directories(os, configuration.supervisor());
        directories.prepare();
        Directories.State state = directories.lock(new SplittableRandom(seed));
        Begin begin = new Begin();
        Map<String, String> environment = Map.of("PATH", "/bin");
        Optional<Keeper> keeper =
                relays ? Optional.of(new Keeper(os, environment, state.id(), begin::trouble)) : Optional.empty();
        Optional<LogRelay> relay =
                relays ? Optional.of(begin.relay(os, configuration, keeper.get())) : Optional.empty();
        Spawner.Streams nowhere = new Spawner.Streams(new Output.Null(), new Output.SameAsStdout());
        Spawner.Outputs none = (service, log) -> nowhere;
        Assembly.Surroundings around = new Assembly.Surroundings(
                environment,
                "nobody",
                "simulated",
                state.id(),
                state.firstUse(),
                seed,
                seed % 4 == 0 ? Duration.ZERO : EventLoop.SLICE,
                lookers,
                (probe, answers) -> lookers.execute(() -> answers.accept(new SupervisorEvent.OfService(
                        probe.service(), new Event.Probed(probe.run(), probe.check(), Optional.empty())))),
                relay.isPresent() ? relay.get() : none,
                keeper,
                line -> {},
                other -> file.get(),
                lookers,
                taken -> {});
        begin.assembly = new Assembly(os, configuration, around, outlets -> saboteur.apply(new Seen(outlets, eyes)));
        begin.assembly.takeOverFromKeeper();
        if (relay.isPresent()) {
            begin.assembly.openLogs(relay.get());
        }
        begin.assembly.findLeftovers();
        begin.assembly.settleKeeper();
        if (configuration.supervisor().watchdog().isPresent()) {
            begin.assembly.beWatched(environment);
        }
        return new SteppedDaemon(begin.assembly, relay, keeper);
    }

    /** The relay tells the assembly, which is made after it. */
    private static final class Begin {
        private Assembly assembly;

        void trouble(String what) {
            assembly.notice(Optional.empty(), "trouble", "what", what);
        }

        LogRelay relay(Os os, Configuration configuration, Keeping keeping) throws DaemonException {
            try {
                return new LogRelay(
                        os,
                        configuration.supervisor().stateDir().resolve("fifo"),
                        Optional.empty(),
                        0,
                        notice -> assembly.notice(notice),
                        rotation -> {},
                        keeping);
            } catch (OsException e) {
                throw Directories.failure("cannot wait for output", e);
            }
        }
    }

    /** One turn of the loop; false when it is over. */
    public boolean turn() {
        return assembly.loop().turn();
    }

    /** The actors, always in this order; without the keeper, whose thread takes its time. */
    public List<Actor> actors() {
        return List.of(assembly.journal(), assembly.spawnerActor(), assembly.events());
    }

    /** Its steps are for the caller to make, up to {@link Daemon#KEEPER_WAITS} after there is work. */
    public Optional<Keeper> keeper() {
        return keeper;
    }

    /** Who cannot go on while somebody is in the keeper. */
    public List<Actor> blockedByTheKeeper() {
        boolean isLocked = keeper.isPresent() && Thread.holdsLock(keeper.get());
        return isLocked ? List.of(assembly.spawnerActor(), keeper.get()) : List.of();
    }

    /** The last words, when the loop has ended. */
    public void end() {
        boolean leavesRunning = assembly.loop().leavesRunning();
        assembly.endWatch(leavesRunning);
        if (relay.isPresent() && leavesRunning) {
            relay.get().leave();
        } else if (relay.isPresent()) {
            relay.get().drain();
        }
        if (keeper.isPresent()) {
            if (leavesRunning) {
                keeper.get().leave();
            } else {
                keeper.get().step();
                keeper.get().end();
            }
        }
    }

    /** Whether services run on when the loop has ended. */
    public boolean leavesRunning() {
        return assembly.loop().leavesRunning();
    }

    /** Its turns are for the caller to make, as those of the loop. */
    public Optional<LogRelay> relay() {
        return relay;
    }

    /** It ends by itself when there are only oneshots and all have ended; to be called before the first turn. */
    public void endsWithOneshots() {
        assembly.endsWithOneshots();
    }

    /** Once it has ended: whether there were only oneshots and some of them failed, so that the exit code is 1. */
    public boolean failed() {
        return assembly.loop().failed();
    }

    /** Their turns are for the caller to make, as those of the loop. */
    public NotifySockets notifySockets() {
        return assembly.notifySockets();
    }

    public CompletableFuture<Answer> ask(Ask ask) {
        return assembly.ask(ask, new Asker(Optional.of(4711), 1000));
    }

    /** SIGHUP comes. */
    public void hangUp() {
        assembly.inbox().post(new SupervisorEvent.ReloadRequested());
    }

    /** SIGTERM comes. */
    public void terminate() {
        assembly.inbox().post(new SupervisorEvent.EndRequested("SIGTERM"));
    }

    private static final class Seen extends ForwardingOutlets {
        private final Eyes eyes;

        Seen(Outlets outlets, Eyes eyes) {
            super(outlets);
            this.eyes = eyes;
        }

        @Override
        public void record(Order.Record order) {
            eyes.recorded(order.service());
            super.record(order);
        }

        @Override
        public void configured(Configuration configuration) {
            eyes.configured(configuration);
            super.configured(configuration);
        }

        @Override
        public void tell(Order.Tell order) {
            eyes.told(order.happening());
            super.tell(order);
        }
    }
}
