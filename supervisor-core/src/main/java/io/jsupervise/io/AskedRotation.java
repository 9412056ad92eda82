package io.jsupervise.io;

import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.os.OsException;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.supervision.Answer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Logs that somebody wants rotated now. A log that ends in the middle of a line is waited for: the next bytes mostly bring the
 * end of that line. One that gets none within {@link #PATIENCE} is cut there. The relay's thread only.
 */
final class AskedRotation {
    /** A prompt that waits for an answer has no end of a line. */
    private static final long PATIENCE_NANOS = 1_000_000_000;

    private static final long AGAIN_NANOS = 10_000_000;

    private final List<RelayedStream> open;
    private final List<Answer.Rotation> results = new ArrayList<>();
    private final Consumer<List<Answer.Rotation>> done;
    private final long cutAt;

    /** @param streams whose logs are meant */
    AskedRotation(List<RelayedStream> streams, MonotonicTime now, Consumer<List<Answer.Rotation>> done) {
        this.open = new ArrayList<>(streams);
        this.done = done;
        this.cutAt = now.nanos() + PATIENCE_NANOS;
    }

    /** What somebody else has found out. */
    void add(Answer.Rotation result) {
        results.add(result);
    }

    /** Rotates what can be rotated now; true when all are done, and that was told. */
    boolean tryAgain(MonotonicTime now) {
        Iterator<RelayedStream> streams = open.iterator();
        while (streams.hasNext()) {
            RelayedStream stream = streams.next();
            Optional<Answer.Rotation> result = rotate(stream, now.nanos() >= cutAt);
            if (result.isPresent()) {
                results.add(result.get());
                streams.remove();
            }
        }
        if (open.isEmpty()) {
            done.accept(List.copyOf(results));
        }
        return open.isEmpty();
    }

    MonotonicTime nextTry(MonotonicTime now) {
        return new MonotonicTime(Math.min(now.nanos() + AGAIN_NANOS, Math.max(now.nanos(), cutAt)));
    }

    private static Optional<Answer.Rotation> rotate(RelayedStream stream, boolean cut) {
        Path file = stream.log().path();
        ServiceName service = stream.service;
        if (stream.retryAt().isPresent()) {
            return Optional.of(new Answer.Rotation(service, file, false, "it cannot be written at the moment"));
        }
        try {
            return switch (stream.log().rotateNow(cut)) {
                case ROTATED -> Optional.of(rotated(service, file));
                case EMPTY -> Optional.of(empty(service, file));
                case MID_LINE -> Optional.empty();
            };
        } catch (OsException e) {
            return Optional.of(failed(service, file, e));
        }
    }

    static Answer.Rotation rotated(ServiceName service, Path file) {
        return new Answer.Rotation(service, file, true, "rotated");
    }

    static Answer.Rotation empty(ServiceName service, Path file) {
        return new Answer.Rotation(service, file, true, "empty, so there is nothing to rotate");
    }

    static Answer.Rotation failed(ServiceName service, Path file, OsException why) {
        return new Answer.Rotation(service, file, false, "cannot be rotated: " + why.getMessage());
    }
}
