package io.jsupervise.io;

import io.jsupervise.lifecycle.RunId;
import io.jsupervise.spec.ServiceName;
import java.nio.file.Path;

/** What the relay has to tell of a log. */
public sealed interface LogNotice {
    ServiceName service();

    /** It cannot be written; it is tried again every second. */
    record CannotWrite(ServiceName service, Path file, String reason) implements LogNotice {}

    /** It could not be written for so long that output is read and thrown away from now on. */
    record Dropping(ServiceName service, Path file) implements LogNotice {}

    /** It can be written again; {@code droppedBytes} were thrown away meanwhile. */
    record WritesAgain(ServiceName service, Path file, long droppedBytes) implements LogNotice {}

    /** Its stream has ended, and {@code droppedBytes} that waited could not be written. */
    record Lost(ServiceName service, Path file, long droppedBytes, String reason) implements LogNotice {}

    /** A run has written the line that was awaited. */
    record LineSeen(ServiceName service, RunId run) implements LogNotice {}

    /** It has its size, but cannot be renamed; it grows until that is possible. */
    record CannotRotate(ServiceName service, Path file, String reason) implements LogNotice {}

    /** The service is gone for good, and what it wrote is in its log, but its FIFO cannot be removed. */
    record FifoRemains(ServiceName service, Path file, String reason) implements LogNotice {}

    /** A rotated file was removed before its time, to make room. */
    record RemovedToMakeRoom(ServiceName service, Path file) implements LogNotice {}
}
