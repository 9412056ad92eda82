package io.jsupervise.sim;

import java.util.ArrayList;
import java.util.List;

/** Spans of time that do not overlap, each later than the one before; for excuses. */
final class Spans {
    private final List<long[]> spans = new ArrayList<>();

    void add(long from, long to) {
        spans.add(new long[] {from, to});
    }

    /** How much of the time from {@code from} to {@code to} lies in one of them. */
    long between(long from, long to) {
        long sum = 0;
        for (int i = spans.size() - 1; i >= 0 && spans.get(i)[1] >= from; i--) {
            sum += Math.max(0, Math.min(to, spans.get(i)[1]) - Math.max(from, spans.get(i)[0]));
        }
        return sum;
    }

    /** When the last one ended; long ago where there was none. */
    long lastEnd() {
        return spans.isEmpty() ? Long.MIN_VALUE / 2 : spans.get(spans.size() - 1)[1];
    }
}
