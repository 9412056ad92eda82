package io.jsupervise.io;

import io.jsupervise.lifecycle.Effect;
import io.jsupervise.lifecycle.Event;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.os.Os;
import io.jsupervise.spec.Probe;
import io.jsupervise.supervision.SupervisorEvent;
import io.jsupervise.text.DurationText;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/**
 * Asks services from outside whether they are well: a connection, or the status line of an answer to GET. All of them
 * wait in one thread, on the JDK's selector: a service that accepts and says nothing costs one descriptor until its time
 * is over, and one that answers without end is heard for {@value #MOST_BYTES} bytes. No more of HTTP is needed than its
 * first line (RFC 9112, section 4), so no library is loaded for it.
 *
 * <p>Names are looked up elsewhere, since that may hang; all addresses of a name are tried in turn, within the one time.
 */
public final class Probes {
    private static final int MOST_BYTES = 64 * 1024;
    private static final int LONGEST_LINE = 256;
    private static final int BUFFER_BYTES = 4096;

    private final Os os;
    private final Executor resolvers;
    private final Runnable begun;
    private final Deque<Question> fresh = new ArrayDeque<>();
    private final Set<Question> open = new HashSet<>();
    private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
    private Selector selector;

    private static final class Question {
        final Effect.AskProbe order;
        final Consumer<SupervisorEvent> answers;
        final MonotonicTime deadline;
        List<InetAddress> addresses = new ArrayList<>();
        Optional<String> unresolved = Optional.empty();
        String problem = "";
        SocketChannel channel;
        ByteBuffer toSend;
        final StringBuilder line = new StringBuilder();
        int heard;
        boolean answered;

        Question(Effect.AskProbe order, Consumer<SupervisorEvent> answers, MonotonicTime deadline) {
            this.order = order;
            this.answers = answers;
            this.deadline = deadline;
        }
    }

    /**
     * @param resolvers looks up names
     * @param begun     is called at the first question: somebody has to {@link #turn} from then on
     */
    public Probes(Os os, Executor resolvers, Runnable begun) {
        this.os = os;
        this.resolvers = resolvers;
        this.begun = begun;
    }

    /** Never waits; {@code answers} gets one Probed, on the thread that turns. Any thread. */
    public void ask(Effect.AskProbe order, Consumer<SupervisorEvent> answers) {
        Question question = new Question(order, answers, os.now().plus(order.timeout()));
        String host = order.probe().host();
        if (isAddress(host)) {
            resolve(question, host);
        } else {
            resolvers.execute(() -> resolve(question, host));
        }
    }

    private static boolean isAddress(String host) {
        boolean address = true;
        for (int i = 0; i < host.length(); i++) {
            char c = host.charAt(i);
            address &= c >= '0' && c <= '9' || c == '.';
        }
        return address || host.indexOf(':') >= 0;
    }

    private void resolve(Question question, String host) {
        try {
            for (InetAddress address : InetAddress.getAllByName(host)) {
                question.addresses.add(address);
            }
        } catch (UnknownHostException e) {
            question.unresolved = Optional.of("there is no host " + host);
        }
        boolean first;
        synchronized (fresh) {
            first = selector == null;
            if (first) {
                try {
                    selector = Selector.open();
                } catch (IOException e) {
                    cannotAsk(question, e);
                    return;
                }
            }
            fresh.add(question);
        }
        if (first) {
            begun.run();
        } else {
            selector.wakeup();
        }
    }

    /** Waits until there is something to do, and does it. One thread, from when it has {@code begun}. */
    public void turn() throws IOException {
        long waitMs = untilNext();
        if (waitMs == 0) {
            selector.selectNow();
        } else {
            selector.select(waitMs < 0 ? 0 : waitMs);
        }
        for (SelectionKey key : selector.selectedKeys()) {
            goOn((Question) key.attachment());
        }
        selector.selectedKeys().clear();
        List<Question> begin = new ArrayList<>();
        synchronized (fresh) {
            begin.addAll(fresh);
            fresh.clear();
        }
        for (Question question : begin) {
            begin(question);
        }
        endOverdue();
    }

    /** Milliseconds; negative without anything to wait for. */
    private long untilNext() {
        synchronized (fresh) {
            if (!fresh.isEmpty()) {
                return 0;
            }
        }
        MonotonicTime now = os.now();
        long least = -1;
        for (Question question : open) {
            long nanos = question.deadline.since(now).toNanos();
            long ms = nanos <= 0 ? 0 : nanos / 1_000_000 + 1;
            least = least < 0 ? ms : Math.min(least, ms);
        }
        return least;
    }

    private void begin(Question question) {
        if (question.unresolved.isPresent()) {
            answer(question, question.unresolved);
        } else {
            open.add(question);
            tryNext(question);
        }
    }

