package io.jsupervise.sim;

/**
 * Which seeds a test plays: {@code -Dsim.seed=N} one, whose transcript is shown; {@code -Dsim.seeds=FROM..TO} others than the
 * usual ones. Where neither is asked for, some that nobody has played before may follow.
 */
record Seeds(long first, long last) {
    /** Plays one seed. */
    interface Play {
        /** Returns what happened. */
        Transcript play(long seed);
    }

    /** Those that were asked for; the given ones where none were. */
    static Seeds askedOr(long first, long last) {
        String one = System.getProperty("sim.seed", "");
        String range = System.getProperty("sim.seeds", "");
        if (!one.isEmpty()) {
            return new Seeds(Long.parseLong(one), Long.parseLong(one));
        }
        if (!range.isEmpty()) {
            String[] ends = range.split("\\.\\.", 2);
            return new Seeds(Long.parseLong(ends[0]), Long.parseLong(ends[1]));
        }
        return new Seeds(first, last);
    }

    /** None where particular ones were asked for. A failure says how to play its seed again. */
    static Seeds fresh(String what, int count) {
        if (areAsked()) {
            return new Seeds(0, -1);
        }
        long clock = System.currentTimeMillis();
        System.out.println("fresh seeds of " + what + ": " + clock + ".." + (clock + count - 1));
        return new Seeds(clock, clock + count - 1);
    }

    /** Whether particular ones were asked for. */
    static boolean areAsked() {
        return !System.getProperty("sim.seed", "").isEmpty()
                || !System.getProperty("sim.seeds", "").isEmpty();
    }

    void play(Play play) {
        boolean isShown = !System.getProperty("sim.seed", "").isEmpty();
        for (long seed = first; seed <= last; seed++) {
            Transcript transcript = play.play(seed);
            if (isShown) {
                System.out.println(transcript.text());
            }
        }
    }
}
