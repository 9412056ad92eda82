package io.jsupervise.daemon;

import io.jsupervise.supervision.SupervisorEvent;

/**
 * Turns signals to the supervisor into events: TERM and INT ask it to end, HUP to reload. The JVM's own reaction to
 * them, an exit with shutdown hooks beside the loop, would be a second way to end. Other signals keep their meaning
 * (QUIT prints the threads).
 *
 * <p>sun.misc.Signal is the only way to hear of a signal in a JVM; it is in jdk.unsupported for as long as there is no
 * other (JEP 260), and javac warns of it all the same.
 */
@SuppressWarnings("sunapi")
final class EndSignals {
    private final Inbox inbox;

    EndSignals(Inbox inbox) {
        this.inbox = inbox;
    }

    void install() {
        sun.misc.SignalHandler end = new sun.misc.SignalHandler() {
            @Override
            public void handle(sun.misc.Signal signal) {
                inbox.post(new SupervisorEvent.EndRequested("SIG" + signal.getName()));
            }
        };
        sun.misc.Signal.handle(new sun.misc.Signal("TERM"), end);
        sun.misc.Signal.handle(new sun.misc.Signal("INT"), end);
        sun.misc.Signal.handle(new sun.misc.Signal("HUP"), new sun.misc.SignalHandler() {
            @Override
            public void handle(sun.misc.Signal signal) {
                inbox.post(new SupervisorEvent.ReloadRequested());
            }
        });
    }
}
