package io.jsupervise.cli;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The daemon's log: one line for each event, through slf4j to standard error. Loaded with the first line. */
final class EventLogger {
    private static final Logger LOG = LoggerFactory.getLogger("jsupervise");

    private EventLogger() {}

    static void log(String line) {
        LOG.info(line);
    }
}
