package io.jsupervise.io;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** A client that sends whatever bytes it is told to, and reads answers byte by byte as HTTP/1.1 frames them. */
final class RawClient implements Closeable {
    private final SocketChannel channel;
    private final InputStream in;

    /** @param headers names in lower case */
    record Reply(int status, Map<String, String> headers, String body) {}

    RawClient(Path socket) throws IOException {
        channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        channel.connect(UnixDomainSocketAddress.of(socket));
        in = new BufferedInputStream(Channels.newInputStream(channel));
    }

    RawClient send(String text) throws IOException {
        return send(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    RawClient send(byte[] bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
        return this;
    }

    RawClient request(String method, String target) throws IOException {
        return send(method + " " + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
    }

    void endOutput() throws IOException {
        channel.shutdownOutput();
    }

    /** One whole answer. */
    Reply reply() throws IOException {
        return reply(false);
    }

    /** @param headOnly whether no body follows: to HEAD, or where a stream is to be read by {@link #chunk} */
    Reply reply(boolean headOnly) throws IOException {
        String[] first = line().split(" ", 3);
        if (first.length < 2 || !first[0].equals("HTTP/1.1")) {
            throw new IOException("not a status line: " + String.join(" ", first));
        }
        Map<String, String> headers = new TreeMap<>();
        for (String header = line(); !header.isEmpty(); header = line()) {
            int colon = header.indexOf(':');
            headers.put(
                    header.substring(0, colon).toLowerCase(Locale.ROOT),
                    header.substring(colon + 1).strip());
        }
        int status = Integer.parseInt(first[1]);
        if (headOnly) {
            return new Reply(status, headers, "");
        }
        if (headers.getOrDefault("transfer-encoding", "").equals("chunked")) {
            StringBuilder body = new StringBuilder();
            for (String chunk = chunk(); !chunk.isEmpty(); chunk = chunk()) {
                body.append(chunk);
            }
            return new Reply(status, headers, body.toString());
        }
        return new Reply(status, headers, exactly(Integer.parseInt(headers.get("content-length"))));
    }

    /** The next piece of a stream; empty at its orderly end. */
    String chunk() throws IOException {
        String text = exactly(Integer.parseInt(line(), 16));
        line();
        return text;
    }

    /** Whether the other side has closed and nothing more came. */
    boolean atEnd() throws IOException {
        try {
            return in.read() < 0;
        } catch (IOException e) {
            // It closed without having read all that we sent: ECONNRESET.
            return true;
        }
    }

    private String exactly(int length) throws IOException {
        byte[] bytes = in.readNBytes(length);
        if (bytes.length < length) {
            throw new EOFException("cut short after " + bytes.length + " of " + length + " bytes");
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private String line() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                throw new EOFException("closed after \"" + line + "\"");
            }
            if (c != '\r') {
                line.write(c);
            }
        }
        return line.toString(StandardCharsets.UTF_8);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
