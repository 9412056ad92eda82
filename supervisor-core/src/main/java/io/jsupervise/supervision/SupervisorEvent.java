package io.jsupervise.supervision;

import io.jsupervise.lifecycle.Event;
import io.jsupervise.spec.Configuration;
import io.jsupervise.spec.ServiceName;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What has happened, to one service or to the supervisor as a whole. */
public sealed interface SupervisorEvent {
    <R> R to(Handler<R> handler);

    /** One method per event, so that none can be forgotten. */
    interface Handler<R> {
        R on(OfService event);

        R on(Began event);

        R on(Asked event);

        R on(EndRequested event);

        R on(ReloadRequested event);

        R on(ConfigurationRead event);

        R on(ConfigurationRefused event);

        R on(JournalCommitted event);

        R on(JournalFailed event);

        R on(Noticed event);

        R on(WatchdogReported event);

        R on(TimerFired event);
    }

    record OfService(ServiceName service, Event event) implements SupervisorEvent {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /**
     * Everything is read; the services may start.
     *
     * @param damaged what could not be read of the journal
     */
    record Began(List<Status.JournalHealth.SetAside> damaged) implements SupervisorEvent {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /** @param request answered by exactly one {@link Order.Reply} of the same number */
    record Asked(long request, Ask ask, Asker asker) implements SupervisorEvent {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /** SIGTERM or SIGINT came; the second one hurries. */
    record EndRequested(String signal) implements SupervisorEvent {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /** SIGHUP came. */
    record ReloadRequested() implements SupervisorEvent {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /**
     * The services file was read, and nothing is wrong with it.
     *
     * @param reading number of the order
     */
    record ConfigurationRead(long reading, Configuration configuration) implements SupervisorEvent {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /**
     * The services file cannot be used as it is.
     *
     * @param reading  number of the order
     * @param problems one line each, with place and fix
     */
    record ConfigurationRefused(long reading, List<String> problems) implements SupervisorEvent {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /** Every record of a number up to {@code seq} is in place, or a newer one of the same service is. */
    record JournalCommitted(long seq) implements SupervisorEvent {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /**
     * The journal cannot be written; it is tried again.
     *
     * @param errno by name, such as {@code ENOSPC}
     */
    record JournalFailed(String reason, String errno) implements SupervisorEvent {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /**
     * Some part of the shell has something to tell that changes nothing for the core, such as a log that cannot be
     * written.
     *
     * @param event   a word of the public interface
     * @param details as in {@link Happening}
     */
    record Noticed(Optional<ServiceName> service, String event, Map<String, Object> details)
            implements SupervisorEvent {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    /** The device of the hardware watchdog can be written to again, or no longer. */
    record WatchdogReported(WatchdogReport report) implements SupervisorEvent {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }

    record TimerFired(SupervisorTimer timer, long generation) implements SupervisorEvent {
        @Override
        public <R> R to(Handler<R> handler) {
            return handler.on(this);
        }
    }
}
