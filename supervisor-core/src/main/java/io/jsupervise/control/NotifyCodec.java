package io.jsupervise.control;

import io.jsupervise.lifecycle.Notice;
import io.jsupervise.lifecycle.Pid;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.function.IntFunction;

/**
 * What a service says in one datagram (sd_notify(3)): lines {@code KEY=value}, in any order. Keys that are unknown are
 * for somebody else and ignored. A value that makes no sense is ignored, too, and named: the rest of the message counts.
 * BARRIER and FDSTORE need nothing to be said: what comes along with a message is closed in any case.
 */
public final class NotifyCodec {
    private static final int LONGEST_STATUS = 200;
    private static final int LONGEST_SHOWN = 40;

    /** Ten years, in microseconds: whatever is longer is a mistake, or for ever. */
    private static final long LONGEST_USEC = 3650L * 24 * 3600 * 1_000_000;

    private final IntFunction<String> errnoWords;
    private boolean ready;
    private boolean reloading;
    private boolean stopping;
    private boolean ping;
    private boolean trigger;
    private Optional<String> status = Optional.empty();
    private Optional<Duration> watchdog = Optional.empty();
    private Optional<Duration> extend = Optional.empty();
    private Optional<String> errno = Optional.empty();
    private Optional<Integer> exitStatus = Optional.empty();
    private Optional<Pid> mainPid = Optional.empty();
    private Optional<String> problem = Optional.empty();

    /**
     * A message.
     *
     * @param problem what is wrong with the first line that makes no sense, for people; empty where all do
     */
    public record Message(Notice notice, Optional<String> problem) {}

    private NotifyCodec(IntFunction<String> errnoWords) {
        this.errnoWords = errnoWords;
    }

    /**
     * Never fails: what cannot be understood says nothing.
     *
     * @param errnoWords what an error number of this kernel is called
     */
    public static Message decode(byte[] datagram, IntFunction<String> errnoWords) {
        NotifyCodec codec = new NotifyCodec(errnoWords);
        String text = new String(datagram, StandardCharsets.UTF_8);
        int from = 0;
        while (from < text.length()) {
            int end = text.indexOf('\n', from);
            end = end < 0 ? text.length() : end;
            if (end > from) {
                codec.line(text.substring(from, end));
            }
            from = end + 1;
        }
        return codec.message();
    }

    private Message message() {
        Notice notice = new Notice(
                ready, reloading, stopping, status, ping, trigger, watchdog, extend, errno, exitStatus, mainPid);
        return new Message(notice, problem);
    }

    private void line(String line) {
        int equals = line.indexOf('=');
        if (equals <= 0) {
            wrong(line);
            return;
        }
        String value = line.substring(equals + 1);
        switch (line.substring(0, equals)) {
            case "READY" -> ready |= isSet(line, value);
            case "RELOADING" -> reloading |= isSet(line, value);
            case "STOPPING" -> stopping |= isSet(line, value);
            case "STATUS" -> status = Optional.of(printable(value));
            case "WATCHDOG" -> watchdog(line, value);
            case "WATCHDOG_USEC" -> watchdog = time(line, value).or(() -> watchdog);
            case "EXTEND_TIMEOUT_USEC" -> extend = time(line, value).or(() -> extend);
            case "ERRNO" ->
                errno = number(line, value, 1, 4095).map(errnoWords::apply).or(() -> errno);
            case "EXIT_STATUS" -> exitStatus = number(line, value, 0, 255).or(() -> exitStatus);
            case "MAINPID" ->
                mainPid =
                        number(line, value, 1, Integer.MAX_VALUE).map(Pid::new).or(() -> mainPid);
            default -> {}
        }
    }

    private boolean isSet(String line, String value) {
        if (!value.equals("1")) {
            wrong(line);
        }
        return value.equals("1");
    }

    private void watchdog(String line, String value) {
        if (value.equals("trigger")) {
            trigger = true;
        } else {
            ping |= isSet(line, value);
        }
    }

    private Optional<Duration> time(String line, String value) {
        Optional<Long> micros = digits(value);
        if (micros.isEmpty() || micros.get() > LONGEST_USEC) {
            wrong(line);
            return Optional.empty();
        }
        return Optional.of(Duration.ofNanos(micros.get() * 1000));
    }

    private Optional<Integer> number(String line, String value, int least, int most) {
        Optional<Long> number = digits(value);
        if (number.isEmpty() || number.get() < least || number.get() > most) {
            wrong(line);
            return Optional.empty();
        }
        return Optional.of(number.get().intValue());
    }

    private static Optional<Long> digits(String value) {
        boolean decimal = !value.isEmpty() && value.length() <= 18;
        for (int i = 0; i < value.length(); i++) {
            decimal &= value.charAt(i) >= '0' && value.charAt(i) <= '9';
        }
        return decimal ? Optional.of(Long.parseLong(value)) : Optional.empty();
    }

    private void wrong(String line) {
        if (problem.isEmpty()) {
            String shown = printable(line);
            shown = shown.length() <= LONGEST_SHOWN ? shown : shown.substring(0, LONGEST_SHOWN) + "...";
            problem = Optional.of("\"" + shown + "\" makes no sense");
        }
    }

    /** As it may be shown on a terminal and kept in a journal. */
    private static String printable(String text) {
        int length = Math.min(text.length(), LONGEST_STATUS);
        StringBuilder shown = new StringBuilder(length);
        for (int i = 0; i < length; i++) {
            char c = text.charAt(i);
            boolean hidden =
                    Character.isISOControl(c) || Character.isSurrogate(c) || Character.getType(c) == Character.FORMAT;
            shown.append(hidden ? '?' : c);
        }
        return shown.toString();
    }
}
