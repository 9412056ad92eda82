package io.jsupervise.supervision;

import io.jsupervise.lifecycle.MonotonicTime;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.lifecycle.Service;
import io.jsupervise.lifecycle.ServiceState;
import java.time.Duration;
import java.util.Collection;
import java.util.Optional;

/**
 * What the service manager above us, mostly systemd, is told, in the words of sd_notify(3): that we are ready as soon as
 * supervision has begun and the control socket answers (not when all services are ready, which may be never), that we read
 * our file again, that we end, and from the core's own timer that we live.
 */
final class ManagerNotices {
    private final Optional<Duration> interval;
    private String status = "";

    /** @param watchdog the time after which it takes us for dead; empty where it does not watch */
    ManagerNotices(Optional<Duration> watchdog) {
        this.interval = watchdog.map(limit -> limit.dividedBy(3));
    }

    /** Between two signs of life; empty where none is awaited. */
    Optional<Duration> interval() {
        return interval;
    }

    String ready(ProcessIdentity self, Collection<Service> services) {
        status = statusOf(services);
        return "READY=1\nMAINPID=" + self.pid() + "\nSTATUS=" + status;
    }

    /** Systemd takes a reload for done when READY comes after it, and compares the times. */
    String reloading(MonotonicTime now) {
        return "RELOADING=1\nMONOTONIC_USEC=" + now.nanos() / 1000 + "\nSTATUS=reading the services file";
    }

    String stopping() {
        status = "stopping";
        return "STOPPING=1\nSTATUS=" + status;
    }

    String handingOver() {
        status = "ends, and leaves the services running for the next supervisor";
        return "STOPPING=1\nSTATUS=" + status;
    }

    String alive() {
        return "WATCHDOG=1";
    }

    /** Empty where it says what it said before. */
    Optional<String> changedStatus(Collection<Service> services) {
        String now = statusOf(services);
        if (now.equals(status)) {
            return Optional.empty();
        }
        status = now;
        return Optional.of("STATUS=" + now);
    }

    private static String statusOf(Collection<Service> services) {
        int[] counts = new int[ServiceState.values().length];
        for (Service service : services) {
            counts[service.state().ordinal()]++;
        }
        StringBuilder text = new StringBuilder();
        text.append(services.size()).append(services.size() == 1 ? " service" : " services");
        char separator = ':';
        for (ServiceState state : ServiceState.values()) {
            if (counts[state.ordinal()] > 0) {
                text.append(separator)
                        .append(' ')
                        .append(counts[state.ordinal()])
                        .append(' ')
                        .append(state);
                separator = ',';
            }
        }
        return text.toString();
    }
}
