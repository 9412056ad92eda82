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

/** Where orders go that are not carried out on the loop. None of these methods waits. */
public interface Outlets {
    Spawner spawner();

    HeartbeatFiles heartbeats();

    NotifySockets notifySockets();

    /** Begins to ask; what comes of it is posted. */
    void probe(Effect.AskProbe order);

    /** To the loop, which comes to it in another turn; {@code child} is to be watched from then on. Any thread. */
    void post(SupervisorEvent event, Optional<Child> child);

    /** Begins to read the services file; what comes of it is posted. */
    void readConfiguration(Order.ReadConfiguration order);

    /** Has logs rotated, and the answer given when that is done. */
    void rotateLogs(Order.RotateLogs order);

    /** Another services file holds from now on. */
    void configured(Configuration configuration);

    /** One feed of the hardware watchdog; for this order alone, and now. */
    void feedWatchdog();

    /** To the service manager above us, in the words of sd_notify(3). */
    void tellManager(String assignments);

    /** Something has ended, so there will soon be something to record. */
    void expectRecords();

    void record(Order.Record order);

    void record(Order.RecordSupervisor order);

    /** No further record is known to come in this turn: the journal may begin while the turn goes on. */
    void recordsAreGiven();

    void tell(Order.Tell order);

    void reply(Order.Reply order);

    /** A system call failed that should not; supervision goes on. */
    void complain(String what, OsException why);

    /** Of what is done with: closes its pidfd, maybe later. */
    void release(Child child);

    /** The process that keeps descriptors for the next supervisor has ended. */
    void keeperEnded();

    /** All events of the turn are done: whoever has got work may begin. */
    void endOfTurn();
}
