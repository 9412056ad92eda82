package io.jsupervise.config;

import io.jsupervise.config.Value.Text;
import io.jsupervise.spec.Resources;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * {@code resources} of a service: the limits, and whether this machine gives control groups that can hold them. What is
 * {@code optional} is not asked of the machine: it is told when the service is started without.
 */
final class ResourcesReader {
    private static final long MOST_PERCENT = 1_000_000;

    private final Machine machine;

    ResourcesReader(Machine machine) {
        this.machine = machine;
    }

    Optional<Resources> read(Section service) {
        Optional<Section> section = service.section("resources");
        if (section.isEmpty()) {
            return Optional.empty();
        }
        Section given = section.get().knows(Keys.RESOURCES);
        OptionalLong memory = OptionalLong.empty();
        if (given.has("memory_max")) {
            long bytes = given.size("memory_max", 0, 64 << 10, 1L << 50);
            memory = bytes == 0 ? OptionalLong.empty() : OptionalLong.of(bytes);
        }
        OptionalInt pids = given.integer("pids_max", 1, 1 << 22);
        Resources read = new Resources(memory, cpu(given), pids, given.bool("optional", false));
        if (!read.optional()) {
            ask(given, read);
        }
        return Optional.of(read);
    }

    /** Percent of one processor, or a number of processors; in microseconds of each period. */
    private static OptionalLong cpu(Section section) {
        String example = "a share of one processor such as 50%, or a number of processors such as 2 or 0.5";
        Optional<Text> text = section.text("cpu_max", example);
        if (text.isEmpty()) {
            return OptionalLong.empty();
        }
        String written = text.get().text();
        boolean percent = written.endsWith("%");
        Optional<Long> millis = thousandths(percent ? written.substring(0, written.length() - 1) : written);
        if (millis.isEmpty()) {
            section.problem(text.get().place(), "cpu_max is " + text.get().kind(), "write " + example);
            return OptionalLong.empty();
        }
        long quota = percent ? millis.get() : millis.get() * 100;
        if (quota < Resources.LEAST_QUOTA || quota > MOST_PERCENT * 1_000) {
            section.problem(
                    text.get().place(),
                    "cpu_max is " + text.get().kind(),
                    "write a share from 1% to " + MOST_PERCENT + "%, or 0.01 to " + MOST_PERCENT / 100 + " processors");
            return OptionalLong.empty();
        }
        return OptionalLong.of(quota);
    }

    /** Of a decimal number with at most three digits behind the point. */
    private static Optional<Long> thousandths(String text) {
        int point = text.indexOf('.');
        String whole = point < 0 ? text : text.substring(0, point);
        String rest = point < 0 ? "" : text.substring(point + 1);
        boolean fits =
                whole.length() >= 1 && whole.length() <= 9 && rest.length() <= 3 && (point < 0 || !rest.isEmpty());
        String digits = whole + rest + "0".repeat(fits ? 3 - rest.length() : 0);
        for (int i = 0; fits && i < digits.length(); i++) {
            fits = digits.charAt(i) >= '0' && digits.charAt(i) <= '9';
        }
        return fits ? Optional.of(Long.parseLong(digits)) : Optional.empty();
    }

    private void ask(Section section, Resources asked) {
        Optional<Machine.Obstacle> obstacle = machine.obstacle(asked.controllers());
        if (obstacle.isEmpty()) {
            return;
        }
        String what = "resources cannot be limited: " + obstacle.get().what();
        String fix = obstacle.get().fix() + ", or add optional: true to do without";
        if (obstacle.get().ofRights()) {
            section.forbidden(section.place(), what, fix);
        } else {
            section.problem(section.place(), what, fix);
        }
    }
}
