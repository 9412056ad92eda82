package io.jsupervise.cli;

import io.jsupervise.json.JsonException;
import io.jsupervise.json.JsonObject;
import io.jsupervise.text.DurationText;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** The status for people: one line a service, columns as wide as they must be. */
final class StatusTable {
    private static final String[] HEAD = {"NAME", "STATE", "PID", "UPTIME", "RESTARTS", "HEALTH", "LAST EXIT"};
    private static final String GREEN = "\u001b[32m";
    private static final String YELLOW = "\u001b[33m";
    private static final String RED = "\u001b[31m";
    private static final String PLAIN = "\u001b[0m";
    private static final int STATE = 1;

    /** No state of a service: it was recorded with a process, and that has ended since, without a supervisor. */
    private static final String GONE = "GONE";

    private final List<Row> rows;
    private final boolean colors;

    /** One service, as its columns show it. */
    record Row(String name, String state, String pid, String uptime, String restarts, String health, String lastExit) {

        static Row of(JsonObject service) throws JsonException {
            String state = service.string("state");
            Optional<String> process = service.optionalString("process");
            boolean gone = process.isPresent() && process.get().equals("gone");
            return new Row(
                    service.string("name"),
                    gone ? GONE : state,
                    service.optionalNumber("pid").map(String::valueOf).orElse("-"),
                    service.optionalNumber("uptime_ms").map(DurationText::of).orElse("-"),
                    String.valueOf(service.number("restarts")),
                    process.isEmpty() ? health(service, state) : gone ? "has ended since" : "still runs",
                    lastExit(service));
        }

        private static String health(JsonObject service, String state) throws JsonException {
            if (state.equals("FATAL")) {
                return service.optionalString("fatal_reason").orElse("gave up");
            }
            if (service.has("hook")) {
                return service.string("hook") + " runs";
            }
            if (state.equals("BACKOFF") && service.has("next_start_at")) {
                Duration until = Duration.between(Instant.now(), service.instant("next_start_at"));
                return "restarts in " + DurationText.of(Math.max(0, until.toMillis()));
            }
            if (state.equals("WAITING") && service.has("waiting_for")) {
                List<String> reasons = service.strings("waiting_for");
                return reasons.isEmpty() ? "-" : "waits for " + String.join(", ", reasons);
            }
            Optional<String> watched = HealthWords.of(service, state);
            if (watched.isPresent()) {
                return watched.get();
            }
            if (service.has("heartbeat")) {
                return "heartbeat " + service.object("heartbeat").string("state");
            }
            return state.equals("RUNNING") ? "ready" : "-";
        }

        private static String lastExit(JsonObject service) throws JsonException {
            Optional<JsonObject> last = service.optionalObject("last_exit");
            if (last.isEmpty()) {
                return "-";
            }
            Duration ago = Duration.between(last.get().instant("at"), Instant.now());
            return last.get().string("reason") + ", " + DurationText.of(Math.max(0, ago.toMillis())) + " ago";
        }

        boolean isRunning() {
            return state.equals("RUNNING");
        }

        private String[] cells() {
            return new String[] {name, state, pid, uptime, restarts, health, lastExit};
        }
    }

    StatusTable(List<Row> rows, boolean colors) {
        this.rows = rows;
        this.colors = colors;
    }

    @Override
    public String toString() {
        int[] widths = new int[HEAD.length];
        widen(widths, HEAD);
        rows.forEach(row -> widen(widths, row.cells()));
        StringBuilder text = new StringBuilder();
        append(text, HEAD, widths, false);
        rows.forEach(row -> append(text, row.cells(), widths, colors));
        return text.toString();
    }

    private static void widen(int[] widths, String[] cells) {
        for (int i = 0; i < cells.length; i++) {
            widths[i] = Math.max(widths[i], cells[i].length());
        }
    }

    private static void append(StringBuilder text, String[] cells, int[] widths, boolean colored) {
        for (int i = 0; i < cells.length; i++) {
            boolean last = i == cells.length - 1;
            String color = colored && i == STATE ? colorOf(cells[i]) : "";
            text.append(color).append(cells[i]).append(color.isEmpty() ? "" : PLAIN);
            if (!last) {
                text.append(" ".repeat(widths[i] - cells[i].length() + 2));
            }
        }
        text.append('\n');
    }

    private static String colorOf(String state) {
        return switch (state) {
            case "RUNNING", "EXITED" -> GREEN;
            case "FATAL", GONE -> RED;
            case "STOPPED" -> "";
            default -> YELLOW;
        };
    }
}
