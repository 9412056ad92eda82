package io.jsupervise.io;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.apache.hc.core5.http.impl.io.DefaultBHttpServerConnection;
import org.apache.hc.core5.http.io.entity.AbstractHttpEntity;

/** An answer without an end: whatever the stream has, as soon as it has it. */
final class StreamEntity extends AbstractHttpEntity {
    /** How soon what was added is noticed. */
    private static final Duration PAUSE = Duration.ofMillis(100);

    private final Routes.Stream stream;
    private final DefaultBHttpServerConnection connection;
    private final BooleanSupplier finishing;

    StreamEntity(
            Routes.Stream stream,
            String contentType,
            DefaultBHttpServerConnection connection,
            BooleanSupplier finishing) {
        super(contentType, null, true);
        this.stream = stream;
        this.connection = connection;
        this.finishing = finishing;
    }

    @Override
    public void writeTo(OutputStream out) throws IOException {
        boolean last = false;
        while (!last) {
            // Asked before reading, so that what was written before the end is still sent.
            last = finishing.getAsBoolean() || !stream.follows();
            byte[] bytes = stream.next();
            while (bytes.length > 0) {
                out.write(bytes);
                bytes = stream.next();
            }
            out.flush();
            connection.flush();
            if (!last) {
                LockSupport.parkNanos(this, PAUSE.toNanos());
            }
        }
    }

    @Override
    public boolean isRepeatable() {
        return false;
    }

    @Override
    public long getContentLength() {
        return -1;
    }

    @Override
    public InputStream getContent() {
        throw new UnsupportedOperationException("written, never read");
    }

    @Override
    public boolean isStreaming() {
        return true;
    }

    @Override
    public void close() {}
}
