package io.jsupervise.daemon;

import io.jsupervise.io.Actor;
import io.jsupervise.io.Spawner;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.os.Os;
import io.jsupervise.os.SpawnRequest.Output;
import io.jsupervise.spec.Configuration;
import io.jsupervise.supervision.Answer;
import io.jsupervise.supervision.Ask;
import io.jsupervise.supervision.Asker;
import io.jsupervise.supervision.Happening;
import io.jsupervise.supervision.Order;
import io.jsupervise.supervision.SupervisorEvent;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.UnaryOperator;

/**
 * The daemon with all its parts but without a thread: whoever holds it turns the loop and steps the actors. Left out
 * are the control socket and the log relay, which wait in the kernel.
 */
public final class SteppedDaemon {
    private final Assembly assembly;

    /** Sees what the core tells and records, in the turn in which it does. */
    public interface Eyes {
        void told(Happening happening);

        void recorded(Service service);
    }

    private SteppedDaemon(Assembly assembly) {
        this.assembly = assembly;
    }

    /**
     * Begins as the real one does: directories, lock, journal, leftovers.
     *
     * @param lookers  runs what may hang in a file system
     * @param saboteur may do something else than the core orders, to see whether that is noticed
     */
    public static SteppedDaemon begin(
            Os os, Configuration configuration, long seed, Executor lookers, Eyes eyes, UnaryOperator<Outlets> saboteur)
            throws DaemonException {
        Directories directories = new Directories(os, configuration.supervisor());
        directories.prepare();
        String stateId = directories.lock(new SplittableRandom(seed));
        Spawner.Streams nowhere = new Spawner.Streams(new Output.Null(), new Output.SameAsStdout());
        Assembly.Surroundings around = new Assembly.Surroundings(
                Map.of("PATH", "/bin"),
                "nobody",
                "simulated",
                stateId,
                seed,
                lookers,
                (service, log) -> nowhere,
                line -> {});
        Assembly assembly = new Assembly(os, configuration, around, outlets -> saboteur.apply(new Seen(outlets, eyes)));
        assembly.findLeftovers();
        return new SteppedDaemon(assembly);
    }

    /** One turn of the loop; false when it is over. */
    public boolean turn() {
        return assembly.loop().turn();
    }

    /** The actors, always in this order. */
    public List<Actor> actors() {
        return List.of(assembly.journal(), assembly.spawnerActor(), assembly.events());
    }

    public CompletableFuture<Answer> ask(Ask ask) {
        return assembly.ask(ask, new Asker(Optional.of(4711), 1000));
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
        public void tell(Order.Tell order) {
            eyes.told(order.happening());
            super.tell(order);
        }
    }
}
