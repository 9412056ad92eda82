package io.jsupervise.supervision;

import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Now;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.spec.ServiceName;
import io.jsupervise.spec.WatchdogSpec;
import io.jsupervise.supervision.ResetMemory.Withheld;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Decides whether the hardware watchdog is fed. Each answer to the core's own timer is one feed, so a feed proves that
 * poll, clock, core and runner all turned; there is no other. It is withheld while a service is given up that an operator
 * wants, and that is critical or has a reboot as the last rung of its ladder: a reset is the last remedy there is.
 *
 * <p>A reset that nobody can explain afterwards helps nobody. So what withholds the feed is recorded first, and fed until
 * that record is in place; the next boot finds it. Where the journal is stale the record would never come, and the reset
 * must not wait for a disk that is perhaps what is broken.
 *
 * <p>The reset must not go on for ever either: the memory counts the boots in a row that ended like this, each before it
 * was as old as {@code reboot_limit.within}, on the clock that begins with the boot, since a machine may have no other that
 * can be trusted. When they are {@code count}, the feed goes on whatever is given up, for as long as this boot lasts.
 */
final class WatchdogFeed {
    private final WatchdogSpec spec;
    private final ResetMemory before;
    private WatchdogReport report;
    private Optional<Withheld> withheld = Optional.empty();
    private long record;
    private boolean holdsBack;
    private boolean limitTold;

    /** What the feed needs of the core. */
    interface Core {
        void feed();

        void tell(String event, Map<String, Object> details);

        /** Orders a record of the supervisor, with {@link #memory} in it; its number. */
        long record();

        /** Whether that record is in place, or will not come before something else does. */
        boolean isSettled(long record);
    }

    /** @param before what was found of earlier boots, already judged for this one */
    WatchdogFeed(WatchdogSpec spec, ResetMemory before, WatchdogReport report) {
        this.spec = spec;
        this.before = before.with(Optional.empty());
        this.report = report;
    }

    /** Between two feeds: the driver may have set a shorter timeout than it was asked for. */
    Duration interval() {
        if (report instanceof WatchdogReport.Armed armed && armed.timeout().isPresent()) {
            Duration third = armed.timeout().get().dividedBy(3);
            return third.compareTo(spec.interval()) < 0 ? third : spec.interval();
        }
        return spec.interval();
    }

    /** For the record of the supervisor. */
    ResetMemory memory() {
        return before.with(withheld);
    }

    WatchdogStatus status() {
        ResetMemory shown = before.with(holdsBack ? withheld : Optional.empty());
        return new WatchdogStatus(
                Optional.of(spec.device()), Optional.of(report), Optional.of(interval()), shown, isAtLimit());
    }

    private boolean isAtLimit() {
        return before.resets() >= spec.rebootLimit().count();
    }

    /** Of the first look at the device. */
    void begin(Core core) {
        tell(core, report);
    }

    /** The device is in another way than it was. */
    void reported(WatchdogReport next, Core core) {
        report = next;
        tell(core, next);
    }

    private void tell(Core core, WatchdogReport now) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("device", spec.device().toString());
        if (now instanceof WatchdogReport.Armed armed) {
            armed.identity().ifPresent(name -> details.put("identity", name));
            armed.timeout().ifPresent(timeout -> details.put("timeout_ms", timeout.toMillis()));
            armed.pretimeout().ifPresent(pretimeout -> details.put("pretimeout_ms", pretimeout.toMillis()));
            details.put("interval_ms", interval().toMillis());
            armed.nowayout().ifPresent(nowayout -> details.put("nowayout", nowayout));
            if (!armed.notes().isEmpty()) {
                details.put("notes", armed.notes());
            }
            core.tell("watchdog-armed", details);
        } else if (now instanceof WatchdogReport.Failed failed) {
            details.put("reason", failed.reason());
            details.put("errno", failed.errno());
            core.tell("watchdog-failed", details);
        }
    }

    /**
     * The timer has fired.
     *
     * @param ending whether the supervisor is on its way out, as somebody wanted
     */
    void due(Collection<Service> services, boolean ending, Now now, Core core) {
        Optional<Service> broken = ending ? Optional.empty() : findBroken(services);
        if (broken.isEmpty()) {
            core.feed();
            goOn(core);
        } else if (report instanceof WatchdogReport.Failed) {
            // What is not open resets nothing; a feed tries to open it.
            core.feed();
        } else if (isAtLimit()) {
            core.feed();
            tellLimit(broken.get(), core);
        } else if (withheld.isEmpty()
                || !withheld.get().service().equals(broken.get().name())) {
            core.feed();
            withheld.ifPresent(before -> tellFedAgain(before.service(), core));
            String reason = broken.get().fatalReason().orElse("it is given up");
            withheld = Optional.of(new Withheld(broken.get().name(), reason, now));
            record = core.record();
        } else if (!core.isSettled(record)) {
            core.feed();
        } else if (!holdsBack) {
            holdsBack = true;
            tellWithheld(now.mono(), core);
        }
    }

    /** For whom it is withheld; while there is that reason, another one does not begin anew with recording. */
    private Optional<Service> findBroken(Collection<Service> services) {
        Optional<Service> found = Optional.empty();
        for (Service service : services) {
            if (isBroken(service)) {
                if (withheld.isPresent() && withheld.get().service().equals(service.name())) {
                    return Optional.of(service);
                }
                found = found.isPresent() ? found : Optional.of(service);
            }
        }
        return found;
    }

    /** Given up beyond its ladder, although an operator wants it; and critical, or the ladder itself asks for a reset. */
    private static boolean isBroken(Service service) {
        return service.state() == ServiceState.FATAL
                && service.wanted() == Wanted.UP
                && (service.spec().critical() || Escalations.endsWithReboot(service));
    }

    private void goOn(Core core) {
        if (withheld.isEmpty()) {
            return;
        }
        ServiceName service = withheld.get().service();
        withheld = Optional.empty();
        core.record();
        tellFedAgain(service, core);
    }

    private void tellFedAgain(ServiceName service, Core core) {
        if (holdsBack) {
            holdsBack = false;
            core.tell("watchdog-fed-again", Map.of("critical", service.value()));
        }
    }

    private void tellWithheld(MonotonicTime now, Core core) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("critical", withheld.orElseThrow().service().value());
        details.put("reason", withheld.orElseThrow().reason());
        if (report instanceof WatchdogReport.Armed armed && armed.timeout().isPresent()) {
            // The feed before was an interval ago.
            details.put("reset_in_ms", armed.timeout().get().minus(interval()).toMillis());
        }
        details.put("resets_before", (long) before.resets());
        core.tell("watchdog-withheld", details);
    }

    private void tellLimit(Service broken, Core core) {
        if (limitTold) {
            return;
        }
        limitTold = true;
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("critical", broken.name().value());
        details.put("reason", broken.fatalReason().orElse("it is given up"));
        details.put("resets", (long) before.resets());
        core.tell("reboot-limit-reached", details);
    }

    /** Called when everything is down: what happens to a machine whose watchdog cannot be disarmed. */
    void ends(Core core) {
        if (report instanceof WatchdogReport.Armed armed && armed.nowayout().orElse(false)) {
            Map<String, Object> details = new LinkedHashMap<>();
            details.put("device", spec.device().toString());
            details.put("reason", "nowayout: the driver does not let itself be disarmed");
            armed.timeout().ifPresent(timeout -> details.put("reset_in_ms", timeout.toMillis()));
            core.tell("watchdog-stays-armed", details);
        }
    }
}
