package io.jsupervise.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jsupervise.lifecycle.Pid;
import io.jsupervise.lifecycle.ProcessIdentity;
import io.jsupervise.os.Child;
import io.jsupervise.os.Errno;
import io.jsupervise.os.Fd;
import io.jsupervise.os.Os;
import io.jsupervise.os.OsException;
import io.jsupervise.os.Parcel;
import io.jsupervise.os.linux.LinuxOs;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Descriptors in the queue of a real socket: nothing current is ever out of it, and it does not grow. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class KeptQueueLinuxTest {
    private static final ProcessIdentity PLACE = new ProcessIdentity(new Pid(1), 1);

    private final Os real = new LinuxOs();
    private final List<Fd> open = new ArrayList<>();
    private Fd[] pair;
    private int lastPid = 1000;

    @BeforeEach
    void connect() throws OsException {
        pair = real.socketPair();
    }

    @AfterEach
    void close() {
        open.forEach(real::close);
        real.close(pair[0]);
        real.close(pair[1]);
    }

    /** Stands for a pidfd: for the queue one descriptor is like another. */
    private Child child() throws OsException {
        Fd[] pipe = real.pipe();
        real.close(pipe[1]);
        open.add(pipe[0]);
        return new Child(new ProcessIdentity(new Pid(++lastPid), 7), pipe[0], false);
    }

    private Fd pipe() throws OsException {
        Fd[] pipe = real.pipe();
        open.add(pipe[0]);
        open.add(pipe[1]);
        return pipe[0];
    }

    /** All processes that the queue tells of, with the inode of what was sent for each. */
    private Map<ProcessIdentity, Long> content() throws OsException {
        Map<ProcessIdentity, Long> processes = new HashMap<>();
        List<Fd> taken = new ArrayList<>();
        for (Optional<Parcel> parcel = real.peek(pair[1]); parcel.isPresent(); parcel = real.peek(pair[1])) {
            ByteBuffer content = ByteBuffer.wrap(parcel.get().content());
            for (Fd fd : parcel.get().descriptors()) {
                if (content.get() == 'p') {
                    ProcessIdentity identity = new ProcessIdentity(new Pid(content.getInt()), content.getLong());
                    processes.put(identity, real.stat(fd).inode());
                }
            }
            parcel.get().descriptors().forEach(taken::add);
            real.discard(pair[1]);
        }
        taken.forEach(real::close);
        return processes;
    }

    @Test
    void thousands_of_restarts_leave_a_short_queue_with_all_that_is_current() throws OsException {
        KeptQueue queue = KeptQueue.on(real, pair[0], pair[1]);
        Random random = new Random(4);
        List<Child> children = new ArrayList<>();
        for (int i = 0; i < 600; i++) {
            children.add(child());
        }
        for (int i = 0; i < 300; i++) {
            queue.hold(pipe());
        }
        queue.holdAll(children);
        int longest = 0;
        for (int i = 0; i < 5000; i++) {
            int which = random.nextInt(children.size());
            Child old = children.get(which);
            queue.release(old);
            // Its number goes to the next one, as it does in a supervisor.
            Child fresh = new Child(new ProcessIdentity(new Pid(++lastPid), 7), old.pidfd(), false);
            children.set(which, fresh);
            queue.holdAll(List.of(fresh));
            longest = Math.max(longest, queue.length());
        }
        assertTrue(longest < 80, longest + " messages");
        Map<ProcessIdentity, Long> content = content();
        for (Child child : children) {
            assertEquals(real.stat(child.pidfd()).inode(), content.get(child.identity()), child.toString());
        }
    }

    /** Ended at each call of holding, tidying and taking over in turn, before it and after it. */
    @Test
    void a_kill_at_any_call_leaves_nothing_out() throws OsException {
        for (boolean after : new boolean[] {false, true}) {
            boolean killed = true;
            for (int call = 1; killed; call++) {
                killed = killedAt(call, after);
            }
        }
    }

    private boolean killedAt(int call, boolean after) throws OsException {
        FaultyOs faulty = new FaultyOs(real);
        KeptQueue queue = KeptQueue.on(faulty.os(), pair[0], pair[1]);
        List<Child> held = new ArrayList<>();
        for (int i = 0; i < 66; i++) {
            Child child = child();
            queue.holdAll(List.of(child));
            held.add(child);
        }
        Set<ProcessIdentity> expected = new HashSet<>();
        for (int i = 0; i < held.size(); i++) {
            if (i % 3 == 0) {
                queue.release(held.get(i));
            } else {
                expected.add(held.get(i).identity());
            }
        }
        faulty.killAt(call, after);
        try {
            // The first is one too many, so the queue is tidied; then it goes to another one.
            for (int i = 0; i < 4; i++) {
                Child child = child();
                queue.holdAll(List.of(child));
                expected.add(child.identity());
            }
            KeptQueue.on(faulty.os(), pair[0], pair[1]).readAll(PLACE);
        } catch (FaultyOs.Killed e) {
            // As the kernel does it: whatever it had taken is closed.
        }
        faulty.closeAll();
        KeptQueue next = KeptQueue.on(real, pair[0], pair[1]);
        next.readAll(new ProcessIdentity(new Pid(2), 2));
        for (ProcessIdentity identity : expected) {
            Optional<Fd> fd = next.pidfdOf(identity);
            assertTrue(fd.isPresent(), identity + " is lost when killed at call " + call + ", after " + after);
            real.close(fd.get());
        }
        next.forgetTheRest();
        boolean wasKilled = faulty.wasKilled();
        content();
        open.forEach(real::close);
        open.clear();
        return wasKilled;
    }

    @Test
    void what_does_not_fit_is_told_and_the_rest_stays() throws OsException {
        FaultyOs faulty = new FaultyOs(real);
        KeptQueue queue = KeptQueue.on(faulty.os(), pair[0], pair[1]);
        Child first = child();
        queue.holdAll(List.of(first));
        faulty.fail((call, arguments) -> call.equals("send") ? Errno.ETOOMANYREFS : Errno.EUNKNOWN);
        Child second = child();
        try {
            queue.holdAll(List.of(second));
            throw new AssertionError("it is told");
        } catch (OsException e) {
            assertEquals(Errno.ETOOMANYREFS, e.errno());
        }
        faulty.fail((call, arguments) -> Errno.EUNKNOWN);
        Child third = child();
        queue.holdAll(List.of(third));
        assertEquals(Set.of(first.identity(), third.identity()), content().keySet());
    }
}
