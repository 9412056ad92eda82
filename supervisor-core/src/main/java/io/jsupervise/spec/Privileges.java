package io.jsupervise.spec;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a service may do that the supervisor may not, or the other way round. What is not said is as the supervisor has it
 * itself, and costs nothing. A process cannot be given most of it from outside before its program runs, so small programs
 * are executed in front of it, each of which changes something of itself and executes the next (chain loading).
 *
 * @param credentials who it runs as
 * @param limits      in the order of their names; each at most once
 * @param nice        -20, the most processor time, to 19 (sched(7))
 * @param oomScoreAdj -1000, never ended when memory is short, to 1000 (proc(5))
 * @param noNewPrivs  whether nothing that it executes can give it more privileges (prctl(2), PR_SET_NO_NEW_PRIVS)
 * @param resources   of its control group; empty where it has none of its own
 */
public record Privileges(
        Optional<Credentials> credentials,
        List<ResourceLimit> limits,
        OptionalInt nice,
        OptionalInt oomScoreAdj,
        boolean noNewPrivs,
        Optional<Resources> resources) {
    public static final int LEAST_NICE = -20;
    public static final int MOST_NICE = 19;
    public static final int MOST_OOM_SCORE_ADJ = 1000;

    /** All is as the supervisor has it. */
    public static final Privileges NONE =
            new Privileges(Optional.empty(), List.of(), OptionalInt.empty(), OptionalInt.empty(), false);

    public Privileges {
        limits = List.copyOf(limits);
        if (nice.isPresent() && (nice.getAsInt() < LEAST_NICE || nice.getAsInt() > MOST_NICE)) {
            throw new IllegalArgumentException("nice must be between " + LEAST_NICE + " and " + MOST_NICE);
        }
        if (oomScoreAdj.isPresent() && Math.abs(oomScoreAdj.getAsInt()) > MOST_OOM_SCORE_ADJ) {
            throw new IllegalArgumentException("oom_score_adj must be between -1000 and 1000");
        }
    }

    /** In the control group that the supervisor is in. */
    public Privileges(
            Optional<Credentials> credentials,
            List<ResourceLimit> limits,
            OptionalInt nice,
            OptionalInt oomScoreAdj,
            boolean noNewPrivs) {
        this(credentials, limits, nice, oomScoreAdj, noNewPrivs, Optional.empty());
    }

    /** Written out: the equality of records is made at run time, in the middle of the first start. */
    public boolean areOurs() {
        return this == NONE
                || credentials.isEmpty()
                        && limits.isEmpty()
                        && nice.isEmpty()
                        && oomScoreAdj.isEmpty()
                        && !noNewPrivs
                        && resources.isEmpty();
    }

    /** The names of all programs that may be executed in front of that of the service for these, in their order. */
    public List<String> loaders() {
        if (areOurs()) {
            return List.of();
        }
        List<String> names = new ArrayList<>();
        if (resources.isPresent()) {
            names.add("sh");
        }
        if (oomScoreAdj.isPresent()) {
            names.add("choom");
        }
        if (nice.isPresent()) {
            names.add("nice");
        }
        if (!limits.isEmpty()) {
            names.add("prlimit");
        }
        if (credentials.isPresent() || noNewPrivs) {
            names.add("setpriv");
        }
        if (credentials.isPresent() || resources.isPresent()) {
            names.add("env");
        }
        return names;
    }
}
