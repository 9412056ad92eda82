package io.jsupervise.lifecycle;

import java.time.Duration;
import java.util.Optional;

/**
 * What a service has said of itself in one message (sd_notify(3)).
 *
 * @param ready      READY=1: it is started, or has reloaded
 * @param reloading  RELOADING=1: READY=1 follows
 * @param stopping   STOPPING=1: it ends by itself
 * @param status     STATUS=, for people
 * @param ping       WATCHDOG=1: it lives
 * @param trigger    WATCHDOG=trigger: it hangs in a way that it has noticed itself
 * @param watchdog   WATCHDOG_USEC=: another time between two pings from now on; zero for none
 * @param extend     EXTEND_TIMEOUT_USEC=: what it is about takes so long from now, or longer
 * @param errno      ERRNO=: what it fails of, in words
 * @param exitStatus EXIT_STATUS=: what it is about to exit with
 * @param mainPid    MAINPID=
 */
public record Notice(
        boolean ready,
        boolean reloading,
        boolean stopping,
        Optional<String> status,
        boolean ping,
        boolean trigger,
        Optional<Duration> watchdog,
        Optional<Duration> extend,
        Optional<String> errno,
        Optional<Integer> exitStatus,
        Optional<Pid> mainPid) {}
