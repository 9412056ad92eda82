package io.jsupervise.supervision;

import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.spec.ServiceName;
import java.nio.file.Path;
import java.util.List;

/** The answer to an {@link Ask}. */
public sealed interface Answer {
    record Shown(Status status) implements Answer {}

    /**
     * What became of an action.
     *
     * @param recorded false where the journal is stale: done, but forgotten if the supervisor dies now
     */
    record Acted(List<Result> results, boolean recorded) implements Answer {}

    /**
     * What a services file changes.
     *
     * @param results  of those that were waited for
     * @param recorded as in {@link Acted}
     */
    record Reloaded(ReloadDiff diff, boolean dryRun, List<Result> results, boolean recorded) implements Answer {}

    /** What became of logs that were to be rotated. */
    record Rotated(List<Rotation> results) implements Answer {}

    /**
     * One log file.
     *
     * @param done    false where it could not be rotated; {@code message} says why
     * @param message one line for people
     */
    record Rotation(ServiceName service, Path file, boolean done, String message) {}

    /**
     * @param done    whether what was asked for is reached (or, without waiting, begun)
     * @param message one line for people, such as {@code running, pid 4711} or {@code still STARTING after 30s}
     */
    record Result(ServiceName service, boolean done, ServiceState state, String message) {}

    /** Nothing was done. */
    record Refused(Reason reason, String message) implements Answer {
        public enum Reason {
            NO_SUCH_SERVICE("no-such-service"),
            NOT_RUNNING("not-running"),
            SHUTTING_DOWN("shutting-down"),
            /** The message has a line for each problem of the services file. */
            BAD_CONFIGURATION("bad-configuration"),
            FAILED("failed");

            private final String code;

            Reason(String code) {
                this.code = code;
            }

            /** As in JSON. */
            public String code() {
                return code;
            }
        }
    }
}
