package io.jsupervise.sim;

import io.jsupervise.spec.ServiceName;
import io.jsupervise.supervision.Answer;
import io.jsupervise.supervision.Ask;
import io.jsupervise.supervision.Happening;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * What happened in a simulation, a line each: what the machine saw (in lower case) and what the daemon told. Lines are
 * made of what is kept only when somebody wants to read them, so keeping them costs little; of long runs only the last
 * lines are kept.
 */
final class Transcript {
    private final World world;
    private final long begin;
    private final int most;
    private final Deque<Line> lines = new ArrayDeque<>();

    private record Line(long at, Object what) {}

    /** @param most lines kept */
    Transcript(World world, int most) {
        this.world = world;
        this.begin = world.nanos();
        this.most = most;
    }

    /** @param what is asked for its text later, and does not change until then */
    void add(Object what) {
        if (lines.size() == most) {
            lines.poll();
        }
        lines.add(new Line(world.nanos(), what));
    }

    String text() {
        StringBuilder text = new StringBuilder();
        for (Line line : lines) {
            long micros = (line.at - begin) / 1000;
            text.append(String.format(Locale.ROOT, "%5d.%06d  ", micros / 1_000_000, micros % 1_000_000))
                    .append(words(line.what))
                    .append('\n');
        }
        return text.toString();
    }

    private static String words(Object what) {
        if (what instanceof Happening happening) {
            return words(happening);
        } else if (what instanceof Ask.Act act) {
            return "somebody asks to " + act.verb().word() + " "
                    + (act.services().isEmpty() ? "all" : act.services());
        } else if (what instanceof Answer.Acted acted) {
            StringBuilder text = new StringBuilder("the answer:");
            for (Answer.Result result : acted.results()) {
                text.append(' ')
                        .append(result.service())
                        .append(' ')
                        .append(result.message())
                        .append(';');
            }
            return text.append(acted.recorded() ? " recorded" : " not recorded").toString();
        }
        return what.toString();
    }

    private static String words(Happening happening) {
        StringBuilder text = new StringBuilder();
        text.append(happening.service().map(ServiceName::value).orElse("supervisor"))
                .append(' ')
                .append(happening.event().toUpperCase(Locale.ROOT));
        if (happening.to().isPresent() && !happening.to().equals(happening.from())) {
            text.append(' ')
                    .append(happening.from().map(from -> from + " -> ").orElse(""))
                    .append(happening.to().get());
        }
        for (Map.Entry<String, Object> detail : new TreeMap<>(happening.details()).entrySet()) {
            if (!happening.event().equals("supervisor-started") && !isTheSameEachTime(detail.getKey())) {
                text.append("; ").append(detail.getKey()).append(' ').append(detail.getValue());
            }
        }
        return text.toString();
    }

    private static boolean isTheSameEachTime(String detail) {
        return switch (detail) {
            case "argv", "working_dir", "user", "environment", "run_id" -> true;
            default -> false;
        };
    }
}
