package io.jsupervise.daemon;

import io.jsupervise.supervision.SupervisorEvent;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/**
 * Turns signals to the supervisor into events: TERM and INT ask it to end, HUP to reload. The JVM's own reaction to
 * them, an exit with shutdown hooks beside the loop, would be a second way to end. Other signals keep their meaning
 * (QUIT prints the threads).
 */
final class EndSignals {
    private final Inbox inbox;

    EndSignals(Inbox inbox) {
        this.inbox = inbox;
    }

    void install() {
        SignalHandler end = new SignalHandler() {
            @Override
            public void handle(Signal signal) {
                inbox.post(new SupervisorEvent.EndRequested("SIG" + signal.getName()));
            }
        };
        Signal.handle(new Signal("TERM"), end);
        Signal.handle(new Signal("INT"), end);
        Signal.handle(new Signal("HUP"), new SignalHandler() {
            @Override
            public void handle(Signal signal) {
                inbox.post(new SupervisorEvent.ReloadRequested());
            }
        });
    }
}
