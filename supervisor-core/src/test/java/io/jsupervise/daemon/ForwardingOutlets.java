package io.jsupervise.daemon;

import io.jsupervise.io.HeartbeatFiles;
import io.jsupervise.io.NotifySockets;
import io.jsupervise.io.Spawner;
import io.jsupervise.lifecycle.Effect;
import io.jsupervise.os.Child;
import io.jsupervise.os.OsException;
import io.jsupervise.spec.Configuration;
import io.jsupervise.supervision.Order;
import io.jsupervise.supervision.SupervisorEvent;
import java.util.Optional;

/** Passes on what the core orders; who extends it sees it, or keeps it back. */
public class ForwardingOutlets implements Outlets {
    protected final Outlets outlets;

    protected ForwardingOutlets(Outlets outlets) {
        this.outlets = outlets;
    }

    @Override
    public Spawner spawner() {
        return outlets.spawner();
    }

    @Override
    public HeartbeatFiles heartbeats() {
        return outlets.heartbeats();
    }

    @Override
    public NotifySockets notifySockets() {
        return outlets.notifySockets();
    }

    @Override
    public void probe(Effect.AskProbe order) {
        outlets.probe(order);
    }

    @Override
    public void post(SupervisorEvent event, Optional<Child> child) {
        outlets.post(event, child);
    }

    @Override
    public void record(Order.Record order) {
        outlets.record(order);
    }

    @Override
    public void record(Order.RecordSupervisor order) {
        outlets.record(order);
    }

    @Override
    public void tell(Order.Tell order) {
        outlets.tell(order);
    }

    @Override
    public void reply(Order.Reply order) {
        outlets.reply(order);
    }

    @Override
    public void complain(String what, OsException why) {
        outlets.complain(what, why);
    }

    @Override
    public void recordsAreGiven() {
        outlets.recordsAreGiven();
    }

    @Override
    public void feedWatchdog() {
        outlets.feedWatchdog();
    }

    @Override
    public void tellManager(String assignments) {
        outlets.tellManager(assignments);
    }

    @Override
    public void expectRecords() {
        outlets.expectRecords();
    }

    @Override
    public void release(Child child) {
        outlets.release(child);
    }

    @Override
    public void keeperEnded() {
        outlets.keeperEnded();
    }

    @Override
    public void readConfiguration(Order.ReadConfiguration order) {
        outlets.readConfiguration(order);
    }

    @Override
    public void rotateLogs(Order.RotateLogs order) {
        outlets.rotateLogs(order);
    }

    @Override
    public void configured(Configuration configuration) {
        outlets.configured(configuration);
    }

    @Override
    public void endOfTurn() {
        outlets.endOfTurn();
    }
}
