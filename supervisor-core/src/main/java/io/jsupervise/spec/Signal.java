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

    /** Reads {@code TERM}, {@code SIGTERM}, {@code sigterm} or {@code 15}; empty where no such signal exists. */
    public static Optional<Signal> parse(String text) {
        String name = text.trim().toUpperCase(Locale.ROOT);
        if (name.startsWith("SIG")) {
            name = name.substring(3);
        }
        int index = NAMES.indexOf(name);
        if (index > 0) {
            return Optional.of(new Signal(index));
        }
        try {
            int number = name.startsWith("RTMIN")
                    ? RTMIN + (name.length() == 5 ? 0 : Integer.parseInt(name.substring(5)))
                    : Integer.parseInt(name);
            boolean exists = number >= 1 && number <= MAX;
            return exists ? Optional.of(new Signal(number)) : Optional.empty();
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    /** The full name, such as {@code SIGKILL} or {@code SIGRTMIN+3}. */
    public String fullName() {
        if (number < NAMES.size()) {
            return "SIG" + NAMES.get(number);
        }
        return number == RTMIN ? "SIGRTMIN" : "SIGRTMIN" + (number > RTMIN ? "+" : "") + (number - RTMIN);
    }

    @Override
    public String toString() {
        return fullName();
    }
}
