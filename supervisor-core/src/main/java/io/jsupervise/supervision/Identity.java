package io.jsupervise.supervision;

import io.jsupervise.lifecycle.Now;
import io.jsupervise.lifecycle.ProcessIdentity;
import java.nio.file.Path;
import java.util.Map;

/**
 * Who this supervisor is, for status and events.
 *
 * @param process   ourselves
 * @param config    the services file
 * @param runPrefix begins every {@link io.jsupervise.lifecycle.RunId} that this supervisor gives: the identity of the
 *                  state directory, and something that no other supervisor of it has
 * @param details   of the event {@code supervisor-started}: host, JVM, kernel, boot id
 */
public record Identity(
        ProcessIdentity process,
        String version,
        Path config,
        Now startedAt,
        String runPrefix,
        Map<String, Object> details) {}
