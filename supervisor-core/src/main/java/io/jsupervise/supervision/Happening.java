package io.jsupervise.supervision;

import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.spec.ServiceName;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * One line of the event stream: what the supervisor saw or did.
 *
 * @param seq     grows by one with each event, across restarts of the supervisor
 * @param service empty where the supervisor itself is meant
 * @param event   a word of the public interface, such as {@code exited} or {@code supervisor-started}
 * @param from    the state before, where it is about a transition
 * @param to      the state after
 * @param details what belongs to it, in order: String, Long, Integer, Boolean or List of String; never null
 */
public record Happening(
        long seq,
        Instant at,
        Optional<ServiceName> service,
        String event,
        Optional<ServiceState> from,
        Optional<ServiceState> to,
        Map<String, Object> details) {}
