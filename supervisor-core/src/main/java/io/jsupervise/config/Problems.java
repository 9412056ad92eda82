package io.jsupervise.config;

import io.jsupervise.config.Value.Place;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What was found to be wrong so far. Checks run key by key and service by service, so the same fault in {@code defaults}
 * is found once for each service below it, and faults come in any order; people get each once, in the order of the
 * files.
 */
final class Problems {
    /** Nobody reads more, and a file of nonsense must not cost more memory than itself. */
    private static final int MOST = 1000;

    private final Set<ConfigProblem> all = new LinkedHashSet<>();
    private final Map<Path, Integer> files = new HashMap<>();
    private int added;

    /** Problems of files that are named earlier come earlier. */
    void file(Path file) {
        files.putIfAbsent(file, files.size());
    }

    void add(Place place, String what, String fix) {
        add(new ConfigProblem(place.file(), place.line(), place.column(), what, fix, false));
    }

    /** Right, but not for us. */
    void addForbidden(Place place, String what, String fix) {
        add(new ConfigProblem(place.file(), place.line(), place.column(), what, fix, true));
    }

    private void add(ConfigProblem problem) {
        added++;
        if (all.size() <= MOST) {
            all.add(problem);
        }
    }

    /** How often something was told; grows also with what was known. */
    int added() {
        return added;
    }

    boolean isEmpty() {
        return all.isEmpty();
    }

    List<ConfigProblem> inOrder() {
        List<ConfigProblem> sorted = new ArrayList<>(all);
        boolean more = sorted.size() > MOST;
        if (more) {
            sorted.remove(MOST);
        }
        sorted.sort(this::compare);
        if (more) {
            ConfigProblem last = sorted.get(MOST - 1);
            sorted.add(new ConfigProblem(
                    last.file(),
                    last.line(),
                    last.column(),
                    "there are more than these " + MOST + " problems",
                    "mend these first, then check again",
                    false));
        }
        return sorted;
    }

    private int compare(ConfigProblem a, ConfigProblem b) {
        int byFile = Integer.compare(
                files.getOrDefault(a.file(), Integer.MAX_VALUE), files.getOrDefault(b.file(), Integer.MAX_VALUE));
        int byLine = byFile != 0 ? byFile : Integer.compare(a.line(), b.line());
        return byLine != 0 ? byLine : Integer.compare(a.column(), b.column());
    }
}
