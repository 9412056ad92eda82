package io.jsupervise.supervision;

import io.jsupervise.lifecycle.Climb;
import io.jsupervise.lifecycle.Effect;
import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import io.jsupervise.lifecycle.Wanted;
import io.jsupervise.spec.Rung;
import io.jsupervise.spec.ServiceName;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Does what ladders of services ask of the whole: others are restarted, the supervisor ends, the machine is reset. (A command is
 * run by the service itself, as a hook is.)
 *
 * <p>Nothing is done before it stands in the journal that the rung was taken, and the service hears that it is done only
 * when everything that was begun stands there as well. So a supervisor that dies leaves one of two traces: the rung is due, and the next one does
 * it (again, which it says), or it is done. None is left out, and none is repeated unnoticed. An operator who takes
 * over, or a supervisor that ends, makes what is still to be done void: the service itself tells no longer of it.
 */
final class Escalations {
    private final Core core;
    private final List<Pending> pending = new ArrayList<>();

    /** What it takes; all during a step of the core. */
    interface Core {
        Optional<Service> find(ServiceName service);

        /** Whether all that was given out about this service is in place, or the journal stale. */
        boolean isRecorded(ServiceName service);

        /** Whether the supervisor ends, or leaves all to the next one. */
        boolean isLeaving();

        /** Has others restarted that have not been since the state of {@code service} began; who these others are. */
        Collection<ServiceName> restartOthers(Service service, Rung rung);

        void shutDown(ServiceName service);

        /** Whether a hardware watchdog is configured. */
        boolean mayReset();

        /** Has the service know that it is done. */
        void done(ServiceName service, RunId after);

        void tell(ServiceName service, String event, Map<String, Object> details);
    }

    private static final class Pending {
        final Effect.Escalate order;

        /** Those that are restarted; empty before it is begun. */
        Optional<Collection<ServiceName>> others = Optional.empty();

        Pending(Effect.Escalate order) {
            this.order = order;
        }

        ServiceName service() {
            return order.service();
        }
    }

    Escalations(Core core) {
        this.core = core;
    }

    /** Whether it is given up, and the last that its ladder knows is to have the machine reset. */
    static boolean endsWithReboot(Service service) {
        return service.state() == ServiceState.FATAL && rung(service).orElse(null) instanceof Rung.Reboot;
    }

    /** The one that was taken last. */
    private static Optional<Rung> rung(Service service) {
        return service.spec().escalation().rung(service.history().climb().taken());
    }

    void ordered(Effect.Escalate order) {
        pending.removeIf(one -> one.service().equals(order.service()));
        pending.add(new Pending(order));
    }

    /** Goes on with whatever the journal has caught up with. */
    void step() {
        if (pending.isEmpty() || core.isLeaving()) {
            return;
        }
        for (Pending one : List.copyOf(pending)) {
            if (!isWanted(one.order)) {
                pending.remove(one);
            } else if (core.isRecorded(one.service())) {
                goOn(one);
            }
        }
    }

    private boolean isWanted(Effect.Escalate order) {
        Optional<Service> service = core.find(order.service());
        if (service.isEmpty()) {
            return false;
        }
        Climb climb = service.get().history().climb();
        return order.rung() instanceof Rung.Reboot
                ? endsWithReboot(service.get())
                : climb.due().equals(Optional.of(order.after()));
    }

    private void goOn(Pending one) {
        Rung rung = one.order.rung();
        if (rung instanceof Rung.Shutdown) {
            pending.remove(one);
            core.shutDown(one.service());
        } else if (rung instanceof Rung.Reboot) {
            pending.remove(one);
            reboot(one.service());
        } else {
            Service service = core.find(one.service()).orElseThrow();
            if (one.others.isEmpty()) {
                one.others = Optional.of(core.restartOthers(service, rung));
            }
            if (haveEnded(one.others.get(), service.since().mono())) {
                pending.remove(one);
                core.done(one.service(), one.order.after());
            }
        }
    }

    /** Whatever ran at {@code since}, and is wanted, runs no more and stands so in the journal: nothing keeps it from a start. */
    private boolean haveEnded(Collection<ServiceName> others, MonotonicTime since) {
        for (ServiceName name : others) {
            Optional<Service> other = core.find(name);
            Optional<MonotonicTime> begun =
                    other.flatMap(Service::run).map(run -> run.orderedAt().mono());
            boolean isOld = begun.isPresent()
                    && !since.isBefore(begun.get())
                    && other.get().wanted() == Wanted.UP;
            if (isOld || !core.isRecorded(name)) {
                return false;
            }
        }
        return true;
    }

    /** The hardware is not fed for long; without one, nobody but an operator can help. */
    private void reboot(ServiceName service) {
        if (!core.mayReset()) {
            String reason =
                    "no hardware watchdog is configured, and nothing else resets a machine for sure; the service stays"
                            + " FATAL until an operator starts it";
            tell(service, "reboot-impossible", Map.of("reason", reason));
        }
    }

    private void tell(ServiceName service, String event, Map<String, Object> details) {
        core.tell(service, event, details);
    }
}
