package io.jsupervise.daemon;

import io.jsupervise.os.Child;
import io.jsupervise.os.Poller;
import io.jsupervise.supervision.SupervisorEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The only way from the other threads into the event loop. Posting never waits, and wakes the loop once for all that
 * comes until it looks.
 */
public final class Inbox {
    private final Poller poller;
    private final Object lock = new Object();
    private List<Message> posted = new ArrayList<>();

    /** @param child present where the event tells of a process that has to be watched, or buried, from now on */
    record Message(SupervisorEvent event, Optional<Child> child) {}

    public Inbox(Poller poller) {
        this.poller = poller;
    }

    /** Any thread. */
    public void post(SupervisorEvent event) {
        post(new Message(event, Optional.empty()));
    }

    /** Any thread; {@code event} tells that {@code child} was spawned or found, dead or alive. */
    public void post(SupervisorEvent event, Child child) {
        post(new Message(event, Optional.of(child)));
    }

    private void post(Message message) {
        boolean first;
        synchronized (lock) {
            first = posted.isEmpty();
            posted.add(message);
        }
        if (first) {
            poller.wakeup();
        }
    }

    /** Everything that was posted, oldest first. The loop only. */
    List<Message> takeAll() {
        synchronized (lock) {
            if (posted.isEmpty()) {
                return List.of();
            }
            List<Message> all = posted;
            posted = new ArrayList<>();
            return all;
        }
    }
}
