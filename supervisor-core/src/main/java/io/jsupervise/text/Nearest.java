package io.jsupervise.text;

import java.util.Collection;
import java.util.Locale;
import java.util.Optional;

/** Which known word somebody may have meant. */
public final class Nearest {
    private Nearest() {}

    /** The known word with the fewest letters inserted, left out, changed or swapped, whatever their case; empty where none is near. */
    public static Optional<String> of(String word, Collection<String> known) {
        String lower = word.toLowerCase(Locale.ROOT);
        int most = Math.max(1, word.length() / 3);
        Optional<String> best = Optional.empty();
        for (String candidate : known) {
            if (Math.abs(candidate.length() - word.length()) <= most) {
                int distance = distance(lower, candidate.toLowerCase(Locale.ROOT));
                if (distance <= most) {
                    best = Optional.of(candidate);
                    most = distance - 1;
                }
            }
        }
        return best;
    }

    /** Optimal string alignment (Damerau, restricted). */
    private static int distance(String a, String b) {
        int[] beforeLast = new int[b.length() + 1];
        int[] last = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            last[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int[] row = new int[b.length() + 1];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                row[j] = Math.min(Math.min(row[j - 1] + 1, last[j] + 1), last[j - 1] + change);
                boolean swapped =
                        i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1);
                if (swapped) {
                    row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
                }
            }
            beforeLast = last;
            last = row;
        }
        return last[b.length()];
    }
}
