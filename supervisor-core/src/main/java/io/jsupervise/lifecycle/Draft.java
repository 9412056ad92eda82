package io.jsupervise.lifecycle;

import io.jsupervise.lifecycle.Service.Ending;
import io.jsupervise.lifecycle.Service.Grave;
import io.jsupervise.lifecycle.Service.LastRun;
import io.jsupervise.lifecycle.Service.NextStart;
import io.jsupervise.spec.ServiceSpec;
import java.util.List;
import java.util.Optional;

/** A {@link Service} while something about it changes, in a step or a copy; mutable, and never seen outside of that. */
final class Draft {
    ServiceSpec spec;
    ServiceState state;
    Now since;
    Wanted wanted;
    boolean commanded;
    Optional<Run> run;
    Optional<Grave> grave;
    Optional<Ending> ending;
    History history;
    Optional<NextStart> next;
    Optional<String> fatalReason;
    List<String> waitingFor;
    Optional<LastRun> lastRun;
    Timers timers;
    HookState hooks;
    private long seed;

    Draft(Service service) {
        spec = service.spec();
        state = service.state();
        since = service.since();
        wanted = service.wanted();
        commanded = service.commanded();
        run = service.run();
        grave = service.grave();
        ending = service.ending();
        history = service.history();
        next = service.next();
        fatalReason = service.fatalReason();
        waitingFor = service.waitingFor();
        lastRun = service.lastRun();
        timers = service.timers();
        seed = service.seed();
        hooks = service.hooks();
    }

    Service toService() {
        return new Service(
                spec,
                state,
                since,
                wanted,
                commanded,
                run,
                grave,
                ending,
                history,
                next,
                fatalReason,
                waitingFor,
                lastRun,
                timers,
                seed,
                hooks);
    }

    /** A random number (splitmix64, Steele et al. 2014); the seed moves on, so a replay gives the same numbers. */
    long random() {
        seed += 0x9E3779B97F4A7C15L;
        long z = seed;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    Optional<ProcessIdentity> process() {
        return run.flatMap(Run::process);
    }

    /** Uniform in [0, 1). */
    double unit() {
        return (random() >>> 11) * 0x1.0p-53;
    }
}