    private void tryNext(Question question) {
        close(question);
        if (question.addresses.isEmpty()) {
            finish(question, Optional.of(question.problem));
            return;
        }
        InetAddress address = question.addresses.remove(0);
        SocketChannel channel;
        try {
            channel = SocketChannel.open();
        } catch (IOException e) {
            open.remove(question);
            cannotAsk(question, e);
            return;
        }
        question.channel = channel;
        try {
            channel.configureBlocking(false);
            boolean connected = channel.connect(
                    new InetSocketAddress(address, question.order.probe().port()));
            channel.register(selector, SelectionKey.OP_CONNECT, question);
            if (connected) {
                connected(question);
            }
        } catch (IOException | RuntimeException e) {
            failed(question, e);
        }
    }

    private void goOn(Question question) {
        SelectionKey key = question.channel == null ? null : question.channel.keyFor(selector);
        if (key == null || !key.isValid()) {
            return;
        }
        try {
            if (key.isConnectable()) {
                if (question.channel.finishConnect()) {
                    connected(question);
                }
            } else if (key.isWritable()) {
                send(question);
            } else if (key.isReadable()) {
                hear(question);
            }
        } catch (IOException | RuntimeException e) {
            failed(question, e);
        }
    }

    private void failed(Question question, Exception e) {
        if (question.answered) {
            drop(question);
            return;
        }
        String message = e.getMessage();
        question.problem = message == null ? e.toString() : message.toLowerCase(java.util.Locale.ROOT);
        tryNext(question);
    }

    private void connected(Question question) throws IOException {
        if (question.order.probe() instanceof Probe.Http http) {
            String request = "GET " + http.target() + " HTTP/1.1\r\nHost: " + Probe.place(http.host(), http.port())
                    + "\r\nUser-Agent: jsupervise\r\nAccept: */*\r\nConnection: close\r\n\r\n";
            question.toSend = ByteBuffer.wrap(request.getBytes(StandardCharsets.US_ASCII));
            send(question);
        } else {
            finish(question, Optional.empty());
        }
    }

    private void send(Question question) throws IOException {
        question.channel.write(question.toSend);
        question.channel
                .keyFor(selector)
                .interestOps(question.toSend.hasRemaining() ? SelectionKey.OP_WRITE : SelectionKey.OP_READ);
    }

    /**
     * The rest of an answer is read, within bounds, and thrown away: many a simple server complains in its log about whoever
     * does not wait for it.
     */
    private void hear(Question question) throws IOException {
        buffer.clear();
        int count = question.channel.read(buffer);
        if (count < 0) {
            if (!question.answered) {
                finish(question, Optional.of("it closed the connection without an answer"));
            } else {
                drop(question);
            }
            return;
        }
        question.heard += count;
        if (!question.answered) {
            hearLine(question);
        }
        if (question.heard >= MOST_BYTES) {
            drop(question);
        }
    }

    private void hearLine(Question question) {
        buffer.flip();
        while (buffer.hasRemaining()) {
            char c = (char) (buffer.get() & 0xff);
            if (c == '\n' || question.line.length() >= LONGEST_LINE) {
                answer(question, judge(question.line.toString().strip()));
                return;
            }
            question.line.append(c);
        }
    }

    private static Optional<String> judge(String line) {
        boolean isHttp = line.startsWith("HTTP/1.") && line.length() >= 12 && line.charAt(8) == ' ';
        int status = 0;
        for (int i = 9; isHttp && i < 12; i++) {
            char c = line.charAt(i);
            isHttp = c >= '0' && c <= '9';
            status = status * 10 + c - '0';
        }
        if (!isHttp) {
            return Optional.of("the answer is not HTTP");
        }
        return status >= 200 && status < 400 ? Optional.empty() : Optional.of("HTTP " + status);
    }

    private void endOverdue() {
        MonotonicTime now = os.now();
        for (Question question : List.copyOf(open)) {
            if (!now.isBefore(question.deadline)) {
                finish(
                        question,
                        Optional.of("no answer within "
                                + DurationText.of(question.order.timeout().toMillis())));
            }
        }
    }

    private void finish(Question question, Optional<String> problem) {
        answer(question, problem);
        drop(question);
    }

    private void drop(Question question) {
        open.remove(question);
        close(question);
    }

    private static void answer(Question question, Optional<String> problem) {
        if (!question.answered) {
            question.answered = true;
            Effect.AskProbe order = question.order;
            question.answers.accept(new SupervisorEvent.OfService(
                    order.service(), new Event.Probed(order.run(), order.check(), problem)));
        }
    }

    /** We have no descriptor left, say: that is no fault of the service, which stays as it is. */
    private static void cannotAsk(Question question, IOException why) {
        boolean isCheck = question.order.check().isPresent();
        answer(question, isCheck ? Optional.empty() : Optional.of("cannot ask: " + why.getMessage()));
    }

    private static void close(Question question) {
        if (question.channel != null) {
            try {
                question.channel.close();
            } catch (IOException e) {
                question.problem = String.valueOf(e.getMessage());
            }
            question.channel = null;
        }
    }
}
