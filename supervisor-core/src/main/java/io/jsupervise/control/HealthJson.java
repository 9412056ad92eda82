package io.jsupervise.control;

import com.fasterxml.jackson.core.JsonGenerator;
import io.jsupervise.lifecycle.Cause;
import io.jsupervise.lifecycle.Health;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Now;
import io.jsupervise.lifecycle.Run;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.spec.Check;
import java.io.IOException;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;

/** The part of a service's status that tells what it says of itself and how its checks go; null where it has none. */
final class HealthJson {
    private HealthJson() {}

    static void write(Service service, Now now, JsonGenerator out) throws IOException {
        Optional<Health> health = service.run().map(Run::health);
        writeNotify(service, health, now, out);
        writeChecks(service, health, now, out);
    }

    private static void writeNotify(Service service, Optional<Health> known, Now now, JsonGenerator out)
            throws IOException {
        if (!service.spec().isHeard()) {
            out.writeNullField("notify");
            return;
        }
        Health health = known.orElse(Health.UNKNOWN);
        // One that said WATCHDOG_USEC=0 owes none.
        Optional<Duration> watchdog =
                health.watchdog().or(service.spec().health()::watchdogTimeout).filter(every -> !every.isZero());
        out.writeObjectFieldStart("notify");
        boolean missed =
                service.ending().map(ending -> ending.cause() == Cause.NOTIFY).orElse(false);
        boolean saidNothing = health.said() == Health.Said.NOTHING;
        out.writeStringField(
                "state",
                missed
                        ? "missed"
                        : saidNothing ? "waiting" : health.said().name().toLowerCase(Locale.ROOT));
        out.writeStringField("status", health.status().orElse(null));
        writeMs(out, "watchdog_timeout_ms", watchdog);
        writeMs(
                out,
                "watchdog_left_ms",
                health.watchBy().map(by -> by.isBefore(now.mono()) ? Duration.ZERO : by.since(now.mono())));
        out.writeEndObject();
    }

    private static void writeChecks(Service service, Optional<Health> health, Now now, JsonGenerator out)
            throws IOException {
        out.writeArrayFieldStart("checks");
        for (Check check : service.spec().health().checks()) {
            Optional<Health.CheckState> state = Optional.empty();
            if (health.isPresent()) {
                for (Health.CheckState one : health.get().checks()) {
                    state = one.name().equals(check.name()) ? Optional.of(one) : state;
                }
            }
            write(check, state, now.mono(), out);
        }
        out.writeEndArray();
    }

    private static void write(Check check, Optional<Health.CheckState> state, MonotonicTime now, JsonGenerator out)
            throws IOException {
        Optional<String> problem = state.flatMap(Health.CheckState::problem);
        boolean some = state.isPresent() && state.get().lastAt().isPresent();
        out.writeStartObject();
        out.writeStringField("name", check.name());
        out.writeStringField("what", check.probe().toString());
        out.writeStringField("state", !some ? "waiting" : problem.isPresent() ? "failing" : "ok");
        out.writeNumberField("failures", state.map(Health.CheckState::failures).orElse(0));
        out.writeNumberField("retries", check.retries());
        writeMs(out, "age_ms", state.flatMap(Health.CheckState::lastAt).map(now::since));
        out.writeStringField("problem", problem.orElse(null));
        out.writeEndObject();
    }

    private static void writeMs(JsonGenerator out, String name, Optional<Duration> time) throws IOException {
        if (time.isPresent()) {
            out.writeNumberField(name, time.get().toMillis());
        } else {
            out.writeNullField(name);
        }
    }
}
