package io.jsupervise.cli;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Asks a running supervisor, one request a connection. The JDK's own unix channel and a few lines for what we know the
 * answers to look like: a library for either would triple the time that {@code status} takes.
 */
final class ControlClient {
    private final Path socket;

    /** @param body whole, or empty where it was streamed */
    record Response(int status, byte[] body) {
        boolean isGood() {
            return status / 100 == 2;
        }
    }

    ControlClient(Path socket) {
        this.socket = socket;
    }

    Path socket() {
        return socket;
    }

    Response get(String target) throws CommandException {
        return request("GET", target, null);
    }

    Response post(String target) throws CommandException {
        return request("POST", target, null);
    }

    /** Copies a good answer to {@code to} as it comes. */
    Response stream(String target, OutputStream to) throws CommandException {
        return request("GET", target, to);
    }

    private Response request(String method, String target, OutputStream streamTo) throws CommandException {
        try (SocketChannel channel = connect()) {
            String head = method + " " + target + " HTTP/1.1\r\nHost: jsupervise\r\nConnection: close\r\n"
                    + "Content-Length: 0\r\n\r\n";
            ByteBuffer bytes = ByteBuffer.wrap(head.getBytes(StandardCharsets.US_ASCII));
            try {
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
            } catch (IOException e) {
                // Turned away before the request was read: the answer that says why is there all the same.
            }
            return read(new BufferedInputStream(Channels.newInputStream(channel)), streamTo);
        } catch (IOException e) {
            throw new CommandException(
                    ExitCode.NO_SUPERVISOR,
                    "the supervisor at " + socket + " went away before it answered: " + e.getMessage());
        }
    }

    private SocketChannel connect() throws CommandException {
        try {
            SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            channel.connect(UnixDomainSocketAddress.of(socket));
            return channel;
        } catch (IOException e) {
            String why = String.valueOf(e.getMessage());
            if (why.contains("ermission denied")) {
                throw new CommandException(
                        ExitCode.NOT_PERMITTED, "cannot connect to " + socket + ": permission denied; ask as root");
            }
            String what = Files.exists(socket) ? "nobody listens there" : "there is no such socket";
            throw new NoSupervisorException(
                    "no supervisor at " + socket + ": " + what + "; name another with --socket or --name");
        } catch (IllegalArgumentException e) {
            throw new CommandException(ExitCode.USAGE, "cannot connect to " + socket + ": " + e.getMessage());
        }
    }

    private static Response read(InputStream in, OutputStream streamTo) throws IOException {
        String statusLine = line(in);
        String[] parts = statusLine.split(" ", 3);
        if (parts.length < 2 || !parts[0].startsWith("HTTP/1.")) {
            throw new IOException("the answer is not HTTP: " + statusLine);
        }
        int status = Integer.parseInt(parts[1]);
        boolean chunked = false;
        long length = -1;
        for (String header = line(in); !header.isEmpty(); header = line(in)) {
            String lower = header.toLowerCase(Locale.ROOT);
            if (lower.startsWith("content-length:")) {
                length = Long.parseLong(lower.substring(15).strip());
            } else if (lower.startsWith("transfer-encoding:")) {
                chunked = lower.contains("chunked");
            }
        }
        boolean toStream = streamTo != null && status / 100 == 2;
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        OutputStream to = toStream ? streamTo : body;
        if (chunked) {
            copyChunks(in, to);
        } else {
            copy(in, to, length < 0 ? Long.MAX_VALUE : length);
        }
        return new Response(status, body.toByteArray());
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder text = new StringBuilder();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                throw new EOFException("the connection was closed");
            }
            if (c != '\r') {
                text.append((char) c);
            }
        }
        return text.toString();
    }

    private static void copyChunks(InputStream in, OutputStream to) throws IOException {
        long size = Long.parseLong(line(in).split(";")[0].strip(), 16);
        while (size > 0) {
            copy(in, to, size);
            to.flush();
            if (to instanceof PrintStream print && print.checkError()) {
                // Whoever read it has left, as head does: there is nobody to go on for.
                return;
            }
            line(in);
            size = Long.parseLong(line(in).split(";")[0].strip(), 16);
        }
    }

    private static void copy(InputStream in, OutputStream to, long length) throws IOException {
        byte[] buffer = new byte[8192];
        long left = length;
        while (left > 0) {
            int count = in.read(buffer, 0, (int) Math.min(buffer.length, left));
            if (count < 0) {
                if (length == Long.MAX_VALUE) {
                    return;
                }
                throw new EOFException("the answer was cut short");
            }
            to.write(buffer, 0, count);
            left -= count;
        }
    }
}
