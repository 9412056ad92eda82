package io.jsupervise.cli;

import io.jsupervise.text.InstantText;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The daemon's log: one line for each event, through slf4j to standard error. Loaded with the first line. The time is
 * our own: the date formats that slf4j-simple uses take 15 ms and half a MiB.
 */
final class EventLogger {
    private static final Logger LOG = LoggerFactory.getLogger("jsupervise");

    private EventLogger() {}

    static void log(String line) {
        LOG.info("{} {}", InstantText.of(Instant.now().truncatedTo(ChronoUnit.MILLIS)), line);
    }
}
