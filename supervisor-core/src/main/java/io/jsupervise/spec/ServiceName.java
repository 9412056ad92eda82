package io.jsupervise.spec;

import java.util.regex.Pattern;

/**
 * The name of a service, unique in one supervisor. It is part of file names (journal, log, FIFO) and of URLs, so
 * its alphabet is narrow: a letter or digit, then at most 63 letters, digits, {@code _}, {@code .} or {@code -}.
 * No name can therefore be {@code ..}, hold a {@code /}, or collide with {@code @supervisor}.
 */
public record ServiceName(String value) implements Comparable<ServiceName> {
    /** The rule in words, for messages. */
    public static final String RULE =
            "a name starts with a letter or digit and has at most 64 letters, digits, '_', '.' or '-'";

    private static final Pattern VALID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,63}");

    public ServiceName {
        if (!isValid(value)) {
            throw new IllegalArgumentException("service name \"" + value + "\" is not valid: " + RULE);
        }
    }

    public static boolean isValid(String value) {
        return VALID.matcher(value).matches();
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
