package io.jsupervise.spec;

/**
 * The name of a service, unique in one supervisor. It is part of file names (journal, log, FIFO) and of URLs, so
 * its alphabet is narrow: a letter or digit, then at most 63 letters, digits, {@code _}, {@code .} or {@code -}.
 * No name can therefore be {@code ..}, hold a {@code /}, or collide with {@code @supervisor}.
 */
public record ServiceName(String value) implements Comparable<ServiceName> {
    /** The rule in words, for messages. */
    public static final String RULE =
            "a name starts with a letter or digit and has at most 64 letters, digits, '_', '.' or '-'";

    private static final int LONGEST = 64;

    public ServiceName {
        if (!isValid(value)) {
            throw new IllegalArgumentException("service name \"" + value + "\" is not valid: " + RULE);
        }
    }

    public static boolean isValid(String value) {
        if (value.isEmpty() || value.length() > LONGEST || !isLetterOrDigit(value.charAt(0))) {
            return false;
        }
        for (int i = 1; i < value.length(); i++) {
            char c = value.charAt(i);
            if (!isLetterOrDigit(c) && c != '_' && c != '.' && c != '-') {
                return false;
            }
        }
        return true;
    }

    /** Of ASCII: what other scripts call a digit has no place in a file name. */
    private static boolean isLetterOrDigit(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9';
    }

    /** Written out, as is {@link #hashCode}: those of records are made at run time, 20 ms of a start for the first. */
    @Override
    public boolean equals(Object other) {
        return other instanceof ServiceName name && name.value.equals(value);
    }

    @Override
    public int hashCode() {
        return value.hashCode();
    }

    @Override
    public int compareTo(ServiceName other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }
}
