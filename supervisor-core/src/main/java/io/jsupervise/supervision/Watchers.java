package io.jsupervise.supervision;

import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.Now;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.spec.WatchdogSpec;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * All that watch the supervisor from outside, each far simpler than it is: the hardware watchdog and the service manager
 * that started us. Both are answered by one timer of the core. They differ in what the answer says: the manager asks whether we
 * live; the hardware is also used as the last remedy, see {@link WatchdogFeed}.
 */
public final class Watchers {
    private final Optional<WatchdogFeed> feed;
    private final Optional<ManagerNotices> manager;
    private final ResetMemory memory;
    private final boolean isNewBoot;
    private Core core;

    /** What these need of the core; all on the loop, during a step. */
    interface Core {
        void order(Order order);

        void tell(String event, Map<String, Object> details);

        /** Has the timer fire then. */
        void wakeAt(MonotonicTime time);

        /** Orders a record of the supervisor; its number. */
        long record();

        /** Whether that record is in place, or the journal stale. */
        boolean isSettled(long record);

        Collection<Service> services();

        boolean isLeaving();
    }

    /**
     * The hardware watchdog, with what the first look at it gave.
     *
     * @param spec as configured
     */
    public record Hardware(WatchdogSpec spec, WatchdogReport report) {}

    /**
     * The service manager above us.
     *
     * @param watchdog the time after which it takes us for dead (WATCHDOG_USEC); empty where it does not watch
     */
    public record Manager(Optional<Duration> watchdog) {}

    /**
     * @param memory    what was found of earlier boots, judged for this one
     * @param isNewBoot whether no supervisor has told of this boot yet
     */
    public Watchers(Optional<Hardware> hardware, Optional<Manager> manager, ResetMemory memory, boolean isNewBoot) {
        this.feed = hardware.map(one -> new WatchdogFeed(one.spec(), memory, one.report()));
        this.manager = manager.map(one -> new ManagerNotices(one.watchdog()));
        this.memory = memory.with(Optional.empty());
        this.isNewBoot = isNewBoot;
    }

    static Watchers nobody() {
        return new Watchers(Optional.empty(), Optional.empty(), ResetMemory.NONE, false);
    }

    void connect(Core to) {
        core = to;
    }

    /** Whether there is a hardware watchdog that can reset the machine when it is not fed. */
    boolean mayReset() {
        return feed.isPresent();
    }

    ResetMemory memory() {
        return feed.isPresent() ? feed.get().memory() : memory;
    }

    WatchdogStatus status() {
        return feed.isPresent()
                ? feed.get().status()
                : new WatchdogStatus(Optional.empty(), Optional.empty(), Optional.empty(), memory, false);
    }

    void begin(Now now) {
        if (isNewBoot && memory.boot().isPresent()) {
            BootReport boot = memory.boot().get();
            Map<String, Object> details = new LinkedHashMap<>();
            details.put("cause", boot.cause().word());
            details.put("evidence", boot.evidence());
            details.put("resets", (long) boot.resets());
            core.tell("machine-booted", details);
        }
        feed.ifPresent(one -> one.begin(feeding()));
        due(now);
    }

    /** The timer has fired, or it has to be armed for the first time. */
    void due(Now now) {
        Optional<Duration> next = Optional.empty();
        if (feed.isPresent()) {
            feed.get().due(core.services(), core.isLeaving(), now, feeding());
            next = Optional.of(feed.get().interval());
        }
        Optional<Duration> awaited = manager.flatMap(ManagerNotices::interval);
        if (awaited.isPresent()) {
            core.order(new Order.TellManager(manager.get().alive()));
            if (next.isEmpty() || awaited.get().compareTo(next.get()) < 0) {
                next = awaited;
            }
        }
        if (next.isPresent()) {
            core.wakeAt(now.mono().plus(next.get()));
        }
    }

    void reported(WatchdogReport report) {
        feed.ifPresent(one -> one.reported(report, feeding()));
    }

    void ready(ProcessIdentity self) {
        manager.ifPresent(one -> core.order(new Order.TellManager(one.ready(self, core.services()))));
    }

    void reloading(MonotonicTime now) {
        manager.ifPresent(one -> core.order(new Order.TellManager(one.reloading(now))));
    }

    /** Or refused: whichever it was, we are ready for the next. */
    void reloaded(ProcessIdentity self) {
        if (!core.isLeaving()) {
            ready(self);
        }
    }

    void stopping() {
        manager.ifPresent(one -> core.order(new Order.TellManager(one.stopping())));
    }

    void handingOver() {
        manager.ifPresent(one -> core.order(new Order.TellManager(one.handingOver())));
    }

    /** Everything is down, and the device is about to be disarmed. */
    void end() {
        feed.ifPresent(one -> one.ends(feeding()));
    }

    void showStatus() {
        if (manager.isPresent() && !core.isLeaving()) {
            Optional<String> changed = manager.get().changedStatus(core.services());
            changed.ifPresent(assignment -> core.order(new Order.TellManager(assignment)));
        }
    }

    private WatchdogFeed.Core feeding() {
        Core to = core;
        return new WatchdogFeed.Core() {
            @Override
            public void feed() {
                to.order(new Order.FeedWatchdog());
            }

            @Override
            public void tell(String event, Map<String, Object> details) {
                to.tell(event, details);
            }

            @Override
            public long record() {
                return to.record();
            }

            @Override
            public boolean isSettled(long record) {
                return to.isSettled(record);
            }
        };
    }
}
