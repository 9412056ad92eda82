package io.jsupervise.supervision;

import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.Signal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** What somebody asks of the supervisor. The answer is an {@link Answer}. */
public sealed interface Ask {
    /** Everything, or one service. */
    record ShowStatus(Optional<ServiceName> service) implements Ask {}

    /**
     * Start, stop or restart services.
     *
     * @param services in the order asked; empty means all
     * @param await    answer only when it is done, failed, or {@code timeout} is over
     */
    record Act(Verb verb, List<ServiceName> services, boolean await, Duration timeout) implements Ask {
        public enum Verb {
            START,
            STOP,
            RESTART;

            public String word() {
                return name().toLowerCase(java.util.Locale.ROOT);
            }
        }
    }

    /** Send a signal to the main process of a service. */
    record SendSignal(ServiceName service, Signal signal) implements Ask {}

    /** Stop everything and end. */
    record Shutdown() implements Ask {}

    /** End, and leave what runs to the next supervisor; answered when everything is recorded. */
    record HandOver() implements Ask {}

    /**
     * Read the services file again and do what it says now.
     *
     * @param dryRun only tell what would be done
     * @param file   another file than the one that is supervised; for a dry run only
     * @param await  answer only when what begins has begun and what ends has ended, or {@code timeout} is over
     */
    record Reload(boolean dryRun, Optional<Path> file, boolean await, Duration timeout) implements Ask {
        public Reload {
            if (file.isPresent() && !dryRun) {
                throw new IllegalArgumentException("only a dry run reads another file");
            }
        }
    }

    /** Rotate the logs of these services now; of all where there are none. */
    record RotateLogs(List<ServiceName> services) implements Ask {}

    /** Whether this changes anything; what does not may be asked by readers. */
    default boolean acts() {
        return !(this instanceof ShowStatus);
    }
}
