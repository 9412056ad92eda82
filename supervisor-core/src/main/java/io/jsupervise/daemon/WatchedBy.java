package io.jsupervise.daemon;

import io.jsupervise.io.BootTraces;
import io.jsupervise.io.HardwareWatchdog;
import io.jsupervise.io.ServiceManager;
import io.jsupervise.journal.LastBoot;
import io.jsupervise.journal.SupervisorRecord;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.spec.SupervisorSpec;
import io.jsupervise.spec.WatchdogSpec;
import io.jsupervise.spec.WatchdogSpec.RebootLimit;
import io.jsupervise.supervision.SupervisorEvent;
import io.jsupervise.supervision.WatchdogReport;
import io.jsupervise.supervision.Watchers;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Connects the supervisor with those that watch it: arms the hardware watchdog, finds the service manager, and finds out why the
 * machine booted. The loop's thread, or the one that will run the loop.
 */
final class WatchedBy {
    private final Optional<HardwareWatchdog> hardware;
    private final Optional<ServiceManager> manager;

    private WatchedBy(Optional<HardwareWatchdog> hardware, Optional<ServiceManager> manager) {
        this.hardware = hardware;
        this.manager = manager;
    }

    /** Nobody does yet. */
    static WatchedBy nobody() {
        return new WatchedBy(Optional.empty(), Optional.empty());
    }

    /**
     * What surrounds it.
     *
     * @param environment of this process
     * @param before      record of the supervisor before us
     * @param mustBegin   whether services run that are to be supervised, watched or not
     * @param events      for the core
     * @param complaints  about the service manager
     */
    record Around(
            Map<String, String> environment,
            Optional<SupervisorRecord> before,
            String bootId,
            boolean mustBegin,
            Consumer<SupervisorEvent> events,
            Consumer<OsException> complaints) {}

    /** Who it is, and what the core has to know of them. */
    record Begun(WatchedBy who, Watchers watchers) {}

    /**
     * Arms the hardware, which from now on has to be fed.
     *
     * @throws DaemonException where the device cannot be had, unless services run on that have to be supervised: an operator
     *     who asked for a watchdog and got none has to know at once, and nothing has been started
     */
    static Begun begin(Os os, SupervisorSpec spec, Around around) throws DaemonException {
        Optional<ServiceManager> manager = ServiceManager.of(os, around.environment(), around.complaints());
        Optional<HardwareWatchdog> hardware = Optional.empty();
        Optional<Watchers.Hardware> armed = Optional.empty();
        if (spec.watchdog().isPresent()) {
            WatchdogSpec wanted = spec.watchdog().get();
            HardwareWatchdog device = new HardwareWatchdog(
                    os, wanted, report -> around.events().accept(new SupervisorEvent.WatchdogReported(report)));
            hardware = Optional.of(device);
            armed = Optional.of(new Watchers.Hardware(wanted, arm(device, wanted, around.mustBegin())));
        }
        Optional<Integer> bootStatus = hardware.flatMap(HardwareWatchdog::bootStatus);
        LastBoot.Known known = LastBoot.judge(
                around.before(),
                around.bootId(),
                spec.watchdog().map(WatchdogSpec::rebootLimit).orElse(RebootLimit.STANDARD),
                () -> BootTraces.find(os, bootStatus));
        Watchers watchers = new Watchers(armed, manager.map(ServiceManager::manager), known.memory(), known.isNew());
        return new Begun(new WatchedBy(hardware, manager), watchers);
    }

    private static WatchdogReport arm(HardwareWatchdog device, WatchdogSpec wanted, boolean mustBegin)
            throws DaemonException {
        try {
            return device.open();
        } catch (OsException e) {
            if (mustBegin) {
                device.isFailing();
                return new WatchdogReport.Failed(e.getMessage(), e.errno().name());
            }
            throw Directories.failure(
                    "cannot arm the hardware watchdog " + wanted.device() + ", so nothing was started", e);
        }
    }

    void feed() {
        hardware.ifPresent(HardwareWatchdog::feed);
    }

    void tell(String assignments) {
        manager.ifPresent(to -> to.tell(assignments));
    }

    /** Everything is down: what is watched by hardware may go on without us. */
    void disarm() {
        hardware.ifPresent(HardwareWatchdog::disarm);
    }

    /** The next supervisor has one timeout from now. */
    void leave() {
        hardware.ifPresent(HardwareWatchdog::leave);
    }
}
