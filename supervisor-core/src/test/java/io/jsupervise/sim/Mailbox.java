package io.jsupervise.sim;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * What waits between the two sockets of a pair: messages in order, each with the open files that were sent along.
 *
 * @param <F> an open file
 */
final class Mailbox<F> {
    static final int ROOM = 400;

    private final Deque<Letter<F>> letters = new ArrayDeque<>();

    record Letter<F>(byte[] content, List<F> enclosed) {}

    boolean isFull() {
        return letters.size() >= ROOM;
    }

    void add(byte[] content, List<F> enclosed) {
        letters.add(new Letter<>(content.clone(), List.copyOf(enclosed)));
    }

    Letter<F> first() {
        return letters.peek();
    }

    boolean removeFirst() {
        return letters.poll() != null;
    }

    Iterable<Letter<F>> letters() {
        return letters;
    }
}
