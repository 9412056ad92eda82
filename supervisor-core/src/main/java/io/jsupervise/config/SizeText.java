package io.jsupervise.config;

import java.util.Optional;

/** Sizes as they are written: {@code 512KiB}, {@code 10MiB}, {@code 1GiB}; {@code MB} is a million bytes. */
final class SizeText {
    private SizeText() {}

    /** In bytes; empty where it is no size. */
    static Optional<Long> parse(String text) {
        int digits = 0;
        while (digits < text.length() && text.charAt(digits) >= '0' && text.charAt(digits) <= '9') {
            digits++;
        }
        if (digits == 0 || digits > 9) {
            return Optional.empty();
        }
        long number = Long.parseLong(text.substring(0, digits));
        return switch (text.substring(digits)) {
            case "B" -> Optional.of(number);
            case "KiB", "K" -> Optional.of(number << 10);
            case "MiB", "M" -> Optional.of(number << 20);
            case "GiB", "G" -> Optional.of(number << 30);
            case "KB" -> Optional.of(number * 1_000);
            case "MB" -> Optional.of(number * 1_000_000);
            case "GB" -> Optional.of(number * 1_000_000_000);
            default -> Optional.empty();
        };
    }

    static String of(long bytes) {
        if (bytes >= 1 << 30 && bytes % (1 << 30) == 0) {
            return (bytes >> 30) + "GiB";
        } else if (bytes >= 1 << 20 && bytes % (1 << 20) == 0) {
            return (bytes >> 20) + "MiB";
        } else if (bytes >= 1 << 10 && bytes % (1 << 10) == 0) {
            return (bytes >> 10) + "KiB";
        }
        return bytes + "B";
    }
}
