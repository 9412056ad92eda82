package io.jsupervise.spec;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * How it is told whether a restart has helped, and what is done when restarts do not.
 *
 * @param stableFor a restart has helped when the service was ready and then nothing was wrong with it for so long
 * @param ladder    taken from the first on, each when the start limit is reached; empty to give up at once
 */
public record Escalation(Duration stableFor, List<Rung> ladder) {
    public static final Duration DEFAULT_STABLE_FOR = Duration.ofSeconds(10);
    public static final Escalation NONE = new Escalation(DEFAULT_STABLE_FOR, List.of());

    public Escalation {
        ladder = List.copyOf(ladder);
        if (stableFor.isNegative()) {
            throw new IllegalArgumentException("verify stable_for must not be negative");
        }
        for (int i = 0; i + 1 < ladder.size(); i++) {
            if (ladder.get(i) instanceof Rung.Reboot) {
                throw new IllegalArgumentException("reboot is the last rung of a ladder");
            }
        }
    }

    /** The rung with this number, from 1; empty where the ladder has none. */
    public Optional<Rung> rung(int number) {
        return number >= 1 && number <= ladder.size() ? Optional.of(ladder.get(number - 1)) : Optional.empty();
    }

    /** In words, such as {@code restart-dependents, run, reboot}. */
    public String words() {
        StringBuilder words = new StringBuilder();
        for (Rung rung : ladder) {
            words.append(words.length() == 0 ? "" : ", ").append(rung.word());
        }
        return words.toString();
    }
}
