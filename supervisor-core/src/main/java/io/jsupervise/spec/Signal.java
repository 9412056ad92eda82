package io.jsupervise.spec;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A Linux signal by number (1 to 64), with the names of signal(7) for x86 and ARM. Numbers 32 to 64 are the
 * real-time signals; they are written {@code SIGRTMIN+n} as glibc counts them (SIGRTMIN is 34).
 */
public record Signal(int number) {
    public static final Signal HUP = new Signal(1);
    public static final Signal INT = new Signal(2);
    public static final Signal QUIT = new Signal(3);
    public static final Signal ABRT = new Signal(6);
    public static final Signal KILL = new Signal(9);
    public static final Signal USR1 = new Signal(10);
    public static final Signal SEGV = new Signal(11);
    public static final Signal USR2 = new Signal(12);
    public static final Signal TERM = new Signal(15);
    public static final Signal CONT = new Signal(18);
    public static final Signal STOP = new Signal(19);

    private static final int MAX = 64;
    private static final int RTMIN = 34;

    /** Index = number; the names that kill(1) prints. */
    private static final List<String> NAMES = List.of(
            "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
            "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM",
            "PROF", "WINCH", "IO", "PWR", "SYS");

    public Signal {
        if (number < 1 || number > MAX) {
            throw new IllegalArgumentException("signal number " + number + " is not between 1 and " + MAX);
        }
    }

    /**
     * Reads {@code TERM}, {@code SIGTERM}, {@code sigterm}, {@code 15}, {@code RTMIN+3} or {@code RTMAX-2}; empty where
     * no such signal exists.
     */
    public static Optional<Signal> parse(String text) {
        String word = text.trim().toUpperCase(Locale.ROOT);
        if (isNumber(word)) {
            return ofNumber(Integer.parseInt(word));
        }
        String name = word.startsWith("SIG") ? word.substring(3) : word;
        int index = NAMES.indexOf(name);
        if (index > 0) {
            return Optional.of(new Signal(index));
        }
        if (name.startsWith("RTMIN")) {
            return realTime(RTMIN, name.substring(5));
        }
        return name.startsWith("RTMAX") ? realTime(MAX, name.substring(5)) : Optional.empty();
    }

    /** {@code offset} is empty, {@code +n} or {@code -n}. */
    private static Optional<Signal> realTime(int base, String offset) {
        if (offset.isEmpty()) {
            return Optional.of(new Signal(base));
        }
        char sign = offset.charAt(0);
        if (sign != '+' && sign != '-' || !isNumber(offset.substring(1))) {
            return Optional.empty();
        }
        int distance = Integer.parseInt(offset.substring(1));
        int number = sign == '+' ? base + distance : base - distance;
        return number > NAMES.size() - 1 ? ofNumber(number) : Optional.empty();
    }

    private static Optional<Signal> ofNumber(int number) {
        return number >= 1 && number <= MAX ? Optional.of(new Signal(number)) : Optional.empty();
    }

    /** One or two digits; more make no signal. */
    private static boolean isNumber(String text) {
        boolean digits = !text.isEmpty() && text.length() <= 2;
        for (int i = 0; digits && i < text.length(); i++) {
            digits = text.charAt(i) >= '0' && text.charAt(i) <= '9';
        }
        return digits;
    }

    /** The full name, such as {@code SIGKILL} or {@code SIGRTMIN+3}. */
    public String fullName() {
        if (number < NAMES.size()) {
            return "SIG" + NAMES.get(number);
        }
        return number == RTMIN ? "SIGRTMIN" : "SIGRTMIN" + (number > RTMIN ? "+" : "") + (number - RTMIN);
    }

    /** Written out, as is {@link #hashCode}: those of records are made at run time, when the first one is needed. */
    @Override
    public boolean equals(Object other) {
        return other instanceof Signal signal && signal.number == number;
    }

    @Override
    public int hashCode() {
        return number;
    }

    @Override
    public String toString() {
        return fullName();
    }
}
