package io.jsupervise.sim;

import io.jsupervise.os.SpawnRequest;
import io.jsupervise.spec.HookKind;
import io.jsupervise.spec.ServiceSpec;
import io.jsupervise.supervision.Happening;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * Holds the hooks that only tell (on_failure, on_give_up, on_recovered) to what is promised of them: one of a service at a time;
 * none before the process that it tells of is gone; no flood; and a service that was given up has that told, if it was to be, before
 * its supervisor ends. That nothing waits for them is seen by all others, who know nothing of them.
 */
final class AlertWatch {
    private static final long QUIET = 60_000_000_000L;
    private static final int AT_ONCE = 5;

    /** One that was being told, and those after it, which one run tells of. */
    private static final int MOST_LEFT = 2;

    private final SimulatedOs os;
    private final Map<String, One> services = new HashMap<>();
    private long lifeBegan;

    /** What the life before has left to be told, beside what is new. */
    private int leftBefore;

    private boolean isFirstLife = true;

    private static final class One {
        /** How often on_failure was run in this life of the supervisor, and how often that may have been due at once. */
        int failuresTold;

        int gaveUp;

        /** It was given up in this life, and its on_give_up has not been run since. */
        boolean owesGiveUp;
    }

    AlertWatch(SimulatedOs os) {
        this.os = os;
    }

    /** What one life owes is the next one's, as far as it was recorded; and what is told is told at least once. */
    void lifeBegins() {
        services.clear();
        lifeBegan = os.world.nanos();
        leftBefore = isFirstLife ? 0 : MOST_LEFT;
        isFirstLife = false;
    }

    /** Its hooks are others now. */
    void forget(String service) {
        services.remove(service);
    }

    static boolean isAlert(SpawnRequest request) {
        return request.environment().getOrDefault("JSUPERVISE_HOOK", "").startsWith("on_");
    }

    static boolean isOfAlert(Happening happening) {
        return String.valueOf(happening.details().get("hook")).startsWith("on_");
    }

    private One of(String service) {
        return services.computeIfAbsent(service, name -> new One());
    }

    /** @param run that it tells of */
    void attempted(String service, String hook, String run, Set<SimulatedProcess> givenUp) {
        One one = of(service);
        for (SimulatedProcess process : os.processes.all()) {
            boolean counts = process.isAlive() && process.isMain && !process.isStranger && !givenUp.contains(process);
            if (counts && process.isAlert() && process.service().equals(service)) {
                throw new Violation("alerts", process + " still runs, and " + hook + " is being started");
            }
            if (counts && !hook.equals("on_recovered") && process.run().equals(run)) {
                throw new Violation("alerts", hook + " tells of the end of " + process + ", which lives");
            }
        }
        long now = os.world.nanos();
        switch (hook) {
            case "on_failure" -> {
                // A few at once in a first minute, and no more than that in any; what is due may have had to wait for
                // what its run
                // left, or for another one.
                long most = AT_ONCE * (1 + (now - lifeBegan) / QUIET) + one.gaveUp + leftBefore;
                if (++one.failuresTold > most) {
                    throw new Violation(
                            "alerts",
                            "on_failure of " + service + " is run " + one.failuresTold + " times in "
                                    + (now - lifeBegan) / 1_000_000 + " ms");
                }
            }
            case "on_give_up" -> one.owesGiveUp = false;
            default -> {}
        }
    }

    /** By its end without a ladder, or now that its first rung is taken. */
    void restartsAreGivenUp(ServiceSpec spec) {
        of(spec.name().value()).owesGiveUp = spec.hooks().has(HookKind.ON_GIVE_UP);
    }

    /** Whether no rung came before: then it was told. */
    private static boolean isFirstOfIt(ServiceSpec spec, String reason) {
        boolean endsWithReboot = reason.endsWith("; its ladder ends with a reboot");
        return endsWithReboot ? spec.escalation().ladder().size() == 1 : !reason.endsWith(" of its ladder");
    }

    /** Whether this was about one of these hooks, and means nothing to anybody else. */
    boolean told(ServiceSpec spec, Happening happening, Set<SimulatedProcess> givenUp) {
        String service = spec.name().value();
        if (happening.event().equals("gave-up")) {
            of(service).gaveUp++;
            if (isFirstOfIt(spec, String.valueOf(happening.details().get("gave_up")))) {
                restartsAreGivenUp(spec);
            }
        }
        if (!isOfAlert(happening)) {
            return false;
        }
        if (happening.event().equals("hook-failed")
                && "on_give_up".equals(happening.details().get("hook"))) {
            // Perhaps without an attempt: its output could not be prepared.
            of(service).owesGiveUp = false;
        }
        if (happening.event().equals("group-remains")) {
            for (SimulatedProcess process : os.processes.all()) {
                if (process.isAlive() && process.isAlert() && process.service().equals(service)) {
                    givenUp.add(process);
                }
            }
        }
        return true;
    }

    /** Everything that was to be done has been done. */
    void afterEnd() {
        services.forEach((name, one) -> {
            if (one.owesGiveUp) {
                throw new Violation("alerts", name + " was given up, and nobody was told");
            }
        });
    }
}
