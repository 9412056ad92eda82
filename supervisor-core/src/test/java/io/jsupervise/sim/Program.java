package io.jsupervise.sim;

import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.spec.Signal;
import java.time.Duration;
import java.util.Optional;

/**
 * What a simulated process does with its life.
 *
 * @param lives   until it ends by itself
 * @param end     how it ends by itself
 * @param onTerm  how long it takes to end after SIGTERM (or another polite signal); empty: it ignores that
 * @param onKill  how long it takes to end after SIGKILL: longer than zero while it sleeps in the kernel (state D)
 * @param workers what it leaves behind
 * @param strays  what leaves its session
 * @param beats   how it beats the file that JSUPERVISE_HEARTBEAT names
 * @param writes  what it writes to its standard output
 * @param says    what it says at the socket that NOTIFY_SOCKET names
 */
record Program(
        Duration lives,
        ExitStatus end,
        Optional<Duration> onTerm,
        Duration onKill,
        Workers workers,
        Strays strays,
        Beats beats,
        Writes writes,
        Says says) {
    static final Duration FOREVER = Duration.ofDays(10_000);

    /**
     * Members of its group that outlive it.
     *
     * @param clings    how long one takes to end after SIGKILL
     * @param leaves    how long one lives by itself
     * @param zombieFor how long an ended one stays a zombie once its parent is gone
     */
    record Workers(int count, Duration clings, Duration leaves, Duration zombieFor) {
        static final Workers NONE = new Workers(0, Duration.ZERO, FOREVER, Duration.ZERO);
    }

    /**
     * Daemons: each leads a session of its own, bears the mark all the same, and knows no polite signal.
     *
     * @param after  when they are made; not in the tick of the main process, of which they could not be told apart by age
     * @param clings how long one takes to end after SIGKILL
     */
    record Strays(int count, Duration after, Duration clings) {
        static final Strays NONE = new Strays(0, Duration.ZERO, Duration.ZERO);
    }

    /** @param hangsAt beats no more from then on, and lives */
    record Beats(Duration first, Duration every, Duration hangsAt) {
        static final Beats NONE = new Beats(FOREVER, FOREVER, Duration.ZERO);
    }

    /** @param line {@code #} in it is the number of the line */
    record Writes(Duration every, String line) {
        static final Writes NOTHING = new Writes(FOREVER, "");
    }

    /**
     * @param word    what it says first
     * @param ping    what it says then, again and again
     * @param hangsAt says no more from then on, and lives
     */
    record Says(Duration first, String word, Duration every, String ping, Duration hangsAt) {
        static final Says NOTHING = new Says(FOREVER, "", FOREVER, "", Duration.ZERO);
    }

    /** Runs until it is told to end, and then ends at once. */
    static Program steady() {
        return new Program(
                FOREVER,
                new ExitStatus.Exited(0),
                Optional.of(Duration.ZERO),
                Duration.ZERO,
                Workers.NONE,
                Strays.NONE,
                Beats.NONE,
                Writes.NOTHING,
                Says.NOTHING);
    }

    Program exits(Duration after, int code) {
        return new Program(after, new ExitStatus.Exited(code), onTerm, onKill, workers, strays, beats, writes, says);
    }

    Program dies(Duration after, Signal signal) {
        ExitStatus killed = new ExitStatus.Killed(signal, signal.equals(Signal.SEGV));
        return new Program(after, killed, onTerm, onKill, workers, strays, beats, writes, says);
    }

    Program onTerm(Optional<Duration> takes) {
        return new Program(lives, end, takes, onKill, workers, strays, beats, writes, says);
    }

    Program onKill(Duration takes) {
        return new Program(lives, end, onTerm, takes, workers, strays, beats, writes, says);
    }

    Program leaves(Workers behind) {
        return new Program(lives, end, onTerm, onKill, behind, strays, beats, writes, says);
    }

    Program strays(Strays newStrays) {
        return new Program(lives, end, onTerm, onKill, workers, newStrays, beats, writes, says);
    }

    Program beats(Beats newBeats) {
        return new Program(lives, end, onTerm, onKill, workers, strays, newBeats, writes, says);
    }

    Program writes(Writes newWrites) {
        return new Program(lives, end, onTerm, onKill, workers, strays, beats, newWrites, says);
    }

    Program says(Says newSays) {
        return new Program(lives, end, onTerm, onKill, workers, strays, beats, writes, newSays);
    }
}
