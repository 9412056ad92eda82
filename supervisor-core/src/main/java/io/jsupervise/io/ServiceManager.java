package io.jsupervise.io;

import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.supervision.Watchers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The way to the service manager that started us (sd_notify(3), sd_watchdog_enabled(3)). Its messages are small and sent without
 * waiting, by the loop's thread itself: who lives has to say so.
 */
public final class ServiceManager {
    private final Os os;
    private final String address;
    private final Optional<Duration> watchdog;
    private final Consumer<OsException> failures;
    private boolean isFailing;

    private ServiceManager(Os os, String address, Optional<Duration> watchdog, Consumer<OsException> failures) {
        this.os = os;
        this.address = address;
        this.watchdog = watchdog;
        this.failures = failures;
    }

    /**
     * Empty where nobody wants to be told.
     *
     * @param environment of this process: NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID
     * @param failures    is told of the first message of a row that cannot be sent
     */
    public static Optional<ServiceManager> of(Os os, Map<String, String> environment, Consumer<OsException> failures) {
        String address = environment.getOrDefault("NOTIFY_SOCKET", "");
        boolean usable = address.length() > 1 && (address.startsWith("/") || address.startsWith("@"));
        if (!usable) {
            return Optional.empty();
        }
        return Optional.of(new ServiceManager(os, address, watchdog(os, environment), failures));
    }

    private static Optional<Duration> watchdog(Os os, Map<String, String> environment) {
        String pid = environment.getOrDefault("WATCHDOG_PID", "");
        if (!pid.isEmpty() && !pid.equals(os.self().pid().toString())) {
            // Meant for somebody else, who did not clean up.
            return Optional.empty();
        }
        try {
            long micros = Long.parseLong(environment.getOrDefault("WATCHDOG_USEC", "0"));
            boolean known = micros >= 3 && micros < Long.MAX_VALUE / 1000;
            return known ? Optional.of(Duration.ofNanos(micros * 1000)) : Optional.empty();
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    /** For the core. */
    public Watchers.Manager manager() {
        return new Watchers.Manager(watchdog);
    }

    /** Never waits; what cannot be sent is lost, and the next message tells what holds then. */
    public void tell(String assignments) {
        try {
            os.sendTo(address, assignments.getBytes(StandardCharsets.UTF_8));
            isFailing = false;
        } catch (OsException e) {
            if (!isFailing) {
                isFailing = true;
                failures.accept(e);
            }
        }
    }
}
