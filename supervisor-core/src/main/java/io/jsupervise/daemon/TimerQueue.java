package io.jsupervise.daemon;

import io.jsupervise.lifecycle.MonotonicTime;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;

/**
 * Deadlines, each under a key of its own; arming a key again replaces its deadline. A replaced or cancelled timer stays
 * in the heap until its turn comes or too many have gathered: removing it at once would search the whole heap.
 */
final class TimerQueue {
    private static final int MANY = 256;

    private final PriorityQueue<Timer> heap = new PriorityQueue<>();
    private final Map<Object, Timer> armed = new HashMap<>();

    /** @param order keeps timers of the same deadline in the order in which they were armed */
    record Timer(MonotonicTime deadline, long order, Object key, long generation) implements Comparable<Timer> {
        @Override
        public int compareTo(Timer other) {
            int byTime = deadline.compareTo(other.deadline);
            return byTime != 0 ? byTime : Long.compare(order, other.order);
        }
    }

    private long lastOrder;

    void arm(Object key, long generation, MonotonicTime deadline) {
        Timer timer = new Timer(deadline, ++lastOrder, key, generation);
        armed.put(key, timer);
        heap.add(timer);
        if (heap.size() > MANY + 2 * armed.size()) {
            heap.clear();
            heap.addAll(armed.values());
        }
    }

    void cancel(Object key) {
        armed.remove(key);
    }

    /** When the next timer is due. */
    Optional<MonotonicTime> next() {
        skipDead();
        Timer first = heap.peek();
        return first == null ? Optional.empty() : Optional.of(first.deadline);
    }

    /** Takes one timer that is due. */
    Optional<Timer> takeDue(MonotonicTime now) {
        skipDead();
        Timer first = heap.peek();
        if (first == null || now.isBefore(first.deadline)) {
            return Optional.empty();
        }
        heap.poll();
        armed.remove(first.key);
        return Optional.of(first);
    }

    private void skipDead() {
        while (!heap.isEmpty() && armed.get(heap.peek().key) != heap.peek()) {
            heap.poll();
        }
    }
}
