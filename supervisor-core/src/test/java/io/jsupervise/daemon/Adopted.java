package io.jsupervise.daemon;

import io.jsupervise.lifecycle.ExitStatus;
import io.jsupervise.lifecycle.RunId;
import io.jsupervise.os.Child;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.Poller;
import io.jsupervise.spec.ServiceName;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** One process of another parent, watched as the loop does it. */
public final class Adopted {
    public static final Duration REAP_PATIENCE = Children.REAP_PATIENCE;

    private final Os os;
    private final Poller poller;
    private final Children children;

    public Adopted(Os os, Child child) throws OsException {
        this.os = os;
        this.poller = os.poller();
        this.children =
                new Children(os, poller, new Trees(os, java.nio.file.Path.of("/no-fifos"), "id"), released -> {});
        children.watch(new ServiceName("web"), new RunId("r1"), child);
    }

    /** Waits until there is something to look at: how it ended, where that is known then. */
    public Optional<ExitStatus> turn() throws OsException {
        List<Long> tokens = new ArrayList<>();
        poller.poll(children.patience(), tokens::add);
        tokens.addAll(children.tokensToAsk(os.now()));
        for (long token : tokens) {
            Optional<Children.Exit> exit = children.exitOf(token);
            if (exit.isPresent()) {
                return Optional.of(exit.get().event().status());
            }
        }
        return Optional.empty();
    }

    public void close() {
        poller.close();
    }
}
