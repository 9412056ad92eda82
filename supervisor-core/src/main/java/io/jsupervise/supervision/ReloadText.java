package io.jsupervise.supervision;

import io.jsupervise.spec.ServiceName;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the event of a reload tells. A line of the events is no place for thousands of names, so lists are cut. */
final class ReloadText {
    private static final int MOST_NAMES = 100;

    private ReloadText() {}

    /** @param by who asked for it */
    static Map<String, Object> details(ReloadDiff diff, String by) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("by", by);
        details.put("added", names(diff.added()));
        details.put("removed", names(diff.removed()));
        details.put("restarted", changes(diff.restarted()));
        details.put("changed", changes(diff.changed()));
        details.put("unchanged", (long) diff.unchanged());
        if (!diff.supervisor().isEmpty()) {
            details.put("supervisor", diff.supervisor());
        }
        if (!diff.ignored().isEmpty()) {
            details.put("needs_new_supervisor", diff.ignored());
        }
        return details;
    }

    private static List<String> names(List<ServiceName> services) {
        List<String> names = new ArrayList<>();
        for (ServiceName service : services) {
            names.add(service.value());
        }
        return cut(names);
    }

    private static List<String> changes(List<ReloadDiff.Change> changes) {
        List<String> names = new ArrayList<>();
        for (ReloadDiff.Change change : changes) {
            names.add(change.service().value());
        }
        return cut(names);
    }

    private static List<String> cut(List<String> names) {
        if (names.size() <= MOST_NAMES) {
            return names;
        }
        List<String> some = new ArrayList<>(names.subList(0, MOST_NAMES));
        some.add("and " + (names.size() - MOST_NAMES) + " more");
        return some;
    }
}
