package io.jsupervise.cli;

import io.jsupervise.control.EventLine;
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

    static void log(EventLine line) {
        String time = InstantText.of(Instant.now().truncatedTo(ChronoUnit.MILLIS));
        if (line.warning()) {
            LOG.warn("{} {}", time, line.text());
        } else {
            LOG.info("{} {}", time, line.text());
        }
    }
}
