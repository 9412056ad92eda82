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
 * @param stateId   identity of the state directory
 * @param life      of this supervisor, larger than that of any before it on the same state directory: for every
 *                  {@link io.jsupervise.lifecycle.RunId} that it gives
 * @param details   of the event {@code supervisor-started}: host, JVM, kernel, boot id
 */
public record Identity(
        ProcessIdentity process,
        String version,
        Path config,
        Now startedAt,
        String stateId,
        long life,
        Map<String, Object> details) {}
