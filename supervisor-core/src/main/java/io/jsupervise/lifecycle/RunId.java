package io.jsupervise.lifecycle;

import io.jsupervise.spec.HookKind;

/**
 * Names one start of one service, for ever: {@code STATE-LIFE-NUMBER}, the identity of the state directory, the life of
 * the supervisor (larger in each), and a number that counts its starts, the latter two in hexadecimal. The child carries
 * it as JSUPERVISE_RUN_ID, so that a later supervisor can find a child that was spawned but not yet recorded.
 */
public record RunId(String value) {
    private static final String CHECK = ".check-";

    public static RunId of(String state, long life, long number) {
        return new RunId(state + "-" + Long.toHexString(life) + "-" + Long.toHexString(number));
    }

    /** For a process whose own mark cannot be read: older than all that this life of the supervisor starts. */
    public static RunId unread(String state, long life, Pid pid) {
        return new RunId(state + "-" + Long.toHexString(life) + "-0." + pid.value());
    }

    /** Whether it was made by {@link #unread}. */
    public boolean isUnread() {
        return value.indexOf('.') >= 0 && !isOfHook();
    }

    /** For a hook that belongs to this run: it can be told from all main processes. */
    public RunId ofHook(HookKind kind) {
        return new RunId(value + "." + kind.word());
    }

    /** For the process of a check of this run. */
    public RunId ofCheck(long number) {
        return new RunId(value + CHECK + number);
    }

    /** Whether it marks the process of a check, or what comes from one. */
    public boolean isOfCheck() {
        return value.lastIndexOf('.') >= 0 && value.startsWith(CHECK, value.lastIndexOf('.'));
    }

    /** Whether it marks a hook or a check, or what comes from one: no run of the service itself. */
    public boolean isOfHook() {
        int dot = value.lastIndexOf('.');
        return dot > 0 && dot + 1 < value.length() && Character.isLetter(value.charAt(dot + 1));
    }

    /** Whether it marks a hook that only tells somebody, or what comes from one. */
    public boolean isOfAlert() {
        return isOfHook() && value.startsWith("on_", value.lastIndexOf('.') + 1);
    }

    /** Whether a supervisor of this state directory gave it. */
    public boolean isOf(String state) {
        return value.length() > state.length() && value.startsWith(state) && value.charAt(state.length()) == '-';
    }

    /** The same run by the name that it has under this state directory, which may have lost its identity since. */
    public RunId under(String state) {
        int dash = value.indexOf('-');
        return isOf(state) ? this : new RunId(state + (dash < 0 ? "-" + value : value.substring(dash)));
    }

    /** Whether both are of one state directory, and {@code other} was started before this. */
    public boolean isLaterThan(RunId other) {
        int dash = value.indexOf('-');
        if (dash < 0 || !other.isOf(value.substring(0, dash))) {
            return false;
        }
        long life = life();
        long before = other.life();
        return life > before || life == before && number() > other.number();
    }

    /** The supervisor that gave it; 0 where this is no such text. */
    public long life() {
        int dash = value.indexOf('-');
        int end = value.indexOf('-', dash + 1);
        return hexadecimal(dash + 1, end < 0 ? value.length() : end);
    }

    private long number() {
        int dash = value.indexOf('-', value.indexOf('-') + 1);
        int dot = value.indexOf('.');
        return dash < 0 ? 0 : hexadecimal(dash + 1, dot < 0 ? value.length() : dot);
    }

    private long hexadecimal(int from, int to) {
        long number = 0;
        for (int i = from; i < to; i++) {
            int digit = Character.digit(value.charAt(i), 16);
            if (digit < 0 || number > Long.MAX_VALUE >> 4) {
                return 0;
            }
            number = number << 4 | digit;
        }
        return number;
    }

    /** Written out, as is {@link #hashCode}: those of records are made at run time, when the first one is needed. */
    @Override
    public boolean equals(Object other) {
        return other instanceof RunId run && run.value.equals(value);
    }

    @Override
    public int hashCode() {
        return value.hashCode();
    }

    @Override
    public String toString() {
        return value;
    }
}
